"""The identity operations that clients need before they call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from acs_emulator.api.operations import Request, Response
from acs_emulator.core.clock import ticks_text, utc_now
from acs_emulator.core.errors import BadRequest, ServiceError

#: Life of a user access token in minutes: default, least and most (docs: identity).
TOKEN_LIFE, LEAST_TOKEN_LIFE = 1440, 60
_SCOPES = frozenset({"chat", "chat.join", "chat.join.limited", "voip", "voip.join"})


def create(request: Request) -> Response:
    scopes = request.body.get("createTokenWithScopes")
    token = _token(request, scopes, "createTokenWithScopes") if scopes else None
    user_id = request.service.ids.user()
    request.service.users.add(user_id)
    identity: dict[str, Any] = {"identity": {"id": user_id}}
    return Response(201, identity if token is None else {**identity, "accessToken": token})


def issue_token(request: Request) -> Response:
    _known(request)
    return Response(200, _token(request, request.body.get("scopes"), "scopes"))


def revoke_tokens(request: Request) -> Response:
    _known(request)
    return Response(204)


def delete(request: Request) -> Response:
    _known(request)
    request.service.users.discard(request.parameters["identityId"])
    return Response(204)


def _known(request: Request) -> None:
    if request.parameters["identityId"] not in request.service.users:
        raise ServiceError(404, "NotFound", "Identity not found.", request.path)


def _token(request: Request, scopes: Any, field: str) -> dict[str, Any]:
    """An opaque token: nothing here takes it."""
    if not isinstance(scopes, list) or not scopes or not all(scope in _SCOPES for scope in scopes):
        raise BadRequest(f"'{field}' must be a list of {', '.join(sorted(_SCOPES))}.", field)
    minutes = request.body.get("expiresInMinutes")
    minutes = TOKEN_LIFE if minutes is None else minutes
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not LEAST_TOKEN_LIFE <= minutes <= TOKEN_LIFE:
        raise BadRequest("'expiresInMinutes' must be from 60 to 1440.", "expiresInMinutes")
    expires = utc_now() + timedelta(minutes=minutes)
    return {"token": request.service.ids.token(), "expiresOn": ticks_text(expires)}
