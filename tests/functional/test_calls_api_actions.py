"""Actions and signals over the HTTP API, on live calls: sent once, in the journal, and no trouble to the flow."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.calls import actions, text
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import refuse
from shared.calls.journal import EventReceived, Issued
from shared.composition.board import compose
from shared.errors import KeyReused
from shared.events import explain, parse_callback
from shared.identifiers import Identifier
from shared.text_rows import MemoryTextRows
from shared.web.models import ACTIONS
from tests.examples import examples
from tests.found_calls import decode_all
from tests.functional.api import (
    BODIES,
    OTHER_PHONE,
    PHONE,
    USER,
    assert_refused,
    assert_replays,
    commands,
    ended,
    every_action,
    get,
    journal,
    live,
    placed,
    read,
    send,
)
from tests.functional.app import CALLER, App, problem

pytestmark = pytest.mark.usefixtures("tested_flows")


# Acting


def test_there_is_a_body_here_for_every_action() -> None:
    assert BODIES.keys() == ACTIONS.keys()


@every_action
def test_an_action_reaches_the_service_and_stands_in_the_journal(app: App, name: str) -> None:
    call_id = live(app)
    answer = send(app, f"/{call_id}/actions/{name}", BODIES[name], key="k-1")
    done = read(answer, answer.status_code)
    at_once = ACTIONS[name].spec.completes_on == "response"
    assert (answer.status_code, done["done"]) == ((200, True) if at_once else (202, False))
    request = app.gateway.sent[-1]
    (entry,) = commands(app, call_id)
    assert (entry["command"], entry["seq"]) == ("k-1", done["operation"])
    asked = {"kind": name, **BODIES[name]}
    if "participant" in ACTIONS[name].model_fields:
        asked["participant"] = PHONE  # nobody was named, so the other side is meant
    assert request.action == ACTIONS[name].model_validate(asked)
    assert request.seq == done["operation"]
    assert entry["action"]["kind"] == name
    assert ACTIONS[name].model_validate(entry["action"]) == request.action
    assert_replays(app, call_id)


@every_action
def test_an_action_with_the_same_key_is_done_once(app: App, name: str) -> None:
    call_id = live(app)
    first = read(send(app, f"/{call_id}/actions/{name}", BODIES[name], key="k"), 200 if _at_once(name) else 202)
    again = read(send(app, f"/{call_id}/actions/{name}", BODIES[name], key="k"), 200 if _at_once(name) else 202)
    assert again == {**first, "outcome": "duplicate"}
    assert app.kinds == ["create_call", name]


def _at_once(name: str) -> bool:
    return ACTIONS[name].spec.completes_on == "response"


def test_a_key_that_comes_back_with_another_action_is_refused(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/hold", key="k"), 200)
    assert_refused(send(app, f"/{call_id}/actions/unhold", key="k"), 409, "Idempotency-Key")
    assert_refused(send(app, f"/{call_id}/actions/hold", {"participant": USER}, key="k"), 409, "Idempotency-Key")
    assert app.kinds == ["create_call", "hold"]


def test_a_key_belongs_to_one_call(app: App) -> None:
    for call_id in (live(app), live(app)):
        read(send(app, f"/{call_id}/actions/hold", key="k"), 200)
    assert app.kinds.count("hold") == 2


def test_the_other_side_of_an_incoming_call_is_the_caller(app: App) -> None:
    app.ring()
    (call_id,) = app.call_ids
    app.react()
    read(send(app, f"/{call_id}/actions/hold"), 200)
    assert app.gateway.sent[-1].action == actions.Hold(participant=Identifier.parse(CALLER))


def test_the_service_s_answer_is_given_where_it_is_the_outcome_or_needed_later(app: App) -> None:
    call_id = live(app)
    answers: dict[str, dict[str, Any]] = {
        "list_participants": {"value": [{"isMuted": False}]},
        "add_participant": {"invitationId": "i-9"},
    }
    app.gateway._answer = lambda request: answers.get(request.action.kind, {"ignored": True})
    for _ in range(2):
        listed = read(send(app, f"/{call_id}/actions/list_participants", key="a"), 200)
        assert listed["answer"] == answers["list_participants"]
        added = read(send(app, f"/{call_id}/actions/add_participant", BODIES["add_participant"], key="b"), 202)
        assert added["answer"] == answers["add_participant"]
        assert read(send(app, f"/{call_id}/actions/play", BODIES["play"], key="c"), 202)["answer"] is None
        app.board.conductor._cache.take(call_id)  # and from another instance, which loads the call
    read(send(app, f"/{call_id}/actions/cancel_add_participant", {"adding": added["operation"]}), 202)
    assert app.gateway.sent[-1].action == actions.CancelAddParticipant(adding=added["operation"], invitation_id="i-9")


def test_a_repeated_request_learns_how_the_action_ended(app: App) -> None:
    call_id = live(app)
    why = f"play failed: 400/8535: bad file ({explain(400, 8535, 'text').plain})"
    for key, event, failure in (("a", "PlayCompleted", None), ("b", "PlayFailed", why)):
        first = read(send(app, f"/{call_id}/actions/play", BODIES["play"], key=key), 202)
        request = app.gateway.sent[-1]
        result = (200, 0, "") if failure is None else (400, 8535, "bad file")
        assert request.operation_callback_url is not None
        app.call_back(request.operation_callback_url, app.wire.event(event, request.operation_context, result))
        again = read(send(app, f"/{call_id}/actions/play", BODIES["play"], key=key), 200)
        assert again == {**first, "outcome": "duplicate", "done": True, "failure": failure}


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("play", {}, "prompts"),
        ("play", {"prompts": []}, "prompts"),
        ("play", {"prompts": [{"kind": "song", "url": "x"}]}, "prompts.0"),
        ("play", {**BODIES["play"], "to": [PHONE]}, "interrupt"),
        ("recognize", {"input": "dtmf"}, "max_tones"),
        ("recognize", {"input": "choices"}, "choices"),
        ("send_dtmf", {"tones": ["one"] * 19}, "tones"),
        ("send_dtmf", {"tones": ["eleven"]}, "tones.0"),
        ("send_dtmf", {"tones": ["one"], "participant": USER}, "participant"),
        ("add_participant", {"target": OTHER_PHONE}, "caller_id"),
        ("add_participant", {"target": USER, "invitation_timeout": 181}, "invitation_timeout"),
        ("transfer", {"target": OTHER_PHONE, "context": {"sip_headers": {"Secret": "x"}}}, "sip_headers"),
        ("mute", {"target": PHONE}, "target"),
        ("start_recording", {"channel": "unmixed", "format": "mp3"}, "format"),
        ("hold", {"who": PHONE}, "who"),
        ("hold", b"[1]", "body"),
    ],
    ids=str,
)
def test_what_the_service_would_refuse_is_refused_before_it_is_sent(app: App, name: str, body: Any, field: str) -> None:
    call_id = live(app)
    before = journal(app, call_id)
    assert_refused(send(app, f"/{call_id}/actions/{name}", body), 400, field)
    assert app.kinds == ["create_call"]
    assert journal(app, call_id) == before


@pytest.mark.parametrize(("status", "answered"), [(400, 422), (412, 422), (429, 422), (500, 502), (503, 502)])
def test_what_the_service_refuses_is_told_with_its_code_and_stands_in_the_journal(
    app: App, status: int, answered: int
) -> None:
    call_id = live(app)
    app.gateway._answer = refuse(status, "8583", "not now")
    for _ in range(2):  # the same key gets the same answer
        told = read(send(app, f"/{call_id}/actions/play", BODIES["play"], key="k"), answered)
        assert (told["code"], told["title"]) == ("8583", "Refused by the service")
    assert app.kinds == ["create_call", "play"]
    refused = journal(app, call_id)[-1]
    assert (refused["entry"], refused["status"], refused["code"]) == ("refused", status, "8583")
    assert read(get(app, f"/{call_id}"), 200)["status"] == "connected"
    assert_replays(app, call_id)


@every_action
def test_nothing_is_done_on_a_call_that_is_over(app: App, name: str) -> None:
    call_id = ended(app)
    before = journal(app, call_id)
    answer = send(app, f"/{call_id}/actions/{name}", BODIES[name])
    assert answer.status_code == 409
    assert problem(answer)["title"] == "Call over"
    assert app.kinds == ["create_call", "hang_up"]
    assert journal(app, call_id) == before


def test_nothing_is_done_on_a_call_that_ends_while_the_request_is_on_its_way(app: App) -> None:
    """Another instance takes CallDisconnected between this one's look at the call and its commit."""
    call_id = live(app)
    other = compose(
        app.board.settings, store=app.store, gateway=app.gateway, timers=app.timers, brake_rows=MemoryTextRows()
    )
    over = app.wire.event("CallDisconnected", None, (200, 7000, "over"))
    commit = app.store.commit

    def late(*args: Any) -> Any:
        app.store.commit = commit  # type: ignore[method-assign]
        other.conductor.deliver(call_id, [parse_callback(over)])
        return commit(*args)

    app.store.commit = late  # type: ignore[assignment, method-assign]
    answer = send(app, f"/{call_id}/actions/play", BODIES["play"])
    assert (answer.status_code, problem(answer)["title"]) == (409, "Call over")
    assert app.kinds == ["create_call"]
    assert commands(app, call_id) == []


def test_nothing_is_done_on_a_call_that_has_no_connection_yet(app: App) -> None:
    app.gateway._answer = lambda request: {}
    call_id = placed(app)
    answer = send(app, f"/{call_id}/actions/play", BODIES["play"])
    assert (answer.status_code, problem(answer)["title"]) == (409, "Not connected")
    assert answer.headers["Retry-After"] == "1"
    assert app.kinds == ["create_call"]


@pytest.mark.parametrize("name", ["dance", "create_call", "answer", "Play", "sleep", "%2e%2e"])
def test_an_unknown_action_is_not_found_and_the_known_ones_are_named(app: App, name: str) -> None:
    told = assert_refused(send(app, f"/{live(app)}/actions/{name}"), 404, "action")
    assert "play" in told["remedy"]
    assert app.kinds == ["create_call"]


def test_a_flow_that_plays_and_an_operator_who_acts_do_not_disturb_each_other(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/signals/say", {"data": "one"}), 202)
    read(send(app, f"/{call_id}/actions/play", BODIES["play"]), 202)
    read(send(app, f"/{call_id}/actions/hold"), 200)
    app.react()  # both prompts end
    assert_replays(app, call_id)
    app.board.conductor._cache.take(call_id)  # the next delivery finds a cold instance
    read(send(app, f"/{call_id}/signals/say", {"data": "two"}), 202)
    read(send(app, f"/{call_id}/actions/unhold"), 200)
    app.react()
    assert app.kinds == ["create_call", "play", "play", "hold", "play", "unhold"]
    seqs = [entry["seq"] for entry in journal(app, call_id) if entry["entry"] == "issued"]
    assert seqs == [0, 1, 1_000_000, 1_000_001, 2, 1_000_002]
    assert_replays(app, call_id)


def test_a_supervisor_can_mute_somebody_while_the_flow_waits(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/mute", {"target": USER}), 200)
    assert app.gateway.sent[-1].action == actions.MuteParticipant(target=Identifier.parse(USER))
    read(send(app, f"/{call_id}/signals/say", {"data": "bye"}), 202)
    app.run()
    assert read(get(app, f"/{call_id}"), 200)["outcome"] == "completed"
    assert_replays(app, call_id)


@pytest.mark.parametrize("name", ["hang_up", "terminate"])
def test_a_hang_up_from_outside_gives_the_flow_the_end_of_its_call(app: App, name: str) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/{name}", key="k"), 202)
    app.react()
    assert journal(app, call_id)[-1]["value"] == "cleaned up"
    assert read(get(app, f"/{call_id}"), 200)["outcome"] == "hung_up"
    assert read(send(app, f"/{call_id}/actions/{name}", key="k"), 200)["done"] is True
    assert list(app.store.open_calls()) == []
    assert_replays(app, call_id)


def test_a_transfer_from_outside_ends_the_call_as_transferred(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/transfer", BODIES["transfer"]), 202)
    request = app.gateway.sent[-1]
    assert request.operation_callback_url is not None
    app.call_back(request.operation_callback_url, app.wire.event("CallTransferAccepted", request.operation_context))
    app.call_back(request.callback_url, app.wire.event("CallDisconnected", None, (200, 7000, "over")))
    assert read(get(app, f"/{call_id}"), 200)["outcome"] == "transferred"


# Two instances


@pytest.mark.parametrize("keys", [("same", "same"), ("one", "another")], ids=["same key", "two keys"])
def test_actions_from_two_instances_at_once_are_each_done_once(app: App, keys: tuple[str, str]) -> None:
    call_id = live(app)
    other = compose(
        app.board.settings, store=app.store, gateway=app.gateway, timers=app.timers, brake_rows=MemoryTextRows()
    )
    other.conductor.afterwards.later = app.later
    start = threading.Barrier(2)
    seen: list[int] = []

    def act(board: Any, key: str) -> None:
        start.wait(10)
        seen.append(board.service.act(call_id, "play", json.dumps(BODIES["play"]).encode(), key).operation)

    threads = [threading.Thread(target=act, args=pair) for pair in zip((app.board, other), keys, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    expected = [1_000_000 + number for number in range(len(set(keys)))]
    assert sorted(set(seen)) == expected
    assert len(seen) == 2
    assert sorted(request.seq for request in app.gateway.sent[1:]) == expected
    assert [entry["seq"] for entry in commands(app, call_id)] == expected
    assert_replays(app, call_id)


class Died(BaseException):
    """The instance stopped here."""


@pytest.mark.parametrize("by", ["the same request", "the watchdog"])
@pytest.mark.parametrize("name", ["play", "hold", "hang_up"])
def test_an_action_that_was_committed_and_never_sent_is_sent_later(app: App, name: str, by: str) -> None:
    call_id = live(app)

    def die(request: Request) -> Any:
        raise Died

    perform, app.gateway.perform = app.gateway.perform, die  # type: ignore[method-assign]
    with pytest.raises(Died):
        send(app, f"/{call_id}/actions/{name}", BODIES[name], key="k")
    app.gateway.perform = perform  # type: ignore[method-assign]
    assert [entry["action"]["kind"] for entry in commands(app, call_id)] == [name]
    app.clock.pass_seconds(25)
    if by == "the watchdog":
        app.tick()
    else:
        again = read(send(app, f"/{call_id}/actions/{name}", BODIES[name], key="k"), 200 if _at_once(name) else 202)
        assert again["outcome"] == "duplicate"
    assert app.kinds == ["create_call", name]
    assert_replays(app, call_id)


def test_an_instance_that_remembers_the_call_as_it_was_acts_on_it_as_it_is(app: App) -> None:
    app.gateway._answer = lambda request: {}
    call_id = placed(app)
    other = compose(
        app.board.settings, store=app.store, gateway=app.gateway, timers=app.timers, brake_rows=MemoryTextRows()
    )
    other.conductor.afterwards.later = app.later
    assert len(other.conductor.open_operations(call_id)) == 1  # it holds the call in memory, without a connection
    app.react()
    read(send(app, f"/{call_id}/actions/hold", key="k"), 200)
    assert other.service.act(call_id, "hold", b"", "k").outcome == "duplicate"
    with pytest.raises(KeyReused):
        other.service.act(call_id, "unhold", b"", "k")
    assert app.kinds == ["create_call", "hold"]


# Signals


def test_a_signal_wakes_the_flow_that_waits_for_it(app: App) -> None:
    call_id = live(app)
    assert read(send(app, f"/{call_id}/signals/say", {"data": "hello"}), 202) == {"outcome": "advanced"}
    action = app.gateway.sent[-1].action
    assert isinstance(action, actions.Play)
    assert action.prompts == (text("hello"),)
    assert_replays(app, call_id)


def test_a_signal_with_the_same_key_is_delivered_once(app: App) -> None:
    call_id = live(app)
    for outcome in ("advanced", "duplicate", "duplicate"):
        taken = read(send(app, f"/{call_id}/signals/say", {"data": {"a": None}}, key="click-1"), 202)
        assert taken == {"outcome": outcome}
    assert app.kinds == ["create_call", "play"]
    assert [entry["entry"] for entry in journal(app, call_id)].count("signal") == 1


@pytest.mark.parametrize(("name", "data"), [("say", "other"), ("ask", "hello"), ("say", None)], ids=str)
def test_a_key_that_comes_back_with_another_signal_is_refused(app: App, name: str, data: Any) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/signals/say", {"data": "hello"}, key="k"), 202)
    assert_refused(send(app, f"/{call_id}/signals/{name}", {"data": data}, key="k"), 409, "Idempotency-Key")


def test_a_signal_comes_too_late_for_a_call_that_is_over_but_a_repeated_one_does_not(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/signals/other", key="k"), 202)
    send(app, f"/{call_id}/actions/hang_up")
    app.react()
    answer = send(app, f"/{call_id}/signals/say", {"data": "hello"})
    assert (answer.status_code, problem(answer)["title"]) == (409, "Call over")
    assert read(send(app, f"/{call_id}/signals/other", key="k"), 202) == {"outcome": "duplicate"}


@pytest.mark.parametrize("name", ["a b", "%C3%A4", "a%2Fb", "n" * 65, "say%0A", "!"])
def test_a_signal_s_name_is_plain(app: App, name: str) -> None:
    assert_refused(send(app, f"/{live(app)}/signals/{name}"), 400, "name")


@pytest.mark.parametrize(("body", "field"), [(b"{", "body"), ({"value": 1}, "value"), ([1], "body")], ids=str)
def test_a_signal_s_body_is_an_object_with_data(app: App, body: Any, field: str) -> None:
    call_id = live(app)
    assert_refused(send(app, f"/{call_id}/signals/say", body), 400, field)
    assert app.kinds == ["create_call"]


# All of it


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([PHONE, USER, "text", "one"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "text", "label"]), inner),
    max_leaves=6,
)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(sorted(ACTIONS)))
def test_whatever_is_asked_gets_an_answer_that_is_described_and_never_a_failure(
    app: App, data: st.DataObject, name: str
) -> None:
    """Bodies of the right fields with any values: 2xx, or 4xx with the field."""
    fields = sorted(ACTIONS[name].model_fields)
    body = {**BODIES[name], **data.draw(st.dictionaries(st.sampled_from(fields), values, max_size=2))}
    call_id = live(app)
    answer = send(app, f"/{call_id}/actions/{name}", body)
    assert answer.status_code in (200, 202, 400, 422)
    if answer.status_code == 400:
        assert problem(answer)["field"]
    else:
        assert_replays(app, call_id)


def test_the_rules_are_those_of_the_flows(app: App) -> None:
    """What `check` refuses for a flow, the API refuses with the same words."""
    action = actions.MuteParticipant(target=Identifier.parse(PHONE))
    with pytest.raises(Exception, match="mutes ACS users only"):
        action.check(None)
    told = problem(send(app, f"/{live(app)}/actions/mute", {"target": PHONE}))
    assert "mutes ACS users only" in told["detail"]


def test_a_journal_of_an_operator_s_actions_holds_events_of_them(app: App) -> None:
    call_id = live(app)
    read(send(app, f"/{call_id}/actions/play", BODIES["play"]), 202)
    app.react()
    entries = decode_all(app.store.load(call_id).journal)
    (command,) = [entry for entry in entries if isinstance(entry, Issued) and entry.command]
    contexts = [e.event["data"].get("operationContext") for e in entries if isinstance(e, EventReceived)]
    assert contexts[-2:] == [f"{call_id}:{command.seq}:0"] * 2


def test_an_action_on_a_recording_that_was_never_started_is_refused_with_a_code(app: App) -> None:
    told = read(send(app, f"/{live(app)}/actions/stop_recording"), 422)
    assert told["code"] == "no_recording"
