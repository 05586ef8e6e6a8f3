"""Sessions of two people, as routes, flow and agenda have them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.calls.record import CallRecord
from shared.errors import InvalidInput, KeyReused, NotFound, StateConflict
from shared.identifiers import Identifier
from shared.masking.choosing import PoolExhausted, PoolNumber
from shared.rows import MemoryRows
from shared.use_cases import Erased, Task
from tests.unit.masking.world import (
    ADA,
    BOB,
    CLEO,
    DAN,
    DE1,
    HOUR,
    KLARA,
    NEW_KEY,
    NOW,
    OLD_KEY,
    US1,
    US2,
    US3,
    Instance,
    assert_reachable,
    instance,
)

ONE = (PoolNumber(US1, "US", 2),)


def record(session: str, by: str = "a", result: str = "connected", **more: Any) -> CallRecord:
    started = int(NOW.timestamp() * 1000)
    given: dict[str, Any] = {
        "flow": "masking",
        "started_at": started,
        "ended_at": started + 65_400,
        "result": result,
        "details": {"session": session, "by": by, "connected_at": started + 10_000},
        "call_connection_id": "connection-1",
    }
    return CallRecord("call-1", **{**given, **more})


def test_each_of_the_two_gets_a_number_of_their_country_and_is_put_through_to_the_other() -> None:
    app = instance()
    session = app.open(ADA, KLARA, label="order 4711", language_b="de", record=True, screen="key")
    assert (session.a.shows in (US1, US2), session.b.shows) == (True, DE1)
    assert app.masking.look_up(session.a.shows, ADA) == {
        "state": "open",
        "session": session.id,
        "side": "a",
        "number": KLARA,
        "shows": DE1,
        "language": "",
        "other_language": "de",
        "label": "order 4711",
        "screen": "key",
        "record": True,
    }
    back = app.masking.look_up(DE1, KLARA)
    assert (back["side"], back["number"], back["shows"], back["language"]) == ("b", ADA, session.a.shows, "de")
    assert_reachable(app)


def test_whoever_has_no_session_on_a_number_is_unknown_there() -> None:
    app = instance()
    session = app.open()
    assert app.masking.look_up(session.a.shows, CLEO)["state"] == "unknown"
    assert app.masking.look_up(DE1, ADA)["state"] == "unknown"
    assert app.masking.look_up(session.a.shows, "")["state"] == "unknown"


def test_a_pin_puts_a_stranger_through_on_the_number_of_its_party_alone() -> None:
    app = instance()
    session = app.open(ADA, KLARA)
    way = app.masking.look_up_pin(session.a.shows, session.a.pin, "1")
    assert (way["side"], way["number"]) == ("a", KLARA)
    assert app.masking.look_up_pin(DE1, session.a.pin, "2")["state"] == "unknown"


def test_after_thirty_wrong_pins_in_an_hour_a_number_takes_none_until_the_next() -> None:
    app = instance()
    session = app.open()
    wrong = "000000" if session.a.pin != "000000" else "000001"
    for guess in range(30):
        assert app.masking.may_guess(session.a.shows)
        app.masking.look_up_pin(session.a.shows, wrong, str(guess))
        app.masking.look_up_pin(session.a.shows, wrong, str(guess))
    assert not app.masking.may_guess(session.a.shows)
    assert app.masking.may_guess(DE1)
    app.time += HOUR
    assert app.masking.may_guess(session.a.shows)


def test_the_same_key_gives_the_same_session_and_another_request_is_refused() -> None:
    app = instance()
    first = app.open(key="order-4711")
    assert app.open(key="order-4711") == first
    assert len(list(app.masking.listed("", ""))) == 1
    with pytest.raises(KeyReused):
        app.open(ADA, CLEO, key="order-4711")


def test_somebody_in_two_sessions_has_a_number_for_each() -> None:
    app = instance()
    one, two = app.open(ADA, BOB), app.open(ADA, CLEO)
    assert {one.a.shows, two.a.shows} == {US1, US2}
    assert_reachable(app)


def test_an_exhausted_pool_says_how_many_numbers_would_do_by_sessions() -> None:
    app = instance()
    app.open(ADA, BOB)
    app.open(ADA, CLEO)
    with pytest.raises(PoolExhausted, match=r"pool: 2; open sessions of b: 2; .* A pool of 3 would do") as refused:
        app.open(DAN, ADA, key="third")
    assert ADA not in str(refused.value)
    assert len(list(app.masking.listed("", ""))) == 2


def test_an_exhausted_pool_says_how_many_numbers_would_do_by_calls_at_once() -> None:
    app = instance(pool=ONE, calls_at_once={US1: 7, DE1: 90})
    app.open(ADA, BOB)
    with pytest.raises(PoolExhausted, match=r"calls at once: 7\. A pool of 4 would do"):
        app.open(ADA, CLEO)


def test_an_opening_that_found_no_number_holds_none_and_its_key_may_be_used_again() -> None:
    app = instance(pool=(*ONE, PoolNumber(DE1, "DE", 2)))
    first = app.open(ADA, KLARA)
    with pytest.raises(PoolExhausted):
        app.open(BOB, ADA, key="later")
    app.masking.close(first.id)
    app.time += HOUR
    assert app.open(BOB, ADA, key="later").state == "open"
    assert_reachable(app)


def test_a_number_is_not_given_to_another_pair_until_the_cool_off_is_over() -> None:
    app = instance(pool=ONE)
    app.masking.close(app.open(ADA, BOB).id)
    app.time += HOUR - timedelta(seconds=1)
    with pytest.raises(PoolExhausted, match="had until shortly ago: 1"):
        app.open(ADA, CLEO)
    app.time += timedelta(seconds=1)
    assert app.open(ADA, CLEO).a.shows == US1


def test_the_same_two_get_their_numbers_back_at_once_if_sticky_alone() -> None:
    app = instance()
    first = app.open(ADA, BOB)
    app.masking.close(first.id)
    again = app.open(ADA, BOB)
    assert (again.a.shows, again.b.shows) == (first.a.shows, first.b.shows)
    app.masking.close(again.id)
    other = app.open(ADA, BOB, sticky=False)
    assert other.a.shows != first.a.shows
    assert other.b.shows != first.b.shows


def test_a_country_without_numbers_is_refused_unless_another_is_named() -> None:
    app = instance(pool=ONE)
    with pytest.raises(
        PoolExhausted, match=r"No number of DE is left for b\. Numbers in the pool: 0; .* A pool of 1 w"
    ):
        app.open(ADA, KLARA)
    assert app.open(ADA, KLARA, country="US").b.shows == US1


@pytest.mark.parametrize(
    ("a", "b", "field"),
    [
        ("425 555 0123", BOB, "a"),
        (ADA, "+112", "b"),
        (ADA, "+19005550123", "b"),
        (ADA, US3, "b"),
        (ADA, ADA, "b"),
        ("+999123456789", BOB, "a"),
    ],
)
def test_a_number_that_cannot_be_a_party_is_refused_without_being_said(a: str, b: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        instance().open(a, b)
    assert refused.value.field == field
    assert not {a, b} & set(str(refused.value).split())


@pytest.mark.parametrize("label", ["call 425-555-0142 now", "<speak>", "x" * 61, "a\nb"])
def test_a_label_that_tells_a_number_or_cannot_be_spoken_is_refused(label: str) -> None:
    with pytest.raises(InvalidInput, match="label"):
        instance().open(label=label)


def test_a_closed_session_says_so_to_both_until_their_number_means_another() -> None:
    app = instance(pool=ONE)
    session = app.open(ADA, BOB)
    closed = app.masking.close(session.id)
    assert (closed.state, closed.reason, closed.closed_at) == ("closed", "closed", NOW)
    assert app.masking.close(session.id) == closed
    for who in (ADA, BOB):
        assert app.masking.look_up(US1, who)["state"] == "closed"
    assert app.masking.look_up_pin(US1, session.a.pin, "1")["state"] == "unknown"
    app.time += HOUR
    app.open(ADA, CLEO)
    assert app.masking.look_up(US1, ADA)["number"] == CLEO


def test_a_session_expires_and_may_be_extended_before() -> None:
    app = instance()
    session = app.open(lasts=timedelta(minutes=10))
    app.time += timedelta(minutes=9)
    extended = app.masking.extend(session.id, timedelta(minutes=10))
    assert extended.expires_at == NOW + timedelta(minutes=19)
    app.time += timedelta(minutes=9, seconds=59)
    app.tick()
    assert app.masking.look_up(session.a.shows, ADA)["state"] == "open"
    app.time += timedelta(seconds=1)
    assert app.masking.look_up(session.a.shows, ADA)["state"] == "closed"
    assert app.masking.get(session.id).reason == "expired"
    with pytest.raises(StateConflict, match="closed"):
        app.masking.extend(session.id, HOUR)
    with pytest.raises(StateConflict, match="closed"):
        app.masking.replace(session.id, "b", CLEO, "")


def test_the_agenda_closes_what_has_expired_and_removes_what_was_kept_for_long_enough() -> None:
    rows = MemoryRows()
    app = Instance(rows)
    session = app.open(key="order-4711", lasts=timedelta(minutes=10))
    app.masking.replace(session.id, "b", CLEO, "")
    app.masking.closing(record(session.id))
    app.time += timedelta(minutes=11)
    app.tick()
    stored = app.sessions.get(session.id)
    assert stored is not None
    assert (stored.state, stored.closed_at) == ("closed", NOW + timedelta(minutes=10))
    app.time = NOW + timedelta(days=30, minutes=8)
    app.tick()
    assert app.sessions.get(session.id) is not None
    app.time += timedelta(minutes=2)
    app.tick()
    assert rows._rows == {}


def test_a_session_that_is_due_in_this_minute_is_looked_at_again_in_the_next() -> None:
    app = instance()
    session = app.open(lasts=timedelta(seconds=90))
    app.time += timedelta(seconds=70)
    app.tick()
    app.time += timedelta(minutes=1)
    app.tick()
    stored = app.sessions.get(session.id)
    assert stored is not None
    assert stored.reason == "expired"


def test_closed_sessions_are_kept_for_good_if_the_setting_says_so() -> None:
    app = instance(retention=None)
    session = app.open(lasts=timedelta(minutes=1))
    app.time += timedelta(days=4000)
    app.tick()
    assert app.masking.get(session.id).state == "closed"
    assert app.agenda.due(app.time + timedelta(days=4000)) == []


def test_who_is_replaced_hears_that_it_is_closed_and_the_other_keeps_their_number() -> None:
    app = instance()
    session = app.open(ADA, BOB)
    now = app.masking.replace(session.id, "b", CLEO, "de")
    assert (now.a, now.b.number, now.b.language) == (session.a, CLEO, "de")
    assert app.masking.look_up(session.a.shows, ADA)["number"] == CLEO
    assert app.masking.look_up(session.b.shows, BOB)["state"] == "closed"
    assert app.masking.replace(session.id, "b", CLEO, "de") == now
    with pytest.raises(InvalidInput, match="other one"):
        app.masking.replace(session.id, "b", ADA, "")
    assert app.masking.replace(session.id, "b", BOB, "").b.shows == session.b.shows
    assert_reachable(app)


def test_a_party_is_replaced_twenty_times_at_most() -> None:
    app = instance(cool_off=timedelta())
    session = app.open(ADA, BOB)
    for turn in range(20):
        app.masking.replace(session.id, "b", (CLEO, DAN)[turn % 2], "")
    with pytest.raises(StateConflict, match="20 times"):
        app.masking.replace(session.id, "b", BOB, "")


def test_a_call_is_kept_once_with_who_called_and_how_long_they_talked() -> None:
    app = instance()
    session = app.open()
    app.masking.closing(record(session.id, recording_ids=("r",)))
    app.masking.closing(record(session.id, recording_ids=("r",)))
    ((_, found),) = app.masking.interactions(session.id, "")
    assert found.model_dump(mode="json") == {
        "call_id": "call-1",
        "by": "a",
        "at": "2026-11-28T09:00:00Z",
        "outcome": "connected",
        "seconds": 55,
        "recorded": True,
        "by_pin": False,
    }


@pytest.mark.parametrize(
    ("result", "outcome"), [("no_answer", "no_answer"), ("", "failed"), ("greeted", "failed"), ("no_line", "no_line")]
)
def test_a_call_that_nobody_took_has_an_outcome_and_no_seconds(result: str, outcome: str) -> None:
    app = instance()
    session = app.open()
    app.masking.closing(record(session.id, "b", result))
    ((_, found),) = app.masking.interactions(session.id, "")
    assert (found.by, found.outcome, found.seconds) == ("b", outcome, 0)


def test_a_call_without_a_session_leaves_nothing() -> None:
    rows = MemoryRows()
    app = Instance(rows)
    app.masking.closing(record("", details={}))
    app.masking.closing(record("gone"))
    assert rows._rows == {}


def test_who_calls_while_the_other_calls_learns_of_that_call_as_often_as_they_ask() -> None:
    app = instance()
    session = app.open()
    assert app.masking.begin(session.id, "a", "call-1", "connection-1", f"4:{ADA}") == []
    for _ in range(2):
        found = app.masking.begin(session.id, "b", "call-2", "connection-2", f"4:{BOB}")
        assert found == [f"4:{ADA}", "connection-1"]
    app.masking.closing(record(session.id, result="caller_left"))
    ((_, call),) = app.masking.interactions(session.id, "")
    assert call.outcome == "joined"
    ongoing = app.sessions.ongoing(session.id)
    assert ongoing is not None
    assert ongoing.call_id == "call-2"


def test_a_call_that_went_on_in_the_others_is_told_so_even_if_that_was_told_first() -> None:
    app = instance()
    session = app.open()
    app.masking.begin(session.id, "a", "call-1", "connection-1", f"4:{ADA}")
    app.masking.begin(session.id, "b", "call-2", "connection-2", f"4:{BOB}")
    app.masking.closing(CallRecord("call-2", result="connected", details={"session": session.id, "by": "b"}))
    app.masking.closing(record(session.id, result="caller_left"))
    assert sorted(call.outcome for _, call in app.masking.interactions(session.id, "")) == ["connected", "joined"]
    assert app.masking.begin(session.id, "a", "call-3", "connection-3", f"4:{ADA}") == []
    app.masking.begin(session.id, "b", "call-4", "connection-4", f"4:{BOB}")
    app.masking.erase(Identifier.parse(ADA))
    assert app.sessions.ongoing(session.id) is None


def test_who_talks_is_not_taken_out_of_their_call_nor_by_a_call_of_their_own_side() -> None:
    app = instance()
    session = app.open()
    app.masking.begin(session.id, "a", "call-1", "connection-1", f"4:{ADA}")
    assert app.masking.begin(session.id, "a", "call-0", "connection-0", f"4:{ADA}") == []
    app.masking.answered(session.id, "call-0")
    assert app.masking.begin(session.id, "b", "call-2", "connection-2", f"4:{BOB}") == []
    app.masking.closing(record(session.id))
    app.masking.closing(CallRecord("call-2", details={"session": session.id, "by": "b"}))
    assert app.sessions.ongoing(session.id) is None


def test_what_is_kept_of_a_person_is_exported_without_the_other() -> None:
    app = instance()
    session = app.open(label="order 4711")
    app.masking.closing(record(session.id))
    found = app.masking.export(Identifier.parse(ADA))
    assert [one["label"] for one in found["sessions"]] == ["order 4711"]
    assert found["sessions"][0]["calls"][0]["seconds"] == 55
    assert BOB not in str(found)
    assert app.masking.export(Identifier.parse(CLEO)) == {}


def test_erasing_a_person_closes_their_sessions_and_leaves_nothing_of_them() -> None:
    rows = MemoryRows()
    app = Instance(rows)
    session = app.open(key="order-4711", label="for Ada")
    app.masking.begin(session.id, "a", "call-1", "connection-1", f"4:{ADA}")
    assert app.masking.erase(Identifier.parse(ADA)) == Erased(2)
    assert app.masking.get(session.id).reason == "erased"
    assert app.masking.look_up(session.a.shows, ADA)["state"] == "unknown"
    assert app.masking.look_up(session.b.shows, BOB)["state"] == "closed"
    left = str(rows._rows)
    assert ADA not in left
    assert "for Ada" not in left
    assert not any(partition in left for partition in app.claims.hashes(ADA))
    assert app.masking.erase(Identifier.parse(ADA)) == Erased(0)


def test_after_a_change_of_the_key_everybody_is_found_and_no_number_is_given_twice() -> None:
    rows = MemoryRows()
    before, after = Instance(rows, key=OLD_KEY, pool=ONE), Instance(rows, previous=OLD_KEY, pool=ONE)
    after.masking.close(before.open(BOB, DAN).id)
    session = before.open(ADA, CLEO)
    assert_reachable(after)
    for app in (before, after):
        with pytest.raises(PoolExhausted):
            app.open(ADA, BOB)
    after.masking.close(session.id)
    after.time = before.time = NOW + HOUR
    after.open(ADA, DAN)
    for app in (before, after, Instance(rows, key=NEW_KEY)):
        app.time = after.time
        assert_reachable(app)


def test_after_a_change_of_the_key_the_same_two_get_the_number_that_they_had() -> None:
    rows = MemoryRows()
    before, after = Instance(rows, key=OLD_KEY, pool=ONE), Instance(rows, previous=OLD_KEY, pool=ONE)
    before.masking.close(before.open(ADA, BOB).id)
    assert after.open(BOB, ADA).a.shows == US1, "others would have to wait for an hour"


@pytest.mark.parametrize("do", ["get", "close", "extend", "interactions", "replace"])
def test_a_session_that_is_none_is_not_found(do: str) -> None:
    more: dict[str, tuple[Any, ...]] = {"extend": (HOUR,), "interactions": ("",), "replace": ("a", ADA, "")}
    with pytest.raises(NotFound):
        getattr(instance().masking, do)("none", *more.get(do, ()))


def test_the_newest_sessions_are_listed_first_and_by_their_state() -> None:
    app = instance()
    first = app.open()
    app.time += timedelta(seconds=1)
    second = app.open(CLEO, DAN)
    app.masking.close(first.id)
    assert [one.id for one in app.masking.listed("", "")] == [second.id, first.id]
    assert [one.id for one in app.masking.listed(second.id, "")] == [first.id]
    assert [one.id for one in app.masking.listed("", "open")] == [second.id]
    assert [one.id for one in app.masking.listed("", "closed")] == [first.id]


def test_there_is_no_work_on_the_queue() -> None:
    with pytest.raises(InvalidInput, match="no work of masking"):
        instance().masking.work(Task("masking", "dial"))
    assert instance().masking.expire(NOW) == 0
