"""After a recording: its chunks become files, and Event Grid tells of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from acs_emulator.audio.clip import SAMPLE_RATE
from acs_emulator.audio.track import Track
from acs_emulator.core.clock import ticks_text
from acs_emulator.recording.archive import RETENTION, Archive, Document
from acs_emulator.recording.external_storage import ExportFailed, ExternalStorage
from acs_emulator.recording.options import assign_channels
from acs_emulator.recording.render import MP3_KBPS, Piece, render, split
from acs_emulator.recording.session import Recording

#: Seconds from the end of a recording to its file event. The docs say minutes: chosen shorter.
FILE_DELAY = 2.0
#: A tag of SSML in a prompt's text.
_TAG = re.compile(r"<[^<>]*>")


async def finish(recording: Recording, archive: Archive, origin: str, on_spoken: Callable[[str, bytes], None]) -> None:
    """Make the files and publish RecordingFileStatusUpdated. A recording that was never active has no file.

    ``origin`` is the first part of the files' locations; ``on_spoken`` is told what was said, with its sound.
    """
    try:
        await _finish(recording, archive, origin, on_spoken)
    except OSError as error:
        recording.call.note("service", "makes no file", str(error))
        recording.service.problems.report(
            f"The file of a recording cannot be written: {error}",
            "RecordingFileStatusUpdated does not come. Make room, or give another --location (without one: TMPDIR).",
        )


async def _finish(recording: Recording, archive: Archive, origin: str, on_spoken: Callable[[str, bytes], None]) -> None:
    service = recording.service
    try:
        if sum(high - low for low, high in recording.pieces) == 0:
            return
        if recording.options.format == "mp4":
            recording.call.note("service", "makes no file", "video is not emulated")
            return
        await service.clock.sleep(FILE_DELAY)
        await _make(recording, archive, origin)
        for text, pcm in _spoken(recording):
            await asyncio.to_thread(on_spoken, text, pcm)
    finally:
        recording.seal()
    archive.describe(recording.id, recording.describe())
    service.event_grid.publish("RecordingFileStatusUpdated", _subject(recording), _event(recording))
    await service.clock.sleep(RETENTION)
    archive.expire()


async def _make(recording: Recording, archive: Archive, origin: str) -> None:
    service, options = recording.service, recording.options
    documents: list[Document] = []
    recording.channels = _channels(recording)
    channels: list[list[Track]] = [
        [] for _ in range(max(recording.channels.values(), default=0) + 1 if options.channel == "unmixed" else 1)
    ]
    for raw_id, tracks in recording.tracks.items():
        if options.channel == "mixed":
            channels[0] += tracks
        elif raw_id in recording.channels:
            channels[recording.channels[raw_id]] += tracks
    chunks = split(recording.pieces, round(service.config.recording_chunk_seconds * SAMPLE_RATE))
    for index, pieces in enumerate(chunks):
        document_id = service.ids.document()
        path = archive.path(document_id)
        try:
            await asyncio.to_thread(render, path, options.format, channels, pieces)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        metadata = _metadata(recording, document_id, index, pieces, len(channels))
        documents.append(archive.add(document_id, recording.id, index, options.content_name, metadata))
        base = f"{origin}/v1/objects/{document_id}"
        recording.chunks.append(
            {
                "documentId": document_id,
                "index": index,
                "endReason": "SessionEnded" if index == len(chunks) - 1 else "ChunkMaximumSizeExceeded",
                "contentLocation": f"{base}/content/{options.content_name}",
                "metadataLocation": f"{base}/content/acsmetadata",
                "deleteLocation": base,
            }
        )
    if options.container_url:
        await _export(recording, documents)


async def _export(recording: Recording, documents: list[Document]) -> None:
    """Write the files to the app's own storage; if that fails, the locations are those of the built-in copy (docs)."""
    service, options = recording.service, recording.options
    folder = "/".join(
        (
            recording.moment(recording.pieces[0][0]).strftime("%Y%m%d"),
            _call_id(recording),
            f"{recording.id[:8]}-{service.ids.guid()}",
        )
    )
    store = ExternalStorage(service.config.storage_connection_string, options.container_url)
    try:
        locations = await asyncio.to_thread(store.write, folder, documents, options.format)
    except ExportFailed as error:
        recording.call.note("service", "cannot export the recording", str(error))
        return
    recording.exported = True
    for chunk, (content, metadata) in zip(recording.chunks, locations, strict=True):
        chunk["contentLocation"], chunk["metadataLocation"] = content, metadata


def _spoken(recording: Recording) -> list[tuple[str, bytes]]:
    """What was said in the recording, with its whole sound; of prompts, those that were made from words."""
    spans = [
        span
        for tracks in recording.tracks.values()
        for track in tracks
        for low, high in recording.pieces
        for span in track.spans(low, high)
    ]
    spoken = []
    for span in spans:
        if not span.text:
            continue  # from a microphone, without words
        if span.kind == "speech" or (span.kind == "prompt" and not span.text.startswith("[")):
            spoken.append((" ".join(_TAG.sub(" ", span.text).split()), bytes(span.samples)))
    return spoken


def _channels(recording: Recording) -> dict[str, int]:
    """Participants in the order of their first sound, the silent ones after them in the order of joining."""

    def first(raw_id: str) -> float:
        heard = [
            found
            for track in recording.tracks[raw_id]
            for low, high in recording.pieces
            if (found := track.first_heard(low, high)) is not None
        ]
        return min(heard, default=float("inf"))

    return assign_channels(recording.options, sorted(recording.tracks, key=first))


def _metadata(recording: Recording, document_id: str, index: int, pieces: list[Piece], channels: int) -> dict[str, Any]:
    """The acsmetadata document in its recorded shape, in which contentType and channelType are swapped."""
    options, service = recording.options, recording.service
    low, high = pieces[0][0], pieces[-1][1]
    gaps = [(end, begin) for (_, end), (begin, _) in zip(recording.pieces, recording.pieces[1:], strict=False)]
    bit_rate = MP3_KBPS * 1000 if options.format == "mp3" else SAMPLE_RATE * 16 * channels
    return {
        "resourceId": service.config.resource_id,
        "callId": _call_id(recording),
        "chunkDocumentId": document_id,
        "chunkIndex": index,
        "chunkStartTime": ticks_text(recording.moment(low), "Z"),
        "chunkDuration": _milliseconds(pieces),
        "pauseResumeIntervals": [
            {"startTime": ticks_text(recording.moment(begin), "Z"), "duration": _milliseconds([(begin, end)])}
            for begin, end in gaps
            if low < begin <= high
        ],
        "recordingInfo": {
            "contentType": options.channel,
            "channelType": options.content,
            "format": options.format,
            "audioConfiguration": {"sampleRate": SAMPLE_RATE, "bitRate": bit_rate, "channels": channels},
        },
        "participants": [
            {"participantId": raw_id, **({"channel": channel} if options.channel == "unmixed" else {})}
            for raw_id, channel in recording.channels.items()
        ],
    }


def _event(recording: Recording) -> dict[str, Any]:
    """In the order of a public report (Azure/azure-sdk-for-net issue 54863, January 2026)."""
    options = recording.options
    # What could not be exported has no storageType (docs: bring your own storage).
    failed = options.container_url and not recording.exported
    kind = {} if failed else {"storageType": "AzureBlob" if recording.exported else "ACS"}
    return {
        "recordingStorageInfo": {"recordingChunks": recording.chunks},
        "recordingStartTime": ticks_text(recording.moment(recording.pieces[0][0]), "Z"),
        "recordingDurationMs": _milliseconds(recording.pieces),
        "recordingId": recording.id,
        **kind,
        "sessionEndReason": recording.reason,
        # PascalCase in Event Grid, camelCase in REST (docs).
        "recordingContentType": options.content[:1].upper() + options.content[1:],
        "recordingChannelType": options.channel.capitalize(),
        "recordingFormatType": options.format.capitalize(),
    }


def _call_id(recording: Recording) -> str:
    """What subject, metadata and blob names call the call: its correlation id (same report; of the latter chosen)."""
    return recording.call.correlation_id


def _subject(recording: Recording) -> str:
    server_call_id = recording.call.server_call_id
    return f"/recording/call/{_call_id(recording)}/serverCallId/{server_call_id}/recordingId/{recording.id}"


def _milliseconds(pieces: list[Piece]) -> int:
    return round(sum(high - low for low, high in pieces) * 1000 / SAMPLE_RATE)
