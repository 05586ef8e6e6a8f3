"""Do-not-call lists: the company's own, which grows by each opt-out, and imported ones, with source and date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.errors import InvalidInput
from shared.outreach.rules import Purpose, Rules

OWN = "own"
"""The name of the company's own list."""


class ListHead(BaseModel):
    """A list as a whole.

    Attributes:
        source: who publishes it.
        as_of: the date of its content.
        purposes: of the calls that it forbids.
        numbers: how many are on it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    source: str = ""
    as_of: date | None = None
    purposes: frozenset[Purpose] = frozenset({"marketing"})
    numbers: int = 0


class Listing(BaseModel):
    """One number on one list.

    Attributes:
        since: when it came onto it; of an imported list the date of that.
        purposes: of the calls that it forbids.
        reason: such as `pressed 9`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    list: str
    since: AwareDatetime
    purposes: frozenset[Purpose]
    reason: str = ""


def opted_out(heard: Purpose, now: datetime, *, stops_service: bool = True, reason: str = "pressed 9") -> Listing:
    """The entry of somebody who wants no more calls: no marketing of the company ever, and where they said so in a
    service call, such as a reminder, none of those either.

    Args:
        heard: the purpose of the call in which they said so.
        stops_service: the setting for the latter.
    """
    purposes: set[Purpose] = {"marketing"}
    if heard == "service" and stops_service:
        purposes.add("service")
    return Listing(list=OWN, since=now, purposes=frozenset(purposes), reason=reason)


def joined(one: Listing | None, other: Listing) -> Listing:
    """Two entries of a number on one list: whatever either forbids stays forbidden, since the first."""
    if one is None:
        return other
    first = min(one, other, key=lambda found: found.since)
    return first.model_copy(update={"purposes": one.purposes | other.purposes})


def forbidding(listed: Iterable[Listing], purpose: Purpose) -> Listing | None:
    """The entry that forbids a call for a purpose, the oldest of several; None: none does."""
    return min((one for one in listed if purpose in one.purposes), key=lambda one: one.since, default=None)


def stale(lists: Iterable[ListHead], rules: Rules, now: datetime) -> ListHead | None:
    """An imported list that is too old to call by, the oldest of several; None for a service campaign."""
    if rules.purpose != "marketing":
        return None
    today = now.astimezone(ZoneInfo(rules.zone)).date()
    old = [one for one in lists if one.as_of is not None and (today - one.as_of).days > rules.stale_days]
    return min(old, key=lambda one: one.as_of or today, default=None)


def checked_head(name: str, source: str, as_of: date, now: datetime, zone: str) -> ListHead:
    """The head of a list that is to be imported; InvalidInput."""
    if not name or name == OWN:
        raise InvalidInput("name", "is empty or that of the company's own list.", "Give the list a name of its own.")
    if not source:
        raise InvalidInput("source", "is empty.", "Say who publishes the list.")
    if as_of > now.astimezone(ZoneInfo(zone)).date():
        raise InvalidInput("as_of", "is in the future.", "Give the date of the list's content.")
    return ListHead(name=name, source=source, as_of=as_of)
