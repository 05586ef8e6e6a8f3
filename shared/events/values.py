"""What the events carry: result codes, participants, tones, recognition results, media updates.

Field types are tolerant where the service is known to vary (casing of enumerations, several shapes of an
identifier) and firm where a wrong value would mislead a call flow (numbers, identifiers, times). What they refuse is
left out of the event, where it can do without; see shared.events.lenient.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from shared.errors import InvalidInput
from shared.identifiers import Identifier

MAX_ID: Final = 4096
"""Characters of an id of the service (our choice); server call ids, the longest, have some hundred."""

MAX_LISTED: Final = 2000
"""Entries of a list in an event. A call has 350 participants at most (docs: call-automation overview)."""

Tone = Literal[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "a", "b", "c", "d", "pound", "asterisk",
]  # fmt: skip
"""The sixteen DTMF tones, in the service's words (spec: Tone)."""

DIGIT_BY_TONE: Final[Mapping[str, str]] = dict(zip(get_args(Tone), "0123456789ABCD#*", strict=True))
"""What is printed on the key of a tone."""


def first_letter_small(value: str) -> str:
    """REST writes `audioVideo` where Event Grid writes `AudioVideo`: here it is REST's word; `MP3` is `mp3`."""
    return value.lower() if value.isupper() else value[:1].lower() + value[1:]


def read_time(value: Any) -> datetime:
    """An RFC 3339 time; seven fraction digits are cut to microseconds, a missing zone means UTC."""
    if isinstance(value, datetime):
        time = value
    elif isinstance(value, str) and value[10:11] in ("T", "t", " "):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("time", "is not an RFC 3339 time") from None
    else:
        raise PydanticCustomError("time", "is not an RFC 3339 time")
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _time_or_never(value: Any) -> datetime | None:
    """The service writes the year 1 for "not yet" (recorded 2025)."""
    time = None if value is None else read_time(value)
    return None if time is None or time.year == 1 else time


def _time_or_none(value: Any) -> datetime | None:
    return None if value is None else read_time(value)


def _flag(value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise PydanticCustomError("bool_type", "is not true or false")
    return value


def listed(value: Any) -> Any:
    """A list of what the service lists; null is empty."""
    if isinstance(value, list) and len(value) > MAX_LISTED:
        raise PydanticCustomError("too_long", f"has more than {MAX_LISTED} entries")
    return () if value is None else value


def _not_bool(value: Any) -> Any:
    """JSON's true and false are no numbers, though Python's are."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "is true or false, not a number")
    return value


@lru_cache(maxsize=4096)
def _of_raw_id(raw_id: str) -> Identifier:
    return Identifier(raw_id=raw_id)


def read_identifier(value: Any) -> Identifier:
    """An identifier in any shape; the error never repeats the value, which may be a phone number."""
    if isinstance(value, Identifier):
        return value
    try:
        if (
            isinstance(value, Mapping)
            and isinstance(raw_id := value.get("rawId"), str)
            and raw_id
            and (raw_id.startswith("4:") or not value.get("phoneNumber"))
        ):
            raw_id.encode()  # a lone surrogate cannot be stored
            return _of_raw_id(raw_id)
        return Identifier.parse(value)
    except (InvalidInput, ValueError):
        raise PydanticCustomError(
            "identifier", "is not an identifier; it needs rawId, phoneNumber.value or communicationUser.id"
        ) from None


def _identifier_or_none(value: Any) -> Identifier | None:
    """None for an absent, empty or blank identifier, as an end by the service itself has no participant."""
    if not value or (isinstance(value, Mapping) and not any(value.values())):
        return None
    return read_identifier(value)


def _as_raw_id(identifier: Identifier | None) -> str | None:
    """Said here again: pydantic applies the model's own serializer twice under a PlainValidator."""
    return identifier.raw_id if identifier is not None else None


Time = Annotated[datetime, PlainValidator(read_time)]
TimeOrNone = Annotated[datetime | None, PlainValidator(_time_or_none)]
TimeOrNever = Annotated[datetime | None, PlainValidator(_time_or_never)]
AnIdentifier = Annotated[Identifier, PlainValidator(read_identifier), PlainSerializer(_as_raw_id)]
MaybeIdentifier = Annotated[Identifier | None, PlainValidator(_identifier_or_none), PlainSerializer(_as_raw_id)]
AnId = Annotated[str, Field(min_length=1, max_length=MAX_ID)]
MaybeId = Annotated[str, Field(max_length=MAX_ID)]
Int32 = Annotated[int, BeforeValidator(_not_bool), Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, BeforeValidator(_not_bool), Field(ge=-(2**63), lt=2**63)]
Number = Annotated[float, BeforeValidator(_not_bool), Field(allow_inf_nan=False)]
Flag = Annotated[bool, PlainValidator(_flag)]
"""Null and absent are false."""
Word = Annotated[str, AfterValidator(first_letter_small)]
"""An enumeration's value, first letter small; one that is not in the published enumeration stays as it is."""


class WireModel(BaseModel):
    """A frozen object of the wire: camelCase there, snake_case here, unknown fields ignored."""

    # Built at first use: sixty models at import would cost a cold start more than it ever needs.
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        defer_build=True,
        hide_input_in_errors=True,
    )


class SipDetails(WireModel):
    """The telephone network's own cause, for phone numbers only (SIP response or Q.850 cause)."""

    code: Int32 | None = None
    message: str | None = None


class ResultInformation(WireModel):
    """How the service puts an outcome. `shared.events.explain(code, sub_code)` has plain words for it.

    Attributes:
        code: HTTP-like family (200, 400, 500, 603); 0 where the event left it out.
        sub_code: the reason within the family; 0 is success.
    """

    code: Int32 = 0
    sub_code: Int32 = 0
    message: str | None = None
    sip_details: SipDetails | None = None
    q850_details: SipDetails | None = Field(default=None, alias="q850Details")


class Participant(WireModel):
    """One endpoint in the call, as ParticipantsUpdated lists it."""

    identifier: AnIdentifier
    is_muted: Flag = False
    is_on_hold: Flag = False


class DtmfResult(WireModel):
    """Keys pressed, oldest first, in the service's words; words outside `Tone` stay as sent."""

    tones: Annotated[tuple[Word, ...], BeforeValidator(listed)] = ()


class ChoiceResult(WireModel):
    """The choice made. `recognized_phrase` is None when it was made by key."""

    label: str
    recognized_phrase: str | None = None
    confidence: Number | None = None


class SpeechResult(WireModel):
    """What was said. `confidence` is 0 to 1."""

    speech: str | None = None
    confidence: Number | None = None


class MediaStreamingUpdate(WireModel):
    """State of the audio socket. The recorded contentType is `Audio`; here it is `audio`, as in REST."""

    content_type: Word | None = None
    media_streaming_status: Word | None = None
    media_streaming_status_details: Word | None = None


class TranscriptionUpdate(WireModel):
    """State of the transcription socket."""

    transcription_status: Word | None = None
    transcription_status_details: Word | None = None
