"""Where the console meets the rest of the app. It can be seen, and says what is wrong, while the settings are wrong."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

from shared import setting_values
from shared.composition import console_uses as uses
from shared.composition.board import Switchboard
from shared.composition.diagnosis import compose_diagnosis
from shared.console_keys import Auth, ConsoleKey, read_console_keys
from shared.errors import Misconfigured, NotFound
from shared.exposure import exposed_problems, in_azure
from shared.security import accepted_keys
from shared.web.console.api_page import api_document, api_page
from shared.web.console.exchange import Reply
from shared.web.console.gate import Gate
from shared.web.console.pages import Pages
from shared.web.console.quality import QualityPages
from shared.web.console.sign_in import SignIn
from shared.web.console.status_page import StatusPage
from shared.web.console.switching import Switching

if TYPE_CHECKING:
    from shared.web.console.campaign_pages import CampaignPages
    from shared.web.console.masked_pages import MaskedPages
    from shared.web.console.message_pages import MessagePages
    from shared.web.console.number_pages import NumberPages


@dataclass(frozen=True, slots=True)
class Console:
    """What handlers ask for."""

    gate: Gate
    status: StatusPage
    board: Switchboard | None = None

    @property
    def pages(self) -> Pages:
        """The pages that need the app to be set up; Misconfigured where it is not."""
        board, own = self._set_up, list(self._set_up.lines.numbers)
        flows = board.conductor.flows
        inbound = [name for name, flow in flows.items() if not flow.needed_input]
        titles = uses.titles_of(board)
        return Pages(
            self.gate,
            board.service,
            board.store,
            titles,
            own,
            Switching(lambda: board.switches_service, titles, inbound, own),
            lambda: board.recordings().service,
            lambda: board.recordings().pipeline,
            uses.messages(self.gate, board) if uses.has_messages(board) else None,
        )

    @property
    def quality(self) -> QualityPages:
        """The pages of recordings and reports; Misconfigured where the app is not set up."""
        board = self._set_up
        return QualityPages(self.gate, uses.titles_of(board), lambda: board.recordings().service)

    def api_page(self) -> Reply:
        """The HTTP API, to click on."""
        return api_page()

    def api_document(self) -> Reply:
        """What that page shows; Misconfigured where the app is not set up."""
        return api_document(self._set_up.service.document())

    @property
    def campaigns(self) -> CampaignPages:
        """The pages of campaigns; NotFound where they are not set up, Misconfigured where nothing is."""
        return uses.campaigns(self.gate, self._with(uses.has_campaigns))

    @property
    def numbers(self) -> NumberPages:
        """The pages on numbers of campaigns; the same."""
        return uses.numbers(self.gate, self._with(uses.has_campaigns))

    @property
    def masked(self) -> MaskedPages:
        """The pages of masked numbers; the same."""
        return uses.masked(self.gate, self._with(uses.has_masked_numbers))

    @property
    def messages(self) -> MessagePages:
        """The pages of messages; the same."""
        return uses.messages(self.gate, self._with(uses.has_messages))

    @property
    def _set_up(self) -> Switchboard:
        if self.board is None:
            raise Misconfigured
        return self.board

    def _with(self, is_there: Callable[[Switchboard], bool]) -> Switchboard:
        if not is_there(board := self._set_up):
            raise NotFound("page", "is not there: this use of the app is not set up.", "The docs say how.")
        return board


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
    gate = Gate(sign_in, found.lines.company, uses.pages_of(found))
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
