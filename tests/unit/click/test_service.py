"""The button's rules: who may have somebody called, when, how often, and in what order people are called."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.click.request import Request
from shared.errors import InvalidInput, KeyReused, LimitReached, Refused, StateConflict, SwitchboardError
from shared.lines.calendars import every_day
from shared.lines.times import zone_of
from shared.rows import MemoryRows
from tests.unit.click.conftest import AGENTS, CUSTOMER, MONDAY, OTHER, OURS_ALSO, PAGE, SITE, World, identifier

NUMBERS = [f"+1425555{last:04}" for last in range(100, 108)]


def key_of(request: Request, attempt: int = 0) -> str:
    return f"click:{request.id}:{attempt}"


def test_the_first_agent_is_called_at_once_and_nobody_else(world: World) -> None:
    world.site(language="de")
    request = world.ask(name="Ada Lovelace")
    assert world.placed == {key_of(request): {"request": request.id, "attempt": 0, "language": "de"}}
    assert world.state(request) == ("calling_agent", "")
    assert world.click.plan(request.id, 0) == {
        "agent": f"4:{AGENTS[0]}",
        "caller_number": "4:+18005550199",
        "company": "Contoso",
        "customer": CUSTOMER,
        "name": "Ada Lovelace",
        "ring": 25,
    }


def test_consent_is_kept_with_its_text_version_and_time(world: World) -> None:
    site = world.site()
    request = world.ask()
    assert request.consent.model_dump() == {
        "text": SITE["consent"],
        "version": site.text.consent_version,
        "at": MONDAY,
    }
    world.site(consent="Another text.")
    with pytest.raises(StateConflict, match="another by now"):
        world.ask(OTHER, consent=site.text.consent_version)


def test_agents_are_called_one_after_the_other_until_one_takes_it(world: World) -> None:
    world.site()
    request = world.ask()
    for _ in range(2):  # told twice
        world.close(request, 0, "calling_agent", "busy")
    assert list(world.placed) == [key_of(request, 0), key_of(request, 1)]
    assert not world.click.accept(request.id, 0)  # it is not their turn any more
    assert world.state(request) == ("calling_agent", "")
    assert world.click.accept(request.id, 1)
    world.close(request, 0, "calling_agent", "busy")
    assert world.state(request) == ("calling_you", "")
    world.now += timedelta(seconds=20)
    world.click.joined(request.id)
    assert world.state(request) == ("connected", "")
    world.now += timedelta(seconds=90)
    world.close(request, 1, "connected")
    assert world.state(request) == ("ended", "completed")
    assert world.click.request(request.id).seconds == 90


@pytest.mark.parametrize(
    ("result", "outcome", "known_as"),
    [
        ("not_reached", "completed", "not_reached"),
        ("no_line", "completed", "no_line"),
        ("withdrawn", "completed", "withdrawn"),
        ("calling_you", "caller_left", "not_reached"),
        ("calling_you", "failed", "failed"),
    ],
)
def test_what_became_of_it_is_known(world: World, result: str, outcome: str, known_as: str) -> None:
    world.site()
    request = world.ask()
    assert world.click.accept(request.id, 0)
    world.close(request, 0, result, outcome)
    assert world.state(request) == ("ended", known_as)


def test_without_an_agent_the_customer_is_not_called(world: World) -> None:
    world.site()
    request = world.ask()
    world.close(request, 0, "calling_agent", "no_answer")
    world.close(request, 1, "calling_agent", "declined")
    assert world.state(request) == ("ended", "no_agent")
    assert world.click.plan(request.id, 1) is None
    assert not world.click.accept(request.id, 1)


def test_a_lost_response_and_a_second_closing_place_nothing_twice(world: World) -> None:
    world.site()
    world.fails = 1
    with pytest.raises(TimeoutError):
        world.ask(key="k")
    request = world.ask(key="k")
    world.fails = 1
    with pytest.raises(TimeoutError):
        world.close(request, 0, "calling_agent", "busy")
    world.close(request, 0, "calling_agent", "busy")
    assert list(world.placed) == [key_of(request, 0), key_of(request, 1)]


def test_what_an_instance_died_over_is_placed_a_minute_later(world: World) -> None:
    world.site()
    world.fails = 1
    with pytest.raises(TimeoutError):
        world.ask()
    placed = dict(world.placed)
    world.placed.clear()
    world.wait(minutes=2)
    assert world.placed == placed


def test_the_same_key_is_one_request_and_says_the_same(world: World) -> None:
    world.site()
    first = world.ask(key="k")
    assert world.ask(key="k").id == first.id
    assert len(world.click.store.entries("shop")) == 1
    with pytest.raises(KeyReused):
        world.ask(OTHER, key="k")
    assert world.ask(key="another").id != first.id


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("+493012345678", "of a country"),
        ("+18765551234", "of a country"),
        ("+19005551234", "premium"),
        ("911", "no telephone|no number|emergency"),
        ("+1425555", "no telephone|is no number"),
        ("hello", "signs that no"),
        ("", "is empty"),
    ],
)
def test_only_numbers_of_allowed_countries_are_called(world: World, number: str, problem: str) -> None:
    world.site()
    with pytest.raises(InvalidInput, match=problem):
        world.ask(number)
    assert world.click.store.entries("shop") == ()


def test_numbers_are_read_as_the_first_country_writes_them(world: World) -> None:
    world.site(countries=["DE", "US"])
    assert world.ask("030 901820").number == "+4930901820"
    assert world.ask(CUSTOMER).number == CUSTOMER


def test_what_the_app_may_not_call_is_refused_before_an_agent_is_called(world: World) -> None:
    world.site()
    world.not_callable = "begins with +1, which is not allowed"
    with pytest.raises(InvalidInput, match="not allowed"):
        world.ask()
    assert world.placed == {}


@pytest.mark.parametrize("name", ["call +1 900 555", "www.evil.example/x", "<speak>", "a" * 61])
def test_a_name_is_letters(world: World, name: str) -> None:
    world.site()
    with pytest.raises(InvalidInput, match="name"):
        world.ask(name=name)


def test_a_token_counts_on_its_own_pages_only(world: World) -> None:
    site = world.site()
    assert world.click.page(site.token, PAGE) == site
    assert world.click.page(site.token, PAGE.upper()) == site
    for token, origin in (
        (site.token, "https://evil.example"),
        (site.token, ""),
        (site.token + "x", PAGE),
        ("shop.", PAGE),
        ("shop", PAGE),
        ("../../x.y", PAGE),
        (world.site("other").token.replace("other", "shop"), PAGE),
    ):
        with pytest.raises(Refused) as refused:
            world.click.page(token, origin)
        assert refused.value.status == 403
    assert world.click.knows(PAGE)
    assert not world.click.knows("https://evil.example")


def test_a_change_of_the_site_keeps_its_token(world: World) -> None:
    site = world.site()
    assert world.site(company="Fabrikam").token == site.token
    world.click.remove_site("shop")
    assert world.site().token != site.token


def test_a_withdrawn_site_stops_at_once(world: World) -> None:
    site = world.site()
    now, later = world.ask(), world.ask(OTHER, at=MONDAY + timedelta(minutes=5))
    world.site(enabled=False)
    with pytest.raises(StateConflict):
        world.ask("+14255550188", site=world.click.site("shop"))
    assert world.click.plan(now.id, 0) is None
    assert not world.click.accept(now.id, 0)
    world.close(now, 0, "withdrawn")
    assert world.state(now) == ("ended", "withdrawn")
    world.wait(minutes=10)
    assert world.state(later) == ("ended", "withdrawn")
    world.click.remove_site("shop")
    with pytest.raises(Refused):
        world.click.page(site.token, PAGE)
    assert list(world.placed) == [key_of(now)]


def test_a_call_later_is_placed_at_its_time_within_the_hours(world: World) -> None:
    world.calendars["office"] = every_day(zone_of("UTC"), (9 * 60, 17 * 60))
    world.site(calendar="office")
    request = world.ask(at=MONDAY + timedelta(hours=2))
    assert world.placed == {}
    world.wait(hours=1, minutes=59)
    assert world.placed == {}
    world.wait(minutes=2)
    assert list(world.placed) == [key_of(request)]
    with pytest.raises(StateConflict, match=r"opens at 2026-12-01T09:00:00Z"):
        world.ask(OTHER, at=MONDAY + timedelta(hours=8))
    for at, problem in ((MONDAY - timedelta(hours=1), "is over"), (MONDAY + timedelta(days=8), "7 days")):
        with pytest.raises(InvalidInput, match=problem):
            world.ask(OTHER, at=at)
    del world.calendars["office"]
    with pytest.raises(StateConflict):
        world.ask(OTHER)


def test_a_call_later_that_comes_too_late_or_after_hours_is_missed(world: World) -> None:
    world.calendars["office"] = every_day(zone_of("UTC"), (9 * 60, 10 * 60))
    world.site(calendar="office")
    late, closed = world.ask(at=MONDAY + timedelta(minutes=10)), world.ask(OTHER, at=MONDAY + timedelta(minutes=59))
    world.now = MONDAY + timedelta(minutes=60)  # nobody looked at the agenda for a while
    world.wait(minutes=1)
    assert (world.state(late), world.state(closed)) == (("ended", "missed"), ("ended", "missed"))
    assert world.placed == {}


@pytest.mark.parametrize(("late", "state"), [(15 * 60, "calling_agent"), (15 * 60 + 1, "ended")])
def test_a_quarter_of_an_hour_late_is_in_time(world: World, late: int, state: str) -> None:
    world.site()
    request = world.ask(at=MONDAY + timedelta(minutes=10))
    world.now = MONDAY + timedelta(minutes=10, seconds=late)
    world.click.due(request.id)
    assert world.state(request)[0] == state


@pytest.mark.parametrize(("late", "counts"), [(5, 600), (6, 606)])
def test_a_call_that_is_late_counts_when_it_is_placed(world: World, late: int, counts: int) -> None:
    world.site()
    request = world.ask(at=MONDAY + timedelta(minutes=10))
    world.now = MONDAY + timedelta(minutes=10, seconds=late)
    world.click.due(request.id)
    assert [one.at for one in world.click.store.entries("shop")] == [int(MONDAY.timestamp()) + counts]


def test_what_counts_no_more_is_dropped(world: World) -> None:
    world.site()
    world.ask()
    world.now += timedelta(hours=25)
    world.ask(OTHER)
    assert len(world.click.store.entries("shop")) == 1


def test_who_waits_may_take_it_back(world: World) -> None:
    world.site()
    request = world.ask(at=MONDAY + timedelta(hours=1))
    for _ in range(2):
        assert world.click.cancel(request.id).outcome == "cancelled"
    world.wait(hours=2)
    assert world.placed == {}
    with pytest.raises(StateConflict):
        world.click.cancel(world.ask().id)


def test_a_limit_says_when_it_is_over(world: World) -> None:
    world.site(limits={"number_hour": 1})
    world.ask()
    world.now += timedelta(minutes=10)
    with pytest.raises(LimitReached, match="this number") as reached:
        world.ask()
    assert (reached.value.status, reached.value.seconds) == (429, 3006)
    world.ask(OTHER)


def test_calls_later_count_in_the_hour_in_which_they_are_placed(world: World) -> None:
    world.site(limits={"site_hour": 2})
    at = MONDAY + timedelta(hours=5)
    for number in NUMBERS[:2]:
        world.ask(number, at=at)
    with pytest.raises(LimitReached):
        world.ask(NUMBERS[2], at=at + timedelta(minutes=59))
    world.ask(NUMBERS[2])


def test_calls_that_are_late_do_not_come_closer_than_they_may(world: World) -> None:
    world.site(limits={"site_hour": 1})
    world.ask(at=MONDAY + timedelta(minutes=14))
    second = world.ask(OTHER, at=MONDAY + timedelta(minutes=75))
    world.now = MONDAY + timedelta(minutes=28)  # nobody looked at the agenda for a while
    world.wait(minutes=90)
    assert list(world.placed) == [key_of(second)]  # the first would have come 47 minutes before it


def test_a_captcha_is_asked_for_once_a_call_and_before_it_counts(world: World) -> None:
    world.site(captcha_hook="https://hooks.example/x", limits={"number_hour": 1})
    with pytest.raises(InvalidInput, match="captcha"):
        world.ask(key="k")
    assert world.captchas == []
    world.passes = False
    with pytest.raises(InvalidInput, match="captcha"):
        world.ask(key="k", captcha="wrong")
    world.passes = True
    assert world.click.store.entries("shop") == ()
    for _ in range(2):
        world.ask(key="k", captcha="right")
    assert world.captchas[-1] == ("https://hooks.example/x", "shop", "right", "198.51.100.7")
    assert len(world.captchas) == 2
    with pytest.raises(LimitReached):
        world.ask(captcha="right")
    assert len(world.captchas) == 2  # who is over a limit makes no work for the hook


TRIES = st.lists(
    st.tuples(
        st.sampled_from(NUMBERS[:4]),
        st.sampled_from(["198.51.100.7", "203.0.113.9", "2001:db8::", ""]),
        st.integers(0, 40),
        st.sampled_from([None, 0, 30, 90, 1500]),
        st.sampled_from(["", "a", "b"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@given(TRIES, st.integers(1, 4), st.integers(3, 8))
@settings(deadline=None)
def test_whatever_is_asked_from_anywhere_the_counts_hold(
    tries: list[tuple[str, str, int, int | None, str, bool, bool]], hour: int, day: int
) -> None:
    """Addresses and numbers that change, keys that come back, calls later, lost responses, an agenda
    that nobody looks at for a while: by the time at which calls
    are placed, no hour and no day has more than the site may have."""
    world = World(MemoryRows())
    world.site(limits={"site_hour": hour, "site_day": day, "number_hour": 2, "address_hour": 3})
    began: list[tuple[float, str]] = []
    placed = world.place

    def place(flow: str, data: dict[str, object], key: str) -> None:
        if key not in world.placed:
            began.append((world.now.timestamp(), key))
        placed(flow, data, key)

    world.click._place = place  # type: ignore[assignment]
    for number, address, minutes, later, key, lost, asleep in tries:
        if asleep:  # nobody looks at the agenda
            world.now += timedelta(minutes=minutes, seconds=7)
        world.wait(minutes=0 if asleep else minutes)
        world.fails = int(lost)
        try:
            at = None if later is None else world.now + timedelta(minutes=later)
            world.ask(number, address=address, at=at, key=key)
        except (SwitchboardError, TimeoutError):
            pass
        world.fails = 0
    world.wait(hours=30)
    assert len({key for _, key in began}) == len(began)
    for start, _ in began:
        assert sum(start <= at < start + 3600 for at, _ in began) <= hour
        assert sum(start <= at < start + 86_400 for at, _ in began) <= day


def test_requests_at_the_same_moment_are_counted_one_by_one(stored: World) -> None:
    stored.site(limits={"site_hour": 3, "number_hour": 1})
    site, told = stored.click.site("shop"), Counter[str]()
    lock = threading.Lock()

    def ask(number: str) -> None:
        try:
            stored.ask(number, site=site)
            result = "granted"
        except SwitchboardError as error:
            result = type(error).__name__
        with lock:
            told[result] += 1

    threads = [threading.Thread(target=ask, args=[number]) for number in NUMBERS[:6]]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert told["granted"] <= 3
    assert told["granted"] == len(stored.placed) == len(stored.click.store.entries("shop"))
    assert sum(told.values()) == 6
    assert set(told) <= {"granted", "LimitReached", "StoreUnavailable"}
    while len(stored.placed) < 3:
        ask(NUMBERS[6 + len(stored.placed) % 2])
    with pytest.raises(LimitReached):
        stored.ask("+14255550199", site=site)


def test_what_is_kept_is_found_listed_exported_erased_and_expires(stored: World) -> None:
    stored.site(limits={"number_hour": 5, "number_day": 5})
    first, second, other = stored.ask(name="Ada"), stored.ask(), stored.ask(OTHER)
    click, ada = stored.click, identifier(CUSTOMER)
    assert {one.id for one in click.store.of_day("2026-11-30")} == {first.id, second.id, other.id}
    exported = click.export(ada)["requests"]
    assert {one["id"] for one in exported} == {first.id, second.id}
    assert {one["number"] for one in exported} == {CUSTOMER}
    assert click.export(identifier("+14255550111")) == {}
    assert click.export(identifier(AGENTS[0])) == {"agent_of": ["shop"]}
    erased = click.erase(ada)
    assert erased.rows == 2
    assert "keyed hash" in erased.stays
    assert click.erase(ada) == (0, "")
    assert click.store.request(first.id) is None
    assert click.plan(first.id, 0) is None
    assert "agent of the site shop" in click.erase(identifier(AGENTS[0])).stays
    assert click.expire(MONDAY + timedelta(days=365)) == 0
    assert click.expire(MONDAY + timedelta(days=366)) == 1
    assert list(click.store.of_day("2026-11-30")) == []
    assert click.export(identifier(OTHER)) == {}


def test_sites_are_kept(stored: World) -> None:
    site = stored.site()
    assert stored.click.store.sites() == [site]
    stored.click.remove_site("shop")
    assert stored.click.store.sites() == []


@pytest.mark.parametrize("number", [OURS_ALSO, "+12065550113"])
def test_a_number_of_the_app_itself_is_no_visitor(world: World, number: str) -> None:
    site = world.site(caller_number="+12065550113")
    with pytest.raises(InvalidInput, match="is a number of the app itself"):
        world.ask(number, site=site)
    assert world.placed == {}


def test_a_site_that_was_made_anew_places_no_request_of_the_one_before(world: World) -> None:
    world.site()
    request = world.ask(at=MONDAY + timedelta(hours=1))
    world.click.remove_site("shop")
    world.site()
    world.wait(hours=2)
    assert (world.state(request), world.placed) == (("ended", "withdrawn"), {})


def test_an_agent_who_is_rung_for_a_site_that_was_made_anew_calls_nobody(world: World) -> None:
    world.site()
    request = world.ask()
    world.click.remove_site("shop")
    world.site()
    assert world.click.plan(request.id, 0) is None
    assert not world.click.accept(request.id, 0)
    world.close(request, 0, "calling_agent")
    assert world.state(request) == ("ended", "withdrawn")
    assert len(world.placed) == 1


def test_the_same_key_gives_the_same_request_though_nobody_could_ask_for_it_by_now(world: World) -> None:
    world.calendars["office"] = every_day(zone_of("UTC"), (9 * 60, 17 * 60))
    site = world.site(calendar="office")
    request = world.ask(at=MONDAY + timedelta(hours=7), key="k")
    world.wait(hours=9)
    assert world.ask(at=MONDAY + timedelta(hours=7), key="k").id == request.id
    with pytest.raises(KeyReused):
        world.ask(OTHER, at=MONDAY + timedelta(hours=7), key="k")
    world.site(calendar="office", consent="Another text.")
    agreed = site.text.consent_version
    assert world.ask(at=MONDAY + timedelta(hours=7), key="k", consent=agreed).id == request.id
    for key in ("", "another"):
        with pytest.raises((InvalidInput, StateConflict)):
            world.ask(at=MONDAY + timedelta(hours=7), key=key, consent=agreed)
    assert len(world.placed) == 1
