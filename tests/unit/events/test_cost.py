"""The parser stands on the way to every answer: what it costs is part of its interface."""

import subprocess
import sys
from pathlib import Path
from time import process_time
from timeit import repeat
from typing import Any

import pytest

from shared.events import parse_callbacks, parse_event_grid
from tests.unit.events.samples import INCOMING, body, callback, grid_event

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (parse_callbacks, body(callback("PlayCompleted", operationContext="op-1"))),
        (parse_event_grid, body(grid_event("IncomingCall", INCOMING | {"incomingCallContext": "x" * 8000}))),
    ],
)
def test_one_event_is_parsed_in_well_under_150_microseconds(parse: Any, raw: bytes) -> None:
    parse(raw)  # the model is built at the first event
    assert min(repeat(lambda: parse(raw), number=200, repeat=5, timer=process_time)) / 200 < 150e-6


def test_importing_the_events_needs_nothing_but_pydantic() -> None:
    code = (
        "import sys, shared.events\n"
        "heavy = {'azure', 'requests', 'yaml', 'hypothesis', 'jsonschema', 'aiohttp'} & set(sys.modules)\n"
        "ours = {m for m in sys.modules if m.startswith('shared.')}\n"
        "assert not heavy, heavy\n"
        "used = ('shared.events', 'shared.errors', 'shared.identifiers', 'shared.plain_json')\n"
        "assert all(m.startswith(used) for m in ours), ours\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
