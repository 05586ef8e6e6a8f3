"""When the app played, listened, and held somebody: from the journal of a call.

The app's prompts need not be in a recording (azure-sdk-for-python issue 36880), so nothing of this is guessed from
the audio. Events count by their own time, which is the clock that recordings are timed by; requests, by the time at
which they were journaled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic_core import PydanticCustomError

from shared.events import ROLES
from shared.events.base import PREFIX
from shared.events.values import read_identifier, read_time
from shared.identifiers import key_of
from shared.numbers import whole_number
from shared.quality.report import AppSpan
from shared.quality.spans import Span, united

_Kind = Literal["prompt", "listening", "hold"]
_KINDS: Mapping[str, _Kind] = {"play": "prompt", "recognize": "listening", "hold": "hold"}


@dataclass(slots=True)
class _Sending:
    """One sending of an operation that is heard on the line; times in Unix seconds, None: not (yet) known.

    Attributes:
        failed: it ended as failed or cancelled.
        lost: nothing shows that it reached the service, or nobody knows until when it lasted.
    """

    kind: _Kind
    participants: tuple[str, ...]
    issued: float
    accepted: float | None = None
    started: float | None = None
    ended: float | None = None
    failed: bool = False
    lost: bool = False

    @property
    def heard(self) -> bool:
        # For a recognize no event tells its start.
        return not self.lost and (not self.failed or self.started is not None or self.kind == "listening")

    @property
    def keys(self) -> set[str]:
        """Who it is for, to compare with."""
        return {key_of(raw_id) for raw_id in self.participants}

    @property
    def seen(self) -> bool:
        """Something shows that it reached the service."""
        return any(time is not None for time in (self.accepted, self.started, self.ended))

    @property
    def begin(self) -> float:
        known = self.started if self.started is not None else self.accepted
        # The answer to a request may be journaled after the event that reports its outcome.
        return known if known is not None and (self.ended is None or known <= self.ended) else self.issued


def app_spans(
    journal: Sequence[Mapping[str, Any]],
    started_at: datetime,
    channel_of: Mapping[str, int],
    *,
    seconds: float,
) -> list[AppSpan]:
    """What the app did on the line while the recording ran, in order of time.

    Args:
        journal: the entries as JSON objects (shared.calls.journal), in order.
        started_at: when the recording began, with its zone.
        channel_of: channel by raw id.
        seconds: length of the recording; what is still open then ends there.

    A prompt lasts from PlayStarted, listening from the acceptance of the recognize, both until the event that
    reports the outcome, or until all media operations were cancelled. A hold lasts until the unhold was answered,
    or the participant left. The end of the call ends everything. An operation whose outcome was lost is left out.
    """
    reader = _Reader()
    for entry in journal:
        reader.read(entry)
    zero = started_at.timestamp()
    found: dict[tuple[_Kind, tuple[str, ...]], list[Span]] = {}
    for sending in reader.sendings.values():
        start = max(0.0, sending.begin - zero)
        end = seconds if sending.ended is None else min(seconds, sending.ended - zero)
        if sending.heard and start < end:
            found.setdefault((sending.kind, sending.participants), []).append(Span(round(start, 3), round(end, 3)))
    channels = {key_of(raw_id): channel for raw_id, channel in channel_of.items()} | dict(channel_of)
    spans = [
        AppSpan(kind=kind, start=start, end=end, channel=_channel(channels, to))
        for (kind, to), several in found.items()
        for start, end in united(several)
    ]
    return sorted(spans, key=lambda span: (span.start, span.end, span.kind))


def _time_of(event: Mapping[str, Any], journaled: float) -> float:
    """An event's own time; where it has none that can be read, the time at which it was journaled."""
    try:
        return read_time(event.get("time")).timestamp()
    except PydanticCustomError:
        return journaled


def _present(participants: Any) -> set[str] | None:
    """Who takes part, by key; None if an entry cannot be read, which may stand for anybody."""
    try:
        return {read_identifier(one["identifier"]).key for one in participants or ()}
    except (PydanticCustomError, LookupError, TypeError):
        return None


def _channel(channels: Mapping[str, int], to: tuple[str, ...]) -> int | None:
    """The channel of the one participant that is meant, by raw id or else by key; None: several, or not known."""
    return channels.get(to[0], channels.get(key_of(to[0]))) if len(to) == 1 else None


class _Reader:
    """Takes a journal entry by entry. An operation that was sent twice may be heard twice: each sending counts."""

    def __init__(self) -> None:
        self.sendings: dict[tuple[int, int], _Sending] = {}
        self._actions: dict[int, Mapping[str, Any]] = {}
        self._attempts: dict[int, int] = {}
        self._ended: float | None = None

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
        if (kind := _KINDS.get(action.get("kind", ""))) and self._ended is None:
            to = action.get("to", ()) if kind == "prompt" else (action["participant"],)
            self.sendings[seq, attempt] = _Sending(kind, tuple(to), at)

    def _latest(self, seq: int) -> _Sending | None:
        return self.sendings.get((seq, self._attempts.get(seq, 0)))

    def _on_answer(self, seq: int, at: float) -> None:
        if sending := self._latest(seq):
            sending.accepted = at
            return
        action = self._actions.get(seq, {})
        if action.get("kind") == "cancel_all_media":
            self._end(at, self._open("prompt", "listening"))
        elif action.get("kind") == "unhold":
            self._end(at, (held for held in self._open("hold") if held.keys == {key_of(action["participant"])}))

    def _on_event(self, event: Mapping[str, Any], journaled: float) -> None:
        name, at = event["type"].removeprefix(PREFIX), _time_of(event, journaled)
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
        if (sending.kind, name) == ("prompt", "PlayStarted"):
            sending.started = at
        elif name == "HoldAudioStarted":
            sending.accepted = at if sending.accepted is None else sending.accepted
        elif name == "HoldAudioCompleted":
            sending.ended = at
        elif (role := ROLES.get(name)) and role.role in ("succeeded", "failed", "canceled"):
            sending.failed = role.role != "succeeded"
            sending.ended = at

    def _sending_of(self, context: str | None) -> _Sending | None:
        """The sending that an operation context names; see shared.calls.replay."""
        parts = (context or "").rsplit(":", 2)
        seq, attempt = map(whole_number, parts[1:]) if len(parts) == 3 else (None, None)
        return None if seq is None or attempt is None else self.sendings.get((seq, attempt))

    def _open(self, *kinds: _Kind) -> Iterator[_Sending]:
        return (one for one in self.sendings.values() if one.kind in kinds and one.ended is None)

    def _end_all(self, at: float) -> None:
        self._ended = at
        self._end(at, self._open(*_KINDS.values()))

    @staticmethod
    def _end(at: float, sendings: Iterable[_Sending]) -> None:
        for sending in sendings:
            sending.ended = at
