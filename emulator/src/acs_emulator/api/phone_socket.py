"""The web socket of the phone in the browser: one a tab, and a tab is a person.

Texts are JSON objects. The page asks with ``do``: be, dial, answer, decline, hangUp, press, say, microphoneOff, fault,
speed. It is told with ``tell``: phone (everything that it shows of itself), news (what has happened), cleared (the
emulator was reset), refused (why not). Binary messages are frames of 20 ms, 16-bit PCM mono at 16,000 Hz: the
microphone's, and what is heard. Of silence nothing is sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from acs_emulator.api.fault_switches import FaultSwitches
from acs_emulator.api.outbox import Outbox
from acs_emulator.audio.mixing import mix
from acs_emulator.calls.place_call import place_from_person
from acs_emulator.core.errors import BadRequest, ServiceError
from acs_emulator.core.identifiers import Identifier, anonymous, from_text, phone
from acs_emulator.core.tasks import Tasks
from acs_emulator.phones.live import Person
from acs_emulator.phones.microphone import FRAME_SAMPLES
from acs_emulator.phones.script import check_keys
from acs_emulator.service.emulator import Emulator
from acs_emulator.service.feed import Feed
from acs_emulator.service.phone_view import heard_by, view

PATH = "/emulator/phone"
#: Wall-clock seconds between two looks at what is new.
LOOK = 0.1
#: Samples by which what is heard lags behind: frames of other microphones that are late are heard as well. Chosen.
LAG = 3 * FRAME_SAMPLES
#: The numbers that tabs are given, one after the other.
NUMBERS = tuple(f"+1425555{number:04d}" for number in range(123, 200))
ROLES = ("number", "withheld", "mailbox")
_ALL_TAKEN = f"Other tabs have all numbers from {NUMBERS[0]} to {NUMBERS[-1]}: choose another number to be called."
#: Longest text from a page, and longest thing that is said, in characters. Chosen.
_LONGEST_MESSAGE, _LONGEST_SAYING = 16_384, 1_000
_SPEEDS = (0.1, 100.0)


class PhoneSockets:
    """All open tabs of one emulator."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._switches = FaultSwitches(service.faults)
        self._tabs: dict[web.WebSocketResponse, Session] = {}
        # A reset ends what the emulator does; the tabs stay. What fails is told in the same place.
        self._tasks = Tasks()
        self._tasks.crashes = service.tasks.crashes
        service.on_reset.append(self._reset)

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.connect)]

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one tab until it is closed; its call ends with it."""
        refuse_other_origins(request)
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=_LONGEST_MESSAGE, compress=False)
        await socket.prepare(request)
        assert request.transport is not None
        outbox = Outbox(socket, request.transport.abort)
        session = Session(self._service, socket, outbox, self._switches, self._tasks)
        self._tabs[socket] = session
        try:
            await session.run(request.query.get("as", ""), request.query.get("role", "number"))
        finally:
            del self._tabs[socket]
        return socket

    def _reset(self) -> None:
        for session in self._tabs.values():
            session.reset()

    async def close(self, app: web.Application) -> None:
        """The emulator ends: tell every tab."""
        for socket in list(self._tabs):
            await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)


def refuse_other_origins(request: web.Request) -> None:
    """Raise ServiceError for a socket that the page of another origin opens: it could listen in, and speak.

    A browser sends ``Origin`` with every web socket, and no page can change it; programs send none.
    """
    for origin in request.headers.getall("Origin", ()):
        if urlsplit(origin).netloc.lower() != request.host.lower():
            raise ServiceError(403, "Forbidden", "The phone's socket is for the emulator's own page.")


class Session:
    """One tab."""

    def __init__(
        self,
        service: Emulator,
        socket: web.WebSocketResponse,
        outbox: Outbox,
        switches: FaultSwitches,
        tasks: Tasks,
    ) -> None:
        self._service = service
        self._tasks = tasks
        self._socket = socket
        self._switches = switches
        self._feed = Feed(service)
        self._outbox = outbox
        self._changed = asyncio.Event()
        self._person = Person(anonymous(), self._changed.set, withheld=True)
        self._shown = ""
        self._position = service.clock.samples()
        self._acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "be": self._be,
            "dial": self._dial,
            "answer": lambda message: self._person.answer(),
            "decline": lambda message: self._person.decline(),
            "hangUp": lambda message: self._hang_up(),
            "press": self._press,
            "say": self._say,
            "microphoneOff": lambda message: self._microphone_off(),
            "fault": self._fault,
            "speed": self._speed,
        }

    async def run(self, wanted: str, role: str) -> None:
        service = self._service
        for number, part in dict.fromkeys(((wanted, role), ("", "number"), ("", "withheld"))):
            try:
                self._become(number, part)
                break
            except ServiceError as error:
                self._refuse(error.message)
        service.ticker.add(self)
        helpers = [
            self._tasks.start(self._outbox.run(), "phone in the browser: sending"),
            self._tasks.start(self._watch(), "phone in the browser: news"),
        ]
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._hear(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            service.ticker.remove(self)
            self._hang_up()
            self._leave()
            for helper in helpers:
                helper.cancel()

    def reset(self) -> None:
        """Everything was forgotten: go on with nothing."""
        self._feed = Feed(self._service)
        self._service.ticker.add(self)
        self._outbox.text({"tell": "cleared"})

    # -- what the page is told ---------------------------------------------------------------------

    async def _watch(self) -> None:
        """Tell what is new, at once when the phone itself changes."""
        while True:
            shown = json.dumps(view(self._service, self._person) | {"faults": self._switches.wire()})
            if shown != self._shown:
                self._shown = shown
                self._outbox.text({"tell": "phone", "now": self._service.clock.monotonic_ms(), **json.loads(shown)})
            if news := self._feed.news():
                self._outbox.text({"tell": "news", "news": news})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK)
            self._changed.clear()

    def pump(self, now: int) -> None:
        """Send what is heard up to a position; there is no sound at another speed than 1."""
        end = now - LAG
        if end - self._position > FRAME_SAMPLES * 50:
            self._position = end - FRAME_SAMPLES  # the speed or the machine has jumped
        while self._position + FRAME_SAMPLES <= end:
            if sound := self._heard(self._position, self._position + FRAME_SAMPLES):
                self._outbox.sound(sound)
            self._position += FRAME_SAMPLES

    def _heard(self, start: int, end: int) -> bytes | None:
        line = self._person.line
        if line is None or not line.on_line or self._service.clock.speed != 1:
            return None
        call = next((one for one in self._service.registry.calls.values() if line in one.lines), None)
        if call is None:
            return None
        return mix(heard_by(call, line), start, end, line.identifier.raw_id)

    def _refuse(self, reason: str) -> None:
        self._outbox.text({"tell": "refused", "reason": reason})

    # -- what the page asks for --------------------------------------------------------------------

    def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
            act = self._acts[message["do"]]
        except (ValueError, RecursionError, KeyError, TypeError):
            self._refuse("That is no message of the phone's page. Load the page again.")
            return
        try:
            act(message)
        except ServiceError as error:
            self._refuse(error.message)

    def _hear(self, pcm: bytes) -> None:
        line = self._person.line
        if line is None or self._service.clock.speed != 1:
            return
        try:
            line.hear_microphone(pcm)
        except ValueError as error:
            self._refuse(f"The microphone's sound cannot be used: {error}.")

    def _microphone_off(self) -> None:
        if self._person.line is not None:
            self._person.line.microphone_off()

    def _be(self, message: dict[str, Any]) -> None:
        self._become(str(message.get("as") or ""), str(message.get("role") or "number"))

    def _become(self, wanted: str, role: str) -> None:
        """Take a number, or the first that is free. Raises BadRequest when that number cannot be taken."""
        phones = self._service.phones
        if role not in ROLES:
            raise BadRequest(f"'role' must be one of {', '.join(ROLES)}.", "role")
        if self._person.busy:
            raise BadRequest("You can be somebody else once your call is over.", "as")
        identifier = from_text(wanted, "as") if wanted else None
        if identifier is not None and identifier.is_anonymous:
            identifier, role = None, "withheld"
        if identifier is not None and identifier.value in phones.lines():
            raise BadRequest(f"{wanted} is a number of your app: calls to it ring the app.", "as")
        if identifier is not None and phones.people.get(identifier.raw_id) not in (None, self._person):
            identifier = None  # another tab has it: a copy of this one, most likely
        if role != "withheld" and (identifier := identifier or self._free()) is None:
            raise BadRequest(_ALL_TAKEN, "as")
        self._leave()
        if identifier is None or role == "withheld":
            self._person = Person(anonymous(), self._changed.set, withheld=True)
        else:
            self._person = Person(identifier, self._changed.set, mailbox=role == "mailbox")
            phones.people[identifier.raw_id] = self._person
        self._changed.set()

    def _free(self) -> Identifier | None:
        """The first number for tabs that nobody has; that of this tab counts as free."""
        phones = self._service.phones
        lines = phones.lines()
        free = (phone(one) for one in NUMBERS if one not in lines)
        return next((one for one in free if phones.people.get(one.raw_id) in (None, self._person)), None)

    def _leave(self) -> None:
        """Nobody is under this number any more."""
        people, raw_id = self._service.phones.people, self._person.identifier.raw_id
        self._person.decline()
        if people.get(raw_id) is self._person:
            del people[raw_id]

    def _dial(self, message: dict[str, Any]) -> None:
        if self._person.busy:
            raise BadRequest("You are in a call already.", "to")
        callee = from_text(str(message.get("to") or ""), "to")
        if callee == self._person.identifier:
            raise BadRequest("This is your own number.", "to")
        place_from_person(self._service.registry, self._person, callee)

    def _hang_up(self) -> None:
        if self._person.line is not None:
            self._person.line.hang_up()

    def _press(self, message: dict[str, Any]) -> None:
        line, keys = self._person.line, check_keys(message.get("keys"), "keys")
        if line is not None:
            self._service.tasks.start(line.press(keys), f"keys of {line.identifier.raw_id}")

    def _say(self, message: dict[str, Any]) -> None:
        line, text = self._person.line, str(message.get("text") or "").strip()
        if len(text) > _LONGEST_SAYING:
            raise BadRequest(f"Say at most {_LONGEST_SAYING} characters at once.", "text")
        if line is not None and text:
            self._service.tasks.start(line.say(text), f"words of {line.identifier.raw_id}")

    def _fault(self, message: dict[str, Any]) -> None:
        try:
            self._switches.turn(str(message.get("name")), on=message.get("on") is True)
        except KeyError as error:
            raise BadRequest(f"There is no fault {error}.", "name") from error

    def _speed(self, message: dict[str, Any]) -> None:
        speed, (least, most) = message.get("speed"), _SPEEDS
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not least <= speed <= most:
            raise BadRequest(f"'speed' must be a number from {least} to {most}.", "speed")
        self._service.clock.speed = float(speed)
