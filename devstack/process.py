"""Child processes that are watched, logged, stopped as a group and never left behind."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack.errors import ChildDiedError

_TAIL_LINES = 30
_guard: subprocess.Popen[str] | None = None
_guard_lock = threading.Lock()


def _tell_guard(line: str) -> None:
    """Send a line to the guard process (see `devstack.guard`), starting it first."""
    global _guard
    with _guard_lock:
        if _guard is None or _guard.poll() is not None:
            _guard = subprocess.Popen(  # noqa: S603
                # -S -E: no site-packages, so that it starts in a few milliseconds
                [sys.executable, "-S", "-E", str(Path(__file__).with_name("guard.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        assert _guard.stdin is not None
        _guard.stdin.write(line + "\n")
        _guard.stdin.flush()


@atexit.register
def stop_guard() -> None:
    """End the guard; whatever it still watches is ended too. At the exit, and in tests that count processes."""
    global _guard
    with _guard_lock:
        if _guard is not None:
            assert _guard.stdin is not None
            _guard.stdin.close()
            _guard.wait()
            _guard = None


class ChildProcess:
    """One service: a command in its own process group, its output in a log file.

    Args:
        name: how messages call it.
        command: the command line.
        environment: added to this process's environment.
        log: its output goes here; the file is overwritten.
        cwd: its working directory.
        echo: called with each line of its output as well; None keeps it in the log alone.

    Raises:
        ChildDiedError: the command cannot be started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        echo: Callable[[str], None] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._echo = echo
        self._reader: threading.Thread | None = None
        with log.open("wb") as output:
            try:
                self._process = subprocess.Popen(  # noqa: S603
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output if echo is None else subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
            except OSError as error:
                raise ChildDiedError(f"{name} cannot be started ({command[0]}): {error.strerror}") from error
        _tell_guard(f"add {self._process.pid}")
        if echo is not None:
            self._reader = threading.Thread(target=self._copy, name=f"log of {name}", daemon=True)
            self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is the group's id too."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def tail(self) -> str:
        """The last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (it printed nothing)"

    def death(self, what: str = "ended by itself") -> ChildDiedError:
        """The error that tells of its end."""
        code = self._process.poll()
        with_code = "" if code is None else f" (exit code {code})"
        return ChildDiedError(f"{self.name} {what}{with_code}.", f"The end of {self.log}:\n{self.tail()}")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`, looking every 10 ms.

        Raises:
            ChildDiedError: the process ended first, or is not ready after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise self.death("ended before it served")
            if time.monotonic() > deadline:
                raise self.death(f"does not serve after {seconds:g} s")
            time.sleep(0.01)

    def terminate(self) -> None:
        """Ask it to end, without waiting."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGTERM)

    def stop(self, seconds: float = 4.0) -> None:
        """End the whole group: SIGTERM, and SIGKILL to what is left after `seconds`. Safe to call twice."""
        if self.alive:
            self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        # Also when the leader is gone: its own children may have stayed.
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._reader is not None:
            self._reader.join(1.0)
        if self._process.stdout is not None:
            self._process.stdout.close()
        with contextlib.suppress(OSError):
            _tell_guard(f"del {self.pid}")

    def _copy(self) -> None:
        assert self._process.stdout is not None
        assert self._echo is not None
        with self.log.open("ab") as log, contextlib.suppress(ValueError):
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                self._echo(line.decode(errors="replace").rstrip("\n"))
