"""What an upload makes of a person who is there already, by their own key: an export of tomorrow holds most of today's
appointments again, one moved, one cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.outreach.person import Person, Wanted, first_due
from shared.outreach.rules import Rules

Change = Literal["new", "same", "changed", "moved", "cancelled"]

_BY_NUMBER = ("dead", "no_contact", "declined", "suppressed")
"""Final states that say something of a number, and nothing of another."""


def merge(
    person: Person | None,
    wanted: Wanted,
    who: tuple[str, str],
    now: datetime,
    rules: Rules,
    row: tuple[str, int] = ("", 0),
) -> tuple[Person, Change]:
    """The person as they are after a row, and what it changed.

    - the same again: nothing
    - `changed`: what is said of them. A new number opens what ended because of the old one.
    - `moved`: another appointment. What was confirmed falls, and they are called for it.
    - `cancelled`: never called; a call that goes on ends as it ends, and changes nothing any more.

    Args:
        who: the campaign, and the person's key.
        row: the id of the upload, and the line. Read again, the newest row that changed the person says what it said
            the first time, and those before it change nothing.
    """
    if person is None:
        change: Change = "cancelled" if wanted.cancelled else "new"
        made = Person(
            campaign=who[0],
            key=who[1],
            wanted=wanted,
            state="cancelled" if wanted.cancelled else "waiting",
            due=first_due(wanted.appointment, rules, now),
            row=(*row, change),
        )
        return made, change
    if row[0] and person.row[0] == row[0] and row[1] <= person.row[1]:
        return person, _change(person.row[2]) if row[1] == person.row[1] else "same"
    before = person.wanted
    if wanted.cancelled:
        wanted = before.model_copy(update={"cancelled": True})
    if wanted == before:
        return person, "same"
    changed: dict[str, object] = {"wanted": wanted}
    change = "changed"
    if wanted.number != before.number:
        changed["number"] = person.number + 1
        if person.state in _BY_NUMBER:
            changed |= {"state": "waiting", "ended": {}, "due": first_due(wanted.appointment, rules, now)}
    if wanted.cancelled:
        change = "cancelled"
        changed["state"] = "cancelled"
    elif before.cancelled or wanted.appointment != before.appointment:
        change = "moved"
        changed |= _moved(person, wanted, now, rules)
    elif person.state == "refused":
        changed["state"] = "waiting"
    return person.model_copy(update={**changed, "row": (*row, change)}), change


def _moved(person: Person, wanted: Wanted, now: datetime, rules: Rules) -> dict[str, object]:
    """Another appointment begins from the start, but for somebody who wants no calls or whose number does not exist."""
    stays = person.state == "opted_out" or (person.state == "dead" and wanted.number == person.wanted.number)
    going_on = person.open_attempt is not None
    return {
        "appointment": person.appointment + 1,
        "state": person.state if stays else "calling" if going_on else "waiting",
        "result": "",
        "ended": {},
        "due": first_due(wanted.appointment, rules, now),
    }


def _change(text: str) -> Change:
    """What a person's row says; a person of a row has one of them."""
    found: dict[str, Change] = {"new": "new", "changed": "changed", "moved": "moved", "cancelled": "cancelled"}
    return found[text]
