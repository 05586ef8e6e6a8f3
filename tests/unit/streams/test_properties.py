"""What holds for whatever a peer sends."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.frames import AudioFrame, AudioMetadata, Dtmf, Phrase, Skipped, TranscriptionMetadata, read
from streams.track import LONGEST_GAP_SECONDS, TOLERANCE_SECONDS
from tests.examples import examples
from tests.unit.streams.memory import START, MemoryStore, sound
from tests.unit.streams.memory import track as new_track

KNOWN = (AudioFrame, AudioMetadata, Dtmf, Phrase, Skipped, TranscriptionMetadata)
NAMES = st.sampled_from(
    ["kind", "Kind", "audioData", "AudioData", "audioMetadata", "dtmfData", "transcriptionData", "data", "timestamp",
     "participantRawID", "sampleRate", "channels", "encoding", "text", "offset", "words", "confidence", "duration"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["AudioData", "audiodata", "AudioMetadata", "DtmfData", "TranscriptionData", "AAAA", "PCM", "5"])
)  # fmt: skip
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=12
)


@given(st.text() | st.binary() | DOCUMENTS.map(json.dumps))
def test_no_frame_whatever_raises(text: str | bytes) -> None:
    assert isinstance(read(text), KNOWN)


@given(st.binary(max_size=2000), st.text(max_size=40))
def test_sound_arrives_as_it_was_sent(pcm: bytes, who: str) -> None:
    body: dict[str, Any] = {"timestamp": "2024-11-15T19:16:12.925Z", "data": base64.b64encode(pcm).decode()}
    frame = read(json.dumps({"kind": "AudioData", "audioData": body | {"participantRawID": who, "silent": False}}))
    if len(pcm) % 2:
        assert isinstance(frame, Skipped)
    else:
        assert isinstance(frame, AudioFrame)
        assert (frame.pcm, frame.at) == (pcm, START)


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 0.014)), min_size=1, max_size=400), st.integers(1, 60))
def test_a_file_is_as_long_as_what_it_holds_whichever_frames_are_lost(
    frames: list[tuple[bool, float]], every: int
) -> None:
    store, track = MemoryStore(), new_track(None)
    heard = [n for n, (lost, _) in enumerate(frames) if not lost]
    for count, number in enumerate(heard):
        track.add(b"\1\0" * 320, START + number * 0.02 + frames[number][1])
        if count % every == 0:
            track.write(store)
    entries = track.write(store, closing=True)
    if not heard:
        assert store.blobs == {}
        return
    _, pcm = sound(store.blobs["audio-x.wav"])
    assert entries[0]["seconds"] == pytest.approx(len(pcm) / 32_000, abs=0.0006)
    span = (heard[-1] - heard[0] + 1) * 0.02
    assert abs(len(pcm) / 32_000 - span) <= TOLERANCE_SECONDS + 0.015
    assert pcm.count(b"\1\0") == len(heard) * 320


@settings(max_examples=examples(60))
@given(st.lists(st.floats(-1e10, 1e10) | st.floats(-200, 200), min_size=1, max_size=60), st.integers(1, 9))
def test_wild_timestamps_lose_no_sound_and_make_no_more_silence_than_the_longest_gap(
    times: list[float], every: int
) -> None:
    store, track = MemoryStore(), new_track(None)
    frames = [at for n, at in enumerate(times) if n == 0 or at != times[n - 1]]
    for count, at in enumerate(frames):
        track.add(b"\1\0" * 320, at)
        if count % every == 0:
            track.write(store)
    track.write(store, closing=True)
    files = [sound(blob)[1] for blob in store.blobs.values()]
    assert sum(pcm.count(b"\1\0") for pcm in files) == len(frames) * 320
    assert sum(len(pcm) for pcm in files) / 32_000 <= len(frames) * (0.02 + LONGEST_GAP_SECONDS)
