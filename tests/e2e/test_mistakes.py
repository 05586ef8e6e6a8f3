"""The ten usual mistakes of flow authors, on calls of the local stack as `make up` runs it: what the terminal says, and
what the call says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import devstack.deployed
from devstack.stack import Stack
from devstack.up import CHECKED
from tests.e2e.line import APOLOGY, Line, words
from tests.fixtures.app import FOLDER

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-mistakes")]

HEAD = '''"""Flows that go wrong."""

import asyncio
import datetime
import logging
import random
import socket
import time

from shared.calls import Call, CallError, flow

'''


class Mistake(NamedTuple):
    """A flow that makes one, and what its author is told."""

    name: str
    body: str
    error: str
    remedy: str


MISTAKES = (
    Mistake("awaits", "await asyncio.sleep(0)", "ForeignAwait", "call.sleep"),
    Mistake("sleeps", "time.sleep(1)", "NotDeterministic", "call.sleep"),
    Mistake("clock", "await call.play(f'It is {datetime.datetime.now()}')", "NotDeterministic", "call.now"),
    Mistake("chance", "await call.play(str(random.randint(1, 6)))", "NotDeterministic", "call.run"),
    Mistake("network", "socket.create_connection(('127.0.0.1', 9))", "NotDeterministic", "call.run"),
    Mistake("logs", "logging.getLogger('switchboard.mine').warning('hello')", "NotDeterministic", "call.log"),
    Mistake("forgets", "call.play('Goodbye.')", "ForgottenAwait", "await call.play"),
    Mistake("result", "await call.run(datetime.date.fromisoformat, '2026-11-27')", "RunFailed", ""),
    Mistake("arguments", "await call.play(' ')", "InvalidInput", "Give the words"),
    Mistake("endless", "while True: call.signal('x').done", "EndlessLoop", "call.sleep"),
)
FLOWS = HEAD + "\n\n".join(
    f'@flow("{one.name}")\nasync def {one.name}(call: Call) -> None:\n    """Makes a mistake."""\n    {one.body}\n'
    for one in MISTAKES
)
NUMBERS = {one.name: f"+180055502{place:02d}" for place, one in enumerate(MISTAKES)}
ROUTES = "rules:\n" + "\n".join(f'  - {{name: {name}, to: "{to}", answer: {name}}}' for name, to in NUMBERS.items())


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder: Path = devstack.deployed.deployed(tmp_path_factory.mktemp("app"), {"mistakes": FLOWS}, ROUTES, own=FOLDER)
    environment = {**CHECKED, "FALLBACK_PROMPT": APOLOGY}
    with Stack(app_root=folder, host="own", speed=10, seed=7, quiet=True, environment=environment) as stack:
        yield Line(stack)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[one.name for one in MISTAKES])
def test_a_mistake_is_told_in_the_call_and_on_the_terminal_with_its_line_and_a_remedy(
    mistaken: Line, mistake: Mistake
) -> None:
    document = mistaken.end(mistaken.call(NUMBERS[mistake.name]))
    failure = document["failure"]
    assert (document["outcome"], words(document)[-1]) == ("failed", APOLOGY)
    assert failure["error"].startswith(mistake.error)
    assert failure["where"].startswith("flows/mistakes.py:")
    assert failure["line"] in mistake.body
    assert mistake.remedy in failure.get("remedy", "")
    terminal = "".join(path.read_text(errors="replace") for path in mistaken.stack.logs.glob("host*.log"))
    (told,) = [line for line in terminal.splitlines() if f"flow {mistake.name} failed" in line]
    assert failure["where"] in told
    assert mistake.error in told
