"""Masked numbers in the HTTP API: sessions of two people, and their calls. No response has anybody's real number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.flow import FLOWS
from shared.errors import InvalidInput
from shared.masking.opening import USE, Wanted
from shared.masking.service import Masking
from shared.masking.session import LABEL_CHARACTERS, SIDES, Screen, Session
from shared.masking.sessions import Interaction
from shared.use_cases import service
from shared.web.document import KEY, PAGE, Document
from shared.web.models import MAX_KEY, read
from shared.web.queries import limit, only, page, position

State = Literal["open", "closed"]

SHORTEST, LONGEST, USUAL = 60, 366 * 24 * 3600, 72 * 3600
"""Seconds that a session lasts: at least, at most, and unless told (our choice)."""

_NUMBER = Field(description="E.164, +14255550123", max_length=40, examples=["+14255550123"])
_LASTS = Field(description="seconds from now", ge=SHORTEST, le=LONGEST)
_LANGUAGE = Field("", max_length=35, description="one that the flow has texts in, as en or de")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpenSession(_Model):
    """Let two people call each other without seeing each other's number."""

    a: str = _NUMBER
    b: str = _NUMBER
    expires_in: int = Field(USUAL, ge=SHORTEST, le=LONGEST, description="seconds from now")
    label: str = Field(
        "", max_length=LABEL_CHARACTERS, description="who is called hears: a call about …", examples=["order 4711"]
    )
    language: str = Field("", max_length=35, description="of both; default: that of the routing")
    language_a: str = _LANGUAGE
    language_b: str = _LANGUAGE
    country: str = Field(
        "", pattern="^([A-Z]{2})?$", description="take numbers of this country for both; default: of each one's own"
    )
    sticky: bool = Field(True, description="the same two get the numbers that they had; false: others, if there are")
    record: bool = Field(False, description="record their calls; both are told")
    screen: Screen = Field(
        "whisper",
        description="what somebody who is called hears alone: a sentence, or a question for the key 1, or nothing",
    )


class ChangeSession(_Model):
    """Extend a session, or bring somebody else in on one side."""

    expires_in: int | None = Field(None, ge=SHORTEST, le=LONGEST, description="seconds from now")
    a: str | None = Field(None, max_length=40, description="the number of the new a, E.164")
    b: str | None = Field(None, max_length=40, description="the number of the new b, E.164")
    language: str = Field("", max_length=35, description="of whom is brought in; default: of who was there")


class SessionView(_Model):
    """A session. Each of the two calls, and sees, the number that is theirs."""

    id: str
    status: State
    reason: str = Field(description="why it is closed: closed, expired, erased; empty: it is open")
    label: str
    number_for_a: str = Field(description="a number of yours: a calls it, and sees it when b calls")
    number_for_b: str
    pin_for_a: str = Field(description="what a keys in who calls from another telephone, or without a number")
    pin_for_b: str
    language_a: str
    language_b: str
    sticky: bool
    record: bool
    screen: Screen
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None


class SessionList(_Model):
    """One page of sessions, newest first."""

    sessions: tuple[SessionView, ...]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class PoolOfCountryView(_Model):
    """Your numbers of a country that sessions may show, and how many would do for what there is now."""

    country: str = Field(description="two letters; empty: not known")
    numbers: tuple[str, ...]
    sessions: int = Field(description="that are open")
    most_of_one: int = Field(description="numbers that one person has, or had until shortly ago, at most")
    calls_at_once: int = Field(description="telephones that the numbers have on the line now")
    would_do: int = Field(description="so many numbers would do")


class PoolView(_Model):
    """The numbers that sessions may show."""

    countries: tuple[PoolOfCountryView, ...]
    all_sessions: bool = Field(description="false: only the newest were looked at")


class InteractionList(_Model):
    """One page of the finished calls of a session, oldest first."""

    calls: tuple[Interaction, ...]
    next: str | None = Field(None, description="`after` of the next page; null: this is the last")


class MaskedNumbers:
    """What the HTTP API does with sessions."""

    def __init__(self, masking: Masking | None = None) -> None:
        self._masking: Masking = masking or service(USE)

    def open(self, body: bytes, key: str | None) -> tuple[bool, SessionView]:
        """Open a session; whether it is new. InvalidInput, KeyReused, PoolExhausted."""
        if key is not None and not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput("Idempotency-Key", f"has {len(key)} characters.", f"Give 1 to {MAX_KEY}.")
        asked = read(OpenSession, body)
        languages = {side: getattr(asked, f"language_{side}") or asked.language for side in SIDES}
        is_new, session = self._masking.open(
            Wanted(
                a=asked.a,
                b=asked.b,
                lasts=timedelta(seconds=asked.expires_in),
                label=asked.label,
                language_a=_language(languages["a"], "language_a"),
                language_b=_language(languages["b"], "language_b"),
                country=asked.country,
                sticky=asked.sticky,
                record=asked.record,
                screen=asked.screen,
            ),
            key,
        )
        return is_new, _view(session)

    def get(self, session_id: str) -> SessionView:
        """A session. NotFound."""
        return _view(self._masking.get(session_id))

    def list(self, query: Mapping[str, str]) -> SessionList:
        """A page of sessions. InvalidInput."""
        only(query, ("status", "limit", "after"))
        size, state = limit(query.get("limit")), query.get("status", "")
        if state and state not in get_args(State):
            raise InvalidInput("status", f"{state[:40]!r} is not a status.", f"Known: {', '.join(get_args(State))}.")
        found, more = page(self._masking.listed(position(query.get("after")), state), size)
        return SessionList(sessions=tuple(map(_view, found)), next=found[-1].id if more else None)

    def pool(self) -> PoolView:
        """The pool, and the size that would do."""
        found, whole = self._masking.pools()
        return PoolView(countries=tuple(PoolOfCountryView(**asdict(one)) for one in found), all_sessions=whole)

    def change(self, session_id: str, body: bytes) -> SessionView:
        """Extend a session, or replace one of its parties. NotFound, InvalidInput, PoolExhausted, StateConflict."""
        asked = read(ChangeSession, body)
        if asked.a is not None and asked.b is not None:
            raise InvalidInput("b", "cannot be replaced together with a.", "Open a new session for two others.")
        if asked.language and asked.a is None and asked.b is None:
            raise InvalidInput("language", "is that of who is brought in, and nobody is.", "Give a or b with it.")
        session = self._masking.get(session_id)
        for side in SIDES:
            number = getattr(asked, side)
            if number is not None:
                language = _language(asked.language, "language") or session.party(side).language
                session = self._masking.replace(session_id, side, number, language)
        if asked.expires_in is not None:
            session = self._masking.extend(session_id, timedelta(seconds=asked.expires_in))
        return _view(session)

    def close(self, session_id: str) -> SessionView:
        """Close a session; again changes nothing. NotFound."""
        return _view(self._masking.close(session_id))

    def interactions(self, session_id: str, query: Mapping[str, str]) -> InteractionList:
        """A page of the finished calls of a session. NotFound."""
        only(query, ("limit", "after"))
        size = limit(query.get("limit"))
        rows = self._masking.interactions(session_id, position(query.get("after")))
        found = list(islice(rows, size + 1))
        calls = tuple(call for _, call in found[:size])
        return InteractionList(calls=calls, next=found[size - 1][0] if len(found) > size else None)


def _language(language: str, field: str) -> str:
    """A language that the flow has texts in. InvalidInput."""
    flow = FLOWS.get(USE)
    return flow.texts.called(language, field) if language and flow is not None else language


def _view(session: Session) -> SessionView:
    return SessionView(
        id=session.id,
        status="closed" if session.state == "closed" else "open",
        reason=session.reason,
        label=session.label,
        number_for_a=session.a.shows,
        number_for_b=session.b.shows,
        pin_for_a=session.a.pin,
        pin_for_b=session.b.pin,
        language_a=session.a.language,
        language_b=session.b.language,
        sticky=session.sticky,
        record=session.record,
        screen=session.screen,
        created_at=session.created_at,
        expires_at=session.expires_at,
        closed_at=session.closed_at,
    )


def describe(document: Document) -> None:
    """The routes, for the OpenAPI document."""
    path, one = "/masking/sessions", "/masking/sessions/{session_id}"
    session_id: list[dict[str, Any]] = [
        {"name": "session_id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    status = {"name": "status", "in": "query", "schema": {"type": "string", "enum": list(get_args(State))}}
    view: dict[int, type[BaseModel]] = {200: SessionView}
    document.add(
        path,
        "post",
        "openMaskingSession",
        "Let two people call each other by numbers of yours",
        OpenSession,
        {200: SessionView, 201: SessionView},
        [KEY],
        (400, 401, 409, 503),
        example={"a": "+14255550123", "b": "+14255550142", "label": "order 4711"},
    )
    document.add(
        path,
        "get",
        "listMaskingSessions",
        "List sessions",
        None,
        {200: SessionList},
        [status, *PAGE],
        (400, 401, 503),
    )
    document.add("/masking/pool", "get", "getMaskingPool", "Show the pool, and the size that would do", None,
                 {200: PoolView}, [], (401, 503))  # fmt: skip
    document.add(one, "get", "getMaskingSession", "Get a session", None, view, session_id, (401, 404, 503))
    document.add(
        one,
        "patch",
        "changeMaskingSession",
        "Extend a session, or replace one of the two",
        ChangeSession,
        view,
        session_id,
        (400, 401, 404, 409, 503),
        example={"expires_in": 86400},
    )
    document.add(one, "delete", "closeMaskingSession", "Close a session", None, view, session_id, (401, 404, 503))
    document.add(
        f"{one}/calls",
        "get",
        "listMaskingCalls",
        "List the finished calls of a session",
        None,
        {200: InteractionList},
        [*session_id, *PAGE],
        (400, 401, 404, 503),
    )
