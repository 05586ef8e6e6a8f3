"""Scripted conversations of two phones: exact times, interruptions, silences, and a truth that fits the sound."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from acs_emulator.audio import Clip, Studio
from acs_emulator.core.clock import Clock
from acs_emulator.core.identifiers import Identifier, user
from acs_emulator.core.tasks import Tasks
from acs_emulator.phones import line
from acs_emulator.phones.script import parse_script
from acs_emulator.testing import AsyncControl, ControlError, Running
from emulator.tests.recording_support import active, channels_of, download, record
from emulator.tests.support import CALLER, OWNED, Application, Desk, Wire

AGENT = "+15550107777"
LONG = "I have called you three times about this order and nobody could tell me where it is"


class Silent:
    """A call that nobody else is in."""

    rejected = ""

    def __init__(self) -> None:
        self.spoken = asyncio.Event()
        self.notes: list[tuple[str, str, str]] = []

    def note(self, who: str, what: str, text: str = "", party: str = "") -> None:
        self.notes.append((who, what, text))

    def key_pressed(self, phone: Identifier, key: str) -> None:
        pass

    def speech_began(self, phone: Identifier, text: str, seconds: float) -> None:
        self.spoken.set()

    def speech_ended(self, phone: Identifier, text: str) -> None:
        pass

    def words_found(self, phone: Identifier, text: str, seconds: float) -> None:
        pass

    def hung_up(self, phone: Identifier) -> None:
        pass


async def talk(
    emulator: Running[AsyncControl], answered: Any, caller: list[Any], agent: list[Any]
) -> tuple[Desk, dict[str, Any]]:
    """Caller and agent by script, recorded unmixed until both have hung up; the data of the file event."""
    await emulator.control.register_phone(AGENT, afterSeconds=1, script=[*agent, {"hangUp": True}])
    desk = await answered([{"when": "joined"}, *caller, {"hangUp": True}])
    await record(desk)
    await active(desk)
    add = {"participantToAdd": {"phoneNumber": {"value": AGENT}}, "sourceCallerIdNumber": {"value": OWNED}}
    assert (await desk.act("/participants:add", add))[0] == 202
    return desk, (await desk.application.grid_event("RecordingFileStatusUpdated"))["data"]


async def spans(emulator: Running[AsyncControl]) -> dict[str, list[dict[str, Any]]]:
    [described] = await emulator.control.recordings()
    return {one["id"]: list(one["spans"]) for one in described["participants"]}


async def test_two_scripts_share_the_moment_at_which_the_second_phone_comes_in(
    emulator: Running[AsyncControl], answered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that stands still for longer than is allowed would move one of the two: the limit has a test of its own.
    monkeypatch.setattr(line, "ALLOWED_LATENESS", 60.0)
    caller = [{"at": 1, "say": LONG}, {"at": 20.5, "say": "Hello?"}, {"after": 2, "say": "Are you there?"}]
    agent = [{"at": 3.25, "say": "Let me stop you there."}, {"at": 4, "say": "At once."}]
    await talk(emulator, answered, caller, agent)
    said = await spans(emulator)
    [complaint, hello, there], [stop, at_once] = said[f"4:{CALLER}"], said[f"4:{AGENT}"]
    joined = complaint["start"] - 1
    # The interruption begins where the script says, while the other still talks.
    assert stop["start"] == pytest.approx(joined + 3.25, abs=0.05)
    assert complaint["end"] > stop["start"] + 0.5
    # A time that has passed is the end of the step before.
    assert at_once["start"] == pytest.approx(stop["end"], abs=0.5)
    # A silence of more than ten seconds.
    assert hello["start"] == pytest.approx(joined + 20.5, abs=0.05)
    assert hello["start"] - max(complaint["end"], at_once["end"]) > 10
    assert there["start"] - hello["end"] >= 2


@pytest.mark.parametrize(("speed", "late", "begins"), [(1, 0.9, 5.0), (1, 1.1, 6.1), (40, 36.0, 5.0), (40, 44.0, 49.0)])
async def test_speech_that_is_late_begins_where_it_should_up_to_a_second_of_the_wall_clock(
    monkeypatch: pytest.MonkeyPatch, speed: float, late: float, begins: float
) -> None:
    clock, studio, call = Clock(speed), Studio(), Silent()
    tasks, now = Tasks(), 0.0
    monkeypatch.setattr(clock, "now", lambda: now)

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds + (late if now < 5 else 0)  # the machine stands still while the script waits for 5 s
        await asyncio.sleep(0)

    monkeypatch.setattr(clock, "sleep", sleep)
    phone = line.Line(
        call,
        user("8:acs:a_b"),
        parse_script([{"at": 5, "say": "Hello?"}]),
        None,
        clock=clock,
        tasks=tasks,
        studio=studio,
    )
    phone.connected()
    await call.spoken.wait()
    [span] = phone.track.spans(0, 1 << 40)
    assert span.start / 16_000 == begins
    moved = ("service", "lets speech begin", "1.1 s after its time: this machine is too busy, or --speed too high")
    assert [one for one in call.notes if one[0] == "service"] == ([] if begins == 5.0 else [moved])
    await tasks.cancel_all()
    await studio.close()


async def test_the_truth_of_speech_is_where_it_can_be_heard(
    emulator: Running[AsyncControl], wire: Wire, answered: Any
) -> None:
    caller = [{"at": 0.5, "say": "Yes."}, {"after": 1, "say": "Stop it."}, {"after": 1, "say": LONG}]
    agent = [{"at": 12, "say": "Six."}, {"after": 0.7, "say": "That was the last one."}]
    _, data = await talk(emulator, answered, caller, agent)
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    sound = channels_of((await download(wire, chunk["contentLocation"]))[1])
    [described] = await emulator.control.recordings()
    checked = 0
    for participant in described["participants"]:
        column = np.abs(sound[:, participant["channel"]].astype(int))
        for span in participant["spans"]:
            start, end = round(span["start"] * 16000), round(span["end"] * 16000)
            loud = np.flatnonzero(column[start - 1600 : end + 1600] > 300) + start - 1600
            assert abs(loud[0] - start) <= 0.01 * 16000
            assert abs(loud[-1] - end) <= 0.01 * 16000
            checked += 1
    assert checked == 5


async def test_a_phone_that_comes_in_is_told_to_the_others_and_an_app_is_not(
    emulator: Running[AsyncControl], application: Application, answered: Any
) -> None:
    await emulator.control.register_phone(AGENT)
    desk = await answered([{"when": "joined", "press": "1"}])
    body = {"targetParticipant": {"phoneNumber": {"value": CALLER}}}
    assert (await desk.act(":startContinuousDtmfRecognition", body))[0] == 200
    [phone] = (await emulator.control.state())["calls"][0]["phones"]
    assert phone["step"] == 0
    add = {"participantToAdd": {"phoneNumber": {"value": AGENT}}, "sourceCallerIdNumber": {"value": OWNED}}
    await desk.act("/participants:add", add)
    assert (await application.event("ContinuousDtmfRecognitionToneReceived"))["data"]["tone"] == "one"


@pytest.mark.parametrize("step", [{"at": 1, "after": 1}, {"at": 1, "wait": 1}, {"at": -1}, {"at": "soon"}])
async def test_a_time_that_cannot_be_is_refused(emulator: Running[AsyncControl], step: dict[str, Any]) -> None:
    with pytest.raises(ControlError) as refused:
        await emulator.control.place_call(CALLER, OWNED, [step])
    assert (refused.value.status, refused.value.body["error"]["target"]) == (400, "script[0].at")


def test_quiet_around_speech_is_cut_off_and_quiet_inside_is_not() -> None:
    quiet, loud = b"\x05\x00" * 100, b"\x00\x10" * 50
    assert Clip(quiet + loud + quiet + loud + quiet).trimmed() == Clip(loud + quiet + loud)
    assert Clip(quiet).trimmed() == Clip(quiet)
