"""Opening, leaving and asking about the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from shared.calls import actions
from shared.calls.actions import CallLocator, MediaStreaming, RejectReason, Transcription
from shared.calls.actions.validate import build
from shared.calls.methods.base import AnyIdentifier, Methods
from shared.calls.operation import Operation, Pending
from shared.errors import CallError, InvalidInput
from shared.events import CallEvent
from shared.identifiers import Identifier


class CallingMethods(Methods):
    """The call itself."""

    # Opening a call; only flows with `opens=True` need these

    def answer(
        self, *, media_streaming: MediaStreaming | None = None, transcription: Transcription | None = None
    ) -> Operation[CallEvent]:
        """Answer the ringing call; gives CallConnected."""
        return self._host.issue(build(actions.Answer, media_streaming=media_streaming, transcription=transcription))

    def reject(self, reason: RejectReason = "none") -> Operation[None]:
        """Refuse the ringing call."""
        return self._host.issue(build(actions.Reject, reason=reason))

    def redirect(self, target: AnyIdentifier) -> Operation[None]:
        """Send the ringing call to somebody else; the app loses control of it."""
        return self._host.issue(build(actions.Redirect, target=Identifier.parse(target)))

    def create_call(
        self,
        *targets: AnyIdentifier,
        caller_id: AnyIdentifier | None = None,
        display_name: str | None = None,
        media_streaming: MediaStreaming | None = None,
        transcription: Transcription | None = None,
        attempts: int = 1,
        delay: float | Sequence[float] = 60.0,
    ) -> Pending[CallEvent]:
        """Place the call to one target, or to several as a group call; gives CallConnected.

        A phone number needs a caller id.

        Args:
            attempts: how often to call, at most; again only where that may help: busy, not answered, not reachable
                for now, a service that is overloaded. A callee who declines is not called again, nor a wrong number.
            delay: seconds between two attempts; or one pause each, one fewer than attempts.

        Raises (at the await): what the last attempt ended with, ActionFailed or ActionRefused. In a flow that the app
        started without targets the call is then `waiting`, and may be placed again.
        """
        action = build(
            actions.CreateCall,
            targets=tuple(Identifier.parse(target) for target in targets),
            caller_id=None if caller_id is None else Identifier.parse(caller_id),
            display_name=display_name,
            media_streaming=media_streaming,
            transcription=transcription,
        )
        pauses = _pauses(attempts, delay)
        if not pauses:
            return self._host.issue(action)
        return self._host.spawn("create_call", self._call_again(self._checked(action), pauses))

    async def _call_again(self, action: actions.CreateCall, pauses: Sequence[float]) -> CallEvent:
        for pause in pauses:
            operation: Operation[CallEvent] = self._host.issue(action)
            try:
                return await operation
            except CallError as error:
                if not error.retryable:
                    raise
            if pause:
                await self._host.issue(actions.Sleep(seconds=pause))
        last: Operation[CallEvent] = self._host.issue(action)
        return await last

    def connect(
        self,
        locator: CallLocator,
        *,
        media_streaming: MediaStreaming | None = None,
        transcription: Transcription | None = None,
    ) -> Operation[CallEvent]:
        """Join a call that goes on already; gives CallConnected."""
        action = build(actions.Connect, locator=locator, media_streaming=media_streaming, transcription=transcription)
        return self._host.issue(action)

    # The end

    def hang_up(self) -> Operation[None]:
        """Leave the call; in a call of two this ends it."""
        return self._host.issue(actions.HangUp())

    def terminate(self) -> Operation[None]:
        """End the call for everybody."""
        return self._host.issue(actions.Terminate())

    # Asking

    def get_call(self) -> Operation[Mapping[str, Any]]:
        """Ask the service for the call's properties (`callConnectionState`, `targets`, …)."""
        return self._host.issue(actions.GetCall())


def _pauses(attempts: int, delay: float | Sequence[float]) -> tuple[float, ...]:
    """The seconds between so many attempts; none for a single one."""
    if attempts < 1:
        raise InvalidInput("create_call.attempts", f"is {attempts}.", "Call at least once.")
    pauses = tuple(delay) if isinstance(delay, Sequence) else (delay,) * (attempts - 1)
    if len(pauses) != attempts - 1:
        raise InvalidInput(
            "create_call.delay", f"has {len(pauses)} pauses for {attempts} attempts.", "Give one fewer than attempts."
        )
    if not all(isfinite(pause) and pause >= 0 for pause in pauses):
        raise InvalidInput("create_call.delay", "is not a number of seconds.", "Give 0 or more.")
    return pauses
