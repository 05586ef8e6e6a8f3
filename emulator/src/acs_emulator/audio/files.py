"""Reading prompt files: WAV as the service wants it, and MP3."""

from __future__ import annotations

import struct

from acs_emulator.audio.clip import SAMPLE_BYTES, SAMPLE_RATE, Clip

_NEEDED = "needed is WAV 16-bit PCM mono 16000 Hz, or MP3"
_PCM = 0x0001
_EXTENSIBLE = 0xFFFE  # the real format tag is then the first field of the sub-format
_FORMATS = {0x0003: "floating point", 0x0006: "A-law", 0x0007: "mu-law", 0x0055: "MP3 in WAV"}
_UNKNOWN_LENGTH = 0xFFFFFFFF  # what writers that stream put where the length belongs

# In seconds: a bound on memory, as an MP3 of silence can hold days in a few megabytes.
MAX_SECONDS = 3600


class WrongFormat(Exception):
    """The message says what was found and what is needed."""


def decode(body: bytes) -> Clip:
    """The sound in a prompt file, told by its content: servers often call everything octet-stream.

    Raises WrongFormat.
    """
    if body[:4] == b"RIFF" and body[8:12] == b"WAVE":
        return _decode_wav(body)
    if _is_mp3(body):
        return _decode_mp3(body)
    raise WrongFormat(f"it is {_describe(body)}; {_NEEDED}")


def _is_mp3(body: bytes) -> bool:
    if body[:3] == b"ID3":
        return True
    # A frame header: eleven bits of one, then a version that is not reserved, then layer III.
    return len(body) > 4 and body[0] == 0xFF and body[1] & 0xE6 == 0xE2 and body[1] & 0x18 != 0x08


def _describe(body: bytes) -> str:
    start = body[:512].lstrip().lower()
    if not body:
        return "an empty file"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith((b"<?xml", b"{", b"[")):
        return "XML or JSON text"
    if body[:4] == b"OggS":
        return "an Ogg file"
    if body[:4] == b"fLaC":
        return "a FLAC file"
    if body[4:8] == b"ftyp":
        return "an MP4 file"
    return "neither WAV nor MP3"


def _decode_wav(body: bytes) -> Clip:
    correct = False
    position = 12
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        start = position + 8
        if name == b"fmt ":
            _check_format(body[start : start + size])
            correct = True
        elif name == b"data" and correct:
            return _wav_samples(body, start, size)
        position = start + size + size % 2
    raise WrongFormat(f"it is a WAV file without a {'data' if correct else 'fmt'} part; {_NEEDED}")


def _check_format(chunk: bytes) -> None:
    if len(chunk) < 16:
        raise WrongFormat(f"it is a WAV file with a damaged fmt part; {_NEEDED}")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = struct.unpack_from("<H", chunk, 24)[0]
    if (tag, channels, rate, bits) == (_PCM, 1, SAMPLE_RATE, SAMPLE_BYTES * 8):
        return
    kind = "PCM" if tag == _PCM else _FORMATS.get(tag, f"format {tag:#06x}")
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    raise WrongFormat(f"it is WAV {bits}-bit {kind} {layout} {rate} Hz; {_NEEDED}")


def _wav_samples(body: bytes, start: int, size: int) -> Clip:
    there = len(body) - start
    if size == _UNKNOWN_LENGTH:
        size = there
    elif size > there:
        raise WrongFormat(f"it is a WAV file cut short: {there} of {size} bytes of sound are there")
    size -= size % SAMPLE_BYTES
    if size == 0:
        raise WrongFormat("it is a WAV file without any sound")
    return Clip(body[start : start + size])


def _decode_mp3(body: bytes) -> Clip:
    import miniaudio

    try:
        seconds = miniaudio.mp3_get_info(body).duration
        if seconds > MAX_SECONDS:
            raise WrongFormat(f"it is an MP3 of {seconds:.0f} seconds; at most {MAX_SECONDS} are accepted")
        sound = miniaudio.decode(
            body, output_format=miniaudio.SampleFormat.SIGNED16, nchannels=1, sample_rate=SAMPLE_RATE
        )
    except miniaudio.MiniaudioError as error:
        raise WrongFormat(f"it begins like an MP3 and can not be decoded ({error}); {_NEEDED}") from error
    if not sound.samples:
        raise WrongFormat("it is an MP3 file without any sound")
    return Clip(sound.samples.tobytes())
