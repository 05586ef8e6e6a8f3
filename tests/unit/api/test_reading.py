"""What the HTTP API reads: nothing that the journal cannot hold, every error with the field as the body has it."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calls import actions, journal
from shared.errors import InvalidInput, UnknownAction
from shared.identifiers import Identifier
from shared.web.models import ACTIONS, MAX_BODY, Signal, in_body, read, read_action
from tests.found_calls import decode_all

OTHER_SIDE = Identifier.parse("+14255550123")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


def nested(levels: int) -> bytes:
    return b'{"data":' + b"[" * levels + b"]" * levels + b"}"


@given(data=anything)
def test_whatever_is_read_comes_out_of_the_journal_as_it_went_in(data: object) -> None:
    with suppress(InvalidInput):
        signal = read(Signal, json.dumps({"data": data}).encode())
        entry = journal.Signalled(at=1, id="s", name="n", data=signal.data)
        assert decode_all([journal.encode(entry)]) == [entry]


def test_the_deepest_body_that_is_read_fits_into_the_journal() -> None:
    entry = journal.Signalled(at=1, id="s", name="n", data=read(Signal, nested(31)).data)
    assert decode_all([journal.encode(entry)]) == [entry]
    with pytest.raises(InvalidInput, match="nested too deeply"):
        read(Signal, nested(32))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"null", "is not a JSON object"),
        (b'{"data": NaN}', "no number of JSON"),
        (b'{"data": 1e999}', "no number of JSON"),
        (b'{"data": {"\\ud800": 1}}', "half a character"),
        (b'{"data": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"data": "' + b"a" * MAX_BODY + b'"}', "bytes"),
        (b'{"data": 1, "date": 2}', "is not a field of this request"),
        (b'{"data": 1, "data": 2}', "the key 'data' twice"),
        (b'{"data": ' + b"9" * 21 + b"}", "too large"),
    ],
    ids=[
        "half",
        "no utf-8",
        "array",
        "null",
        "NaN",
        "infinite",
        "surrogate",
        "nested",
        "long",
        "unknown field",
        "twice",
        "long number",
    ],
)
def test_a_body_that_is_no_request_is_refused_with_what_is_wrong(body: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        read(Signal, body)
    assert caught.value.field
    assert caught.value.remedy


def test_an_empty_body_is_an_empty_object() -> None:
    assert read(Signal, b" ") == Signal()


@pytest.mark.parametrize(
    ("choice", "field"),
    [({"label": "a", "bogus": 1}, "bogus"), ({"tone": "one"}, "label"), ({"label": "a", "phrases": []}, "phrases")],
    ids=["unknown field", "no label", "no phrase"],
)
def test_a_wrong_choice_is_named_with_its_place(choice: object, field: str) -> None:
    body = json.dumps({"input": "choices", "choices": [choice]}).encode()
    with pytest.raises(InvalidInput) as caught:
        read_action("recognize", body, OTHER_SIDE)
    assert caught.value.field == f"choices.0.{field}"


def test_a_choice_without_phrases_is_said_by_its_label() -> None:
    action = read_action("recognize", b'{"input": "choices", "choices": [{"label": "yes"}]}', OTHER_SIDE)
    assert isinstance(action, actions.Recognize)
    assert action.choices == (actions.Choice("yes"),)
    assert action.choices[0].phrases == ("yes",)


def test_zero_and_false_stay_in_the_journal_when_they_were_asked_for() -> None:
    """They were taken for what may be left out, and a replay then found another action than the flow's."""
    asked = (
        actions.Recognize(input="dtmf", participant=OTHER_SIDE, max_tones=1, initial_silence=0, interrupt_prompt=False),
        actions.AddParticipant(target=OTHER_SIDE, invitation_timeout=0),
        actions.CancelAddParticipant(adding=0),
        actions.Sleep(seconds=0),
    )
    for action in asked:
        entry = journal.Issued(at=1, seq=0, action=action)
        assert journal.decode(journal.encode(entry)) == entry


@pytest.mark.parametrize("name", ["answer", "create_call", "connect", "redirect", "reject", "sleep", "run", "dance"])
def test_what_cannot_be_done_on_a_live_call_is_an_unknown_action(name: str) -> None:
    with pytest.raises(UnknownAction) as caught:
        read_action(name, b"{}", OTHER_SIDE)
    assert all(known in caught.value.remedy for known in ACTIONS)


def test_an_action_may_not_be_another_than_its_path_says() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_action("hold", b'{"kind": "play"}', OTHER_SIDE)
    assert caught.value.field == "kind"


def test_without_another_side_somebody_must_be_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_action("hold", b"{}", None)
    assert caught.value.field == "participant"


def test_a_field_is_named_as_the_body_has_it() -> None:
    with pytest.raises(InvalidInput) as caught, in_body("play"):
        raise InvalidInput("play.interrupt", "is wrong.", "Leave it out.")
    assert (caught.value.field, caught.value.remedy) == ("interrupt", "Leave it out.")
    with pytest.raises(InvalidInput) as caught, in_body("play"):
        raise InvalidInput("Idempotency-Key", "is long.")
    assert caught.value.field == "Idempotency-Key"
