"""What of a model may hold a secret: found by the types of its fields, and replaced where it is shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel

from shared.calls import actions
from shared.calls.free_text import SECRET, FreeText, Name, Part, masked, text_fields, texts_of
from tests.unit.calls.world import CALLER


class Voice(BaseModel):
    name: Name = "ada"
    said: str = ""


class Bare(BaseModel):
    number: int = 1
    name: Name = "n"


class Asked(BaseModel):
    kind: Literal["asked"] = "asked"
    text: str = "code 12"
    maybe: str | None = None
    voice: Voice = Voice()
    other: Voice | None = None
    nothing: Bare | None = None
    many: tuple[str, ...] = ()
    noted: tuple[Annotated[str, "a mark of somebody else"], ...] = ()
    values: dict[str, str] = {}
    tones: Annotated[tuple[Name, ...], FreeText(["zero"])] = ()
    marked: Annotated[Annotated[str, "a mark of somebody else"], "and another"] = ""
    hidden: Annotated[str, "of somebody", FreeText(None)] = ""


def test_the_fields_that_may_hold_one_are_those_with_text_of_their_own() -> None:
    assert text_fields(Asked) == {
        "text": SECRET,
        "maybe": SECRET,
        "voice": Part(Voice),
        "other": Part(Voice),
        "many": [SECRET],
        "noted": [SECRET],
        "values": {},
        "tones": ["zero"],
        "marked": SECRET,
    }
    assert text_fields(Bare) == {}


def test_what_was_said_is_found_in_parts_too_and_a_part_without_any_is_left_out() -> None:
    said = Asked(other=Voice(said="my code"), many=("a",), values={"k": "v"}, tones=("one",))
    assert texts_of(said) == {
        "text": "code 12",
        "maybe": None,
        "voice": {"said": ""},
        "other": {"said": "my code"},
        "many": ["a"],
        "noted": [],
        "values": {"k": "v"},
        "tones": ["one"],
        "marked": "",
    }
    assert "other" not in texts_of(Asked())


def test_what_was_said_is_replaced_and_the_rest_is_shown() -> None:
    said = Asked(other=Voice(said="my code"), many=("a", "b"), values={"k": "v"}, tones=("one", "two"))
    assert masked(said) == {
        "kind": "asked",
        "text": SECRET,
        "maybe": None,
        "voice": {"name": "ada", "said": ""},
        "other": {"name": "ada", "said": SECRET},
        "nothing": None,
        "many": [SECRET],
        "noted": (),
        "values": {},
        "tones": ["zero"],
        "marked": "",
        "hidden": "",
    }
    assert masked(Asked())["other"] is None


def test_what_an_action_leaves_out_is_not_said_to_be_there() -> None:
    assert texts_of(actions.Hold(participant=CALLER)) == {}
    assert texts_of(actions.SendDtmf(tones=("one",), participant=CALLER)) == {"tones": ["one"]}


def fields_of(kind: Any) -> Any:
    return text_fields(type("Model", (BaseModel,), {"__annotations__": {"field": kind}}))


@pytest.mark.parametrize("kind", [tuple[Voice, ...], Any, bytes, tuple[str, Voice], str | dict[str, str]])
def test_a_type_that_nobody_can_judge_must_be_marked(kind: Any) -> None:
    with pytest.raises(TypeError, match="declare what stands in for it"):
        fields_of(kind)


@pytest.mark.parametrize("kind", [int, bool | None, Literal["a", "b"], tuple[int, ...], Bare, dict[int, float]])
def test_a_type_without_text_holds_none(kind: Any) -> None:
    assert fields_of(kind) == {}
