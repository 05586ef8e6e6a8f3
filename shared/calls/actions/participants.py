"""Actions on those who take part."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from shared.calls.actions.base import Action, Spec, Value
from shared.calls.actions.calling import check_caller_id
from shared.calls.free_text import Name
from shared.errors import InvalidInput
from shared.identifiers import Identifier

MAX_INVITATION = 180
"""Seconds that an invitation may last (spec: AddParticipantRequest.invitationTimeoutInSeconds)."""

MAX_SIP_HEADERS, MAX_VOIP_HEADERS = 5, 1000
MAX_KEY, MAX_SIP_VALUE, MAX_VOIP_VALUE = 64, 256, 1024
_SIP_KEY = re.compile(r"X-[A-Za-z0-9.!%*_+~-]+")
_SIP_VALUE = re.compile(r"[A-Za-z0-9.!%*_+~=;-]*")
"""Limits and characters of custom headers (docs: how-tos/call-automation/custom-context)."""


class CallingContext(Value):
    """Headers that travel with an invitation or a transfer; the other side reads them from IncomingCall."""

    user_to_user: str | None = Field(None, description="the SIP User-To-User header")
    sip_headers: dict[str, str] = Field(default_factory=dict, description="X-MS-Custom-… headers, for phone targets")
    voip_headers: dict[str, str] = Field(default_factory=dict, description="headers for VoIP targets")

    def check(self, action: str) -> None:
        """Pass if the service would take these headers with an action; InvalidInput names the header."""
        sip, voip = self.sip_headers, self.voip_headers
        if len(sip) > MAX_SIP_HEADERS:
            raise InvalidInput(f"{action}.sip_headers", f"has {len(sip)} headers.", f"Send at most {MAX_SIP_HEADERS}.")
        if len(voip) > MAX_VOIP_HEADERS:
            raise InvalidInput(
                f"{action}.voip_headers", f"has {len(voip)} headers.", f"Send at most {MAX_VOIP_HEADERS}."
            )
        for key, value in sip.items():
            if len(key) > MAX_KEY or not _SIP_KEY.fullmatch(key):
                raise InvalidInput(
                    f"{action}.sip_headers", f"{key!r} is no header name.", "X-MS-Custom-…, 64 characters."
                )
            if len(value) > MAX_SIP_VALUE or not _SIP_VALUE.fullmatch(value):
                raise InvalidInput(
                    f"{action}.sip_headers.{key}",
                    "is too long or has other characters.",
                    "256 of A-Z a-z 0-9 .!%*_+~-=;",
                )
        if self.user_to_user is not None and len(self.user_to_user) > MAX_SIP_VALUE:
            raise InvalidInput(f"{action}.user_to_user", "is too long.", f"Send at most {MAX_SIP_VALUE} characters.")
        for key, value in voip.items():
            if not key or len(key) > MAX_KEY or len(value) > MAX_VOIP_VALUE:
                raise InvalidInput(
                    f"{action}.voip_headers", f"{key[:MAX_KEY]!r} is too long.", "64 a name, 1,024 a value."
                )


class AddParticipant(Action):
    """Invite somebody; a phone number needs a caller id."""

    kind: Literal["add_participant"] = "add_participant"
    spec = Spec(
        events={"AddParticipantSucceeded": "succeeded", "AddParticipantFailed": "failed"},
        families=("add-participant",),
        repeatable=True,
        keeps_response=True,
        timeout=MAX_INVITATION + 30.0,
        example={"target": "+14255550177", "caller_id": "+18005550199", "invitation_timeout": 30},
    )
    target: Identifier
    caller_id: Identifier | None = None
    display_name: str | None = None
    invitation_timeout: int | None = Field(None, ge=0, le=MAX_INVITATION, description="seconds")
    context: CallingContext | None = None

    def check(self, caller: Identifier | None) -> None:
        check_caller_id("add_participant", self.caller_id, (self.target,))
        if self.context is not None:
            self.context.check("add_participant")

    def event_data(self) -> list[dict[str, Any]]:
        return [{"participant": {"rawId": self.target.raw_id}}]

    def response_data(self, number: str) -> dict[str, Any]:
        return {"invitationId": f"invitation-{number}"}


class CancelAddParticipant(Action):
    """Take an invitation back: by the operation that made it, or by its id."""

    kind: Literal["cancel_add_participant"] = "cancel_add_participant"
    # Its success ends the invitation as well, which the event names by its id.
    spec = Spec(
        events={"CancelAddParticipantSucceeded": "succeeded", "CancelAddParticipantFailed": "failed"},
        families=("cancel-add-participant",),
        repeatable=True,
    )
    adding: int | None = Field(None, description="position of the add_participant operation")
    invitation_id: Name | None = None

    def event_data(self) -> list[dict[str, Any]]:
        return [{"invitationId": self.invitation_id}]


class RemoveParticipant(Action):
    """Take somebody out of the call."""

    kind: Literal["remove_participant"] = "remove_participant"
    spec = Spec(
        events={"RemoveParticipantSucceeded": "succeeded", "RemoveParticipantFailed": "failed"},
        families=("remove-participant",),
        repeatable=True,
        targets="present",
        example={"target": "+14255550177"},
    )
    target: Identifier

    def event_data(self) -> list[dict[str, Any]]:
        return [{"participant": {"rawId": self.target.raw_id}}]


class MoveParticipants(Action):
    """Bring participants here from another call of this resource."""

    kind: Literal["move_participants"] = "move_participants"
    spec = Spec(
        events={"MoveParticipantSucceeded": "succeeded", "MoveParticipantFailed": "failed"},
        families=("move-participants",),
        targets="moved",
        repeatable=True,
        example={"targets": ["+14255550177"], "from_call": "02004780-0000-4000-8000-000000000002"},
    )
    targets: tuple[Identifier, ...] = Field(min_length=1)
    from_call: Name = Field(min_length=1, description="call connection id of the other call")

    def event_data(self) -> list[dict[str, Any]]:
        return [{"participant": {"rawId": who.raw_id}, "fromCall": self.from_call} for who in self.targets]


class MuteParticipant(Action):
    """Mute an ACS user; only that user can unmute."""

    kind: Literal["mute"] = "mute"
    spec = Spec(
        events={"ParticipantsUpdated": "state"},
        repeatable=True,
        targets="present",
        example={"target": "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009"},
    )
    target: Identifier

    def check(self, caller: Identifier | None) -> None:
        if self.target.kind != "communicationUser":
            raise InvalidInput(
                "mute.target", f"is a {self.target.kind}; the service mutes ACS users only.", "Put them on hold."
            )


class ListParticipants(Action):
    """Ask the service who takes part."""

    kind: Literal["list_participants"] = "list_participants"
    spec = Spec(reads=True)

    def response_data(self, number: str) -> dict[str, Any]:
        return {"participants": []}


class GetParticipant(Action):
    """Ask the service about one participant."""

    kind: Literal["get_participant"] = "get_participant"
    spec = Spec(reads=True, targets="present", example={"target": "+14255550177"})
    target: Identifier

    def response_data(self, number: str) -> dict[str, Any]:
        return {"rawId": self.target.raw_id, "isMuted": False, "isOnHold": False}


class Transfer(Action):
    """Transfer the call, blind: in a call of two the other side goes; in a group the named transferee."""

    kind: Literal["transfer"] = "transfer"
    spec = Spec(
        events={"CallTransferAccepted": "succeeded", "CallTransferFailed": "failed"},
        families=("transfer",),
        targets="sent to",
        repeatable=True,
        timeout=90.0,  # a transfer may take 60 s (docs: service-limits)
        example={"target": "+14255550177"},
    )
    target: Identifier
    transferee: Identifier | None = None
    caller_id: Identifier | None = None
    context: CallingContext | None = None

    def check(self, caller: Identifier | None) -> None:
        check_caller_id("transfer", self.caller_id, ())
        if self.context is not None:
            self.context.check("transfer")
