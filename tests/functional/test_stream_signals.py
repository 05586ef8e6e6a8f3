"""The route by which the streams service hands keys and words to the app: what it takes, and from whom."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.calls import FLOWS, Call, Flow
from shared.calls.record import CallRecord
from shared.calls.store.base import Version
from shared.errors import LostRace
from shared.stream_signals import SignalSignatures
from tests.functional.api import TESTED, ended, journal, live, placed, read, send
from tests.functional.app import App, http_routes, problem, running
from tests.setting_samples import made_key
from tests.unit.calls.secret_scan import assert_nowhere

CONNECTION = "00c0ffee00c0ffee"
MEGABYTE = 1024 * 1024
CARD = "4929007318466520"


async def listener(call: Call) -> None:
    """Says each key, in the order in which it hears them."""
    while True:
        await call.play((await call.signal("dtmf"))["tone"])


async def card(call: Call) -> None:
    """Takes the keys of a card off the stream."""
    keys = [(await call.signal("dtmf", secret=True))["tone"] for _ in CARD]
    await call.play(f"We have {''.join(keys)}.")


@pytest.fixture(autouse=True)
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, known in {**TESTED, "listener": Flow("listener", listener), "card": Flow("card", card)}.items():
        monkeypatch.setitem(FLOWS, name, known)


def body_of(*keys: str) -> bytes:
    return json.dumps({"signals": [{"name": "dtmf", "data": {"tone": key}} for key in keys]}).encode()


def url_of(call_id: str, sequence: int | str = 1, connection: str = CONNECTION) -> str:
    return f"/api/streams/{call_id}/signals/{connection}/{sequence}"


def signed(call_id: str, sequence: int, body: bytes, *, key: str = "signing", connection: str = CONNECTION) -> str:
    return SignalSignatures(made_key(key)).sign(call_id, connection, sequence, body)


def post(app: App, call_id: str, sequence: int, body: bytes, signature: str | None = None) -> func.HttpResponse:
    signature = signed(call_id, sequence, body) if signature is None else signature
    return app.request("POST", url_of(call_id, sequence), body, {"X-Switchboard-Signature": signature})


def heard(app: App, call_id: str) -> list[tuple[str, Any]]:
    """Ids and data of the signals in a call's journal."""
    return [(one["id"], one["data"]) for one in journal(app, call_id) if one["entry"] == "signal"]


def commits_of(app: App) -> list[tuple[list[str], str]]:
    """The commits from here on: entries as they are stored, and the head."""
    commits: list[tuple[list[str], str]] = []
    commit = app.store.commit

    def seen(record: CallRecord, appended: Sequence[str], version: Version) -> Version:
        commits.append((list(appended), repr(record)))
        return commit(record, appended, version)

    app.store.commit = seen  # type: ignore[method-assign]
    return commits


def listening(app: App) -> str:
    call_id = placed(app, flow="listener")
    app.react()
    return call_id


# What is taken


def test_keys_reach_the_flow_in_order_in_one_commit(app: App) -> None:
    call_id = listening(app)
    commits = commits_of(app)
    assert read(post(app, call_id, 1, body_of("1", "2", "#")), 200) == {"outcome": "advanced"}
    assert [sum('"entry":"signal"' in text for text in texts) for texts, _ in commits] == [3]
    assert heard(app, call_id) == [
        ("stream-00c0ffee00c0ffee-1", {"tone": "1"}),
        ("stream-00c0ffee00c0ffee-2", {"tone": "2"}),
        ("stream-00c0ffee00c0ffee-3", {"tone": "#"}),
    ]
    app.run()
    said = [sent.action.prompts[0].text for sent in app.gateway.sent if sent.action.kind == "play"]  # type: ignore[attr-defined]
    assert said == ["1", "2", "#"]


def test_a_replayed_sequence_changes_nothing_however_the_signals_are_grouped(app: App) -> None:
    call_id = listening(app)
    first = body_of("1", "2")
    read(post(app, call_id, 1, first), 200)
    before = journal(app, call_id)
    assert read(post(app, call_id, 1, first), 200) == {"outcome": "duplicate"}
    assert read(post(app, call_id, 2, body_of("2")), 200) == {"outcome": "duplicate"}
    assert journal(app, call_id) == before
    assert read(post(app, call_id, 2, body_of("2", "3")), 200) == {"outcome": "advanced"}
    assert [data["tone"] for _, data in heard(app, call_id)] == ["1", "2", "3"]


def test_a_phrase_with_an_id_of_its_own_counts_once_on_every_connection(app: App) -> None:
    call_id = live(app)
    body = json.dumps({"signals": [{"name": "transcript", "data": {"text": "hi"}, "id": "transcript-1"}]}).encode()
    assert read(post(app, call_id, 7, body), 200) == {"outcome": "advanced"}
    other = "1" * 16
    headers = {"X-Switchboard-Signature": signed(call_id, 1, body, connection=other)}
    answer = app.request("POST", url_of(call_id, 1, other), body, headers)
    assert read(answer, 200) == {"outcome": "duplicate"}
    assert heard(app, call_id) == [("transcript-1", {"text": "hi"})]


def test_signals_of_a_call_that_is_over_are_late_and_of_an_unknown_one_not_found(app: App) -> None:
    assert read(post(app, ended(app), 1, body_of("1")), 200) == {"outcome": "late"}
    unknown = post(app, "f" * 32, 1, body_of("1"))
    assert (unknown.status_code, problem(unknown)["title"]) == (404, "Unknown call")


def test_a_hundred_long_signals_are_taken_at_once(app: App) -> None:
    call_id = live(app)
    signals = [{"name": "transcript", "data": {"text": "x" * 9000}} for _ in range(100)]
    body = json.dumps({"signals": signals}).encode()
    assert 900_000 < len(body) < MEGABYTE
    assert read(post(app, call_id, 1, body), 200) == {"outcome": "advanced"}
    assert len(heard(app, call_id)) == 100


def test_a_race_that_is_lost_is_answered_with_503_so_that_it_is_sent_again(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = listening(app)

    def loses(*given: Any) -> None:
        raise LostRace("x")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "commit", loses)
        assert post(app, call_id, 1, body_of("1")).status_code == 503
    assert read(post(app, call_id, 1, body_of("1")), 200) == {"outcome": "advanced"}
    assert len(heard(app, call_id)) == 1


def test_keys_that_are_secret_are_encrypted_before_they_are_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running(tmp_path, SECRETS_KEY=made_key("secrets")) as app:
        call_id = placed(app, flow="card")
        app.react()
        stored = commits_of(app)
        for number, tone in enumerate(CARD, 1):
            assert read(post(app, call_id, number, body_of(tone)), 200) == {"outcome": "advanced"}
        assert app.gateway.sent[-1].action.kind == "play"
        assert len(stored) == len(CARD)
        texts = "".join(text for texts, _ in stored for text in texts)
        assert '"tone"' not in texts
        assert texts.count('"secret":"') >= len(CARD)
        assert_nowhere(CARD, stored, journal(app, call_id), caplog.text)
        assert "tone" not in caplog.text


# Who may


def _other_call(app: App, call_id: str, body: bytes) -> str:
    return signed(listening(app), 1, body)


def _as_url(app: App, call_id: str, body: bytes) -> str:
    """What the app hands out for this call, in other places."""
    return "v1=" + app.board.urls.url(call_id).partition("sig=")[2]


def _of_body_alone(app: App, call_id: str, body: bytes) -> str:
    mac = hmac.digest(base64.b64decode(made_key("signing")), body, "sha256")
    return "v1=" + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


FORGED: dict[str, Callable[[App, str, bytes], str | None]] = {
    "no signature": lambda app, call_id, body: None,
    "an empty one": lambda app, call_id, body: "",
    "junk": lambda app, call_id, body: "v1=junk",
    "letters outside ASCII": lambda app, call_id, body: "v1=ä😀\ud800",
    "another key": lambda app, call_id, body: signed(call_id, 1, body, key="other"),
    "that of another call": _other_call,
    "that of another sequence": lambda app, call_id, body: signed(call_id, 2, body),
    "that of another connection": lambda app, call_id, body: signed(call_id, 1, body, connection="1" * 16),
    "that of another body": lambda app, call_id, body: signed(call_id, 1, body_of("2")),
    "without its version": lambda app, call_id, body: signed(call_id, 1, body).removeprefix("v1="),
    "the callback URL's": _as_url,
    "of the body under the key itself": _of_body_alone,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_the_streams_service_did_not_sign_for_just_this_is_refused(
    app: App, forge: Callable[[App, str, bytes], str | None]
) -> None:
    call_id, body = listening(app), body_of("1")
    before = journal(app, call_id)
    signature = forge(app, call_id, body)
    headers = {} if signature is None else {"X-Switchboard-Signature": signature}
    answer = app.request("POST", url_of(call_id), body, headers)
    assert (answer.status_code, problem(answer)["title"]) == (403, "Refused")
    assert journal(app, call_id) == before


@pytest.mark.parametrize("place", ["0", "-1", "01", "1.0", "x", "99999999999", "%20", "1%0A"])
def test_a_sequence_that_is_no_plain_number_is_refused(app: App, place: str) -> None:
    call_id, body = listening(app), body_of("1")
    headers = {"X-Switchboard-Signature": signed(call_id, 1, body)}
    assert app.request("POST", url_of(call_id, place), body, headers).status_code == 403
    assert app.request("POST", url_of(call_id, 1, "c"), body, headers).status_code == 403
    assert heard(app, call_id) == []


def test_a_token_of_the_service_or_a_function_key_does_not_help(app: App) -> None:
    call_id = listening(app)
    headers = {"Authorization": f"Bearer {app.issuer.token()}", "x-functions-key": "key"}
    assert app.request("POST", url_of(call_id), body_of("1"), headers).status_code == 403


def test_the_signing_key_of_before_is_still_taken(tmp_path: Path) -> None:
    with running(tmp_path, CALLBACK_SIGNING_KEY_PREVIOUS=made_key("older")) as app:
        call_id, body = listening(app), body_of("1")
        assert post(app, call_id, 1, body, signed(call_id, 1, body, key="older")).status_code == 200
        assert post(app, call_id, 1, body, signed(call_id, 1, body, key="oldest")).status_code == 403


# What may be in it


JUNK: dict[str, bytes] = {
    "nothing": b"",
    "an array": b"[]",
    "not JSON": b"{",
    "not UTF-8": b'{"signals": "\xff"}',
    "no signals": b'{"signals": []}',
    "101 signals": json.dumps({"signals": [{"name": "a"}] * 101}).encode(),
    "a name that is none": json.dumps({"signals": [{"name": "a b"}]}).encode(),
    "a field that is none": json.dumps({"signals": [{"name": "a", "at": 1}]}).encode(),
    "an id beyond measure": json.dumps({"signals": [{"name": "a", "id": "x" * 201}]}).encode(),
    "an empty id": json.dumps({"signals": [{"name": "a", "id": ""}]}).encode(),
    "NaN": b'{"signals": [{"name": "a", "data": NaN}]}',
    "nested 40,000 deep": b'{"signals":[{"name":"a","data":' + b"[" * 40_000 + b"]" * 40_000 + b"}]}",
    "a good signal and a bad one": json.dumps({"signals": [{"name": "dtmf", "data": 1}, {"name": ""}]}).encode(),
    "more than a megabyte": json.dumps({"signals": [{"name": "a", "data": "x" * MEGABYTE}]}).encode(),
    "a hundred megabytes": b" " * (100 * MEGABYTE),
}


@pytest.mark.parametrize("body", JUNK.values(), ids=JUNK)
def test_junk_is_refused_at_once_though_it_is_signed(app: App, body: bytes) -> None:
    call_id = listening(app)
    signature = signed(call_id, 1, body)
    started = time.process_time()
    answer = post(app, call_id, 1, body, signature)
    assert time.process_time() - started < 2
    assert answer.status_code == 400
    assert problem(answer)["field"]
    assert heard(app, call_id) == []


def test_a_body_of_just_a_megabyte_is_taken(app: App) -> None:
    call_id = live(app)
    frame = len(json.dumps({"signals": [{"name": "a", "data": ""}]}))
    body = json.dumps({"signals": [{"name": "a", "data": "x" * (MEGABYTE - frame)}]}).encode()
    assert len(body) == MEGABYTE
    assert read(post(app, call_id, 1, body), 200) == {"outcome": "advanced"}


@pytest.mark.parametrize("connection", ["c", "C" * 16, "0" * 17, "g" * 16])
def test_a_connection_that_is_no_random_id_is_refused_though_it_is_signed(app: App, connection: str) -> None:
    call_id, body = listening(app), body_of("1")
    headers = {"X-Switchboard-Signature": signed(call_id, 1, body, connection=connection)}
    assert app.request("POST", url_of(call_id, 1, connection), body, headers).status_code == 403


def test_a_huge_body_is_refused_before_it_is_worked_through(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SignalSignatures, "verify", lambda *given: pytest.fail("it was worked through"))
    answer = post(app, listening(app), 1, b"x" * (MEGABYTE + 1), "v1=none")
    assert (answer.status_code, problem(answer)["field"]) == (400, "body")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), well_signed=st.booleans())
def test_any_bytes_get_a_4xx(app: App, body: bytes, well_signed: bool) -> None:
    call_id = "a" * 32
    signature = signed(call_id, 1, body) if well_signed else None
    assert 400 <= post(app, call_id, 1, body, signature or "v1=x").status_code < 500


def test_it_takes_nothing_but_post_and_is_not_in_the_openapi_document(app: App) -> None:
    (route,) = [route for route in http_routes() if route.template.startswith("streams/")]
    assert (route.name, route.methods, route.auth_level) == ("stream_signals", ("POST",), "anonymous")
    document = app.request("GET", "/api/openapi.json").get_body().decode()
    assert "/streams" not in document


def test_the_api_signal_and_the_stream_signal_of_a_call_do_not_disturb_each_other(app: App) -> None:
    call_id = listening(app)
    read(send(app, f"/{call_id}/signals/dtmf", {"data": {"tone": "1"}}, key="stream-00c0ffee00c0ffee-1x"), 202)
    read(post(app, call_id, 1, body_of("2")), 200)
    assert [data["tone"] for _, data in heard(app, call_id)] == ["1", "2"]
