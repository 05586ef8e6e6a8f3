"""The emulated resource: everything that lives as long as the emulator runs."""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp

from acs_emulator.audio import Studio
from acs_emulator.clock import Clock
from acs_emulator.config import Config
from acs_emulator.events.callbacks import CallbackSender
from acs_emulator.events.eventgrid import EventGrid
from acs_emulator.events.faults import Faults
from acs_emulator.events.log import Log
from acs_emulator.events.topic import Topic
from acs_emulator.ids import Ids
from acs_emulator.lifecycle import Lifecycle
from acs_emulator.phones.book import PhoneBook
from acs_emulator.recognition.voiceprints import Voiceprints
from acs_emulator.recording.archive import Archive
from acs_emulator.streaming.ticker import Ticker
from acs_emulator.tasks import Tasks
from acs_emulator.timeline import Timeline
from acs_emulator.tokens import TokenSigner
from acs_emulator.web.repeat import Repeats

if TYPE_CHECKING:
    from acs_emulator.calls import Call
    from acs_emulator.legs import Leg
    from acs_emulator.recording.session import Recording
    from acs_emulator.ringing import Invitation

#: Ended recordings that the control API can still describe.
_FINISHED = 200
#: Connections that may be open to applications at once.
_POOL = 1000


class Emulator:
    """State and collaborators. Make it inside a running event loop; ``close`` it there."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.seed = secrets.randbits(32) if config.seed is None else config.seed
        self.origin = f"http://{config.host}:{config.port}"
        self.clock = Clock(config.speed)
        self.ids = Ids(self.seed, config.resource_id)
        self.signer = TokenSigner(config.resource_id, self.ids.guid())
        self.log = Log()
        self.timeline = Timeline()
        self.faults = Faults(self.seed)
        self.phones = PhoneBook()
        self.repeats = Repeats()
        self.studio = Studio()
        self.tasks = Tasks()
        self._handshakes = Tasks()
        connector = aiohttp.TCPConnector(limit=_POOL, keepalive_timeout=30)
        self.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self.callbacks = CallbackSender(self.session, self.signer, self.clock, self.log, self.faults, self.tasks)
        self.event_grid = EventGrid(self.session, self.ids, self.clock, self.log, self.faults, self.tasks)
        self.topic = Topic(self.event_grid)
        self.lifecycle = Lifecycle(self.event_grid)
        self.ticker = Ticker(self.clock, self.tasks)
        self.archive = Archive(self.clock)
        self.voiceprints = Voiceprints()
        #: Recordings that go on, by id, and the last of those that have ended.
        self.recordings: dict[str, Recording] = {}
        self.finished: deque[Recording] = deque(maxlen=_FINISHED)
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, Leg] = {}
        self.ended_calls = 0
        self.invitations: dict[str, Invitation] = {}
        self.users: set[str] = set()

    @property
    def recording_origin(self) -> str:
        """Scheme and authority of recording locations."""
        return self.config.recording_host.rstrip("/") or self.origin

    def listening_on(self, host: str, port: int) -> None:
        """Called once the socket is bound: now the subscriptions can be made."""
        self.origin = f"http://{host}:{port}"
        for target in self.config.event_grid:
            self.event_grid.subscribe(target, self.origin, self._handshakes)

    def leg(self, call_connection_id: str) -> Leg | None:
        """The app leg of a call that has not ended."""
        return self.legs.get(call_connection_id)

    def forget(self, call: Call) -> None:
        """An ended call is no longer found."""
        self.calls.pop(call.id, None)
        self.ended_calls += 1
        for leg in call.legs:
            self.legs.pop(leg.id, None)

    async def reset(self) -> None:
        """Back to the start: no calls, phones, faults or logs; subscriptions and keys stay."""
        await self.tasks.cancel_all()
        self.calls.clear()
        self.legs.clear()
        self.ended_calls = 0
        self.ticker.clear()
        self.recordings.clear()
        self.finished.clear()
        self.archive.clear()
        self.voiceprints.clear()
        self.invitations.clear()
        self.phones.clear()
        self.faults.rules.clear()
        self.repeats.clear()
        self.log.clear()
        self.topic.clear()
        self.timeline.clear()
        self.tasks.crashes.clear()

    async def close(self) -> None:
        await self._handshakes.cancel_all()
        await self.tasks.cancel_all()
        await self.session.close()
        await self.studio.close()
        self.archive.clear()

    def state(self) -> dict[str, Any]:
        """What GET /emulator/state shows."""
        return {
            "calls": [_call_state(call) for call in self.calls.values()],
            "endedCalls": self.ended_calls,
            "incomingCalls": [
                {"call": i.call.id, "from": i.caller.raw_id, "to": i.callee.raw_id} for i in self.invitations.values()
            ],
            "phones": self.phones.state(),
            "ownedNumbers": sorted(self.phones.owned),
            "subscriptions": [subscription.state() for subscription in self.event_grid.subscriptions],
        }


def _call_state(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "state": call.state,
        "serverCallId": call.server_call_id,
        "correlationId": call.correlation_id,
        "participants": [participant.wire() for participant in call.participants],
        "legs": [
            {
                "callConnectionId": leg.id,
                "callConnectionState": leg.state,
                "callbackUri": leg.callback_uri,
                "media": leg.media.state(),
                "mediaStreaming": leg.streaming.state_wire() if leg.streaming else {"state": "disabled"},
                "transcription": leg.transcription.state if leg.transcription else "disabled",
            }
            for leg in call.legs
        ],
        "phones": [line.state() for line in call.lines],
        "recordings": [recording.wire() for recording in call.recordings],
    }
