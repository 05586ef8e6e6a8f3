"""The simulation of many instances: its clock, its storage, and that it costs what the real storage costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError
from azure.data.tables import TransactionOperation, UpdateMode

from bench.scale.measure import bends_at, price_of_a_call, requests_of_a_call
from bench.scale.simulation import Load, Result, Simulation
from bench.scale.storage import ACCOUNT, PARTITION, Account, Clients, Limit, Table, constant
from bench.scale.virtual_time import START, Lock, Pool, VirtualTime


def run(*tasks: Callable[[VirtualTime], None]) -> VirtualTime:
    time = VirtualTime()
    for task in tasks:
        time.after(0, lambda task=task: task(time))  # type: ignore[misc]
    time.run()
    return time


# The clock


def test_tasks_take_turns_by_the_time_that_each_has() -> None:
    seen: list[tuple[str, float]] = []

    def task(name: str, pause: float) -> Callable[[VirtualTime], None]:
        def work(time: VirtualTime) -> None:
            for _ in range(2):
                time.sleep(pause)
                seen.append((name, round(time.now - START, 3)))

        return work

    assert run(task("slow", 3600), task("quick", 1.5)).now == START + 7200
    assert seen == [("quick", 1.5), ("quick", 3.0), ("slow", 3600.0), ("slow", 7200.0)]


def test_what_a_task_raises_ends_the_run() -> None:
    def fails(time: VirtualTime) -> None:
        time.sleep(1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(fails)


def test_a_lock_is_given_in_the_order_in_which_it_was_asked_for() -> None:
    order: list[int] = []
    lock: list[Lock] = []

    def holds(number: int) -> Callable[[VirtualTime], None]:
        def work(time: VirtualTime) -> None:
            lock[:] = lock or [Lock(time)]
            with lock[0]:
                time.sleep(5 - number)
                order.append(number)
            assert lock[0].acquire(blocking=False) is (number == 3)

        return work

    assert run(*map(holds, (1, 2, 3))).now == START + 4 + 3 + 2
    assert order == [1, 2, 3]


def test_a_pool_works_side_by_side_and_keeps_the_order() -> None:
    found: list[int] = []

    def maps(time: VirtualTime) -> None:
        def slow(number: int) -> int:
            time.sleep(1)
            return number * 10

        with Pool(time, 2) as pool:
            found.extend(pool.map(slow, range(5)))
            assert list(pool.map(slow, ())) == []

    assert run(maps).now == START + 3
    assert found == [0, 10, 20, 30, 40]


# The storage


def test_the_published_limits() -> None:
    assert (PARTITION, ACCOUNT) == (2_000.0, 20_000.0)


def test_a_limit_takes_what_a_second_gives_and_no_more() -> None:
    limit = Limit(100.0)
    assert limit.take(1000.0, 100)
    assert not limit.take(1000.0, 1)
    assert not limit.take(1000.5, 51)
    assert limit.take(1000.5, 50)
    assert limit.take(2000.0, 100), "what was not used is not saved up"
    assert not limit.take(2000.0, 1)


def on_table(work: Callable[[Table, Account], None], **options: float) -> Account:
    time = VirtualTime()
    account = Account(time, constant(0.010), **options)
    time.after(0, lambda: work(Table(Clients(account, lambda operation: None), "simcalls"), account))
    time.run()
    return account


HEAD = {"PartitionKey": "a", "RowKey": "head", "tail": "1"}


def test_rows_are_written_under_the_conditions_that_the_real_storage_has() -> None:
    def work(table: Table, account: Account) -> None:
        first = table.create_entity(HEAD)["etag"]
        with pytest.raises(ResourceExistsError):
            table.create_entity(HEAD)
        second = table.update_entity({**HEAD, "tail": "2"}, etag=first)["etag"]
        with pytest.raises(ResourceModifiedError):
            table.update_entity({**HEAD, "tail": "3"}, etag=first)
        condition = {"etag": second}
        steps = [
            (TransactionOperation.UPDATE, {**HEAD, "tail": "4"}, condition),
            (TransactionOperation.UPSERT, {"PartitionKey": "a", "RowKey": "s0001"}, {"mode": UpdateMode.MERGE}),
        ]
        table.submit_transaction(steps)
        with pytest.raises(ResourceModifiedError):
            table.submit_transaction(steps)
        table.upsert_entity({"PartitionKey": "a", "RowKey": "head", "more": "5"})
        rows = list(table.query_entities("PartitionKey eq @call", parameters={"call": "a"}))
        assert [(row["RowKey"], row.get("tail"), row.get("more")) for row in rows] == [
            ("head", "4", "5"),
            ("s0001", None, None),
        ]

    account = on_table(work)
    assert account.lost == 2
    assert account.time.now == pytest.approx(START + 8 * 0.010)


def test_above_a_limit_a_request_is_tried_again_and_then_refused() -> None:
    def work(table: Table, account: Account) -> None:
        table.create_entity(HEAD)
        table.upsert_entity(HEAD)  # 2 entities a second: the second is used up
        with pytest.raises(HttpResponseError) as caught:
            table.upsert_entity(HEAD)
        assert caught.value.status_code == 503

    account = on_table(work, scale=0.001)
    assert account.busy == {"simcalls": 3}
    assert account.time.now == pytest.approx(START + 5 * 0.010 + 0.4)


# Calls


@pytest.fixture(scope="module")
def small() -> Result:
    return Simulation(Load(2, 3.0, 4.0, constant(0.005))).run()


def test_every_call_ends_right_on_two_instances(small: Result) -> None:
    assert small.calls == small.outcomes["ended completed"] > 5
    assert len(small.gaps) == 7 * small.calls, "after the connection and each of six prompts something follows"
    assert small.refused == small.given_up == 0
    assert small.callbacks >= 15 * small.calls, "two when it is up, two for each prompt, one at the end"


def test_a_run_is_the_same_again(small: Result) -> None:
    again = Simulation(Load(2, 3.0, 4.0, constant(0.005))).run()
    assert (again.account.requests, again.gaps) == (small.account.requests, small.gaps)


def test_a_callback_costs_what_it_costs_on_the_real_storage(small: Result) -> None:
    """`python -m bench --only roundtrips` counts one request of a warm callback and two of a cold one on Azurite."""
    alone = Simulation(Load(1, 2.0, 4.0, constant(0.005))).run()
    assert {1, 2} <= set(alone.trips) <= {1, 2, 3}, "the first callback of a call is cold: it was answered elsewhere"
    assert 1.0 < sum(alone.trips) / len(alone.trips) < 1.5
    assert 1.0 < sum(small.trips) / len(small.trips) <= 2.0


def test_a_slow_storage_is_heard(small: Result) -> None:
    slow = Simulation(Load(2, 3.0, 4.0, constant(0.020))).run()
    assert min(slow.gaps) - min(small.gaps) == pytest.approx(0.015, abs=0.001)


def test_calls_over_a_storage_that_is_too_slow_for_them_end_in_the_end() -> None:
    """Requests are refused and tried again; nothing is lost for good."""
    bent = Simulation(Load(2, 3.0, 6.0, constant(0.005), limits=0.01)).run()
    assert bent.account.busy.total() > 0
    assert bent.outcomes["ended completed"] == bent.calls


def test_the_figures_of_a_call() -> None:
    account = SimpleNamespace(
        requests=Counter({"replace simcalls": 90, "put blob": 10}),
        entities={"index: open": 50},
    )
    result = SimpleNamespace(account=account, calls=10)
    assert requests_of_a_call(result) == 10.0  # type: ignore[arg-type]
    assert price_of_a_call(result) == pytest.approx(100 * (90 * 0.00036 + 10 * 0.05) / 10_000 / 10)  # type: ignore[arg-type]
    assert bends_at(result, "index: open") == 400.0  # type: ignore[arg-type]
