"""The front before several hosts, one of which does not listen."""

from __future__ import annotations

import http.client
import sys
from pathlib import Path

import pytest

from devstack.azurite import ROOT
from devstack.ports import LOOPBACK, free_port, is_taken
from devstack.process import ChildProcess
from tests.unit.devstack.test_proxy import Server
from tests.unit.devstack.test_proxy import server as server


@pytest.mark.parametrize(("options", "statuses"), [([], {200, 502}), (["--failover"], {200})])
def test_with_failover_the_next_host_gets_what_a_dead_one_cannot_take(
    server: Server, tmp_path: Path, options: list[str], statuses: set[int]
) -> None:
    port, dead = free_port(), free_port()
    command = [sys.executable, "-m", "devstack.front", "--port", str(port), *options]
    command += ["--to", str(dead), "--to", str(server.server_port)]
    front = ChildProcess("front", command, log=tmp_path / "front.log", cwd=ROOT)
    try:
        front.wait_until(lambda: is_taken(port), 20)
        assert {_get(port) for _ in range(4)} == statuses
    finally:
        front.stop()


def _get(port: int) -> int:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()
