"""What an address of this service is for: the second half of what its signature covers."""

from __future__ import annotations

from typing import Final, Literal

AUDIO: Final = "audio"
TRANSCRIPT: Final = "transcript"
"""The sockets. The gateway puts their addresses into the requests that set a call up."""

PLAY: Final = "audio-play"
"""Both requests that play audio. Not `play`: that is a family of callbacks, whose URLs the service knows."""

Kind = Literal["audio", "transcript", "audio-play"]
