"""The core over real storage, in this process: calls without a host, a network to the service, or an emulator."""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import RequestsTransport

from shared.calls import Call, Flow, actions, text
from shared.calls.background import Background
from shared.calls.brakes import Brakes
from shared.calls.claims import Ring
from shared.calls.conductor import Conductor
from shared.calls.gateway.base import Request
from shared.calls.gateway.memory import MemoryGateway
from shared.calls.outcome import Outcome
from shared.calls.store.base import CallStore
from shared.events import CallEvent, parse_callbacks
from shared.identifiers import Identifier

CALLER = Identifier.parse("+14255550100")
CALLEE = Identifier.parse("+18005550199")
_numbers = itertools.count(1)


async def prompts(call: Call) -> None:
    """Plays one prompt after the other: each callback brings an entry and asks for one."""
    while True:
        await call.play(text("Thank you. Our sales team will call you back within the hour."))


PROMPTS = Flow("prompts", prompts)


class Collected(Background):
    """Background work that runs when told, so that it can be counted apart."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, Callable[[], None]] = {}

    def soon(self, key: str, job: Callable[[], None], delay: float = 0.0) -> None:
        self.jobs[key] = job

    def flush(self) -> None:
        jobs, self.jobs = self.jobs, {}
        for job in jobs.values():
            job()


def connection_of(call_id: str) -> str:
    """The connection that a call gets, of which its events speak."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, call_id))


class _NoTimers:
    def schedule(self, call_id: str, seq: int, due: int) -> None:
        raise AssertionError("these flows do not sleep")


def conductor(
    store: CallStore, seen: Callable[[Request], None] = lambda request: None, brakes: Brakes | None = None
) -> Conductor:
    """A new instance of the app: it holds no call in memory; `seen` gets each action as it goes out."""

    def answer(request: Request) -> Mapping[str, Any]:
        seen(request)
        return {"callConnectionId": connection_of(request.call_id), "serverCallId": "server-call"}

    return Conductor(
        store=store,
        gateway=MemoryGateway(answer),
        timers=_NoTimers(),
        flows={PROMPTS.name: PROMPTS},
        callback_url=lambda call_id, family: f"http://127.0.0.1:7071/api/callbacks/{call_id}/{family}",
        later=Collected(),
        brakes=brakes,
    )


class BenchCall:
    """One call of the flow `prompts`, and the callbacks that the service would send."""

    def __init__(self, board: Conductor) -> None:
        self.plays = 0
        number = next(_numbers)
        outcome, self.call_id = board.ring(
            Ring(
                correlation_id=str(uuid.uuid4()),
                server_call_id=f"server-call-{number}",
                caller=CALLER,
                callee=CALLEE,
                incoming_call_context="x" * 7400,
                at=int(time.time() * 1000),
            ),
            actions.Answer(),
            PROMPTS.name,
        )
        assert outcome is Outcome.CLAIMED
        self.connection = connection_of(self.call_id)

    def connected(self) -> list[CallEvent]:
        """CallConnected."""
        return self._event("CallConnected", 0)

    def played(self) -> list[CallEvent]:
        """PlayCompleted of the newest prompt."""
        self.plays += 1
        return self._event("PlayCompleted", self.plays)

    def disconnected(self) -> list[CallEvent]:
        """CallDisconnected."""
        return self._event("CallDisconnected", None)

    def _event(self, name: str, position: int | None) -> list[CallEvent]:
        return event(name, self.connection, None if position is None else f"{self.call_id}:{position}:0")


def event(name: str, connection: str, operation_context: str | None, **more: Any) -> list[CallEvent]:
    """A callback's one event, as the service sends it; `more` of its data."""
    data: Mapping[str, Any] = {
        "version": "2024-09-01-preview",
        "callConnectionId": connection,
        "serverCallId": "aHR0cHM6Ly9hcGkuZmxpZ2h0cHJveHkuc2t5cGUuY29tL2FwaS92Mi9jcC9jb252LXVzd2UtMDItcHJvZC1ha3M" * 2,
        "correlationId": str(uuid.uuid4()),
        "operationContext": operation_context,
        "resultInformation": {"code": 200, "subCode": 0, "message": "Action completed successfully."},
        "publicEventType": f"Microsoft.Communication.{name}",
        **more,
    }
    sent = {
        "id": str(uuid.uuid4()),
        "source": f"calling/callConnections/{connection}",
        "type": f"Microsoft.Communication.{name}",
        "data": data,
        "time": datetime.now(UTC).isoformat(),
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": f"calling/callConnections/{connection}",
    }
    return parse_callbacks(json.dumps([sent]))


@contextmanager
def counted_requests() -> Iterator[Counter[str]]:
    """Counts what the Azure SDKs send, retries too, by method and first part of the path (the table or container).

    Counted where a request leaves the SDK's pipeline, so that nothing that goes over the wire is missed.
    """
    counts: Counter[str] = Counter()
    lock, send = threading.Lock(), RequestsTransport.send

    def counting(self: Any, request: Any, **options: Any) -> Any:
        path = urlsplit(request.url).path.split("/")
        with lock:
            counts[f"{request.method} {path[2] if len(path) > 2 else path[-1]}".partition("(")[0]] += 1
        return send(self, request, **options)

    RequestsTransport.send = counting
    try:
        yield counts
    finally:
        RequestsTransport.send = send
