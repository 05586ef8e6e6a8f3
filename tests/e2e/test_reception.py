"""Whole calls to the reception flow, by the host's own way to run functions and by Microsoft's worker."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from tests.e2e.line import Line, asked, words

pytestmark = [pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-reception")]


@pytest.fixture(
    scope="module", params=["devstack.host", pytest.param("tests.conformance.host.oracle", marks=pytest.mark.long)]
)
def own_host(request: pytest.FixtureRequest) -> Sequence[str]:
    return (sys.executable, "-m", request.param)


def test_a_caller_who_presses_a_key_is_put_down_for_sales(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(script=[{"when": "asked", "after": 1, "press": "1"}]))
    assert document["outcome"] == "completed"
    assert asked(document) == ["answer", "recognize", "play", "hang_up"]
    assert "sales team will call you back" in words(document)[-1]


def test_a_caller_who_speaks_is_understood(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(script=[{"when": "asked", "after": 1, "say": "I need help please"}]))
    assert document["outcome"] == "completed"
    assert "support team" in words(document)[-1]


def test_a_caller_who_says_nothing_is_asked_again_and_then_bidden_goodbye(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call())
    assert document["outcome"] == "completed"
    assert asked(document) == ["answer", "recognize", "recognize", "recognize", "play", "hang_up"]
    assert words(document)[1] == words(document)[2] != words(document)[0]
    assert words(document)[-1].startswith("We could not hear you")


def test_a_wrong_key_is_asked_about_again(phone_line: Line) -> None:
    script = [{"when": "asked", "after": 1, "press": "9"}, {"when": "asked", "after": 1, "press": "2"}]
    document = phone_line.end(phone_line.call(script=script))
    assert document["outcome"] == "completed"
    assert asked(document) == ["answer", "recognize", "recognize", "play", "hang_up"]
    assert "support team" in words(document)[-1]


def test_a_caller_who_leaves_in_the_middle_of_the_question_ends_the_call(phone_line: Line) -> None:
    document = phone_line.end(phone_line.call(script=[{"when": "asked", "after": 1, "hangUp": True}]))
    assert (document["status"], document["outcome"]) == ("ended", "caller_left")
    assert asked(document) == ["answer", "recognize"]


def test_after_all_these_calls_nothing_is_open_and_nothing_was_asked_for_twice(phone_line: Line) -> None:
    phone_line.end(phone_line.call(script=[{"when": "asked", "press": "1"}]))
    phone_line.nothing_is_left_open()
    assert phone_line.asked_twice() == {}
    refused = [
        (delivery["type"], delivery["attempts"])
        for delivery in phone_line.control.deliveries()
        if delivery["kind"] != "validation"  # the handshake begins before the host is up
        and [attempt.get("status") for attempt in delivery["attempts"]] not in ([200], [202], [204])
    ]
    assert refused == []
