"""Numbers in text from outside: as many digits as somebody likes to send cost nothing and fail nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import actions
from shared.calls.failures import refusal
from shared.calls.journal import RefusedEntry
from shared.calls.operation_context import read_context
from shared.errors import InvalidInput
from shared.numbers import MOST_DIGITS, whole_number
from shared.web import queries
from tests.functional.app import App

DIGITS = "9" * 5000
"""More than `int` reads."""


@pytest.mark.parametrize("limit", [DIGITS, "٣", "+3", " 3", "3.0", "1e2", "0x3"])
def test_a_limit_that_is_no_plain_number_is_refused(app: App, limit: str) -> None:
    response = app.request("GET", f"https://app.example/api/calls?limit={limit.replace('+', '%2B')}")
    assert response.status_code == 400
    assert json.loads(response.get_body())["field"] == "limit"
    assert len(response.get_body()) < 500


def test_a_code_of_any_length_is_a_code_that_nobody_knows() -> None:
    entry = RefusedEntry(at=0, seq=0, code=DIGITS, message="", status=500, transient=False)
    assert refusal(actions.HangUp(), entry).code == DIGITS


def test_an_operation_context_of_any_length_names_no_operation() -> None:
    assert read_context(f"call:{DIGITS}:{DIGITS}") == ("call", -1, -1)
    assert read_context("call:12:3") == ("call", 12, 3)


def test_a_number_has_18_digits_at_most() -> None:
    assert MOST_DIGITS == 18
    assert whole_number("9" * 18) == 999_999_999_999_999_999
    assert whole_number("9" * 19) is None


@pytest.mark.parametrize(("text", "size"), [(None, 100), ("", 100), ("1", 1), ("2", 2), ("500", 500)])
def test_a_page_has_up_to_500_rows(text: str | None, size: int) -> None:
    assert queries.limit(text) == size


@pytest.mark.parametrize("text", ["0", "501", "9" * 18])
def test_a_page_of_another_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a page size"):
        queries.limit(text)


@pytest.mark.parametrize(("text", "place"), [(None, ""), ("", ""), ("a", "a"), ("a" * 1024, "a" * 1024)])
def test_a_position_has_up_to_1024_characters(text: str | None, place: str) -> None:
    assert queries.position(text) == place
    with pytest.raises(InvalidInput, match="has 1025 characters"):
        queries.position("a" * 1025)


@given(st.integers(0, 10**MOST_DIGITS - 1))
def test_every_number_that_fits_is_read(number: int) -> None:
    assert whole_number(str(number)) == number


@given(st.text() | st.text("0123456789٣²-+._ ", min_size=1))
def test_anything_else_is_no_number(text: str) -> None:
    found = whole_number(text)
    assert (found is None) != (set(text) <= set("0123456789") and 0 < len(text) <= MOST_DIGITS)
