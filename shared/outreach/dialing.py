"""Which calls of a campaign go on, in one row: so that there are never more than there may be, whoever dials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict


class OpenCall(BaseModel):
    """A call that is being placed, or goes on.

    Attributes:
        at: since when.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    attempt: str
    caller: str
    at: AwareDatetime


class Dialing(BaseModel):
    """The calls of a campaign that go on.

    Attributes:
        open: by the person's key.
        wake: when somebody will look whether there is more to call; in the past: nobody will, but for the agenda.
        dialer: who dials at the moment, one for a campaign: several would want the same people; empty: nobody.
        until: the end of the dialer's lease, should it have died.
        again: somebody wanted to dial meanwhile: the dialer looks once more before it stops.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    open: Mapping[str, OpenCall] = {}
    wake: AwareDatetime | None = None
    dialer: str = ""
    until: AwareDatetime | None = None
    again: bool = False


LEASE = timedelta(seconds=5)
"""How long a dialer that says nothing is taken for alive (our choice): a call is placed within less. If not, two dial,
which costs requests and no more."""


def dialed_by(dialing: Dialing, dialer: str, now: datetime) -> Dialing:
    """With a dialer, unless there is one: then that one knows that it has to look again."""
    alive = dialing.until is not None and now < dialing.until <= now + LEASE
    if alive and dialing.dialer not in ("", dialer):
        return dialing.model_copy(update={"again": True})
    return dialing.model_copy(update={"dialer": dialer, "until": now + LEASE, "again": False})


def still_dialed_by(dialing: Dialing, dialer: str, now: datetime) -> Dialing:
    """With the lease of its dialer from now on, unless another one has it by now."""
    return dialing.model_copy(update={"until": now + LEASE}) if dialing.dialer == dialer else dialing


def left_by(dialing: Dialing, dialer: str, now: datetime, *, for_good: bool = False) -> Dialing:
    """Without its dialer, unless it has to look again, which it still has to do then.

    Args:
        for_good: it does not.
    """
    if dialing.dialer != dialer:
        return dialing
    if dialing.again and not for_good:
        return dialing.model_copy(update={"until": now + LEASE})
    return dialing.model_copy(update={"dialer": "", "until": None})


class Slots(NamedTuple):
    """What a caller number has for campaigns.

    Attributes:
        most: calls at once.
        free: as of now.
    """

    most: int
    free: int


def opened(
    dialing: Dialing, key: str, attempt: str, now: datetime, slots: Mapping[str, Slots | None], most: int
) -> Dialing:
    """With a call more, if there is room: under the number with the fewest calls. Else as it was.

    Args:
        key: of the person.
        slots: of each caller number that may be used; None: it has no limit.
        most: calls of the campaign at once; 0: no limit of its own.
    """
    if key in dialing.open and dialing.open[key].attempt == attempt:
        return dialing
    others = [call.caller for other, call in dialing.open.items() if other != key]
    if most and len(others) >= most:
        return dialing
    rooms = {
        caller: others.count(caller)
        for caller, one in slots.items()
        if one is None or (one.free > 0 and others.count(caller) < one.most)
    }
    if not rooms:
        return dialing
    caller = min(rooms, key=lambda one: rooms[one])
    call = OpenCall(attempt=attempt, caller=caller, at=now)
    return dialing.model_copy(update={"open": {**dialing.open, key: call}})


def over(dialing: Dialing, key: str, attempt: str) -> Dialing:
    """Without a call that is over."""
    if key not in dialing.open or dialing.open[key].attempt != attempt:
        return dialing
    return dialing.model_copy(update={"open": {one: call for one, call in dialing.open.items() if one != key}})


def found_again(dialing: Dialing, key: str, call: OpenCall) -> Dialing:
    """With a call that goes on and was not known any more."""
    return dialing if key in dialing.open else dialing.model_copy(update={"open": {**dialing.open, key: call}})


def lost(dialing: Dialing, now: datetime, after: timedelta) -> dict[str, OpenCall]:
    """The calls that have gone on for so long that whoever began one may have died before it was placed."""
    return {key: call for key, call in dialing.open.items() if now - call.at > after}


def wakes(dialing: Dialing, at: datetime, now: datetime) -> bool:
    """Whether somebody has to be told to look at this time: nobody looks before."""
    return dialing.wake is None or not now < dialing.wake <= at
