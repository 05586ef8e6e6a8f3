"""Tells other systems that a campaign is finished: each target by a task of its own, tried again for a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.logs import logger
from shared.notifications.base import Target
from shared.notifications.errors import NotDelivered
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
    """

    def __init__(self, targets: Callable[[], Mapping[str, Target]], people: People, queue: Queue, clock: Clock) -> None:
        self._targets = targets
        self._people = people
        self._queue = queue
        self._now = clock

    def announce(self, campaign: Campaign, task: Task) -> str:
        """Do a task: without a target, make one for each; else try to deliver."""
        name = task.given.get("target", "")
        if not name:
            for one in self._targets():
                self._again(campaign, {"target": one, "attempts": "0", "since": self._now().isoformat()}, 0.0)
            return "announced"
        target, attempts = self._targets().get(name), int(task.given.get("attempts", "0")) + 1
        if target is None:
            return "no target"
        try:
            target.deliver(campaign_finished(campaign, Counter(one.state for one in self._people.all(campaign.id))))
        except NotDelivered as error:
            since = datetime.fromisoformat(task.given["since"])
            if error.lasting or (self._now() - since).total_seconds() * 1000 > DEADLINE:
                log.error("given up campaign=%s target=%s attempts=%d: %s", campaign.id, name, attempts, error)
                return "given up"
            log.warning("not delivered campaign=%s target=%s attempt=%d: %s", campaign.id, name, attempts, error)
            given = {"target": name, "attempts": str(attempts), "since": task.given["since"]}
            self._again(campaign, given, wait_before(attempts, error.retry_after))
            return "later"
        return "delivered"

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
    event_id = f"{campaign.id}:{int(campaign.finished.timestamp() * 1000)}"
    return Event(event_id, CAMPAIGN_FINISHED, f"/campaigns/{campaign.id}", campaign.finished, data)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
