"""Media streaming: the sound of the call as frames, and sound back."""

from __future__ import annotations

from typing import Any

from acs_emulator.audio.clip import SAMPLE_RATE
from acs_emulator.audio.mixing import Resampler, mix
from acs_emulator.audio.track import Track
from acs_emulator.calls.call import Leg
from acs_emulator.core import outcomes
from acs_emulator.core.clock import utc_now
from acs_emulator.streaming.frames import FRAME_SECONDS, RATES, AudioFrames, FrameClock, audio_metadata, dtmf_data
from acs_emulator.streaming.playback import Playback
from acs_emulator.streaming.socket import ServiceSocket
from acs_emulator.streaming.subscription import Subscription
from acs_emulator.streaming.ticker import Ticker

#: Participants that an unmixed stream carries at once (docs: audio streaming concept, dominant speakers).
DOMINANT_SPEAKERS = 4
_STEP = round(SAMPLE_RATE * FRAME_SECONDS)


class AudioStreaming(Subscription):
    """MediaStreamingStarted, frames, MediaStreamingStopped."""

    name = "MediaStreaming"
    status = "mediaStreaming"
    unconnected = "initialWebSocketConnectionFailed"
    interrupted = outcomes.STREAM_FAILED

    def __init__(self, leg: Leg, options: dict[str, Any], subscription_id: str, ticker: Ticker) -> None:
        starts = bool(options.get("startMediaStreaming", False))
        super().__init__(leg, options["transportUrl"], subscription_id, starts=starts)
        self._ticker = ticker
        self._unmixed = options["audioChannelType"] == "unmixed"
        self._tones = bool(options.get("enableDtmfTones", False))
        self._rate = RATES[options.get("audioFormat") or "pcm16KMono"]
        self._frames = AudioFrames(self._rate)
        self._playback = Playback(leg, self._rate) if options.get("enableBidirectional") else None
        self._voices: dict[str | None, _Voice] = {}
        self._position = 0
        self._clock = FrameClock(utc_now(), 0, SAMPLE_RATE)

    @staticmethod
    def update(status: str, details: str) -> dict[str, Any]:
        return {
            "mediaStreamingUpdate": {
                "contentType": "Audio",
                "mediaStreamingStatus": status,
                "mediaStreamingStatusDetails": details,
            }
        }

    def opened(self, socket: ServiceSocket) -> None:
        self._position = self.leg.service.clock.samples()
        self._clock = FrameClock(utc_now(), self._position, SAMPLE_RATE)
        self._voices.clear()
        socket.send(audio_metadata(self.id, self._rate))
        self._ticker.add(self)

    def closed(self) -> None:
        self._ticker.remove(self)
        if self._playback is not None:
            self._playback.stop()

    def received(self, text: str) -> None:
        if self._playback is not None:
            self._playback.receive(text)

    def key_pressed(self, raw_id: str, key: str) -> None:
        if self._tones and self._socket is not None:
            self._socket.send(dtmf_data(key))

    def pump(self, now: int) -> None:
        """Send every frame that has ended by now."""
        while self._socket is not None and self._position + _STEP <= now:
            timestamp = self._clock.text(self._position)
            for raw_id, tracks in self._heard():
                voice = self._voices.get(raw_id)
                if voice is None:
                    voice = self._voices[raw_id] = _Voice(self._frames.head(raw_id), self._rate)
                pcm = voice.pcm(mix(tracks, self._position, self._position + _STEP, self.leg.identity.raw_id))
                self._socket.send(self._frames.text(timestamp, voice.head, pcm))
            self._position += _STEP

    def _heard(self) -> list[tuple[str | None, list[Track]]]:
        """Whose frames are sent. The leg's own sound is left out: chosen, or a bot would answer itself."""
        leg, call = self.leg, self.leg.call
        if not self._unmixed:
            return [(None, call.tracks(besides=leg))]
        others: list[tuple[str | None, list[Track]]] = [
            (one.identifier.raw_id, [one.endpoint.track]) for one in call.participants if one.endpoint is not leg
        ]
        if len(others) <= DOMINANT_SPEAKERS:
            return others
        for raw_id, tracks in others:
            if mix(tracks, self._position, self._position + _STEP, leg.identity.raw_id) is not None:
                voice = self._voices.setdefault(raw_id, _Voice(self._frames.head(raw_id), self._rate))
                voice.last_heard = self._position
        others.sort(key=lambda one: -self._voices[one[0]].last_heard if one[0] in self._voices else 0)
        return others[:DOMINANT_SPEAKERS]

    def state_wire(self) -> dict[str, Any]:
        """Counts for the control API: texts sent, and lost because the peer was too slow."""
        output = self._socket
        return {
            "state": self.state,
            "sent": output.sent if output else 0,
            "lost": output.lost if output else 0,
            "unreadable": self._playback.unreadable if self._playback else 0,
        }


class _Voice:
    """What an output stream remembers of one source."""

    def __init__(self, head: str, rate: int) -> None:
        self.head = head
        self.last_heard = 0
        self._resampler = None if rate == SAMPLE_RATE else Resampler(rate // 8000, SAMPLE_RATE // 8000)
        self._fading = False

    def pcm(self, sound: bytes | None) -> bytes | None:
        """The sound at the rate of the stream; the filter's echo of the last sound still counts as sound."""
        if self._resampler is None:
            return sound
        if sound is None and not self._fading:
            return None
        self._fading = sound is not None
        return self._resampler.feed(sound if sound is not None else bytes(2 * _STEP))
