"""Data keys of calls, and what is encrypted with them."""

from __future__ import annotations

import base64

import pytest

from shared.secret_keys import CallCipher, SecretKeys
from tests.setting_samples import made_key

KEYS = SecretKeys(made_key("secrets"))


def cipher_of(keys: SecretKeys, wrapped: str, call_id: str = "call") -> CallCipher:
    cipher = keys.cipher(wrapped, call_id)
    assert cipher is not None
    return cipher


def test_what_is_encrypted_comes_back_with_its_spaces() -> None:
    cipher = cipher_of(KEYS, KEYS.new("call"))
    sealed = cipher.seal('{"é":"4930"}', "entry 1")
    opened = cipher.open(sealed, "entry 1")
    assert opened is not None
    assert opened.rstrip() == '{"é":"4930"}'
    assert len(opened.encode()) == 512


@pytest.mark.parametrize(("length", "room"), [(0, 0), (1, 512), (511, 512), (512, 512), (513, 1024)])
def test_a_text_is_filled_up_to_whole_blocks(length: int, room: int) -> None:
    sealed = cipher_of(KEYS, KEYS.new("call")).seal("x" * length, "entry")
    assert len(base64.b64decode(sealed)) == 12 + room + 16  # nonce, text, tag


def test_the_same_text_is_never_encrypted_to_the_same() -> None:
    cipher = cipher_of(KEYS, KEYS.new("call"))
    assert len({cipher.seal("4930", "entry") for _ in range(50)}) == 50


def test_a_text_belongs_to_its_entry_and_its_call() -> None:
    wrapped = KEYS.new("call")
    sealed = cipher_of(KEYS, wrapped).seal("4930", "entry 1")
    assert cipher_of(KEYS, wrapped).open(sealed, "entry 2") is None
    assert cipher_of(KEYS, KEYS.new("call")).open(sealed, "entry 1") is None
    assert KEYS.cipher(wrapped, "another") is None


@pytest.mark.parametrize("broken", ["", "AAAA", "not base64!", "é"])
def test_what_was_never_encrypted_is_nothing(broken: str) -> None:
    assert cipher_of(KEYS, KEYS.new("call")).open(broken, "entry") is None
    assert KEYS.cipher(broken, "call") is None
    assert KEYS.cipher(f"{KEYS.new('call').partition('.')[0]}.{broken}", "call") is None


def test_a_changed_byte_is_noticed() -> None:
    cipher = cipher_of(KEYS, KEYS.new("call"))
    sealed = bytearray(base64.b64decode(cipher.seal("4930", "entry")))
    for place in (0, 12, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert cipher.open(base64.b64encode(changed).decode(), "entry") is None


def test_the_key_before_still_unwraps_and_wraps_nothing() -> None:
    earlier = KEYS.new("call")
    both = SecretKeys(made_key("next"), made_key("secrets"))
    sealed = cipher_of(KEYS, earlier).seal("4930", "entry")
    assert cipher_of(both, earlier).open(sealed, "entry") is not None
    later = both.new("call")
    assert later.partition(".")[0] != earlier.partition(".")[0]
    assert KEYS.cipher(later, "call") is None
    assert SecretKeys(made_key("next")).cipher(earlier, "call") is None
    assert SecretKeys(made_key("next")).cipher(later, "call") is not None


def test_a_wrapped_key_begins_with_the_id_of_its_key_which_tells_nothing_of_it() -> None:
    key_id, _, rest = KEYS.new("call").partition(".")
    assert len(key_id) == 8
    assert int(key_id, 16) >= 0
    assert len(base64.b64decode(rest)) == 12 + 32 + 16
    assert key_id == KEYS.new("another call").partition(".")[0]


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretKeys(base64.b64encode(bytes(length)).decode())


def test_each_of_two_keys_has_its_32_bytes() -> None:
    short = base64.b64encode(bytes(31)).decode()
    for key, previous in ((made_key("one"), short), (short, made_key("one"))):
        with pytest.raises(ValueError, match="32 bytes"):
            SecretKeys(key, previous)
    with pytest.raises(ValueError, match="32 bytes"):
        SecretKeys("", made_key("one"))


def test_what_is_no_base64_is_not_read_as_what_it_resembles() -> None:
    cipher = cipher_of(KEYS, KEYS.new("call"))
    sealed = cipher.seal("4930", "entry")
    assert cipher.open(f"{sealed[:8]}!{sealed[8:]}", "entry") is None
    assert cipher.open(f"{sealed}\n", "entry") is None
