"""What a call adds to its recording: who is on which channel, and when the app played, listened or held.

The app's prompts need not be in a recording (azure-sdk-for-python issue 36880), so this is read from the
journal, not from the audio. Events count by their own time, which is the clock of recordings too; requests by the time
at which they were journaled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from pydantic_core import PydanticCustomError

from shared.calls.actions import KINDS, Media, Spec
from shared.calls.actions import Role as EventRole
from shared.calls.operation_context import read_context
from shared.calls.record import CallRecord
from shared.events.base import PREFIX
from shared.events.values import read_identifier
from shared.identifiers import key_of
from shared.quality.assemble import Person, Role
from shared.quality.report import AppLine, AppSpan
from shared.quality.spans import Span, union
from shared.recordings.app_lines import app_lines, time_of

NO_START = "It is not known when the recording started, so it has no holds and prompts."
NO_CALL = (
    "The call is not known to this app: there are no holds and no prompts, and nobody is identified as the customer."
)
NO_CUSTOMER = (
    "None of the recorded participants is the other side of the call, so nobody is identified as the customer."
)
SHARED = "A channel passed from one participant to another: its figures are of both."

_STARS = "*******"
"""Always the same, so that a mask does not reveal the length of the number."""

_TELLING = 7
"""Shortest number of which the first and the last two digits are shown."""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call that this app knows, with its journal as JSON objects."""

    record: CallRecord
    journal: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CallEvidence:
    """What a call adds to a recording; see shared.quality.assemble.Evidence.

    Attributes:
        notes: what is missing.
        lines: what the app said, and what was keyed.
    """

    people: Mapping[int, Person]
    app: Sequence[AppSpan] | None
    notes: Sequence[str]
    lines: Sequence[AppLine] = ()


def evidence_of(
    call: KnownCall | None,
    participants: Sequence[tuple[str, int]],
    *,
    started_at: datetime | None,
    seconds: float,
    channels: int,
    mixed: bool,
    redacted: Callable[[str], str] = str,
) -> CallEvidence:
    """What is known of a recording besides its audio.

    Args:
        call: None: it is not known.
        participants: raw id and channel of each, from the metadata.
        started_at: when the recording started; None: not known.
        seconds: how long it is.
        channels: how many it has.
        mixed: all participants are on one channel.
        redacted: takes out of what the app said what nobody should read.
    """
    if call is None:
        return CallEvidence(people(participants, "", "", None), None, (NO_CALL,))
    known = people(participants, call.record.caller, call.record.callee, call.record.direction)
    on_a_channel = [] if mixed else [person for channel, person in known.items() if channel < channels]
    notes = [] if started_at else [NO_START]
    if not mixed and not any(person.role == "customer" for person in on_a_channel):
        notes.append(NO_CUSTOMER)
    if any(", " in person.participant for person in on_a_channel):
        notes.append(SHARED)
    if not started_at:
        return CallEvidence(known, None, notes)
    # Of a participant on two channels in turn, the first counts.
    channel_of = {} if mixed else dict(reversed(participants))
    app = app_spans(call.journal, started_at, channel_of, seconds=seconds)
    channels_by_key = _by_key(channel_of)
    lines = app_lines(
        call.journal,
        _begins(call.journal, started_at.timestamp()),
        started_at.timestamp(),
        lambda action: _channel(channels_by_key, _aimed_at(action)),
        redacted,
    )
    return CallEvidence(known, app, notes, [line for line in lines if line.at < seconds])


# Who is on which channel


def people(
    participants: Sequence[tuple[str, int]], caller: str, callee: str, direction: Literal["inbound", "outbound"] | None
) -> dict[int, Person]:
    """The participants by channel.

    Args:
        participants: raw id and channel of each; with repetitions, as in the chunks of a recording.
        caller: raw id; empty: not known.
        callee: as the caller.
        direction: who placed the call; None: the call is not known.

    The customer is the other side of the call: who called in, or whom the app called. Everybody else is an agent.
    If no channel is the customer's, all roles are unknown. So is that of a channel that passed from the customer to an
    agent: both are named.
    """
    customer = {"inbound": caller, "outbound": callee}.get(direction or "", "")
    on: dict[int, dict[str, str]] = {}
    for raw_id, channel in participants:
        held = on.setdefault(channel, {})
        if raw_id == customer or key_of(raw_id) not in held:
            held[key_of(raw_id)] = raw_id
    # Of two connections of one number the one whose raw id is the caller's, if the service wrote the same one here.
    exact = any(raw_id == customer for raw_id, _ in participants)

    def is_customer(raw_id: str) -> bool:
        return raw_id == customer if exact else bool(customer) and key_of(raw_id) == key_of(customer)

    known = any(is_customer(raw_id) for raw_id, _ in participants)
    names: dict[str, str] = {}
    found: dict[int, Person] = {}
    count: Counter[str] = Counter()

    def label(raw_id: str) -> str:
        key = raw_id if is_customer(raw_id) else key_of(raw_id)
        if key not in names:  # who is on two channels in turn is one person
            word = "Customer" if is_customer(raw_id) else "Agent"
            count[word] += 1
            names[key] = word if count[word] == 1 else f"{word} {count[word]}"
        return names[key]

    for channel, held in sorted(on.items()):
        masks = ", ".join(map(masked, held.values()))
        sides = {is_customer(raw_id) for raw_id in held.values()}
        if not known:
            found[channel] = Person("unknown", f"Speaker {channel + 1}", masks)
        else:
            role: Role = "unknown" if len(sides) > 1 else "customer" if sides == {True} else "agent"
            found[channel] = Person(role, " and ".join(dict.fromkeys(map(label, held.values()))), masks)
    return found


def masked(raw_id: str) -> str:
    """An identifier that shows its kind, and too little to call it: `4:+1*******23`, `8:acs:*******0a2f`."""
    kind, colon, name = raw_id.rpartition(":")
    if number := _digits(raw_id):
        shown = (number[0], number[-2:]) if len(number) >= _TELLING else ("", "")
        return f"4:+{shown[0]}{_STARS}{shown[1]}"
    if raw_id in ("", "4:anonymous"):
        return raw_id
    return f"{kind}{colon}{_STARS}{name[-4:] if len(name) > len(_STARS) else ''}"


def _digits(raw_id: str) -> str:
    """The digits of a phone number, however the service writes it; empty if it is none."""
    number = key_of(raw_id).removeprefix("4:").removeprefix("+")
    return number if raw_id.startswith(("4:", "+")) and number.isdecimal() else ""


# When the app played, listened or held


@dataclass(slots=True)
class _Sending:
    """One sending of a play, recognize or hold; times in Unix seconds, None: not (yet) known.

    Attributes:
        events: the role of each event that reports on it.
        failed: it ended as failed or cancelled.
        lost: it is not known whether it reached the service, or when it ended.
    """

    kind: Media
    events: Mapping[str, EventRole]
    participants: tuple[str, ...]
    issued: float
    accepted: float | None = None
    started: float | None = None
    ended: float | None = None
    failed: bool = False
    lost: bool = False

    @property
    def heard(self) -> bool:
        # A recognize has no event of its start.
        return not self.lost and (not self.failed or self.started is not None or self.kind == "listening")

    @property
    def keys(self) -> set[str]:
        """Its participants, for comparison."""
        return {key_of(raw_id) for raw_id in self.participants}

    @property
    def seen(self) -> bool:
        """Whether it is known to have reached the service."""
        return any(time is not None for time in (self.accepted, self.started, self.ended))

    @property
    def begin(self) -> float:
        known = self.started if self.started is not None else self.accepted
        # The response to a request may be journaled after the event that reports its outcome.
        return known if known is not None and (self.ended is None or known <= self.ended) else self.issued


def app_spans(
    journal: Sequence[Mapping[str, Any]],
    started_at: datetime,
    channel_of: Mapping[str, int],
    *,
    seconds: float,
) -> list[AppSpan]:
    """When the app played, listened or held during the recording, in order.

    Args:
        journal: the entries as JSON objects (shared.calls.journal), in order.
        started_at: when the recording began, with its zone.
        channel_of: channel by raw id.
        seconds: length of the recording; what is still open then ends there.

    A prompt lasts from PlayStarted, listening from the acceptance of the recognize, both until the event that
    reports the outcome, or until all media operations were cancelled. A hold lasts until the response to the unhold,
    or until the participant left. The end of the call ends everything. An operation whose outcome was lost is left out.
    """
    reader = _Reader.of(journal)
    zero = started_at.timestamp()
    found: dict[tuple[Media, tuple[str, ...]], list[Span]] = {}
    for sending in reader.sendings.values():
        start = max(0.0, sending.begin - zero)
        end = seconds if sending.ended is None else min(seconds, sending.ended - zero)
        if sending.heard and start < end:
            found.setdefault((sending.kind, sending.participants), []).append(Span(round(start, 3), round(end, 3)))
    channels = _by_key(channel_of)
    spans = [
        AppSpan(kind=kind, start=start, end=end, channel=_channel(channels, to))
        for (kind, to), several in found.items()
        for start, end in union(several)
    ]
    return sorted(spans, key=lambda span: (span.start, span.end, span.kind))


def _by_key(channel_of: Mapping[str, int]) -> dict[str, int]:
    """Channels by raw id, and by key."""
    return {key_of(raw_id): channel for raw_id, channel in channel_of.items()} | dict(channel_of)


def _begins(journal: Sequence[Mapping[str, Any]], zero: float) -> dict[int, float]:
    """When each play and recognize that a recording from `zero` on can have first began, by its operation's number."""
    sendings = ((seq, one) for (seq, _), one in reversed(_Reader.of(journal).sendings.items()) if one.heard)
    return {seq: one.begin for seq, one in sendings if one.ended is None or one.ended > zero}


def _spec_of(action: Mapping[str, Any]) -> Spec:
    """What an action of a journal declares; nothing, if its kind is not known."""
    kind = KINDS.get(action.get("kind", ""))
    return kind.spec if kind else Spec()


def _aimed_at(action: Mapping[str, Any]) -> tuple[str, ...]:
    """Raw ids of those whom an action names, of a journal; empty: everybody."""
    one = action.get("participant") or action.get("target")
    return (one,) if one else tuple(action.get("to") or action.get("targets") or ())


def _present(participants: Any) -> set[str] | None:
    """The participants, by key; None if an entry cannot be read, which may be anybody."""
    try:
        return {read_identifier(one["identifier"]).key for one in participants or ()}
    except (PydanticCustomError, LookupError, TypeError):
        return None


def _channel(channels: Mapping[str, int], to: tuple[str, ...]) -> int | None:
    """The channel of the one participant that is meant, by raw id or else by key; None: several, or not known."""
    return channels.get(to[0], channels.get(key_of(to[0]))) if len(to) == 1 else None


class _Reader:
    """Reads a journal entry by entry. An operation that was sent twice may be heard twice: each sending counts."""

    def __init__(self) -> None:
        self.sendings: dict[tuple[int, int], _Sending] = {}
        self._actions: dict[int, Mapping[str, Any]] = {}
        self._attempts: dict[int, int] = {}
        self._ended: float | None = None

    @classmethod
    def of(cls, journal: Iterable[Mapping[str, Any]]) -> Self:
        """What a whole journal tells."""
        reader = cls()
        for entry in journal:
            reader.read(entry)
        return reader

    def read(self, entry: Mapping[str, Any]) -> None:
        at = entry["at"] / 1000
        match entry["entry"]:
            case "issued":
                self._actions[entry["seq"]] = entry["action"]
                self._send(entry["seq"], 0, at)
            case "resent":
                if (before := self._latest(entry["seq"])) and not before.seen:
                    before.lost = True
                self._send(entry["seq"], entry["attempt"], at)
            case "accepted" | "answered":
                self._on_answer(entry["seq"], at)
            case "refused" | "gave_up":
                if (sending := self._latest(entry["seq"])) and sending.ended is None:
                    sending.lost = True
            case "settled":
                self._end_all(at)
            case "event":
                self._on_event(entry["event"], at)

    def _send(self, seq: int, attempt: int, at: float) -> None:
        self._attempts[seq] = attempt
        action = self._actions.get(seq, {})
        spec = _spec_of(action)
        if spec.media and self._ended is None:
            self.sendings[seq, attempt] = _Sending(spec.media, spec.events, _aimed_at(action), at)

    def _latest(self, seq: int) -> _Sending | None:
        return self.sendings.get((seq, self._attempts.get(seq, 0)))

    def _on_answer(self, seq: int, at: float) -> None:
        if sending := self._latest(seq):
            sending.accepted = at
            return
        action = self._actions.get(seq, {})
        if ends := _spec_of(action).ends_media:
            of = {key_of(raw_id) for raw_id in _aimed_at(action)}
            self._end(at, (one for one in self._open(*ends) if not of or one.keys == of))

    def _on_event(self, event: Mapping[str, Any], journaled: float) -> None:
        name, at = event["type"].removeprefix(PREFIX), time_of(event, journaled)
        data = event.get("data") or {}
        if name == "CallDisconnected":
            self._end_all(at)
        elif name == "ParticipantsUpdated":
            present = _present(data.get("participants"))
            left = (held for held in self._open("hold") if present is not None and not present >= held.keys)
            self._end(at, (held for held in left if at > held.issued))
        elif sending := self._sending_of(data.get("operationContext")):
            self._on_report(sending, name, at)

    def _on_report(self, sending: _Sending, name: str, at: float) -> None:
        sending.lost = False
        says = sending.events.get(name)
        if says == "progress" and sending.kind == "prompt":
            sending.started = at
        elif name == "HoldAudioStarted":
            sending.accepted = at if sending.accepted is None else sending.accepted
        elif name == "HoldAudioCompleted":
            sending.ended = at
        elif says in ("succeeded", "failed", "canceled"):
            sending.failed = says != "succeeded"
            sending.ended = at

    def _sending_of(self, context: str | None) -> _Sending | None:
        """The sending that an operation context names."""
        _, seq, attempt = read_context(context or "")
        return self.sendings.get((seq, attempt))

    def _open(self, *kinds: Media) -> Iterator[_Sending]:
        return (one for one in self.sendings.values() if one.kind in kinds and one.ended is None)

    def _end_all(self, at: float) -> None:
        self._ended = at
        self._end(at, self._open("prompt", "listening", "hold"))

    @staticmethod
    def _end(at: float, sendings: Iterable[_Sending]) -> None:
        for sending in sendings:
            sending.ended = at
