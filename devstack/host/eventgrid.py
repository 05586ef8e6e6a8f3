"""The Event Grid webhook: `POST /runtime/webhooks/EventGrid?functionName=NAME`.

Takes the Event Grid schema (an array) and the CloudEvents schema (one event, or an array), and both handshakes.
Source: https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from azure.functions.meta import Datum

from devstack.host.backend import Invocation
from devstack.host.errors import BadRequestError
from devstack.host.functions import FunctionMetadata
from devstack.host.http import (
    BodyTooLargeError,
    DisconnectedError,
    Headers,
    Receive,
    Scope,
    Send,
    find_header,
    header_texts,
    read_body,
    respond,
)
from devstack.host.invoker import Invoker

PATH = "/runtime/webhooks/eventgrid"
_JSON: Headers = [(b"content-type", b"application/json; charset=utf-8")]


class EventGridWebhook:
    """Answers handshakes and invokes a function once for each event of a notification."""

    def __init__(self, functions: Iterable[FunctionMetadata], invoker: Invoker) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._invoker = invoker

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 200, 202, 400, 404, or 500 when a function failed, so that it is delivered again."""
        query = {name.lower(): value for name, value in parse_qsl(scope["query_string"].decode("latin-1"))}
        name = query.get("functionname", "")
        function = self._functions.get(name.lower())
        if function is None:
            known = ", ".join(sorted(found.name for found in self._functions.values()))
            message = f"cannot find function: '{name}', available function names: [{known}]"
            await respond(send, 404, message.encode())
            return
        headers: Headers = scope["headers"]
        if scope["method"] == "OPTIONS":
            await _allow_origin(send, headers)
            return
        if scope["method"] != "POST":
            await respond(send, 405, headers=[(b"allow", b"OPTIONS, POST")])
            return
        kind = (find_header(headers, b"aeg-event-type") or b"").decode("latin-1").lower()
        try:
            events = _events(await read_body(headers, receive))
            if kind == "subscriptionvalidation":
                await respond(send, 200, _validation(events), headers=_JSON)
                return
        except DisconnectedError:
            return
        except BodyTooLargeError:
            await respond(send, 413, headers=[(b"connection", b"close")])
            return
        except BadRequestError as error:
            await respond(send, 400, str(error).encode())
            return
        if kind == "unsubscribe":
            await respond(send, 202)
        elif kind == "notification":
            await respond(send, 202 if await self._notify(function, events, headers) else 500)
        else:
            message = f"the header aeg-event-type is '{kind}', not Notification or SubscriptionValidation"
            await respond(send, 400, message.encode())

    async def _notify(self, function: FunctionMetadata, events: list[dict[str, Any]], headers: Headers) -> bool:
        texts = header_texts(headers)
        outcomes = await asyncio.gather(
            *(
                self._invoker.invoke(
                    Invocation(
                        function,
                        Datum(json.dumps(event), "json"),
                        {"data": Datum(json.dumps(event.get("data")), "json")},
                        texts.get("traceparent", ""),
                        texts.get("tracestate", ""),
                    ),
                    "EventGrid trigger fired",
                )
                for event in events
            )
        )
        return all(outcome.ok for outcome in outcomes)


def _events(body: bytes) -> list[dict[str, Any]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    events = document if isinstance(document, list) else [document]
    if not all(isinstance(event, dict) for event in events):
        raise BadRequestError("the body must be an event, or an array of events")
    return events


def _validation(events: list[dict[str, Any]]) -> bytes:
    data = events[0].get("data") if events else None
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        raise BadRequestError("a SubscriptionValidation must carry data.validationCode")
    return json.dumps({"validationResponse": code}).encode()


async def _allow_origin(send: Send, headers: Headers) -> None:
    """CloudEvents abuse protection: the caller names its origin, we allow it any rate."""
    origin = find_header(headers, b"webhook-request-origin")
    if origin is None:
        await respond(send, 400, b"the header WebHook-Request-Origin is missing")
        return
    allowed: Headers = [
        (b"webhook-allowed-origin", origin),
        (b"webhook-allowed-rate", b"*"),
        (b"allow", b"POST"),
    ]
    await respond(send, 200, headers=allowed)
