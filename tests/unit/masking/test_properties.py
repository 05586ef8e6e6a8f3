"""Must hold: a look-up names exactly one open session, whatever crashes, duplicates, clock steps, changes of key and
lost responses there are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import SwitchboardError
from shared.identifiers import Identifier
from shared.masking.choosing import PoolNumber
from shared.rows import MemoryRows
from tests.unit.masking.world import (
    ADA,
    BOB,
    CLEO,
    NEW_KEY,
    NOW,
    OLD_KEY,
    US1,
    US2,
    Crash,
    Instance,
    TroubledRows,
    assert_reachable,
    crash,
    unavailable,
)

PEOPLE = (ADA, BOB, CLEO)
POOL = (PoolNumber(US1, "US", 2), PoolNumber(US2, "US", 2))


class Step(NamedTuple):
    """Something that an instance is asked to do.

    Attributes:
        who: the instance: of before the change of the key, or after it.
        pick: which people, session or side.
        passes: seconds before.
        ahead: seconds that the instance's clock is ahead.
        at: the request to the storage at which something happens; None: nothing does.
        how: what happens there: a crash, or that the storage does not respond; `lost`: after it was carried out.
        meanwhile: what another instance does there instead.
    """

    what: str
    who: int
    pick: int
    passes: int
    ahead: int
    at: int | None
    how: str
    lost: bool
    meanwhile: Any


def steps(meanwhile: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        what=st.sampled_from(["open", "open", "replace", "replace", "close", "extend", "tick", "erase"]),
        who=st.integers(0, 1),
        pick=st.integers(0, 11),
        passes=st.sampled_from([0, 0, 1, 121, 301, 3601]),
        ahead=st.sampled_from([0, 0, 0, 130, -130, 4000]),
        at=st.one_of(st.none(), st.integers(0, 24)),
        how=st.sampled_from(["crash", "unavailable", "meanwhile"]),
        lost=st.booleans(),
        meanwhile=meanwhile,
    )


STEPS = st.lists(steps(steps(st.none())), min_size=1, max_size=12)


class World:
    """Two instances over one storage: one knows the old key alone, the other both."""

    def __init__(self) -> None:
        self.rows = MemoryRows()
        self.troubled = [TroubledRows(self.rows) for _ in range(2)]
        more: list[dict[str, Any]] = [{"key": OLD_KEY}, {"key": NEW_KEY, "previous": OLD_KEY}]
        self.instances = [
            Instance(rows, pool=POOL, cool_off=timedelta(minutes=5), **given)
            for rows, given in zip(self.troubled, more, strict=True)
        ]
        self.opened = 0

    def do(self, step: Step) -> None:
        for instance in self.instances:
            instance.time += timedelta(seconds=step.passes)
        app, rows = self.instances[step.who], self.troubled[step.who]
        app.ahead = timedelta(seconds=step.ahead)
        happens: Callable[[], None] = {"crash": crash, "unavailable": unavailable}.get(step.how, lambda: None)
        if step.how == "meanwhile" and step.meanwhile is not None:
            other: Step = step.meanwhile._replace(who=1 - step.who)
            happens = lambda: self.do(other)  # noqa: E731
        rows.trouble(step.at, happens, lost=step.lost)
        with suppress(SwitchboardError, Crash):
            self._act(app, step)
        rows.trouble(None, lambda: None)
        app.ahead = timedelta()

    def _act(self, app: Instance, step: Step) -> None:
        pick = step.pick
        if step.what == "open":
            a, b = PEOPLE[pick % 3], PEOPLE[(pick + 1 + pick // 6) % 3]
            app.open(a, b, key=f"key-{pick // 2}-{a}-{b}", lasts=timedelta(seconds=(90, 7200)[pick % 2]))
        elif step.what == "tick":
            app.tick()
        elif step.what == "erase":
            if pick == 0:
                app.masking.erase(Identifier.parse(PEOPLE[pick % 3]))
        elif sessions := list(app.masking.listed("", "open")):
            session = sessions[pick % len(sessions)].id
            if step.what == "replace":
                app.masking.replace(session, ("a", "b")[pick % 2], PEOPLE[pick // 4], "")
            elif step.what == "close":
                app.masking.close(session)
            else:
                app.masking.extend(session, timedelta(hours=1))


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_a_look_up_names_exactly_one_open_session(given_steps: list[Step]) -> None:
    world = World()
    for step in given_steps:
        world.do(step)
        for instance in world.instances:
            assert_reachable(instance)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_what_was_left_by_crashes_keeps_nobody_from_a_number(given_steps: list[Step]) -> None:
    world = World()
    for step in given_steps:
        world.do(step)
    app = world.instances[1]
    app.time += timedelta(hours=3)
    app.ahead = timedelta()
    for session in list(app.masking.listed("", "open")):
        app.masking.close(session.id)
    app.time += timedelta(minutes=5)
    assert app.open(ADA, BOB, sticky=False).state == "open"
    assert app.open(ADA, CLEO, sticky=False).state == "open"
    assert_reachable(app)


def test_an_opening_that_breaks_off_anywhere_is_finished_by_the_same_request() -> None:
    for lost in (False, True):
        for at in range(60):
            rows = TroubledRows(MemoryRows())
            app = Instance(rows)
            rows.trouble(at, crash, lost=lost)
            try:
                app.open(key="order-4711")
            except Crash:
                rows.trouble(None, crash)
                app.time += timedelta(seconds=30)
                session = app.open(key="order-4711")
                assert session.expires_at in (NOW + timedelta(days=3), NOW + timedelta(days=3, seconds=30))
                assert len(list(app.masking.listed("", ""))) == 1
                assert_reachable(app)
            else:
                break
        else:
            raise AssertionError("more requests than thought")
        assert at > 8, "it breaks off at each request"


def slow(minutes: float, at: int) -> tuple[TroubledRows, Instance, Instance, list[Callable[[], Any]]]:
    """An instance that stands still for so long at a request, while another does what is put into the list."""
    memory = MemoryRows()
    rows = TroubledRows(memory)
    late, quick = Instance(rows, pool=POOL[:1]), Instance(memory, pool=POOL[:1])
    todo: list[Callable[[], Any]] = []

    def stands_still() -> None:
        quick.time = NOW + timedelta(minutes=minutes)
        for do in todo:
            todo.remove(do)
            do()

    rows.trouble(at, stands_still)
    return rows, late, quick, todo


def test_an_opening_that_took_too_long_fails_and_leaves_its_numbers_to_others() -> None:
    for at in range(2, 11):
        _, late, quick, todo = slow(2, at)
        todo.append(lambda quick=quick: quick.open(ADA, CLEO))  # type: ignore[misc]
        with suppress(SwitchboardError):
            late.open(ADA, BOB)
        assert todo == [], at
        late.time = quick.time
        assert [one.b.number for one in quick.masking.listed("", "open")] == [CLEO], at
        assert_reachable(quick)


def test_an_opening_that_is_fresh_keeps_its_numbers() -> None:
    held = 0
    for at in range(4, 11):
        _, late, quick, todo = slow(1.9, at)
        refused: list[SwitchboardError] = []

        def tries(quick: Instance = quick, refused: list[SwitchboardError] = refused) -> None:
            try:
                quick.open(ADA, CLEO)
            except SwitchboardError as error:
                refused.append(error)

        todo.append(tries)
        late.open(ADA, BOB)
        held += len(refused)
        assert_reachable(quick)
    assert held == 7


def test_a_replacement_that_took_too_long_fails_and_leaves_the_number_to_others() -> None:
    tried = 0
    for at in range(3, 20):
        memory = MemoryRows()
        rows = TroubledRows(memory)
        late, quick = Instance(rows, pool=POOL[:1]), Instance(memory, pool=POOL[:1])
        session = late.open(ADA, BOB)

        def meanwhile(quick: Instance = quick, tried_at: int = at) -> None:
            nonlocal tried
            quick.time = NOW + timedelta(minutes=2)
            quick.open(CLEO, "+14255550166", key=str(tried_at))
            tried += 1

        rows.trouble(at, meanwhile)
        replaced = True
        try:
            late.masking.replace(session.id, "b", CLEO, "")
        except SwitchboardError:
            replaced = False
        late.time = quick.time
        assert_reachable(quick)
        cleo = [one for one in quick.masking.listed("", "open") if CLEO in (one.a.number, one.b.number)]
        assert len(cleo) == 1, at
        if rows.asked > at:
            assert not replaced, at
    assert tried > 4


def test_a_second_replacement_waits_for_the_first() -> None:
    memory = MemoryRows()
    rows = TroubledRows(memory)
    late, quick = Instance(rows), Instance(memory)
    session = late.open(ADA, BOB)
    refused: list[str] = []

    def meanwhile() -> None:
        try:
            quick.masking.replace(session.id, "b", "+14255550166", "")
        except SwitchboardError as error:
            refused.append(str(error))

    rows.trouble(3, meanwhile)
    assert late.masking.replace(session.id, "b", CLEO, "").b.number == CLEO
    assert refused == ["Somebody else is being brought into the session; try again in two minutes."]
    assert_reachable(quick)


def test_nothing_is_left_of_a_replacement_that_broke_off_once_its_session_is_removed() -> None:
    broke_off = 0
    for lost in (False, True):
        for at in range(20):
            memory = MemoryRows()
            rows = TroubledRows(memory)
            app = Instance(rows, key=NEW_KEY, previous=OLD_KEY, retention=timedelta(days=1))
            session = app.open(ADA, BOB)
            rows.trouble(at, crash, lost=lost)
            try:
                app.masking.replace(session.id, "a", CLEO, "")
            except Crash:
                broke_off += 1
            rows.trouble(None, crash)
            app.time += timedelta(minutes=at % 5)  # it is closed while somebody is brought in, or after that
            app.masking.close(session.id)
            for _ in range(4):
                app.time += timedelta(days=2)
                app.tick()
            left = [row.key for table in ("pairs", "sessions") for row in memory.first(table, "", "~")]
            assert left == [], (at, lost)
    assert broke_off > 15
