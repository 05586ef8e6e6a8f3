"""The signed addresses of this service. The gateway hands out the first two, the operator uses the third."""

from __future__ import annotations

from typing import Literal

from shared.security import CallbackUrls

AUDIO, TRANSCRIPT = "audio", "transcript"
PLAY = "audio-play"
"""Signs both requests that send sound. Not `play`: that is a family of callbacks, whose URLs the service knows."""

Kind = Literal["audio", "transcript", "audio-play"]


class StreamUrls(CallbackUrls):
    """Makes and checks `{base}/streams/{call_id}/{kind}?sig=...`."""

    def __init__(self, base_url: str, signing_key: bytes | str, previous_key: bytes | str = b"") -> None:
        super().__init__(base_url, signing_key, "/streams", previous_key=previous_key)
