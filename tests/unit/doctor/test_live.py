"""The level `live`: what the way to the app can do to callbacks, prompts, web sockets and a test call."""

from __future__ import annotations

import io
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from shared.diagnostics import Finding
from tests.setting_samples import REQUIRED, STORAGE, made_key
from tools.doctor import __main__ as command
from tools.doctor import live
from tools.doctor.errors import CouldNotLook
from tools.doctor.running import Answer, ask, storage_address

REFUSED = Answer(403, {"title": "Refused"})
NO_TOKEN = Answer(401, {"title": "Refused"})
URL = "https://prompts.example/welcome.wav?sig=x"


def ids(found: list[Finding]) -> list[str]:
    assert all(one.why and one.remedy for one in found if one.level != "fine")
    return [f"{one.id} {one.level}" for one in found]


@pytest.mark.parametrize(
    ("wrong", "seconds", "right", "expected"),
    [
        (REFUSED, 0.1, NO_TOKEN, ["callbacks.reach fine"]),
        (REFUSED, 0.1, None, ["callbacks.reach fine"]),
        (REFUSED, 1.1, NO_TOKEN, ["callbacks.slow look"]),
        (REFUSED, 0.1, REFUSED, ["callbacks.key wrong"]),
        (REFUSED, 0.1, Answer(200), ["callbacks.token wrong"]),
        (Answer(200, {}), 0.1, NO_TOKEN, ["callbacks.open wrong"]),
        (Answer(403, None), 0.1, NO_TOKEN, ["callbacks.blocked wrong"]),  # a page of the platform, not of the app
        (Answer(302), 0.1, NO_TOKEN, ["callbacks.blocked wrong"]),
        (Answer(404), 0.1, NO_TOKEN, ["callbacks.blocked wrong"]),
        (Answer(0, error="ConnectTimeout"), 9.0, None, ["callbacks.blocked wrong"]),
    ],
)
def test_whether_callbacks_reach_the_app(
    wrong: Answer, seconds: float, right: Answer | None, expected: list[str]
) -> None:
    """Callbacks do not come, or are refused."""
    assert ids(live.callback_findings(wrong, seconds, right)) == expected


def test_keys_that_cannot_be_fetched_are_found() -> None:
    configuration, keys = Answer(200, {"jwks_uri": "https://k"}), Answer(200, {"keys": [{}]})
    assert ids(live.key_findings(configuration, keys)) == ["keys.reach fine"]
    down = (Answer(0, error="E"), Answer(0))
    for one, other in (down, (configuration, Answer(500)), (configuration, Answer(200, {}))):
        assert ids(live.key_findings(one, other)) == ["keys.unreachable wrong"]


def sound(rate: int = 16_000, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(320 * channels))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("url", "status", "head", "expected"),
    [
        (URL, 200, sound(), "prompts.right fine"),
        (URL, 403, b"", "prompts.unreachable wrong"),
        (URL, 0, b"", "prompts.unreachable wrong"),
        (URL, 200, b"<html>", "prompts.format wrong"),
        (URL, 200, sound(8000), "prompts.format wrong"),
        (URL, 200, sound(channels=2), "prompts.format wrong"),
        ("https://prompts.example/welcome.mp3", 200, b"ID3", "prompts.right fine"),
    ],
)
def test_a_prompt_that_the_service_could_not_play_is_found(url: str, status: int, head: bytes, expected: str) -> None:
    """Prompt files that are not public, or of another format."""
    assert ids(live.prompt_findings(url, status, head, "" if status else "ConnectionError")) == [expected]


def test_the_format_that_was_found_is_said() -> None:
    (one,) = live.prompt_findings(URL, 200, sound(44_100, 2))
    assert one.seen == "The prompt file welcome.wav has 2 channels at 44100 Hz."


def test_prompts_are_those_of_settings_and_flows(tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.py").write_text('A = file("https://p.example/a.wav?s=1")\nB = "https://p.example/page"\n')
    settings = {"FALLBACK_PROMPT": "https://p.example/sorry.wav"}
    assert live._prompts(tmp_path, settings) == ["https://p.example/sorry.wav", "https://p.example/a.wav?s=1"]
    assert live._prompts(tmp_path, {"FALLBACK_PROMPT": "We are sorry."}) == ["https://p.example/a.wav?s=1"]


@pytest.mark.parametrize(
    ("health", "upgrade", "expected"),
    [
        (Answer(200), 403, "streams.reach fine"),
        (Answer(502), 403, "streams.unreachable wrong"),
        (Answer(200), 404, "streams.upgrade wrong"),
        (Answer(200), 101, "streams.upgrade wrong"),
        (Answer(200), 0, "streams.upgrade wrong"),
    ],
)
def test_whether_web_sockets_come_through(health: Answer, upgrade: int, expected: str) -> None:
    """Audio streaming is silent."""
    assert ids(live.stream_findings("wss://streams.example", health, upgrade)) == [expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Answer(200, {"status": "ended", "outcome": "completed"}), "call.done fine"),
        (Answer(200, {"status": "ended", "outcome": "busy", "code": 486, "sub_code": 10018}), "call.failed wrong"),
        (Answer(200, {"status": "connecting", "outcome": ""}), "call.failed wrong"),
        (Answer(422, {"detail": "7507: the number is not yours", "remedy": "Buy one."}), "call.refused wrong"),
        (Answer(0, error="ReadTimeout"), "call.refused wrong"),
    ],
)
def test_what_became_of_a_test_call_is_said(seen: Answer, expected: str) -> None:
    """Numbers and quotas; speech, which nobody but the service can try."""
    assert ids(live.call_findings(seen)) == [expected]


# The whole level


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[str]:
    """Something that is not the app, and answers everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def looked(url: str, monkeypatch: pytest.MonkeyPatch, folder: Path, *more: str) -> list[str]:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ACS_OPENID_CONFIGURATION_URL", f"{url}/openid")
    monkeypatch.setenv("AzureWebJobsStorage", f"BlobEndpoint={url};AccountName=a;AccountKey=a2V5")
    given = command.parser().parse_args(["live", "--url", url, "--yes", *more])
    return ids(live.look(folder, given))


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, ""),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, "http://127.0.0.1:10000"),
        ({"AzureWebJobsStorage": "BlobEndpoint=http://127.0.0.1:7/a;AccountName=a"}, "http://127.0.0.1:7/a"),
        ({"AzureWebJobsStorage": STORAGE}, "https://contosocalls.blob.core.windows.net/"),
        ({"AzureWebJobsStorage__accountName": "one"}, "https://one.blob.core.windows.net/"),
        ({"AzureWebJobsStorage__blobServiceUri": "https://one.example"}, "https://one.example"),
    ],
)
def test_where_the_storage_is_follows_from_the_settings(settings: dict[str, str], address: str) -> None:
    assert storage_address(settings) == address


def test_a_sign_in_before_the_app_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(302, Location="https://login.example/") as url:
        found = looked(url, monkeypatch, tmp_path)
    assert found == ["app.redirects wrong", "clock.right fine", "keys.unreachable wrong"]


def test_an_app_without_functions_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(404) as url:
        found = looked(url, monkeypatch, tmp_path)
    assert found == ["functions.none wrong", "clock.right fine", "keys.unreachable wrong"]


def test_whoever_takes_every_callback_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(200, b'{"status": "ok", "findings": []}') as url:
        found = looked(url, monkeypatch, tmp_path)
    assert found == ["app.well fine", "callbacks.open wrong", "clock.right fine", "keys.unreachable wrong"]


def test_nothing_is_sent_where_nobody_agrees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[str] = []

    def remember(url: str, **more: object) -> Answer:
        sent.append(url)
        return Answer(0)

    monkeypatch.setattr(live, "ask", remember)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    given = command.parser().parse_args(["live", "--url", "https://app.example"])
    with pytest.raises(CouldNotLook, match="nobody agreed"):
        live.look(tmp_path, given, agree=lambda question: "y")  # nobody is at the terminal
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []
    with pytest.raises(CouldNotLook, match="nobody agreed"):
        live.look(tmp_path, given, agree=lambda question: asked.append(question) or "n")  # type: ignore[func-returns-value]
    assert "https://app.example" in asked[0]
    assert sent == []


def test_a_test_call_needs_a_number_of_ones_own_and_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    given = command.parser().parse_args(["live", "--yes", "--call", "+14255550123", "--key", ""])
    with pytest.raises(CouldNotLook, match="--call-from"):
        live.look(tmp_path, given)


def test_a_key_goes_to_the_app_and_redirects_are_not_followed() -> None:
    with answering(302, Location="http://127.0.0.1:1/") as url:
        assert ask(url, key=made_key("function")) == Answer(302, None, "", "http://127.0.0.1:1/")
    assert ask("http://127.0.0.1:1/", timeout=2).error == "ConnectionError"
