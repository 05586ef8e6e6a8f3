"""Hashes of numbers: by a key, with its id in front, the same however a number is written."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identifiers import key_of
from shared.privacy import NumberHashes

KEY, OTHER = (base64.b64encode(byte * 32).decode() for byte in (b"a", b"b"))
NUMBER = "4:+14255550100"


def test_a_hash_is_the_id_of_its_key_and_a_keyed_digest() -> None:
    """The digest is HMAC-SHA256 of the raw id, as `openssl dgst -sha256 -mac HMAC` gives it."""
    key_id, _, digest = NumberHashes(KEY).of(NUMBER).partition(".")
    assert digest == "56a3b2659c6b05fbcb00fd3ff5d33cb43b7d18be11f691c1c369f1b9bae854d3"
    assert len(key_id) == 8
    assert key_id == NumberHashes(KEY).of("4:+18005550199").partition(".")[0]


def test_another_key_gives_another_hash_and_another_id() -> None:
    ours, theirs = (NumberHashes(key).of(NUMBER).partition(".") for key in (KEY, OTHER))
    assert ours[0] != theirs[0]
    assert ours[2] != theirs[2]


def test_nothing_of_key_or_number_is_in_the_hash() -> None:
    hashed = NumberHashes(KEY).of(NUMBER)
    for secret in ("14255550100", "4255550", base64.b64decode(KEY).hex()[:8], KEY[:8]):
        assert secret not in hashed


def test_a_search_tries_the_key_before_as_well() -> None:
    numbers = NumberHashes(KEY, OTHER)
    assert numbers.candidates(NUMBER) == (NumberHashes(KEY).of(NUMBER), NumberHashes(OTHER).of(NUMBER))
    assert numbers.of(NUMBER) == NumberHashes(KEY).of(NUMBER)
    assert NumberHashes(KEY).candidates(NUMBER) == (numbers.of(NUMBER),)


def test_an_empty_key_hides_nothing_and_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        NumberHashes("", OTHER)


@pytest.mark.parametrize("raw_id", ["4:+14255550100", "4:14255550100", "4:+14255550100_guid"])
def test_a_phone_is_its_number_however_its_raw_id_is_written(raw_id: str) -> None:
    assert key_of(raw_id) == NUMBER


@pytest.mark.parametrize("raw_id", ["8:acs:4:+14255550100", "4:anonymous", "4:+1425x", "4:+" + "1" * 16, "28:orgid:1"])
def test_what_is_no_number_stays_what_it_is(raw_id: str) -> None:
    assert key_of(raw_id) == raw_id


@given(st.text(), st.text())
def test_different_identifiers_have_different_hashes(one: str, other: str) -> None:
    numbers = NumberHashes(KEY)
    assert (numbers.of(one) == numbers.of(other)) is (key_of(one) == key_of(other))
