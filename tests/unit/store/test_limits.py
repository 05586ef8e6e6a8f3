"""What a table takes, at its edges."""

from __future__ import annotations

import pytest

from shared.calls.store.limits import MAX_PROPERTY, check_row, is_key, size
from shared.errors import StoreRefused


@pytest.mark.parametrize("text", ["x" * 512, "ü" * 512, "😀" * 256, "a b", "a'b", "a%2Fb", "~"])
def test_a_kilobyte_of_most_characters_is_a_key(text: str) -> None:
    assert is_key(text)


@pytest.mark.parametrize(
    "text", ["x" * 513, "😀" * 257, "a/b", "a\\b", "a#b", "a?b", "\x00", "\x1f", "\x7f", "\x9f", "\ud800"]
)
def test_more_and_what_means_something_in_an_address_is_none(text: str) -> None:
    assert not is_key(text)


def test_a_property_holds_64_kibibytes_of_utf_16_and_a_row_a_mebibyte() -> None:
    full = "x" * (32 * 1024)
    check_row("call", {"one": full, "other": "😀" * (16 * 1024), "count": 10**9})
    with pytest.raises(StoreRefused, match="one has 32769 characters"):
        check_row("call", {"one": full + "x"})
    with pytest.raises(StoreRefused, match="32770"):
        check_row("call", {"one": "😀" * (16 * 1024 + 1)})
    sixteen = {str(number): full for number in range(16)}
    check_row("call", sixteen)
    with pytest.raises(StoreRefused, match="the row has"):
        check_row("call", {**sixteen, "more": "x"})


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(StoreRefused):
        check_row("", {})


def test_characters_are_counted_as_the_storage_does() -> None:
    assert [size(text) for text in ("", "abc", "ü", "😀", "\ud800")] == [0, 3, 1, 2, 1]
    assert size("x" * MAX_PROPERTY) == MAX_PROPERTY
