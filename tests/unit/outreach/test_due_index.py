"""However changes of people and looks at who is due interleave, and whoever dies: nobody who waits is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared.outreach.people import People, _page_of, _partition
from shared.outreach.person import Person
from shared.rows import Change, Changed, MemoryRows, Row, Table
from tests.unit.outreach.people import MONDAY, key_of, person

FIRST, SECOND = "0" * 32, "0" * 31 + "1"
"""The keys of two people on one page."""
SCHEDULES = 400
FAR = MONDAY + timedelta(days=2)


class Died(Exception):
    """The process of an actor ended."""


class Stepped(MemoryRows):
    """Memory in which a round trip waits for its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.step: Callable[[], None] = lambda: None

    def get(self, table: Table, partition: str, key: str) -> str | None:
        self.step()
        return super().get(table, partition, key)

    def put(self, table: Table, partition: str, texts: Mapping[str, str | None]) -> None:
        self.step()
        super().put(table, partition, texts)

    def change(
        self,
        table: Table,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        def planned(changed: Changed) -> None:
            if before is not None:
                before(changed)
            self.step()

        self.step()
        return super().change(table, partition, changes, planned)

    def first(self, table: Table, since: str, until: str, most: int | None = None, before: str = "") -> Iterable[Row]:
        self.step()
        return super().first(table, since, until, most, before)


class Schedule:
    """Lets one actor after the other go a step, in an order that follows from a seed; each may die at a step."""

    def __init__(self, rows: Stepped, seed: int) -> None:
        self._random = Random(seed)
        self._gates: dict[str, threading.Semaphore] = {}
        self._steps: dict[str, int] = {}
        self._dies: dict[str, int] = {}
        self._at_rest = threading.Semaphore(0)
        self._failed: list[BaseException] = []
        self._name = threading.local()
        rows.step = self._step

    def run(self, **actors: Callable[[], object]) -> None:
        for name in actors:
            self._gates[name], self._steps[name] = threading.Semaphore(0), 0
            self._dies[name] = self._random.randint(1, 12) if self._random.random() < 0.4 else 0
        threads = {name: threading.Thread(target=self._act, args=(name, act)) for name, act in actors.items()}
        for thread in threads.values():
            thread.start()
        while self._gates:
            self._gates[self._random.choice(sorted(self._gates))].release()
            self._at_rest.acquire()
        for thread in threads.values():
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _act(self, name: str, act: Callable[[], object]) -> None:
        self._name.here = name
        self._gates[name].acquire()
        try:
            act()
        except Died:
            pass
        except BaseException as error:
            self._failed.append(error)
        finally:
            del self._gates[name]
            self._at_rest.release()

    def _step(self) -> None:
        name = getattr(self._name, "here", "")
        if not name:
            return
        self._steps[name] += 1
        if self._steps[name] == self._dies[name]:
            raise Died
        self._at_rest.release()
        self._gates[name].acquire()


def waits(key: str, minutes: int, **more: Any) -> Person:
    return person(at=MONDAY + timedelta(minutes=minutes)).model_copy(update={"key": key, **more})


def test_people_are_spread_evenly_over_64_partitions_and_1024_pages() -> None:
    rows = MemoryRows()
    everybody = {key_of(f"A-{n}"): waits(key_of(f"A-{n}"), 0) for n in range(20_000)}
    People(rows).change_all("spring", everybody, lambda _, one: one)
    pages = list(rows.first("people", "spring.", "spring/"))
    assert len(pages) == 1024
    partitions = Counter(row.partition for row in pages)
    assert (len(partitions), set(partitions.values())) == (64, {16})
    sizes = Counter(_partition("spring", _page_of(key)) for key in everybody)
    assert 230 < min(sizes.values()) <= max(sizes.values()) < 400, "312 each"
    assert max(len(row.text) for row in pages) < 12_000


@pytest.mark.parametrize("part", range(4))
def test_who_waits_is_found_whatever_interleaves_and_dies(part: int) -> None:
    for seed in range(part * SCHEDULES // 4, (part + 1) * SCHEDULES // 4):
        random, rows = Random(seed), Stepped()
        people = People(rows)

        def becomes(key: str, random: Random = random, people: People = people) -> Callable[[], None]:
            """Somebody is called, and waits for the next call, again and again."""
            states = [
                waits(key, random.choice([0, 0, 1, 5]), state=random.choice(["waiting", "waiting", "calling"]))
                for _ in range(random.randint(1, 3))
            ]

            def act() -> None:
                for state in states:
                    people.change("spring", key, lambda _, state=state: state)  # type: ignore[misc]

            return act

        def look(people: People = people) -> None:
            people.due("spring", FAR, 10)
            people.due("spring", FAR, 10)

        if random.random() < 0.7:
            people.change("spring", FIRST, lambda _: waits(FIRST, 1))
            people.change("spring", FIRST, lambda _: waits(FIRST, 3, state="calling"))
        Schedule(rows, seed).run(one=becomes(FIRST), other=becomes(SECOND), look=look, second_look=look)
        waiting = {one.key for one in people.all("spring") if one.state == "waiting"}
        assert {one.key for one in people.due("spring", FAR, 100)} == waiting, f"seed {seed}"
        assert (people.next_due("spring") is not None) is bool(waiting)
