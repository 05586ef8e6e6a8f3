"""What keeps a call right when something goes wrong, the tests that hold it, and the changes that no test can notice.

To add a guard, add a line to GUARDS; to follow a rename, change it. `make mutants ARGS="--list"` shows the changes.
"""

from __future__ import annotations

from typing import NamedTuple

CALLS, STORE, RECORDINGS = "tests/unit/calls", "tests/unit/store", "tests/unit/recordings"


class Guard(NamedTuple):
    """A function, or a constant of a module.

    Attributes:
        where: file::name, with the class if it is a method.
        tests: files or folders of tests that hold it; of these, the ones that reach it are run.
        why: what it guards.
    """

    where: str
    tests: tuple[str, ...]
    why: str


GUARDS = (
    # The writer's mark: a commit or a claim by two hands is one
    Guard("shared/store/tables.py::TableStore.claim", (STORE,), "a call is claimed once"),
    Guard("shared/store/tables.py::TableStore.commit", (STORE,), "a commit over another's is refused"),
    # Stale events, and what is sent again
    Guard("shared/calls/conductor.py::Conductor.ring", (CALLS,), "stale rings are refused, duplicates join the claim"),
    Guard(
        "shared/calls/conductor.py::Conductor._lost", (CALLS,), "an action is sent again after its grace, not before"
    ),
    Guard("shared/calls/conductor.py::RINGING_SHARE", (CALLS,), "the same, while it rings"),
    Guard("shared/calls/conductor.py::Conductor.confirm", (CALLS,), "what left is written down"),
    Guard("shared/calls/conductor.py::Conductor._step", (CALLS,), "commit before dispatch"),
    Guard("shared/calls/conductor.py::Conductor._advance_here", (CALLS, STORE), "a lost race is run again"),
    Guard("shared/calls/watchdog.py::Watchdog._look", (CALLS,), "grace and idle times of a quiet call"),
    Guard("shared/calls/watchdog.py::Watchdog._overdue", (CALLS,), "what is waited for ends"),
    Guard("shared/calls/watchdog.py::NEVER_CONNECTED", (CALLS,), "the same of a connection"),
    Guard("shared/calls/dispatcher.py::Dispatcher._send", (CALLS,), "every action has an outcome"),
    # Duplicates and order
    Guard("shared/calls/replay.py::Session.knows", (CALLS,), "a duplicate changes nothing"),
    Guard("shared/calls/replay.py::Session._operation_of", (CALLS,), "an outcome of an earlier attempt is stale"),
    Guard("shared/calls/replay.py::Session._on_event", (CALLS,), "older news of participants is dropped"),
    Guard("shared/calls/tones.py::ToneOrder.start", (CALLS,), "numbers may begin again"),
    Guard("shared/calls/tones.py::ToneOrder.add", (CALLS,), "a key comes once"),
    Guard("shared/calls/tones.py::ToneOrder.next", (CALLS,), "keys come in the order in which they were pressed"),
    Guard("shared/calls/tones.py::MAX_WAITING", (CALLS,), "a gap does not hold keys up for ever"),
    # Recordings: one at a time, and nothing deleted that is not here
    Guard("shared/recordings/book.py::Book.change", (RECORDINGS,), "a change is made on what is there now"),
    Guard("shared/recordings/book.py::Book.renewing", (RECORDINGS,), "a lease is renewed while work goes on"),
    Guard("shared/recordings/book.py::Book.lease", (RECORDINGS,), "a lease ends"),
    Guard("shared/recordings/pipeline.py::Pipeline._in_turn", (RECORDINGS,), "one instance at a time"),
    Guard("shared/recordings/fetching.py::Fetcher.fetch", (RECORDINGS,), "archived before it is deleted"),
    Guard("shared/recordings/fetching.py::Fetcher._download", (RECORDINGS,), "the length is checked before deletion"),
    Guard("shared/recordings/fetching.py::Fetcher.delete", (RECORDINGS,), "deletion is tried until it expires"),
    Guard("shared/recordings/fetching.py::Fetcher._renewing", (RECORDINGS,), "a lease that was lost is not renewed"),
    # Streams: limits
    Guard("streams/limits.py::Budget.take", ("tests/unit/streams/test_limits.py",), "memory is bounded"),
    Guard("streams/limits.py::Sockets.one_more", ("tests/unit/streams/test_limits.py",), "sockets are bounded"),
    Guard("streams/track.py::TrackLimits.take", ("tests/unit/streams",), "sound is counted once, and given back"),
    Guard("streams/track.py::Track.add", ("tests/unit/streams",), "silence, duplicates and jumps of a stream"),
)

SURVIVORS: dict[str, dict[str, str]] = {}
"""By guard: a change as the report writes it, and why no test can or need notice it."""
