"""That a campaign is finished is told to each target, again and again for a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.notifications.base import DeadLetter
from shared.notifications.errors import NotDelivered, UnknownDeadLetter
from shared.notifications.event import Event
from shared.notifications.memory import MemoryDeadLetters
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


def announcer_of(world: World, letters: MemoryDeadLetters, **targets: Told) -> Announcer:
    return Announcer(lambda: targets, lambda: letters, world.state.people, world.queue, lambda: world.now)


def announce(world: World, letters: MemoryDeadLetters | None = None, **targets: Told) -> list[str]:
    """Each outcome until nothing is left on the queue."""
    campaign, announcer = world.campaign(**FINISHED), announcer_of(world, letters or MemoryDeadLetters(), **targets)
    return [announcer.announce(campaign, Task("outreach", "announce", {"campaign": "spring"})), *work(world, announcer)]


def work(world: World, announcer: Announcer) -> list[str]:
    """Each outcome until nothing is left on the queue."""
    campaign, done = world.campaign(**FINISHED), list[str]()
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


def test_what_was_given_up_is_a_dead_letter_until_it_is_replayed() -> None:
    world, letters, hook, topic = World(), MemoryDeadLetters(), Told(1, lasting=True), Told()
    announce(world, letters, hook=hook, topic=topic)
    at = 1_773_064_800_000
    letter = DeadLetter("2026-03-09", "campaign-spring", "hook", "503", attempts=1, since=at, at=at)
    assert list(letters.listed()) == [letter]
    announcer = announcer_of(world, letters, hook=hook, topic=topic)
    campaign = world.campaign(**FINISHED)
    assert announcer.announce_again(campaign) == ["hook"]
    assert (list(letters.listed()), work(world, announcer)) == ([], ["delivered"])
    assert (hook.events, len(topic.events)) == (topic.events, 1)
    with pytest.raises(UnknownDeadLetter, match="there is no dead letter of campaign-spring"):
        announcer.announce_again(campaign)


def test_an_event_that_is_given_up_again_takes_the_place_of_its_letter() -> None:
    world, letters, hook = World(), MemoryDeadLetters(), Told(2, lasting=True)
    announce(world, letters, hook=hook)
    announcer = announcer_of(world, letters, hook=hook)
    announcer.announce_again(world.campaign(**FINISHED))
    assert work(world, announcer) == ["given up"]
    assert [one.target for one in letters.listed()] == ["hook"]


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
