"""What `make up` prints: colour or none, the conversation, what is left out, and when a host starts again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from devstack import conversation, up
from devstack.colours import RED, Paint, wanted
from devstack.conversation import Conversation
from devstack.demo import others
from devstack.errors import ChildDiedError
from devstack.restarts import Keeper
from devstack.telling import words_of

EMULATOR, APP = "http://127.0.0.1:1", "http://127.0.0.1:2"


class Terminal:
    """A stream that may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environ", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_whose_owner_has_not_said_no(
    terminal: bool, environ: dict[str, str], expected: bool
) -> None:
    assert wanted(Terminal(terminal=terminal), environ) is expected


def test_paint_that_is_off_leaves_texts_as_they_are() -> None:
    assert (Paint(on=False)("text", RED), Paint(on=True)("text", RED)) == ("text", "\x1b[31mtext\x1b[0m")


# The conversation


def entry(what: str, text: str = "", *, who: str = "app", call: str = "c-1", party: str = "") -> dict[str, Any]:
    return {"n": 1, "at": 0.5, "call": call, "who": who, "what": what, "text": text, "party": party}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lines of two calls, one of which the app knows."""
    lines: list[str] = []

    def get(url: str, **query: str) -> Any:
        if url.endswith("/state"):
            return {"calls": [{"id": "c-1", "correlationId": "co-1"}, {"id": "c-2", "correlationId": "co-2"}]}
        assert url == f"{APP}/api/calls"
        return {"calls": [{"id": "app-1"}] if query["correlation_id"] == "co-1" else []}

    monkeypatch.setattr(conversation.Conversation, "_get", staticmethod(get))
    one = Conversation(EMULATOR, APP, lines.append, Paint(on=False))
    one.tell(entry("calls", "+14255550123 calls +18005550199", who="phone", party="+14255550123"))
    one.tell(entry("plays", "<speak><voice>Good\nday</voice></speak>"))
    one.tell(entry("answers", call="c-2"))
    one.tell(entry("ends", who="service"))
    one.tell(entry("ends", who="service", call="c-2"))
    return [re.sub(r"^\d\d:\d\d:\d\d", "hh:mm:ss", line) for line in lines]


def test_each_call_has_a_number_and_the_address_of_its_page_at_its_end(told: list[str]) -> None:
    assert told == [
        "",
        "hh:mm:ss   1  +14255550123  calls      +14255550123 calls +18005550199",
        "hh:mm:ss   1  app           plays      Good day",
        "",
        "hh:mm:ss   2  app           answers",
        "hh:mm:ss   1  service       ends",
        f"hh:mm:ss   1                see        {APP}/api/console/calls/app-1",
        "hh:mm:ss   2  service       ends",
        "hh:mm:ss   2                the app has no call of it",
    ]


def test_what_is_said_moves_no_cursor() -> None:
    assert words_of(entry("says", "a\x1b[2Jb\rc")) == "a [2Jb c"


# What the services print


@pytest.mark.parametrize(
    ("service", "line", "verbose", "shown"),
    [
        ("azurite", "anything", True, False),
        ("host", "[2026-11-28T10:00:00.000Z] closed call=1 outcome=completed", False, True),
        ("host", "[2026-11-28T10:00:00.000Z] flow bakery says call=1: sold out", False, True),
        ("host", "[2026-11-28T10:00:00.000Z] reported recording=20261128-7c report", False, True),
        ("host", "[2026-11-28T10:00:00.000Z] advanced PlayCompleted call=1", False, False),
        ("host", "[2026-11-28T10:00:00.000Z] claimed IncomingCall call=1 answer by rule 'x'", False, False),
        ("host", "[2026-11-28T10:00:00.000Z] failed PlayCompleted call=1", False, True),
        ("host", "[2026-11-28T10:00:00.000Z] registered RecordingFileStatusUpdated recording=2 files=1", False, False),
        ("host", "[2026-11-28T10:00:00.000Z] archived recording=20261128-7c chunk=0", False, False),
        ("host", "[…] flow bakery failed call=1: NameError", False, True),
        ("host", "[…] Executing 'Functions.health' (Reason='x')", False, False),
        ("host", "[…] Executed 'Functions.health' (Succeeded, Id=1)", False, False),
        ("host", "[…] Executed 'Functions.health' (Failed, Id=1)", False, True),
        ("host", "[…] Executing 'Functions.health' (Reason='x')", True, True),
        ("host", "Listening on http://127.0.0.1:7071", False, False),
        ("emulator", "Certificate: /home/ada/localhost.pem", False, False),
        ("emulator", "10:00:00 WARNING  a callback failed", False, True),
    ],
)
def test_a_line_of_a_service_is_shown_if_it_says_something_of_the_calls(
    service: str, line: str, verbose: bool, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    up._Echo(Paint(on=False), verbose=verbose)(service, line)
    assert capsys.readouterr().out == (f"{service:>8} | {line}\n" if shown else "")


# When a host starts again


class Child:
    def __init__(self, name: str) -> None:
        self.name = name

    def death(self) -> ChildDiedError:
        return ChildDiedError(f"{self.name} ended by itself (exit code -9).", "The end of its log")


class Stack:
    """What the keeper asks of a stack."""

    def __init__(self) -> None:
        self.dead: list[Child] = []
        self.fails = False
        self.did: list[str] = []

    def check(self, *, restarted: bool = False) -> None:
        assert restarted

    def ended(self) -> list[Child]:
        return self.dead

    def revive(self) -> None:
        self.did.append("revive")
        self.dead = []

    def stop_hosts(self) -> None:
        self.did.append("stop")

    def start_hosts(self) -> None:
        self.did.append("start")
        if self.fails:
            raise ChildDiedError("host ended before it served (exit code 1).", "Traceback …")


@pytest.fixture
def stack() -> Stack:
    return Stack()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keeper(stack: Stack, said: list[str], tmp_path: Path) -> Keeper:
    return Keeper(stack, tmp_path, said.append, reload=True)  # type: ignore[arg-type]


def test_a_host_that_ends_is_started_again(keeper: Keeper, stack: Stack, said: list[str]) -> None:
    stack.dead = [Child("host")]
    keeper.look([])
    keeper.look([])
    assert stack.did == ["revive"]
    assert said == [
        "host ended by itself (exit code -9). It starts again.",
        "It is up again, and the storage has stayed.",
    ]


def test_a_host_that_ends_three_times_in_half_a_minute_waits_for_a_change(
    keeper: Keeper, stack: Stack, said: list[str]
) -> None:
    for _ in range(5):
        stack.dead = [Child("host")]
        keeper.look([])
    assert stack.did == ["revive", "revive"]
    assert said[-1] == "It has ended 3 times in 30 s. Waiting for the next change."
    keeper.look(["flows/bakery.py"])
    assert stack.did == ["revive", "revive", "stop", "start"]
    assert said[-1] == "The host is up again."


def test_an_app_that_does_not_start_after_a_change_waits_for_the_next_without_its_log_twice(
    keeper: Keeper, stack: Stack, said: list[str]
) -> None:
    stack.fails = True
    keeper.look(["flows/bakery.py"])
    assert said == [
        "bakery.py changed: the host starts again.",
        "host ended before it served (exit code 1). See above. Waiting for the next change.",
    ]
    stack.dead = [Child("host")]
    keeper.look([])
    assert stack.did == ["stop", "start", "stop"]


# The demos


def test_every_demo_has_a_sentence() -> None:
    assert {"crash", "reminders", "outreach", "masking", "click", "order", "handoff"} <= set(others())
    assert [one for one in others().values() if not re.fullmatch(r"[A-Z].{20,120}\.", one)] == []
