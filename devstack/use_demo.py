"""What the demos of use cases have in common: requests to the app, the conversation as it happens, the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from devstack.errors import DevstackError
from devstack.stack import Stack
from devstack.telling import get, line


class Watched:
    """A stack whose conversation is printed as it goes on."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._last = 0

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """A request to the app's HTTP API, whatever the response is."""
        return requests.request(method, f"{self.stack.base_url}/api{path}", json=body, headers=headers, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of a response. DevstackError if the request is refused."""
        response = self.send(method, path, body, headers)
        if response.status_code >= 400:
            raise DevstackError(f"{method} {path} was answered {response.status_code}: {response.text[:300]}")
        return response.json() if response.content else None

    def tell(self, wait: float = 0) -> None:
        """Print what has happened since the last time.

        Args:
            wait: seconds to wait for something, if there is nothing.
        """
        for entry in get(self.stack, f"/emulator/timeline?after={self._last}&wait={wait:g}")["entries"]:
            self._last = entry["n"]
            print(f"{str(entry.get('party') or '')[-4:]:<4} {line(entry)}", flush=True)

    def until(self, what: str, done: Callable[[], Any], seconds: float = 60) -> Any:
        """Print what happens until something is so; what it is then. DevstackError if that takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.tell(1)
            if found := done():
                self.tell()
                return found
        raise DevstackError(f"Not within {seconds:.0f} s: {what}. See the logs in .switchboard/logs.")


def verdict(problems: Sequence[str], what: str) -> int:
    """Say what is not as scripted; the exit code."""
    for problem in problems:
        print(f"NOT AS SCRIPTED: {problem}")
    if not problems:
        print(f"\n{what} went as scripted.")
    return 1 if problems else 0
