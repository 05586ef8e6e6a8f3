"""What the machine is doing while something is measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

from devstack.process import ChildProcess
from devstack.stack import Stack

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """Processor time of a stack's processes from now on."""

    def __init__(self, stack: Stack) -> None:
        self._groups: dict[str, list[ChildProcess]] = {
            "emulator": [stack.emulator] if stack.emulator else [],
            "hosts": list(stack.hosts),
            "Azurite": [stack.azurite.process] if stack.azurite else [],
            "front": [stack.front] if stack.front else [],
        }
        self._from = {name: _seconds(group) for name, group in self._groups.items()}
        self._idle = _idle()
        self._began = time.monotonic()

    def told(self) -> str:
        """Shares of one core, in words: `emulator 40 %, hosts 61 %, Azurite 30 %; machine 80 % of 2 cores`."""
        seconds = max(time.monotonic() - self._began, 0.001)
        shares = {name: (_seconds(group) - self._from[name]) / seconds for name, group in self._groups.items() if group}
        cores = os.cpu_count() or 1
        machine = 1 - (_idle() - self._idle) / seconds / cores
        parts = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        return f"{parts}; machine {machine:.0%} of {cores} cores"


def _seconds(group: list[ChildProcess]) -> float:
    """User and system time of these processes; 0 where /proc is missing."""
    total = 0
    for child in group:
        try:
            fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def _idle() -> float:
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return 0.0
    return (int(fields[4]) + int(fields[5])) / _TICKS
