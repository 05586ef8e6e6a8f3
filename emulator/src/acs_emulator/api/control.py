"""The control API under /emulator: no signature, for tests and for people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from acs_emulator.api.routes import FAULT_OPERATIONS
from acs_emulator.api.validation import parse_json
from acs_emulator.calls.call import Call
from acs_emulator.calls.connect import join_from_phone
from acs_emulator.calls.place_call import place_from_phone
from acs_emulator.calls.ring import Ring
from acs_emulator.core.errors import BadRequest, ServiceError, check_names
from acs_emulator.core.identifiers import from_text
from acs_emulator.events.eventgrid import VALIDATION_PATH
from acs_emulator.events.faults import parse_faults
from acs_emulator.phones.book import parse_voice
from acs_emulator.phones.line import Line
from acs_emulator.phones.script import check_keys, check_words, parse_script
from acs_emulator.service.emulator import Emulator
from acs_emulator.streaming.subscription import Subscription

#: Longest long poll in wall-clock seconds.
LONGEST_POLL = 60.0
CALL_FIELDS = {"from", "to", "group", "room", "displayName", "customContext", "script", "voice", "locale"}
PRESS_FIELDS, SAY_FIELDS, HANG_UP_FIELDS = {"keys", "phone"}, {"text", "phone"}, {"phone"}
#: What only somebody who is rung is told.
_RINGING_FIELDS = ("displayName", "customContext")


def json_response(value: Any, status: int = 200) -> web.Response:
    body = json.dumps(value, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json; charset=utf-8"})


@web.middleware
async def service_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refusals of the control API have the same body as those of the data plane."""
    try:
        return await handler(request)
    except ServiceError as error:
        return json_response(error.body(), error.status)
    except web.HTTPRequestEntityTooLarge as error:
        return json_response(ServiceError(413, "RequestTooLarge", str(error.text)).body(), 413)


class Control:
    """The handlers."""

    def __init__(self, service: Emulator) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/emulator/health", self.health),
            web.get("/emulator/state", self.state),
            web.get("/emulator/deliveries", self.deliveries),
            web.get("/emulator/requests", self.requests),
            web.get("/emulator/timeline", self.timeline),
            web.post("/emulator/reset", self.reset),
            web.get("/emulator/faults", self.list_faults),
            web.post("/emulator/faults", self.add_faults),
            web.delete("/emulator/faults", self.clear_faults),
            web.post("/emulator/phones", self.register_phone),
            web.post("/emulator/calls", self.place_call),
            web.post("/emulator/calls/{id}/press", self.press),
            web.post("/emulator/calls/{id}/say", self.say),
            web.post("/emulator/calls/{id}/hangup", self.hang_up),
            web.post("/emulator/calls/{id}/drop-streams", self.drop_streams),
            web.get("/emulator/recordings", self.recordings),
            web.get("/emulator/topic", self.topic),
            web.get(VALIDATION_PATH, self.validate),
        ]

    async def health(self, request: web.Request) -> web.Response:
        service = self._service
        return json_response(
            {
                "status": "failing" if service.tasks.crashes else "ok",
                "resourceId": service.config.resource_id,
                "seed": service.seed,
                "speed": service.clock.speed,
                "loose": service.config.loose,
                "crashes": service.tasks.crashes,
            }
        )

    async def state(self, request: web.Request) -> web.Response:
        return json_response(self._service.state())

    async def deliveries(self, request: web.Request) -> web.Response:
        """All deliveries, or those of ?type= (short or full), ?callConnectionId=, ?after=N."""
        return _listed(
            request,
            "deliveries",
            self._service.log.deliveries,
            lambda entry: {"type": _names(entry.type, "."), "callConnectionId": [entry.call_connection_id]},
        )

    async def requests(self, request: web.Request) -> web.Response:
        """All data-plane requests, or those of ?operation= (short or full), ?callConnectionId=, ?after=N."""
        return _listed(
            request,
            "requests",
            self._service.log.requests,
            lambda entry: {
                "operation": _names(entry.operation_id or "", "_"),
                "callConnectionId": [entry.call_connection_id],
            },
        )

    async def timeline(self, request: web.Request) -> web.Response:
        """Entries after ?after=N; ?wait=S holds the response up to S seconds for the first."""
        wait = min(_number(request, "wait", 0.0), LONGEST_POLL)
        entries = await self._service.timeline.wait_after(_integer(request, "after", 0), wait)
        return json_response({"entries": [entry.wire() for entry in entries]})

    async def reset(self, request: web.Request) -> web.Response:
        await self._service.reset()
        return json_response({"status": "ok"})

    async def list_faults(self, request: web.Request) -> web.Response:
        return json_response({"faults": [rule.wire() for rule in self._service.faults.rules]})

    async def add_faults(self, request: web.Request) -> web.Response:
        self._service.faults.rules.extend(parse_faults(parse_json(await request.read()), FAULT_OPERATIONS))
        return await self.list_faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._service.faults.rules.clear()
        return await self.list_faults(request)

    async def register_phone(self, request: web.Request) -> web.Response:
        identifier, behaviour = self._service.phones.register(parse_json(await request.read()))
        return json_response({"id": identifier.raw_id, "behaviour": behaviour.kind}, 201)

    async def place_call(self, request: web.Request) -> web.Response:
        body = await _object(request, CALL_FIELDS)
        caller = from_text(_text(body, "from"), "from")
        script, voice = parse_script(body.get("script")), parse_voice(body, caller)
        if len({"to", "group", "room"} & set(body)) != 1:
            raise BadRequest("Give exactly one of 'to', 'group' and 'room'.", "to")
        if "to" not in body:
            if lost := next((name for name in _RINGING_FIELDS if name in body), None):
                raise BadRequest(f"'{lost}' goes with 'to': nobody is rung by who joins a group call or a room.", lost)
            kind, name = ("groupCallLocator", "group") if "group" in body else ("roomCallLocator", "room")
            if not (place := _text(body, name)):
                raise BadRequest(f"'{name}' must not be empty.", name)
            joined = join_from_phone(self._service.registry, kind, place, caller, script, voice)
            return json_response(_ids(joined), 201)
        callee = from_text(_text(body, "to"), "to")
        if callee.is_anonymous:
            raise BadRequest("'to' must be a number or a user id: nobody can call a withheld number.", "to")
        if callee == caller:
            raise BadRequest(f"'to' is the caller: {callee.value} cannot call itself.", "to")
        context = body.get("customContext")
        if context is not None and not isinstance(context, dict):
            raise BadRequest("'customContext' must be an object.", "customContext")
        details = Ring(caller, _text(body, "displayName", ""), context)
        return json_response(
            _ids(place_from_phone(self._service.registry, caller, callee, details, script, voice)), 201
        )

    async def press(self, request: web.Request) -> web.Response:
        body = await _object(request, PRESS_FIELDS)
        keys = check_keys(body.get("keys"), "keys")
        await self._connected(request, body).press(keys)
        return json_response({"status": "ok"})

    async def say(self, request: web.Request) -> web.Response:
        body = await _object(request, SAY_FIELDS)
        text = check_words(body.get("text"), "text")
        await self._connected(request, body).say(text)
        return json_response({"status": "ok"})

    async def hang_up(self, request: web.Request) -> web.Response:
        body = await _object(request, HANG_UP_FIELDS) if request.can_read_body else {}
        self._line(request, body).hang_up()
        return json_response({"status": "ok"})

    async def drop_streams(self, request: web.Request) -> web.Response:
        """Break off the web sockets of a call in the middle of a frame."""
        call = self._call(request.match_info["id"])
        for leg in call.legs:
            for observer in leg.observers:
                if isinstance(observer, Subscription):
                    observer.drop()
        return json_response({"status": "ok"})

    async def recordings(self, request: web.Request) -> web.Response:
        """Every recording, those that go on first, with what was heard in it."""
        return json_response({"recordings": self._service.recordings.describe()})

    async def topic(self, request: web.Request) -> web.Response:
        """What was published to the topic: all of it, or that of ?type= (short or full), ?subject=, ?after=N."""
        return _listed(
            request,
            "events",
            self._service.topic.published,
            lambda entry: {"type": _names(entry.type, "."), "subject": [entry.event.get("subject")]},
        )

    async def validate(self, request: web.Request) -> web.Response:
        """The validationUrl of the Event Grid handshake, opened by hand."""
        if not self._service.event_grid.confirm(request.query.get("code", "")):
            raise ServiceError(404, "NotFound", "No subscription has this validation code.")
        return json_response({"status": "ok"})

    def _line(self, request: web.Request, body: dict[str, Any]) -> Line:
        """The phone of a call: the one named by `phone`, otherwise the first."""
        call = self._call(request.match_info["id"])
        named = body.get("phone")
        if named is None:
            if call.lines:
                return call.lines[0]
            raise ServiceError(404, "NotFound", "No virtual phone is in this call.")
        raw_id = from_text(_text(body, "phone"), "phone").raw_id
        for line in call.lines:
            if line.identifier.raw_id == raw_id:
                return line
        raise ServiceError(404, "NotFound", f"{named} is not in this call.")

    def _connected(self, request: web.Request, body: dict[str, Any]) -> Line:
        """The phone of a call that can be heard there."""
        line = self._line(request, body)
        if not line.on_line:
            raise ServiceError(409, "NotConnected", f"{line.identifier.value} is not connected: the call still rings.")
        return line

    def _call(self, call_id: str) -> Call:
        """A call by its own id, its server call id or one of its call connection ids."""
        leg = self._service.leg(call_id)
        if leg is not None:
            return leg.call
        registry = self._service.registry
        if (call := registry.calls.get(call_id) or registry.by_server_call_id(call_id)) is not None:
            return call
        raise ServiceError(404, "8522", "Call not found.")


def _listed(
    request: web.Request, name: str, entries: Iterable[Any], fields: Callable[[Any], dict[str, list[str | None]]]
) -> web.Response:
    """The entries after ?after=N that have, of each field that the query names, one of its values."""
    after, query = _integer(request, "after", 0), request.query
    found = [
        entry.wire()
        for entry in entries
        if entry.n > after and all(query.get(field) in (None, *values) for field, values in fields(entry).items())
    ]
    return json_response({name: found})


def _names(full: str, separator: str) -> list[str | None]:
    """The full name, and the short one after the last separator."""
    return [full, full.rpartition(separator)[2]]


def _ids(call: Call) -> dict[str, str]:
    return {"id": call.id, "serverCallId": call.server_call_id, "correlationId": call.correlation_id}


async def _object(request: web.Request, known: set[str]) -> dict[str, Any]:
    """The body, with no other properties than those that are known."""
    value = parse_json(await request.read())
    if not isinstance(value, dict):
        raise BadRequest("The body must be an object.")
    check_names(value, known)
    return value


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        required = "" if default is not None else "is required and "
        raise BadRequest(f"'{name}' {required}must be text.", name)
    return value


def _integer(request: web.Request, name: str, default: int) -> int:
    return int(_number(request, name, float(default)))


def _number(request: web.Request, name: str, default: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise BadRequest(f"'{name}' must be a number.", name) from error
    if not 0 <= value < float("inf"):
        raise BadRequest(f"'{name}' must be a number from 0 on.", name)
    return value
