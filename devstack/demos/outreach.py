"""A marketing campaign: consent, a do-not-call list, who is interested, who is put through, who opts out."""

from __future__ import annotations

import argparse
from datetime import date

from devstack.campaign_demo import ALWAYS, SOON, CampaignDemo, Somebody, presses, told

AGENT, LISTED = "+12065550142", "+12065550136"


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if all went as scripted."""
    consent = {"consent date": "2026-01-03", "consent source": "web form"}
    german = {**consent, "language": "de-DE"}
    people = [
        Somebody("P-1", "+12065550131", "is interested", ("done", "interested", 1), presses("1", "1"), consent),
        Somebody("P-2", "+12065550132", "is not", ("done", "not_interested", 1), presses("1", "2"), consent),
        Somebody("P-3", "+12065550133", "hears it in German", ("done", "interested", 1), presses("1", "1"), german),
        Somebody("P-4", "+12065550134", "wants a person", ("done", "wants_person", 1), presses("0"), consent),
        Somebody("P-5", "+12065550135", "wants no calls", ("opted_out", "opted_out", 1), presses("1", "9"), consent),
        Somebody("P-6", LISTED, "is on a do-not-call list", ("suppressed", "", 0), None, consent),
        Somebody("P-7", "+12065550110", "a mailbox", ("no_contact", "", 2), None, consent),
        Somebody("P-8", "+12065550103", "is busy", ("no_contact", "", 2), None, consent),
    ]
    rules = {**ALWAYS, "purpose": "marketing", "most_attempts": 2, "retry": SOON}
    campaign = {"id": "winter", "rules": rules, "agent": AGENT, "files": {"country": "US"}}
    with CampaignDemo(given.app_root, "outreach") as demo:
        source = f"source=the%20demo&as_of={date.today():%Y-%m-%d}"
        demo.ask("PUT", f"/do-not-call/lists/demo?{source}", data=f"{LISTED}\n".encode())
        problems = demo.run(campaign, people, ["P-9,+12065550137,,,"])
        found = demo.ask("POST", "/evidence/search", {"number": "+12065550131"}).json()["evidence"]
        print(f"\nWhy {people[0].number} was called: {found[0]['evidence'] if found else 'nobody knows'}")
        if len(found) != 1:
            problems.append("it is not kept why somebody was called")
    return told(problems)
