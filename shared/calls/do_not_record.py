"""Who is never recorded: the list of numbers, and the guard that holds it.

The guard stands in the dispatcher, behind which no recording can start: flows, the HTTP API and what is sent again all
come through there. `MayRecord` asks the same question earlier, so that nobody hears of a recording that will not be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from shared.calls import actions
from shared.calls.actions import Action
from shared.calls.actions.recording import LISTED, UNREADABLE
from shared.calls.store.base import DoNotRecord
from shared.errors import ActionRefused, StoreError
from shared.logs import logger

log = logger("switchboard.calls")


class Participants(Protocol):
    """A call, as far as the guard looks at it."""

    @property
    def people(self) -> Collection[str]:
        """Raw ids of everybody who is known to be on it or called into it."""


def _nobody() -> Iterable[str]:
    return ()


class RecordingGuard:
    """Lets no call be recorded while somebody on it is on the list, nor while the list cannot be read.

    Args:
        listed: the list; None: the app has none (no key to hash numbers with), and everything may be recorded.
    """

    def __init__(self, listed: DoNotRecord | None) -> None:
        self._listed = listed

    def may_record(self, call: Participants, action: Action, in_service: Callable[[], Iterable[str]] = _nobody) -> bool:
        """Whether the call may be recorded with everybody on it, and with those whom the action names.

        Args:
            in_service: asks the service who is on the call, where nothing is known of that yet.

        Raises ActionRefused if that cannot be found out.
        """
        if self._listed is None:
            return True
        people = set(call.people) or set(in_service())
        match action:
            case actions.MayRecord():
                people |= {one.raw_id for one in action.who}
            case actions.StartRecording():
                people |= {one.participant.raw_id for one in action.affinity}
                people |= {one.raw_id for one in action.ordering}
        try:
            return not self._listed.holds_any(people)
        except StoreError as error:
            log.error("nothing is recorded while the do-not-record list cannot be read: %s", error)
            message = "nothing is recorded while the do-not-record list cannot be read"
            raise ActionRefused(action.kind, 0, UNREADABLE, message, transient=error.retryable) from error

    def check(self, call: Participants, action: Action, in_service: Callable[[], Iterable[str]] = _nobody) -> None:
        """Pass whatever records nothing, and what may be recorded; ActionRefused for all else. As `may_record`."""
        records = isinstance(action, actions.StartRecording | actions.ResumeRecording)
        if records and not self.may_record(call, action, in_service):
            raise ActionRefused(action.kind, 0, LISTED, "somebody on the call is on the do-not-record list")
