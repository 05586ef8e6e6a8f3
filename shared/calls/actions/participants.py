"""Actions on those who take part."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from shared.calls.actions.base import Action, EndsWith, Value
from shared.identifiers import Identifier

MAX_INVITATION = 180
"""Seconds that an invitation may last (spec: AddParticipantRequest.invitationTimeoutInSeconds)."""


class CallingContext(Value):
    """Headers that travel with an invitation or a transfer; the other side reads them from IncomingCall."""

    user_to_user: str | None = Field(None, description="the SIP User-To-User header")
    sip_headers: dict[str, str] = Field(default_factory=dict, description="X-MS-Custom-… headers, for phone targets")
    voip_headers: dict[str, str] = Field(default_factory=dict, description="headers for VoIP targets")


class AddParticipant(Action):
    """Invite somebody; a phone number needs a caller id."""

    kind: Literal["add_participant"] = "add_participant"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    keeps_answer: ClassVar[bool] = True
    target: Identifier
    caller_id: Identifier | None = None
    display_name: str | None = None
    invitation_timeout: int | None = Field(None, ge=0, le=MAX_INVITATION, description="seconds")
    context: CallingContext | None = None

    @property
    def timeout(self) -> float | None:
        return MAX_INVITATION + 30.0


class CancelAddParticipant(Action):
    """Take an invitation back: by the operation that made it, or by its id."""

    kind: Literal["cancel_add_participant"] = "cancel_add_participant"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    adding: int | None = Field(None, description="position of the add_participant operation")
    invitation_id: str | None = None


class RemoveParticipant(Action):
    """Take somebody out of the call."""

    kind: Literal["remove_participant"] = "remove_participant"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    target: Identifier


class MoveParticipants(Action):
    """Bring participants here from another call of this resource."""

    kind: Literal["move_participants"] = "move_participants"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    targets: tuple[Identifier, ...] = Field(min_length=1)
    from_call: str = Field(min_length=1, description="call connection id of the other call")


class MuteParticipant(Action):
    """Mute an ACS user; only that user can unmute."""

    kind: Literal["mute"] = "mute"
    repeatable: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    target: Identifier


class ListParticipants(Action):
    """Ask the service who takes part."""

    kind: Literal["list_participants"] = "list_participants"
    reads: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"


class GetParticipant(Action):
    """Ask the service about one participant."""

    kind: Literal["get_participant"] = "get_participant"
    reads: ClassVar[bool] = True
    ends_with: ClassVar[EndsWith] = "answer"
    target: Identifier


class Transfer(Action):
    """Transfer the call, blind: in a call of two the other side goes; in a group the named transferee."""

    kind: Literal["transfer"] = "transfer"
    calls_back: ClassVar[bool] = True
    repeatable: ClassVar[bool] = True
    target: Identifier
    transferee: Identifier | None = None
    caller_id: Identifier | None = None
    context: CallingContext | None = None

    @property
    def timeout(self) -> float | None:
        return 90.0  # a transfer may take 60 s (docs: service-limits)
