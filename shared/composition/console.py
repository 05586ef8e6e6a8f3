"""Where the console meets the rest of the app. It can be seen, and says what is wrong, while the settings are wrong."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from shared import setting_values
from shared.composition.board import Switchboard
from shared.composition.diagnosis import compose_diagnosis
from shared.console_keys import Auth, ConsoleKey, read_console_keys
from shared.errors import Misconfigured
from shared.exposure import exposed_problems, in_azure
from shared.security import accepted_keys
from shared.web.console.gate import Gate
from shared.web.console.pages import Pages
from shared.web.console.sign_in import SignIn
from shared.web.console.status_page import StatusPage


@dataclass(frozen=True, slots=True)
class Console:
    """What handlers ask for."""

    gate: Gate
    status: StatusPage
    board: Switchboard | None = None

    @property
    def pages(self) -> Pages:
        """The pages that need the app to be set up; Misconfigured where it is not."""
        if (board := self.board) is None:
            raise Misconfigured
        return Pages(
            self.gate,
            board.service,
            board.store,
            {name: flow.title or name for name, flow in board.conductor.flows.items()},
            list(board.lines.numbers),
            lambda: board.switches_service,
            lambda: board.recordings().service,
            lambda: board.recordings().pipeline,
        )


def compose_console(found: Switchboard | Exception, environ: Mapping[str, str]) -> Console:
    """The console of a switchboard, or of what keeps the app from having one.

    Args:
        environ: what the platform says of itself, and the settings where they could not be read as a whole.
    """
    if isinstance(found, Exception):
        auth, keys, signing = _as_set(environ)
        gate = Gate(SignIn(auth, keys, signing, environ, time.time))
        return Console(gate, StatusPage(gate, compose_diagnosis(found, environ)))
    settings = found.settings
    signing = accepted_keys(settings.callback_signing_key, settings.callback_signing_key_previous)
    sign_in = SignIn(settings.console_auth, read_console_keys(settings.console_keys), signing, environ, time.time)
    gate = Gate(sign_in, found.lines.company)
    return Console(gate, StatusPage(gate, compose_diagnosis(found, environ)), found)


def _as_set(environ: Mapping[str, str]) -> tuple[Auth, tuple[ConsoleKey, ...], list[bytes]]:
    """How people sign in, as far as it can be read while other settings are wrong; the rest lets nobody in."""
    given = {name.lower(): value for name, value in environ.items() if value}
    auth: Auth = next((one for one in get_args(Auth) if one == given.get("console_auth")), "off")
    exposed = {field for field, _ in exposed_problems(given, azure=in_azure(environ))}
    if "console_auth" in exposed:
        auth = "off"
    keys: tuple[ConsoleKey, ...] = ()
    with suppress(ValueError):
        keys = read_console_keys(given.get("console_keys", ""))
    signing = _of_this_process()
    if "callback_signing_key" not in exposed:
        with suppress(ValueError):
            signing = setting_values.key(given.get("callback_signing_key", ""))
    return auth, keys, [signing]


@lru_cache(maxsize=1)
def _of_this_process() -> bytes:
    """Signs sign-ins while the signing key is missing, or known to everybody: they hold on this instance alone."""
    return secrets.token_bytes(32)
