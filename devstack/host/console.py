"""What the host prints: `func start`'s lines, gathered and written in one go so that a line stays cheap."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
from typing import TextIO

# .NET level names of host.json, as Python's numbers.
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_FLUSH_SECONDS = 0.02


def level_number(name: str) -> int:
    """Python's number of a host.json log level; an unknown name counts as Information."""
    return _LEVELS.get(name.lower(), logging.INFO)


class Console:
    """Writes lines with a time stamp, from any thread.

    Attributes:
        quiet: failures and warnings only.
        invocations: whether functions are listed, and each run of one is told.

    Lines wait up to 20 ms and go out together: a write per line would cost more than a trivial invocation.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, invocations: bool = True) -> None:
        self.quiet = quiet
        self.invocations = invocations and not quiet
        self._stream = stream or sys.stdout
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stamp = (0, "")
        threading.Thread(target=self._write_forever, name="console", daemon=True).start()
        atexit.register(self.flush)

    def say(self, text: str) -> None:
        """Print as it is, in quiet mode too."""
        self._lines.append(text)
        self._wake.set()

    def line(self, text: str) -> None:
        """Print with the time in front."""
        now = time.time()
        second = int(now)
        if self._stamp[0] != second:
            self._stamp = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
        self._lines.append(f"[{self._stamp[1]}.{int((now - second) * 1000):03d}Z] {text}")
        self._wake.set()

    def flush(self) -> None:
        """Write everything now."""
        with self._lock:
            lines, self._lines = self._lines, []
            if not lines:
                return
            try:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                # The reader of our output is gone; the host goes on serving.
                return

    def _write_forever(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(_FLUSH_SECONDS)
            self._wake.clear()
            self.flush()


class ConsoleHandler(logging.Handler):
    """Sends the app's log records to the console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._console.line(self.format(record))
        except Exception:
            self.handleError(record)


def route_logging(console: Console, log_levels: dict[str, str]) -> None:
    """Send the root logger to the console, at host.json's level for functions (`Function`, else `default`)."""
    name = log_levels.get("Function", log_levels.get("default", "Information"))
    level = max(level_number(name), logging.WARNING) if console.quiet else level_number(name)
    root = logging.getLogger()
    root.handlers[:] = [ConsoleHandler(console)]
    root.setLevel(level)
