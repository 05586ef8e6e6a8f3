"""The input of a flow that says what it takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import AliasChoices, BaseModel, Field, field_serializer

from shared.calls import Call, Flow, InvalidInput, actions, text
from shared.calls.journal import Started
from shared.calls.outcome import Outcome
from shared.calls.rehearsal import Rehearsal
from shared.calls.typed_input import journaled_input, needed_fields
from shared.errors import KeyReused
from tests.unit.calls.steps import Steps
from tests.unit.calls.world import CALLEE, CALLER

PHONE = ["+14255550100"]
WHEN = {"day": "2026-11-30", "who": "Ada"}


class Person(BaseModel):
    name: str = Field(alias="fullName")


class Visit(BaseModel):
    """A visit to remind of."""

    day: date
    who: str = Field(min_length=1)
    persons: tuple[Person, ...] = ()
    id: UUID = Field(default_factory=uuid4)


async def remind(call: Call[Visit]) -> None:
    """Says when, and which of the visits it is."""
    visit = call.input
    assert call.input is visit
    await call.play(text(f"{visit.who} on {visit.day:%A} with {len(visit.persons)}."))
    await call.play(text(str(visit.id)))


REMIND = Flow("remind", remind, input=Visit)


def test_a_flow_finds_an_instance_of_its_model() -> None:
    call = Rehearsal(REMIND, placed_to=PHONE, data={**WHEN, "persons": [{"fullName": "Bob"}]})
    call.connect()
    assert call.spoken == ["Ada on Monday with 1."]


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"day": "Monday"}, "input.day", "valid date"),
        ({"day": None}, "input.day", "date"),
        ({"who": ""}, "input.who", "at least 1 character"),
        ({"persons": [{"fullName": "Bob"}, {}]}, "input.persons.1.fullName", "required"),
        ({"day": "x", "who": ""}, "input.day", "1 more: who"),
        ({"id": float("nan")}, "input", "not JSON"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_its_field_and_a_remedy(
    change: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Rehearsal(REMIND, placed_to=PHONE, data={**WHEN, **change})
    assert refused.value.field == field
    assert told in refused.value.problem
    assert refused.value.remedy


def test_no_input_is_refused_where_the_model_needs_one() -> None:
    with pytest.raises(InvalidInput) as refused:
        Rehearsal(REMIND, placed_to=PHONE)
    assert refused.value.field == "input.day"
    assert needed_fields(Visit) == ("day", "who")


@pytest.mark.parametrize("cold", [False, True])
def test_a_default_that_differs_each_time_is_the_same_at_each_replay(cold: bool) -> None:
    call = Steps(REMIND, cold=cold)
    call.place(WHEN)
    call.step()
    call.step()
    assert call.spoken == ["Ada on Monday with 0.", call.started.input["id"]]
    assert call.started.input == {**WHEN, "persons": [], "id": call.spoken[1]}
    assert call.failures == []


def test_a_call_whose_input_no_longer_fits_fails_in_its_flow_and_says_so() -> None:
    class Changed(BaseModel):
        day: date
        place: str

    async def remind_of_place(call: Call[Changed]) -> None:
        await call.signal("go")
        await call.play(text(call.input.place))

    call = Steps(Flow("remind", remind_of_place, input=Visit), cold=True)
    call.place(WHEN)
    changed = Flow("remind", remind_of_place, input=Changed)
    call.flow, call.conductor = changed, call.world.conductor(flows={"remind": changed}, cached_calls=0)
    call.conductor.signal(call.call_id, "go")
    (failure,) = call.failures
    assert "input.place" in failure
    assert "started with another input" in failure
    assert "Give the fields of Changed a default" in failure
    assert call.spoken == ["Sorry"]
    call.step()
    call.step()
    assert (call.record.status, call.record.outcome) == ("ended", "failed")


def test_a_call_that_comes_in_has_the_defaults_of_the_model_for_its_input() -> None:
    class Options(BaseModel):
        at: datetime = Field(default_factory=lambda: datetime.now(UTC))
        tries: int = 2

    async def tells(call: Call[Options]) -> None:
        await call.play(text(f"{call.input.tries} {call.input.at.isoformat()}"))

    call = Steps(Flow("tells", tells, input=Options), cold=True)
    call.ring()
    assert call.started.input["tries"] == 2
    call.step()
    assert call.failures == []


def test_a_call_that_comes_in_for_a_flow_that_needs_input_fails_and_says_so() -> None:
    call = Steps(REMIND)
    call.ring()
    (failure,) = call.failures
    assert "a call that came in has no input" in failure.lower()
    assert call.spoken == ["Sorry"]


def test_the_same_key_places_one_call_though_its_defaults_differ_each_time() -> None:
    conductor = Steps(REMIND).conductor
    opening = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
    outcome, call_id = conductor.place("remind", opening, data=WHEN, key="k")
    assert outcome is Outcome.CLAIMED
    assert conductor.place("remind", opening, data=WHEN, key="k") == (Outcome.DUPLICATE, call_id)
    for other in ({**WHEN, "who": "Bob"}, {**WHEN, "id": str(uuid4())}, {**WHEN, "persons": [{"fullName": "Bob"}]}):
        with pytest.raises(KeyReused):
            conductor.place("remind", opening, data=other, key="k")


def test_the_same_key_with_another_untyped_input_is_another_request() -> None:
    async def function(call: Call) -> None:
        await call.ended()

    conductor = Steps(Flow("free", function)).conductor
    opening = actions.CreateCall(targets=(CALLER,), caller_id=CALLEE)
    conductor.place("free", opening, data=[1], key="k")
    assert conductor.place("free", opening, data=[1], key="k")[0] is Outcome.DUPLICATE
    with pytest.raises(KeyReused):
        conductor.place("free", opening, data=[2], key="k")


def test_a_model_that_does_not_read_what_it_writes_is_refused_at_the_start() -> None:
    class Renamed(BaseModel):
        when: str = Field(validation_alias=AliasChoices("at"), serialization_alias="to")

    class Rounded(BaseModel):
        amount: float

        @field_serializer("amount")
        def _short(self, amount: float) -> str:
            return f"{amount:.0f}"

    for model, data in ((Renamed, {"at": "now"}), (Rounded, {"amount": 1.5})):
        with pytest.raises(InvalidInput, match="does not read back what it writes"):
            journaled_input(model, data)


def test_the_first_entry_without_a_language_or_input_is_read_as_before() -> None:
    entry = Started(at=1, flow="f", direction="inbound")
    assert (entry.language, entry.input) == (None, None)
