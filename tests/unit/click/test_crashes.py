"""Instances that die, responses that get lost, ends of calls that are told twice: agents are called in order, once
each, and nobody after one has taken the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.click.limits import MOST_A_DAY, Entry, written
from shared.click.request import made_id
from shared.click.service import LATEST
from shared.errors import StoreUnavailable, SwitchboardError
from shared.rows import Change, Changed, MemoryRows
from tests.unit.click.conftest import MONDAY, World

AGENTS = [f"+1425555{last:04}" for last in (142, 143, 144)]


class Failing(MemoryRows):
    """A storage whose response gets lost after so many writes; None: never."""

    left: int | None = None

    def _count(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            self.left = None
            raise StoreUnavailable("the response was lost")
        self.left -= 1

    def change(
        self,
        table: str,
        partition: str,
        changes: Mapping[str, Change],
        before: Callable[[Changed], None] | None = None,
    ) -> Changed:
        changed = super().change(table, partition, changes, before)
        self._count()
        return changed

    def put(self, table: str, partition: str, texts: Mapping[str, str | None]) -> None:
        super().put(table, partition, texts)
        self._count()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "wait", "refused", "accepts", "ends"]),
        st.one_of(st.none(), st.integers(0, 6)),
        st.booleans(),
    ),
    max_size=25,
)


@given(STEPS)
@settings(deadline=None)
def test_agents_are_called_in_order_once_each_and_none_after_one_has_taken_it(
    steps: list[tuple[str, int | None, bool]],
) -> None:
    rows = Failing()
    world = World(rows)
    world.site(agents=AGENTS, limits={"number_hour": 9, "number_day": 9})
    over: set[int] = set()
    taken: int | None = None
    calls = 0
    for what, left, lost in steps:
        rows.left, world.fails = left, int(lost)
        now = [int(key.rsplit(":", 1)[1]) for key in world.placed]
        try:
            if what == "ask":
                world.ask(key="k")
            elif what == "wait":
                world.wait(minutes=1)
            elif what == "accepts" and now and max(now) not in over:
                (request,) = {key.split(":")[1] for key in world.placed}
                if world.click.accept(request, max(now)):
                    taken = max(now)
            elif now:
                (request,) = {key.split(":")[1] for key in world.placed}
                found = world.click.store.request(request)
                if found is not None and (what == "ends") == found.taken:
                    over.add(max(now))
                    world.close(found, max(now), "connected" if found.taken else "calling_agent")
        except (SwitchboardError, TimeoutError):
            pass
        rows.left, world.fails = None, 0
        placed = [int(key.rsplit(":", 1)[1]) for key in world.placed]
        assert placed == list(range(len(placed)))
        assert set(range(len(placed) - 1)) <= over, "somebody was called before the one before was through"
        if taken is not None:
            assert len(placed) <= taken + 1
        assert len(placed) >= calls
        calls = len(placed)
    assert len(world.click.store.entries("shop")) <= 1


def test_the_fullest_ledger_fits_into_a_row() -> None:
    days = LATEST // timedelta(days=1) + 1
    line = Entry(int(MONDAY.timestamp()), made_id(MONDAY), "n" * 25, "a" * 25, "k" * 16, "s" * 16)
    assert len(written([line] * (MOST_A_DAY * days))) < 900_000  # an entity holds 1 MB (docs: Table service data model)
