"""What `make up` shows of each call while it goes on: who says and does what, and where its page is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import requests

from devstack.colours import BLUE, BOLD, CYAN, DIM, GREEN, MAGENTA, RED, YELLOW, Paint
from devstack.telling import words_of

_WAIT_SECONDS = 5
_PARTY = len("+14255550123")
_OF_CALLS = (BLUE, MAGENTA, YELLOW, CYAN)
"""Colours of the numbers of calls, in turn."""
_OF_SPEAKERS = {"app": (CYAN,), "phone": (GREEN,), "service": (DIM,)}
_FAILURES = ("could not connect", "cannot play", "cannot export the recording", "makes no file")
KEY_SETTING = "DEVSTACK_FUNCTION_KEY"


class Conversation:
    """Prints what happens on the emulator's calls, a line each, from a thread of its own; a context manager.

    Each call has a number, counted from 1, and an empty line before its first line.

    Args:
        emulator_url, base_url: of the emulator and of the app.
        say: prints a line.
        paint: colours a text.
    """

    def __init__(self, emulator_url: str, base_url: str, say: Callable[[str], None], paint: Paint) -> None:
        self._emulator_url = emulator_url
        self._base_url = base_url
        self._say = say
        self._paint = paint
        self._numbers: dict[str, int] = {}
        self._correlations: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="conversation", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()

    def _follow(self) -> None:
        last = 0
        while not self._stopping.is_set():
            try:
                found = self._get(f"{self._emulator_url}/emulator/timeline?after={last}&wait={_WAIT_SECONDS}")
            except requests.RequestException:
                # The emulator ends, or has ended: whoever watches the services says so.
                self._stopping.wait(1)
                continue
            for entry in found["entries"]:
                last = entry["n"]
                self.tell(entry)

    def tell(self, entry: Mapping[str, Any]) -> None:
        """Print an entry of the emulator's timeline."""
        call = entry["call"]
        if call not in self._numbers:
            self._numbers[call] = len(self._numbers) + 1
            self._say("")
            self._correlations[call] = self._correlation_of(call)
        failed = entry["what"] in _FAILURES
        self._line(call, entry["who"], f"{entry['what']:<10} {words_of(entry)}", str(entry["party"]), failed=failed)
        if (entry["who"], entry["what"]) == ("service", "ends"):
            self._line(call, "", self._end_of(call))

    def _line(self, call: str, who: str, text: str, party: str = "", *, failed: bool = False) -> None:
        number = self._numbers[call]
        at = self._paint(f"{datetime.now():%H:%M:%S}", DIM)
        tag = self._paint(f"{number:>3}", BOLD, _OF_CALLS[number % len(_OF_CALLS)])
        colour = (RED,) if failed else _OF_SPEAKERS.get(who, ())
        speaker = party[-_PARTY:] if who == "phone" and party else who
        self._say(f"{at} {tag}  {self._paint(f'{speaker:<{_PARTY}}  {text}'.rstrip(), *colour)}")

    def _correlation_of(self, call: str) -> str:
        """The id that emulator and app both know a call by; empty if it is over already."""
        try:
            calls = self._get(f"{self._emulator_url}/emulator/state")["calls"]
        except requests.RequestException:
            return ""
        return next((str(one["correlationId"]) for one in calls if one["id"] == call), "")

    def _end_of(self, call: str) -> str:
        """Where the call's page is; for several that the app has of one conversation, that of each."""
        correlation = self._correlations.pop(call)
        try:
            found = self._get(f"{self._base_url}/api/calls", correlation_id=correlation)["calls"] if correlation else []
        except requests.RequestException as error:
            return f"the app does not say what became of it: {error}"
        pages = [f"{self._base_url}/api/console/calls/{one['id']}" for one in found]
        return f"see        {' '.join(pages)}" if pages else "the app has no call of it"

    @staticmethod
    def _get(url: str, **query: str) -> Any:
        key = os.environ.get(KEY_SETTING)
        headers = {"x-functions-key": key} if key else {}
        response = requests.get(url, params=query, headers=headers, timeout=_WAIT_SECONDS + 10)
        response.raise_for_status()
        return response.json()
