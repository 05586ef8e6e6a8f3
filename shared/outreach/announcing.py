"""Tells other systems that a campaign is finished: each target by a task of its own, tried again for a day. What a
target did not take by then is a dead letter, until somebody replays it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.logs import logger
from shared.notifications.base import CAMPAIGN, DeadLetter, DeadLetters, Target
from shared.notifications.errors import NotDelivered, UnknownDeadLetter
from shared.notifications.event import Event
from shared.notifications.notifier import DEADLINE, wait_before
from shared.outreach.campaign import Campaign
from shared.outreach.dialer import USE
from shared.outreach.people import People
from shared.outreach.ports import Clock
from shared.use_cases.base import Queue, Task

log = logger("switchboard.outreach")

CAMPAIGN_FINISHED = "Switchboard.CampaignFinished"


class Announcer:
    """Delivers the event of a finished campaign.

    Args:
        targets: by name; got when there is something to tell.
        letters: got when something is given up.
    """

    def __init__(
        self,
        targets: Callable[[], Mapping[str, Target]],
        letters: Callable[[], DeadLetters],
        people: People,
        queue: Queue,
        clock: Clock,
    ) -> None:
        self._targets = targets
        self._letters = letters
        self._people = people
        self._queue = queue
        self._now = clock

    def announce(self, campaign: Campaign, task: Task) -> str:
        """Do a task: without a target, make one for each; else try to deliver."""
        name = task.given.get("target", "")
        if not name:
            for one in self._targets():
                self._begin(campaign, one)
            return "announced"
        target, attempts = self._targets().get(name), int(task.given.get("attempts", "0")) + 1
        if target is None:
            return "no target"
        try:
            target.deliver(campaign_finished(campaign, Counter(one.state for one in self._people.all(campaign.id))))
        except NotDelivered as error:
            since = datetime.fromisoformat(task.given["since"])
            if error.lasting or (self._now() - since).total_seconds() * 1000 > DEADLINE:
                self._letters().put(self._letter(campaign, name, str(error), attempts, since))
                log.error("given up campaign=%s target=%s attempts=%d: %s", campaign.id, name, attempts, error)
                return "given up"
            log.warning("not delivered campaign=%s target=%s attempt=%d: %s", campaign.id, name, attempts, error)
            given = {"target": name, "attempts": str(attempts), "since": task.given["since"]}
            self._again(campaign, given, wait_before(attempts, error.retry_after))
            return "later"
        return "delivered"

    def announce_again(self, campaign: Campaign) -> list[str]:
        """Try again what was given up, for another day; the targets. UnknownDeadLetter."""
        letters, key = self._letters(), f"{CAMPAIGN}{campaign.id}"
        days = {letter.day for letter in letters.listed() if letter.call_id == key}
        found = [letter for day in sorted(days) for letter in letters.of(day, key)]
        if not found:
            raise UnknownDeadLetter(key)
        for letter, version in found:
            # In this order: a crash in between leaves a letter too many, not an event too few.
            self._begin(campaign, letter.target)
            letters.remove(letter, version)
        return sorted({letter.target for letter, _ in found})

    def _letter(self, campaign: Campaign, target: str, reason: str, attempts: int, since: datetime) -> DeadLetter:
        assert campaign.finished is not None
        return DeadLetter(
            day=f"{campaign.finished:%Y-%m-%d}",
            call_id=f"{CAMPAIGN}{campaign.id}",
            target=target,
            reason=reason,
            attempts=attempts,
            since=_milliseconds(since),
            at=_milliseconds(self._now()),
        )

    def _begin(self, campaign: Campaign, target: str) -> None:
        self._again(campaign, {"target": target, "attempts": "0", "since": self._now().isoformat()}, 0.0)

    def _again(self, campaign: Campaign, given: Mapping[str, str], delay: float) -> None:
        self._queue.send(Task(USE, "announce", {"campaign": campaign.id, **given}), delay=delay)


def campaign_finished(campaign: Campaign, states: Mapping[str, int]) -> Event:
    """The event of a finished campaign: how many people ended in which state, and none of their names or numbers."""
    assert campaign.finished is not None
    data: dict[str, Any] = {
        "campaignId": campaign.id,
        "name": campaign.name,
        "purpose": campaign.rules.purpose,
        "people": sum(states.values()),
        "states": dict(sorted(states.items())),
        "startedAt": campaign.started and _time(campaign.started),
        "finishedAt": _time(campaign.finished),
        "campaign": f"/api/campaigns/{campaign.id}",
    }
    event_id = f"{campaign.id}:{_milliseconds(campaign.finished)}"
    return Event(event_id, CAMPAIGN_FINISHED, f"/campaigns/{campaign.id}", campaign.finished, data)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
