"""What came of a campaign, as a file."""

from __future__ import annotations

from shared.outreach.person import begin, finish
from shared.outreach.results import results_csv
from tests.unit.outreach.people import BERLIN, HOUR, MONDAY, SERVICE, person


def test_a_line_for_each_person() -> None:
    called = begin(person("1", name="=Ada", appointment=MONDAY + 26 * HOUR), MONDAY)
    done = finish(called, called.attempts[0].id, "done", MONDAY, SERVICE, "wants_another_time")
    assert list(results_csv([done, person("2")], "Europe/Berlin")) == [
        "\ufeffid,number,name,state,result,appointment,attempts,last_attempt,last_outcome\r\n",
        f"1,{BERLIN},'=Ada,done,wants_another_time,2026-03-10 17:00,1,2026-03-09 15:00,done\r\n",
        f"2,{BERLIN},,waiting,,,0,,\r\n",
    ]
