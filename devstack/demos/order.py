"""Orders by telephone: speech and keys, a correction, a card that nothing records or keeps, and a person on demand."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from devstack.hook import hook
from devstack.stack import Stack
from devstack.telling import bad_deliveries, get, post
from devstack.up import CHECKED
from devstack.use_demo import Watched, verdict

SHOP, PERSON = "+18005550177", "+14255550142"
ADA, BOB = "+12065550131", "+12065550132"
CARD = "4111111111111111"
SPEED = 4.0
"""How much faster than people the phones are."""
ADAS_CALL: list[dict[str, Any]] = [
    {"when": "asked", "after": 0.5, "say": "roses"},
    {"when": "asked", "after": 0.5, "press": "3"},
    {"when": "asked", "after": 0.5, "press": "1"},
    {"when": "asked", "after": 0.5, "press": "2"},
    {"when": "asked", "after": 0.5, "say": "two"},
    {"when": "asked", "after": 0.5, "press": "2"},
    {"when": "asked", "after": 0.5, "say": "change"},
    {"when": "asked", "after": 0.5, "press": "2"},
    {"when": "asked", "after": 0.5, "press": "5"},
    {"when": "asked", "after": 0.5, "say": "yes"},
    {"when": "asked", "after": 0.5, "press": "1"},
    {"when": "asked", "after": 0.5, "press": f"{CARD}#"},
    {"when": "asked", "after": 0.5, "press": "1230"},
]
BOBS_CALL: list[dict[str, Any]] = [
    {"when": "asked", "after": 0.5, "press": "*"},
    {"when": "asked", "after": 0.5, "press": "0"},
    {"after": 8.0, "hangUp": True},
]


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if all went as scripted."""
    began = time.monotonic()
    print("Starting Azurite, the emulator and a Functions host …", flush=True)
    charged: list[dict[str, Any]] = []
    # The hook stands for one that asks a payment provider, which takes every card.
    with tempfile.TemporaryDirectory(prefix="switchboard-demo-") as folder, hook(charged.append) as url:
        routes = Path(folder) / "routing.yaml"
        routes.write_text(f'rules:\n  - name: the shop\n    to: "{SHOP}"\n    answer: order\n')
        environment = {
            **CHECKED,
            "ALLOWED_PREFIXES": "+1",
            "ROUTING_FILE": str(routes),
            "ORDER_PAYMENT_URL": url,
        }
        with Stack(app_root=given.app_root, quiet=True, speed=SPEED, environment=environment) as stack:
            print(f"Up after {time.monotonic() - began:.1f} s. The shop is {SHOP}; its flow is flows/order.py.")
            demo = Watched(stack)
            problems = [
                *_ada(demo, charged),
                *_bob(demo),
                *bad_deliveries(stack),
            ]
    return verdict(problems, "The orders")


def _ada(demo: Watched, charged: list[dict[str, Any]]) -> list[str]:
    print("\nAda orders, corrects what is read back, and pays by card.\n", flush=True)
    _call(demo, ADA, ADAS_CALL)
    orders = demo.ask("GET", "/orders")["orders"]
    print("\nThe orders of the day:")
    for one in orders:
        items = ", ".join(f"{item['quantity']} {item['name']}" for item in one["items"])
        print(f"  {one['number']}  {one['caller']}  {items}  {one['total'] / 100:.2f}  {one['pay']}")
    problems = []
    (one,) = orders if len(orders) == 1 else [{}]
    wanted = (ADA, [("roses", 3), ("tulips", 5)], 2050, "card")
    what = [(item["name"], item["quantity"]) for item in one.get("items", ())]
    if (one.get("caller"), what, one.get("total"), one.get("pay")) != wanted:
        problems.append(f"the orders are {orders}, not one of {wanted}")
    if [(one["cents"], one["card"]) for one in charged] != [(2050, CARD)]:
        problems.append(f"{len(charged)} cards were charged")
    journals = [json.dumps(demo.ask("GET", f"/calls/{one['call_id']}/journal")) for one in orders]
    places = sum(journal.count(CARD) for journal in journals)
    pauses = sum(journal.count('"pause_recording"') for journal in journals)
    print(f"The card number stands {places} times in the journal; the recording was paused {pauses} time(s).")
    if places or not pauses:
        problems.append("the card was not off the record")
    return problems


def _bob(demo: Watched) -> list[str]:
    print("\nBob hears the question again, and asks for a person.\n", flush=True)
    post(demo.stack, "/emulator/phones", {"number": PERSON, "script": [{"after": 1.0, "say": "Contoso, Grace here."}]})
    _call(demo, BOB, BOBS_CALL)
    calls = demo.ask("GET", "/calls")["calls"]
    result = next((one["result"] for one in calls if one["caller"].endswith(BOB)), "")
    print(f"\nBob's call has the result {result!r}.")
    return [] if result == "person" else [f"Bob's call has the result {result!r}"]


def _call(demo: Watched, number: str, script: list[dict[str, Any]]) -> None:
    post(demo.stack, "/emulator/calls", {"from": number, "to": SHOP, "script": script})
    demo.until("the call is over", lambda: not get(demo.stack, "/emulator/state")["calls"], 80)
