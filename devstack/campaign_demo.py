"""What the demos of campaigns have in common: phones, a campaign over the HTTP API, what is said, and the results."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from devstack.errors import DevstackError
from devstack.stack import INCOMING_CALL, Stack
from devstack.telling import bad_deliveries, get, line, post
from devstack.up import CHECKED

LINE = "+18005550188"
COMPANY = "Contoso"
SPEED = 5.0
"""How much faster than people the phones are: a call that is not answered rings for six seconds."""
ALWAYS: dict[str, Any] = {"opens": 0, "closes": 1440, "days": [0, 1, 2, 3, 4, 5, 6], "zone": "America/New_York"}
"""A demo may run at any hour; a campaign calls from Monday to Saturday, 9:00 to 20:00, unless it is told otherwise."""
SOON = {"busy": 1, "no_answer": 1, "machine": 1, "declined": 1}
"""Seconds until somebody is called again, instead of hours."""
SECONDS = 100.0


@dataclass(frozen=True)
class Somebody:
    """A person of the demo.

    Attributes:
        about: in words.
        phone: how the phone takes calls, as the emulator has it; None: there is none.
        expected: the state in the end, the result, and the attempts.
    """

    id: str
    number: str
    about: str
    expected: tuple[str, str, int]
    phone: Mapping[str, Any] | None = None
    more: Mapping[str, str] = field(default_factory=dict)


def presses(*keys: str) -> dict[str, Any]:
    """A phone that answers and presses these, a key for each question."""
    return {"afterSeconds": 1.0, "script": [{"when": "asked", "after": 1.0, "press": key} for key in keys]}


class CampaignDemo:
    """A campaign on a stack of its own.

    Args:
        flow: what people hear, in `flows/`.
        identity: as the stack has it.
        settings: further ones of the app.
    """

    def __init__(self, app_root: Path, flow: str, *, identity: bool = False, **settings: str) -> None:
        self._flow = flow
        self._folder = tempfile.TemporaryDirectory(prefix="switchboard-demo-")
        lines = Path(self._folder.name) / "lines.yaml"
        number = f'  - {{number: "{LINE}", label: visits, concurrent_out: 4, called_back: {flow}}}'
        lines.write_text(f"company: {COMPANY}\ncountry: US\nzone: America/New_York\nnumbers:\n{number}\n")
        self.stack = Stack(
            app_root=app_root,
            quiet=True,
            speed=SPEED,
            subscriptions=(INCOMING_CALL,),
            environment={**CHECKED, "LINES_FILE": str(lines), "ALLOWED_PREFIXES": "+1", **settings},
            identity=identity,
        )
        self._last = 0
        self._numbers: dict[str, str] = {}

    def __enter__(self) -> CampaignDemo:
        began = time.monotonic()
        print("Starting Azurite, the emulator and a Functions host …", flush=True)
        self.stack.start()
        print(
            f"Up after {time.monotonic() - began:.1f} s. {COMPANY} calls by {LINE}; the flow is flows/{self._flow}.py."
        )
        post(self.stack, "/emulator/numbers", {"number": LINE, "limit": 4})
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()
        self._folder.cleanup()

    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None) -> requests.Response:
        """A request to the app's HTTP API. DevstackError if it is refused."""
        headers = {"X-Operator": "the demo"}
        url = f"{self.stack.base_url}/api{path}"
        response = requests.request(method, url, json=body, data=data, headers=headers, timeout=60)
        if response.status_code >= 400:
            raise DevstackError(f"{method} {path} was answered {response.status_code}: {response.text[:300]}")
        return response

    def run(self, campaign: Mapping[str, Any], people: Sequence[Somebody], bad_rows: Sequence[str] = ()) -> list[str]:
        """Make a campaign, send its file, start it and tell what happens until it is finished; what is not as scripted.

        Args:
            bad_rows: further lines of the file, which are no people.
        """
        for one in people:
            if one.phone is not None:
                post(self.stack, "/emulator/phones", {"number": one.number, **one.phone})
        name = str(self.ask("POST", "/campaigns", {"flow": self._flow, "callers": [LINE], **campaign}).json()["id"])
        problems = self._send(name, people, bad_rows)
        print(f"\nDry run: {self.ask('POST', f'/campaigns/{name}/dry-run').json()['text']}\n")
        self.ask("POST", f"/campaigns/{name}/commands/start")
        for entry in self._until_finished(name):
            print(self._shown(entry), flush=True)
        problems += self._results(name, people)
        if not self._told():
            problems.append("nobody was told that the campaign is finished")
        return [*problems, *bad_deliveries(self.stack)]

    def calls_back(self, number: str, *keys: str) -> None:
        """Somebody calls the number that they saw, and presses these keys."""
        print(f"\n{number} calls back.\n")
        script = [{"when": "asked", "after": 1.0, "press": key} for key in keys]
        post(self.stack, "/emulator/calls", {"from": number, "to": LINE, "script": script})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for entry in self._entries(1):
                print(self._shown(entry), flush=True)
            if not get(self.stack, "/emulator/state")["calls"]:
                return
        raise DevstackError("The call back was not over within 30 s. See the logs in .switchboard/logs.")

    def results(self, name: str) -> dict[str, dict[str, str]]:
        """What came of the people of a campaign, by their ids."""
        text = self.ask("GET", f"/campaigns/{name}/results").content.decode("utf-8-sig")
        return {row["id"]: row for row in csv.DictReader(io.StringIO(text))}

    def _send(self, name: str, people: Sequence[Somebody], bad_rows: Sequence[str]) -> list[str]:
        columns = list(dict.fromkeys(key for one in people for key in one.more))
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(["id", "phone", *columns])
        for one in people:
            rows.writerow([one.id, one.number, *(one.more.get(key, "") for key in columns)])
        data = (text.getvalue() + "".join(f"{row}\n" for row in bad_rows)).encode()
        href = str(self.ask("POST", f"/campaigns/{name}/uploads", data=data).json()["href"]).removeprefix("/api")
        deadline = time.monotonic() + 30
        while (report := self.ask("GET", href).json()["report"])["state"] == "importing":
            if time.monotonic() > deadline:
                raise DevstackError("The file was not imported within 30 s. See the logs in .switchboard/logs.")
            time.sleep(0.2)
        print(f"\nThe file has {report['rows']} rows: {report['new']} people, {report['bad']} bad rows.")
        for bad in report["problems"]:
            print(f"  line {bad['line']}: {bad['field']} {bad['problem']} {bad['remedy']}")
        right = (report["new"], report["bad"]) == (len(people), len(bad_rows))
        return [] if right else [f"of {len(people)} people {report['new']} were imported"]

    def _until_finished(self, name: str) -> Iterator[dict[str, Any]]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            yield from self._entries(1)
            if self.ask("GET", f"/campaigns/{name}").json()["state"] == "finished":
                yield from self._entries(0)
                return
        raise DevstackError(f"The campaign was not over after {SECONDS:.0f} s. See the logs in .switchboard/logs.")

    def _told(self) -> bool:
        """Whether somebody is told that the campaign is finished; the event follows the state."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            told = [one["event"].get("eventType") for one in get(self.stack, "/emulator/topic")["events"]]
            if "Switchboard.CampaignFinished" in told:
                return True
            time.sleep(0.2)
        return False

    def _entries(self, wait: float) -> Iterator[dict[str, Any]]:
        for entry in get(self.stack, f"/emulator/timeline?after={self._last}&wait={wait}")["entries"]:
            self._last = entry["n"]
            yield entry

    def _shown(self, entry: Mapping[str, Any]) -> str:
        """An entry, with the end of the number that its call is with; of SSML what is spoken."""
        text, call = re.sub(r"<[^>]+>", "", str(entry["text"])), str(entry["call"])
        if entry["what"] == "calls":
            self._numbers[call] = text.partition(" ")[0][-4:]
        return f"…{self._numbers.get(call, '')} {line({**entry, 'text': text})}"

    def _results(self, name: str, people: Sequence[Somebody]) -> list[str]:
        found, problems = self.results(name), []
        progress = self.ask("GET", f"/campaigns/{name}/progress").json()
        print(f"\nProgress: {', '.join(f'{count} {state}' for state, count in progress['states'].items())}.\n")
        for one in people:
            row = found[one.id]
            came = (row["state"], row["result"], int(row["attempts"]))
            print(f"  {one.id:<5} {one.number:<14} {one.about:<34} {came[0]:<11} {came[1]:<19} {came[2]} attempt(s)")
            if came != one.expected:
                problems.append(f"{one.id}, {one.about}, ended as {came}, not as {one.expected}")
        return problems


def told(problems: Sequence[str]) -> int:
    """Say what is not as scripted; the exit code."""
    for problem in problems:
        print(f"NOT AS SCRIPTED: {problem}")
    if not problems:
        print("\nThe campaign went as scripted.")
    return 1 if problems else 0


def _party(entry: Mapping[str, Any]) -> str:
    return f"{str(entry.get('party') or '')[-4:]:<4}"
