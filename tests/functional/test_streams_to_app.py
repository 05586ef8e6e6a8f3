"""Both sides of the signals: the streams service's sockets, and the app's route behind a line that loses things."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calls import FLOWS
from shared.stream_signals import SignalSignatures
from streams.app_client import AppClient
from tests.functional.api import TESTED, journal, live
from tests.functional.app import App, running
from tests.setting_samples import made_key
from tests.unit.streams.memory import Bench, key, metadata, phrase

SECOND = 10_000_000
LINE = st.lists(st.sampled_from(["fine", "request lost", "response lost", "busy"]), max_size=40)


class Wire:
    """A session of `requests` that leads to the app's functions, as good as its line is."""

    def __init__(self, app: App, line: list[str]) -> None:
        self._app, self._line = app, list(line)

    def post(self, url: str, data: bytes, headers: Mapping[str, str], **options: Any) -> requests.Response:
        state = self._line.pop(0) if self._line else "fine"
        response = requests.Response()
        if state == "busy":
            response.status_code = 503
            return response
        if state != "request lost":
            answer = self._app.request("POST", url.removeprefix("https://app.example"), data, headers)
            response.status_code, response._content = answer.status_code, answer.get_body()
        if state.endswith("lost"):
            raise requests.ConnectionError
        return response


def client(app: App, line: list[str]) -> AppClient:
    client = AppClient("https://app.example", SignalSignatures(made_key("signing")))
    client._session = Wire(app, line)  # type: ignore[assignment]
    return client


async def streamed(app: App, call_id: str, line: list[str], groups: list[str]) -> None:
    """Keys and phrases over sockets of a call, a pause after each group, until all were taken."""
    bench = Bench(most_signal_seconds=600)
    bench.service.deliver = client(app, line)
    audio, words = bench.socket(bench.path("audio", call_id)), bench.socket(bench.path("transcript", call_id))
    assert (await audio.connect(), await words.connect()) == (101, 101)
    audio.send(metadata())
    for number, keys in enumerate(groups):
        audio.send(*map(key, keys))
        words.send(phrase(f"phrase {number}", number * SECOND), phrase(f"phrase {number}", number * SECOND))
        await asyncio.sleep(0)
    await asyncio.gather(audio.close(), words.close())
    bench.service.close()
    assert bench.service.held.used == 0


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch, running(tmp_path_factory.mktemp("app")) as app:
        for name, known in TESTED.items():
            patch.setitem(FLOWS, name, known)
        yield app


@settings(max_examples=40, deadline=None)
@given(line=LINE, groups=st.lists(st.text("0123456789*#", max_size=6), max_size=5))
def test_whatever_the_line_loses_signals_come_in_order_and_each_once(
    app: App, line: list[str], groups: list[str]
) -> None:
    call_id = live(app)
    asyncio.run(streamed(app, call_id, line, groups))
    signals = [(one["name"], one["data"]) for one in journal(app, call_id) if one["entry"] == "signal"]
    assert [data["tone"] for name, data in signals if name == "dtmf"] == list("".join(groups))
    said = [data["text"] for name, data in signals if name == "transcript"]
    assert said == [f"phrase {number}" for number in range(len(groups))]


def test_an_app_under_another_key_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, known in TESTED.items():
        monkeypatch.setitem(FLOWS, name, known)
    with running(tmp_path, CALLBACK_SIGNING_KEY=made_key("other")) as other:
        call_id = live(other)
        bench = Bench(most_signal_seconds=30)
        bench.service.deliver = client(other, [])

        async def pressed() -> None:
            socket = bench.socket(bench.path("audio", call_id))
            assert await socket.connect() == 101
            socket.send(metadata(), key("5"))
            await socket.close()

        asyncio.run(pressed())
        bench.service.close()
        assert [one for one in journal(other, call_id) if one["entry"] == "signal"] == []
