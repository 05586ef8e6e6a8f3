"""The source of recordings against the emulator, signed and with each of its faults."""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Iterator
from typing import Any

import pytest

from acs_emulator.testing import Control, Running, running
from shared.azure.recording_source import ServiceSource
from shared.errors import ForeignLocation, SourceUnavailable
from tests.functional.recordings.rooms import recorded, wait_for
from tests.functional.recordings.storage_host import StorageHost

pytestmark = pytest.mark.xdist_group("recordings-source-emulator")

ANSWERS = "+15550100001"
"""A phone that needs no set-up."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running[Control]]:
    with running(speed=40.0) as one:
        yield one


@pytest.fixture(scope="module")
def chunk(emulator: Running[Control]) -> dict[str, Any]:
    """The only chunk of a recorded call, as its file event names it."""
    call, _ = recorded(emulator, ANSWERS)
    began = emulator.service.clock.now()
    wait_for(lambda: emulator.service.clock.now() - began > 20)
    call.hang_up(is_for_everyone=True)
    made_files = wait_for(lambda: [one["chunks"] for one in emulator.control.recordings() if one["chunks"]])
    return dict(made_files[0][0])


@pytest.fixture
def location(emulator: Running[Control], chunk: dict[str, Any]) -> Iterator[str]:
    yield chunk["contentLocation"]
    emulator.control.clear_faults()


@pytest.fixture(scope="module")
def source(emulator: Running[Control]) -> ServiceSource:
    return a_source(emulator)


def a_source(emulator: Running[Control], access_key: str = "", **more: Any) -> ServiceSource:
    host = emulator.endpoint.partition("//")[2]
    settings: dict[str, Any] = {"extra_hosts": (host,), "backoff": 0, "block": 4096, "timeout": 10, **more}
    return ServiceSource(emulator.endpoint, access_key or emulator.access_key, **settings)


def fetched(source: ServiceSource, location: str) -> bytes:
    with source.open(location) as download:
        body = b"".join(download)
        assert download.length in (None, len(body))
    return body


def strike(emulator: Running[Control], kind: str, count: int | None = None, **more: Any) -> None:
    match = {"operation": "CallRecording_Download"}
    if kind in ("drop", "status", "delay"):
        match["channel"] = "requests"
    emulator.control.add_faults({"kind": kind, "match": match, **more, **({"count": count} if count else {})})


def sound(emulator: Running[Control], chunk: dict[str, Any]) -> bytes:
    document = emulator.service.recordings.archive.get(chunk["documentId"])
    assert document is not None
    return document.path.read_bytes()


def test_a_recording_is_fetched_as_it_lies_there(
    emulator: Running[Control], chunk: dict[str, Any], source: ServiceSource, location: str
) -> None:
    body = fetched(source, location)
    assert hashlib.sha256(body).digest() == hashlib.sha256(sound(emulator, chunk)).digest()
    with wave.open(io.BytesIO(body)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (16_000, 2)
        assert file.getnframes() > 10 * 16_000


def test_metadata_comes_with_the_same_signature(source: ServiceSource, chunk: dict[str, Any]) -> None:
    document = source.metadata(chunk["metadataLocation"])
    assert document["chunkDocumentId"] == chunk["documentId"]


def test_a_wrong_key_is_refused_and_told(emulator: Running[Control], location: str) -> None:
    with pytest.raises(SourceUnavailable, match="ACS_ACCESS_KEY") as caught:
        fetched(a_source(emulator, "d3Jvbmc="), location)
    assert caught.value.status == 401


def test_an_answer_that_breaks_off_is_taken_up_again(
    emulator: Running[Control], chunk: dict[str, Any], source: ServiceSource, location: str
) -> None:
    before = len(emulator.control.requests())
    strike(emulator, "truncate", 2)
    assert fetched(source, location) == sound(emulator, chunk)
    assert len(emulator.control.requests()) == before + 3


@pytest.mark.parametrize("kind", ["truncate", "wrong length"])
def test_answers_that_break_off_for_ever_are_given_up(
    emulator: Running[Control], source: ServiceSource, location: str, kind: str
) -> None:
    strike(emulator, kind)
    with pytest.raises(SourceUnavailable):
        fetched(source, location)


def test_an_empty_answer_and_a_short_one_are_given_through(
    emulator: Running[Control], chunk: dict[str, Any], source: ServiceSource, location: str
) -> None:
    """Nothing in the answer says that it is wrong: that is for the check of the WAV header."""
    strike(emulator, "empty", 1)
    assert fetched(source, location) == b""
    strike(emulator, "short", 1)
    whole = sound(emulator, chunk)
    assert whole.startswith(fetched(source, location))
    assert fetched(source, location) == whole


@pytest.mark.parametrize("status", [404, 429, 503])
def test_an_error_status_is_told(emulator: Running[Control], source: ServiceSource, location: str, status: int) -> None:
    strike(emulator, "status", 1, status=status)
    with pytest.raises(SourceUnavailable) as caught:
        fetched(source, location)
    assert caught.value.status == status


def test_a_dropped_request_is_unavailable(emulator: Running[Control], source: ServiceSource, location: str) -> None:
    strike(emulator, "drop", 1)
    with pytest.raises(SourceUnavailable) as caught:
        fetched(source, location)
    assert caught.value.status is None


def test_a_late_answer_is_waited_for_as_long_as_the_time_out_says(
    emulator: Running[Control], chunk: dict[str, Any], source: ServiceSource, location: str
) -> None:
    strike(emulator, "delay", 1, seconds=10)
    assert fetched(source, location) == sound(emulator, chunk)
    strike(emulator, "delay", 1, seconds=80)
    with pytest.raises(SourceUnavailable):
        fetched(a_source(emulator, timeout=0.3), location)


def test_without_the_setting_the_emulator_is_a_foreign_host(emulator: Running[Control], location: str) -> None:
    before = len(emulator.control.requests())
    with pytest.raises(ForeignLocation):
        fetched(a_source(emulator, extra_hosts=()), location)
    assert len(emulator.control.requests()) == before


def test_a_redirect_to_a_foreign_host_sends_nothing_there(
    emulator: Running[Control], source: ServiceSource, location: str
) -> None:
    with StorageHost(b"RIFF") as foreign:
        strike(emulator, "redirect", 1, location=f"{foreign.url}/file")
        with pytest.raises(ForeignLocation):
            fetched(source, location)
        assert foreign.seen == []


def test_a_deleted_recording_is_gone_and_deleting_it_again_is_no_error(
    emulator: Running[Control], source: ServiceSource, chunk: dict[str, Any]
) -> None:
    """The last test of the module."""
    source.delete(chunk["deleteLocation"])
    source.delete(chunk["deleteLocation"])
    with pytest.raises(SourceUnavailable) as caught:
        fetched(source, chunk["contentLocation"])
    assert caught.value.status == 404
