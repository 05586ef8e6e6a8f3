"""Azurite: local blob, queue and table storage, from `node_modules`."""

from __future__ import annotations

import http.client
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.errors import MissingToolError, PortTakenError
from devstack.identity import Identity
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.process import ChildProcess

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".switchboard" / "logs"
ACCOUNT = "devstoreaccount1"
# Azurite's published account key; it opens nothing but Azurite.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SERVICES = ("blob", "queue", "table")
_START_SECONDS = 30.0


class Azurite:
    """A running Azurite; a context manager.

    Args:
        blob_port, queue_port, table_port: fixed ports; 0 takes a free one.
        location: where the data is kept; None keeps it in memory.
        log: the log file.
        identity: its tokens are taken, over https with its certificate; None: http, and keys alone.
        echo: called with each line that Azurite prints.

    Raises:
        MissingToolError: Node.js or the npm packages are missing (`make setup`).
        PortTakenError: naming the port, the service and the setting.
        ChildDiedError: it ended, or does not serve within 30 s.
    """

    def __init__(
        self,
        *,
        blob_port: int = 0,
        queue_port: int = 0,
        table_port: int = 0,
        location: Path | None = None,
        log: Path = LOGS / "azurite.log",
        identity: Identity | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        given = dict(zip(SERVICES, (blob_port, queue_port, table_port), strict=True))
        for service, port in given.items():
            if port and is_taken(port):
                raise PortTakenError(port, f"Azurite's {service} service", f"--{service}-port")
        self.ports = {service: port or free_port() for service, port in given.items()}
        command = [*_azurite_command(), "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        for service, port in self.ports.items():
            command += [f"--{service}Host", LOOPBACK, f"--{service}Port", str(port)]
        self._identity, self._scheme = identity, "http" if identity is None else "https"
        if identity is not None:
            command += ["--oauth", "basic", "--cert", str(identity.files.certificate), "--key", str(identity.files.key)]
        if location is None:
            command.append("--inMemoryPersistence")
        else:
            location.mkdir(parents=True, exist_ok=True)
            command += ["--location", str(location)]
        # In memory it still writes its own state files into the working directory's place unless kept elsewhere.
        log.parent.mkdir(parents=True, exist_ok=True)
        self.process = ChildProcess("Azurite", command, log=log, cwd=log.parent, echo=echo)

    @property
    def connection_string(self) -> str:
        """For every Azure Storage SDK."""
        endpoints = (f"{service.capitalize()}Endpoint={self.address(service)}" for service in SERVICES)
        fields = (f"DefaultEndpointsProtocol={self._scheme}", f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}")
        return ";".join((*fields, *endpoints)) + ";"

    def address(self, service: str) -> str:
        """Of the account's blobs, queues or tables (`service` is one of SERVICES)."""
        return f"{self._scheme}://{LOOPBACK}:{self.ports[service]}/{ACCOUNT}"

    @property
    def identity_settings(self) -> dict[str, str]:
        """App settings that name the account without its key."""
        return {f"AzureWebJobsStorage__{service}ServiceUri": self.address(service) for service in SERVICES}

    def wait(self) -> Self:
        """Wait until all three services answer.

        Raises:
            ChildDiedError: it ended, or does not serve within 30 s.
        """
        try:
            for port in self.ports.values():
                self.process.wait_until(lambda port=port: self._answers(port), _START_SECONDS)  # type: ignore[misc]
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self, port: int) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        if self._identity is not None:
            trusting = ssl.create_default_context(cafile=self._identity.files.certificate)
            connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=2, context=trusting)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        else:
            return True
        finally:
            connection.close()

    def stop(self) -> None:
        """End it and whatever it started."""
        self.process.stop()

    def __enter__(self) -> Self:
        return self.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _azurite_command() -> list[str]:
    node = shutil.which("node")
    if node is None:
        raise MissingToolError(
            "Node.js is not on the PATH; Azurite needs version 20 or later. Install it, then run `make setup`."
        )
    script = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    if not script.exists():
        raise MissingToolError("Azurite is not installed (there is no node_modules/azurite). Run `make setup`.")
    return [node, str(script)]
