"""What the HTTP endpoints refuse, on every route that the app has."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.calls.store.memory import MemoryStore
from shared.errors import LostRace, StoreUnavailable
from shared.events import CALLBACK_TYPES
from tests.examples import examples
from tests.functional.app import ISSUER, RESOURCE_ID, App, Route, http_routes, key, problem, running
from tests.functional.test_route_keys import CONSOLE, PAGES

PUBLIC = {"health", *PAGES, *CONSOLE}
"""Routes that anybody may ask: because they tell nothing and change nothing; because they go by a page's own token
(test_click.py); because they have a sign-in of their own (console/test_console_sign_in.py)."""

SIGNED = {"stream_signals"}
"""Routes that ask for a signature over the request itself (test_stream_signals.py)."""

GUARDED_BY_THE_HOST = {"function", "admin"}
"""Levels at which the Functions host asks for a key before the function runs."""

CALLBACKS = [route for route in http_routes() if route.template.startswith("callbacks/{call_id}")]
every_callback_route = pytest.mark.parametrize("route", CALLBACKS, ids=lambda route: route.name)


def family(route: Route) -> str:
    return route.template.removeprefix("callbacks/{call_id}").strip("/") or "call"


IN_FULL = ("call", "play")
"""Families whose routes are tried with every case: all routes are made by one function (handlers/callbacks.py)."""
MEGABYTE = 1024 * 1024


def on_callback_routes(name: str, cases: Mapping[str, Any], *, everywhere: Sequence[str]) -> pytest.MarkDecorator:
    """Every case on two routes, and some of them on each of the others."""
    tried = [
        pytest.param(route, case, id=f"{route.name}-{what}")
        for route in CALLBACKS
        for what, case in cases.items()
        if family(route) in IN_FULL or what in everywhere
    ]
    return pytest.mark.parametrize(("route", name), tried)


def open_call(app: App) -> str:
    """A call that rings for an answer, and so has callback URLs."""
    app.ring(correlation_id=str(uuid.uuid4()), context=str(uuid.uuid4()))
    return app.gateway.sent[-1].call_id


def url_of(app: App, route: Route, call_id: str) -> str:
    return app.board.urls.url(call_id, family(route))


def entries(app: App, call_id: str) -> int:
    return len(app.store.load(call_id).journal)


# Every route


@pytest.mark.parametrize("route", http_routes(), ids=lambda route: route.name)
def test_every_route_is_guarded_in_a_way_that_these_tests_know(route: Route) -> None:
    """A new route fails here until it is a callback (tested below), needs a key, or is public on purpose."""
    guarded = route in CALLBACKS or route.name in SIGNED or route.auth_level in GUARDED_BY_THE_HOST
    assert guarded or route.name in PUBLIC, f"say in {__file__} how {route.name} is guarded, and test it"
    assert not (guarded and route.name in PUBLIC)


def test_there_is_a_callback_route_for_the_call_and_for_each_action_family(app: App) -> None:
    assert {"call", "play", "recognize"} <= {family(route) for route in CALLBACKS}
    app.ring()
    app.run()
    for request in app.gateway.sent:
        for url in filter(None, (request.callback_url, request.operation_callback_url)):
            assert any(route.pattern.fullmatch(urlsplit(url).path) for route in CALLBACKS)


# Who may call back

Forgery = Callable[[App], str | None]


def _with_claims(**claims: Any) -> Forgery:
    return lambda app: f"Bearer {app.issuer.token(**claims)}"


def _unsigned(app: App) -> str:
    claims = {"iss": ISSUER, "aud": RESOURCE_ID, "exp": int(time.time()) + 300}
    return f"Bearer {jwt.encode(claims, '', algorithm='none', headers={'kid': 'current'})}"


def _signed_with_the_public_key(app: App) -> str:
    """HS256 with what everybody can read as the secret; made by hand, because PyJWT will not."""
    import hmac

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    secret = key("current").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": ISSUER, "aud": RESOURCE_ID, "exp": int(time.time()) + 300}
    message = part({"alg": "HS256", "kid": "current"}) + b"." + part(claims)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, message, "sha256")).rstrip(b"=")
    return f"Bearer {(message + b'.' + signature).decode()}"


def _tampered(app: App) -> str:
    head, _, signature = app.issuer.token().split(".")
    claims = {"iss": ISSUER, "aud": RESOURCE_ID, "exp": int(time.time()) + 999_999}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"Bearer {head}.{body}.{signature}"


FORGERIES: dict[str, Forgery] = {
    "no token": lambda app: None,
    "an empty header": lambda app: "",
    "no bearer": lambda app: f"Basic {app.issuer.token()}",
    "junk": lambda app: "Bearer junk",
    "ten kilobytes": lambda app: "Bearer " + "a" * 10_000,
    "wrong audience": _with_claims(aud="00000000-0000-4000-8000-000000000000"),
    "wrong issuer": _with_claims(iss="https://evil.example"),
    "expired": _with_claims(exp=int(time.time()) - 3600, nbf=int(time.time()) - 7200, iat=int(time.time()) - 7200),
    "not yet valid": _with_claims(nbf=int(time.time()) + 3600),
    "signed with another key": lambda app: f"Bearer {app.issuer.token(signed_with='other')}",
    "a key that the issuer does not have": lambda app: f"Bearer {app.issuer.token(kid='unknown')}",
    "alg none": _unsigned,
    "HS256 with the public key": _signed_with_the_public_key,
    "other claims under a good signature": _tampered,
}


def connected(app: App, call_id: str) -> bytes:
    return json.dumps([app.wire.event("CallConnected", f"{call_id}:0:0")]).encode()


@on_callback_routes("forge", FORGERIES, everywhere=("no token", "signed with another key"))
def test_a_callback_without_a_good_token_is_refused(app: App, route: Route, forge: Forgery) -> None:
    call_id = open_call(app)
    before = entries(app, call_id)
    header = forge(app)
    headers = {} if header is None else {"Authorization": header}
    answer = app.request("POST", url_of(app, route, call_id), connected(app, call_id), headers)
    assert answer.status_code == 401
    assert problem(answer)["title"] == "Refused"
    assert entries(app, call_id) == before


def _other_family(url: str, app: App, call_id: str) -> str:
    families = [family(route) for route in CALLBACKS if f"/{family(route)}?" not in url]
    other = "play" if "play" in families and "/play" not in url else "call"
    return url.partition("=")[0] + "=" + app.board.urls.url(call_id, other).partition("=")[2]


SIGNATURES: dict[str, Callable[[str, App, str], str]] = {
    "no signature": lambda url, app, call_id: url.partition("?")[0],
    "an empty one": lambda url, app, call_id: url.partition("=")[0] + "=",
    "one letter changed": lambda url, app, call_id: url[:-2] + ("AA" if url[-2:] != "AA" else "BB"),
    "that of another call": lambda url, app, call_id: url.replace(call_id, open_call(app)),
    "that of another family": _other_family,
    "letters outside ASCII": lambda url, app, call_id: url.partition("=")[0] + "=%C3%A4%F0%9F%98%80",
}


@on_callback_routes("spoil", SIGNATURES, everywhere=("no signature", "that of another call", "that of another family"))
def test_a_callback_url_that_the_app_did_not_sign_for_this_call_is_refused(
    app: App, route: Route, spoil: Callable[[str, App, str], str]
) -> None:
    call_id = open_call(app)
    before = entries(app, call_id)
    answer = app.post(spoil(url_of(app, route, call_id), app, call_id), connected(app, call_id))
    assert answer.status_code == 403
    assert entries(app, call_id) == before


@every_callback_route
def test_a_call_that_the_store_does_not_have_is_not_found(app: App, route: Route) -> None:
    event = app.wire.event("ParticipantsUpdated", participants=[], sequenceNumber=1)
    if family(route) != "call":
        event = app.wire.event("SomethingNew")
    answer = app.call_back(url_of(app, route, "f" * 32), event)
    assert answer.status_code == 404


@every_callback_route
def test_a_good_token_at_a_good_url_is_taken(app: App, route: Route) -> None:
    call_id = open_call(app)
    before = entries(app, call_id)
    assert app.call_back(url_of(app, route, call_id), app.wire.event("SomethingNew")).status_code == 200
    assert entries(app, call_id) == before + 1


# What may be in a callback


@every_callback_route
def test_an_event_of_another_family_is_refused(app: App, route: Route) -> None:
    if family(route) == "call":
        pytest.skip("the call-level door takes every event")
    call_id = open_call(app)
    foreign = "RecognizeCompleted" if family(route).startswith("play") else "PlayCompleted"
    answer = app.call_back(url_of(app, route, call_id), app.wire.event(foreign, recognitionType="dtmf"))
    assert answer.status_code == 400
    assert problem(answer)["field"] == "[0].type"


def _valid(app: App, **data: Any) -> dict[str, Any]:
    return dict(app.wire.event("SomethingNew", **data))


def _deep(app: App) -> bytes:
    return b'[{"id":"a","type":"x","data":' + b"[" * 40_000 + b"]" * 40_000 + b"}]"


JUNK: dict[str, Callable[[App], bytes]] = {
    "nothing": lambda app: b"",
    "an empty array": lambda app: b"[]",
    "null": lambda app: b"null",
    "a number": lambda app: b"7",
    "an array of arrays": lambda app: b"[[[]]]",
    "text": lambda app: b"hello",
    "not UTF-8": lambda app: b"[{\xff\xfe}]",
    "UTF-16": lambda app: json.dumps([_valid(app)]).encode("utf-16"),
    "cut off": lambda app: json.dumps([_valid(app)]).encode()[:-3],
    "without an id": lambda app: json.dumps([{**_valid(app), "id": None}]).encode(),
    "an id that is no text": lambda app: json.dumps([{**_valid(app), "id": 7}]).encode(),
    "NaN": lambda app: json.dumps([_valid(app, number=float("nan"))]).encode(),
    "a huge number": lambda app: b'[{"id":"a","type":"x","data":{"n":1e999}}]',
    "a very long number": lambda app: b'[{"id":"a","type":"x","data":{"n":' + b"9" * 10_000 + b"}}]",
    "half a surrogate pair": lambda app: b'[{"id":"\\ud800","type":"x","time":"2026-11-20T10:00:00Z"}]',
    "a key twice": lambda app: b'[{"id":"a","id":"b","type":"x","time":"2026-11-20T10:00:00Z"}]',
    "nested 40,000 deep": _deep,
    "a megabyte of brackets": lambda app: b"[" * MEGABYTE,
    "a megabyte of zeros": lambda app: b"\0" * MEGABYTE,
    "a megabyte of empty objects": lambda app: b"[" + b"{}," * (MEGABYTE // 3 - 1) + b"{}]",
    "a megabyte of spaces": lambda app: b" " * MEGABYTE,
    "a megabyte of quotes": lambda app: b'["' + b'\\"' * (MEGABYTE // 2 - 2) + b'"]',
    "a good event and a bad one": lambda app: json.dumps([_valid(app), {"id": 1}]).encode(),
}


@on_callback_routes("junk", JUNK, everywhere=("text",))
def test_junk_is_refused_at_once_and_changes_nothing(app: App, route: Route, junk: Callable[[App], bytes]) -> None:
    call_id = open_call(app)
    before = entries(app, call_id)
    started = time.process_time()
    answer = app.post(url_of(app, route, call_id), junk(app))
    assert time.process_time() - started < 5
    assert answer.status_code == 400
    assert problem(answer)["field"]
    assert entries(app, call_id) == before


@every_callback_route
def test_more_than_a_megabyte_is_refused_whatever_it_is(app: App, route: Route) -> None:
    call_id = open_call(app)
    before = entries(app, call_id)
    event = app.wire.event("SomethingNew", padding="x" * MEGABYTE)
    assert app.call_back(url_of(app, route, call_id), event).status_code in (400, 413)
    assert entries(app, call_id) == before


@every_callback_route
def test_a_real_event_of_nearly_a_megabyte_is_taken(app: App, route: Route) -> None:
    call_id = open_call(app)
    event = app.wire.event("SomethingNew", padding="x" * (MEGABYTE - 2000))
    assert app.call_back(url_of(app, route, call_id), event).status_code == 200


@pytest.fixture(scope="module")
def cold_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that keeps no call in memory: every delivery replays the whole journal."""
    with running(tmp_path_factory.mktemp("cold"), CACHED_CALLS="0", MAX_CALLS_OF_ONE_CALLER="0") as one:
        yield one


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=20,
)
relaxed = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(junk=st.binary(max_size=2000), times=st.integers(1, 500), route=st.sampled_from(CALLBACKS))
def test_any_bytes_get_a_4xx(cold_app: App, junk: bytes, times: int, route: Route) -> None:
    url = url_of(cold_app, route, "a" * 32)
    assert 400 <= cold_app.post(url, junk * times).status_code < 500


@relaxed
@given(value=json_values, route=st.sampled_from(CALLBACKS))
def test_any_json_gets_a_4xx(cold_app: App, value: Any, route: Route) -> None:
    url = url_of(cold_app, route, "a" * 32)
    assert 400 <= cold_app.post(url, json.dumps(value).encode("utf-8", "surrogatepass")).status_code < 500


FIELDS = sorted(
    {"operationContext", "resultInformation", "participants", "sequenceNumber", "callConnectionId", "serverCallId",
     "correlationId", "recognitionType", "choiceResult", "dtmfResult", "speechResult", "tone", "state"}
)  # fmt: skip
contexts = st.builds("{}:{}:{}".format, st.just("CALL"), st.integers(-2, 5), st.integers(-1, 2))
event_like = st.fixed_dictionaries(
    {
        "id": st.text(max_size=8) | json_values,
        "type": st.sampled_from(sorted(CALLBACK_TYPES)).map("Microsoft.Communication.{}".format) | st.text(max_size=9),
        "time": st.just("2026-11-20T10:00:00.1234567+00:00") | json_values,
        "data": st.dictionaries(st.sampled_from(FIELDS), json_values | contexts, max_size=6),
    },
    optional={"source": st.text(max_size=9) | json_values, "specversion": json_values},
)


@settings(max_examples=examples(250), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=st.lists(event_like, max_size=3), whole=st.booleans(), data=st.data())
def test_what_nearly_is_an_event_never_breaks_the_app_nor_the_journal(
    cold_app: App, events: list[dict[str, Any]], whole: bool, data: st.DataObject
) -> None:
    call_id = open_call(cold_app)
    for event in events:
        if whole:  # a real one with some of its data replaced: most of these are taken
            event["data"] = {**cold_app.wire.event("Any")["data"], **event["data"]}
        if str(context := event["data"].get("operationContext")).startswith("CALL:"):
            event["data"]["operationContext"] = str(context).replace("CALL", call_id)
    route = data.draw(st.sampled_from(CALLBACKS))
    body = json.dumps(events).encode("utf-8", "surrogatepass")
    for _ in range(2):
        answer = cold_app.post(url_of(cold_app, route, call_id), body)
        assert answer.status_code == 200 or 400 <= answer.status_code < 500
    # The journal can still be replayed, and the call still ends.
    gone = cold_app.wire.event("CallDisconnected", None, (200, 7000, "over"))
    connection = cold_app.store.peek(call_id).call_connection_id or cold_app.store.connection_of(call_id)
    gone["data"]["callConnectionId"] = connection
    assert cold_app.call_back(cold_app.board.urls.url(call_id, "call"), gone).status_code == 200
    assert cold_app.store.peek(call_id).status == "ended"


# What a retry can mend


def fails_with(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def assert_to_be_retried(answer: func.HttpResponse) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1


@on_callback_routes("error", {"down": StoreUnavailable("down"), "lost race": LostRace("call")}, everywhere=("down",))
def test_a_callback_is_to_be_sent_again_while_the_store_fails(
    cold_app: App, monkeypatch: pytest.MonkeyPatch, route: Route, error: Exception
) -> None:
    call_id = open_call(cold_app)
    event = cold_app.wire.event("SomethingNew")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "load" if isinstance(error, StoreUnavailable) else "commit", fails_with(error))
        assert_to_be_retried(cold_app.call_back(url_of(cold_app, route, call_id), event))
    assert cold_app.call_back(url_of(cold_app, route, call_id), event).status_code == 200


@every_callback_route
def test_a_callback_is_to_be_sent_again_while_the_keys_cannot_be_had(
    app: App, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id = open_call(app)
    event = app.wire.event("SomethingNew")
    app.issuer.down = True
    assert_to_be_retried(app.call_back(url_of(app, route, call_id), event))
    app.issuer.down = False
    now = time.time()
    monkeypatch.setattr(app.board.tokens._keys, "_clock", lambda: now + 30)  # it asks again after a while
    assert app.call_back(url_of(app, route, call_id), event).status_code == 200


def test_the_keys_are_fetched_once_for_many_callbacks(app: App) -> None:
    app.ring()
    app.run()
    assert app.issuer.fetches == 2  # the configuration, and the keys that it names
