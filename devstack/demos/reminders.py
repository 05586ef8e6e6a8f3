"""Appointment reminders: who confirms, cancels, asks for another time, opts out, is not there, and calls back."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Any

from devstack.campaign_demo import ALWAYS, SOON, CampaignDemo, Somebody, presses, told
from devstack.hook import hook

LISTED = "+12065550128"


class Calendar:
    """The firm's calendar, as its hook shows it: two times for whoever asks."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.booked: dict[str, str] = {}

    def day(self, ahead: int) -> str:
        """A time so many days from now."""
        return f"{datetime.now().astimezone() + timedelta(days=ahead):%Y-%m-%d}T16:15:00+00:00"

    def respond(self, asked: dict[str, Any]) -> Any:
        """To the hook's three actions."""
        if asked["action"] == "offer":
            self.held[asked["offer"]] = asked["id"]
            return {"times": [{"id": self.day(ahead), "at": self.day(ahead)} for ahead in (3, 4)]}
        who = self.held.pop(asked["offer"], None)
        if asked["action"] == "book" and who is not None:
            self.booked[who] = asked["time"]
        return None


def run(given: argparse.Namespace) -> int:
    """Run the demo; 0 only if all went as scripted."""
    visit = {"appointment": f"{datetime.now().astimezone() + timedelta(days=1):%Y-%m-%d} 14:30"}
    people = [
        Somebody("A-01", "+12065550121", "confirms", ("done", "confirmed", 1), presses("1", "1"), visit),
        Somebody("A-02", "+12065550122", "cancels", ("done", "cancelled", 1), presses("1", "2"), visit),
        Somebody("A-03", "+12065550123", "wants another time", ("done", "rescheduled", 1), presses("1", "3", "2"),
                 visit),
        Somebody("A-14", "+12065550129", "no time suits", ("done", "wants_another_time", 1), presses("1", "3", "4"),
                 visit),
        Somebody("A-04", "+12065550124", "hears it twice, confirms", ("done", "confirmed", 1), presses("*", "1", "1"),
                 visit),
        Somebody("A-05", "+12065550125", "wants no calls", ("opted_out", "opted_out", 1), presses("9"), visit),
        Somebody("A-06", "+12065550110", "a mailbox", ("no_contact", "", 2), None, visit),
        Somebody("A-07", "+12065550103", "is busy", ("no_contact", "", 2), None, visit),
        Somebody("A-08", "+12065550102", "declines", ("declined", "", 2), None, visit),
        Somebody("A-09", "+12065550104", "does not answer", ("no_contact", "", 2), None, visit),
        Somebody("A-10", LISTED, "has asked for no calls before", ("suppressed", "", 0), None, visit),
        Somebody("A-11", "+12065550126", "has an appointment by now over", ("expired", "", 0), None,
                 {"appointment": "2026-01-05 09:00"}),
    ]  # fmt: skip
    campaign = {
        "id": "visits",
        "rules": {
            **ALWAYS,
            "purpose": "service",
            "reminders": True,
            "ahead": ["PT48H"],
            "most_attempts": 2,
            "retry": SOON,
        },
        "files": {"country": "US"},
    }
    calendar = Calendar()
    with (
        hook(calendar.respond) as url,
        CampaignDemo(given.app_root, "reminders", REMINDERS_TIMES_URL=url) as demo,
    ):
        demo.ask("POST", "/do-not-call/add", {"number": LISTED, "reason": "a letter"})
        problems = demo.run(campaign, people, ["A-12,4.25556E+09,2026-12-01 10:00", "A-13,+12065550127,03/04/2026"])
        demo.calls_back("+12065550121", "2")
        after = demo.results("visits")["A-01"]
        moved = ", ".join(f"{who} to {at}" for who, at in calendar.booked.items())
        print(f"The calendar has moved {moved}; it holds times for {len(calendar.held)} callers.")
        if calendar.booked != {"A-03": calendar.day(4)} or calendar.held:
            problems.append("the calendar is not as scripted")
        print(f"\nA-01 has {after['result']} now.")
        if after["result"] != "cancelled":
            problems.append(f"who called back and cancelled has the result {after['result']!r}")
    return told(problems)
