"""The stand-in for fast transcription: it knows the words of what its phones said, wherever the sound comes from."""

from __future__ import annotations

import io
import json
import wave
from typing import Any

import aiohttp
import numpy as np
import pytest

from acs_emulator.testing import AsyncControl, Running, running_async
from acs_emulator.transcription.voiceprints import STRETCH, WINDOW, Voiceprints
from emulator.tests.recording_support import channels_of, download, recorded
from emulator.tests.support import SPEED, Application, Wire

PATH = "/speechtotext/transcriptions:transcribe"
FIRST, SECOND = "Good afternoon, my order has not come.", "It was promised for Monday."
DEFINITION = json.dumps({"locales": ["en-GB"]})


def wav(samples: Any, rate: int = 16000) -> bytes:
    """A 16-bit WAV file; samples of one channel, or a column for each."""
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return body.getvalue()


async def ask(
    emulator: Running[AsyncControl], audio: bytes | None, definition: str | None = DEFINITION, *,
    version: str = "2024-11-15", key: str = "any key", **headers: str,
) -> tuple[int, Any]:  # fmt: skip
    form = aiohttp.FormData(default_to_multipart=True)
    if audio is not None:
        form.add_field("audio", io.BytesIO(audio), filename="channel.wav", content_type="audio/wav")
    if definition is not None:
        form.add_field("definition", definition, content_type="application/json")
    sent = {"Ocp-Apim-Subscription-Key": key, **headers}
    url = f"{emulator.endpoint}{PATH}?api-version={version}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=form, headers={name: value for name, value in sent.items() if value}) as answer,
    ):
        return answer.status, json.loads(await answer.read())


@pytest.fixture
async def channel(emulator: Running[AsyncControl], wire: Wire, answered: Any) -> Any:
    """The samples of the caller's channel in a recording of two sentences."""
    data = await recorded(await answered(), FIRST, SECOND)
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    return channels_of((await download(wire, chunk["contentLocation"]))[1])[:, 0]


async def truth(emulator: Running[AsyncControl]) -> list[dict[str, Any]]:
    [described] = await emulator.control.recordings()
    return [span for participant in described["participants"] for span in participant["spans"]]


async def test_a_channel_has_the_phrases_that_the_truth_has(emulator: Running[AsyncControl], channel: Any) -> None:
    status, answer = await ask(emulator, wav(channel))
    assert (status, list(answer)) == (200, ["durationMilliseconds", "combinedPhrases", "phrases"])
    assert answer["durationMilliseconds"] == round(len(channel) / 16)
    assert answer["combinedPhrases"] == [{"text": f"{FIRST} {SECOND}"}]
    spans = await truth(emulator)
    for phrase, span in zip(answer["phrases"], spans, strict=True):
        assert list(phrase) == [
            "offsetMilliseconds", "durationMilliseconds", "text", "words", "locale", "confidence",
        ]  # fmt: skip
        assert (phrase["text"], phrase["locale"]) == (span["text"], "en-GB")
        assert abs(phrase["offsetMilliseconds"] - span["start"] * 1000) <= 1
        end = phrase["offsetMilliseconds"] + phrase["durationMilliseconds"]
        assert abs(end - span["end"] * 1000) <= 2
        assert [word["text"] for word in phrase["words"]] == span["text"].split()
        assert phrase["words"][0]["offsetMilliseconds"] == phrase["offsetMilliseconds"]
        last = phrase["words"][-1]
        assert abs(last["offsetMilliseconds"] + last["durationMilliseconds"] - end) <= 2


async def test_a_piece_of_a_channel_has_the_words_that_are_in_it(emulator: Running[AsyncControl], channel: Any) -> None:
    first, second = await truth(emulator)
    cut = round((first["start"] + first["end"]) / 2 * 16000)
    _, before = await ask(emulator, wav(channel[:cut]))
    _, after = await ask(emulator, wav(channel[cut:]))
    assert [phrase["text"] for phrase in after["phrases"]][1:] == [SECOND]
    assert abs(after["phrases"][1]["offsetMilliseconds"] - (second["start"] * 1000 - cut / 16)) <= 1
    assert after["phrases"][0]["offsetMilliseconds"] < 60
    [start], rest = before["phrases"], after["phrases"][0]
    words = FIRST.split()
    heard = start["text"].split(), rest["text"].split()
    assert heard[0] == words[: len(heard[0])]
    assert heard[1] == words[-len(heard[1]) :]
    assert len(words) - 1 <= len(heard[0]) + len(heard[1]) <= len(words)


async def test_stereo_is_transcribed_apart_when_asked_and_merged_otherwise(
    emulator: Running[AsyncControl], channel: Any
) -> None:
    spans = await truth(emulator)
    half = round((spans[0]["end"] + spans[1]["start"]) / 2 * 16000)
    left, right = channel.copy(), channel.copy()
    left[half:] = 0
    right[:half] = 0
    stereo = wav(np.stack([left, right], axis=1))
    _, merged = await ask(emulator, stereo)
    assert merged["combinedPhrases"] == [{"text": f"{FIRST} {SECOND}"}]
    _, apart = await ask(emulator, stereo, json.dumps({"channels": [0, 1]}))
    assert apart["combinedPhrases"] == [{"channel": 0, "text": FIRST}, {"channel": 1, "text": SECOND}]
    assert [(one["channel"], one["text"], one["locale"]) for one in apart["phrases"]] == [
        (0, FIRST, "en-US"), (1, SECOND, "en-US"),
    ]  # fmt: skip


async def test_sound_that_no_phone_made_has_no_phrases(emulator: Running[AsyncControl], channel: Any) -> None:
    noise = np.random.default_rng(1).integers(-3000, 3000, 48000)
    nothing: dict[str, Any] = {"combinedPhrases": [], "phrases": []}
    assert await ask(emulator, wav(noise)) == (200, {"durationMilliseconds": 3000, **nothing})
    assert await ask(emulator, wav(np.zeros(16000))) == (200, {"durationMilliseconds": 1000, **nothing})
    assert await ask(emulator, wav(noise, 8000)) == (200, {"durationMilliseconds": 6000, **nothing})


async def test_the_duration_is_that_of_the_sound_that_came(emulator: Running[AsyncControl]) -> None:
    broken_off = wav(np.zeros(32000))[: 44 + 2 * 16000]
    assert (await ask(emulator, broken_off))[1]["durationMilliseconds"] == pytest.approx(1000, abs=2)


async def test_recorded_prompts_are_recognised_too(application: Application) -> None:
    prints = Voiceprints()
    async with running_async(speed=SPEED) as emulator:
        welcome = await emulator.service.studio.speak_ssml(
            '<speak version="1.0" xml:lang="en-US"><p>Welcome to <emphasis>Contoso</emphasis></p></speak>'
        )
    prints.add("Welcome to Contoso", welcome.samples)
    samples = np.concatenate([np.zeros(5000, np.int16), np.frombuffer(welcome.samples, "<i2")])
    assert [one.text for one in prints.recognise([samples])] == ["Welcome to Contoso"]


@pytest.mark.parametrize(
    ("audio", "definition", "status", "detail"),
    [
        (None, DEFINITION, 400, "InvalidPayload"),
        (b"RIFF", "{", 400, "InvalidRequestBodyFormat"),
        (b"RIFF", "[" * 100_000, 400, "InvalidRequestBodyFormat"),
        (b"RIFF", "[]", 400, "InvalidRequestBodyFormat"),
        (b"RIFF", '{"locales": "en-US"}', 400, "InvalidRequestBodyFormat"),
        (b"RIFF", '{"locales": ["english"]}', 400, "InvalidLocale"),
        (b"RIFF", '{"channels": [0, 1, 2]}', 400, "InvalidChannels"),
        (b"RIFF", '{"channels": [-1]}', 400, "InvalidChannels"),
        (b"RIFF", '{"profanityFilterMode": "Loud"}', 400, "InvalidParameterValue"),
        (b"RIFF", DEFINITION, 422, "InvalidAudioFormat"),
        (b"", DEFINITION, 422, "InvalidAudioFormat"),
        (wav(np.zeros(0)), DEFINITION, 422, "EmptyAudioFile"),
        (wav(np.zeros((100, 2))), '{"channels": [2]}', 400, "InvalidChannels"),
        (wav(np.zeros(18000), 1), DEFINITION, 422, "AudioLengthLimitExceeded"),
    ],
    ids=[
        "no audio", "broken json", "deep json", "json list", "locales", "locale", "three channels", "negative",
        "profanity", "no wav", "no bytes", "no frames", "no such channel", "too long",
    ],
)  # fmt: skip
async def test_what_cannot_be_transcribed_is_refused_in_the_services_body(
    emulator: Running[AsyncControl], audio: bytes | None, definition: str, status: int, detail: str
) -> None:
    got, answer = await ask(emulator, audio, definition)
    assert (got, answer["innerError"]["code"]) == (status, detail)
    assert answer["code"] == ("InvalidRequest" if status == 400 else "UnprocessableEntity")
    assert answer["message"] == answer["innerError"]["message"]


async def test_an_upload_that_is_too_large_is_refused_while_it_comes(
    emulator: Running[AsyncControl], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acs_emulator.api.speech_api.AUDIO_LIMIT", 100_000)
    assert (await ask(emulator, wav(np.zeros(100_000))))[0] == 413
    assert (await ask(emulator, wav(np.zeros(10_000))))[0] == 200


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
async def test_a_body_that_is_not_multipart_is_refused(emulator: Running[AsyncControl], content_type: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{emulator.endpoint}{PATH}?api-version=2024-11-15",
            data=b"--y\r\n\r\nhello",
            headers={"Ocp-Apim-Subscription-Key": "k", "Content-Type": content_type},
        ) as answer,
    ):
        assert (answer.status, (await answer.json())["code"]) == (400, "InvalidRequest")


async def test_other_media_types_and_versions_are_refused(emulator: Running[AsyncControl]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{emulator.endpoint}{PATH}?api-version=2024-11-15",
            json={},
            headers={"Ocp-Apim-Subscription-Key": "k"},
        ) as answer,
    ):
        assert answer.status == 415
    assert (await ask(emulator, wav(np.zeros(100)), version="2023-01-01"))[0] == 400
    assert (await ask(emulator, wav(np.zeros(100)), version="2025-10-15"))[0] == 200


async def test_the_key_is_checked_when_there_is_one_and_a_token_is_taken_for_it(
    emulator: Running[AsyncControl],
) -> None:
    audio = wav(np.zeros(100))
    status, answer = await ask(emulator, audio, key="")
    assert (status, answer["error"]["code"]) == (401, "401")
    assert (await ask(emulator, audio, key="", Authorization="Bearer token"))[0] == 200
    object.__setattr__(emulator.service.config, "speech_key", "right")
    assert [(await ask(emulator, audio, key=key))[0] for key in ("wrong", "right")] == [401, 200]


async def test_throttling_and_outages_come_by_fault(emulator: Running[AsyncControl]) -> None:
    match = {"operation": "Transcribe", "channel": "requests"}
    audio = wav(np.zeros(100))
    await emulator.control.add_faults({"kind": "drop", "count": 1, "match": match})
    with pytest.raises(aiohttp.ClientError):
        await ask(emulator, audio)
    await emulator.control.add_faults({"kind": "status", "status": 429, "seconds": 7, "count": 1, "match": match})
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{emulator.endpoint}{PATH}?api-version=2024-11-15",
            data=b"no part of this is looked at",
            headers={"Ocp-Apim-Subscription-Key": "k", "Content-Type": "multipart/form-data; boundary=x"},
        ) as answer,
    ):
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert (await answer.json())["error"]["code"] == "429"
    assert (await ask(emulator, audio))[0] == 200
    [_, refused, _] = await emulator.control.requests(operation="Transcribe")
    assert (refused["status"], refused["note"]) == (429, "answered by a fault")


class TestVoiceprints:
    """The search by itself."""

    @staticmethod
    def sound(seed: int, seconds: float = 2.0) -> Any:
        return np.random.default_rng(seed).integers(-8000, 8000, round(seconds * 16000)).astype(np.int16)

    def test_an_utterance_is_found_across_the_stretches_of_a_long_sound(self) -> None:
        prints = Voiceprints()
        one = self.sound(1)
        prints.add("one two three", one.tobytes())
        place = STRETCH - 1234
        sound = np.zeros(2 * STRETCH, np.int16)
        sound[place : place + len(one)] = one
        [heard] = prints.recognise(sound[at : at + 4096] for at in range(0, len(sound), 4096))
        assert (heard.start, heard.end, heard.text) == (place, place + len(one), "one two three")

    def test_the_longer_of_two_that_begin_alike_is_taken(self) -> None:
        prints = Voiceprints()
        both, rest = self.sound(1), self.sound(2)
        prints.add("yes", both.tobytes())
        prints.add("yes please", np.concatenate([both, rest]).tobytes())
        assert [one.text for one in prints.recognise([np.concatenate([both, rest])])] == ["yes please"]
        assert [one.text for one in prints.recognise([both])] == ["yes"]

    def test_one_block_that_is_alike_is_not_an_utterance(self) -> None:
        prints = Voiceprints()
        prints.add("a long sentence", self.sound(1).tobytes())
        alike = self.sound(2)
        alike[5000 : 5000 + WINDOW] = self.sound(1)[:WINDOW]
        assert prints.recognise([alike]) == []

    def test_what_was_forgotten_is_not_found(self) -> None:
        prints = Voiceprints()
        prints.add("one", self.sound(1).tobytes())
        prints.clear()
        assert prints.recognise([self.sound(1)]) == []
