"""Dead letters, in memory and in a real table: the same rules."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from devstack.azurite import Azurite
from shared.azure.dead_letters import MOST_REASON, TableDeadLetters
from shared.errors import StoreUnavailable
from shared.notifications.base import DeadLetter, DeadLetters
from shared.notifications.memory import MemoryDeadLetters
from shared.storage_account import StorageAccount
from tests.unit.store.conftest import nowhere as nowhere

LETTER = DeadLetter("2026-11-27", "call-1", "hook", "the hook responded 410", 3, 1_790_000_000_000, 1_790_000_060_000)

_prefixes = itertools.count(1)


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.node)])
def letters(request: pytest.FixtureRequest) -> DeadLetters:
    if request.param == "memory":
        return MemoryDeadLetters()
    azurite: Azurite = request.getfixturevalue("azurite")
    return TableDeadLetters(StorageAccount(azurite.connection_string), f"letters{next(_prefixes)}x")


def positions(letters: DeadLetters, after: str = "") -> list[str]:
    return [letter.position for letter in letters.listed(after=after)]


def test_where_nothing_was_given_up_there_is_nothing(letters: DeadLetters) -> None:
    assert list(letters.listed()) == []
    assert letters.of("2026-11-27", "call-1") == []
    assert letters.remove_older("2026-11-28") == 0


def test_a_letter_is_kept_as_it_was_put(letters: DeadLetters) -> None:
    letters.put(LETTER)
    assert list(letters.listed()) == [LETTER]
    assert [letter for letter, _ in letters.of(LETTER.day, "call-1")] == [LETTER]
    assert letters.of("2026-11-26", "call-1") == []
    assert letters.of(LETTER.day, "call-2") == []
    assert letters.of(LETTER.day, "call") == []


def test_a_later_letter_takes_the_place_of_an_earlier_one(letters: DeadLetters) -> None:
    letters.put(LETTER)
    letters.put(later := replace(LETTER, attempts=9, reason="again"))
    assert list(letters.listed()) == [later]


def test_letters_are_listed_from_the_oldest_call_on_and_from_behind_a_position(letters: DeadLetters) -> None:
    made = [
        replace(LETTER, day=day, call_id=call, target=target)
        for day in ("2026-11-25", "2026-11-26")
        for call in ("call-1", "call-2")
        for target in ("hook", "topic")
    ]
    for letter in reversed(made):
        letters.put(letter)
    order = [letter.position for letter in made]
    assert positions(letters) == order
    for number, position in enumerate(order, start=1):
        assert positions(letters, after=position) == order[number:]


def test_a_letter_that_was_put_again_since_it_was_read_is_not_removed(letters: DeadLetters) -> None:
    letters.put(LETTER)
    ((read, version),) = letters.of(LETTER.day, "call-1")
    letters.put(later := replace(LETTER, reason="again"))
    letters.remove(read, version)
    assert list(letters.listed()) == [later]
    ((read, version),) = letters.of(LETTER.day, "call-1")
    letters.remove(read, version)
    assert list(letters.listed()) == []
    letters.remove(read, version)  # somebody else has removed it


def test_letters_of_calls_before_a_day_are_removed(letters: DeadLetters) -> None:
    for day in ("2026-10-27", "2026-10-28", "2026-11-27"):
        letters.put(replace(LETTER, day=day))
    assert letters.remove_older("2026-10-28") == 1
    assert [letter.day for letter in letters.listed()] == ["2026-10-28", "2026-11-27"]


@pytest.mark.node
def test_a_long_reason_is_cut(azurite: Azurite) -> None:
    letters = TableDeadLetters(StorageAccount(azurite.connection_string), f"letters{next(_prefixes)}x")
    letters.put(replace(LETTER, reason="x" * 100_000))
    assert [len(letter.reason) for letter in letters.listed()] == [MOST_REASON]


def test_a_storage_that_is_away_is_said_to_be(nowhere: str) -> None:
    letters = TableDeadLetters(StorageAccount(nowhere), "letters")
    with pytest.raises(StoreUnavailable):
        letters.put(LETTER)
    with pytest.raises(StoreUnavailable):
        list(letters.listed())
