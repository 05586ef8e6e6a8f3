"""Who speaks on which channel, and what the report calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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


def stranger(channel: int) -> Person:
    """Somebody of whom only the channel is known."""
    return Person("unknown", f"Speaker {channel + 1}", "")


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
