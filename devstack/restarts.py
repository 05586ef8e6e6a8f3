"""When the hosts of `make up` start again: when the app changes, and when one ends by itself. The storage stays."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from devstack.errors import ChildDiedError
from devstack.process import ChildProcess
from devstack.stack import Stack

_SUFFIXES = (".py", ".yaml", ".yml")
_FILES = ("host.json", "local.settings.json")
_NOT_THE_APP = ("node_modules", "tests", "docs", "bench", "tools", "emulator", "devstack", "__pycache__")
_MOST_DEATHS, _DEATHS_WITHIN = 3, 30.0
"""A host that ends so often within so many seconds does so by itself: it waits for a change of the app (our choice)."""


def watched(root: Path) -> list[Path]:
    """Folders of the app: those at the top that are neither tools nor dependencies."""
    return sorted(
        folder
        for folder in root.iterdir()
        if folder.is_dir() and not folder.name.startswith(".") and folder.name not in _NOT_THE_APP
    )


def matters(path: str) -> bool:
    """Whether a change of this file concerns the app."""
    name = Path(path).name
    return name in _FILES or (name.endswith(_SUFFIXES) and not name.startswith("."))


def _top_files(root: Path) -> dict[str, int]:
    """Times of the app's files at the top; watching the top itself would watch `node_modules` too."""
    return {str(path): path.stat().st_mtime_ns for path in root.iterdir() if path.is_file() and matters(path.name)}


class Keeper:
    """Keeps the hosts up: starts them again when the app changes, and when one ends by itself.

    Args:
        reload: whether a change of the app matters.
        say: prints a line.
    """

    def __init__(self, stack: Stack, root: Path, say: Callable[[str], None], *, reload: bool) -> None:
        self._stack = stack
        self._root = root
        self._say = say
        self._reload = reload
        self._before = _top_files(root)
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)
        self._waits_for_change = False

    def look(self, changed: Iterable[str]) -> None:
        """Look once, after these files changed. ChildDiedError if what is not started again has ended."""
        self._stack.check(restarted=True)
        after = _top_files(self._root)
        top = {path for path in self._before.keys() | after.keys() if self._before.get(path) != after.get(path)}
        names = {Path(path).name for path in {*changed, *top}}
        self._before = after
        if names and self._reload:
            self._say(f"{', '.join(sorted(names))} changed: the host starts again.")
            self._stack.stop_hosts()
            self._start(self._stack.start_hosts, "The host is up again.")
        elif not self._waits_for_change and (ended := self._stack.ended()):
            self._revive(ended)

    def _revive(self, ended: Sequence[ChildProcess]) -> None:
        for child in ended:
            self._say(f"{child.death().headline} It starts again.")
        self._deaths.append(time.monotonic())
        if len(self._deaths) == _MOST_DEATHS and self._deaths[-1] - self._deaths[0] < _DEATHS_WITHIN:
            self._say(f"It has ended {_MOST_DEATHS} times in {_DEATHS_WITHIN:.0f} s. Waiting for the next change.")
            self._waits_for_change = True
            return
        self._start(self._stack.revive, "It is up again, and the storage has stayed.")

    def _start(self, start: Callable[[], None], done: str) -> None:
        try:
            start()
        except ChildDiedError as error:
            self._stack.stop_hosts()
            self._say(f"{error.headline} See above. Waiting for the next change.")
            self._waits_for_change = True
        else:
            self._waits_for_change = False
            self._say(done)


def stay(stack: Stack, root: Path, say: Callable[[str], None], *, reload: bool) -> None:
    """Watch the services and the app's files; returns when a signal or a death ends it."""
    from watchfiles import watch

    keeper = Keeper(stack, root, say, reload=reload)
    changes = watch(
        *(watched(root) or [root]),
        watch_filter=lambda change, path: matters(path),
        rust_timeout=300,
        yield_on_timeout=True,
        debounce=200,
        raise_interrupt=True,
    )
    for changed in changes:
        keeper.look(path for _, path in changed)
