"""A contact centre: a caller by direct routing, one whom nobody takes, and one who is called back."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from devstack.errors import DevstackError
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from devstack.telling import bad_deliveries, line, post, timeline
from devstack.up import CHECKED

LINE, CENTRE = "+18005550199", "+12065550113"
ADA, GRETE, BOB = "+14255550123", "+14255550124", "+14255550125"
SPEED = 2.0
CALL_SECONDS, MESSAGE_SECONDS = 60.0, 30.0
LEAD = timedelta(seconds=15)
"""What a caller needs to key in a time, before it is past."""

ROUTES = f"""rules:
- name: the service line
  to: "{LINE}"
  answer: handoff
- reject: none
"""
ALWAYS = {"zone": "UTC", "weekly": {"mon-sun": "00:00-24:00"}}

FROM_THE_SBC = {"sipHeaders": {"X-MS-Custom-Customer": "C-4711", "X-MS-Custom-Branch": "north"}}
ADAS_SCRIPT: list[dict[str, Any]] = [
    {"when": "asked", "after": 1.0, "press": "0"},
    {"when": "asked", "after": 1.0, "say": "my invoice is wrong"},
    {"when": "joined", "after": 4.0, "say": "Hello, it is about my invoice."},
    {"after": 1.0, "hangUp": True},
]
GRETES_SCRIPT: list[dict[str, Any]] = [
    {"when": "asked", "after": 1.0, "press": "5"},
    {"when": "asked", "after": 1.0, "press": "0"},
    {"when": "asked", "after": 1.0, "press": "0"},
    {"when": "asked", "after": 1.0, "press": "1"},
    {
        "when": "prompt ended",
        "after": 1.0,
        "say": "Hier ist Grete Sommer. Meine Lieferung ist nicht angekommen, bitte rufen Sie mich zurück, am besten "
        "am Vormittag. Meine Nummer haben Sie ja.",
    },
    {"after": 1.0, "press": "#"},
]
CALLED_BACK_SCRIPT: list[dict[str, Any]] = [
    {"when": "asked", "after": 1.0, "press": "1"},
    {"when": "joined", "after": 4.0, "say": "Thank you for calling back."},
    {"after": 1.0, "hangUp": True},
]
EXPECTED = {"calls": 3, "handed_off": 1, "not_answered": 1, "messages": 1, "call_backs": 1, "called_back": 2, "left": 0,
            "messages_waiting": 0, "call_backs_waiting": 0, "closed": 0, "not_reached": 0, "replaced": 0}  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if every call, case and figure came out as scripted."""
    started = time.monotonic()
    print("Starting Azurite, the emulator and a Functions host …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        routing = Path(folder) / "routing.yaml"
        routing.write_text(ROUTES, "utf-8")
        environment = {
            **CHECKED,
            "ROUTING_FILE": str(routing),
            "HANDOFF_NUMBER": CENTRE,
            "HANDOFF_CALENDAR": "office",
        }
        events = (INCOMING_CALL, RECORDING_FILE)
        with Stack(
            app_root=given.app_root, quiet=True, speed=SPEED, subscriptions=events, environment=environment
        ) as stack:
            print(
                f"Up after {time.monotonic() - started:.1f} s. {LINE} is the service line, {CENTRE} the contact centre."
            )
            problems = _Demo(stack).play()
            problems += bad_deliveries(stack)
    for problem in problems:
        print(f"NOT AS SCRIPTED: {problem}")
    if not problems:
        print(f"All calls went as scripted, in {time.monotonic() - started:.0f} s.")
    return 1 if problems else 0


class _Demo:
    """The four calls, and what is asked of the app between them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._seen = 0
        self._problems: list[str] = []

    def play(self) -> list[str]:
        """Everything in order; what was not as scripted."""
        self._api("PUT", "/calendars/office", ALWAYS)
        due = self._ask_for_a_call()
        self._hand_over()
        self._leave_a_message()
        self._call_back(due)
        figures = self._api("GET", "/handoff/figures")
        print("\nThe figures of today:")
        for name, count in figures.items():
            print(f"  {name.replace('_', ' '):<20} {count}")
        self._expect("the figures", figures, EXPECTED)
        return self._problems

    def _ask_for_a_call(self) -> datetime:
        due = (datetime.now(UTC) + LEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
        self._title(f"{BOB} asks to be called back at {due:%H:%M}")
        keys = ("2", "2", f"{due:%H%M}", "1")
        script: list[dict[str, Any]] = [{"when": "asked", "after": 1.0, "press": one} for one in keys]
        self._ring(BOB, script)
        listed = self._until("call_back", 1)["cases"]
        self._expect("the time", [datetime.fromisoformat(one["call_back_at"]) for one in listed], [due])
        return due

    def _hand_over(self) -> None:
        self._title(f"{ADA} comes by direct routing, with headers, and is handed over")
        entries = self._ring(ADA, ADAS_SCRIPT, customContext=FROM_THE_SBC)
        headers = next((one["text"] for one in entries if one["what"] == "gets SIP headers"), "")
        case = re.search(r"X-MS-Custom-Case: ([0-9a-f]{40})", headers)
        if case is None or f"{case[1]};encoding=hex" not in headers:
            self._problems.append(f"the contact centre got the headers {headers!r}")
            return
        print("\nThe contact centre asks who that is: GET /api/cases/" + case[1])
        found = self._api("GET", f"/cases/{case[1]}")
        shown = {name: found[name] for name in ("caller", "said", "keyed", "context", "state")}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        self._expect("what was said and keyed", (found["said"], found["keyed"]), ("my invoice is wrong", "C-4711"))
        self._expect("the caller", found["caller"], ADA)

    def _leave_a_message(self) -> None:
        self._title(f"{GRETE} speaks German; the contact centre does not answer, so she leaves a message")
        post(self._stack, "/emulator/phones", {"number": CENTRE, "behaviour": "noAnswer"})
        self._ring(GRETE, GRETES_SCRIPT, locale="de-DE")
        post(self._stack, "/emulator/phones", {"number": CENTRE, "behaviour": "contactCentre"})
        for message in self._until("message", 1)["cases"]:
            case = self._with_files(message["id"])
            print(
                f"\nGET /api/cases?state=message lists it: {case['message_seconds']} s, recording {case['recording']},"
            )
            print(f"files {', '.join(one['name'].rpartition('/')[2] for one in case['files'])}.")
            marked = self._api("POST", f"/cases/{message['id']}/called-back", {"by": "Ada"})
            print(f"POST /api/cases/…/called-back: {marked['state']}, by {marked['done_by']}.")

    def _call_back(self, due: datetime) -> None:
        wait = (due - datetime.now(UTC)).total_seconds()
        self._title(f"At {due:%H:%M} the app calls {BOB}" + (f" (in {wait:.0f} s)" if wait > 1 else ""))
        post(self._stack, "/emulator/phones", {"number": BOB, "afterSeconds": 1.0, "script": CALLED_BACK_SCRIPT})
        time.sleep(max(0.0, wait + 1))
        with contextlib.suppress(requests.RequestException):  # the timer does the same within the minute
            requests.post(f"{self._stack.host_urls[0]}/admin/functions/use_case_times", json={"input": ""}, timeout=10)
        entries = list(self._told())
        self._expect("the call back was connected", any(one["what"] == "gets SIP headers" for one in entries), True)
        done = [one for one in self._until("called_back", 2)["cases"] if one["done_by"] == "switchboard"]
        self._expect("calls back by the app", [one["call_backs"] for one in done], [1])

    # What all of them do

    def _title(self, words: str) -> None:
        print(f"\n── {words}\n", flush=True)

    def _ring(self, caller: str, script: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        """Somebody calls the service line; what happens until all have hung up."""
        post(self._stack, "/emulator/calls", {"from": caller, "to": LINE, "script": script, **more})
        return list(self._told())

    def _told(self) -> Iterator[dict[str, Any]]:
        for entry in timeline(self._stack, CALL_SECONDS, after=self._seen):
            self._seen = entry["n"]
            print(line(entry), flush=True)
            yield entry

    def _with_files(self, case_id: str) -> Mapping[str, Any]:
        """A case, once its message has been fetched."""
        deadline = time.monotonic() + MESSAGE_SECONDS
        while time.monotonic() < deadline:
            case: dict[str, Any] = self._api("GET", f"/cases/{case_id}")
            if any(one["name"].endswith(".wav") for one in case["files"]):
                return case
            time.sleep(0.5)
        raise DevstackError(f"The message was not fetched within {MESSAGE_SECONDS:.0f} s. See .switchboard/logs.")

    def _until(self, state: str, count: int) -> Mapping[str, Any]:
        """The cases in a state, once there are so many: a call is closed a moment after its end."""
        deadline = time.monotonic() + MESSAGE_SECONDS
        while True:
            found: dict[str, Any] = self._api("GET", f"/cases?state={state}")
            if len(found["cases"]) >= count or time.monotonic() > deadline:
                self._expect(f"cases that are {state}", len(found["cases"]), count)
                return found
            time.sleep(0.5)

    def _api(self, method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, f"{self._stack.base_url}/api{path}", json=body, timeout=30)
        if not response.ok:
            raise DevstackError(f"{method} /api{path}: {response.status_code} {response.text}")
        return response.json()

    def _expect(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            self._problems.append(f"{what}: {found!r}, not {expected!r}")
