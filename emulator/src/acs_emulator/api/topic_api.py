"""Publishing to the Event Grid custom topic (data plane 2018-01-01)."""

from __future__ import annotations

import hmac

from aiohttp import web

from acs_emulator.api.entra import EVENT_GRID, token_checker
from acs_emulator.api.keyed_service import KeyedService
from acs_emulator.api.routes import PUBLISH
from acs_emulator.core.errors import Unauthorized
from acs_emulator.events.log import RequestRecord
from acs_emulator.events.topic import TopicRefusal, read_events
from acs_emulator.service.emulator import Emulator

PATH = "/api/events"
VERSION = "2018-01-01"
_TOPIC = KeyedService(
    operation=PUBLISH,
    injected=lambda status, code, message: TopicRefusal(status, code, code, message),
    reason="aeg-sas-key is not the key of the topic",
    remedy="Publish with the access key, or with the one that --topic-key names.",
)


class TopicApi:
    """The handler."""

    def __init__(self, service: Emulator) -> None:
        self._service = service
        self._tokens = token_checker(service.config, EVENT_GRID)

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.publish)]

    async def publish(self, request: web.Request) -> web.StreamResponse:
        """Take one request of EventGridPublisherClient."""
        return await _TOPIC.handle(self._service, request, self._authorize, self._published)

    async def _published(self, request: web.Request, record: RequestRecord) -> web.Response:
        if request.query.get("api-version") != VERSION:
            raise TopicRefusal(
                400, "BadRequest", "InvalidApiVersion", f"The api-version must be given and be {VERSION}."
            )
        events, schema = read_events(await request.read(), request.content_type)
        self._service.topic.publish(events, schema, self._service.clock.monotonic_ms())
        return web.Response()

    def _authorize(self, request: web.Request) -> None:
        config, refused = self._service.config, "The request authorization key is not authorized for the topic."
        if config.loose:
            return
        if self._tokens is not None and "Authorization" in request.headers:
            try:
                self._tokens.check(request.headers["Authorization"])
            except Unauthorized:
                raise TopicRefusal(401, "Unauthorized", "Unauthorized", refused) from None
            return
        key = request.headers.get("aeg-sas-key", "")
        if not hmac.compare_digest(key.encode(), config.topic_key.encode()):
            raise TopicRefusal(401, "Unauthorized", "Unauthorized", refused)
