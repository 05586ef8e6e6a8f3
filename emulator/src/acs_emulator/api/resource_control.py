"""The control API of what belongs to the resource: its numbers and its Event Grid subscriptions."""

from __future__ import annotations

import re

from aiohttp import web

from acs_emulator.api.control import json_response
from acs_emulator.api.validation import parse_json
from acs_emulator.core.config import ConfigError
from acs_emulator.core.errors import BadRequest, ServiceError, check_names
from acs_emulator.core.event_grid_target import EventGridTarget
from acs_emulator.core.identifiers import PHONE_NUMBER
from acs_emulator.core.own_number import LONGEST_NAME, OUTBOUND_CALLS, OwnNumber, is_name
from acs_emulator.service.emulator import Emulator

#: Highest limit of outbound calls that a number may be given.
_MOST_CALLS = 1_000_000
#: The field that a refusal of a subscription names, which is the first thing in quotation marks.
_QUOTED = re.compile(r"'([\w.\[\]]+)'")
NUMBER_FIELDS = {"number", "limit", "name"}


class ResourceControl:
    """The handlers."""

    def __init__(self, service: Emulator) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/emulator/numbers", self.numbers),
            web.post("/emulator/numbers", self.declare),
            web.delete("/emulator/numbers/{number}", self.withdraw),
            web.post("/emulator/subscriptions", self.subscribe),
        ]

    async def numbers(self, request: web.Request) -> web.Response:
        return json_response({"numbers": self._service.registry.outbound.wire()})

    async def declare(self, request: web.Request) -> web.Response:
        """A number of the resource, with the outbound calls that it may have at once and the name of its line."""
        body = parse_json(await request.read())
        if not isinstance(body, dict):
            raise BadRequest("The body must be an object.")
        check_names(body, NUMBER_FIELDS)
        number, limit, name = body.get("number"), body.get("limit", OUTBOUND_CALLS), body.get("name", "")
        if not isinstance(number, str) or not PHONE_NUMBER.match(number):
            raise BadRequest("'number' must be a number in E.164 form, such as +18005550199.", "number")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= _MOST_CALLS:
            raise BadRequest(f"'limit' must be a whole number from 0 to {_MOST_CALLS}.", "limit")
        if not isinstance(name, str) or not is_name(name):
            raise BadRequest(f"'name' must be text of at most {LONGEST_NAME} characters in one line.", "name")
        self._service.phones.own.declare(OwnNumber(number, limit, name))
        return json_response({"number": number, "limit": limit, "name": name}, 201)

    async def withdraw(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        if not self._service.phones.own.withdraw(number):
            raise ServiceError(404, "NotFound", f"{number} has not been declared.")
        return await self.numbers(request)

    async def subscribe(self, request: web.Request) -> web.Response:
        """An Event Grid subscription, with its filters."""
        try:
            target = EventGridTarget.read(parse_json(await request.read()))
        except ConfigError as error:
            message = str(error).removeprefix("--event-grid: ")
            named = _QUOTED.search(message)
            raise BadRequest(message, named[1] if named else None) from error
        return json_response(self._service.subscribe(target).state(), 201)
