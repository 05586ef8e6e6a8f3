"""NCRONTAB expressions and time spans."""

from __future__ import annotations

from datetime import datetime

import pytest

from devstack.host.errors import StartupError
from devstack.host.schedules import parse_schedule
from devstack.host.settings import parse_time_span

START = "2024-02-27T23:58:30.500000"


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", ["2024-02-27T23:58:31", "2024-02-27T23:58:32"]),
        ("0 */5 * * * *", ["2024-02-28T00:00:00", "2024-02-28T00:05:00"]),
        ("*/5 * * * *", ["2024-02-28T00:00:00", "2024-02-28T00:05:00"]),
        ("30 58 23 * * *", ["2024-02-28T23:58:30"]),
        ("0 0 0 29 2 *", ["2024-02-29T00:00:00", "2028-02-29T00:00:00"]),
        (
            "0 0 0 29 2 sun",
            ["2032-02-29T00:00:00", "2060-02-29T00:00:00", "2088-02-29T00:00:00", "2128-02-29T00:00:00"],
        ),
        (
            "0 30 9 * * MON-FRI",
            ["2024-02-28T09:30:00", "2024-02-29T09:30:00", "2024-03-01T09:30:00", "2024-03-04T09:30:00"],
        ),
        ("0 0 9-17/4 * Mar sun", ["2024-03-03T09:00:00", "2024-03-03T13:00:00", "2024-03-03T17:00:00"]),
        ("15,45 0 0 1 1 *", ["2025-01-01T00:00:15", "2025-01-01T00:00:45"]),
        ("00:01:30", ["2024-02-28T00:00:00.500000", "2024-02-28T00:01:30.500000"]),
    ],
)
def test_a_schedule_fires_when_the_docs_say(schedule: str, expected: list[str]) -> None:
    parsed = parse_schedule(schedule, "f")
    moment = datetime.fromisoformat(START)
    for text in expected:
        moment = parsed.next_after(moment)
        assert moment == datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "nonsense",
        "* * * *",
        "60 * * * * *",
        "* * * * * 7",
        "0 0 0 30 2 *",
        "*/0 * * * * *",
        "5-1 * * * * *",
        "00:00:00",
    ],
)
def test_a_schedule_that_cannot_fire_is_refused_by_name(schedule: str) -> None:
    with pytest.raises(StartupError, match="Function 'f'"):
        parse_schedule(schedule, "Function 'f'")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:02", 2.0),
        ("00:00:00.250", 0.25),
        ("01:30", 5400.0),
        ("1.02:00:00", 93_600.0),
        ("24:00:00", 24 * 86_400.0),
        ("2", None),
        ("00:61:00", None),
    ],
)
def test_a_time_span_reads_as_in_dot_net(text: str, seconds: float | None) -> None:
    assert parse_time_span(text) == seconds
