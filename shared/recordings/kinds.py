"""What a file is, by its first bytes: what the service says of it may be missing or wrong."""

from __future__ import annotations

CONTENT_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "bin": "application/octet-stream",
}
"""Of each kind; `bin` is what is none of the others."""
HEAD = 12
"""Bytes by which a file shows its kind."""


def kind_of(head: bytes) -> str:
    """The kind of a file that begins like this, which is its name's ending in the archive."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mp4"
    # A frame of MPEG audio: eleven bits set, and a layer (ISO/IEC 11172-3, 2.4.1.3).
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06):
        return "mp3"
    return "bin"
