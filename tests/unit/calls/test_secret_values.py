"""Finding a secret again in what a flow makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.calls.secret_values import SecretValues, texts_in


def of(*values: str) -> SecretValues:
    known = SecretValues()
    for value in values:
        known.learn(value)
    return known


@pytest.mark.parametrize(
    "text",
    [
        "4930",
        "card 4930.",
        "no49301",
        "4 9 3 0",
        "49-30",
        "four nine three zero",
        '<say-as interpret-as="digits">49 30</say-as>',
        "Four, Nine, 3, 0",
        "٤٩٣٠",
    ],
)
@pytest.mark.parametrize("learnt", ["4930", "4930#", "four nine three zero", "my number is 49 30"])
def test_a_number_is_found_however_it_is_written(learnt: str, text: str) -> None:
    assert of(learnt).held_by(text)


@pytest.mark.parametrize(("keyed", "text"), [("0806", "806"), ("007315", "7315"), ("0012", "12")])
def test_a_number_is_found_without_its_leading_zeros_as_an_integer_has_it(keyed: str, text: str) -> None:
    assert of(keyed).held_by(text)
    assert of(keyed).masked({"pin": int(keyed)}) == {"pin": "secret"}


def test_zeros_alone_are_no_number_without_them() -> None:
    assert not of("0000").held_by("0 of 10")


@pytest.mark.parametrize("text", ["", "493", "0394", "the card", "4931"])
def test_another_number_is_not(text: str) -> None:
    assert not of("4930").held_by(text)


@pytest.mark.parametrize(("text", "held"), [("12", True), ("1 2", True), ("press 12 now", True), ("one, two", True),
                                             ("120", False), ("312", False), ("1", False), ("2 1", False),
                                             ("3 1 2 4", True)])  # fmt: skip
def test_a_short_number_is_found_by_itself_alone(text: str, held: bool) -> None:
    assert of("12").held_by(text) is held


def test_three_digits_are_short_and_four_are_long() -> None:
    assert not of("123").held_by("91239")
    assert of("1234").held_by("912349")


@pytest.mark.parametrize(("text", "held"), [("Open Sesame!", True), ("please open, sesame", True), ("open the sesame",
                                             False), ("reopen sesame", False)])  # fmt: skip
def test_words_are_found_as_they_were_said(text: str, held: bool) -> None:
    assert of("open sesame").held_by(text) is held


def test_words_with_a_few_digits_are_no_number() -> None:
    assert not of("room 12").held_by("12")
    assert of("room 12").held_by("in Room 12")


def test_nothing_is_found_where_nothing_is_secret() -> None:
    for nothing in (of(), of(""), of("#*")):
        assert not nothing.held_by("anything 1")
        assert nothing.masked({"a": 1}) == {"a": 1}
        assert not nothing.in_json({"a": 1})
        assert not nothing


def test_keys_that_come_one_by_one_are_the_number_that_they_have_made_so_far() -> None:
    known = SecretValues()
    known.learn_keys("a", "4")
    assert known.held_by("4")
    known.learn_keys("a", "4930")
    assert not known.held_by("4")
    assert known.held_by("4930")
    known.learn_keys("b", "12#99")
    assert known.held_by("4930")
    assert known.held_by("12")
    assert not known.held_by("1299")


def test_numbers_of_a_value_are_learnt_and_its_words_are_not() -> None:
    known = SecretValues()
    known.learn_numbers({"status": "ok", "card": 4930, "pin": ["7", "7"], "valid": True, "name": "Ada 5"})
    assert not known.held_by("ok")
    assert not known.held_by("Ada")
    assert not known.held_by("True")
    assert known.held_by("4930")
    assert known.held_by("ada 5")


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("card 4930", "secret"),
        (4930, "secret"),
        (49.3, 49.3),
        (True, True),
        (None, None),
        ({"a": "4930", "b": "x", "4930": 1}, {"a": "secret", "b": "x", "secret": 1}),
        (["4930", "x"], ["secret", "x"]),
        (["4", "9", "3", "0"], ["secret"]),
        ([4, 9, 3, 0], ["secret"]),
        ([{"a": [4930]}], [{"a": ["secret"]}]),
        ("fine", "fine"),
        (["fine", 1], ["fine", 1]),
    ],
)
def test_each_text_that_holds_one_is_replaced_as_a_whole(value: Any, masked: Any) -> None:
    assert of("4930").masked(value) == masked


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("4930", True),
        ({"a": ["x", {"b": 4930}]}, True),
        ({"4930": 1}, True),
        ({"a": ["49", "30"]}, True),
        ({"a": "49", "b": "30"}, False),
        (["fine", 1, None], False),
        ({}, False),
    ],
)
def test_a_value_holds_one_wherever_it_stands(value: Any, held: bool) -> None:
    assert of("4930").in_json(value) is held


def test_the_texts_of_a_value_are_its_words_and_numbers_and_those_of_a_list_together() -> None:
    value = {"a": ["x", 1, True, None, 2.5], "b": ["y"], "c": (3, 4), "d": []}
    assert list(texts_in(value)) == ["a", "x", "1", "2.5", "x 1 2.5", "b", "y", "c", "3", "4", "3 4", "d"]


def test_letters_and_digits_of_any_script_stand_beside_a_number() -> None:
    assert of("4930").held_by("é ٤٩ 30 ß")
    assert of("é ٤٩ ß").held_by("É 49 SS")
