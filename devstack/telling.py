"""What demos ask of the emulator, and what it tells."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from devstack.errors import DevstackError
from devstack.stack import Stack


def get(stack: Stack, path: str) -> dict[str, Any]:
    """Something of the emulator's control API."""
    response = requests.get(stack.emulator_url + path, timeout=30)
    response.raise_for_status()
    return dict(response.json())


def post(stack: Stack, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Ask something of the emulator's control API."""
    response = requests.post(stack.emulator_url + path, json=body, timeout=30)
    response.raise_for_status()
    return dict(response.json())


def timeline(stack: Stack, seconds: float, after: int = 0) -> Iterator[dict[str, Any]]:
    """The emulator's entries as they come, until no call is up. DevstackError if that takes longer.

    Args:
        after: the number of the last entry that was seen; there has to come another.
    """
    last, deadline = after, time.monotonic() + seconds
    while time.monotonic() < deadline:
        for entry in get(stack, f"/emulator/timeline?after={last}&wait=5")["entries"]:
            last = entry["n"]
            yield entry
        if last > after and not get(stack, "/emulator/state")["calls"]:
            return
    raise DevstackError(f"The call was not over after {seconds:.0f} s. See the logs in .switchboard/logs.")


def line(entry: dict[str, Any]) -> str:
    """An entry, as demos print it."""
    return f"{entry['at']:7.2f} s  {entry['who']:<8} {entry['what']:<13} {words_of(entry)}".rstrip()


def words_of(entry: Mapping[str, Any]) -> str:
    """What was said, or whom it is about, in one line: SSML without its markup, and nothing that moves the cursor."""
    text = str(entry["text"])
    words = re.sub(r"<[^>]*>", "", text) if text.startswith("<speak") else text
    return "".join(character if character.isprintable() else " " for character in words)


def bad_deliveries(stack: Stack) -> list[str]:
    """Events that the app did not take in the end."""
    problems = []
    for delivery in get(stack, "/emulator/deliveries")["deliveries"]:
        statuses = [attempt.get("status") for attempt in delivery["attempts"]]
        if not statuses or statuses[-1] not in (200, 202, 204):
            problems.append(f"{delivery['type']} was answered {statuses}")
    return problems
