"""Whatever dies, comes twice or gets lost: nobody is called who may not be, and everybody ends in the right class."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import StoreUnavailable
from shared.outreach.lists import Listing
from shared.outreach.person import FINAL
from shared.outreach.rules import Rules
from shared.privacy import NumberHashes
from shared.use_cases.base import Task
from tests.setting_samples import made_key
from tests.unit.outreach.engine import BUSY, DEAD, DECLINED, MACHINE, NO_ANSWER, OPTED_OUT, Placed, World, answered
from tests.unit.outreach.people import BERLIN, MONDAY, NEW_YORK, PHOENIX, key_of

RULES = Rules(purpose="service", zone="Europe/Berlin", most_attempts=4)
NUMBERS = (BERLIN, NEW_YORK, PHOENIX, "+4930123457", "+4930123458")
ZONES = {BERLIN: "Europe/Berlin", NEW_YORK: "America/New_York", PHOENIX: "America/Phoenix"}
ENDS: tuple[dict[str, Any], ...] = (answered(), BUSY, NO_ANSWER, DECLINED, DEAD, MACHINE, OPTED_OUT)

NEVER_CONNECTED = timedelta(seconds=150)
"""After this the watchdog settles a call of which nobody heard."""

EXAMPLES = 60


class Watcher:
    """Judges each call by what it has seen itself, not by what the app keeps."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: dict[str, list[Placed]] = {}
        self.listed: set[str] = set()
        self.refused = world.calls.refused
        world.calls.watch = self.see

    def see(self, placed: Placed) -> None:
        world, number = self.world, placed.number
        others = [one for one in world.calls.going_on.values() if one.attempt != placed.attempt]
        assert number not in {one.number for one in others}, "two calls to a number"
        assert world.window is not None
        assert world.window.is_open((ZONES.get(number, "Europe/Berlin"),), placed.at), "outside of the window"
        assert number not in self.listed, "on a list"
        before = self.seen.setdefault(number, [])
        for length, most in ((24, 3), (24 * 7, 7)):
            assert sum(one.at > placed.at - timedelta(hours=length) for one in before) < most, "over a cap"
        before.append(placed)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 9), st.sampled_from([0.0, 0.01, 0.05]))
def test_whatever_dies_nobody_is_called_wrongly_and_everybody_ends(seed: int, people: int, share: float) -> None:
    random, world = Random(seed), World()
    world.calls.most = random.randint(1, 3)
    watcher = Watcher(world)
    world.campaign(rules=RULES)
    keys = [world.add(str(at), random.choice(NUMBERS), rules=RULES) for at in range(people)]
    world.rows.crash = world.calls.crash = lambda: random.random() < share
    world.calls.breaks_off = lambda: random.random() < 10 * share
    told: list[Any] = []
    world.queue.send(Task("outreach", "look", {"campaign": "spring"}))
    world.agenda.put("outreach", "spring", world.now) if share == 0 else None
    for step in range(400):
        if step == 150:
            share = 0.0
            world.outreach.due("spring")
        if step == 30:  # the key of the hashes is changed
            world.numbers = NumberHashes(made_key("later numbers"), made_key("numbers"))
            for store in (world.state.contacts, world.state.do_not_call, world.state.evidence):
                store._numbers = world.numbers
        tell(world, watcher, random, told)
        tick(world, random)
        if step > 150 and not told and all_over(world, keys):
            break
    states = Counter(person_state(world, key) for key in keys)
    assert set(states) <= FINAL, states
    world.pass_time(timedelta(minutes=11))
    world.pass_time(timedelta(minutes=11))
    campaign = world.state.campaigns.get("spring")
    assert campaign is not None
    assert campaign.state == "finished"
    assert set(world.announced) == {"spring"}
    assert all(not world.state.contacts.get(number).attempt for number in watcher.seen)
    attempts = [one for several in watcher.seen.values() for one in several]
    assert len({one.attempt for one in attempts}) == len(attempts)


def person_state(world: World, key: str) -> str:
    person = world.state.people.get("spring", key)
    assert person is not None
    return person.state


def all_over(world: World, keys: list[str]) -> bool:
    return not world.calls.going_on and not world.calls.stuck and all(person_state(world, key) in FINAL for key in keys)


def tell(world: World, watcher: Watcher, random: Random, told: list[Any]) -> None:
    """Some calls end, and the app is told of each at least once."""
    for attempt, placed in list(world.calls.stuck.items()):
        try:
            if world.now - placed.at > NEVER_CONNECTED:
                told.append(world.calls.gives_up(attempt))
            elif random.random() < 0.5:
                world.calls.resume(attempt)
        except StoreUnavailable:
            continue
    for attempt in list(world.calls.going_on):
        if random.random() < 0.6 or world.now - world.calls.going_on[attempt].at > timedelta(hours=2):
            told.append(world.calls.ends(attempt, **random.choice(ENDS)))
    for record in list(told):
        try:
            world.outreach.closing(record)
        except Exception as error:
            if "died" not in str(error):
                raise
            continue
        if record.result == "opted_out":
            watcher.listed.add(record.callee.removeprefix("4:"))
        if random.random() < 0.8:
            told.remove(record)


def tick(world: World, random: Random) -> None:
    """Some time goes by: seconds, or hours; no call lasts as long as the watchdog lets none (MAX_CALL_MINUTES)."""
    time = timedelta(seconds=random.choice([1, 20, 61, 150, 1000, *([] if world.calls.going_on else [7300, 30_000])]))
    try:
        world.pass_time(time, random)
    except Exception as error:
        if "died" not in str(error):
            raise


def test_an_opt_out_over_the_api_counts_from_the_next_call_on() -> None:
    world = World()
    watcher = Watcher(world)
    world.campaign(rules=RULES)
    world.add("1", BERLIN, rules=RULES)
    listing = Listing(list="own", since=MONDAY, purposes=frozenset({"service"}), reason="letter")
    world.state.do_not_call.opt_out(BERLIN, listing)
    watcher.listed.add(BERLIN)
    world.dial()
    assert person_state(world, key_of("1")) == "suppressed"
