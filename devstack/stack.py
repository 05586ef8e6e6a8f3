"""The whole of it: Azurite, the emulator, Functions hosts and the streams service, as one context manager."""

from __future__ import annotations

import base64
import os
import re
import secrets
import signal
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.azurite import ROOT, Azurite
from devstack.core_tools import find_func
from devstack.errors import ChildDiedError, DevstackError, PortTakenError
from devstack.identity import Identity
from devstack.log_files import own_logs, put_aside
from devstack.ports import LOOPBACK, free_port, is_taken, serves
from devstack.process import ChildProcess

OWN_HOST = (sys.executable, "-m", "devstack.host")
EVENT_GRID_PATH = "/runtime/webhooks/EventGrid?functionName="
INCOMING_CALL = ("incoming_call", "IncomingCall")
CALL_LIFECYCLE = ("call_lifecycle", "CallStarted,CallEnded,CallParticipantAdded,CallParticipantRemoved")
RECORDING_FILE = ("recording_file", "RecordingFileStatusUpdated")
NUMBER_HASH_KEY = "bG9jYWwtZGV2ZWxvcG1lbnQtbnVtYmVyLWhhc2gta2V5LTAwMDE="
"""Always the same, that of local.settings.sample.json: calls of an earlier run, too, are found by number."""
SECRETS_KEY = "bG9jYWwtZGV2ZWxvcG1lbnQtc2VjcmV0cy1rZXktMDE="
"""Likewise, so that a call goes on when the host starts again."""
# Never called: the emulator speaks for it. Shaped as ACS wants it.
COGNITIVE_SERVICES_ENDPOINT = "https://switchboard-dev.cognitiveservices.azure.com/"
_START_SECONDS = 60.0
_STREAMS_SECONDS = 8.0
_PRINTED = re.compile(r"^(Emulator listening on|Connection string:|Certificate:) (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where things listen; 0 takes a free port."""

    host: int = 0
    emulator: int = 0
    blob: int = 0
    queue: int = 0
    table: int = 0
    streams: int = 0


USUAL_PORTS = Ports(host=7071, emulator=18080, blob=10000, queue=10001, table=10002, streams=8090)


class Stack:
    """Everything that a call needs, running.

    Args:
        app_root: folder of the function app.
        ports: fixed or free ports; `USUAL_PORTS` are those of `make up`.
        hosts: how many Functions hosts; with more than one, a front gives them the requests in turn.
        speed: the emulator's factor, which divides every emulated wait.
        environment: more variables for the hosts; they win over the stack's own.
        subscriptions: pairs of Event Grid function and event types (comma-separated; "" for all).
        host: "own", "func", or "auto" (DEVSTACK_HOST, else `func` where it is on the PATH, else our own).
        own_host: the own host's command.
        quiet: hosts print failures only.
        invocations: they list the functions, and tell of each run of one.
        timers: whether timer triggers run on their schedule (on the first host only).
        access_key: the ACS access key, base64; None makes a new one.
        seed: the emulator's seed.
        data: folder where Azurite keeps its data; None keeps it in memory.
        logs: folder of the log files, for this stack alone; None takes a new one under `.switchboard/logs/`.
        echo: called with (service, line) for each line of output; None leaves output to the log files.
        emulator: the emulator's command; None leaves it out.
        streams: whether the streams service runs too; the app learns its address (STREAMS_URL).
        failover: the front gives a request to the next host where one does not listen, as Azure's does.
        identity: hosts and streams service have a managed identity and no key; the rest takes its tokens over https.
    """

    def __init__(
        self,
        *,
        app_root: Path = ROOT,
        ports: Ports | None = None,
        hosts: int = 1,
        speed: float = 1.0,
        environment: Mapping[str, str] | None = None,
        subscriptions: Sequence[tuple[str, str]] = (INCOMING_CALL,),
        host: str = "auto",
        own_host: Sequence[str] = OWN_HOST,
        quiet: bool = False,
        invocations: bool = True,
        timers: bool = True,
        access_key: str | None = None,
        seed: int | None = None,
        data: Path | None = None,
        logs: Path | None = None,
        echo: Callable[[str, str], None] | None = None,
        emulator: Sequence[str] | None = (sys.executable, "-m", "acs_emulator"),
        streams: bool = False,
        failover: bool = False,
        identity: bool = False,
    ) -> None:
        if hosts < 1:
            raise DevstackError(f"At least one host is needed, not {hosts}.")
        self._app_root = app_root.resolve()
        self._ports = ports or Ports()
        self._count = hosts
        self._speed = speed
        self._extra = dict(environment or {})
        self._subscriptions = tuple(subscriptions)
        self._func = find_func(host)
        self._own_host = own_host
        self._quiet = quiet
        self._invocations = invocations
        self._timers = timers
        self._seed = seed
        self._data = data
        self.logs = logs or own_logs()
        self._echo = echo
        self._emulator_command = emulator
        self.access_key = access_key or base64.b64encode(secrets.token_bytes(32)).decode()
        self.resource_id = str(uuid.uuid4())
        self.signing_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._with_streams = streams
        self._failover = failover
        self._by_identity = identity
        self.identity: Identity | None = None
        self.streams_url = self.service_url = ""
        self.emulator_url = ""
        self.emulator_printed: dict[str, str] = {}
        self.base_url = ""
        self.host_urls: list[str] = []
        self.environment: dict[str, str] = {}
        self.azurite: Azurite | None = None
        self.emulator: ChildProcess | None = None
        self.front: ChildProcess | None = None
        self.streams: ChildProcess | None = None
        self.hosts: list[ChildProcess] = []

    @property
    def connection_string(self) -> str:
        """Azurite's connection string.

        Raises:
            DevstackError: the stack is not running.
        """
        if self.azurite is None:
            raise DevstackError("The stack is not running.")
        return self.azurite.connection_string

    def start(self) -> Self:
        """Start everything and wait until it serves.

        Raises:
            DevstackError: something is missing, a port is taken, or a service did not come up; nothing is left.
        """
        if self.azurite is not None:
            raise DevstackError("The stack is running already.")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything: hosts first, so that running functions still find storage and the emulator."""
        self.stop_hosts()
        rest = [child for child in (self.front, self.emulator) if child is not None]
        for child in rest:
            child.terminate()
        for child in rest:
            child.stop(1.0)
        for part in (self.azurite, self.identity):
            if part is not None:
                part.stop()
        self.front = self.emulator = self.azurite = self.identity = None

    def start_hosts(self) -> None:
        """Start the Functions hosts and the streams service; wait until they serve.

        Raises:
            ChildDiedError: a host did not come up; its log's end is in the message.
        """
        ports = [int(url.rpartition(":")[2]) for url in self.host_urls]
        if self._with_streams:
            self.streams = self._start_streams()
        self.hosts = [self._start_host(number, port) for number, port in enumerate(ports, 1)]
        for child, port in zip(self.hosts, ports, strict=True):
            child.wait_until(lambda port=port: serves(port, "/admin/host/status"), _START_SECONDS)  # type: ignore[misc]
        if self.streams is not None:
            self.streams.wait_until(lambda: serves(self._streams_port(), "/health"), _START_SECONDS)

    def stop_hosts(self) -> None:
        """End the hosts and the streams service; running functions get a moment, open streams are written."""
        children = [*self.hosts, *([self.streams] if self.streams else [])]
        for child in children:
            child.terminate()
        for child in children:
            child.stop(_STREAMS_SECONDS if child is self.streams else 3.0)
        self.hosts, self.streams = [], None

    def kill_host(self, index: int) -> None:
        """End a host as a crash would: at once, in the middle of whatever it does."""
        os.killpg(self.hosts[index].pid, signal.SIGKILL)

    def revive_host(self, index: int, app_root: Path | None = None) -> None:
        """End a host, if it lives, and start one on its port, of `app_root` if another app is deployed; wait for it.

        Raises:
            ChildDiedError: it did not come up.
        """
        if app_root is not None:
            self._app_root, self._own_host = app_root.resolve(), OWN_HOST
        dead, port = self.hosts[index], int(self.host_urls[index].rpartition(":")[2])
        put_aside(dead)
        self.hosts[index] = host = self._start_host(index + 1, port)
        host.wait_until(lambda: serves(port, "/admin/host/status"), _START_SECONDS)

    def check(self, *, restarted: bool = False) -> None:
        """Do nothing while all services run.

        Args:
            restarted: hosts and the streams service may have ended: whoever asks starts them again, by `revive`.

        Raises:
            ChildDiedError: one of them ended; the end of its log is in the message.
        """
        for child in self._children():
            if not child.alive and not (restarted and self._can_restart(child)):
                raise child.death()

    def ended(self) -> list[ChildProcess]:
        """Hosts and the streams service, if they have ended by themselves."""
        return [child for child in self._children() if self._can_restart(child) and not child.alive]

    def revive(self) -> None:
        """Start hosts and the streams service again that have ended; storage, emulator and the rest stay as they are.

        Raises:
            ChildDiedError: one did not come up.
        """
        if self.streams is not None and not self.streams.alive:
            put_aside(self.streams)
            self.streams = streams = self._start_streams()
            streams.wait_until(lambda: serves(self._streams_port(), "/health"), _START_SECONDS)
        for index, host in enumerate(self.hosts):
            if not host.alive:
                self.revive_host(index)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, ChildDiedError):
            # Most failures of a user of the stack come from a service that died under them: say so.
            for child in self._children():
                if not child.alive:
                    error.add_note(str(child.death()))
        self.stop()

    def _can_restart(self, child: ChildProcess) -> bool:
        return child is self.streams or child in self.hosts

    def _children(self) -> list[ChildProcess]:
        azurite = self.azurite.process if self.azurite else None
        return [child for child in (azurite, self.emulator, self.front, self.streams, *self.hosts) if child is not None]

    def _start(self) -> None:
        ports = self._ports
        for port, service, flag in (
            (ports.host, "the Functions host", "--host-port"),
            (ports.emulator, "the emulator", "--emulator-port"),
            (ports.streams if self._with_streams else 0, "the streams service", "--streams-port"),
        ):
            if port and is_taken(port):
                raise PortTakenError(port, service, flag)
        if self._by_identity:
            self.identity = Identity(self.logs / "certificate").start()
        self.azurite = Azurite(
            blob_port=ports.blob,
            queue_port=ports.queue,
            table_port=ports.table,
            location=self._data,
            log=self.logs / "azurite.log",
            identity=self.identity,
            echo=self._echo_of("azurite"),
        )
        base_port = ports.host or free_port()
        self.base_url = f"http://{LOOPBACK}:{base_port}"
        host_ports = [base_port] if self._count == 1 else [free_port() for _ in range(self._count)]
        self.host_urls = [f"http://{LOOPBACK}:{port}" for port in host_ports]
        if self._with_streams:
            self.streams_url = f"ws://{LOOPBACK}:{ports.streams or free_port()}"
        self._start_emulator()
        self.azurite.wait()
        if self.emulator is not None:
            self.emulator.wait_until(self._emulator_serves, _START_SECONDS)
        self.environment = self._app_environment()
        if self._count > 1:
            command = [sys.executable, "-m", "devstack.front", "--port", str(base_port)]
            command += ["--failover"] if self._failover else []
            for port in host_ports:
                command += ["--to", str(port)]
            self.front = self._child("front", command, {}, ROOT)
        self.start_hosts()
        if self.front is not None:
            self.front.wait_until(lambda: serves(base_port, "/admin/host/status"), _START_SECONDS)

    def _start_emulator(self) -> None:
        if self._emulator_command is None:
            return
        command = [*self._emulator_command, "--port", str(self._ports.emulator), "--access-key", self.access_key]
        command += ["--resource-id", self.resource_id, "--speed", str(self._speed)]
        if self.identity is not None:
            self.service_url = f"https://{LOOPBACK}:{free_port()}"
            command += self.identity.emulator_flags(self.service_url)
        elif not self._ports.emulator:
            command += ["--no-https"]  # nobody but our hosts comes to a free port
        if self._seed is not None:
            command += ["--seed", str(self._seed)]
        key = self._extra.get("DEVSTACK_FUNCTION_KEY") or os.environ.get("DEVSTACK_FUNCTION_KEY")
        for function, event_types in self._subscriptions:
            url = f"{self.base_url}{EVENT_GRID_PATH}{function}" + (f"&code={key}" if key else "")
            command += ["--event-grid", f"{url}#{event_types}" if event_types else url]
        self.emulator = self._child("emulator", command, {"PYTHONUNBUFFERED": "1"}, ROOT)

    def _emulator_serves(self) -> bool:
        assert self.emulator is not None
        self.emulator_printed = printed = dict(_PRINTED.findall(self.emulator.log.read_text(errors="replace")))
        if "Emulator listening on" not in printed:
            return False
        self.emulator_url = printed["Emulator listening on"].rstrip("/")
        self.service_url = self.service_url or self.emulator_url
        return serves(int(self.emulator_url.rpartition(":")[2]), "/emulator/health")

    def _app_environment(self) -> dict[str, str]:
        own = {
            "AzureWebJobsStorage": self.connection_string,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "ACS_ENDPOINT": self.service_url,
            "ACS_ACCESS_KEY": self.access_key,
            "ACS_RESOURCE_ID": self.resource_id,
            "ACS_OPENID_CONFIGURATION_URL": f"{self.service_url}/calling/.well-known/acsopenidconfiguration",
            "CALLBACK_BASE_URL": self.base_url,
            "CALLBACK_SIGNING_KEY": self.signing_key,
            "NUMBER_HASH_KEY": NUMBER_HASH_KEY,
            "SECRETS_KEY": SECRETS_KEY,
            # As docs/deploy.md advises: a callback mostly waits for the storage and for the service.
            "PYTHON_THREADPOOL_THREAD_COUNT": "32",
            "COGNITIVE_SERVICES_ENDPOINT": COGNITIVE_SERVICES_ENDPOINT,
        }
        if self._with_streams:
            own["STREAMS_URL"] = self.streams_url
        if self.emulator_url:
            own |= {
                "RECORDING_HOSTS": self.service_url.partition("//")[2],
                "TRANSCRIPTION_ENDPOINT": self.service_url,
                "TRANSCRIPTION_KEY": self.access_key,
                "EVENTS_TOPIC_ENDPOINT": f"{self.service_url}/api/events",
                "EVENTS_TOPIC_KEY": self.access_key,
            }
        if self.identity is not None and self.azurite is not None:
            own |= {**self.identity.environment, **self.azurite.identity_settings}
        return {**own, **self._extra}

    def _streams_port(self) -> int:
        return int(self.streams_url.rpartition(":")[2])

    def _start_streams(self) -> ChildProcess:
        # A bot (STREAMS_HANDLER) may lie in the app's folder, which comes before ours.
        environment = {**self.environment, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "streams", "--port", str(self._streams_port())]
        return self._child("streams", command, environment, self._app_root)

    def _start_host(self, number: int, port: int) -> ChildProcess:
        name = "host" if self._count == 1 else f"host-{number}"
        timers = self._timers and number == 1
        if self._func is not None:
            more = {"languageWorkers__python__defaultExecutablePath": sys.executable}
            command = [self._func, "start", "--port", str(port)]
            return self._child(name, command, {**self.environment, **more}, self._app_root)
        command = [*self._own_host, "--port", str(port), "--app-root", str(self._app_root), "--grace", "1.5"]
        command += ["--quiet"] if self._quiet else [] if self._invocations else ["--no-invocations"]
        command += [] if timers else ["--no-timers"]
        return self._child(name, command, self.environment, ROOT)

    def _child(self, name: str, command: list[str], environment: dict[str, str], cwd: Path) -> ChildProcess:
        log = self.logs / f"{name}.log"
        return ChildProcess(name, command, log=log, environment=environment, cwd=cwd, echo=self._echo_of(name))

    def _echo_of(self, name: str) -> Callable[[str], None] | None:
        echo = self._echo
        return None if echo is None else lambda line: echo(name, line)
