"""What every action has in common, and the table that each of them carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import CoreSchema

from shared.identifiers import Identifier

Tone = Literal[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "a", "b", "c", "d", "pound", "asterisk",
]  # fmt: skip

TONE_OF_KEY: dict[str, Tone] = {
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven",
    "8": "eight", "9": "nine", "A": "a", "B": "b", "C": "c", "D": "d", "#": "pound", "*": "asterisk",
}  # fmt: skip

Role = Literal["progress", "succeeded", "failed", "canceled", "state"]
"""What an event says of an action. `progress`: under way, more follows. `state`: how things now stand, without an
operation context."""

Targets = Literal["invited", "sent to", "moved", "present"]
"""Whom `target` or `targets` of an action name. `invited`: they are called into this call. `sent to`: they are called,
to talk without the app. `moved`: they come from another call, where they are on the line. `present`: they are on this
call, so nobody is called."""

Media = Literal["prompt", "listening", "hold"]
"""What those on the call notice of an action."""

QUEUED: tuple[Media, ...] = ("prompt", "listening")
"""What the service does one after the other, ends when all media operations are cancelled, and may do a second time
when it is sent again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spec:
    """The one declaration of an operation, beside its fields.

    Derived from it: what an event makes of an action, the callback functions and the events that each takes, the
    routes of the HTTP API and their OpenAPI document, what a rehearsal reports, what the brakes hold back, who is known
    to be on the call, which words are secret, what the quality report shows of it, docs/coverage.md. What is not
    declared is held to be what needs most care.

    Attributes:
        events: the events that report on it, by their short names, and what each says. Where none says `succeeded`,
            the response to the request is the outcome.
        families: the last parts of the callback URIs of its own, each with a function; empty: its events come to the
            URI of the call.
        repeatable: the operation takes a Repeatability-Request-ID, so that sending it twice runs it once.
        idempotent: carried out twice it does what it does once, though the service cannot tell that it is the same
            request.
        reads: it only asks: nothing is different in the service afterwards.
        keeps_response: the response holds something that a later action needs (an invitation id), so it is journaled.
        in_service: False for what the app does itself (sleep, run).
        on_live_call: it can be asked for on a call that is up; False for what opens or refuses one, which the
            routing, a flow, or `POST /calls` does.
        places: it places a call, or joins one: a call more that is up.
        targets: whom its `target` or `targets` name.
        media: what those on the call notice of it; None: nothing.
        ends_media: what it ends, of its `participant` if it has one.
        secret_comes_back: what is secret of it, where it is asked for with `secret`, is what comes back; otherwise
            it is what is asked for.
        timeout: seconds after which a missing outcome counts as lost; None: there is no such time.
        example: the body of a request for it over the HTTP API.
    """

    events: Mapping[str, Role] = field(default_factory=dict)
    families: tuple[str, ...] = ()
    repeatable: bool = False
    idempotent: bool = False
    reads: bool = False
    keeps_response: bool = False
    in_service: bool = True
    on_live_call: bool = True
    places: bool = False
    targets: Targets = "invited"
    media: Media | None = None
    ends_media: tuple[Media, ...] = ()
    secret_comes_back: bool = False
    timeout: float | None = 60.0
    example: Mapping[str, Any] | None = None

    @cached_property
    def completes_on(self) -> Literal["event", "response"]:
        """What brings the outcome of an operation of the service: a later event, or the response to the request."""
        return "event" if "succeeded" in self.events.values() else "response"

    @cached_property
    def closes(self) -> bool:
        """The end of the call is its success."""
        return self.events.get("CallDisconnected") == "succeeded"

    @cached_property
    def queued(self) -> bool:
        """Whether it is one of the media operations that the service does one after the other."""
        return self.media in QUEUED


KINDS: dict[str, type[Action]] = {}
"""Every action that is declared, by its kind."""


class Action(BaseModel):
    """The common part of every action."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: str
    spec: ClassVar[Spec] = Spec()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        kind = cls.model_fields["kind"]
        if not kind.is_required() and KINDS.setdefault(kind.default, cls) is not cls:
            raise TypeError(f"{cls.__name__} and {KINDS[kind.default].__name__} are both of kind {kind.default}")

    def __eq__(self, other: object) -> bool:
        # A replay compares every action of a call; what pydantic looks at besides, no action has.
        return self is other or (type(self) is type(other) and self.__dict__ == other.__dict__)

    @property
    def family(self) -> str | None:
        """The last part of its callback URL; None: its events come to the call's URL."""
        return self.spec.families[0] if self.spec.families else None

    @property
    def timeout(self) -> float | None:
        """Seconds after which a missing outcome counts as lost; None: there is no such time."""
        return self.spec.timeout

    @property
    def named(self) -> tuple[Identifier, ...]:
        """Whom its `target` or `targets` name; `spec.targets` says what that means for them."""
        given = self.__dict__  # a replay asks for each action: pydantic is slow for what is not there
        return given.get("targets") or ((given["target"],) if "target" in given else ())

    @property
    def concerned(self) -> tuple[Identifier, ...]:
        """Whom it brings into contact with the call: they were not on it."""
        return () if self.spec.targets == "present" else self.named

    def check(self, caller: Identifier | None) -> None:
        """Pass if the service would take it, as far as that can be known here.

        Args:
            caller: who calls, None where it is not known; what can be done may depend on it.

        Raises:
            InvalidInput: names the field, the rule and the remedy.
        """

    def event_data(self) -> list[dict[str, Any]]:
        """What its events repeat of the request, in the service's words: one for each event that it takes."""
        return [{}]

    def response_data(self, number: str) -> dict[str, Any]:
        """What the service responds to it at once, in the service's words, where the app has no service.

        Args:
            number: tells one request from the next; for ids.
        """
        return {}

    @model_serializer(mode="wrap")
    def _compact(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Only defaults are left out: 0 and False may be what was asked for.
        fields = type(self).model_fields
        given = {k: v for k, v in handler(self).items() if k in fields and getattr(self, k) != fields[k].default}
        return {"kind": self.kind, **given}


class OfAnyKind:
    """Reads an action by its kind. The union is put together when a model is built: by then all are declared."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")])


AnyAction = Annotated[Action, OfAnyKind()]
"""Everything that a journal can hold."""


def roles() -> dict[str, dict[str, Role]]:
    """By event: the kinds of action that it may report on, and what it says of each."""
    found: dict[str, dict[str, Role]] = {}
    for kind, action in KINDS.items():
        for event, role in action.spec.events.items():
            found.setdefault(event, {})[kind] = role
    return found


def families() -> dict[str, frozenset[str]]:
    """By the last part of a callback URI that some operation takes for itself: the events that come there."""
    found: dict[str, frozenset[str]] = {}
    for action in KINDS.values():
        for family in action.spec.families:
            found[family] = found.get(family, frozenset()) | frozenset(action.spec.events)
    return found


@lru_cache(maxsize=1024)
def one_of(action: Action) -> Action:
    """One object for all equal actions, so that a replay, which compares them, need not look into them."""
    return action


class Value(BaseModel):
    """A part of an action."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
