"""A small world around the core: flows that use all of it, a service that reacts, a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.calls import Call, Choice, Flow, NoInput, actions, text
from shared.calls.actions import Action
from shared.calls.background import Background, _run
from shared.calls.claims import Ring
from shared.calls.conductor import Conductor
from shared.calls.gateway.base import Gateway, Request
from shared.calls.gateway.memory import MemoryGateway, _plain_answer
from shared.calls.journal import Entry, Started
from shared.calls.outcome import Outcome
from shared.calls.store.base import CallStore
from shared.calls.store.memory import MemoryStore
from shared.calls.watchdog import Watchdog
from shared.events import CallEvent, parse_callback
from shared.identifiers import Identifier
from tests.found_calls import decode_all

CALLER = Identifier.parse("+14255550100")
CALLEE = Identifier.parse("+18005550199")
CHOICES = (Choice("yes", tone="one"), Choice("no", tone="two"))
APOLOGY = (text("Sorry"),)
CORRELATION = "5d1f3a52-0000-4000-8000-000000000001"
CONNECTION = "02004780-0000-4000-8000-000000000001"
START = 1_790_000_000_000


class Instance(Conductor):
    """An instance of the app: the conductor, and the watchdog beside it."""

    def __init__(self, *, store: CallStore, gateway: Gateway, **options: Any) -> None:
        super().__init__(store=store, gateway=gateway, **options)
        shared = {name: options[name] for name in ("grace", "brakes", "slots") if name in options}
        self.watchdog = Watchdog(self, store, gateway, **shared)

    def watch(self) -> dict[str, Outcome]:
        """The watchdog's timer fires."""
        return self.watchdog.watch()


async def menu(call: Call) -> None:
    """Asks, answers, says goodbye."""
    try:
        answer = await call.recognize(text("Yes or no?"), choices=CHOICES, attempts=2)
        await call.play(text(f"You chose {answer.choice}"))
    except NoInput:
        await call.play(text("Goodbye"))


async def everything(call: Call) -> None:
    """Several operations at once, a sleep, a side effect, a signal."""
    first = call.play(text("one"))
    second = call.play(text("two"))
    await call.gather(first, second)
    number = await call.run(lambda: {"n": 7})
    await call.play(text(f"number {number['n']}"))
    nap, click = call.sleep(5), call.signal("click")
    winner = await call.race(nap, click)
    await call.play(text("slept" if winner is nap else f"clicked {click.result()}"))
    await call.cancel_all_media()


async def careful(call: Call) -> None:
    """Cleans up whatever happens."""
    try:
        await call.play(text("hello"), loop=True)
    finally:
        await call.run(lambda: "saved")


async def broken(call: Call) -> None:
    """Fails after its first prompt."""
    await call.play(text("hello"))
    raise RuntimeError("a bug in the flow")


FLOWS = {f.__name__: Flow(f.__name__, f) for f in (menu, everything, careful, broken)}


class Clock:
    """Unix time in milliseconds that moves only when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@dataclass
class ListedTimers:
    """Remembers what was to be woken."""

    due: list[tuple[str, int, int]] = field(default_factory=list)

    def schedule(self, call_id: str, seq: int, due: int) -> None:
        self.due.append((call_id, seq, due))


class Turns(Background):
    """Does at once what may wait a moment, and what waits longer when time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, Callable[[], None]] = {}

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        if delay:
            self.waiting[key] = job
        else:
            _run(job)

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, {}
        for job in waiting.values():
            _run(job)


class Wire:
    """Makes the events that the service would send."""

    def __init__(self) -> None:
        self._count = 0

    def event(self, name: str, context: str | None = None, result: Sequence[Any] = (200, 0, ""), **data: Any) -> Any:
        """One callback in the recorded shape."""
        self._count += 1
        code, sub_code, message = result
        body: dict[str, Any] = {
            **data,
            "version": "2025-08-15-preview",
            **({"operationContext": context} if context is not None else {}),
            "resultInformation": {"code": code, "subCode": sub_code, "message": message},
            "callConnectionId": CONNECTION,
            "serverCallId": "c2VydmVy",
            "correlationId": CORRELATION,
            "publicEventType": f"Microsoft.Communication.{name}",
        }
        return {
            "id": f"event-{self._count}",
            "source": "calling/callConnections/02004780-0000-4000-8000-000000000001",
            "type": f"Microsoft.Communication.{name}",
            "data": body,
            "time": "2026-11-20T10:00:00.1234567+00:00",
            "specversion": "1.0",
            "datacontenttype": "application/json",
            "subject": "calling/callConnections/02004780-0000-4000-8000-000000000001",
        }

    def reaction(self, request: Request, heard: str | None = "yes") -> list[dict[str, Any]]:
        """What the service sends after it took a request."""
        context = request.operation_context
        match request.action:
            case actions.Answer() | actions.CreateCall():
                return [self.event("ParticipantsUpdated", participants=[], sequenceNumber=1),
                        self.event("CallConnected", context)]  # fmt: skip
            case actions.Play(loop=False):
                return [self.event("PlayStarted", context), self.event("PlayCompleted", context)]
            case actions.Play():
                return [self.event("PlayStarted", context)]
            case actions.Recognize():
                if heard is None:
                    return [self.event("RecognizeFailed", context, (400, 8510, "silence"))]
                choice = {"label": heard, "recognizedPhrase": heard}
                return [self.event("RecognizeCompleted", context, (200, 8545, ""), recognitionType="choices",
                                   choiceResult=choice)]  # fmt: skip
            case actions.HangUp() | actions.Terminate():
                return [self.event("CallDisconnected", None, (200, 7000, "over"))]
        return []


def respond(request: Request) -> Mapping[str, Any]:
    """What the service responds: the connection and the conversation that its events speak of."""
    response = dict(_plain_answer(request))
    if "callConnectionId" in response:
        response |= {"callConnectionId": CONNECTION, "correlationId": CORRELATION}
    return response


def parsed(body: Mapping[str, Any]) -> CallEvent:
    """As the handler reads it."""
    return parse_callback(json.loads(json.dumps(body)))


def a_ring(at: int = START, *, context: str = "incoming", source_event: str = "grid-1") -> Ring:
    """An incoming call."""
    return Ring(
        correlation_id=CORRELATION,
        server_call_id="c2VydmVy",
        caller=CALLER,
        callee=CALLEE,
        incoming_call_context=context,
        at=at,
        source_event=source_event,
    )


@dataclass
class World:
    """Store, gateway, clock, timers; conductors come and go."""

    store: CallStore = field(default_factory=MemoryStore)
    gateway: MemoryGateway = field(default_factory=lambda: MemoryGateway(respond))
    clock: Clock = field(default_factory=Clock)
    timers: ListedTimers = field(default_factory=ListedTimers)
    wire: Wire = field(default_factory=Wire)

    def conductor(
        self, *, store: CallStore | None = None, flows: Mapping[str, Flow] = FLOWS, **options: Any
    ) -> Instance:
        """An instance of the app."""
        return Instance(
            store=store or self.store,
            gateway=self.gateway,
            timers=self.timers,
            flows=flows,
            callback_url=lambda call_id, family: f"https://app.example/api/callbacks/{call_id}/{family}",
            clock=self.clock,
            apology=APOLOGY,
            later=Turns(),
            **options,
        )

    def journal(self, call_id: str) -> list[Entry]:
        """The call's journal, typed."""
        return decode_all(self.store.load(call_id).journal)

    def answered(self, conductor: Conductor, flow: str) -> str:
        """A call of this flow that is up; its id."""
        _, call_id = conductor.ring(a_ring(self.clock.now), answering(), flow)
        for body in self.wire.reaction(self.last()):
            conductor.deliver(call_id, [parsed(body)])
        return call_id

    def kinds(self) -> list[str]:
        """The actions that ran, in order."""
        return [request.action.kind for request in self.gateway.performed]

    def last(self) -> Request:
        """The newest action that ran."""
        return self.gateway.performed[-1]


def answering() -> Action:
    """What opens an incoming call."""
    return actions.Answer()


def started_entry(flow: str, *, opens: bool = False) -> Started:
    """The first entry of an incoming call."""
    return Started(
        at=START,
        flow=flow,
        direction="inbound",
        caller=CALLER,
        callee=CALLEE,
        opening=None if opens else actions.Answer(),
    )
