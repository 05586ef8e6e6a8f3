"""What the calls of the emulated resource share: clock, ids, background tasks, voices, and the ways to the app."""

from __future__ import annotations

import secrets

import aiohttp

from acs_emulator.audio import Studio, recogniser
from acs_emulator.core.clock import Clock
from acs_emulator.core.config import Config
from acs_emulator.core.ids import Ids
from acs_emulator.core.problems import Problems
from acs_emulator.core.tasks import Tasks
from acs_emulator.core.timeline import Timeline
from acs_emulator.core.tokens import TokenSigner
from acs_emulator.events.callbacks import CallbackSender
from acs_emulator.events.eventgrid import EventGrid
from acs_emulator.events.faults import Faults
from acs_emulator.events.log import Log
from acs_emulator.events.remedies import DeliveryProblems
from acs_emulator.phones.book import PhoneBook

#: Connections that may be open to applications at once.
_POOL = 1000


class Resource:
    """Make it inside a running event loop."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.seed = secrets.randbits(32) if config.seed is None else config.seed
        self.clock = Clock(config.speed)
        self.ids = Ids(self.seed, config.resource_id)
        self.signer = TokenSigner(config.resource_id, self.ids.guid())
        self.problems = Problems()
        self.log = Log()
        self.log.observers.append(DeliveryProblems(self.problems))
        self.timeline = Timeline()
        self.faults = Faults(self.seed)
        self.phones = PhoneBook(config.numbers)
        self.studio = Studio()
        self.recogniser = recogniser()
        self.tasks = Tasks()
        connector = aiohttp.TCPConnector(limit=_POOL, keepalive_timeout=30)
        self.session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self.callbacks = CallbackSender(self.session, self.signer, self.clock, self.log, self.faults, self.tasks)
        self.event_grid = EventGrid(self.session, self.ids, self.clock, self.log, self.faults, self.tasks)
