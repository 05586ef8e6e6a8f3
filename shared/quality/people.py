"""Who speaks on which channel, and what the report calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.identifiers import key_of

Role = Literal["customer", "agent", "unknown", "everybody"]

_STARS = "*******"
"""Always as many, so that a mask does not tell how long the number is."""

_TELLING = 7
"""Digits from which the first and the last two tell two numbers apart and are still too few to call one."""


@dataclass(frozen=True, slots=True)
class Person:
    """One participant of the recording; see shared.quality.report.Channel."""

    role: Role
    label: str
    participant: str


EVERYBODY = Person("everybody", "Everybody", "")
"""The one channel of a mixed recording."""


def people(
    participants: Sequence[tuple[str, int]], caller: str, callee: str, direction: Literal["inbound", "outbound"] | None
) -> dict[int, Person]:
    """The participants by channel.

    Args:
        participants: raw id and channel of each; may tell the same again, as the chunks of a recording do.
        caller: raw id; empty: not known.
        callee: as the caller.
        direction: who placed the call; None: the call is not known.

    The customer is the other side of the call: who called in, or whom the app called. Everybody else is an agent.
    Where no channel is the customer's, nobody can say who is an agent: all are unknown.
    """
    customer = {"inbound": caller, "outbound": callee}.get(direction or "", "")
    on = {channel: raw_id for raw_id, channel in participants}
    # Of two connections of one number the one whose raw id is the caller's, if the service wrote the same one here.
    same: Callable[[str], str] = str if customer in on.values() else key_of
    sides = {channel: bool(customer) and same(raw_id) == same(customer) for channel, raw_id in on.items()}
    known = any(sides.values())
    found: dict[int, Person] = {}
    count: Counter[str] = Counter()
    for channel, raw_id in sorted(on.items()):
        if not known:
            found[channel] = stranger(channel, raw_id)
            continue
        role: Literal["customer", "agent"] = "customer" if sides[channel] else "agent"
        word = role.capitalize()
        count[word] += 1
        found[channel] = Person(role, word if count[word] == 1 else f"{word} {count[word]}", masked(raw_id))
    return found


def stranger(channel: int, raw_id: str = "") -> Person:
    """Somebody of whom only the channel is known, and perhaps the identifier."""
    return Person("unknown", f"Speaker {channel + 1}", masked(raw_id))


def masked(raw_id: str) -> str:
    """An identifier that says what it is, and too little to call it: `4:+1*******23`, `8:acs:*******0a2f`."""
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
