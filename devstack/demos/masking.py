"""Masked numbers: a buyer and a seller call each other about an order, and neither learns the other's number."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from devstack.deployed import deployed
from devstack.errors import DevstackError
from devstack.stack import INCOMING_CALL, Stack
from devstack.telling import bad_deliveries, get, line, post, timeline
from devstack.up import CHECKED

BUYER, SELLER = "+14255550123", "+14255550142"
POOL = ("+18005550171", "+18005550172")
SPEED = 4.0
CALL_SECONDS = 40.0
"""How long one act may take, in real seconds."""
LINES = "country: US\nnumbers:\n" + "".join(
    f'  - {{number: "{number}", label: masked {at}, uses: [masking], called_back: masking}}\n'
    for at, number in enumerate(POOL, 1)
)
ROUTES = "rules:\n  - name: nobody else is expected\n    reject: forbidden\n"
Script = list[dict[str, Any]]
TALKS: Script = [{"when": "joined"}, {"after": 8.0, "say": "Hello, when can I have it?"}]
ANSWERS: Script = [
    {"when": "prompt ended"},
    {"after": 11.0, "say": "Tomorrow at ten."},
    {"after": 1.0, "hangUp": True},
]
LISTENS: Script = []
EXPECTED = ("connected", "connected", "connected", "joined", "connected", "closed")
"""How the calls of the session ended, in the order in which they began."""


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if all went as scripted."""
    started = time.monotonic()
    print("Starting Azurite, the emulator and a Functions host …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        app = deployed(Path(folder), {}, ROUTES, own=given.app_root, app=given.app_root)
        (app / "lines.yaml").write_text(LINES)
        with Stack(app_root=app, subscriptions=(INCOMING_CALL,), environment=CHECKED, speed=SPEED) as stack:
            print(f"Up after {time.monotonic() - started:.1f} s. The app has two masked numbers, {' and '.join(POOL)}.")
            problems = [*_Story(stack).tell(), *bad_deliveries(stack)]
    for problem in problems:
        print(f"NOT AS SCRIPTED: {problem}")
    if not problems:
        print("All calls went as scripted.")
    return 1 if problems else 0


class _Story:
    """The acts, and what was not as it should be."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._seen = 0
        self._http = requests.Session()
        self._http.headers["x-functions-key"] = "a-function-key"

    def tell(self) -> list[str]:
        """All of them, one after the other."""
        asked = {"a": BUYER, "b": SELLER, "label": "order 4711", "expires_in": 86_400, "record": True}
        session = self._ask("POST", "masking/sessions", asked, {"Idempotency-Key": "order-4711"})
        again = self._ask("POST", "masking/sessions", asked, {"Idempotency-Key": "order-4711"})
        for_a, for_b = session["number_for_a"], session["number_for_b"]
        print(f"The shop opens a session: the buyer ({BUYER}) calls {for_a}, the seller ({SELLER}) calls {for_b}.")

        self._phone(SELLER, "answer", ANSWERS)
        self._act("The buyer calls.", [(BUYER, for_a, TALKS)])
        self._phone(BUYER, "answer", ANSWERS)
        self._act("The seller calls back.", [(SELLER, for_b, TALKS)])
        keys = [{"when": "asked"}, {"after": 1.0, "press": session["pin_for_b"]}, *TALKS]
        self._act("The seller calls without a number, and has the PIN.", [("anonymous", for_b, keys)])
        self._phone(SELLER, "noAnswer", LISTENS)
        ends: Script = [{"when": "joined"}, {"after": 11.0, "say": "You call me too!"}, {"after": 2.0, "hangUp": True}]
        both: list[tuple[str, str, Script]] = [(BUYER, for_a, LISTENS), (SELLER, for_b, ends)]
        self._act("Both call at the same moment.", both, pause=6.0)
        closed = self._ask("DELETE", f"masking/sessions/{session['id']}")
        heard = self._act(
            "The order is done, and the session closed. The buyer calls again.", [(BUYER, for_a, LISTENS)]
        )
        return [*self._figures(closed, again["id"] == session["id"]), *self._heard(heard)]

    def _figures(self, session: dict[str, Any], is_same: bool) -> list[str]:
        calls = self._calls(session["id"])
        print("\n by   began     outcome    talked  recorded")
        for call in calls:
            recorded = "yes" if call["recorded"] else "no"
            began, outcome, seconds = call["at"][11:19], call["outcome"], call["seconds"]
            print(f" {call['by']}    {began}  {outcome:<10} {seconds:>3} s   {recorded}")
        outcomes = tuple(call["outcome"] for call in calls)
        found = [] if outcomes == EXPECTED else [f"the calls ended {outcomes}, not {EXPECTED}"]
        short = [call for call in calls if call["outcome"] == "connected" and call["seconds"] < 1]
        found += [f"{len(short)} calls were over at once"] if short else []
        unrecorded = [call for call in calls if call["recorded"] != (call["outcome"] == "connected")]
        found += [f"{len(unrecorded)} calls were not recorded, or should not have been"] if unrecorded else []
        found += [] if is_same else ["the same Idempotency-Key gave another session"]
        found += [] if session["reason"] == "closed" else [f"the session is {session['reason']!r}"]
        rung = get(self._stack, "/emulator/requests?operation=CallConnection_AddParticipant")["requests"]
        bodies = [one["body"] for one in rung]
        shown = [
            (body["participantToAdd"]["phoneNumber"]["value"], body["sourceCallerIdNumber"]["value"]) for body in bodies
        ]
        given_away = [
            who
            for (who, _), body in zip(shown, bodies, strict=True)
            if {BUYER: SELLER, SELLER: BUYER}[who] in str(body)
        ]
        print(f"\nWhat telephones showed when they rang: {', '.join(f'{who} saw {number}' for who, number in shown)}.")
        found += [f"what went to {who} has the other's number" for who in given_away]
        found += [f"{who} saw {number}" for who, number in shown if number not in POOL]
        lines = self._log()
        real = [number.removeprefix("+") for number in (BUYER, SELLER)]
        hits = [one for one in lines if any(number in one for number in real)]
        print(f"Lines of the app's log: {len(lines)}; of these, that have a real number: {len(hits)}.")
        found += [] if any(session["id"] in one for one in lines) else ["the log says nothing of the session"]
        return found + [f"the log has a real number: {one[:160]}" for one in hits]

    def _heard(self, entries: list[dict[str, Any]]) -> list[str]:
        told = " ".join(entry["text"] for entry in entries if entry["what"] == "plays")
        return [] if "connection is closed" in told else [f"the buyer heard {told!r}, not that it is closed"]

    def _act(self, title: str, calls: list[tuple[str, str, Script]], *, pause: float = 0.0) -> list[dict[str, Any]]:
        """Telephones call, one after the other; what happens until nobody is on the line. Args: pause: emulated s."""
        print(f"\n{title}", flush=True)
        for number, to, script in calls:
            post(self._stack, "/emulator/calls", {"from": number, "to": to, "script": script})
            time.sleep(pause / SPEED)
        entries = []
        for entry in timeline(self._stack, CALL_SECONDS):
            if entry["n"] > self._seen:
                self._seen = entry["n"]
                entries.append(entry)
                print(line(entry), flush=True)
        return entries

    def _phone(self, number: str, behaviour: str, script: Script) -> None:
        post(self._stack, "/emulator/phones", {"number": number, "behaviour": behaviour, "script": script})

    def _calls(self, session: str) -> list[dict[str, Any]]:
        """The finished calls, once the app has closed the last of them."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            calls = self._ask("GET", f"masking/sessions/{session}/calls")["calls"]
            if len(calls) >= len(EXPECTED):
                return list(calls)
            time.sleep(0.2)
        raise DevstackError(f"The session has {len(calls)} calls after 20 s. See the logs in {self._stack.logs}.")

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        response = self._http.request(
            method, f"{self._stack.base_url}/api/{path}", json=body, headers=headers, timeout=30
        )
        response.raise_for_status()
        return dict(response.json())

    def _log(self) -> list[str]:
        """The lines of the app's log, requests with their URLs included."""
        logs = [path for path in self._stack.logs.glob("*.log") if path.name.startswith("host")]
        if not logs:
            raise DevstackError(f"There is no log of the app in {self._stack.logs}.")
        return [one for path in logs for one in path.read_text("utf-8", "replace").splitlines()]
