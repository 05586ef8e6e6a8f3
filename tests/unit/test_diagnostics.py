"""The checks of a running app: what was seen becomes a finding with reason and remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from shared.calls.store.base import Listed
from shared.diagnostics import (
    Calls,
    Finding,
    all_findings,
    calls_findings,
    left_over_findings,
    poison_findings,
    refused_findings,
    settings_findings,
    setup_findings,
    storage_findings,
)
from shared.web.diagnosis import calls_seen

NOW = 1_795_860_000_000
EVERYTHING = frozenset({"COGNITIVE_SERVICES_ENDPOINT", "NUMBER_HASH_KEY", "TRANSCRIPTION_ENDPOINT"})


def ids(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.level, one.id) for one in found]


def setup(**changes: object) -> list[Finding]:
    right = {"console_auth": "keys", "platform_signs_in": False, "given": EVERYTHING}
    return setup_findings(**{**right, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (settings_findings([], {}), [("fine", "settings.right")]),
        (
            settings_findings(["A: is missing"], {"ACS_ENDPIONT": "ACS_ENDPOINT"}),
            [("wrong", "settings.wrong"), ("look", "settings.misspelled")],
        ),
        (storage_findings(""), [("fine", "storage.answers")]),
        (storage_findings("", 500), [("fine", "storage.answers")]),
        (storage_findings("", 501), [("look", "storage.slow")]),
        (storage_findings("StoreUnavailable"), [("wrong", "storage.silent")]),
        (setup(), []),
        (setup(console_auth="appservice"), [("wrong", "console.platform-off")]),
        (setup(console_auth="appservice", platform_signs_in=True), []),
        (setup(given=EVERYTHING - {"COGNITIVE_SERVICES_ENDPOINT"}), [("look", "speech.none")]),
        (setup(given=EVERYTHING - {"NUMBER_HASH_KEY"}), [("look", "numbers.not-searchable")]),
        (setup(given=EVERYTHING - {"TRANSCRIPTION_ENDPOINT"}), [("look", "transcripts.none")]),
        (calls_findings(Calls(7, 0, 0, 0)), [("look", "event-grid.silent")]),
        (calls_findings(Calls(7, 0, 0, 0), local=True), [("fine", "event-grid.silent")]),
        (calls_findings(Calls(1, 5, 5, 0)), [("fine", "event-grid.delivers"), ("fine", "callbacks.arrive")]),
        (calls_findings(Calls(1, 5, 0, 2)), [("fine", "event-grid.delivers"), ("wrong", "callbacks.silent")]),
        (calls_findings(Calls(1, 5, 5, 2)), [("fine", "event-grid.delivers"), ("look", "callbacks.silent")]),
        (left_over_findings(dead_letters=0, failed_recordings=0), []),
        (poison_findings({"x-timers": 0, "x-uses": 0}), []),
        (poison_findings({"x-timers": 2, "x-uses": 0}), [("look", "queues.poison.timers")]),
        (refused_findings(0, status=0, reason="", taken_since=False), []),
        (refused_findings(2, status=401, reason="no token", taken_since=False), [("look", "callbacks.refused")]),
        (refused_findings(3, status=401, reason="no token", taken_since=False), [("wrong", "callbacks.refused")]),
        (refused_findings(3, status=403, reason="not signed", taken_since=True), [("look", "callbacks.refused")]),
        (
            left_over_findings(dead_letters=1, failed_recordings=2),
            [("look", "notifications.dead"), ("look", "recordings.failed")],
        ),
    ],
)
def test_what_was_seen_becomes_findings(found: list[Finding], expected: list[tuple[str, str]]) -> None:
    assert ids(found) == expected


def test_whatever_is_not_fine_has_a_reason_and_a_remedy() -> None:
    found = [
        *settings_findings(["A: is missing"], {"B": "C"}),
        *storage_findings("StoreUnavailable"),
        *setup(console_auth="appservice", given=()),
        *calls_findings(Calls(7, 0, 0, 3)),
        *left_over_findings(dead_letters=1, failed_recordings=1),
        *poison_findings({"x-timers": 1, "x-uses": 2}),
        *refused_findings(3, status=403, reason="not signed", taken_since=False),
    ]
    assert len({one.id for one in found}) == len(found) == 14
    assert all(one.seen and one.why and one.remedy for one in found)


def test_the_remedy_of_refused_callbacks_names_the_setting_by_the_status() -> None:
    remedies = [refused_findings(3, status=status, reason="r", taken_since=False)[0].remedy for status in (401, 403)]
    assert remedies[0].startswith("Compare ACS_RESOURCE_ID")
    assert remedies[1].startswith("Compare CALLBACK_SIGNING_KEY")


def test_what_is_wrong_comes_first() -> None:
    found = all_findings(
        settings_findings([], {}),
        setup(given=EVERYTHING - {"COGNITIVE_SERVICES_ENDPOINT"}),
        storage_findings("StoreUnavailable"),
    )
    assert [one.level for one in found] == ["wrong", "look", "fine"]


def call(age_seconds: int, **given: str) -> Listed:
    values = {"status": "ended", "direction": "inbound", "outcome": "completed", **given}
    return Listed(
        call_id="c",
        day="2026-11-28",
        started_at=NOW - age_seconds * 1000,
        flow="f",
        caller="",
        callee="",
        **values,  # type: ignore[arg-type]
    )


def test_no_more_days_are_looked_at_than_needed() -> None:
    taken = []

    def days() -> Iterator[Sequence[Listed]]:
        for ago in range(7):
            taken.append(ago)
            yield [call(86_400)] if ago == 1 else []

    assert calls_seen(days(), NOW) == Calls(2, NOW - 86_400_000, NOW - 86_400_000, 0)
    assert taken == [0, 1]


@pytest.mark.parametrize(
    ("seen", "unconnected"),
    [
        (call(61, status="ringing", outcome=""), 1),
        (call(61, status="connecting", outcome=""), 1),
        (call(59, status="ringing", outcome=""), 0),
        (call(61, status="waiting", outcome=""), 0),
        (call(61, status="connected", outcome=""), 0),
        (call(61, outcome="busy"), 0),
    ],
)
def test_a_call_that_is_a_minute_old_and_neither_over_nor_connected_counts(seen: Listed, unconnected: int) -> None:
    assert calls_seen([[seen]], NOW).unconnected == unconnected
