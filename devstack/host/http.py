"""HTTP triggers: an ASGI request becomes the trigger's Datum, the returned Datum becomes the response."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from azure.functions.meta import Datum

from devstack.host.backend import Invocation
from devstack.host.errors import StartupError
from devstack.host.functions import FunctionMetadata
from devstack.host.invoker import Invoker
from devstack.host.routes import Route, Router, parse_template

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# Azure Functions' request limit (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT's default), in bytes.
# Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
BODY_LIMIT = 104_857_600
_REASON = "This function was programmatically called via the host APIs."
_BUILT_IN = ("admin", "runtime")


class BodyTooLargeError(Exception):
    """The request's body is over the limit."""


class DisconnectedError(Exception):
    """The client went away before its request was complete."""


class KeyCheck:
    """Function keys: one key for every level, or none to let every request in, as `func start` does."""

    def __init__(self, key: str | None) -> None:
        self._key = key.encode() if key else None

    def allows(self, level: str, headers: Headers, query: str) -> bool:
        """Whether a request may pass at this auth level."""
        if self._key is None or level == "anonymous":
            return True
        given = find_header(headers, b"x-functions-key")
        if given is None:
            given = dict(parse_qsl(query)).get("code", "").encode()
        return hmac.compare_digest(given, self._key)


class HttpFunctions:
    """Serves the app's HTTP routes."""

    def __init__(self, functions: Iterable[FunctionMetadata], prefix: str, invoker: Invoker, keys: KeyCheck) -> None:
        self._invoker = invoker
        self._keys = keys
        self._router: Router[FunctionMetadata] = Router(_route(function, prefix) for function in functions)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 404, 405, 401, 413, or what the function gives."""
        found = self._router.find(decoded_path(scope), scope["method"])
        if isinstance(found, frozenset):
            allow: Headers = [(b"allow", ", ".join(sorted(found)).encode())] if found else []
            await respond(send, 405 if found else 404, headers=allow)
            return
        route, parameters = found
        headers: Headers = scope["headers"]
        query = scope["query_string"].decode("latin-1")
        if not self._keys.allows(str(route.target.trigger.get("authLevel", "function")).lower(), headers, query):
            await respond(send, 401)
            return
        try:
            body = await read_body(headers, receive)
        except DisconnectedError:
            return
        except BodyTooLargeError:
            await respond(send, 413, headers=[(b"connection", b"close")])
            return
        texts = header_texts(headers)
        invocation = Invocation(
            route.target,
            _request_datum(scope, texts, query, parameters, body),
            trace_parent=texts.get("traceparent", ""),
            trace_state=texts.get("tracestate", ""),
        )
        outcome = await self._invoker.invoke(invocation, _REASON)
        if not outcome.ok:
            await respond(send, 500)
            return
        await _respond_with(send, outcome.returned)


def function_url(function: FunctionMetadata, prefix: str, base: str) -> str:
    """Where an HTTP function answers, as the Functions list prints it."""
    return "/".join(part for part in (base, prefix, str(function.trigger.get("route", "")).strip("/")) if part)


def function_methods(function: FunctionMetadata) -> list[str]:
    """The function's methods in upper case; empty when it takes all."""
    return [str(method).upper() for method in function.trigger.get("methods") or []]


def header_texts(headers: Headers) -> dict[str, str]:
    """Headers as text; several of one name are joined by a comma, as the host does it."""
    texts: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        texts[name] = f"{texts[name]},{value}" if name in texts else value
    return texts


def find_header(headers: Headers, name: bytes) -> bytes | None:
    """The first header of this (lower-case) name."""
    return next((value for known, value in headers if known == name), None)


def decoded_path(scope: Scope) -> str:
    """The path with percent-escapes decoded, except `%2F`, which stays inside its segment as in ASP.NET Core."""
    raw: bytes = scope["raw_path"]
    if b"%" not in raw:
        return raw.decode("latin-1")
    parts = raw.replace(b"%2f", b"%2F").split(b"%2F")
    return b"%2F".join(unquote_to_bytes(part) for part in parts).decode("utf-8", "replace")


async def read_body(headers: Headers, receive: Receive) -> bytes:
    """The whole body.

    Raises:
        BodyTooLargeError: longer than BODY_LIMIT, announced or not.
        DisconnectedError: the client went away first.
    """
    announced = find_header(headers, b"content-length")
    # By its length first: `int` does not read a number of thousands of digits.
    if announced is not None and announced.isdigit() and (len(announced) > 18 or int(announced) > BODY_LIMIT):
        raise BodyTooLargeError
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        return bytes(message.get("body", b""))
    chunks: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            raise BodyTooLargeError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
    raise DisconnectedError


async def respond(send: Send, status: int, body: bytes = b"", *, headers: Headers | None = None) -> None:
    """Send a whole response."""
    fields = [*(headers or [])]
    if status >= 200 and status not in (204, 304):
        fields.append((b"content-length", str(len(body)).encode()))
    else:
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _route(function: FunctionMetadata, prefix: str) -> Route[FunctionMetadata]:
    path = function_url(function, prefix, "")
    if path.split("/")[0].lower() in _BUILT_IN:
        raise StartupError(f"{function.where}: the route '{path}' conflicts with one that is built into the host.")
    template = parse_template(path, function.where)
    return Route(template, frozenset(function_methods(function)), function.name, function)


def _request_datum(scope: Scope, headers: dict[str, str], query: str, parameters: dict[str, str], body: bytes) -> Datum:
    values: dict[str, str] = {}
    if query:
        for name, value in parse_qsl(query):  # empty values are dropped, as the host does for Python
            values[name] = f"{values[name]},{value}" if name in values else value
    host = headers.get("host", "")
    url = f"http://{host}{scope['raw_path'].decode('latin-1')}"
    return Datum(
        type="http",
        value={
            "method": Datum(scope["method"], "string"),
            "url": Datum(f"{url}?{query}" if query else url, "string"),
            "headers": _texts(headers),
            "query": _texts(values),
            "params": _texts(parameters),
            "body": Datum(body, "bytes"),
        },
    )


def _texts(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


async def _respond_with(send: Send, returned: Datum | None) -> None:
    if returned is None or returned.type is None:
        await respond(send, 204)
        return
    if returned.type != "http":
        value = returned.value
        body = value if isinstance(value, bytes) else str(value).encode()
        kind = {"json": b"application/json; charset=utf-8", "bytes": b"application/octet-stream"}
        await respond(
            send,
            200,
            body,
            headers=[(b"content-type", kind.get(returned.type, b"text/plain; charset=utf-8"))],
        )
        return
    fields: Headers = []
    for name, datum in returned.value["headers"].items():
        if name.lower() not in ("content-length", "transfer-encoding"):
            fields.append((name.lower().encode("latin-1"), str(datum.value).encode("latin-1")))
    for cookie in returned.value.get("cookies") or []:
        fields += [(b"set-cookie", morsel.OutputString().encode("latin-1")) for morsel in cookie.values()]
    await respond(send, int(returned.value["status_code"].value), returned.value["body"].value, headers=fields)
