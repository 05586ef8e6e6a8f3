"""The emulated resource as a whole: everything that lives as long as the emulator runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from acs_emulator.calls.call import Call
from acs_emulator.calls.registry import Registry
from acs_emulator.calls.resource import Resource
from acs_emulator.core.certificate import CertificateFiles
from acs_emulator.core.config import Config
from acs_emulator.core.event_grid_target import EventGridTarget
from acs_emulator.core.tasks import Tasks
from acs_emulator.events.eventgrid import Subscription
from acs_emulator.events.topic import Topic
from acs_emulator.recording.recordings import Recordings
from acs_emulator.service.connection import Connection
from acs_emulator.streaming.ticker import Ticker
from acs_emulator.transcription.voiceprints import Voiceprints


def _local(scheme: str, host: str, port: int) -> str:
    """An address that can be connected to: one to listen on may stand for all of a machine."""
    reached = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{reached}]' if ':' in reached else reached}:{port}"


class Emulator(Resource):
    """Make it inside a running event loop; ``close`` it there."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        #: Where it listens, as its own machine reaches it; without https the second is empty.
        self.local_origin = _local("http", config.host, config.port)
        self.secure_origin = ""
        #: Host and port of each address under which it is known.
        self.authorities: list[str] = []
        #: The certificate of https.
        self.certificate: CertificateFiles | None = None
        self._handshakes = Tasks()
        self.registry = Registry(self)
        self.topic = Topic(self.event_grid, self.problems)
        self.ticker = Ticker(self.clock, self.tasks)
        self.voiceprints = Voiceprints()
        self.recordings = Recordings(self, lambda: self.recording_origin, self.voiceprints.add)
        self.users: set[str] = set()
        #: Called at a reset by those who keep something of requests.
        self.on_reset: list[Callable[[], None]] = []

    def load(self) -> None:
        """Take over what an emulator before this one has kept in the folder of --location, and keep it there.

        Raises OSError and ConfigError when something there cannot be used.
        """
        if self.config.location:
            folder = Path(self.config.location)
            self.topic = Topic(self.event_grid, self.problems, folder / "topic.jsonl")
            self.recordings = Recordings(
                self, lambda: self.recording_origin, self.voiceprints.add, folder / "recordings"
            )

    @property
    def origin(self) -> str:
        """Scheme and authority of the addresses that are handed out."""
        return self.config.public_url or self.local_origin

    @property
    def recording_origin(self) -> str:
        """Scheme and authority of recording locations."""
        return self.config.recording_host.rstrip("/") or self.origin

    @property
    def connection_string(self) -> str:
        """What an app is configured with."""
        endpoint = self.config.public_url or self.secure_origin or self.local_origin
        return f"endpoint={endpoint}/;accesskey={self.config.access_key}"

    def listening_on(self, port: int, https_port: int | None) -> None:
        """Called once the sockets are bound: now the subscriptions can be made."""
        self.local_origin = _local("http", self.config.host, port)
        if https_port is not None:
            self.secure_origin = _local("https", self.config.host, https_port)
        origins = (self.local_origin, self.secure_origin, self.config.public_url)
        self.authorities = [origin.partition("//")[2] for origin in origins if origin]
        for target in self.config.event_grid:
            self.subscribe(target)

    def subscribe(self, target: EventGridTarget) -> Subscription:
        """One more Event Grid subscription; like those of the start it stays over a reset."""
        return self.event_grid.subscribe(target, self.origin, self._handshakes)

    def leg(self, call_connection_id: str) -> Connection | None:
        """The app leg of a call that has not ended."""
        leg = self.registry.legs.get(call_connection_id)
        return leg if isinstance(leg, Connection) else None

    async def reset(self) -> None:
        """Back to the start: no calls, phones, faults or logs; subscriptions and keys stay."""
        await self.tasks.cancel_all()
        for forget in (
            self.registry.clear,
            self.ticker.clear,
            self.recordings.clear,
            self.voiceprints.clear,
            self.phones.clear,
            self.faults.rules.clear,
            self.log.clear,
            self.topic.clear,
            self.timeline.clear,
            self.problems.clear,
            self.users.clear,
            self.tasks.crashes.clear,
            *self.on_reset,
        ):
            forget()

    async def close(self) -> None:
        await self._handshakes.cancel_all()
        await self.tasks.cancel_all()
        await self.session.close()
        await self.studio.close()
        self.recordings.close()

    def state(self) -> dict[str, Any]:
        """What GET /emulator/state shows."""
        invitations = self.registry.invitations.values()
        return {
            "calls": [self._call_state(call) for call in self.registry.calls.values()],
            "endedCalls": self.registry.ended_calls,
            "incomingCalls": [{"call": i.call.id, "from": i.caller.raw_id, "to": i.callee.raw_id} for i in invitations],
            "phones": self.phones.state(),
            "numbers": self.registry.outbound.wire(),
            "ownedNumbers": self.phones.own.all(),
            "subscriptions": [subscription.state() for subscription in self.event_grid.subscriptions],
        }

    def _call_state(self, call: Call) -> dict[str, Any]:
        return {
            "id": call.id,
            "state": call.state,
            "serverCallId": call.server_call_id,
            "correlationId": call.correlation_id,
            "participants": [participant.wire() for participant in call.participants],
            "legs": [leg.describe() for leg in call.legs if isinstance(leg, Connection)],
            "phones": [line.state() for line in call.lines],
            "recordings": [recording.wire() for recording in self.recordings.of(call)],
        }
