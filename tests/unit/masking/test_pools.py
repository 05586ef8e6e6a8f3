"""The pool of numbers, and how many would do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.masking.choosing import PoolNumber, PoolOfCountry, pools
from shared.masking.session import Party, Reason, Session

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
COOL_OFF = timedelta(hours=1)
ADA, BOB, CLEO, DORA = "+14255550123", "+14255550142", "+14255550155", "+4930123456"
ONE, TWO, GERMAN = "+18005550171", "+18005550172", "+498005550172"
POOL = [PoolNumber(ONE, "US", 2), PoolNumber(TWO, "US", 3), PoolNumber(GERMAN, "DE", 2)]


def session(
    a: tuple[str, str], b: tuple[str, str], closed: timedelta | None = None, reason: Reason = "closed"
) -> Session:
    sides = {side: Party(number=number, mark="m", shows=shows) for side, (number, shows) in {"a": a, "b": b}.items()}
    made = Session(id="s", state="open", created_at=NOW, expires_at=NOW + COOL_OFF, a=sides["a"], b=sides["b"])
    over = {} if closed is None else {"state": "closed", "closed_at": NOW - closed, "reason": reason}
    return made.model_copy(update=over)


def found(*sessions: Session, calls: dict[str, int] | None = None) -> list[PoolOfCountry]:
    return pools(POOL, sessions, calls or {}, COOL_OFF, NOW)


def test_a_pool_needs_as_many_numbers_as_one_person_has_sessions() -> None:
    german, american = found(
        session((ADA, ONE), (BOB, ONE)), session((ADA, TWO), (CLEO, ONE)), session((BOB, TWO), (DORA, GERMAN))
    )
    assert american == PoolOfCountry("US", (ONE, TWO), 3, 2, 0, 2)
    assert german == PoolOfCountry("DE", (GERMAN,), 1, 1, 0, 1)


def test_a_number_that_cools_off_counts_and_one_that_has_does_not() -> None:
    minute = timedelta(minutes=1)
    _, cooling = found(session((ADA, ONE), (BOB, ONE)), session((ADA, TWO), (CLEO, TWO), COOL_OFF - minute))
    assert (cooling.sessions, cooling.most_of_one) == (1, 2)
    _, cool = found(session((ADA, ONE), (BOB, ONE)), session((ADA, TWO), (CLEO, TWO), COOL_OFF))
    assert (cool.sessions, cool.most_of_one) == (1, 1)
    _, never_was = found(session((ADA, TWO), (CLEO, TWO), minute, reason="abandoned"))
    assert (never_was.sessions, never_was.most_of_one, never_was.would_do) == (0, 0, 1)


def test_a_pool_needs_as_many_numbers_as_its_calls_by_the_number_that_takes_the_fewest() -> None:
    _, american = found(session((ADA, ONE), (BOB, ONE)), calls={ONE: 2, TWO: 3, GERMAN: 9})
    assert (american.calls_at_once, american.would_do) == (5, 3)
