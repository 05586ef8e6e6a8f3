"""What keeps calls within limits and switches, and the tests that hold it: see docs/brakes.md."""

from __future__ import annotations

from tools.mutants.guard import Guard, files

DIALING = files("tests/unit/brakes", "dialing")
COUNTED = files("tests/unit/brakes", "counted claims")
OUTBOUND = files("tests/unit/brakes", "outbound")
SWITCHED = files("tests/unit/brakes", "switched")
READING = files("tests/unit/brakes", "refresher")
COMPOSED = files("tests/unit/brakes", "composing")
SHOWN = files("tests/functional", "brakes")

BRAKES = (
    # Numbers that may be called
    Guard("shared/brakes/dialing.py::country_code", DIALING, "whose number it is"),
    Guard("shared/brakes/dialing.py::country_of", DIALING, "the same"),
    Guard(
        "shared/brakes/dialing.py::never_called", DIALING, "premium, satellite and emergency numbers are never called"
    ),
    Guard("shared/brakes/dialing.py::_is_premium", DIALING, "the same, whatever is dialled after it"),
    Guard("shared/brakes/dialing.py::SHORTEST", DIALING, "the same of short numbers"),
    Guard("shared/brakes/dialing.py::LONG", DIALING, "the same"),
    Guard("shared/brakes/dialing.py::Dialing.problem", DIALING, "no other countries, no other prefixes"),
    Guard("shared/brakes/dialing.py::countries_of", DIALING, "the same"),
    Guard("shared/brakes/dialing.py::read_prefixes", DIALING, "what the setting says"),
    Guard("shared/brakes/dialing.py::_never_prefix", DIALING, "no setting allows what is never called"),
    Guard("shared/composition/brakes.py::_own_countries", COMPOSED, "no country but those of the app's numbers"),
    Guard("shared/composition/brakes.py::forbidden_targets", COMPOSED, "what the app is set up to call and may not"),
    # Calls that ring
    Guard("shared/brakes/brakes.py::Admission.keep", COUNTED, "a claimed call is counted under its id"),
    Guard("shared/brakes/brakes.py::Admission.end", (*COUNTED, *SWITCHED), "a ring that is no new call is not counted"),
    Guard("shared/brakes/brakes.py::AppBrakes.ring", (*COUNTED, *SWITCHED), "who is braked hears busy"),
    Guard("shared/brakes/brakes.py::AppBrakes._diverted", SWITCHED, "a flow that is diverted takes no calls"),
    Guard("shared/brakes/brakes.py::AppBrakes._decide", (*COUNTED, *SWITCHED), "which brake keeps a call"),
    Guard("shared/brakes/brakes.py::AppBrakes._take", COUNTED, "not too many at once, of one caller or of all"),
    Guard("shared/brakes/brakes.py::AppBrakes.claimed", COUNTED, "a call is counted once"),
    Guard("shared/brakes/brakes.py::AppBrakes.ended", COUNTED, "and until it is over"),
    Guard("shared/brakes/brakes.py::MOST_OVER", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::Figures.count", COUNTED, "what all instances have"),
    Guard("shared/brakes/figures.py::Figures.read", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::is_one_caller", COUNTED, "who withholds a number is not one caller"),
    Guard("shared/brakes/figures.py::CallsTaken.add", COUNTED, "what this instance has taken since"),
    Guard("shared/brakes/figures.py::CallsTaken.rename", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::CallsTaken.remove", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::CallsTaken.drop_before", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::CallsTaken.of", COUNTED, "the same"),
    Guard("shared/brakes/figures.py::SETTLING", COUNTED, "no call is counted by nobody"),
    Guard("shared/brakes/figures.py::LONGEST_CLAIM", COUNTED, "nor for ever"),
    Guard("shared/brakes/figures.py::MOST_CALLERS", COUNTED, "a row of the storage holds them"),
    # Actions that leave the app
    Guard("shared/brakes/brakes.py::AppBrakes.check", (*OUTBOUND, *COUNTED), "nothing leaves that may not"),
    Guard("shared/brakes/brakes.py::AppBrakes.check_request", OUTBOUND, "the same, before anything is stored"),
    Guard("shared/brakes/brakes.py::AppBrakes._problem", OUTBOUND, "switches"),
    Guard("shared/brakes/brakes.py::AppBrakes._forbidden", (*OUTBOUND, *COUNTED), "settings"),
    Guard("shared/calls/actions/base.py::Action.concerned", OUTBOUND, "whom an action calls"),
    Guard("shared/calls/actions/base.py::Action.named", OUTBOUND, "the same"),
    Guard("shared/brakes/brakes.py::_caller_id", OUTBOUND, "and under which number"),
    Guard("shared/calls/watchdog.py::Watchdog._end_too_long", COUNTED, "no call lasts too long"),
    Guard("shared/brakes/brakes.py::AppBrakes.longest_call", (*OUTBOUND, *COMPOSED), "the same"),
    # What all instances share, and how old it may be
    Guard("shared/brakes/switches.py::Switches.read", OUTBOUND, "switches are as they were turned"),
    Guard("shared/brakes/switches.py::Switches.is_off", OUTBOUND, "the same, however a number is written"),
    Guard("shared/brakes/brakes.py::AppBrakes.refresh", (*COUNTED, *SWITCHED), "what is read is taken over"),
    Guard(
        "shared/brakes/brakes.py::AppBrakes._take_over",
        (*COUNTED, *SWITCHED, *SHOWN),
        "what cannot be read changes nothing, and is named",
    ),
    Guard("shared/brakes/brakes.py::AppBrakes._take_figures", COUNTED, "the same"),
    Guard("shared/brakes/brakes.py::AppBrakes._take_switches", (*OUTBOUND, *SWITCHED), "the same"),
    Guard("shared/brakes/brakes.py::AppBrakes.is_off_now", SWITCHED, "an erasure says that a number is off"),
    Guard("shared/brakes/brakes.py::AppBrakes.watched", COUNTED, "figures are written, and not for nobody"),
    Guard("shared/brakes/brakes.py::QUIET_RUNS", COUNTED, "the same"),
    Guard("shared/brakes/brakes.py::AppBrakes.note", COUNTED, "what a brake did is logged once and counted"),
    Guard("shared/brakes/brakes.py::MOST_NOTED", COUNTED, "the same, in bounded memory"),
    Guard("shared/brakes/brakes.py::AppBrakes._count", COUNTED, "the same, of all instances"),
    Guard("shared/brakes/brakes.py::AppBrakes._take_counts", COUNTED, "the same"),
    Guard("shared/brakes/brakes.py::DAYS_COUNTED", COUNTED, "the same"),
    Guard("shared/brakes/refresher.py::Refresher.use", READING, "nobody goes by what is old, nor waits for long"),
    Guard("shared/brakes/refresher.py::Refresher.run", READING, "read every two seconds while somebody calls"),
    Guard("shared/brakes/refresher.py::Refresher._read_once", READING, "whatever a reading raises"),
    Guard("shared/brakes/refresher.py::Refresher._is_fresh", READING, "how old is old"),
    Guard("shared/brakes/refresher.py::EVERY", READING, "a switch acts within five seconds"),
    Guard("shared/brakes/refresher.py::OLD", READING, "the same"),
    Guard("shared/brakes/refresher.py::WAIT", READING, "a caller waits for a moment at most"),
    Guard("shared/brakes/refresher.py::IDLE", READING, "an idle app reads nothing"),
)
