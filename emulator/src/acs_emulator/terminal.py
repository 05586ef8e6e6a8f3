"""What the command shows on the terminal: where it listens, what goes wrong, and the conversation of each call."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime

from acs_emulator.core.certificate import CertificateFiles
from acs_emulator.core.timeline import Entry
from acs_emulator.events.eventgrid import Subscription
from acs_emulator.events.log import Attempt, Delivery, LogObserver, RequestRecord
from acs_emulator.service.emulator import Emulator

#: Characters of a call's id that are shown.
_SHORT = 8
#: Call connections whose call is known after it has ended.
_REMEMBERED = 1000


def say(text: str) -> None:
    """Print lines. Whoever started the emulator may have stopped reading: then they go nowhere from now on."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def start_text(service: Emulator) -> str:
    """What is printed once the emulator listens; the first line is for programs that start it."""
    return "\n".join(_start_lines(service))


def _start_lines(service: Emulator) -> Iterator[str]:
    yield f"Emulator listening on {service.local_origin}"
    if service.secure_origin:
        yield f"                  and {service.secure_origin}"
    if service.config.public_url:
        yield f"           reached at {service.config.public_url}"
    yield f"A phone to call your app with: open {service.config.public_url or service.local_origin}/ in a browser"
    yield f"Connection string: {service.connection_string}"
    if service.certificate is not None:
        yield from trust_lines(service.certificate)
    if not service.event_grid.subscriptions:
        yield "Event Grid: no subscription, so no IncomingCall; --event-grid URL makes one"
    for subscription in service.event_grid.subscriptions:
        yield f"Event Grid: {_subscription(subscription)}: waiting for its handshake"


def trust_lines(files: CertificateFiles, platform: str = sys.platform) -> Iterator[str]:
    """How each SDK's language is told to trust the certificate, on this kind of system."""
    bundle = files.bundle or files.certificate
    yield f"Certificate: {files.certificate}"
    yield "To trust it, before the app starts (nothing else on this machine changes):"
    yield f"  Python   {_set(platform, REQUESTS_CA_BUNDLE=bundle, SSL_CERT_FILE=bundle)}"
    yield f"  Node.js  {_set(platform, NODE_EXTRA_CA_CERTS=files.certificate)}"
    if platform == "linux":
        yield f"  .NET     {_set(platform, SSL_CERT_FILE=bundle)}"
    else:
        yield f"  .NET     knows no variable here: add {files.certificate} to the certificates that you trust"
    yield (
        f"  Java     keytool -importcert -noprompt -alias acs-emulator -file {files.certificate} "
        "-keystore acs-emulator.p12 -storepass changeit; "
        "java -Djavax.net.ssl.trustStore=acs-emulator.p12 -Djavax.net.ssl.trustStorePassword=changeit"
    )


def _set(platform: str, **variables: object) -> str:
    """The command that sets variables in the system's usual terminal: PowerShell, or a POSIX shell."""
    if platform == "win32":
        return "; ".join(f"$env:{name} = '{value}'" for name, value in variables.items())
    return "export " + " ".join(f"{name}={value}" for name, value in variables.items())


def _subscription(subscription: Subscription) -> str:
    types = ", ".join(sorted(subscription.target.event_types)) or "all types"
    return f"{subscription.target.url.partition('?')[0]} ({types})"


class Terminal(LogObserver):
    """Shows what happens, a line each."""

    def __init__(self, service: Emulator, say: Callable[[str], None] = say) -> None:
        self._service = service
        self._say = say
        #: The call of each call connection: events follow after a call has ended.
        self._calls: OrderedDict[str, str] = OrderedDict()

    def follow(self) -> None:
        """Show the problems from now on, and the conversations if the settings say so."""
        service = self._service
        service.problems.listeners.append(lambda line: self._show("WARNING", line))
        service.event_grid.on_handshake.append(self.handshake)
        if service.config.verbose:
            service.timeline.listeners.append(self.entry)
            service.log.observers.append(self)

    def handshake(self, subscription: Subscription) -> None:
        state = "validated" if not subscription.problem else subscription.problem
        self._show("Event Grid", f"{_subscription(subscription)}: {state}")

    def entry(self, entry: Entry) -> None:
        self._show(entry.call[:_SHORT], f"{entry.who} {entry.what}{f': {entry.text}' if entry.text else ''}")

    def attempted(self, delivery: Delivery, attempt: Attempt) -> None:
        if delivery.kind == "validation":
            return  # told as the state of the subscription
        outcome = attempt.status or attempt.error or attempt.fault
        self._show(
            self._call(delivery.call_connection_id) or "event",
            f"→ {delivery.type.rpartition('.')[2]}: {outcome}, {attempt.ms:.0f} ms",
        )

    def answered(self, request: RequestRecord) -> None:
        name = (request.operation_id or f"{request.method} {request.path.partition('?')[0]}").rpartition("_")[2]
        self._show(self._call(request.call_connection_id) or "request", f"← {name}: {request.status}")

    def _call(self, connection_id: str | None) -> str:
        """The short id of the call that a call connection is of; that of the connection where it is not known."""
        if connection_id is None:
            return ""
        if (leg := self._service.leg(connection_id)) is not None:
            self._calls[connection_id] = leg.call.id
            if len(self._calls) > _REMEMBERED:
                self._calls.popitem(last=False)
        return self._calls.get(connection_id, connection_id)[:_SHORT]

    def _show(self, about: str, text: str) -> None:
        # What an app or a caller says must not write lines of its own.
        line = "".join(character if character.isprintable() else " " for character in text)
        self._say(f"{datetime.now():%H:%M:%S} {about:<{_SHORT}} {line}")
