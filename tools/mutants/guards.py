"""What keeps a call right when something goes wrong, the tests that hold it, and the changes that no test can notice.

To add a guard, add a line to GUARDS; to follow a rename, change it. `make mutants ARGS="--list"` shows the changes.
"""

from __future__ import annotations

from typing import NamedTuple

CALLS, STORE, RECORDINGS = "tests/unit/calls", "tests/unit/store", "tests/unit/recordings"
NOTIFICATIONS, CALL_FINISHED = "tests/unit/notifications", "tests/functional/test_call_finished.py"
GATEWAY, LOST_WRITES = "tests/unit/gateway/test_lost_responses.py", "tests/unit/store/test_lost_responses.py"


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
    # The writer's mark: whose a commit or a claim is
    Guard("shared/store/tables.py::TableStore.claim", (STORE,), "a call is claimed once"),
    Guard("shared/store/tables.py::TableStore.commit", (STORE,), "a commit over another's is refused"),
    Guard("shared/calls/record.py::CallRecord.mark", (CALLS, LOST_WRITES), "a write is known again by its writer"),
    Guard("shared/calls/record.py::CallRecord.holds", (CALLS, LOST_WRITES), "the same, and whether others wrote since"),
    Guard("shared/calls/record.py::MARKS", (LOST_WRITES,), "the same, though others have written since"),
    Guard("shared/calls/conductor.py::Conductor._begin", (CALLS,), "a claim whose response is lost is one's own"),
    Guard("shared/calls/conductor.py::Conductor._advance_here", (CALLS,), "so is a commit; a lost race is rerun"),
    Guard("shared/calls/conductor.py::Conductor._feed", (CALLS,), "an entry counts once"),
    # Stale: rings that come too late, calls in memory that others have changed since
    Guard("shared/calls/conductor.py::Conductor.ring", (CALLS,), "stale rings are refused, duplicates join the claim"),
    Guard("shared/calls/conductor.py::Conductor._make_good", (CALLS,), "a claimed call is seen by the watchdog"),
    Guard("shared/calls/freshness.py::Freshness.learn", (CALLS,), "an instance learns how old its calls are"),
    Guard("shared/calls/freshness.py::Freshness.trusts", (CALLS,), "an old call is loaded before it is built on"),
    Guard("shared/calls/loading.py::Calls.newest", (CALLS,), "the same"),
    # Grace: when something is sent again
    Guard("shared/calls/lost.py::lost_operations", (CALLS,), "an action is sent again after its grace, not before"),
    Guard("shared/calls/lost.py::RINGING_GRACE", (CALLS,), "the same, while it rings"),
    Guard("shared/calls/lost.py::_again", (CALLS,), "a function that never returns is given up"),
    Guard("shared/calls/lost.py::GRACES_AT_MOST", (CALLS,), "the same, whatever the call hears"),
    Guard("shared/calls/watchdog.py::Watchdog._stays_unconfirmed", (CALLS,), "the same, at the watchdog"),
    Guard("shared/calls/conductor.py::Conductor.wake_overdue", (CALLS,), "a sleep whose message is lost ends"),
    Guard("shared/calls/afterwards.py::Afterwards.confirm", (CALLS,), "what left is written down"),
    Guard("shared/calls/afterwards.py::Afterwards.kept_alive", (CALLS,), "what is being sent is sent once"),
    Guard("shared/calls/afterwards.py::Afterwards.keep_alive", (CALLS,), "a side effect at work is run once"),
    Guard("shared/calls/afterwards.py::Afterwards.write_index", (CALLS,), "a closed call is not put among the open"),
    Guard("shared/calls/afterwards.py::Afterwards._write_head", (CALLS,), "all of them write over nobody's change"),
    Guard("shared/calls/side_effects.py::SideEffects._keep_alive", (CALLS,), "a side effect at work stays alive"),
    Guard("shared/calls/side_effects.py::SideEffects.running", (CALLS,), "and is run once by its own instance"),
    Guard("shared/calls/side_effects.py::DueEffects.results", (CALLS,), "until its result is committed"),
    Guard("shared/calls/watchdog.py::Watchdog._look", (CALLS,), "grace and idle times of a quiet call"),
    Guard("shared/calls/watchdog.py::Watchdog._next_overdue", (CALLS,), "a pause ends when an outcome is overdue"),
    Guard("shared/calls/watchdog.py::Watchdog._overdue", (CALLS,), "what is waited for ends"),
    Guard("shared/calls/watchdog.py::NEVER_CONNECTED", (CALLS,), "the same of a connection"),
    # Who is never recorded
    Guard("shared/calls/do_not_record.py::RecordingGuard.may_record", (CALLS,), "nobody who is listed is recorded"),
    Guard("shared/calls/do_not_record.py::RecordingGuard.check", (CALLS,), "the same, whoever asks for it"),
    Guard("shared/store/do_not_record.py::TableDoNotRecord.holds_any", (STORE,), "the same, under either key"),
    # What is sent, once, and what comes back
    Guard("shared/calls/dispatcher.py::to_send", (CALLS,), "nothing is sent that another has sent or ended"),
    Guard("shared/calls/dispatcher.py::Dispatcher._send", (CALLS,), "every action has an outcome, or is unknown"),
    Guard("shared/calls/dispatcher.py::Dispatcher._gone", (CALLS,), "404 is the end of a call where it has ended"),
    Guard(
        "shared/calls/dispatcher.py::Dispatcher.hang_up_late_connections",
        (CALLS,),
        "nobody sits on a line without a flow",
    ),
    Guard("shared/calls/fallback.py::leave", (CALLS,), "a hang-up is asked for until it is taken"),
    Guard("shared/gateway/acs/gateway.py::AcsGateway.perform", (GATEWAY,), "what is harmless twice is sent again"),
    Guard("shared/gateway/acs/gateway.py::AcsGateway._send", (GATEWAY,), "a DELETE that was carried out succeeds"),
    Guard("shared/gateway/acs/gateway.py::_refusal", (GATEWAY,), "a lost response is no refusal"),
    Guard("shared/gateway/acs/retry.py::CarefulRetry.is_retry", (GATEWAY,), "which statuses are sent again"),
    Guard("shared/gateway/acs/retry.py::CarefulRetry._is_method_retryable", (GATEWAY,), "which methods are"),
    Guard("shared/gateway/acs/retry.py::CarefulRetry.increment", (GATEWAY,), "which errors are"),
    Guard("shared/gateway/acs/retry.py::done_before", (GATEWAY,), "404 to a second DELETE is its success"),
    Guard("shared/gateway/acs/retry.py::_may_come_twice", (GATEWAY,), "what the service runs once"),
    # Duplicates, order, and whose event it is
    Guard("shared/calls/replay.py::Session.knows", (CALLS,), "a duplicate changes nothing"),
    Guard(
        "shared/calls/replay.py::Session._recognise_issued", (CALLS,), "what the journal holds is not asked for again"
    ),
    Guard("shared/calls/state.py::CallState._operation_of", (CALLS,), "an event of no sending of ours is foreign"),
    Guard("shared/calls/state.py::CallState._on_event", (CALLS,), "the first outcome counts"),
    Guard("shared/calls/state.py::CallState._take_state", (CALLS,), "older news of participants is dropped"),
    Guard("shared/calls/state.py::CallState._of_another_connection", (CALLS,), "events are held to their connection"),
    Guard("shared/calls/attempts.py::Attempts.concerns_current", (CALLS,), "no attempt hears of another one"),
    Guard("shared/calls/attempts.py::Attempts._attempt_of", (CALLS,), "the same"),
    Guard("shared/calls/attempts.py::Attempts.is_late", (CALLS,), "an attempt that was given up is hung up"),
    Guard("shared/calls/lifecycle.py::Lifecycle._fail_action", (CALLS,), "an attempt that fails is not the end"),
    Guard("shared/calls/lifecycle.py::Lifecycle._command_unplaced", (CALLS,), "who cancels a call ends it"),
    Guard("shared/calls/watchdog.py::Watchdog._settle", (CALLS,), "the watchdog ends the attempt that it asked about"),
    Guard("shared/calls/state.py::CallState.late_connection", (CALLS,), "which connections are hung up after the end"),
    Guard("shared/calls/tones.py::ToneOrder.start", (CALLS,), "numbers may begin again"),
    Guard("shared/calls/tones.py::ToneOrder.add", (CALLS,), "a key comes once"),
    Guard("shared/calls/tones.py::ToneOrder.next", (CALLS,), "keys come in the order in which they were pressed"),
    Guard("shared/calls/inbox.py::Inbox.serve", (CALLS,), "signals and keys go to who waits now"),
    Guard("shared/calls/inbox.py::Next.leave", (CALLS,), "who stopped waiting is given nothing"),
    # Off the record: nothing is asked while something may listen
    Guard("shared/calls/capture.py::Capture.hear", (CALLS,), "which streams are on"),
    Guard("shared/calls/capture.py::Capture.on", (CALLS,), "the same, of one that starts"),
    Guard("shared/calls/capture.py::to_be_on", (CALLS,), "a recording that starts is not taken for paused"),
    Guard("shared/calls/methods/off_record.py::_Record.enter", (CALLS,), "a block begins when all is off"),
    Guard("shared/calls/methods/off_record.py::_Record.leave", (CALLS,), "all is put back, once, by the last block"),
    Guard("shared/calls/methods/off_record.py::_Record._confirm", (CALLS,), "a stream is off for certain"),
    Guard("shared/calls/methods/off_record.py::_Record._pause_recording", (CALLS,), "and so is a recording"),
    # Recordings: one at a time, and nothing deleted that is not here
    Guard("shared/recordings/book.py::Book.change", (RECORDINGS,), "a change is made on what is there now"),
    Guard("shared/recordings/book.py::Book.take", (RECORDINGS,), "a lease is taken by one"),
    Guard("shared/recordings/book.py::Book.busy", (RECORDINGS,), "a lease ends"),
    Guard("shared/recordings/book.py::Lease.alive", (RECORDINGS,), "a lease is renewed while work goes on"),
    Guard("shared/recordings/book.py::Lease.settle", (RECORDINGS,), "it is given back"),
    Guard("shared/recordings/book.py::Lease._renew", (RECORDINGS,), "it is renewed by its holder"),
    Guard("shared/recordings/book.py::Lease._held", (RECORDINGS,), "who lost it changes nothing"),
    Guard("shared/recordings/pipeline.py::Pipeline._in_turn", (RECORDINGS,), "one instance at a time"),
    Guard("shared/recordings/pipeline.py::Pipeline._deletes", (RECORDINGS,), "what may be deleted at the source"),
    Guard("shared/recordings/fetching.py::Fetcher.fetch", (RECORDINGS,), "archived before it is deleted"),
    Guard("shared/recordings/fetching.py::Fetcher._download", (RECORDINGS,), "the length is checked before deletion"),
    Guard("shared/recordings/fetching.py::Fetcher.delete", (RECORDINGS,), "deletion is tried until it expires"),
    # Finished calls: told of at least once, under one id, and nowhere else
    Guard(
        "shared/calls/afterwards.py::Afterwards._tell",
        (CALL_FINISHED,),
        "a call is told of before it is closed, and once",
    ),
    Guard("shared/notifications/notifier.py::Notifier.work", (NOTIFICATIONS,), "threads are left; a storage may fail"),
    Guard("shared/notifications/notifier.py::Notifier._later", (NOTIFICATIONS,), "tried for a day, then kept"),
    Guard("shared/notifications/notifier.py::Notifier.replay", (NOTIFICATIONS,), "a dead letter is not lost"),
    Guard("shared/notifications/notifier.py::wait_before", (NOTIFICATIONS,), "waits grow and are bounded"),
    Guard("shared/notifications/webhook.py::WebHook.deliver", (NOTIFICATIONS,), "which responses are tried again"),
    Guard("shared/notifications/webhook.py::sign", (NOTIFICATIONS,), "a receiver can verify"),
    Guard("shared/notifications/addresses.py::read_url", (NOTIFICATIONS,), "what a hook's URL may be"),
    Guard("shared/notifications/addresses.py::check_address", (NOTIFICATIONS,), "where it may lead"),
    Guard("shared/notifications/addresses.py::_is_public", (NOTIFICATIONS,), "the same"),
    # Streams: limits
    Guard("streams/limits.py::Budget.take", ("tests/unit/streams/test_limits.py",), "memory is bounded"),
    Guard("streams/limits.py::Sockets.one_more", ("tests/unit/streams/test_limits.py",), "sockets are bounded"),
    Guard("streams/track.py::TrackLimits.take", ("tests/unit/streams",), "sound is counted once, and given back"),
    Guard("streams/track.py::Track.add", ("tests/unit/streams",), "silence, duplicates and jumps of a stream"),
)

SURVIVORS: dict[str, dict[str, str]] = {
    "shared/calls/tones.py::ToneOrder.add": {"1 → 2": "a series comes after the one before it, by whatever it is more"},
    "shared/calls/lost.py::lost_operations": {
        "lost and (not operation.done) → lost": "what is done is confirmed as well; it is asked for safety",
    },
    "shared/calls/watchdog.py::Watchdog._stays_unconfirmed": {
        "self._unconfirmed.get(record.call_id, (-1, now)) → self._unconfirmed.get(record.call_id, (-2, now))": "no "
        "action has a position below 0",
    },
    "shared/calls/dispatcher.py::Dispatcher._gone": {
        "refusal.status != 404 or not connection_id or action.kind in OPENING or (not action.in_service) → "
        "refusal.status != 404 or not connection_id or (not action.in_service)": "a call that has a connection is not "
        "opened any more: said for the reader",
    },
    "shared/calls/dispatcher.py::Dispatcher.hang_up_late_connections": {
        "event is None or opening is None → opening is None": "without an event there is no opening; for mypy",
    },
    "shared/gateway/acs/gateway.py::_refusal": {
        "isinstance(error, HttpResponseError) and (status := (error.status_code or 0)) >= 400 → "
        "isinstance(error, HttpResponseError) and (status := (error.status_code or 1)) >= 400": "0 or 1: no status, so "
        "that both are below 400",
    },
    "shared/gateway/acs/retry.py::CarefulRetry.increment": {
        "super().increment(settings, response=response, error=error) → "
        "super().increment(settings, response=response)": "the SDK counts connections and reads apart as well; what "
        "ends the tries first is their total",
    },
}
"""By guard: a change as the report writes it, and why no test can or need notice it."""
