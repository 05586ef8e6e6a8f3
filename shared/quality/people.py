"""Who speaks on which channel, and what the report calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["customer", "agent", "unknown", "everybody"]

_STARS = "*******"
"""Always as many, so that a mask does not tell how long the number is."""

_TELLING = 7
"""Digits from which the first and the last two tell two numbers apart and are still too few to call one."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is on one channel of the recording, one or several in turn; see shared.quality.report.Channel."""

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
    Where no channel is the customer's, nobody can say who is an agent: all are unknown. So is a channel that passed
    from the customer to an agent: both are named, and nobody can say whose its speech is.
    """
    customer = {"inbound": caller, "outbound": callee}.get(direction or "", "")
    on: dict[int, list[str]] = {}
    for raw_id, channel in participants:
        held = on.setdefault(channel, [])
        if not any(_same(raw_id, other) for other in held):
            held.append(raw_id)
    known = bool(customer) and any(_same(raw_id, customer) for held in on.values() for raw_id in held)
    names: dict[str, str] = {}
    found: dict[int, Person] = {}
    count: Counter[str] = Counter()

    def label(raw_id: str) -> str:
        key = _digits(raw_id) or raw_id
        if key not in names:  # who is on two channels in turn is one person
            word = "Customer" if _same(raw_id, customer) else "Agent"
            count[word] += 1
            names[key] = word if count[word] == 1 else f"{word} {count[word]}"
        return names[key]

    for channel, held in sorted(on.items()):
        masks = ", ".join(map(masked, held))
        sides = {_same(raw_id, customer) for raw_id in held}
        if not known:
            found[channel] = Person("unknown", f"Speaker {channel + 1}", masks)
        else:
            role: Role = "unknown" if len(sides) > 1 else "customer" if sides == {True} else "agent"
            found[channel] = Person(role, " and ".join(dict.fromkeys(map(label, held))), masks)
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
    """The digits of a phone number, with or without its plus or an asserted id behind it; empty if it is none."""
    number = raw_id.removeprefix("4:").removeprefix("+").partition("_")[0]
    return number if raw_id.startswith(("4:", "+")) and number.isdecimal() else ""


def _same(one: str, other: str) -> bool:
    if number := _digits(one):
        return number == _digits(other)
    return one == other
