"""A call-me button: agents are called first, then whoever asked; and what the button refuses."""

from __future__ import annotations

import argparse
import time
from typing import Any

from devstack.stack import Stack
from devstack.telling import bad_deliveries, post
from devstack.up import CHECKED
from devstack.use_demo import Watched, verdict

PAGE, OTHER_PAGE = "http://localhost:3000", "http://localhost:3001"
"""Of this machine: our own Functions host takes no requests from others."""
OURS, BUSY_AGENT, AGENT = "+18005550199", "+12065550103", "+12065550121"
ADA, BOB, EVE = "+12065550131", "+12065550132", "+12065550133"
SPEED = 4.0
"""How much faster than people the phones are."""
SITE: dict[str, Any] = {
    "company": "Contoso",
    "origins": [PAGE],
    "countries": ["US"],
    "agents": [BUSY_AGENT, AGENT],
    "caller_number": OURS,
    "consent": "Contoso may call me once at this number.",
    "limits": {"site_hour": 2},
}
TAKES_IT = [
    {"when": "asked", "after": 3.0, "press": "1"},
    {"when": "joined"},
    {"at": 2.0, "say": "Hello, this is Grace of Contoso. How can I help you?"},
]
DECLINES = [{"when": "asked", "after": 2.0, "press": "0"}]
ADAS_CALL = [
    {"when": "prompt ended"},
    {"after": 5.0, "say": "I would like to know when my order comes."},
    {"after": 3.0, "hangUp": True},
]


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if all went as scripted."""
    began = time.monotonic()
    print("Starting Azurite, the emulator and a Functions host …", flush=True)
    environment = {**CHECKED, "ALLOWED_PREFIXES": "+1"}
    with Stack(app_root=given.app_root, quiet=True, speed=SPEED, environment=environment) as stack:
        print(f"Up after {time.monotonic() - began:.1f} s. The button stands on {PAGE}; its flow is flows/click.py.")
        demo = Watched(stack)
        site = demo.ask("PUT", "/click/sites/shop", SITE)
        print(f"\nThe page has a button and this line:\n  {site['script']}")
        problems = [
            *_talk(demo, site),
            *_nobody_takes_it(demo, site),
            *_refused(demo, site),
            *_withdrawn(demo, site),
            *_figures(demo),
            *bad_deliveries(stack),
        ]
    return verdict(problems, "The button")


def _click(demo: Watched, site: dict[str, Any], number: str, name: str) -> Any:
    wish = {"token": site["token"], "number": number, "name": name, "consent": site["consent_version"]}
    return demo.ask("POST", "/click/calls", wish, {"Origin": PAGE})


def _ended(demo: Watched, request: dict[str, Any], name: str, expected: str) -> list[str]:
    def over() -> Any:
        found = demo.ask("GET", f"/click/calls/{request['id']}")
        return found if found["state"] == "ended" else None

    outcome = demo.until(f"{name}'s request is over", over, 70)["outcome"]
    print(f"\n{name}'s page says: {outcome}.")
    return [] if outcome == expected else [f"{name}'s request ended as {outcome}, not as {expected}"]


def _talk(demo: Watched, site: dict[str, Any]) -> list[str]:
    print(f"\nAda asks to be called at {ADA}. The first agent is busy, the second takes it.\n", flush=True)
    post(demo.stack, "/emulator/phones", {"number": AGENT, "script": TAKES_IT})
    post(demo.stack, "/emulator/phones", {"number": ADA, "script": ADAS_CALL})
    return _ended(demo, _click(demo, site, ADA, "Ada Lovelace"), "Ada", "completed")


def _nobody_takes_it(demo: Watched, site: dict[str, Any]) -> list[str]:
    print("\nBob asks too. The second agent presses 0 now, for a colleague: Bob's telephone never rings.\n", flush=True)
    post(demo.stack, "/emulator/phones", {"number": AGENT, "script": DECLINES})
    return _ended(demo, _click(demo, site, BOB, "Bob"), "Bob", "no_agent")


def _refused(demo: Watched, site: dict[str, Any]) -> list[str]:
    print("\nWhat others try with the token of the page:")
    wish = {"token": site["token"], "number": EVE, "consent": site["consent_version"]}
    tries = (
        ("from another page", wish, {"Origin": OTHER_PAGE}, 403),
        ("a number of a country that is not allowed", {**wish, "number": "+4930901820"}, {"Origin": PAGE}, 400),
        ("a premium-rate number", {**wish, "number": "+19005550123"}, {"Origin": PAGE}, 400),
        ("a third call in an hour, from another address", wish, {"Origin": PAGE, "X-Forwarded-For": "9.9.9.9"}, 429),
    )
    problems = []
    for what, body, headers, expected in tries:
        response = demo.send("POST", "/click/calls", body, headers)
        print(f"  {what}: {response.status_code} {response.json().get('detail', '')}")
        if response.status_code != expected:
            problems.append(f"{what} was answered {response.status_code}, not {expected}")
    return problems


def _withdrawn(demo: Watched, site: dict[str, Any]) -> list[str]:
    demo.ask("DELETE", "/click/sites/shop")
    wish = {"token": site["token"], "number": EVE, "consent": site["consent_version"]}
    status = demo.send("POST", "/click/calls", wish, {"Origin": PAGE}).status_code
    print(f"  after the site was withdrawn: {status}")
    return [] if status == 403 else [f"a withdrawn site answered {status}"]


def _figures(demo: Watched) -> list[str]:
    listed = demo.ask("GET", "/click/calls")
    print("\nWho asked, and what they agreed to:")
    for one in listed["requests"]:
        who = f"{one['asked_at'][:19]}  {one['number']}  {one['name']:<13} {one['outcome']:<10} {one['seconds']:>3} s"
        print(f"  {who}  “{one['consent']}” ({one['consent_version']})")
    figures = listed["figures"]
    print(f"Figures of the day: {', '.join(f'{count} {what}' for what, count in figures.items())}.")
    return [] if figures == {"completed": 1, "no_agent": 1} else [f"the figures are {figures}"]
