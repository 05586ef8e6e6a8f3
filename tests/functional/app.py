"""The app as a host sees it: its functions, over the store and the service in memory; and the service's side."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func
import jwt
import pytest
from azure.functions.timer import TimerRequest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

import function_app
from shared import composition
from shared.calls.gateway.memory import MemoryGateway
from shared.calls.store.memory import MemoryDoNotRecord, MemoryStore
from shared.composition.board import Switchboard, compose
from shared.composition.notifications import Notifications
from shared.composition.recordings import Recordings
from shared.health import health
from shared.outreach.ports import MemoryFiles
from shared.privacy import NumberHashes
from shared.recordings.memory import MemoryArchive
from shared.rows import MemoryRows
from shared.security import TokenVerifier
from shared.settings import load_settings
from shared.telemetry import tally
from shared.text_rows import MemoryTextRows, TextRows
from shared.use_cases.memory import MemoryQueue
from tests.functional.described import assert_described
from tests.setting_samples import STORAGE, made_key
from tests.unit.calls.world import ListedTimers, Turns, Wire, respond

CALLER = "+14255550123"
CALLER_NAME = "Ada Lovelace"
NUMBER = "+18005550199"
REJECTED, REDIRECTED = "+18005550166", "+18005550177"
REDIRECT_TARGET = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000009"
RESOURCE_ID = "0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a"
ISSUER = "https://acscallautomation.communication.azure.com"
OPENID = "https://issuer.example/openid"
KEYS = "https://issuer.example/keys"

ROUTES = f"""
rules:
  - name: refused
    to: "{REJECTED}"
    reject: forbidden
  - name: sent on
    to: "{REDIRECTED}"
    redirect: "{REDIRECT_TARGET}"
  - name: all the rest
    answer: reception
"""


@lru_cache(maxsize=2)
def key(name: str) -> RSAPrivateKey:
    """A signing key; made once a process, because that takes a while."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str) -> dict[str, Any]:
    """The public half, as an issuer publishes it."""
    return {**RSAAlgorithm.to_jwk(key(name).public_key(), as_dict=True), "kid": name, "use": "sig", "alg": "RS256"}


@dataclass
class Issuer:
    """Signs callback tokens and publishes the keys; `down` makes the keys unavailable."""

    down: bool = False
    fetches: int = 0

    def documents(self, url: str) -> Any:
        self.fetches += 1
        if self.down:
            raise OSError("connection refused")
        return {OPENID: {"issuer": ISSUER, "jwks_uri": KEYS}, KEYS: {"keys": [jwk("current")]}}[url]

    def token(self, *, signed_with: str = "current", kid: str = "current", **claims: Any) -> str:
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": RESOURCE_ID, "iat": now, "nbf": now, "exp": now + 300, **claims}
        return jwt.encode(payload, key(signed_with), algorithm="RS256", headers={"kid": kid})


@dataclass(frozen=True)
class Route:
    """One HTTP function as the host routes it."""

    name: str
    template: str
    methods: tuple[str, ...]
    auth_level: str
    function: Callable[[func.HttpRequest], func.HttpResponse]

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("/api/" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template))


@lru_cache(maxsize=1)
def functions() -> dict[str, Any]:
    """Every function of the app by name."""
    app: Any = function_app.app
    found = app.get_functions()
    app.functions_bindings = None  # the SDK would take a second look at the same app for duplicates
    return {str(function.get_function_name()): function for function in found}


@lru_cache(maxsize=1)
def http_routes() -> list[Route]:
    """Every HTTP function of the app."""
    routes = []
    for name, found in functions().items():
        if found.is_http_function():
            trigger = found.get_trigger()
            methods = tuple(str(getattr(method, "value", method)) for method in trigger.methods or ("GET", "POST"))
            level = str(getattr(trigger.auth_level, "value", trigger.auth_level)).lower()
            routes.append(Route(name, str(trigger.route), methods, level, found))
    return routes


class Clock:
    """Time for the conductor: the real one, plus what a test lets pass."""

    def __init__(self) -> None:
        self.passed = 0

    def time_ns(self) -> int:
        return time.time_ns() + self.passed

    def pass_seconds(self, seconds: float) -> None:
        self.passed += int(seconds * 1_000_000_000)


class Still:
    """Reads what instances share of the brakes when it is told, in no thread."""

    def __init__(self, read: Callable[[], None]) -> None:
        self.read = read
        self.uses = 0

    def use(self) -> None:
        self.uses += 1


@dataclass
class MemoryPoison:
    """The poison queues, as counts."""

    queues: dict[str, int] = field(default_factory=lambda: {"switchboard-timers": 0, "switchboard-uses": 0})

    def counts(self) -> dict[str, int]:
        return dict(self.queues)

    def put_back(self, queue: str) -> int:
        count, self.queues[queue] = self.queues[queue], 0
        return count


@dataclass
class App:
    """The functions of the app, and what a test needs to play the service."""

    board: Switchboard
    store: MemoryStore
    gateway: MemoryGateway
    timers: ListedTimers
    issuer: Issuer
    clock: Clock
    wire: Wire = field(default_factory=Wire)
    later: Turns = field(default_factory=Turns)
    slot_rows: MemoryTextRows = field(default_factory=MemoryTextRows)
    poison: MemoryPoison = field(default_factory=MemoryPoison)
    seen: int = 0

    # Doors

    def request(
        self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> func.HttpResponse:
        """One HTTP request, routed as the host does."""
        parts = urlsplit(url)
        for route in http_routes():
            match = route.pattern.fullmatch(parts.path)
            if match is not None and method in route.methods:
                request = func.HttpRequest(
                    method,
                    url,
                    headers=headers or {},
                    params=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    route_params={name: unquote(value) for name, value in match.groupdict().items()},
                    body=body,
                )
                answer = route.function(request)
                assert_described(method, url, answer)
                return answer
        raise AssertionError(f"no function takes {method} {parts.path}")

    def call_back(self, url: str, *events: Any) -> func.HttpResponse:
        """Events, delivered as the service does."""
        return self.post(url, json.dumps(events).encode())

    def post(self, url: str, body: bytes) -> func.HttpResponse:
        """A body at a callback URL, with a good token."""
        return self.request("POST", url, body, {"Authorization": f"Bearer {self.issuer.token()}"})

    def ring(self, event: func.EventGridEvent | None = None, **details: Any) -> None:
        """An IncomingCall event reaches the app."""
        functions()["incoming_call"](event or incoming_call(**details))

    def queue(self, body: bytes | str, function: str = "wake_up") -> None:
        """A message of a queue, the timers' by default."""
        functions()[function](func.QueueMessage(id="message", body=body))

    def tick(self, function: str = "watchdog") -> None:
        """A timer fires, the watchdog's by default."""
        functions()[function](TimerRequest())

    # The service

    def react(self, heard: str | None = "sales") -> list[func.HttpResponse]:
        """The service does what it was asked since the last time, and calls back."""
        answers = []
        performed = self.gateway.performed
        for request in performed[self.seen : (newest := len(performed))]:
            for event in self.wire.reaction(request, heard):
                url = (request.operation_callback_url or request.callback_url) if _own(event) else request.callback_url
                answers.append(self.call_back(url, event))
        self.seen = newest
        return answers

    def run(self, heard: str | None = "sales") -> None:
        """React until nothing new is asked for; every callback must be taken."""
        for _ in range(40):
            if self.seen == len(self.gateway.performed):
                return
            assert [answer.status_code for answer in self.react(heard) if answer.status_code != 200] == []
        raise AssertionError("the call does not come to an end")

    # What is to be seen

    @property
    def kinds(self) -> list[str]:
        """The actions that were asked for."""
        return [request.action.kind for request in self.gateway.sent]

    @property
    def call_ids(self) -> list[str]:
        """The calls that were opened, in order."""
        return list(dict.fromkeys(request.call_id for request in self.gateway.sent))


def _own(event: Mapping[str, Any]) -> bool:
    """Whether an event goes to its action's URL."""
    return str(event["type"]).rpartition(".")[2].startswith(("Play", "Recognize"))


def incoming_call(
    *,
    to: Any = NUMBER,
    caller: Any = CALLER,
    event_id: str | None = None,
    correlation_id: str = "3b2a1908-0000-4000-8000-000000000001",
    context: str = "opaque-incoming-call-context",
    at: datetime | None = None,
    data: Any = None,
    event_type: str = "Microsoft.Communication.IncomingCall",
) -> func.EventGridEvent:
    """IncomingCall, as the host hands it over."""
    body = {
        "to": phone(to) if isinstance(to, str) else to,
        "from": phone(caller) if isinstance(caller, str) else caller,
        "serverCallId": "c2VydmVyLWNhbGw",
        "callerDisplayName": CALLER_NAME,
        "incomingCallContext": context,
        "correlationId": correlation_id,
        "customContext": {"sipHeaders": {"X-MS-Custom-Secret": "the caller's own words"}, "voipHeaders": {}},
    }
    return func.EventGridEvent(
        id=event_id or str(uuid.uuid4()),
        data=body if data is None else data,
        topic="/subscriptions/s",
        subject=f"/phoneCall/caller/4:{CALLER}/recipient/4:{NUMBER}",
        event_type=event_type,
        event_time=at or datetime.now(UTC),
        data_version="1.0",
    )


def phone(number: str) -> dict[str, Any]:
    """The service's model of a phone."""
    return {"kind": "phoneNumber", "rawId": f"4:{number}", "phoneNumber": {"value": number}}


@contextmanager
def running(
    folder: Path,
    *,
    recordings: Callable[[MemoryStore], Recordings] | None = None,
    notifications: Callable[[MemoryStore], Notifications] | None = None,
    streams: MemoryArchive | None = None,
    store: MemoryStore | None = None,
    brake_rows: TextRows | None = None,
    **settings: str,
) -> Iterator[App]:
    """The app with memory behind it; `switchboard()` gives it to every function."""
    routing = folder / "routing.yaml"
    routing.write_text(ROUTES)
    environment = {
        "ACS_ENDPOINT": "https://acs.example",
        "ACS_ACCESS_KEY": "a2V5",
        "ACS_RESOURCE_ID": RESOURCE_ID,
        "AzureWebJobsStorage": STORAGE,
        "CALLBACK_BASE_URL": "https://app.example",
        "CALLBACK_SIGNING_KEY": made_key("signing"),
        "NUMBER_HASH_KEY": made_key("numbers"),
        "ROUTING_FILE": str(routing),
        **settings,
    }
    hash_key = environment["NUMBER_HASH_KEY"]
    store = store or MemoryStore(NumberHashes(hash_key) if hash_key else None)
    gateway, timers, issuer, clock = MemoryGateway(respond), ListedTimers(), Issuer(), Clock()
    tokens = TokenVerifier(OPENID, ISSUER, RESOURCE_ID, http=issuer.documents)
    poison = MemoryPoison()
    board = compose(
        load_settings(environment),
        store=store,
        gateway=gateway,
        timers=timers,
        tokens=tokens,
        recordings=recordings and (lambda: recordings(store)),
        notifications=notifications and (lambda: notifications(store)),
        streams=streams,
        do_not_record=MemoryDoNotRecord(NumberHashes(hash_key)) if hash_key else None,
        brake_rows=brake_rows or MemoryTextRows(),
        slot_rows=(slot_rows := MemoryTextRows()),
        use_case_rows=MemoryRows(),
        use_case_queue=MemoryQueue(),
        use_case_files=MemoryFiles(),
        refresher=Still,
        poison=lambda: poison,
    )
    app = App(board, store, gateway, timers, issuer, clock, slot_rows=slot_rows, poison=poison)
    tally.clear()
    board.conductor.afterwards.later = app.later
    with pytest.MonkeyPatch.context() as patch, serving(board):
        patch.setattr("shared.calls.conductor.time", SimpleNamespace(time_ns=clock.time_ns, sleep=time.sleep))
        yield app


@contextmanager
def serving(board: Switchboard) -> Iterator[None]:
    """Every function gets this switchboard."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.settings.unknown_settings", dict)
        patch.setattr("shared.settings.settings", lambda: board.settings)
        patch.setattr("shared.composition.board.compose", lambda _: board)
        composition.switchboard.cache_clear()
        health.forget()
        try:
            yield
        finally:
            composition.switchboard.cache_clear()


def problem(answer: func.HttpResponse) -> dict[str, Any]:
    """The body of a refusal."""
    assert answer.mimetype == "application/problem+json"
    return cast(dict[str, Any], json.loads(answer.get_body()))
