"""That a campaign is finished is told to each target, again and again for a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.notifications.errors import NotDelivered
from shared.notifications.event import Event
from shared.outreach.announcing import Announcer, campaign_finished
from shared.use_cases.base import Task
from tests.unit.outreach.engine import World
from tests.unit.outreach.people import BERLIN, MONDAY, NEW_YORK

FINISHED: dict[str, Any] = {"started": MONDAY, "finished": MONDAY + timedelta(hours=2), "state": "finished"}


class Told:
    """A target that fails as often as it is told to."""

    def __init__(self, fails: int = 0, *, lasting: bool = False) -> None:
        self.events: list[Event] = []
        self.fails = fails
        self.lasting = lasting

    def deliver(self, event: Event) -> None:
        if self.fails:
            self.fails -= 1
            raise NotDelivered("503", lasting=self.lasting)
        self.events.append(event)


def announce(world: World, **targets: Told) -> list[str]:
    """Each outcome until nothing is left on the queue."""
    campaign = world.campaign(**FINISHED)
    announcer = Announcer(lambda: targets, world.state.people, world.queue, lambda: world.now)
    done = [announcer.announce(campaign, Task("outreach", "announce", {"campaign": "spring"}))]
    while world.queue.sent:
        task, delay = world.queue.sent.pop(0)
        world.now += timedelta(seconds=delay)
        done.append(announcer.announce(campaign, task))
    return done


def test_every_target_is_told_once() -> None:
    topic, hook = Told(), Told()
    assert announce(World(), topic=topic, hook=hook) == ["announced", "delivered", "delivered"]
    assert topic.events == hook.events
    assert topic.events[0].id == "spring:1773072000000"


def test_a_target_that_fails_is_tried_again_and_in_the_end_given_up() -> None:
    assert announce(World(), hook=Told(2)) == ["announced", "later", "later", "delivered"]
    assert announce(World(), hook=Told(1, lasting=True)) == ["announced", "given up"]
    outcomes = announce(World(), hook=Told(1000))
    assert (outcomes[-1], len(outcomes) > 90) == ("given up", True)


def test_nobody_is_told_where_nobody_is_to_be() -> None:
    assert announce(World()) == ["announced"]


def test_the_event_counts_people_and_names_none() -> None:
    world = World()
    campaign = world.campaign(**FINISHED)
    world.add("1", BERLIN)
    world.add("2", NEW_YORK)
    event = campaign_finished(campaign, {"waiting": 1, "done": 1})
    assert (event.type, event.subject) == ("Switchboard.CampaignFinished", "/campaigns/spring")
    assert event.data == {
        "campaignId": "spring",
        "name": "spring",
        "purpose": "service",
        "people": 2,
        "states": {"done": 1, "waiting": 1},
        "startedAt": "2026-03-09T14:00:00.000Z",
        "finishedAt": "2026-03-09T16:00:00.000Z",
        "campaign": "/api/campaigns/spring",
    }
