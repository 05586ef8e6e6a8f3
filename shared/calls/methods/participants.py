"""Who takes part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.calls import actions
from shared.calls.actions import CallingContext
from shared.calls.actions.validate import build, value
from shared.calls.failures import explained
from shared.calls.methods.base import AnyIdentifier, Methods
from shared.calls.operation import FirstOf, Operation, Pending, Task
from shared.events import CallEvent
from shared.identifiers import Identifier

JOIN_SECONDS = 5.0
"""How long after AddParticipantSucceeded the participant may take to show in ParticipantsUpdated (our choice)."""


class ParticipantMethods(Methods):
    """Inviting, removing, muting, moving, transferring."""

    def add_participant(
        self,
        target: AnyIdentifier,
        *,
        caller_id: AnyIdentifier | None = None,
        display_name: str | None = None,
        invitation_timeout: int | None = None,
        user_to_user: str | None = None,
        sip_headers: Mapping[str, str] | None = None,
        voip_headers: Mapping[str, str] | None = None,
    ) -> Invitation:
        """Invite somebody; done when they are in the call.

        AddParticipantSucceeded has been seen after a decline, so it counts only once ParticipantsUpdated shows
        the participant.

        Args:
            invitation_timeout: seconds that it may ring, at most 180.
        """
        to = Identifier.parse(target)
        operation = self._host.issue(
            build(
                actions.AddParticipant,
                target=to,
                caller_id=None if caller_id is None else Identifier.parse(caller_id),
                display_name=display_name,
                invitation_timeout=invitation_timeout,
                context=_calling_context("add_participant", user_to_user, sip_headers, voip_headers),
            )
        )
        seen = self._host.wait_arrival(to)
        return Invitation(operation, self._host.spawn("add_participant", self._joined(operation, seen)))

    async def _joined(self, operation: Operation[CallEvent], seen: Pending[None]) -> CallEvent:
        event = await operation
        if not seen.done:
            limit: Operation[None] = self._host.issue(build(actions.Sleep, seconds=JOIN_SECONDS))
            if await FirstOf((seen, limit)) is limit:
                limit.result()
                raise explained("add_participant", 487, 8538, "reported as added, but never in the call: declined")
            self._drop(limit)
        return event

    def cancel_add_participant(self, invitation: Invitation) -> Operation[CallEvent]:
        """Take an invitation back; its own `await` then raises ActionCanceled."""
        return self._host.issue(build(actions.CancelAddParticipant, adding=invitation.operation.seq))

    def left(self, who: AnyIdentifier) -> Pending[None]:
        """The moment when somebody is not in the call any more, as ParticipantsUpdated shows; now, if they are not.

        Before the first ParticipantsUpdated it is not known who is in the call, and nobody has left it.

        A phone number that takes part twice has left when both connections have; give the raw id with the asserted
        id for one of them.
        """
        return self._host.wait_departure(Identifier.parse(who))

    def remove_participant(self, target: AnyIdentifier) -> Operation[CallEvent]:
        """Take somebody out of the call."""
        return self._host.issue(build(actions.RemoveParticipant, target=Identifier.parse(target)))

    def mute(self, target: AnyIdentifier) -> Operation[None]:
        """Mute an ACS user. Only that user can unmute; the service has no unmute."""
        return self._host.issue(build(actions.MuteParticipant, target=Identifier.parse(target)))

    def move_participants(self, targets: Sequence[AnyIdentifier], *, from_call: str) -> Operation[CallEvent]:
        """Bring participants here from another call, named by its call connection id."""
        to = tuple(Identifier.parse(target) for target in targets)
        return self._host.issue(build(actions.MoveParticipants, targets=to, from_call=from_call))

    def list_participants(self) -> Task[Sequence[Mapping[str, Any]]]:
        """Ask the service who takes part; `call.participants` knows it from events, without asking."""
        return self._host.spawn("list_participants", _listed(self._host.issue(actions.ListParticipants())))

    def get_participant(self, target: AnyIdentifier) -> Operation[Mapping[str, Any]]:
        """Ask the service about one participant."""
        return self._host.issue(build(actions.GetParticipant, target=Identifier.parse(target)))

    def transfer(
        self,
        target: AnyIdentifier,
        *,
        transferee: AnyIdentifier | None = None,
        caller_id: AnyIdentifier | None = None,
        user_to_user: str | None = None,
        sip_headers: Mapping[str, str] | None = None,
        voip_headers: Mapping[str, str] | None = None,
    ) -> Operation[CallEvent]:
        """Transfer blind: in a call of two the other side, and the app leaves; in a group the named transferee.

        Raises (at the await): ActionFailed when the target does not take it; the app then still has the call.
        """
        return self._host.issue(
            build(
                actions.Transfer,
                target=Identifier.parse(target),
                transferee=None if transferee is None else Identifier.parse(transferee),
                caller_id=None if caller_id is None else Identifier.parse(caller_id),
                context=_calling_context("transfer", user_to_user, sip_headers, voip_headers),
            )
        )


class Invitation:
    """An invitation on its way: await it for the participant to be in the call, or cancel it.

    Attributes:
        operation: the add participant operation.
        joined: done when the participant is in the call; for `race` and `gather`.
    """

    def __init__(self, operation: Operation[CallEvent], joined: Task[CallEvent]) -> None:
        self.operation = operation
        self.joined = joined

    @property
    def done(self) -> bool:
        """True once its `await` would return at once."""
        return self.joined.done

    def result(self) -> CallEvent:
        """The outcome; raises what the invitation ended with."""
        return self.joined.result()

    def __await__(self) -> Any:
        return self.joined.__await__()


async def _listed(asked: Operation[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    participants: Sequence[Mapping[str, Any]] = (await asked)["participants"]
    return participants


def _calling_context(
    method: str,
    user_to_user: str | None,
    sip_headers: Mapping[str, str] | None,
    voip_headers: Mapping[str, str] | None,
) -> CallingContext | None:
    if not (user_to_user or sip_headers or voip_headers):
        return None
    return value(
        CallingContext,
        method,
        user_to_user=user_to_user,
        sip_headers=dict(sip_headers or {}),
        voip_headers=dict(voip_headers or {}),
    )
