"""Whatever is delivered, the answer is events or a MalformedEvent that names the field, and soon."""

import gc
import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedEvent
from shared.events import CALLBACK_TYPES, parse_callback, parse_callbacks, parse_event_grid, parse_event_grid_event
from tests.unit.events.samples import GRID, REQUIRED, USER_A, body, callback, grid_event, user

HUGE = 10**30


def field_of(raw: bytes | str, parse: Any = parse_callbacks) -> str:
    with pytest.raises(MalformedEvent) as caught:
        parse(raw)
    assert len(str(caught.value)) < 600
    return str(caught.value.field)


@pytest.mark.parametrize("missing", ["id", "data", "type"])
def test_a_missing_field_of_the_envelope_is_named(missing: str) -> None:
    item = callback("PlayCompleted")
    del item[missing]
    assert field_of(body(item)) == f"[0].{missing}"


def test_the_fields_of_event_grid_are_named_as_event_grid_names_them() -> None:
    item = grid_event("IncomingCall")
    del item["eventTime"]
    assert field_of(body(item), parse_event_grid) == "[0].eventTime"
    assert field_of(body(grid_event("IncomingCall", eventType=5)), parse_event_grid) == "[0].eventType"


@pytest.mark.parametrize("value", [5, None, "", [], {}, True])
def test_an_id_that_is_no_string_is_named(value: Any) -> None:
    assert field_of(body(callback("PlayCompleted") | {"id": value})) == "[0].id"


@pytest.mark.parametrize("value", [5, 1e12, "yesterday", "1700000000", "2025", "2025-13-01T00:00:00Z", True])
def test_a_time_that_is_none_is_named(value: Any) -> None:
    assert field_of(body(grid_event("IncomingCall", eventTime=value)), parse_event_grid) == "[0].eventTime"


@pytest.mark.parametrize("value", [5, "{", "5", [], True, None])
def test_data_that_is_no_object_is_named(value: Any) -> None:
    assert field_of(body(callback("PlayCompleted") | {"data": value})).startswith("[0].data")


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("PlayCompleted", {"callConnectionId": None}, "callConnectionId"),
        ("PlayCompleted", {"callConnectionId": ""}, "callConnectionId"),
        ("PlayCompleted", {"callConnectionId": 5}, "callConnectionId"),
        ("PlayCompleted", {"operationContext": {"a": 1}}, "operationContext"),
        ("ParticipantsUpdated", {"participants": None}, "participants"),
        ("ParticipantsUpdated", {"participants": {}}, "participants"),
        ("ParticipantsUpdated", {"participants": [5]}, "participants[0]"),
        (
            "ParticipantsUpdated",
            {"participants": [{"identifier": {"kind": "phoneNumber"}}]},
            "participants[0].identifier",
        ),
        ("ParticipantsUpdated", {"participants": [{"identifier": user(USER_A)}] * 2001}, "participants"),
        ("ParticipantsUpdated", {"sequenceNumber": "x"}, "sequenceNumber"),
        ("RecognizeCompleted", {"dtmfResult": {"tones": "one"}}, "dtmfResult.tones"),
        ("RecognizeCompleted", {"dtmfResult": {"tones": [1]}}, "dtmfResult.tones[0]"),
        ("RecognizeCompleted", {"choiceResult": {}}, "choiceResult.label"),
        ("ContinuousDtmfRecognitionToneReceived", {"tone": None}, "tone"),
    ],
)
def test_a_wrong_field_of_the_data_is_named_with_its_path(name: str, data: dict[str, Any], field: str) -> None:
    good = callback("CallConnected")
    bad = callback(name, **REQUIRED.get(name, {}) | data)
    assert field_of(body(good, bad)) == f"[1].data.{field}"
    with pytest.raises(MalformedEvent) as caught:
        parse_callback(bad)
    assert caught.value.field == f"data.{field}"


@pytest.mark.parametrize("field", ["to", "from", "incomingCallContext", "correlationId"])
def test_an_incoming_call_cannot_do_without(field: str) -> None:
    data = {k: v for k, v in GRID["IncomingCall"].items() if k != field}
    assert field_of(body(grid_event("IncomingCall", data)), parse_event_grid) == f"[0].data.{field}"


def test_the_error_does_not_repeat_a_phone_number() -> None:
    bad = grid_event("IncomingCall", GRID["IncomingCall"] | {"from": {"rawId": "", "phoneNumber": "+14255550199"}})
    with pytest.raises(MalformedEvent) as caught:
        parse_event_grid_event(bad)
    assert "4255550199" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"hello", b"{", b"5", b"null", b'"x"', b"[5]", b"[[]]", b"[null]", b"[{}]", b"{}",
        b"\xff\xfe[\x00]\x00", "[]".encode("utf-16"), b"\x80", b'[{"type":NaN}]', b"[Infinity]", b"[-Infinity]",
        b'[{"type":1e999}]', b"[" + b"9" * 5000 + b"]", b'[{"id":"1","id":"2"}]', b'[{"type":"\\ud800"}]',
        b'{"type":"x"} trailing',
    ],
)  # fmt: skip
def test_a_body_that_is_no_array_of_events_is_malformed(raw: bytes) -> None:
    assert field_of(raw)
    assert field_of(raw, parse_event_grid)


@pytest.mark.parametrize("extra", ['"x": NaN', '"x": 1e400', f'"x": {HUGE}', '"x": 1, "x": 2', '"x": "\\udc00"'])
def test_what_cannot_be_stored_again_is_refused_even_in_fields_that_are_not_read(extra: str) -> None:
    raw = json.dumps([callback("PlayCompleted")])
    assert field_of(raw.replace('"version"', extra + ', "version"')) == "body"


@pytest.mark.parametrize("extra", [float("nan"), "\ud800", {1, 2}, b"x"])
def test_a_decoded_event_that_cannot_be_stored_again_is_refused(extra: Any) -> None:
    with pytest.raises(MalformedEvent):
        parse_event_grid_event(grid_event("IncomingCall", GRID["IncomingCall"] | {"extra": extra}))


def test_a_decoded_event_that_is_nested_too_deep_is_refused() -> None:
    for depth in (40, 100_000):
        nested: list[Any] = []
        for _ in range(depth):
            nested = [nested]
        with pytest.raises(MalformedEvent):
            parse_event_grid_event(grid_event("New", nested))


def test_surrogate_pairs_and_other_scripts_are_kept() -> None:
    item = callback("PlayCompleted", operationContext="😀 é")
    for raw in (json.dumps([item]), json.dumps([item], ensure_ascii=False).encode()):
        assert parse_callbacks(raw)[0].operation_context == "😀 é"


JUNK: dict[str, bytes] = {
    "random bytes": bytes(range(256)) * 4096,
    "letters": b"a" * 2**20,
    "open brackets": b"[" * 2**20,
    "open objects": b'{"a":' * 200_000,
    "matched brackets": b"[" * 2**19 + b"]" * 2**19,
    "nested forty deep": b"[" * 40 + b"1," * 500_000 + b"1" + b"]" * 40,
    "empty objects": b"[" + b"{}," * 349_000 + b"{}]",
    "empty arrays": b"[" + b"[]," * 349_000 + b"[]]",
    "numbers": b"[" + b"1," * 524_000 + b"1]",
    "fractions": b"[" + b"1.5," * 262_000 + b"1]",
    "one long number": b"[" + b"9" * 2**20 + b"]",
    "one long string": b'["' + b"\\u0041" * 174_000 + b'"]',
    "quotes": b'"' * 2**20,
    "backslashes": b'["' + b"\\\\" * 2**19,
    "one key many times": b"{" + b'"a":1,' * 174_000 + b'"a":1}',
    "many keys": b"{" + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}",
    "bad participants": body(
        callback("ParticipantsUpdated", participants=[{"identifier": {}}] * 50_000, sequenceNumber=1),
        5,
    ),
    "surrogates": b'["' + b"\\ud800" * 174_000 + b'"]',
    "spaces": b" " * 2**20,
}


@pytest.mark.parametrize("name", sorted(JUNK))
@pytest.mark.parametrize("parse", [parse_callbacks, parse_event_grid])
def test_a_megabyte_of_junk_is_refused_within_a_second_of_work(name: str, parse: Any) -> None:
    gc.freeze()  # as the app does at its start: what pytest holds in memory is not to be searched for garbage
    try:
        start = process_time()
        with pytest.raises(MalformedEvent):
            parse(JUNK[name])
        assert process_time() - start < 1
    finally:
        gc.unfreeze()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def parses_or_is_malformed(parse: Any, raw: Any) -> None:
    try:
        events = parse(raw)
    except MalformedEvent:
        return
    for event in events:
        assert json.loads(json.dumps(event.raw)) == event.raw


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_give_events_or_a_malformed_event(raw: bytes | str) -> None:
    parses_or_is_malformed(parse_callbacks, raw)
    parses_or_is_malformed(parse_event_grid, raw)


@given(st.sampled_from(sorted(CALLBACK_TYPES)), st.data())
def test_any_value_in_any_field_of_a_callback_gives_an_event_or_a_malformed_event(
    name: str, data: st.DataObject
) -> None:
    item = callback(name, **REQUIRED.get(name, {}))
    part = data.draw(st.sampled_from([item, item["data"]]))
    fields = [*part, "participants", "participant", "dtmfResult", "choiceResult", "operationContext", "startDateTime"]
    part[data.draw(st.sampled_from(fields))] = data.draw(json_values)
    parses_or_is_malformed(parse_callbacks, json.dumps([item]))


@given(st.sampled_from(sorted(GRID)), st.data())
def test_any_value_in_any_field_of_an_event_grid_event_gives_an_event_or_a_malformed_event(
    name: str, data: st.DataObject
) -> None:
    item = grid_event(name, dict(GRID[name]))
    part = data.draw(st.sampled_from([item, item["data"]]))
    fields = [*part, "customContext", "endedBy", "reason", "user", "group", "startedBy"]
    part[data.draw(st.sampled_from(fields))] = data.draw(json_values)
    parses_or_is_malformed(parse_event_grid, json.dumps([item]))
