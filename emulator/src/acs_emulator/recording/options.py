"""What a recording is to be: content, channels, format; which combinations the service offers."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from acs_emulator.core.errors import BadRequest, NotSupported
from acs_emulator.core.identifiers import from_model

#: Channels of an unmixed recording (docs: call recording).
MOST_CHANNELS = 5
#: What the service records (docs: call recording): content, channel type, format.
_OFFERED = {
    ("audio", "mixed", "mp3"),
    ("audio", "mixed", "wav"),
    ("audio", "unmixed", "wav"),
    ("audioVideo", "mixed", "mp4"),
}
#: Last segment of contentLocation (recorded for unmixed wav; documented for video; the others are chosen).
_CONTENT_NAMES = {
    ("unmixed", "wav"): "audiowavmultichannel",
    ("mixed", "wav"): "audiowav",
    ("mixed", "mp3"): "audiomp3",
    ("mixed", "mp4"): "video",
}


@dataclass(frozen=True)
class RecordingOptions:
    """``pinned`` gives participants a channel by raw id; ``ordering`` fills channels from 0 on."""

    content: str = "audioVideo"
    channel: str = "mixed"
    format: str = "mp4"
    pause_on_start: bool = False
    ordering: tuple[str, ...] = ()
    pinned: dict[str, int] = field(default_factory=dict)
    #: The blob container that the files are written to as well; empty is none.
    container_url: str = ""

    @property
    def content_name(self) -> str:
        return _CONTENT_NAMES[(self.channel, self.format)]


def read_options(body: dict[str, Any]) -> RecordingOptions:
    """Read StartCallRecordingRequest. Raises BadRequest or NotSupported.

    What is left out follows from what is given; with nothing given it is mixed video, as recorded in 2021.
    """
    content, channel, form = (body.get(f"recording{name}Type") for name in ("Content", "Channel", "Format"))
    if content is None:
        content = "audio" if channel == "unmixed" or form in ("wav", "mp3") else "audioVideo"
    if channel is None:
        channel = "mixed"
    if form is None:
        form = "mp4" if content == "audioVideo" else "wav" if channel == "unmixed" else "mp3"
    if (content, channel, form) not in _OFFERED:
        raise BadRequest(f"{content}, {channel}, {form} is not offered.", "recordingFormatType")
    if form == "mp3" and importlib.util.find_spec("lameenc") is None:
        raise NotSupported("This emulator writes mp3 only where the Python package lameenc is installed.")
    ordering = tuple(
        _raw_id(model, f"audioChannelParticipantOrdering[{index}]")
        for index, model in enumerate(body.get("audioChannelParticipantOrdering") or ())
    )
    if len(ordering) > MOST_CHANNELS:
        where = "audioChannelParticipantOrdering"
        raise BadRequest(f"'{where}' must have at most {MOST_CHANNELS} participants.", where)
    pinned = _pinned(body.get("channelAffinity") or [])
    if channel != "unmixed":
        # The service was recorded taking them, which can have no effect.
        ordering, pinned = (), {}
    pause_on_start = bool(body.get("pauseOnStart", False))
    return RecordingOptions(content, channel, form, pause_on_start, ordering, pinned, _container(body))


def _container(body: dict[str, Any]) -> str:
    """The URL of the container to write to. Whether it can be written to shows at the end, as an export failure."""
    storage = body.get("externalStorage") or {}
    if storage.get("recordingStorageKind") != "azureBlobStorage":
        return ""
    url = str(storage.get("recordingDestinationContainerUrl", ""))
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not parts.path.strip("/"):
        where = "externalStorage.recordingDestinationContainerUrl"
        raise BadRequest(f"'{where}' must be the URL of a blob container.", where)
    return url.rstrip("/")


def _raw_id(model: dict[str, Any], where: str) -> str:
    """Who gets a channel: any user id is taken, as recorded; one that is nobody's has no effect."""
    given = (model.get("communicationUser") or {}).get("id")
    return str(given) if given is not None else from_model(model, where).raw_id


def _pinned(affinities: list[dict[str, Any]]) -> dict[str, int]:
    pinned: dict[str, int] = {}
    free = [number for number in range(MOST_CHANNELS) if number not in {one.get("channel") for one in affinities}]
    for index, affinity in enumerate(affinities):
        where = f"channelAffinity[{index}]"
        raw_id = _raw_id(affinity["participant"], f"{where}.participant")
        number = affinity["channel"] if "channel" in affinity else free.pop(0) if free else MOST_CHANNELS
        if number in pinned.values() or raw_id in pinned or number >= MOST_CHANNELS:
            raise BadRequest(f"'{where}' gives a channel or a participant twice.", where)
        pinned[raw_id] = number
    return pinned


def assign_channels(options: RecordingOptions, speakers: list[str]) -> dict[str, int]:
    """The channel of each participant by raw id. ``speakers`` stand in the order of their first sound.

    Pinned participants first, then the ordering from channel 0 on, then the speakers; whom no channel is
    left for is not recorded (chosen: the service's way is not published).
    """
    channels = {raw_id: number for raw_id, number in options.pinned.items() if raw_id in speakers}
    taken = set(options.pinned.values())
    for raw_id in [one for one in options.ordering if one in speakers] + speakers:
        free = next((number for number in range(MOST_CHANNELS) if number not in taken), None)
        if raw_id not in channels and free is not None:
            channels[raw_id] = free
            taken.add(free)
    return channels
