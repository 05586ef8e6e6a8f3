"""How the emulator starts: flags, environment, in a thread, as a process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest

from acs_emulator.__main__ import stop_on_signal
from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY, ConfigError, parse_config
from acs_emulator.testing import running


def test_a_flag_wins_over_the_environment() -> None:
    environ = {"EMULATOR_PORT": "1", "EMULATOR_SPEED": "5", "EMULATOR_EVENT_GRID": "http://a/x,http://b/y#IncomingCall"}
    config = parse_config(["--port", "2"], environ)
    assert (config.port, config.speed, config.access_key) == (2, 5.0, DEVELOPMENT_ACCESS_KEY)
    assert [target.url for target in config.event_grid] == ["http://a/x", "http://b/y"]
    assert not config.event_grid[1].wants({"eventType": "Microsoft.Communication.CallStarted"})
    assert config.event_grid[1].wants({"eventType": "Microsoft.Communication.IncomingCall"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "x"], ["--port", "70000"], ["--speed", "0"], ["--access-key", "%"], ["--event-grid", "nowhere"],
        ["--resource-id", "mine"], ["--recording-host", "https://"], ["--recording-chunk-seconds", "0"],
        ["--recording-chunk-seconds", "20000"], ["--event-grid", "http://[::1"], ["--event-grid", "http://a:99999/"],
        ["--public-url", "https://[::1"], ["--recording-host", "https://[::1"], ["--public-url", "https://a:99999"],
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=arguments[0]):
        parse_config(arguments, {})


def test_a_variable_that_switches_something_on_says_yes_or_no() -> None:
    for text, on in (("1", True), ("On", True), ("yes ", True), ("0", False), ("off", False), ("", False)):
        assert parse_config([], {"EMULATOR_LOOSE": text}).loose is on
    with pytest.raises(
        ConfigError, match="EMULATOR_VERBOSE: 'maybe' is not one of 1, true, yes, on, 0, false, no, off"
    ):
        parse_config([], {"EMULATOR_VERBOSE": "maybe"})


def test_the_help_names_every_option_and_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_config(["--help"], {})
    printed = capsys.readouterr().out
    assert all(f"--{flag}" in printed for flag in ("host", "https-port", "event-grid", "number", "public-url"))
    for variable in ("HTTPS_PORT", "EVENT_GRID", "NUMBERS", "ALLOWED_HOSTS"):
        assert f"EMULATOR_{variable}" in printed


def test_recordings_are_placed_and_shaped_by_settings() -> None:
    config = parse_config(["--recording-host", "x.asm.skype.com:18443", "--record-prompts"], {})
    assert (config.recording_host, config.record_prompts) == ("https://x.asm.skype.com:18443", True)
    config = parse_config([], {"EMULATOR_RECORDING_CHUNK_SECONDS": "2.5", "EMULATOR_RECORD_PROMPTS": "yes"})
    assert (config.recording_chunk_seconds, config.record_prompts, config.recording_host) == (2.5, True, "")


def test_keys_of_the_services_beside_are_set_apart_and_are_in_no_trace_of_the_settings() -> None:
    config = parse_config(["--speech-key", "s3cret", "--topic-key", "t0pic"], {})
    assert (config.speech_key, config.topic_key) == ("s3cret", "t0pic")
    environ = {"EMULATOR_STORAGE_CONNECTION_STRING": "AccountKey=k3y"}
    other = parse_config([], environ)
    assert (other.topic_key, other.speech_key) == (DEVELOPMENT_ACCESS_KEY, "")
    assert other.storage_connection_string == "AccountKey=k3y"
    assert not any(secret in repr(config) + repr(other) for secret in ("s3cret", "t0pic", "k3y"))


def test_a_port_that_is_taken_is_said_so() -> None:
    with running() as emulator:
        port = int(emulator.endpoint.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}: .* 0 takes a free port"), running(port=port):
            pass


def test_in_a_thread_it_answers_synchronous_tests() -> None:
    with running(speed=10) as emulator:
        assert emulator.control.health()["status"] == "ok"
        assert emulator.control.state()["calls"] == []


def test_as_a_process_it_prints_its_address_first() -> None:
    command = [sys.executable, "-m", "acs_emulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Emulator listening on http://127.0.0.1:")
        process.terminate()
    assert process.returncode == 0


async def test_where_event_loops_take_no_signal_handlers_a_signal_stops_the_command_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", refuses)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number in before:
            stop = asyncio.Event()
            stop_on_signal(stop)
            signal.raise_signal(number)
            await asyncio.wait_for(stop.wait(), 5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
