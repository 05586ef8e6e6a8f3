"""WAV as it comes from the network: bytes of any block size in, samples out.

Read are RIFF, RF64 and BW64 (EBU Tech 3306) with PCM in 8, 16, 24 or 32 bits and one to five channels, plain or
WAVE_FORMAT_EXTENSIBLE, at 8,000 or 16,000 Hz. Recordings of Azure Communication Services are 16 bits at 16,000 Hz.
Other sample rates are refused and not converted: speech detection knows these two alone, no recording of the service
has another one, and a wrong rate in a header would shift every time in the report.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import UnreadableAudio

Samples = NDArray[np.int16] | NDArray[np.int32]

SAMPLE_RATES = (8_000, 16_000)
MAX_CHANNELS = 5
"""Channels of an unmixed recording ("Azure Communication Services Call Recording overview")."""

_PCM, _FLOAT, _A_LAW, _MU_LAW, _MP3, _EXTENSIBLE = 0x0001, 0x0003, 0x0006, 0x0007, 0x0055, 0xFFFE
_NAMES = {_FLOAT: "floating point", _A_LAW: "A-law", _MU_LAW: "mu-law", _MP3: "MP3"}
# The last 14 bytes of the GUID of every WAVE_FORMAT_EXTENSIBLE subformat that is a format tag in disguise.
_TAG_GUID = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN = 0xFFFFFFFF
_HEAD = struct.Struct("<4sI")
_FMT = struct.Struct("<HHIIHH")
_FMT_KEPT = 40
_DS64_KEPT = 16


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What stands before the samples.

    Attributes:
        bits: of one sample.
        block_align: bytes of one sample of every channel.
        data_bytes: how many bytes of samples are promised; None: unknown, they go on to the end of the file.
        data_offset: bytes before the first sample.
    """

    sample_rate: int
    channels: int
    bits: int
    block_align: int
    data_bytes: int | None
    data_offset: int

    @property
    def full_scale(self) -> int:
        """What a sample is divided by to lie between -1 and 1."""
        return 1 << (self.bits - 1)


class WavStream:
    """Reads one WAV file, front to back. Memory does not grow with the file.

    Attributes:
        header: None until it has come whole.
    """

    def __init__(self) -> None:
        self.header: WavHeader | None = None
        self._bytes = 0
        self._pending = b""  # the start of something that has not come whole
        self._skip = 0
        self._fmt: tuple[int, int, int, int] | None = None
        self._is_64 = False
        self._data_bytes_64: int | None = None
        self._riff_read = False
        self._data_read = 0

    def feed(self, block: bytes) -> Samples:
        """The samples that are whole now, as (time, channel), maybe none; zero is silence, see `full_scale`.

        Raises UnreadableAudio as soon as it shows that the file cannot be read.
        """
        self._bytes += len(block)
        if self.header is None:
            block = self._read_header(block)
            if self.header is None:
                return np.empty((0, 1), np.int16)
        return self._samples(self.header, block)

    def finish(self) -> WavHeader:
        """The file has ended. Raises UnreadableAudio if it did so before the samples began; see also `missing`."""
        if self._bytes == 0:
            raise UnreadableAudio("file", "the file has 0 bytes")
        header = self.header
        if header is None:
            raise UnreadableAudio("header", f"the file ends after {self._bytes} bytes, before the samples")
        return header

    @property
    def missing(self) -> int:
        """Bytes of samples that the header promises and that have not come."""
        promised = self.header.data_bytes if self.header else None
        return max(0, (promised or 0) - self._data_read)

    def _samples(self, header: WavHeader, block: bytes) -> Samples:
        if header.data_bytes is not None:
            left = header.data_bytes - self._data_read
            block = block if len(block) <= left else block[:left]  # what follows the samples is of no interest
        self._data_read += len(block)
        if self._pending:
            block = self._pending + block
        whole = len(block) - len(block) % header.block_align
        self._pending = bytes(block[whole:])
        return _decoded(memoryview(block)[:whole], header.bits).reshape(-1, header.channels)

    # The header

    def _read_header(self, block: bytes) -> bytes:
        """Read on; what is left is samples, once `header` is there."""
        data = self._pending + block
        at = 0
        if not self._riff_read:
            _refuse_what_is_no_wav(data)
            if len(data) < 12:
                self._pending = data
                return b""
            self._is_64 = data[:4] != b"RIFF"
            self._riff_read = True
            at = 12
        while True:
            skipped = min(self._skip, len(data) - at)
            self._skip -= skipped
            at += skipped
            if self._skip or len(data) - at < _HEAD.size:
                break
            name, size = _HEAD.unpack_from(data, at)
            if name == b"data":
                at += _HEAD.size
                self._begin_data(size, self._bytes - len(data) + at)
                self._pending = b""
                return data[at:]
            kept = {b"fmt ": _FMT_KEPT, b"ds64": _DS64_KEPT}.get(name, 0)
            kept = min(kept, size)
            if len(data) - at - _HEAD.size < kept:
                break
            body = data[at + _HEAD.size : at + _HEAD.size + kept]
            if name == b"fmt ":
                self._fmt = _format(body)
            elif name == b"ds64" and self._is_64:
                self._data_bytes_64 = _data_bytes_64(body)
            at += _HEAD.size
            self._skip = size + size % 2  # chunks are padded to an even length
        self._pending = data[at:]
        return b""

    def _begin_data(self, size: int, offset: int) -> None:
        if self._fmt is None:
            raise UnreadableAudio("fmt ", "the samples come before their format")
        sample_rate, channels, bits, block_align = self._fmt
        known: int | None = size
        if size == _UNKNOWN and self._is_64:
            known = self._data_bytes_64
        elif size in (0, _UNKNOWN):
            known = None
        self.header = WavHeader(sample_rate, channels, bits, block_align, known or None, offset)


def _refuse_what_is_no_wav(data: bytes) -> None:
    if len(data) >= 4 and data[:4] not in (b"RIFF", b"RF64", b"BW64"):
        if data[:3] == b"ID3" or (data[0] == 0xFF and data[1] & 0xE0 == 0xE0):
            raise UnreadableAudio("RIFF", "the file is MP3; only WAV can be analysed")
        raise UnreadableAudio("RIFF", f"the file begins with {data[:4].hex(' ')}, which is not WAV")
    if len(data) >= 12 and data[8:12] != b"WAVE":
        raise UnreadableAudio("WAVE", f"the file is RIFF, but says {data[8:12].hex(' ')} instead of WAVE")


def _format(body: bytes) -> tuple[int, int, int, int]:
    """Sample rate, channels, bits and block align."""
    if len(body) < _FMT.size:
        raise UnreadableAudio("fmt ", f"{len(body)} bytes long, at least {_FMT.size} are needed")
    tag, channels, sample_rate, _, block_align, bits = _FMT.unpack_from(body)
    if tag == _EXTENSIBLE:
        if len(body) < _FMT_KEPT:
            raise UnreadableAudio("fmt .sub_format", "WAVE_FORMAT_EXTENSIBLE without a subformat")
        tag = struct.unpack_from("<H", body, 24)[0] if body[26:40] == _TAG_GUID else tag
    if tag != _PCM:
        name = _NAMES.get(tag, "unknown")
        raise UnreadableAudio("fmt .format_tag", f"{tag:#06x} ({name}); only PCM (0x0001) can be read")
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnreadableAudio("fmt .channels", f"{channels}; 1 to {MAX_CHANNELS} can be read")
    if bits not in (8, 16, 24, 32):
        raise UnreadableAudio("fmt .bits_per_sample", f"{bits}; 8, 16, 24 and 32 can be read")
    if block_align != channels * bits // 8:
        raise UnreadableAudio("fmt .block_align", f"{block_align}, but {channels} × {bits} bits do not match")
    if sample_rate not in SAMPLE_RATES:
        raise UnreadableAudio("fmt .sample_rate", f"{sample_rate} Hz; 8000 and 16000 can be read")
    return sample_rate, channels, bits, block_align


def _data_bytes_64(body: bytes) -> int:
    if len(body) < _DS64_KEPT:
        raise UnreadableAudio("ds64", f"{len(body)} bytes long, at least {_DS64_KEPT} are needed")
    return int(struct.unpack_from("<Q", body, 8)[0])


def _decoded(data: memoryview, bits: int) -> Samples:
    if bits == 8:  # the only one without a sign
        return np.frombuffer(data, np.uint8).astype(np.int16) - np.int16(128)
    if bits == 16:
        return np.frombuffer(data, "<i2")
    if bits == 32:
        return np.frombuffer(data, "<i4")
    # Three bytes into the upper three of four, then down again with the sign.
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4").reshape(-1) >> 8
