"""The demo's quality report: fetched over the HTTP API, kept on disk, and told in a few lines."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import requests

from devstack.azurite import ROOT
from devstack.errors import DevstackError
from devstack.stack import Stack

FOLDER = ROOT / ".switchboard" / "demo"
REPORT_SECONDS = 60.0


def save_journal(document: dict[str, Any]) -> str:
    """Put the journal of the call into FOLDER; where it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "journal.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return _shown(path)


def save_report(stack: Stack) -> dict[str, Any]:
    """Wait until a report is ready, and put it, its page and its audio into FOLDER.

    The storage ends with the demo, so the page plays the copy of the audio that lies beside it.
    """
    identifier = _ready(stack)
    answer = _fetch(stack, f"/api/reports/{identifier}")
    report: dict[str, Any] = answer.json()
    page = _fetch(stack, f"/api/reports/{identifier}/page").text
    FOLDER.mkdir(parents=True, exist_ok=True)
    for chunk in report["recording"]["chunks"]:
        found = re.search(rf"http[^\"<>\s]*?/{re.escape(chunk['blob'])}\?[^\"<>\s\\]*", page)
        if found is None:
            raise DevstackError(f"The page does not link {chunk['blob']}.")
        name = f"{chunk['index']}.wav"
        link = found[0].replace("&amp;", "&")
        (FOLDER / name).write_bytes(requests.get(link, timeout=30).content)
        for written in {found[0], link, link.replace("&", "&amp;"), link.replace("&", "\\u0026")}:
            page = page.replace(written, name)
        page = page.replace("media-src http://" + link.split("/")[2], "media-src 'self' file:")
    (FOLDER / "report.html").write_text(page, encoding="utf-8")
    (FOLDER / "report.json").write_text(answer.text, encoding="utf-8")
    return report


def tell_report(report: dict[str, Any]) -> list[str]:
    """Print the headline; what is not as the script has it."""
    together = {name: metric["value"] for name, metric in report["conversation"]["metrics"].items()}
    print(f"Quality report {report['id']}: {report['recording']['seconds']:.1f} s recorded, of which")
    print(f"{together['conversation_seconds']:.1f} s are conversation.")
    for channel in report["channels"]:
        metrics = {name: metric["value"] for name, metric in channel["metrics"].items()}
        print(
            f"  {channel['label']:<9} {channel['participant']:<14} talks {metrics['talk_seconds']:5.1f} s "
            f"({metrics['talk_ratio']:.0%}), turns: {metrics['turns']:.0f}, "
            f"interruptions: {metrics['interruptions']:.0f}, {metrics['words_per_minute']:.0f} words a minute, "
            f"{metrics['loudness_lufs']} LUFS"
        )
    print(
        f"  silence {together['silence_ratio']:.0%}, longest {together['longest_silence_seconds']:.1f} s; "
        f"overlap {together['overlap_seconds']:.1f} s; the app's own time {together['app_seconds']:.1f} s"
    )
    for flag in report["flags"]:
        print(f"  flag: {flag['text']}")
    for card in report["scorecards"]:
        verdict = "passed" if card["passed"] else "failed"
        print(f"  scorecard {card['title']}: {card['score']:.1f} of 100, {verdict} (pass at {card['pass_at']:g})")
    taken = {kind: count for kind, count in report["transcript"]["redactions"].items() if count}
    print(f"  redacted: {', '.join(f'{count} {kind}' for kind, count in taken.items()) or 'nothing'}")
    print(f"The page: {_shown(FOLDER / 'report.html')}; as JSON: {_shown(FOLDER / 'report.json')}\n")
    return _problems(report, together, taken)


def _problems(report: dict[str, Any], together: dict[str, Any], taken: dict[str, int]) -> list[str]:
    problems = []
    if [channel["role"] for channel in report["channels"]] != ["customer", "agent"]:
        problems.append("the report's channels are not the customer and the agent")
    if together["all_interruptions"] != 1:
        problems.append(f"the report has {together['all_interruptions']} interruptions, not 1")
    if together["dead_air"] != 1:
        problems.append(f"the report has {together['dead_air']} stretches of dead air, not 1")
    if taken != {"card": 1, "phone": 1}:
        problems.append(f"a card and a phone number were said, and redacted was {taken}")
    return problems


def _ready(stack: Stack) -> str:
    """The id of the first report that the app told the topic of."""
    deadline = time.monotonic() + REPORT_SECONDS
    while time.monotonic() < deadline:
        events = requests.get(f"{stack.emulator_url}/emulator/topic", timeout=30).json()["events"]
        for event in events:
            if event["type"] == "Switchboard.QualityReportReady":
                return str(event["event"]["data"]["id"])
        time.sleep(0.2)
    raise DevstackError(f"There was no report within {REPORT_SECONDS:.0f} s. See the logs in .switchboard/logs.")


def _fetch(stack: Stack, path: str) -> requests.Response:
    response = requests.get(stack.base_url + path, timeout=30)
    response.raise_for_status()
    return response


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
