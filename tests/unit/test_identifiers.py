"""Identifiers: read in every shape that the service and its SDKs write."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.errors import InvalidInput
from shared.identifiers import Identifier
from tests.wire_identifiers import to_wire

USER = "8:acs:5f1e0c4a_0000"


@pytest.mark.parametrize(
    ("value", "raw_id"),
    [
        ("+14255550100", "4:+14255550100"),
        ("4:+14255550100", "4:+14255550100"),
        (USER, USER),
        ({"kind": "phoneNumber", "rawId": "4:+14255550100"}, "4:+14255550100"),
        ({"phoneNumber": {"value": "+14255550100"}}, "4:+14255550100"),
        ({"communicationUser": {"id": USER}}, USER),
        ({"microsoftTeamsUser": {"userId": "abc"}}, "8:orgid:abc"),
        ({"microsoftTeamsApp": {"appId": "abc"}}, "28:orgid:abc"),
        ({"id": USER}, USER),
        (Identifier(raw_id=USER), USER),
    ],
)
def test_an_identifier_is_read_in_each_of_its_shapes(value: Any, raw_id: str) -> None:
    assert Identifier.parse(value).raw_id == raw_id


@pytest.mark.parametrize(
    "value",
    [
        "",
        "alice",
        "+",
        "+0123",
        "+1 425 555",
        "+1234567890123456",
        "+1425555010a",
        "+14255550100\n",
        {},
        {"rawId": ""},
        {"rawId": 7},
        {"phoneNumber": "+1425"},
        {"communicationUser": {"id": ""}},
        {"id": ""},
        7,
        None,
        [],
    ],
)
def test_what_is_no_identifier_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        Identifier.parse(value)


@pytest.mark.parametrize(
    ("raw_id", "kind"),
    [
        ("4:+14255550100", "phoneNumber"),
        ("4:anonymous", "phoneNumber"),
        ("8:acs:a_b", "communicationUser"),
        ("8:acs:a_b_c", "teamsExtensionUser"),
        ("8:orgid:a", "microsoftTeamsUser"),
        ("8:teamsvisitor:a", "microsoftTeamsUser"),
        ("28:orgid:a", "microsoftTeamsApp"),
        ("9:new", "unknown"),
    ],
)
def test_the_kind_follows_from_the_raw_id(raw_id: str, kind: str) -> None:
    assert Identifier.parse(raw_id).kind == kind


@pytest.mark.parametrize("raw_id", ["4:+14255550100", USER, "8:orgid:abc", "28:orgid:abc"])
def test_the_model_that_is_written_is_read_back(raw_id: str) -> None:
    identifier = Identifier.parse(raw_id)
    assert Identifier.parse(to_wire(identifier)) == identifier
    assert to_wire(identifier)["kind"] == identifier.kind


def test_an_identifier_in_a_model_is_one_string() -> None:
    class Holder(BaseModel):
        who: Identifier

    holder = Holder.model_validate({"who": {"phoneNumber": {"value": "+14255550100"}}})
    assert holder.model_dump_json() == '{"who":"4:+14255550100"}'
    assert Holder.model_validate_json(holder.model_dump_json()) == holder


def test_a_masked_identifier_cannot_be_called() -> None:
    assert Identifier.parse("+14255550100").masked() == "4:+142…00"


def test_an_identifier_shows_its_number_or_its_raw_id() -> None:
    assert str(Identifier.parse("+14255550100")) == "+14255550100"
    assert str(Identifier.parse(USER)) == USER


def test_identifiers_of_one_endpoint_are_equal_and_can_be_keys() -> None:
    assert len({Identifier.parse("+14255550100"), Identifier.parse("4:+14255550100")}) == 1


@given(st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True))
def test_every_number_comes_back(number: str) -> None:
    assert Identifier.parse(number).phone_number == number


@given(st.text())
def test_a_text_is_an_identifier_or_is_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert Identifier.parse(text).raw_id


def test_a_raw_id_has_one_to_1024_characters() -> None:
    assert Identifier(raw_id="8:" + "a" * 1022).raw_id == "8:" + "a" * 1022
    assert Identifier(raw_id="8").raw_id == "8"
    with pytest.raises(ValueError, match="1024 characters at most"):
        Identifier(raw_id="8:" + "a" * 1023)
    with pytest.raises(ValueError, match="never empty"):
        Identifier(raw_id="")
