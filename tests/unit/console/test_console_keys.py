"""The keys of the console: the setting, and the tool that makes an entry of it."""

from __future__ import annotations

import pytest

from shared.console_keys import ConsoleKey, hash_of, owner_of, read_console_keys
from tools.console_key import main

ADA, BOB = hash_of("ada's key"), hash_of("bob's key")


def test_the_setting_names_people_their_roles_and_the_hashes_of_their_keys() -> None:
    found = read_console_keys(f" Ada Lovelace:supervisor:{ADA},\nBob:viewer:{BOB}, ")
    assert found == (ConsoleKey("Ada Lovelace", "supervisor", ADA), ConsoleKey("Bob", "viewer", BOB))
    assert read_console_keys("") == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Ada", "entry 1 is not name:role:hash"),
        (f"Ada:supervisor:{ADA}:more", "entry 1 is not name:role:hash"),
        (f":viewer:{ADA}", "entry 1 is not name:role:hash"),
        (f"{'x' * 61}:viewer:{ADA}", "entry 1 is not name:role:hash"),
        (f"Ada:viewer:{ADA},Bob:boss:{BOB}", "the role of entry 2 is not one of viewer, reviewer, supervisor"),
        ("Ada:viewer:ada's key", "the hash of entry 1 is not a SHA-256"),
        (f"Ada:viewer:{ADA.upper()}", "the hash of entry 1 is not a SHA-256"),
        (f"Ada:viewer:{ADA},Bob:admin:{ADA}", "entry 2 has the key of another one"),
    ],
)
def test_what_is_wrong_is_named_by_its_position_without_the_name(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        read_console_keys(text)
    assert "Ada:" not in str(caught.value).replace('"Ada Lovelace"', "")


def test_a_key_is_known_by_its_hash() -> None:
    keys = read_console_keys(f"Ada:admin:{ADA},Bob:viewer:{BOB}")
    assert ADA == "e2c1ccb7a2dbea95bcb4c3ff2c458b620162b0fed670fad22a17f4728909af06"
    assert owner_of("bob's key", keys) == keys[1]
    assert owner_of("nobody's key", keys) is None
    assert owner_of(ADA, keys) is None, "the hash is no key"


def test_the_tool_prints_a_key_and_an_entry_that_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Ada Lovelace", "supervisor"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    (entry,) = read_console_keys(lines[3])
    assert owner_of(lines[1], [entry]) == entry
    assert len(lines[1]) == 43


@pytest.mark.parametrize("given", [[], ["Ada"], ["Ada", "boss"], ["A:da", "viewer"]])
def test_the_tool_refuses_what_cannot_be(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(given) == 2
    assert capsys.readouterr().err
