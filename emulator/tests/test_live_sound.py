"""What a person's microphone hears goes where a scripted phone's voice goes: to the others, streams, recordings."""

from __future__ import annotations

import asyncio
import importlib.util
import math
import struct
from collections.abc import AsyncIterator

import numpy as np
import pytest

from acs_emulator.audio import Recogniser
from acs_emulator.testing import AsyncControl, Running, running_async
from emulator.tests.recording_support import channels_of, download, record
from emulator.tests.support import Application, Wire
from emulator.tests.tab import Tab, tab
from emulator.tests.test_live_phone import LINE, asking, called
from emulator.tests.test_streaming import Ear, ear_listening, samples, streaming


@pytest.fixture
async def emulator(application: Application) -> AsyncIterator[Running[AsyncControl]]:
    """At the speed of people."""
    async with running_async(event_grid=f"{application.base}/eventgrid") as one:
        yield one
        assert (await one.control.health())["crashes"] == []


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    async with ear_listening() as one:
        yield one


def tone(hertz: int, frames: int) -> list[bytes]:
    """A tone as frames of 20 ms."""
    pcm = [round(8000 * math.sin(2 * math.pi * hertz * n / 16000)) for n in range(320 * frames)]
    return [struct.pack("<320h", *pcm[at : at + 320]) for at in range(0, len(pcm), 320)]


async def speak(one: Tab, frames: list[bytes]) -> None:
    """Send frames as a browser does, 50 a second."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for frame in frames:
        await one.send(frame)
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))


def pitch(pcm: bytes | np.ndarray) -> int:
    """The strongest frequency in hertz, to 25."""
    sound = np.frombuffer(pcm, "<i2") if isinstance(pcm, bytes | bytearray) else pcm
    spectrum = np.abs(np.fft.rfft(sound.astype(float), 16000))
    return round(int(spectrum[50:].argmax() + 50) / 25) * 25


async def connected(wire: Wire, application: Application, me: Tab, other: Tab) -> str:
    """Both tabs in a call with the app; its leg."""
    desk = await called(wire, application, me)
    await desk.act("/participants:add", {"participantToAdd": {"phoneNumber": {"value": other.number}}, **LINE})
    await other.state("ringing")
    await other.ask("answer")
    await other.state("connected")
    return desk.leg


async def test_two_people_hear_each_other_and_nobody_hears_themselves(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        await connected(wire, application, me, other)
        me.heard.clear()
        await asyncio.gather(speak(me, tone(500, 75)), speak(other, tone(900, 75)))
        await me.until(lambda it: len(it.heard) >= 640 * 60)
        await other.until(lambda it: len(it.heard) >= 640 * 60)
        assert (pitch(bytes(me.heard)), pitch(bytes(other.heard))) == (900, 500)


async def test_who_is_on_hold_neither_hears_nor_is_heard(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        leg = await connected(wire, application, me, other)
        hold = {"targetParticipant": {"phoneNumber": {"value": other.number}}}
        assert (await wire.send("POST", f"/calling/callConnections/{leg}:hold", hold))[0] == 200
        await other.until(lambda it: it.phone["onHold"])
        await asyncio.gather(speak(me, tone(500, 40)), speak(other, tone(900, 40)))
        await asyncio.sleep(0.3)
        assert (len(me.heard), len(other.heard)) == (0, 0)


async def test_who_is_on_hold_hears_the_hold_audio_again_and_again_until_unhold(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        leg = await connected(wire, application, me, other)
        who = {"targetParticipant": {"phoneNumber": {"value": other.number}}}
        audio = {"kind": "text", "text": {"text": "Please hold.", "voiceName": "en-US-JennyNeural"}}
        path = f"/calling/callConnections/{leg}"
        assert (await wire.send("POST", f"{path}:hold", {**who, "playSourceInfo": audio}))[0] == 200
        await application.event("HoldAudioStarted", leg)
        clip = await emulator.service.studio.speak("Please hold.", voice="en-US-JennyNeural")
        await other.until(lambda it: len(it.heard) > 2 * len(clip.samples))
        assert not me.heard
        assert (await wire.send("POST", f"{path}:unhold", who))[0] == 200
        await application.event("HoldAudioCompleted", leg)
        await asyncio.sleep(0.3)
        other.heard.clear()
        await asyncio.sleep(1.0)
        assert not other.heard


async def test_a_prompt_is_heard_and_typed_words_are_spoken(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        leg = await connected(wire, application, me, other)
        prompt = {"kind": "text", "text": {"text": "Welcome to Contoso.", "voiceName": "en-US-JennyNeural"}}
        await wire.send("POST", f"/calling/callConnections/{leg}:play", {"playSources": [prompt]})
        await application.event("PlayCompleted", leg)
        await me.until(lambda it: len(it.heard) > 32_000)
        await asyncio.sleep(0.5)
        heard = len(me.heard)
        await me.ask("say", text="Hello there")
        await other.until(lambda it: len(it.heard) > heard + 8_000)
        assert len(me.heard) == heard, "nobody hears themselves"


async def test_the_recording_has_each_voice_on_its_channel(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        desk = await called(wire, application, me)
        await desk.act("/participants:add", {"participantToAdd": {"phoneNumber": {"value": other.number}}, **LINE})
        await other.state("ringing")
        await other.ask("answer")
        await other.state("connected")
        affinity = [
            {"channel": 0, "participant": {"phoneNumber": {"value": me.number}}},
            {"channel": 1, "participant": {"phoneNumber": {"value": other.number}}},
        ]
        recording = await record(desk, channelAffinity=affinity)
        await application.event("RecordingStateChanged", count=2)
        await asyncio.gather(speak(me, tone(500, 75)), speak(other, tone(900, 75)))
        await me.ask("say", text="Goodbye")
        await me.until(lambda it: any(one.get("what") == "says" for one in it.news))
        await asyncio.sleep(0.3)
        await wire.send("DELETE", f"/calling/recordings/{recording}")
        stored = await application.grid_event("RecordingFileStatusUpdated")
        location = stored["data"]["recordingStorageInfo"]["recordingChunks"][0]["contentLocation"]
        _, body, _ = await download(wire, location)
        sound = channels_of(body)
        assert [pitch(sound[:24000, channel]) for channel in (0, 1)] == [500, 900]
        (described,) = await emulator.control.recordings()
        spoken = {
            one["id"]: [(span["kind"], span["text"]) for span in one["spans"] if span["kind"] == "speech"]
            for one in described["participants"]
        }
        assert ("speech", "Goodbye") in spoken["4:+14255550123"]
        assert ("speech", "") in spoken["4:+14255550124"]


async def test_a_stream_of_the_app_has_the_microphone(
    wire: Wire, application: Application, emulator: Running[AsyncControl], ear: Ear
) -> None:
    async with tab(emulator) as me:
        await called(wire, application, me, **streaming(ear, startMediaStreaming=True))
        await ear.frames("AudioData")
        await speak(me, tone(700, 60))
        frames = await ear.frames("AudioData", 80)
        assert pitch(samples([one for one in frames if not one["silent"]])) == 700


async def test_at_another_speed_there_is_no_sound(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me, tab(emulator) as other:
        await connected(wire, application, me, other)
        await me.ask("speed", speed=2)
        await me.until(lambda it: it.phone["speed"] == 2)
        other.heard.clear()
        await speak(me, tone(500, 25))
        await me.ask("say", text="Hello there")
        await other.until(lambda it: any(one.get("what") == "says" for one in it.news))
        await asyncio.sleep(0.3)
        assert not other.heard


async def test_a_frame_that_is_none_is_refused_and_the_call_goes_on(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    async with tab(emulator) as me:
        await called(wire, application, me)
        await me.send(b"short")
        await me.until(lambda it: it.refused)
        assert me.refused == ["The microphone's sound cannot be used: a frame has 640 bytes, not 5."]
        assert me.phone["state"] == "connected"


class Believes(Recogniser):
    """Understands every utterance as the same."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.text = text

    def recognise(self, pcm: bytes, phrases: object) -> str:
        self.asked.append(tuple(phrases))  # type: ignore[arg-type]
        return self.text


@pytest.mark.parametrize(("understood", "event"), [("a person", "RecognizeCompleted"), ("", "RecognizeFailed")])
async def test_with_a_recogniser_what_is_said_answers_the_question_and_is_transcribed(
    wire: Wire, application: Application, emulator: Running[AsyncControl], ear: Ear, understood: str, event: str
) -> None:
    believes = emulator.service.recogniser = Believes(understood)
    options = {
        "transcriptionOptions": {
            "transportType": "websocket",
            "transportUrl": ear.url,
            "locale": "en-US",
            "startTranscription": True,
        }
    }
    async with tab(emulator) as me:
        assert me.phone["recogniser"]
        desk = await called(wire, application, me, **options)
        await ear.frames("TranscriptionMetadata")
        await desk.act(":recognize", asking(me.number, interruptPrompt=True))
        await me.until(lambda it: it.phone["question"])
        await speak(me, tone(500, 40) + [bytes(640)] * 40)
        ended = await application.event(event, desk.leg)
        assert believes.asked == [("sales", "agent", "a person")]
        if understood:
            assert ended["data"]["choiceResult"] == {
                "label": "agent",
                "recognizedPhrase": "a person",
                "confidence": 0.95,
            }
            (heard,) = await ear.frames("TranscriptionData")
            assert (heard["text"], heard["resultStatus"], heard["participantRawID"]) == (
                "a person",
                "Final",
                f"4:{me.number}",
            )
        else:
            assert ended["data"]["resultInformation"]["subCode"] == 8563


async def test_without_a_recogniser_speech_answers_nothing_and_interrupts_nothing(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    emulator.service.recogniser = None
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
        await desk.act(":recognize", asking(me.number, interruptPrompt=True))
        await me.until(lambda it: it.phone["question"])
        await speak(me, tone(500, 40) + [bytes(640)] * 40)
        await me.until(lambda it: any(one.get("what") == "speaks" for one in it.news))
        assert me.phone["question"], "it is still asked"
        await me.ask("press", keys="2")
        chosen = await application.event("RecognizeCompleted", desk.leg)
        assert chosen["data"]["choiceResult"]["label"] == "agent"


@pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="needs pip install 'acs-emulator[recognition]'"
)
async def test_a_spoken_phrase_chooses_as_a_typed_one_does(
    wire: Wire, application: Application, emulator: Running[AsyncControl]
) -> None:
    said = (await emulator.service.studio.speak_as("agent", "en-us")).samples
    said += bytes(-len(said) % 640)
    frames = [said[at : at + 640] for at in range(0, len(said), 640)]
    async with tab(emulator) as me:
        desk = await called(wire, application, me)
        await desk.act(":recognize", asking(me.number))
        await me.until(lambda it: it.phone["question"])
        await speak(me, [bytes(640)] * 15 + frames + [bytes(640)] * 40)
        chosen = await application.event("RecognizeCompleted", desk.leg)
        assert chosen["data"]["choiceResult"]["label"] == "agent"
        await me.until(lambda it: any(one.get("what") == "says" and one["text"] == "agent" for one in it.news))
