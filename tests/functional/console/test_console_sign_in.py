"""Who gets into the console: every route, every role, and what is no sign-in."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.composition.console import compose_console
from shared.console_keys import read_console_keys
from shared.errors import SettingsError
from shared.settings import load_settings
from shared.web.console.exchange import Request
from shared.web.console.gate import Visit
from shared.web.console.sign_in import SignIn
from tests.functional.api import live
from tests.functional.app import App, http_routes, running
from tests.functional.console import uses
from tests.functional.console.console import KEYS, LOCAL, WITH_KEYS, Browser, principal
from tests.functional.test_recording_functions import Room
from tests.setting_samples import REQUIRED, made_key

EVERYBODY = frozenset({"viewer", "reviewer", "supervisor", "auditor", "admin"})
SEES_NUMBERS = frozenset({"supervisor", "auditor", "admin"})
ACTS = frozenset({"supervisor", "admin"})

ROUTES: dict[str, tuple[str, str, frozenset[str], int]] = {
    "console_today": ("GET", "", EVERYBODY, 200),
    "console_today_live": ("GET", "/live", EVERYBODY, 200),
    "console_calls": ("GET", "/calls", EVERYBODY, 200),
    "console_search": ("POST", "/calls/search", EVERYBODY, 400),
    "console_csv": ("POST", "/calls.csv", EVERYBODY, 200),
    "console_call": ("GET", "/calls/{call}", EVERYBODY, 200),
    "console_call_live": ("GET", "/calls/{call}/live", EVERYBODY, 200),
    "console_history": ("GET", "/calls/{call}/history.json", EVERYBODY, 200),
    "console_entry": ("GET", "/calls/{call}/entries/0", EVERYBODY, 200),
    "console_numbers": ("POST", "/calls/{call}/numbers", SEES_NUMBERS, 200),
    "console_act": ("POST", "/calls/{call}/actions/hang_up", ACTS, 400),
    "console_quality": ("GET", "/quality", EVERYBODY - {"viewer"}, 200),
    "console_replay": ("POST", "/recordings/20261123-none/replay", ACTS, 404),
    "console_report": ("GET", "/reports/20261123-none", EVERYBODY - {"viewer"}, 404),
    "console_status": ("GET", "/status", SEES_NUMBERS, 200),
    "console_put_back": ("POST", "/status/queues/none", ACTS, 400),
    "console_api": ("GET", "/api", EVERYBODY, 200),
    "console_openapi": ("GET", "/api/openapi.json", EVERYBODY, 200),
    "console_switch": ("POST", "/switches", ACTS, 400),
    "console_campaigns": ("GET", "/campaigns", EVERYBODY, 200),
    "console_make_campaign": ("POST", "/campaigns", ACTS, 400),
    "console_campaign": ("GET", "/campaigns/{campaign}", EVERYBODY, 200),
    "console_campaign_live": ("GET", "/campaigns/{campaign}/live", EVERYBODY, 200),
    "console_preview": ("POST", "/campaigns/{campaign}/preview", ACTS, 200),
    "console_upload": ("POST", "/campaigns/{campaign}/uploads", ACTS, 400),
    "console_bad_rows": ("GET", "/campaigns/{campaign}/uploads/none/bad-rows.csv", EVERYBODY, 404),
    "console_command": ("POST", "/campaigns/{campaign}/commands/stop", ACTS, 303),
    "console_people": ("GET", "/campaigns/{campaign}/people", EVERYBODY, 200),
    "console_people_numbers": ("POST", "/campaigns/{campaign}/people", SEES_NUMBERS, 200),
    "console_results": ("POST", "/campaigns/{campaign}/results.csv", EVERYBODY, 200),
    "console_do_not_call": ("GET", "/do-not-call", EVERYBODY, 200),
    "console_do_not_call_check": ("POST", "/do-not-call/check", SEES_NUMBERS, 400),
    "console_do_not_call_add": ("POST", "/do-not-call/add", ACTS, 400),
    "console_do_not_call_import": ("POST", "/do-not-call/import", ACTS, 400),
    "console_evidence_form": ("GET", "/evidence", SEES_NUMBERS, 200),
    "console_evidence": ("POST", "/evidence", SEES_NUMBERS, 400),
    "console_masked": ("GET", "/masked-numbers", EVERYBODY, 200),
    "console_masked_one": ("GET", "/masked-numbers/{session}", EVERYBODY, 200),
    "console_masked_pins": ("POST", "/masked-numbers/{session}/pins", SEES_NUMBERS, 200),
    "console_masked_act": ("POST", "/masked-numbers/{session}/actions/close", ACTS, 303),
    "console_messages": ("GET", "/messages", EVERYBODY, 200),
    "console_message": ("GET", "/messages/{message}", EVERYBODY, 200),
    "console_message_numbers": ("POST", "/messages/{message}/numbers", SEES_NUMBERS, 200),
    "console_called_back": ("POST", "/messages/{message}/called-back", ACTS, 303),
    "console_sign_out": ("POST", "/sign-out", EVERYBODY, 303),
}
"""Every route that asks who it is: its request, who may, and what they get (400, 404: the request is let in, and names
nothing)."""
WITHOUT_SIGN_IN = {"console_sign_in_form", "console_sign_in", "console_static"}

every_route = pytest.mark.parametrize("name", ROUTES)


MAKES: dict[str, Callable[[App], str]] = {
    "call": live,
    "campaign": uses.campaign,
    "session": uses.session,
    "message": uses.message,
}
"""What stands in an address, and how there is one."""


def path_of(app: App, name: str) -> tuple[str, str]:
    method, path, _, _ = ROUTES[name]
    made = {key: make(app) for key, make in MAKES.items() if f"{{{key}}}" in path}
    return method, path.format(**made)


def test_the_table_has_every_route_of_the_console() -> None:
    found = {route.name: route.methods for route in http_routes() if route.template.startswith("console")}
    assert found.keys() == ROUTES.keys() | WITHOUT_SIGN_IN
    assert all(found[name] == (method,) for name, (method, *_) in ROUTES.items())


@every_route
@pytest.mark.parametrize("role", sorted(EVERYBODY))
def test_each_role_gets_what_it_may(with_keys: App, name: str, role: str) -> None:
    method, path = path_of(with_keys, name)
    browser = Browser(with_keys).sign_in(role)
    answer = browser.post(path) if method == "POST" else browser.get(path)
    _, _, may, status = ROUTES[name]
    assert answer.status_code == (status if role in may else 403), answer.get_body()
    assert answer.headers["Cache-Control"] == "no-store"


def cookie(app: App, role: str) -> str:
    return Browser(app).sign_in(role).cookie


def expired(app: App) -> str:
    with pytest.MonkeyPatch.context() as patch:
        earlier = SimpleNamespace(time=lambda: time.time() - 8 * 3600)
        patch.setattr("shared.composition.console.time", earlier)
        return cookie(app, "admin")


def forged(app: App) -> str:
    """The role of a viewer's cookie, changed."""
    name, _, value = cookie(app, "viewer").partition("=")
    text, _, signature = value.partition(".")
    session = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(session | {"r": "admin"}).encode()).rstrip(b"=").decode()
    return f"{name}={changed}.{signature}"


NO_SIGN_IN: dict[str, Callable[[App], str]] = {
    "none": lambda app: "",
    "expired": expired,
    "forged": forged,
    "unsigned": lambda app: cookie(app, "admin").rpartition(".")[0],
    "empty": lambda app: "__Host-switchboard-console=",
    "nonsense": lambda app: "__Host-switchboard-console=ü.x",
}


@every_route
@pytest.mark.parametrize("kind", NO_SIGN_IN)
def test_what_is_no_sign_in_gets_nothing(with_keys: App, name: str, kind: str) -> None:
    method, path = path_of(with_keys, name)
    browser = Browser(with_keys, cookie=NO_SIGN_IN[kind](with_keys))
    answer = browser.send(method, path, {"token": "1.x"})
    assert answer.status_code == 401
    assert b"Your console key" in answer.get_body()


def test_the_sign_in_of_another_app_and_of_a_key_that_is_gone_count_nothing(tmp_path: Path) -> None:
    with running(tmp_path, **WITH_KEYS) as app:
        signed_in = cookie(app, "admin")
        assert Browser(app, cookie=signed_in).get("/calls").status_code == 200
    others = ",".join(entry for entry in WITH_KEYS["CONSOLE_KEYS"].split(",") if ":admin:" not in entry)
    demoted = WITH_KEYS["CONSOLE_KEYS"].replace("admin:admin", "admin:viewer")
    foreign = base64.b64encode(b"the signing key of another app..").decode()
    for changed in ({"CONSOLE_KEYS": others}, {"CONSOLE_KEYS": demoted}, {"CALLBACK_SIGNING_KEY": foreign}):
        with running(tmp_path, **{**WITH_KEYS, **changed}) as app:
            assert Browser(app, cookie=signed_in).get("/calls").status_code == 401, changed.keys()
    with running(tmp_path, **WITH_KEYS, CALLBACK_SIGNING_KEY_PREVIOUS=foreign) as app:
        assert Browser(app, cookie=signed_in).get("/calls").status_code == 200


def test_a_cookie_is_for_this_host_its_pages_and_nobody_elses_script(with_keys: App) -> None:
    answer = Browser(with_keys).send("POST", "/sign-in", {"key": KEYS["viewer"]})
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-switchboard-console"
    assert attributes.partition("; ")[2] == "Max-Age=28800; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert answer.headers["Location"] == "/api/console"


def test_a_wrong_key_signs_nobody_in(with_keys: App) -> None:
    for key in ("", "x", WITH_KEYS["CONSOLE_KEYS"].rpartition(":")[2]):
        answer = Browser(with_keys).send("POST", "/sign-in", {"key": key})
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers
        assert b"not one of the console" in answer.get_body()


def test_who_signs_out_is_signed_out(with_keys: App) -> None:
    browser = Browser(with_keys).sign_in("viewer")
    assert browser.post("/sign-out").headers["Set-Cookie"].startswith("__Host-switchboard-console=; Max-Age=0")
    assert browser.get("/calls").status_code == 401


# Forms


@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_a_form_of_another_site_does_nothing(with_keys: App, headers: dict[str, str]) -> None:
    call = live(with_keys)
    browser = Browser(with_keys).sign_in("admin")
    good = {"token": browser.token, "key": "a" * 32}
    assert browser.send("POST", f"/calls/{call}/actions/hang_up", good, **headers).status_code == 403
    assert Browser(with_keys).send("POST", "/sign-in", {"key": KEYS["admin"]}, **headers).status_code == 403
    assert "hang_up" not in with_keys.kinds
    assert browser.send("POST", f"/calls/{call}/actions/hang_up", good, Sec_Fetch_Site="same-origin").status_code == 303


def test_the_token_of_somebody_else_is_none(with_keys: App) -> None:
    call = live(with_keys)
    other, browser = Browser(with_keys).sign_in("supervisor"), Browser(with_keys).sign_in("admin")
    for token in ("", "x", "1.2.3", other.token, browser.token[:-1], "9" * 10 + browser.token[10:]):
        form = {"token": token, "key": "a" * 32}
        answer = browser.send("POST", f"/calls/{call}/actions/hang_up", form)
        assert answer.status_code == 403, token
        assert b"reload the page" in answer.get_body()
    assert "hang_up" not in with_keys.kinds


# off, local, appservice


@every_route
def test_without_a_console_every_route_is_404(tmp_path: Path, name: str) -> None:
    method, path, _, _ = ROUTES[name]
    with running(tmp_path) as app:
        browser = Browser(app, headers={"X-MS-CLIENT-PRINCIPAL": principal("admin")})
        answer = browser.send(method, path.format(**dict.fromkeys(MAKES, "x")))
        assert (answer.status_code, answer.get_body()) == (404, b"")


def test_without_a_console_there_is_no_form_and_no_style(tmp_path: Path) -> None:
    with running(tmp_path) as app:
        for method, path in (("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/static/console.css")):
            assert Browser(app).send(method, path).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:7071"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:7071"}, 200),
        ({"Host": ""}, 404),
        ({"Host": "evil.example"}, 404),
        ({"Host": "127.0.0.1.evil.example"}, 404),
        ({"Host": "192.168.0.7:7071"}, 404),
        ({"Host": "localhost:7071", "X-Forwarded-For": "203.0.113.7"}, 404),
        ({"Host": "localhost:7071", "X-Forwarded-Host": "x.devtunnels.ms"}, 404),
        ({"Host": "localhost:7071", "Forwarded": "for=203.0.113.7"}, 404),
    ],
)
def test_local_is_for_this_machine_alone(app: App, headers: dict[str, str], status: int) -> None:
    assert Browser(app, headers=headers).get("/calls").status_code == status


@pytest.mark.parametrize("name", ["WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_SKU", "CONTAINER_APP_NAME"])
def test_local_is_not_for_azure(app: App, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert Browser(app).get("/calls").status_code == 404


@pytest.mark.parametrize("exposed", [{"WEBSITE_SITE_NAME": "x"}, {"CALLBACK_BASE_URL": "https://app.example"}])
def test_an_app_that_others_reach_does_not_start_with_local(exposed: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CONSOLE_AUTH: takes everybody for a developer"):
        load_settings({**REQUIRED, **LOCAL, **exposed})


def test_keys_without_people_do_not_start() -> None:
    with pytest.raises(SettingsError, match="CONSOLE_KEYS: is missing"):
        load_settings({**REQUIRED, "CONSOLE_AUTH": "keys"})
    with pytest.raises(SettingsError, match="CONSOLE_KEYS: the role of entry 1"):
        load_settings({**REQUIRED, "CONSOLE_KEYS": f"Ada:boss:{'0' * 64}"})


@contextmanager
def by_platform(folder: Path, enabled: str | None) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        if enabled is not None:
            patch.setenv("WEBSITE_AUTH_ENABLED", enabled)
        settings = {**uses.settings(folder), "CONSOLE_AUTH": "appservice"}
        with uses.flows_of_uses(), running(folder, recordings=Room().compose, **settings) as app:
            yield app


@every_route
@pytest.mark.parametrize("enabled", [None, "", "False", "0"])
def test_a_forged_principal_counts_nothing_while_the_platform_does_not_sign_in(
    tmp_path: Path, name: str, enabled: str | None
) -> None:
    with by_platform(tmp_path, enabled) as app:
        method, path = path_of(app, name)
        answer = Browser(app, headers={"X-MS-CLIENT-PRINCIPAL": principal("admin")}).send(method, path)
        assert answer.status_code == 401
        assert b"The sign-in of the platform is off" in answer.get_body()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (principal("admin"), 200),
        (principal("Switchboard.Supervisor"), 200),
        (principal("auditor", role_type="http://schemas.microsoft.com/ws/2008/06/identity/claims/role"), 200),
        (principal("viewer"), 403),
        (principal("viewer", "supervisor"), 200),
        (principal("boss"), 403),
        (principal(), 403),
        ("", 401),
        ("nonsense", 401),
        (base64.b64encode(b"[]").decode(), 401),
        (base64.b64encode(b'{"claims": [{}], "name_typ": [], "role_typ": 1}').decode(), 401),
    ],
)
def test_the_platforms_sign_in_gives_name_and_roles(tmp_path: Path, header: str, status: int) -> None:
    with by_platform(tmp_path, "True") as app:
        browser = Browser(app, headers={"X-MS-CLIENT-PRINCIPAL": header})
        assert browser.get("/status").status_code == status
        if status == 200:
            assert ">Ada <" in browser.text
            assert "Sign out" not in browser.text


@pytest.mark.parametrize(("published", "lets_in"), [(False, True), (True, False)])
def test_a_signing_key_that_everybody_knows_lets_nobody_in_while_settings_are_wrong(
    published: bool, lets_in: bool
) -> None:
    sample = json.loads((Path(__file__).parents[3] / "local.settings.sample.json").read_text("utf-8"))["Values"]
    key = sample["CALLBACK_SIGNING_KEY"] if published else made_key("signing")
    environ = {**WITH_KEYS, "CALLBACK_SIGNING_KEY": key, "WEBSITE_SITE_NAME": "x"}
    console = compose_console(SettingsError.of([("ACS_ENDPOINT", "is missing")]), environ)
    anybody = SignIn("keys", read_console_keys(WITH_KEYS["CONSOLE_KEYS"]), [base64.b64decode(key)], {}, time.time)
    signed = anybody.cookie_for(KEYS["admin"])
    assert signed is not None
    request = Request("GET", {}, {"cookie": signed[1].partition(";")[0]}, {})
    assert isinstance(console.gate.enter(request, "status"), Visit) is lets_in


# The log


def test_what_people_do_is_logged_with_their_name_and_never_a_number(
    with_keys: App, caplog: pytest.LogCaptureFixture
) -> None:
    call = live(with_keys)
    caplog.set_level(logging.INFO, "switchboard.console")
    browser = Browser(with_keys).sign_in("supervisor")
    browser.post(f"/calls/{call}/numbers")
    browser.post("/calls/search", what="+1 425 555 0123")
    browser.post("/calls/search", of=call)
    browser.post("/calls.csv", numbers="1")
    browser.post(f"/calls/{call}/actions/add_participant", key="a" * 32, target="+14255550177")
    browser.post(f"/calls/{call}/actions/hang_up", key="b" * 32)
    told = [record.getMessage() for record in caplog.records if record.name == "switchboard.console"]
    assert told == [
        "console signed in by=Ada the supervisor",
        f"console showed numbers call={call} by=Ada the supervisor",
        "console searched by number call=- by=Ada the supervisor",
        f"console searched by number call={call} by=Ada the supervisor",
        "console took the list with numbers call=- by=Ada the supervisor",
        f"console add_participant call={call} by=Ada the supervisor",
        f"console hang_up call={call} by=Ada the supervisor",
    ]
    assert "5550123" not in caplog.text
    assert "5550177" not in caplog.text
