"""The process's switchboard. Importing this imports no more of the app than its handlers need to be registered."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from shared.errors import InvalidInput, Misconfigured
from shared.exposure import in_azure
from shared.logs import logger

if TYPE_CHECKING:
    from shared.composition.board import Switchboard

log = logger("switchboard.start")

NOT_SET_UP = "The app's settings, routing or flows are wrong; its log says which."


class ProcessSwitchboard:
    """Gives the process's own switchboard, composed on first use; or says what keeps it from that.

    What is wrong is found once: neither the settings nor the files of the app change while it runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Switchboard | Exception | None = None
        self._notices: list[str] = []

    def __call__(self) -> Switchboard:
        """For triggers; raises Misconfigured, which the first of them logs in full.

        It is logged there because Application Insights does not get what a thread logs outside of an invocation.
        """
        found = self.prepare()
        if self._notices:
            self._tell(found)
        if isinstance(found, Exception):
            raise Misconfigured(NOT_SET_UP)
        return found

    def prepare(self) -> Switchboard | Exception:
        """The switchboard, or what is wrong, of which nothing is logged yet."""
        with self._lock:
            if self._found is None:
                self._found, self._notices = self._compose()
            return self._found

    def cache_clear(self) -> None:
        """Forget it; for tests."""
        with self._lock:
            self._found, self._notices = None, []

    def _compose(self) -> tuple[Switchboard | Exception, list[str]]:
        from shared.settings import settings, unknown_settings

        notices = [f"{name} is no setting: is {meant} meant?" for name, meant in unknown_settings().items()]
        try:
            from shared.composition.board import compose

            return compose(settings()), notices
        except InvalidInput as error:
            return error, str(error).splitlines()
        except Exception as error:  # a flow that cannot be imported, above all
            return error, [f"{type(error).__name__}: {error}"]

    def _tell(self, found: Switchboard | Exception) -> None:
        with self._lock:
            notices, self._notices = self._notices, []
        if not isinstance(found, Exception):
            for notice in notices:
                log.warning("%s", notice)
            return
        for number, notice in enumerate(notices):
            # Where in the code it went wrong helps for what is no InvalidInput, which names a place of its own.
            trace = found if number == 0 and not isinstance(found, InvalidInput) else None
            log.error("misconfigured: %s", notice, exc_info=trace)


switchboard = ProcessSwitchboard()


def start_early() -> None:
    """In a Functions worker, get ready in the background, so that the first caller need not wait for it.

    On a developer's machine wrong settings end the start here, by SettingsError. In Azure nothing may: what an app
    raises while it is imported leaves it there without functions and without a trace.
    """
    if not os.environ.get("FUNCTIONS_WORKER_RUNTIME"):
        return
    if not in_azure(os.environ):
        from shared.settings import settings

        settings()
    threading.Thread(target=_get_ready, name="switchboard-start", daemon=True).start()


def _get_ready() -> None:
    board = switchboard.prepare()
    if isinstance(board, Exception):
        # The first trigger says what it is. A developer who has just saved a flow is told at once.
        if not in_azure(os.environ):
            with suppress(Misconfigured):
                switchboard()
        return
    from shared.composition.readiness import get_ready

    try:
        get_ready(board)
    except Exception as error:
        # Whatever is wrong, the trigger that needs it says so, and answers accordingly.
        log.warning("not ready early; the first trigger tries again: %s", error)
