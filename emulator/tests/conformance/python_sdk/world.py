"""The official Python clients, synchronous and asynchronous, under one synchronous face; and a call's two sides."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.communication.callautomation import CallAutomationClient, CommunicationUserIdentifier, PhoneNumberIdentifier
from azure.communication.callautomation.aio import CallAutomationClient as AsyncCallAutomationClient
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncCommunicationIdentityClient
from azure.core.credentials import AzureKeyCredential

from acs_emulator.testing import Control, Running
from emulator.tests.conformance.openapi.published import NOT_EMULATED
from emulator.tests.conformance.openapi.sink import Loop, Sink

SPEED = 20.0
SPEECH = "https://speech.example.com"
VOICE = "en-US-JennyNeural"
#: Phones that need no set-up.
ANSWERS, DECLINES, BUSY, SILENT, UNREACHABLE = (f"+1555010000{digit}" for digit in range(1, 6))
_numbers = itertools.count(4255550100)


def new_number() -> str:
    """A number that no other test uses."""
    return f"+1{next(_numbers)}"


def needs(operation_id: str) -> pytest.MarkDecorator:
    """Skip until the emulator's own table has the operation."""
    return pytest.mark.skipif(operation_id in NOT_EMULATED, reason=f"the emulator answers 501 to {operation_id}")


class Blocking:
    """An asynchronous client whose methods block. The client itself is untouched."""

    def __init__(self, target: Any, loop: Loop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            result = attribute(*arguments, **options)
            if isinstance(result, AsyncIterator):
                return self._loop.run(_collected(result))
            if inspect.isawaitable(result):
                return self._loop.run(_awaited(result))
            return Blocking(result, self._loop)

        return call


async def _awaited(result: Any) -> Any:
    return await result


async def _collected(results: Any) -> list[Any]:
    return [one async for one in results]


@dataclass
class Clients:
    """Makes clients of one kind against one emulator, and closes them."""

    kind: str
    emulator: Running[Control]
    loop: Loop
    opened: list[Any] = field(default_factory=list)
    #: Answers that the clients have received: method, path, status, headers.
    answers: list[dict[str, Any]] = field(default_factory=list)

    def calls(self, *, endpoint: str | None = None, key: str | None = None, **options: Any) -> Any:
        options.setdefault("raw_response_hook", self._heard)
        return self._open(CallAutomationClient, AsyncCallAutomationClient, endpoint, key, options)

    def identities(self, *, endpoint: str | None = None, key: str | None = None, **options: Any) -> Any:
        return self._open(CommunicationIdentityClient, AsyncCommunicationIdentityClient, endpoint, key, options)

    def _open(self, plain: Any, asynchronous: Any, endpoint: str | None, key: str | None, options: Any) -> Any:
        credential = AzureKeyCredential(key or self.emulator.access_key)
        place = endpoint or self.emulator.endpoint
        client: Any
        if self.kind == "sync":
            client = plain(place, credential, **options)
        else:
            client = Blocking(asynchronous(place, credential, **options), self.loop)
        self.opened.append(client)
        return client

    def _heard(self, response: Any) -> None:
        request, answer = response.http_request, response.http_response
        path = request.url.partition("?")[0].removeprefix(self.emulator.endpoint)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        sent = {name.lower(): value for name, value in request.headers.items()}
        self.answers.append(
            {"method": request.method, "path": path, "status": answer.status_code, "headers": headers, "sent": sent}
        )

    def close(self) -> None:
        for client in self.opened:
            # The synchronous identity client has no close of its own.
            close = getattr(client, "close", None) or client._identity_service_client.close
            close()


@dataclass(frozen=True)
class Leg:
    """One call connection of the application."""

    id: str
    connection: Any
    properties: Any
    sink: Sink

    def event(self, name: str, count: int = 1) -> dict[str, Any]:
        return self.sink.event(self.id, name, count)

    def data(self, name: str, count: int = 1) -> dict[str, Any]:
        return self.sink.data(self.id, name, count)

    def result(self, name: str, count: int = 1) -> tuple[int, int]:
        """code and subCode of an event."""
        result = self.data(name, count)["resultInformation"]
        return result["code"], result["subCode"]

    def names(self) -> list[str]:
        return self.sink.names(self.id)


@dataclass
class World:
    """One client of either kind, the emulator, and the application that listens."""

    clients: Clients
    client: Any
    emulator: Running[Control]
    sink: Sink

    def url(self, path: str = "calls") -> str:
        return f"{self.sink.base}/api/{path}"

    def leg(self, properties: Any) -> Leg:
        leg_id = properties.call_connection_id
        return Leg(leg_id, self.client.get_call_connection(leg_id), properties, self.sink)

    def user(self) -> CommunicationUserIdentifier:
        made = self.clients.identities().create_user()
        # The two packages have identifier classes of their own.
        return CommunicationUserIdentifier(made.properties["id"])

    def caller(self, script: Any = (), *, speech: bool = True, number: str | None = None) -> tuple[Leg, Any]:
        """A phone that calls, and is answered: the leg, and the phone's identifier."""
        phone, owned = PhoneNumberIdentifier(number or new_number()), new_number()
        self.emulator.control.place_call(phone.properties["value"], owned, script)
        incoming = self.sink.incoming(f"4:{owned}")
        options = {"cognitive_services_endpoint": SPEECH} if speech else {}
        answered = self.client.answer_call(
            incoming["incomingCallContext"], self.url(), operation_context="answer", **options
        )
        leg = self.leg(answered)
        leg.event("ParticipantsUpdated")
        leg.event("CallConnected")
        return leg, phone

    def two_legs(self) -> tuple[Leg, Leg, Any, Any]:
        """A call from one user to another, both sides the application: two legs, two users."""
        caller, callee = self.user(), self.user()
        client = self.clients.calls(source=caller)
        created = client.create_call(
            callee, self.url("a"), operation_context="create", cognitive_services_endpoint=SPEECH
        )
        incoming = self.sink.incoming(callee.raw_id)
        answered = self.client.answer_call(
            incoming["incomingCallContext"],
            self.url("b"),
            operation_context="answer",
            cognitive_services_endpoint=SPEECH,
        )
        legs = self.leg(created), self.leg(answered)
        for leg in legs:
            leg.event("ParticipantsUpdated")
            leg.event("CallConnected")
        return (*legs, caller, callee)

    def phone(self, **behaviour: Any) -> Any:
        """A registered phone that behaves so."""
        number = new_number()
        self.emulator.control.register_phone(number, **behaviour)
        return PhoneNumberIdentifier(number)

    def third(self, leg: Leg, **behaviour: Any) -> Any:
        """A phone added to a call, which makes it a group."""
        target = self.phone(**behaviour)
        before = leg.names().count("AddParticipantSucceeded")
        leg.connection.add_participant(target, source_caller_id_number=OWN)
        leg.event("AddParticipantSucceeded", before + 1)
        return target

    def answer_headers(self, path_end: str) -> dict[str, str]:
        """Headers of the newest answer to a path."""
        return next(
            dict(answer["headers"]) for answer in reversed(self.clients.answers) if answer["path"].endswith(path_end)
        )

    def status(self, path_end: str) -> int:
        return next(
            int(answer["status"]) for answer in reversed(self.clients.answers) if answer["path"].endswith(path_end)
        )


#: A caller id that nobody calls.
OWN = PhoneNumberIdentifier("+18005551212")
Refused = Callable[..., Any]
