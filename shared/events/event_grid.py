"""The six Event Grid events of voice calls, named as on the wire.

`CallEnded` here is the lifecycle event of the service; `shared.errors.CallEnded` is what a flow meets. This one is
therefore always written `event_grid.CallEnded`.

Except for IncomingCall they are raised for ACS users only, not for phone numbers, bots or Teams users.
"""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BeforeValidator, Field

from shared.events.base import EventGridEvent, UnknownEvent
from shared.events.values import (
    AnId,
    AnIdentifier,
    Flag,
    Int32,
    Int64,
    MaybeId,
    MaybeIdentifier,
    Number,
    TimeOrNever,
    WireModel,
    Word,
    listed,
)
from shared.identifiers import Identifier


def _without_nulls(value: Any) -> Any:
    if value is None:
        return {}
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else value


def _wrapped(value: Any) -> Any:
    """Samples of 2021 put the identifier straight into startedBy and user."""
    if isinstance(value, Mapping) and value and not _WRAPPERS & value.keys():
        return {"communicationIdentifier": value, "role": value.get("role")}
    return value


_WRAPPERS: Final = {"communicationIdentifier", "communicationidentifier", "identifier", "role", "type", "name"}
_IDENTIFIER: Final = AliasChoices("communicationIdentifier", "communicationidentifier", "identifier")
"""The second spelling is that of the published example of CallEnded."""
_Headers = Annotated[dict[str, Annotated[str, Field(coerce_numbers_to_str=True)]], BeforeValidator(_without_nulls)]


def _bare(header: str) -> str:
    """SIP header names vary on the way: User-To-User, user-To-User, userToUser are one."""
    return header.lower().replace("-", "").replace("_", "")


class TeamsPhoneCaller(WireModel):
    """Who called first, as whoever passed the call on from Teams says (spec: TeamsPhoneCallerDetails)."""

    identifier: MaybeIdentifier = Field(default=None, alias="caller")
    name: str | None = None
    phone_number: str | None = None
    record_id: str | None = None
    screen_pop_url: str | None = None
    is_authenticated: bool | None = None
    additional_caller_information: _Headers = Field(default_factory=dict)


class TeamsPhoneSource(WireModel):
    """Who passed the call on (spec: TeamsPhoneSourceDetails)."""

    identifier: MaybeIdentifier = Field(default=None, alias="source")
    language: str | None = None
    status: str | None = None
    intended_targets: dict[str, AnIdentifier] = Field(default_factory=dict)


class TeamsPhoneCallDetails(WireModel):
    """What Teams Phone, or an agent of it, found out before it passed the call on; all of it may be absent.

    Attributes:
        session_id: names the call's session there.
        call_topic: the reason for the call in a few words.
        call_context: what was said so far.
        suggested_actions: what might help the caller.
    """

    caller: TeamsPhoneCaller | None = Field(default=None, alias="teamsPhoneCallerDetails")
    source: TeamsPhoneSource | None = Field(default=None, alias="teamsPhoneSourceDetails")
    session_id: str | None = None
    intent: str | None = None
    call_topic: str | None = None
    call_context: str | None = None
    transcript_url: str | None = None
    call_sentiment: str | None = None
    suggested_actions: str | None = None

    @property
    def words(self) -> dict[str, str]:
        """What can be compared with a text, by its name on the wire: `intent`, `name`, `isAuthenticated`."""
        found: dict[str, str] = {}
        for part in (self, self.caller or TeamsPhoneCaller(), self.source or TeamsPhoneSource()):
            for name, field in type(part).model_fields.items():
                value = getattr(part, name)
                if isinstance(value, bool):
                    value = str(value).lower()
                if isinstance(value, Identifier):
                    value = value.key
                if isinstance(value, str):
                    found[field.alias or name] = value
        return found


TEAMS_WORDS: Final = tuple(
    field.alias or name
    for part in (TeamsPhoneCallDetails, TeamsPhoneCaller, TeamsPhoneSource)
    for name, field in part.model_fields.items()
    if name not in ("additional_caller_information", "intended_targets")
    and not (part is TeamsPhoneCallDetails and name in ("caller", "source"))
)
"""What `TeamsPhoneCallDetails.words` can hold."""


class CustomContext(WireModel):
    """What the other side sent along with the call."""

    sip_headers: _Headers = Field(default_factory=dict)
    voip_headers: _Headers = Field(default_factory=dict)
    teams_phone_call_details: TeamsPhoneCallDetails | None = None

    def header(self, name: str) -> str | None:
        """A SIP or VoIP header, whatever its case and dashes; the prefix X-MS-Custom- may be left out."""
        wanted = _bare(name)
        for headers in (self.sip_headers, self.voip_headers):
            for key, value in headers.items():
                if (bare := _bare(key)) == wanted or bare.removeprefix("xmscustom") == wanted:
                    return value
        return None

    @property
    def headers(self) -> dict[str, str]:
        """All headers by name. Of a name that came both ways the SIP header counts: the caller's app sets the other."""
        sip = {_bare(name) for name in self.sip_headers}
        voip = {name: value for name, value in self.voip_headers.items() if _bare(name) not in sip}
        return {**self.sip_headers, **voip}

    @property
    def user_to_user(self) -> str | None:
        """The SIP User-To-User header as sent (`616d617a;encoding=hex`)."""
        return self.header("User-To-User")


def _numbered(value: Any) -> Any:
    """Files without a number get those that are free, in order: two of one number would be one file."""
    value = listed(value)
    if not isinstance(value, list):
        return value
    taken = {chunk.get("index") for chunk in value if isinstance(chunk, Mapping) and _is_int(chunk.get("index"))}
    free = (number for number in range(len(value)) if number not in taken)
    return [
        {**chunk, "index": next(free)} if isinstance(chunk, Mapping) and chunk.get("index") is None else chunk
        for chunk in value
    ]


def _is_int(value: Any) -> bool:
    return isinstance(value, int)


def _whole(value: Any) -> Any:
    """Milliseconds, of which a fraction means nothing."""
    return round(value) if isinstance(value, float) and isfinite(value) else value


class CallUser(WireModel):
    """An ACS user in an Event Grid event; `role` is Teams' word for it in a meeting."""

    identifier: MaybeIdentifier = Field(default=None, validation_alias=_IDENTIFIER)
    role: str | None = None


class CallEndedBy(WireModel):
    """Who ended the call. `type` is `Participant` or `MicrosoftInternal`; the latter has no identifier."""

    identifier: MaybeIdentifier = Field(default=None, validation_alias=_IDENTIFIER)
    type: str | None = None
    name: str | None = None


class CallEndReason(WireModel):
    """Why the call ended; codes as in callbacks."""

    code: Int32 | None = None
    sub_code: Int32 | None = None
    phrase: str | None = None


class Group(WireModel):
    """The group call or room that the call belongs to."""

    id: str | None = None


_CallUser = Annotated[CallUser, BeforeValidator(_wrapped)]


MAX_CONTEXT: Final = 32 * 1024
"""Characters of an incoming call context: what a row keeps of a text (docs: understanding the table service model)."""


class IncomingCall(EventGridEvent):
    """A call rings, for 30 seconds. Your own redirect, add or transfer raises another one.

    Attributes:
        incoming_call_context: opaque and for one use: what answer, reject and redirect take (7 to 8 KB).
        server_call_id: "" in old samples only; the response to answer call has it.
        on_behalf_of_callee: whose call is answered, where `to` is a delegate.
    """

    to: AnIdentifier
    from_: AnIdentifier = Field(alias="from")
    incoming_call_context: Annotated[str, Field(min_length=1, max_length=MAX_CONTEXT)]
    correlation_id: AnId
    server_call_id: MaybeId = ""
    caller_display_name: str = ""
    custom_context: CustomContext = Field(default_factory=CustomContext)
    on_behalf_of_callee: MaybeIdentifier = None


class _CallNews(EventGridEvent):
    server_call_id: AnId
    correlation_id: MaybeId = ""
    started_by: _CallUser | None = None
    group: Group | None = None
    room: Group | None = None
    is_two_party: Flag = False
    is_rooms_call: Flag = False


class CallStarted(_CallNews):
    """A call has begun."""


class CallEnded(_CallNews):
    """A call is over."""

    # The schema says callDurationInSeconds, samples say durationOfCall.
    duration_seconds: Number | None = Field(
        default=None, validation_alias=AliasChoices("callDurationInSeconds", "durationOfCall")
    )
    ended_by: CallEndedBy | None = None
    reason: CallEndReason | None = None


class CallParticipantAdded(_CallNews):
    """An ACS user joined."""

    user: _CallUser | None = None
    display_name: str | None = None
    participant_id: str | None = None
    # The schema says userAgent, samples say endpointType.
    user_agent: str | None = Field(default=None, validation_alias=AliasChoices("userAgent", "endpointType"))


class CallParticipantRemoved(CallParticipantAdded):
    """An ACS user left."""


class RecordingChunk(WireModel):
    """One file of a recording; a new one begins every four hours.

    Attributes:
        end_reason: `SessionEnded` or `ChunkMaximumSizeExceeded`.
        content_location, metadata_location, delete_location: URLs that want the resource's signature.
    """

    document_id: str = ""
    index: Int32
    end_reason: str | None = None
    content_location: str | None = None
    metadata_location: str | None = None
    delete_location: str | None = None


class RecordingStorageInfo(WireModel):
    """Where the files lie."""

    recording_chunks: Annotated[tuple[RecordingChunk, ...], BeforeValidator(_numbered)] = ()


class RecordingFileStatusUpdated(EventGridEvent):
    """The files of a recording are ready; they are kept for 24 hours.

    Attributes:
        recording_duration_ms: milliseconds.
        session_end_reason: `CallEnded`, `InitiatorLeft`, `SessionStillOngoing` …
        recording_content_type, recording_channel_type, recording_format_type: in REST's words (`audio`,
            `unmixed`, `wav`); the event writes them with a capital letter.
        storage_type: with storage of your own (`AzureBlob`).
    """

    recording_storage_info: RecordingStorageInfo
    recording_start_time: TimeOrNever = None
    recording_duration_ms: Annotated[Int64 | None, BeforeValidator(_whole)] = None
    session_end_reason: str | None = None
    recording_content_type: Word | None = None
    recording_channel_type: Word | None = None
    recording_format_type: Word | None = None
    storage_type: str | None = None
    recording_id: str | None = None

    @classmethod
    def needs(cls, path: str, fields: Mapping[str, Any]) -> bool:
        return path == "recordingStorageInfo.recordingChunks"  # without them it would be a recording of no files

    @property
    def chunks(self) -> tuple[RecordingChunk, ...]:
        """The files, in order."""
        return tuple(sorted(self.recording_storage_info.recording_chunks, key=lambda chunk: chunk.index))

    @property
    def subject_ids(self) -> Mapping[str, str]:
        """What the subject names, of `call`, `serverCallId` and `recordingId`; docs show three shapes."""
        found = _RECORDING_SUBJECT.search(self.subject)
        return {k: v for k, v in found.groupdict().items() if v} if found else {}


# A server call id is base64 and may hold slashes.
_RECORDING_SUBJECT: Final = re.compile(
    r"recording/call/(?P<call>[^/]+)(?:/serverCallId/(?P<serverCallId>.+?))?"
    r"(?:/recordingId/(?P<recordingId>[^/]+))?$"
)

EVENT_GRID_TYPES: Final[Mapping[str, type[EventGridEvent]]] = {
    cls.__name__: cls
    for cls in (
        IncomingCall,
        CallStarted,
        CallEnded,
        CallParticipantAdded,
        CallParticipantRemoved,
        RecordingFileStatusUpdated,
    )
}
"""Every Event Grid class by its short name."""


class UnknownGridEvent(EventGridEvent, UnknownEvent):
    """An Event Grid event of a type that is not known here."""

    event_type: str

    @property
    def name(self) -> str:
        return self.event_type.rpartition(".")[2]

    @property
    def type(self) -> str:
        return self.event_type
