"""Ends the services when the process that started them is gone, however it went.

A process of its own, in its own session, reads from a pipe whose other end only the parent holds. The parent writes
`add PGID` and `del PGID` lines; at the end of the input, which the kernel gives even after SIGKILL, the guard ends the
process groups that are left. Chosen over PR_SET_PDEATHSIG because that is Linux only, and fires when the *thread*
that started the child ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

# How long a service has to end by itself after the parent's death, in seconds.
GRACE = 1.5


def _signal(groups: set[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, number)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def main() -> None:
    """Read lines until the parent is gone, then end what it left."""
    groups: set[int] = set()
    for line in sys.stdin:
        verb, _, number = line.partition(" ")
        if verb == "add":
            groups.add(int(number))
        else:
            groups.discard(int(number))
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(_alive(group) for group in groups):
        time.sleep(0.05)
    _signal(groups, signal.SIGKILL)


if __name__ == "__main__":
    # A Ctrl-C is for the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
