"""What is remembered of a number over all campaigns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.outreach.contacts import Contact
from shared.outreach.rules import HIGHEST_CAP, Caps

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
CAPS = Caps()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def called(*hours_ago: float) -> Contact:
    contact = Contact()
    for hours in hours_ago:
        attempt = f"a{hours}"
        contact = contact.began(attempt, "service", NOW - hours * HOUR).ended(attempt)
    return contact


def test_the_defaults_are_three_in_24_hours_and_seven_in_7_days() -> None:
    assert (CAPS.in_24_hours, CAPS.in_7_days) == (3, 7)
    assert called(23, 2).capped_until("service", CAPS, NOW) is None
    assert called(23, 2, 1).capped_until("service", CAPS, NOW) == (NOW + HOUR, "3 in 24 hours")
    assert called(24, 2, 1).capped_until("service", CAPS, NOW) is None
    six = (160, 130, 100, 70, 50, 30)
    assert called(*six).capped_until("service", CAPS, NOW) is None
    assert called(*six, 26).capped_until("service", CAPS, NOW) == (NOW + 8 * HOUR, "7 in 7 days")
    assert called(*six, 3, 2, 1).capped_until("service", CAPS, NOW) == (NOW + 68 * HOUR, "7 in 7 days")


def test_purposes_are_counted_apart() -> None:
    contact = called(3, 2, 1)
    assert contact.capped_until("marketing", CAPS, NOW) is None
    assert contact.counts("service", NOW) == (3, 3)
    assert contact.counts("marketing", NOW) == (0, 0)


def test_what_was_not_tried_does_not_count_and_is_known_again() -> None:
    contact = called(3, 2).began("x", "service", NOW - HOUR).ended("x", counts=False)
    assert contact.counts("service", NOW) == (2, 2)
    assert contact.knows("x")
    assert contact.began("x", "service", NOW) == contact


def test_a_call_keeps_its_number_until_it_ends_or_its_lease_does() -> None:
    contact = Contact().began("a", "service", NOW)
    assert contact.busy_until(NOW) == NOW + 4 * HOUR
    assert contact.busy_until(NOW + 4 * HOUR) is None
    assert contact.ended("another").busy_until(NOW) is not None
    assert contact.ended("a").busy_until(NOW) is None


def test_what_is_counted_lies_within_the_time() -> None:
    assert called(24, 23.9, 168, 167.9).counts("service", NOW) == (1, 3)


def test_an_attempt_that_goes_on_is_begun_again_and_counts_from_then() -> None:
    contact = Contact().began("a", "service", NOW)
    again = contact.began("a", "service", NOW + HOUR)
    assert [one.at for one in again.made] == [NOW + HOUR]
    assert again.busy_until(NOW + HOUR) == NOW + 5 * HOUR
    assert again.began("a", "service", NOW) == again, "a clock that was put back"
    assert again.without("a") == Contact()
    assert again.without("b") == again
    over = again.ended("a")
    assert over.began("a", "service", NOW + 2 * HOUR) == over
    taken = contact.began("b", "service", NOW + 5 * HOUR)  # the lease was over
    assert taken.began("a", "service", NOW + 5 * HOUR).attempt == "b"


def test_a_number_is_dead_since_the_first_time() -> None:
    contact = Contact().began("a", "service", NOW).ended("a", dead_at=NOW)
    assert contact.ended("b", dead_at=NOW + DAY).dead_since == NOW


READINGS = st.lists(st.integers(-40, 40), min_size=1, max_size=60)


@given(READINGS, st.data())
def test_no_clock_makes_more_calls_than_the_caps_in_any_time(steps: list[int], data: st.DataObject) -> None:
    """The clock goes forward, or is put forward or back by up to 40 hours; by what it showed the caps always held."""
    contact, now, shown = Contact(), NOW, list[datetime]()
    for tries, step in enumerate(steps):
        now += step * HOUR
        attempt = f"a{tries}"
        if contact.capped_until("service", CAPS, now) is None:
            contact = contact.began(attempt, "service", now)
            if data.draw(st.booleans()):
                contact = contact.began(attempt, "service", now)  # the same again
            contact = contact.ended(attempt)
            shown.append(now)
        else:
            again, _ = contact.capped_until("service", CAPS, now) or (now, "")
            assert again > now
            assert contact.capped_until("service", CAPS, again) is None
    for length, most in ((DAY, 3), (7 * DAY, 7)):
        for end in shown:
            assert sum(end - length < one <= end for one in shown) <= most


def test_only_the_newest_are_kept_of_each_purpose() -> None:
    contact = Contact()
    for n in range(100):
        contact = contact.began(f"a{n}", "service", NOW + n * DAY).ended(f"a{n}", counts=n % 2 == 0)
    contact = contact.began("m", "marketing", NOW)
    assert HIGHEST_CAP == 16
    assert 16 < sum(one.counts for one in contact.made if one.purpose == "service") <= 32
    assert len(contact.made) <= 65
    assert contact.counts("service", NOW + 92 * DAY) == (4, 7)
