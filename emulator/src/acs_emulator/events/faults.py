"""Faults on demand: duplicate, delay, reorder, drop and false statuses, with seeded chance."""

from __future__ import annotations

import random
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from acs_emulator.core.errors import BadRequest, check_names
from acs_emulator.core.outcomes import Outcome

_GENERAL_KINDS = ("duplicate", "delay", "reorder", "drop", "status")
CHANNELS = ("callbacks", "eventgrid", "requests")
#: Kinds that shape the outcome of an operation after it was accepted.
_OUTCOME_KINDS = ("fail", "false success")
#: Kinds that spoil the download of a recording.
DOWNLOAD_KINDS = ("empty", "short", "truncate", "wrong length", "wrong header", "redirect")
#: What of a recording a rule may be limited to; ``content`` is sound or metadata.
_TARGET_FIELDS = ("recording", "document", "chunk", "content")
SOUND, METADATA = "sound", "metadata"
#: Bytes that a `wrong length` or `wrong header` promises beyond what there is when it does not say. Chosen.
DEFAULT_BYTES = 4096
KINDS = _GENERAL_KINDS + _OUTCOME_KINDS + DOWNLOAD_KINDS
#: Code and sub-code of a `fail` fault that names none (docs: 500/9999, unknown).
_FAIL_CODE, _FAIL_SUB_CODE = 500, 9999
_SUB_CODE = re.compile(r"[0-9]{1,9}")
#: Seconds (emulated) a delayed or reordered event is held when the fault does not say.
DEFAULT_SECONDS = 2.0
#: Status of a `status` fault that names none.
DEFAULT_STATUS = 503
FIELDS = {"kind", "probability", "count", "match", "seconds", "status", "subCode", "message", "bytes", "location"}
MATCH_FIELDS = {"type", "channel", "operation", "callConnectionId", *_TARGET_FIELDS}


@dataclass
class Fault:
    """One rule. ``remaining`` counts down when the rule was given a count."""

    kind: str
    probability: float = 1.0
    count: int | None = None
    type: str | None = None
    channel: str | None = None
    operation: str | None = None
    call_connection_id: str | None = None
    seconds: float = DEFAULT_SECONDS
    status: int = DEFAULT_STATUS
    sub_code: str | None = None
    message: str | None = None
    #: What a wrong length promises too much, where a redirect leads, and which recording's download is meant.
    bytes: int = DEFAULT_BYTES
    location: str | None = None
    target: Mapping[str, Any] = field(default_factory=dict)
    applied: int = field(default=0)

    def matches(
        self, channel: str, name: str, call_connection_id: str | None, target: Mapping[str, Any] | None = None
    ) -> bool:
        """``name`` is an event type for events, an operation id for requests; either may be given short.

        A rule that spoils downloads is for the sound, unless it names the metadata.
        """
        target = target or {}
        if any(target.get(part) != wanted for part, wanted in self.target.items()):
            return False
        if channel == "downloads" and "content" not in self.target and target.get("content") == METADATA:
            return False
        if self.count is not None and self.applied >= self.count:
            return False
        by_operation = channel in ("requests", "outcomes", "downloads")
        if self.channel is not None and self.channel != channel:
            return False
        if self.call_connection_id not in (None, call_connection_id):
            return False
        wanted = self.operation if by_operation else self.type
        other = self.type if by_operation else self.operation
        if other is not None:
            return False
        if wanted is None:
            return channel != "requests" or self.channel == "requests"
        separator = "_" if by_operation else "."
        return wanted in (name, name.rpartition(separator)[2])

    def wire(self) -> dict[str, Any]:
        match = {
            "type": self.type,
            "channel": self.channel,
            "operation": self.operation,
            "callConnectionId": self.call_connection_id,
            **self.target,
        }
        return {
            "kind": self.kind,
            "probability": self.probability,
            "count": self.count,
            "match": {name: value for name, value in match.items() if value is not None},
            "seconds": self.seconds,
            "status": self.status,
            "subCode": self.sub_code,
            "message": self.message,
            "bytes": self.bytes,
            "location": self.location,
            "applied": self.applied,
        }


class Faults:
    """The rules in force; ``draw`` decides for one event or request."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"faults-{seed}")
        self.rules: list[Fault] = []

    def outcome(self, operation: str, call_connection_id: str | None) -> Outcome | None:
        """What a `fail` fault makes of an operation that was accepted."""
        for fault in self.draw("outcomes", operation, call_connection_id, ("fail",)):
            sub_code = int(fault.sub_code) if fault.sub_code else _FAIL_SUB_CODE
            return Outcome(fault.status, sub_code, fault.message or "Injected fault.")
        return None

    def lies(self, operation: str, call_connection_id: str | None) -> bool:
        """Whether a `false success` fault reports success although the operation failed."""
        return bool(self.draw("outcomes", operation, call_connection_id, ("false success",)))

    def draw(
        self,
        channel: str,
        name: str,
        call_connection_id: str | None = None,
        kinds: tuple[str, ...] = _GENERAL_KINDS,
        target: Mapping[str, Any] | None = None,
    ) -> list[Fault]:
        """The faults that strike this time, at most one of each kind."""
        struck: list[Fault] = []
        for rule in self.rules:
            if rule.kind not in kinds or not rule.matches(channel, name, call_connection_id, target):
                continue
            if any(other.kind == rule.kind for other in struck):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            rule.applied += 1
            struck.append(rule)
        return struck


def parse_faults(body: Any, operations: Container[str]) -> list[Fault]:
    """Read the body of POST /emulator/faults: a list of rules, or one rule. Raises BadRequest.

    ``operations`` are the names, in full and short, that a rule may be for.
    """
    items = body if isinstance(body, list) else [body]
    return [_parse(item, f"[{index}]", operations) for index, item in enumerate(items)]


def _parse(item: Any, where: str, operations: Container[str]) -> Fault:
    if not isinstance(item, dict):
        raise BadRequest(f"{where} must be an object.", where)
    check_names(item, FIELDS, where)
    kind = item.get("kind")
    if kind not in KINDS:
        raise BadRequest(f"{where}.kind must be one of {', '.join(KINDS)}.", f"{where}.kind")
    match = {} if item.get("match") is None else item["match"]
    if not isinstance(match, dict):
        raise BadRequest(f"{where}.match must be an object.", f"{where}.match")
    _check_match(match, f"{where}.match", operations)
    if match.get("channel") not in (None, *CHANNELS):
        raise BadRequest(f"{where}.match.channel must be one of {', '.join(CHANNELS)}.", f"{where}.match.channel")
    if kind in ("duplicate", "reorder") and (match.get("channel") == "requests" or match.get("operation")):
        raise BadRequest(f"{where}: {kind} is for events, not for requests.", where)
    if kind in _OUTCOME_KINDS and not match.get("operation"):
        raise BadRequest(f"{where}.match.operation is required: {kind} is for one operation.", f"{where}.match")
    if kind in _OUTCOME_KINDS and (match.get("channel") or match.get("type")):
        raise BadRequest(f"{where}: {kind} is for operations, not for events or requests.", where)
    if kind == "fail" and not _SUB_CODE.fullmatch(str(item.get("subCode", _FAIL_SUB_CODE))):
        raise BadRequest(f"{where}.subCode must be a number.", f"{where}.subCode")
    for name in ("message", "location"):
        if not isinstance(item.get(name, ""), str | None):
            raise BadRequest(f"{where}.{name} must be text.", f"{where}.{name}")
    if kind == "redirect" and not item.get("location"):
        raise BadRequest(f"{where}.location is required: the URL that a redirect leads to.", f"{where}.location")
    if match.get("content") not in (None, SOUND, METADATA):
        raise BadRequest(f"{where}.match.content must be {SOUND} or {METADATA}.", f"{where}.match.content")
    sub_code, message = item.get("subCode"), item.get("message")
    count = _whole(item, "count", where, None, 0, 10**9)
    default_status = {"fail": _FAIL_CODE, "redirect": 302}.get(kind, DEFAULT_STATUS)
    status = _whole(item, "status", where, default_status, 100, 699)
    return Fault(
        kind=kind,
        probability=float(_number(item, "probability", where, 1.0, 0, 1) or 0.0),
        count=count,
        type=match.get("type"),
        channel=match.get("channel"),
        operation=match.get("operation"),
        call_connection_id=match.get("callConnectionId"),
        seconds=float(_number(item, "seconds", where, DEFAULT_SECONDS, 0, 86_400) or 0.0),
        status=status or default_status,
        sub_code=None if sub_code is None else str(sub_code),
        message=None if message is None else str(message),
        bytes=_whole(item, "bytes", where, DEFAULT_BYTES, 1, 2**31) or DEFAULT_BYTES,
        location=item.get("location"),
        target={part: match[part] for part in _TARGET_FIELDS if part in match},
    )


def _check_match(match: dict[str, Any], where: str, operations: Container[str]) -> None:
    """Raise BadRequest for what would never match anything."""
    check_names(match, MATCH_FIELDS, where)
    for name, value in match.items():
        if name == "chunk":
            _whole(match, name, where, None, 0, 10**9)
        elif value is not None and not isinstance(value, str):
            raise BadRequest(f"{where}.{name} must be text.", f"{where}.{name}")
    operation = match.get("operation")
    if operation is not None and operation not in operations:
        raise BadRequest(
            f"{where}.operation: there is no operation {operation!r}; GET /emulator/requests shows the names.",
            f"{where}.operation",
        )


def _whole(item: dict[str, Any], name: str, where: str, default: int | None, low: int, high: int) -> int | None:
    value = _number(item, name, where, default, low, high)
    if value is not None and value != int(value):
        raise BadRequest(f"{where}.{name} must be a whole number.", f"{where}.{name}")
    return None if value is None else int(value)


def _number(
    item: dict[str, Any], name: str, where: str, default: float | None, low: float, high: float
) -> float | None:
    value = item.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadRequest(f"{where}.{name} must be a number from {low} to {high}.", f"{where}.{name}")
    return value
