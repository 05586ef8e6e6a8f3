"""Fast transcription, against a small server that reads the form strictly."""

from __future__ import annotations

import json
import logging
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from shared.azure.speech import SCOPE, AzureSpeech
from shared.errors import SettingsError, TranscriptionFailed, UnreadableAudio
from shared.quality.transcripts.base import Utterance, Word

RATE = 8000
SECRET = "my card is four one one one"
ANSWER = {
    "durationMilliseconds": 2000,
    "combinedPhrases": [{"text": SECRET}],
    "phrases": [
        {
            "offsetMilliseconds": 500,
            "durationMilliseconds": 700,
            "text": "Good afternoon.",
            "words": [
                {"text": "Good", "offsetMilliseconds": 500, "durationMilliseconds": 200},
                {"text": "afternoon.", "offsetMilliseconds": 700, "durationMilliseconds": 500},
            ],
            "locale": "en-US",
            "confidence": 0.93,
        },
        {"offsetMilliseconds": 1500, "durationMilliseconds": 100, "text": "Hi."},
    ],
}
FORM = re.compile(
    rb'--(?P<boundary>[0-9a-f]{32})\r\nContent-Disposition: form-data; name="audio"; filename="channel\.wav"\r\n'
    rb"Content-Type: audio/wav\r\n\r\n(?P<wav>.*)\r\n--(?P=boundary)\r\n"
    rb'Content-Disposition: form-data; name="definition"\r\nContent-Type: application/json\r\n\r\n'
    rb"(?P<definition>\{[^\r\n]*\})\r\n--(?P=boundary)--\r\n",
    re.DOTALL,
)


@dataclass
class Tone:
    """Audio in which every frame is the number of its second."""

    seconds: float
    rate: int = RATE
    reads: list[tuple[int, int]] = field(default_factory=list)
    breaks: bool = False

    @property
    def frames(self) -> int:
        return round(self.seconds * self.rate)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        self.reads.append((start, end))
        if self.breaks:
            raise UnreadableAudio("data", "ends early")
        for at in range(start, end, 1000):
            yield b"".join(struct.pack("<h", i // self.rate) for i in range(at, min(at + 1000, end)))


@dataclass
class Service:
    """The server: what it was sent, and what it answers next (the last answer stays)."""

    url: str = ""
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=lambda: [(200, ANSWER, {})])
    requests: list[SimpleNamespace] = field(default_factory=list)

    def answer(self, *answers: tuple[int, Any, dict[str, str]]) -> None:
        self.answers = list(answers)


@pytest.fixture
def service() -> Iterator[Service]:
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers.get("Transfer-Encoding") is None
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the client gave up
                return
            form = FORM.fullmatch(body)
            assert form is not None
            kind = f"multipart/form-data; boundary={form['boundary'].decode()}"
            assert self.headers["Content-Type"] == kind
            state.requests.append(
                SimpleNamespace(
                    path=self.path,
                    headers=self.headers,
                    wav=form["wav"],
                    definition=json.loads(form["definition"]),
                )
            )
            status, answer, headers = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}"
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def speech(service: Service, waits: list[float]) -> Callable[..., AzureSpeech]:
    def make(key: str = "k1", **options: Any) -> AzureSpeech:
        return AzureSpeech(service.url, key, locale="de-DE", sleep=waits.append, **options)

    return make


Make = Callable[..., AzureSpeech]


def test_a_channel_goes_up_as_one_wav_and_comes_back_as_utterances(service: Service, speech: Make) -> None:
    found = speech().transcribe(Tone(2), channel=3)
    assert found == [
        Utterance(3, 0.5, 1.2, "Good afternoon.", 0.93, (Word("Good", 0.5, 0.7), Word("afternoon.", 0.7, 1.2))),
        Utterance(3, 1.5, 1.6, "Hi."),
    ]
    (request,) = service.requests
    assert request.path == "/speechtotext/transcriptions:transcribe?api-version=2024-11-15"
    assert request.definition == {"locales": ["de-DE"], "profanityFilterMode": "None"}
    assert request.headers["Ocp-Apim-Subscription-Key"] == "k1"
    assert "Authorization" not in request.headers
    head = struct.unpack("<4sI4s4sIHHIIHH4sI", request.wav[:44])
    size = 2 * RATE * 2
    assert head == (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", size)
    assert request.wav[44:] == b"".join(Tone(2).read(0, 2 * RATE))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_again_with_the_whole_channel(
    service: Service, speech: Make, waits: list[float], status: int
) -> None:
    service.answer((status, {}, {"Retry-After": "7"}), (status, {}, {}), (200, ANSWER, {}))
    audio = Tone(1)
    assert len(speech().transcribe(audio, channel=0)) == 2
    assert waits == [7, 2]
    assert audio.reads == [(0, RATE)] * 3
    assert len({request.wav for request in service.requests}) == 1


def test_a_service_that_stays_busy_is_an_error_that_may_pass(
    service: Service, speech: Make, waits: list[float]
) -> None:
    service.answer((503, {}, {}))
    with pytest.raises(TranscriptionFailed) as caught:
        speech().transcribe(Tone(1), channel=0)
    assert (caught.value.status, caught.value.lasting, caught.value.retryable) == (503, False, True)
    assert waits == [1, 2, 4]


def test_a_service_that_asks_for_minutes_is_not_waited_for(service: Service, speech: Make, waits: list[float]) -> None:
    service.answer((429, {}, {"Retry-After": "120"}))
    with pytest.raises(TranscriptionFailed):
        speech().transcribe(Tone(1), channel=0)
    assert (waits, len(service.requests)) == ([], 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 307])
def test_a_refusal_is_final(service: Service, speech: Make, status: int) -> None:
    service.answer((status, {"code": "InvalidLocale", "message": SECRET}, {"Location": f"{service.url}/elsewhere"}))
    with pytest.raises(TranscriptionFailed) as caught:
        speech().transcribe(Tone(1), channel=0)
    assert caught.value.lasting
    assert str(caught.value) == f"the speech service answered {status} (InvalidLocale)"
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [b"<html>", {"phrases": [{"text": SECRET}]}, {"combinedPhrases": [{"text": SECRET}]}, b""],
    ids=["html", "no-times", "no-phrases", "nothing"],
)
def test_an_answer_that_is_no_transcript_is_an_error_that_quotes_nothing(
    service: Service, speech: Make, answer: Any
) -> None:
    service.answer((200, answer, {}))
    with pytest.raises(TranscriptionFailed, match="is no transcript") as caught:
        speech().transcribe(Tone(1), channel=0)
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_log_line_holds_words_or_keys(service: Service, speech: Make, caplog: pytest.LogCaptureFixture) -> None:
    service.answer((503, {"message": SECRET}, {}), (200, ANSWER, {}))
    with caplog.at_level(logging.DEBUG):
        speech("k-secret").transcribe(Tone(1), channel=0)
    assert "status=503" in caplog.text
    assert not any(word in caplog.text for word in (SECRET, "afternoon", "k-secret"))


def test_no_answer_at_all_is_an_error_without_the_address(waits: list[float]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port  # closed again: nobody listens there
    with pytest.raises(TranscriptionFailed, match="no answer") as caught:
        AzureSpeech(f"http://127.0.0.1:{port}", "k", locale="en-US", sleep=waits.append).transcribe(Tone(1), channel=0)
    assert caught.value.status is None
    assert not caught.value.lasting
    assert str(port) not in str(caught.value)


def test_audio_that_cannot_be_read_is_said_to_be_so(speech: Make, waits: list[float]) -> None:
    with pytest.raises(UnreadableAudio):
        speech().transcribe(Tone(1, breaks=True), channel=0)
    assert waits == []


def test_without_a_key_the_identity_signs_in(service: Service, speech: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Credential:
        def get_token(self, scope: str) -> SimpleNamespace:
            asked.append(scope)
            return SimpleNamespace(token=f"t{len(asked)}")

    monkeypatch.setattr("shared.azure.clients.identity", Credential)
    transcriber = speech("")
    transcriber.transcribe(Tone(1), channel=0)
    assert asked == [SCOPE]
    assert service.requests[0].headers["Authorization"] == "Bearer t1"
    assert "Ocp-Apim-Subscription-Key" not in service.requests[0].headers


def test_an_identity_without_a_token_is_an_error(speech: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Credential:
        def get_token(self, scope: str) -> None:
            raise ClientAuthenticationError(message="many lines about every way that was tried")

    monkeypatch.setattr("shared.azure.clients.identity", Credential)
    with pytest.raises(TranscriptionFailed, match=r"no token .*\(ClientAuthenticationError\)"):
        speech("").transcribe(Tone(1), channel=0)


@pytest.mark.parametrize("endpoint", ["http://speech.example", "http://localhost.example:80", "ftp://x", "speech"])
def test_recordings_are_never_sent_in_the_clear(endpoint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        AzureSpeech(endpoint, "k", locale="en-US")
    assert caught.value.field == "TRANSCRIPTION_ENDPOINT"


@pytest.mark.parametrize("endpoint", ["https://speech.example/", "http://localhost:1", "http://[::1]:80"])
def test_https_and_this_machine_are_right(endpoint: str) -> None:
    assert AzureSpeech(endpoint, locale="en-US").locale == "en-US"
