"""Opening, leaving and asking about the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from shared.calls import actions
from shared.calls.actions import CallLocator, MediaStreaming, Transcription
from shared.calls.methods.base import Methods, Somebody
from shared.calls.operation import Operation
from shared.calls.rules import build
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

    def reject(self, reason: Literal["none", "busy", "forbidden"] = "none") -> Operation[None]:
        """Refuse the ringing call."""
        return self._host.issue(build(actions.Reject, reason=reason))

    def redirect(self, target: Somebody) -> Operation[None]:
        """Send the ringing call to somebody else; the app loses control of it."""
        return self._host.issue(build(actions.Redirect, target=Identifier.parse(target)))

    def create_call(
        self,
        *targets: Somebody,
        caller_id: Somebody | None = None,
        display_name: str | None = None,
        media_streaming: MediaStreaming | None = None,
        transcription: Transcription | None = None,
    ) -> Operation[CallEvent]:
        """Place the call to one target, or to several as a group call; gives CallConnected.

        A phone number needs a caller id.
        """
        return self._host.issue(
            build(
                actions.CreateCall,
                targets=tuple(Identifier.parse(target) for target in targets),
                caller_id=None if caller_id is None else Identifier.parse(caller_id),
                display_name=display_name,
                media_streaming=media_streaming,
                transcription=transcription,
            )
        )

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
