"""`make up` as a process, on free ports, and what it prints."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.ports import free_port

ROOT = Path(__file__).parents[2]
_SECONDS = 60.0


class Upped:
    """`python -m devstack up` of an app; a context manager.

    Args:
        app: folder of the function app.
        flags: more of the command's flags.
        environment: more variables.
    """

    def __init__(self, app: Path, flags: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        self.host_port, self.emulator_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{self.host_port}"
        self._app = app
        ports = ["--host-port", str(self.host_port), "--emulator-port", str(self.emulator_port)]
        ports += [flag for name in ("blob", "queue", "table", "streams") for flag in (f"--{name}-port", "0")]
        self._command = [
            sys.executable,
            "-m",
            "devstack",
            "up",
            "--app-root",
            str(app),
            "--host",
            "own",
            *ports,
            *flags,
        ]
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._lines: list[str] = []
        self._seen = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until("Switchboard is up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self.code = self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(5)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def printed(self) -> str:
        """Everything that it has printed."""
        return "".join(self._lines)

    def until(self, pattern: str, seconds: float = _SECONDS) -> str:
        """Wait for a line that was not seen before; what was printed up to and with it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for place in range(self._seen, len(self._lines)):
                if re.search(pattern, self._lines[place]):
                    text = "".join(self._lines[self._seen : place + 1])
                    self._seen = place + 1
                    return text
            assert self._process.poll() is None, self.printed()
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {pattern}\n{self.printed()}")

    def at_its_ports(self, command: str) -> str:
        """A command of the docs, for the ports that this one has."""
        return command.replace(":18080", f":{self.emulator_port}").replace(":7071", f":{self.host_port}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
