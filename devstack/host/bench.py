"""Measures the host's own cost: `python -m devstack.host.bench`.

One trivial function, sync and async, asked over keep-alive connections from a process of its own. The client and
the host share the machine, so the figures are a lower bound. Prints one JSON line for each case.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from devstack.ports import LOOPBACK, free_port
from devstack.process import ChildProcess

APP = """import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("sync/{id}", methods=["POST"])
def sync(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body())


@app.route("async/{id}", methods=["POST"])
async def asynchronous(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body())
"""


def _ask(port: int, path: str, count: int) -> list[float]:
    """Seconds of each of `count` requests on one connection."""
    connection = HTTPConnection(LOOPBACK, port)
    body, headers = b"x" * 500, {"content-type": "application/json"}
    times = []
    for _ in range(count):
        started = time.perf_counter()
        connection.request("POST", path, body, headers)
        connection.getresponse().read()
        times.append(time.perf_counter() - started)
    connection.close()
    return times


def _measure(port: int, path: str, clients: int, count: int) -> dict[str, float]:
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        runs = list(threads.map(lambda _: _ask(port, path, count // clients), range(clients)))
    elapsed = time.perf_counter() - started
    times = sorted(time for run in runs for time in run)
    return {
        "requests_per_second": round(len(times) / elapsed),
        "p50_ms": round(statistics.median(times) * 1000, 3),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 3),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m devstack.host.bench", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--requests", type=int, default=4000, help="requests a case (%(default)s)")
    given = parser.parse_args()
    for fronted in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "function_app.py").write_text(APP)
            port = free_port()
            command = [sys.executable, "-m", "devstack.host", "--port", str(port), "--app-root", folder]
            started = time.perf_counter()
            host = ChildProcess("host", command, log=Path(folder, "host.log"))
            try:
                host.wait_until(lambda port=port: _try(port), 30)  # type: ignore[misc]
                ready = round((time.perf_counter() - started) * 1000)
                front = _front(port, folder) if fronted else None
                target = front[1] if front else port
                for path in ("/api/sync/1", "/api/async/1"):
                    _ask(target, path, 200)
                    for clients in (1, 8):
                        figures = _measure(target, path, clients, given.requests)
                        case = {"path": path, "front": fronted, "clients": clients, "start_ms": ready}
                        print(json.dumps({**case, **figures}), flush=True)
                if front:
                    front[0].stop()
            finally:
                host.stop()


def _front(port: int, folder: str) -> tuple[ChildProcess, int]:
    """A front before the host, and its port."""
    own = free_port()
    command = [sys.executable, "-m", "devstack.front", "--port", str(own), "--to", str(port)]
    front = ChildProcess("front", command, log=Path(folder, "front.log"))
    front.wait_until(lambda: _try(own), 10)
    return front, own


def _try(port: int) -> bool:
    try:
        return bool(_ask(port, "/api/sync/1", 1))
    except OSError:
        return False


if __name__ == "__main__":
    main()
