"""Publishing to the Event Grid custom topic (data plane 2018-01-01)."""

from __future__ import annotations

import hmac

from aiohttp import web

from acs_emulator.api.control import answer
from acs_emulator.api.request_faults import answered_by_fault, delay_or_drop, denied, taken
from acs_emulator.core.errors import ServiceError
from acs_emulator.events.topic import TopicRefusal, read_events
from acs_emulator.service.emulator import Emulator

PATH = "/api/events"
OPERATION = "EventGrid_PublishEvents"
VERSION = "2018-01-01"


class TopicApi:
    """The handler."""

    def __init__(self, service: Emulator) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.publish)]

    async def publish(self, request: web.Request) -> web.StreamResponse:
        """Take one request of EventGridPublisherClient."""
        service = self._service
        record, struck = taken(service, request, OPERATION)
        if (dropped := await delay_or_drop(service, request, record, struck)) is not None:
            return dropped
        try:
            self._authorize(request)
            if given := answered_by_fault(record, struck):
                status, code, message = given
                raise TopicRefusal(status, code, code, message)
            if request.query.get("api-version") != VERSION:
                raise TopicRefusal(
                    400, "BadRequest", "InvalidApiVersion", f"The api-version must be given and be {VERSION}."
                )
            events, schema = read_events(await request.read(), request.content_type)
        except ServiceError as error:
            record.status = error.status
            if error.status == 401 and record.note is None:
                remedy = "Publish with the access key, or with the one that --topic-key names."
                denied(service, record, "aeg-sas-key is not the key of the topic", remedy)
            return answer(error.body(), error.status)
        record.status = 200
        service.topic.publish(events, schema, service.clock.monotonic_ms())
        return web.Response()

    def _authorize(self, request: web.Request) -> None:
        config = self._service.config
        key = request.headers.get("aeg-sas-key", "")
        if not config.loose and not hmac.compare_digest(key.encode(), config.topic_key.encode()):
            raise TopicRefusal(
                401, "Unauthorized", "Unauthorized", "The request authorization key is not authorized for the topic."
            )
