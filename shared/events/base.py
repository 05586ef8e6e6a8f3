"""What all events have in common."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AliasChoices, Field, SkipValidation

from shared.events.values import AnId, MaybeId, ResultInformation, Time, TimeOrNone, WireModel

PREFIX: Final = "Microsoft.Communication."


def wire_type(name: str) -> str:
    """The full type of a short name: `PlayCompleted` → `Microsoft.Communication.PlayCompleted`."""
    return name if name.startswith(PREFIX) else PREFIX + name


class Event(WireModel):
    """Something that the service told us.

    Attributes:
        id: the delivery's event id; the same event delivered again has the same id.
        unread: what of it could not be read and was left out, as paths on the wire (`participants[1]`).
        raw: the whole event as it came, with fields that are not typed here. It is kept for the journal:
            do not change it.
    """

    id: AnId
    unread: Annotated[tuple[str, ...], SkipValidation] = Field(default=(), exclude=True)
    raw: Annotated[Mapping[str, Any], SkipValidation] = Field(default_factory=dict, repr=False, exclude=True)

    def __hash__(self) -> int:
        return hash(self.id)

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        """Whether the event is of no use without this part of its data, though the part may be absent.

        Args:
            path: as on the wire, with `[]` for an element of a list: `dtmfResult.tones[]`.
            fields: the data.
        """
        return False

    @property
    def name(self) -> str:
        """The short type name: `PlayCompleted`."""
        return self.__class__.__name__

    @property
    def type(self) -> str:
        """The full type, as on the wire: `Microsoft.Communication.PlayCompleted`."""
        return PREFIX + self.name


class CallEvent(Event):
    """A Call Automation callback (a CloudEvent posted to the callback URI).

    Attributes:
        time: when the service made the event, with its zone, to the microsecond; CloudEvents may leave it out.
        source: the path of the call connection or recording; treat it as opaque.
        call_connection_id: the app's own connection to the call.
        server_call_id: the call itself, the same on all its connections; empty where the event does not say it.
        correlation_id: the same on all connections and on IncomingCall; for support requests.
        operation_context: what the action's request carried; None where it carried none, and on
            ParticipantsUpdated and RecordingStateChanged always.
        result: code, sub-code and message; absent from events before 2025 that report no outcome.
    """

    time: TimeOrNone = None
    source: str = ""
    call_connection_id: AnId
    server_call_id: MaybeId = ""
    correlation_id: MaybeId = ""
    operation_context: str | None = None
    # `resultInfo` stands in samples of 2022.
    result: ResultInformation | None = Field(
        default=None, validation_alias=AliasChoices("resultInformation", "resultInfo")
    )

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        return path == "operationContext"  # without it the event would speak of another action, or of none


class EventGridEvent(Event):
    """An Event Grid event, whichever schema the subscription delivers.

    Attributes:
        time: when the service made the event, with its zone, to the microsecond.
        topic: the ARM id of the Communication Services resource, in varying case (CloudEvents: `source`).
        subject: a path of the call or recording.
    """

    time: Time
    topic: str = ""
    subject: str = ""

    def is_of(self, topic: str) -> bool:
        """Whether it comes from this topic: the ARM id of a resource, whose case does not count."""
        return self.topic.rstrip("/").lower() == topic.rstrip("/").lower()


class UnknownEvent:
    """Marks an event of a type that is not known here: journal it and otherwise let it pass."""
