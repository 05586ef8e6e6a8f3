"""What keeps a call right when something goes wrong, and the tests that hold it.

To add a guard, add a line to GUARDS; to follow a rename, change it. `make mutants ARGS="--list"` shows the changes.

A guard names the files of tests that hold it: few and quick ones, for a change that survives costs all of them. Each of
these tests shows a right value directly; what only a property over many examples finds is not held.
"""

from __future__ import annotations

from tools.mutants.attacks import ATTACKS
from tools.mutants.brakes import BRAKES
from tools.mutants.guard import Guard, files
from tools.mutants.people import KEPT, SECRET


def _calls(names: str) -> tuple[str, ...]:
    return files("tests/unit/calls", names)


def _recordings(names: str) -> tuple[str, ...]:
    return files("tests/unit/recordings", names)


def _notifications(names: str) -> tuple[str, ...]:
    return files("tests/unit/notifications", names)


STORE, LISTED = files("tests/unit/store", "table_writes"), files("tests/unit/store", "do_not_record")
LOSSES = _calls("grace lost_responses lost side_effects faults_of_the_background round_trips afterwards")
"""What is lost, late, or another instance's."""
WATCHED = (*LOSSES, *_calls("watchdog attempts placed_by_flow ends finding"))
"""What the watchdog does."""
RINGS = (*LOSSES, *_calls("rings finding typed_input texts"), *files("tests/functional", "incoming_calls"))
ACTIONS = files("tests/functional", "calls_api_actions waiting_calls")
"""From outside."""
PLACED = _calls("attempts placed_by_flow unplaced ends fallback")
EVENTS = (
    *PLACED,
    *_calls("whose connections replay news off_record together consent freshness finding lost_responses"),
)
GATEWAY = files("tests/unit/gateway", "lost_responses patience")
BRAKED = (
    *files("tests/unit/brakes", "outbound"),
    *files("tests/functional", "slots"),
    *files("tests/unit/slots", "presence"),
)
HIDDEN = _calls("secrets secret_uses")
"""What is secret."""
CHUNKS = _recordings("turns mishaps own_recordings lease whole_files")
FINISHED = files("tests/functional", "call_finished")
STREAMS = files("tests/unit/streams", "track audio limits")
SIGNALS = files("tests/unit/streams", "signals signals_alone app_client limits")

LEFT_OUT = (
    "tests/unit/recordings/test_pipeline.py::"
    "test_whatever_happens_there_is_one_archive_and_one_report_or_a_poison_record",
    "tests/functional/test_calls_api_actions.py::"
    "test_whatever_is_asked_gets_an_answer_that_is_described_and_never_a_failure",
    "tests/unit/recordings/test_whole_files.py::test_a_file_that_only_the_archive_knows_of_does_not_end_as_failed",
)
"""Tests in these files that take too long to be run for every change."""

EXPOSURE, SETTINGS = "tests/unit/test_exposure.py", "tests/unit/test_settings.py"
MISCONFIGURED = "tests/functional/test_misconfigured.py"


GUARDS = (
    # What an app that others reach must not start with
    Guard("shared/exposure.py::in_azure", (EXPOSURE,), "a deployment is known as one"),
    Guard("shared/exposure.py::exposed_problems", (EXPOSURE,), "where others reach the app, more is refused"),
    Guard("shared/exposure.py::_key_problem", (EXPOSURE,), "a published key, or one that can be guessed"),
    Guard("shared/exposure.py::FEWEST_BYTES", (EXPOSURE,), "the same"),
    Guard("shared/exposure.py::_storage_problem", (EXPOSURE,), "development storage, and storage in the clear"),
    Guard("shared/setting_values.py::check_address", (EXPOSURE,), "no address is odd or in the clear"),
    Guard("shared/settings.py::binding", (SETTINGS,), "a wrong setting leaves the app indexed"),
    Guard(
        "shared/composition/__init__.py::ProcessSwitchboard.__call__",
        (MISCONFIGURED,),
        "what is wrong is said and refused",
    ),
    # The writer's mark: whose a commit or a claim is
    Guard("shared/azure/call_store.py::TableStore.claim", STORE, "a call is claimed once"),
    Guard("shared/azure/call_store.py::TableStore.commit", STORE, "a commit over another's is refused"),
    Guard("shared/azure/rows.py::replace_row", STORE, "the same"),
    Guard(
        "shared/calls/record.py::CallRecord.mark",
        _calls("record lost_responses"),
        "a write is known again by its writer",
    ),
    Guard(
        "shared/calls/record.py::CallRecord.holds",
        _calls("record lost_responses grace"),
        "the same, and whether others wrote since",
    ),
    Guard("shared/calls/record.py::MARKS", _calls("record"), "the same, though others have written since"),
    Guard(
        "shared/calls/turns.py::Turns.begin",
        RINGS,
        "a claim whose response is lost is one's own",
    ),
    Guard(
        "shared/calls/turns.py::Turns.advance_here",
        (*LOSSES, *_calls("ends freshness attempts watchdog"), *HIDDEN),
        "so is a commit; a lost race is rerun",
    ),
    Guard(
        "shared/calls/turns.py::feed",
        (*LOSSES, *_calls("finding ends"), *ACTIONS),
        "an entry counts once",
    ),
    # Stale: rings that come too late, calls in memory that others have changed since
    Guard(
        "shared/calls/claims.py::Claims.ring",
        RINGS,
        "stale rings are refused, duplicates join the claim",
    ),
    Guard("shared/calls/claims.py::Claims._index_claimed", RINGS, "a claimed call is seen by the watchdog"),
    Guard(
        "shared/calls/freshness.py::Freshness.learn", _calls("freshness"), "an instance learns how old its calls are"
    ),
    Guard(
        "shared/calls/freshness.py::Freshness.trusts",
        _calls("freshness"),
        "an old call is loaded before it is built on",
    ),
    Guard(
        "shared/calls/loading.py::Calls.newest",
        _calls("round_trips freshness grace lost_responses faults_of_the_background"),
        "the same",
    ),
    # Grace: when something is sent again
    Guard("shared/calls/lost.py::lost_operations", WATCHED, "an action is sent again after its grace, not before"),
    Guard("shared/calls/lost.py::RINGING_GRACE", LOSSES, "the same, while it rings"),
    Guard("shared/calls/lost.py::MAX_RUNS", LOSSES, "a function that never returns is not run for ever"),
    Guard("shared/calls/lost.py::_again", LOSSES, "a function that never returns is given up"),
    Guard("shared/calls/lost.py::GRACES_AT_MOST", WATCHED, "the same, whatever the call hears"),
    Guard("shared/calls/watchdog.py::Watchdog._stays_unconfirmed", WATCHED, "the same, at the watchdog"),
    Guard("shared/calls/conductor.py::Conductor.wake_overdue", WATCHED, "a sleep whose message is lost ends"),
    Guard("shared/calls/afterwards.py::Afterwards.confirm", WATCHED, "what left is written down"),
    Guard("shared/calls/afterwards.py::Afterwards.kept_alive", WATCHED, "what is being sent is sent once"),
    Guard("shared/calls/afterwards.py::Afterwards.keep_alive", LOSSES, "a side effect at work is run once"),
    Guard(
        "shared/calls/afterwards.py::Afterwards.write_index",
        WATCHED,
        "a closed call is not put among the open",
    ),
    Guard(
        "shared/calls/afterwards.py::Afterwards._write_head",
        WATCHED,
        "all of them write over nobody's change",
    ),
    Guard(
        "shared/calls/side_effects.py::SideEffects._keep_alive",
        (*LOSSES, *_calls("running")),
        "a side effect at work stays alive",
    ),
    Guard(
        "shared/calls/side_effects.py::SideEffects.running",
        (*LOSSES, *_calls("running")),
        "and is run once by its own instance",
    ),
    Guard(
        "shared/calls/side_effects.py::SideEffects.start", _calls("running"), "the same, from the moment that it is due"
    ),
    Guard("shared/calls/side_effects.py::SideEffects.stop", _calls("running"), "and not after it"),
    Guard(
        "shared/calls/side_effects.py::DueEffects.take", (*_calls("running"), *HIDDEN), "what is due is run, no more"
    ),
    Guard("shared/calls/side_effects.py::DueEffects.__exit__", _calls("running"), "what did not run is let go of"),
    Guard("shared/calls/returned.py::outcome_of", (*_calls("running"), *HIDDEN), "a side effect has an outcome"),
    Guard(
        "shared/calls/side_effects.py::DueEffects.results",
        (*LOSSES, *_calls("running")),
        "until its result is committed",
    ),
    Guard("shared/calls/watchdog.py::Watchdog._look", (*WATCHED, *BRAKED), "grace and idle times of a quiet call"),
    Guard("shared/calls/watchdog.py::Watchdog._next_overdue", WATCHED, "a pause ends when an outcome is overdue"),
    Guard("shared/calls/watchdog.py::Watchdog._overdue", WATCHED, "what is waited for ends"),
    Guard("shared/calls/watchdog.py::NEVER_CONNECTED", WATCHED, "the same of a connection"),
    # Who is never recorded
    Guard(
        "shared/calls/do_not_record.py::RecordingGuard.may_record",
        _calls("consent"),
        "nobody who is listed is recorded",
    ),
    Guard("shared/calls/do_not_record.py::RecordingGuard.check", _calls("consent"), "the same, whoever asks for it"),
    Guard("shared/azure/do_not_record.py::TableDoNotRecord.holds_any", LISTED, "the same, under either key"),
    # What is sent, once, and what comes back
    Guard("shared/calls/dispatcher.py::to_send", LOSSES, "nothing is sent that another has sent or ended"),
    Guard(
        "shared/calls/dispatcher.py::Dispatcher._send",
        (*LOSSES, *_calls("dispatcher ends consent attempts placed_by_flow finding"), *ACTIONS, *BRAKED),
        "every action has an outcome, or is unknown",
    ),
    Guard(
        "shared/calls/dispatcher.py::Dispatcher._gone",
        _calls("dispatcher ends attempts placed_by_flow lost_responses"),
        "404 is the end of a call where it has ended",
    ),
    Guard(
        "shared/calls/dispatcher.py::Dispatcher.hang_up_late_connections",
        _calls("ends attempts placed_by_flow"),
        "nobody sits on a line without a flow",
    ),
    Guard("shared/calls/fallback.py::leave", _calls("fallback ends"), "a hang-up is asked for until it is taken"),
    Guard(
        "shared/azure/call_automation/gateway.py::AcsGateway.perform", GATEWAY, "what is harmless twice is sent again"
    ),
    Guard(
        "shared/azure/call_automation/gateway.py::AcsGateway._send", GATEWAY, "a DELETE that was carried out succeeds"
    ),
    Guard("shared/azure/call_automation/gateway.py::_refusal", GATEWAY, "a lost response is no refusal"),
    Guard("shared/azure/call_automation/retry.py::CarefulRetry.is_retry", GATEWAY, "which statuses are sent again"),
    Guard("shared/azure/call_automation/retry.py::CarefulRetry._is_method_retryable", GATEWAY, "which methods are"),
    Guard("shared/azure/call_automation/retry.py::CarefulRetry.increment", GATEWAY, "which errors are"),
    Guard("shared/azure/call_automation/retry.py::done_before", GATEWAY, "404 to a second DELETE is its success"),
    Guard("shared/azure/call_automation/retry.py::_may_come_twice", GATEWAY, "what the service runs once"),
    # Duplicates, order, and whose event it is
    Guard(
        "shared/calls/replay.py::Session.knows",
        (*LOSSES, *_calls("whose replay ends attempts finding together")),
        "a duplicate changes nothing",
    ),
    Guard(
        "shared/calls/comparing.py::identity",
        (*LOSSES, *_calls("whose replay ends finding")),
        "what makes two the same",
    ),
    Guard(
        "shared/calls/replay.py::Session._match_issued",
        (*_calls("replay finding replay_check placed_by_flow unplaced grace"), *ACTIONS, *BRAKED, *HIDDEN),
        "what the journal holds is not asked for again",
    ),
    Guard("shared/calls/state.py::CallState._operation_of", EVENTS, "an event of no sending of ours is foreign"),
    Guard(
        "shared/calls/state.py::CallState._on_event",
        (*EVENTS, *_calls("call_state grace"), *HIDDEN, *BRAKED),
        "the first outcome counts",
    ),
    Guard(
        "shared/calls/state.py::CallState._on_disconnected",
        (*PLACED, *_calls("call_state consent replay")),
        "the end of an attempt is told from the end of the call",
    ),
    Guard(
        "shared/calls/state.py::CallState._take_state",
        (
            *_calls("whose news consent off_record together connections replay met"),
            *BRAKED,
            "tests/unit/test_people_of_a_call.py",
        ),
        "older news of participants is dropped",
    ),
    Guard(
        "shared/calls/state.py::CallState._of_another_connection",
        EVENTS,
        "events are held to their connection",
    ),
    Guard(
        "shared/calls/attempts.py::Attempts.concerns_current",
        PLACED,
        "no attempt hears of another one",
    ),
    Guard("shared/calls/attempts.py::Attempts._attempt_of", PLACED, "the same"),
    Guard(
        "shared/calls/attempts.py::Attempts.is_late",
        PLACED,
        "an attempt that was given up is hung up",
    ),
    Guard("shared/calls/attempts.py::Attempts.begin", PLACED, "each attempt has a connection of its own"),
    Guard("shared/calls/attempts.py::Attempts.withdraw", PLACED, "what never was is none"),
    Guard(
        "shared/calls/lifecycle.py::Lifecycle._fail_action",
        (*PLACED, *_calls("whose off_record consent replay")),
        "an attempt that fails is not the end",
    ),
    Guard(
        "shared/calls/lifecycle.py::Lifecycle._command_unplaced",
        (*PLACED, *ACTIONS),
        "who cancels a call ends it",
    ),
    Guard(
        "shared/calls/watchdog.py::Watchdog._settle",
        (*PLACED, *_calls("watchdog")),
        "the watchdog ends the attempt that it asked about",
    ),
    Guard(
        "shared/calls/state.py::CallState.late_connection",
        PLACED,
        "which connections are hung up after the end",
    ),
    Guard("shared/calls/tones.py::ToneOrder.start", _calls("news inbox"), "numbers may begin again"),
    Guard("shared/calls/tones.py::ToneOrder.add", _calls("news inbox"), "a key comes once"),
    Guard(
        "shared/calls/tones.py::ToneOrder.next",
        _calls("news inbox"),
        "keys come in the order in which they were pressed",
    ),
    Guard(
        "shared/calls/inbox.py::Inbox.serve", _calls("inbox together replay"), "signals and keys go to who waits now"
    ),
    Guard("shared/calls/inbox.py::Next.leave", _calls("inbox together"), "who stopped waiting is given nothing"),
    Guard("shared/calls/inbox.py::Inbox.look", _calls("inbox together replay news"), "nothing is given twice"),
    Guard(
        "shared/calls/inbox.py::Inbox.close",
        _calls("inbox together replay news"),
        "nobody waits for what will not come",
    ),
    # Off the record: nothing is asked while something may listen
    Guard("shared/calls/capture.py::Capture.hear", _calls("off_record"), "which streams are on"),
    Guard("shared/calls/capture.py::Capture.on", _calls("off_record"), "the same, of one that starts"),
    Guard("shared/calls/capture.py::to_be_on", _calls("off_record"), "a recording that starts is not taken for paused"),
    Guard("shared/calls/methods/off_record.py::_Record.enter", _calls("off_record"), "a block begins when all is off"),
    Guard(
        "shared/calls/methods/off_record.py::_Record.leave",
        _calls("off_record"),
        "all is put back, once, by the last block",
    ),
    Guard("shared/calls/methods/off_record.py::_Record._confirm", _calls("off_record"), "a stream is off for certain"),
    Guard(
        "shared/calls/methods/off_record.py::_Record._pause_recording", _calls("off_record"), "and so is a recording"
    ),
    # Recordings: one at a time, and nothing deleted that is not here
    Guard(
        "shared/recordings/leased_records.py::LeasedRecords.change",
        _recordings("lease"),
        "a change is made on what is there now",
    ),
    Guard("shared/recordings/leased_records.py::LeasedRecords.take", _recordings("lease"), "a lease is taken by one"),
    Guard("shared/recordings/leased_records.py::LeasedRecords.busy", _recordings("lease"), "a lease ends"),
    Guard(
        "shared/recordings/leased_records.py::Lease.alive",
        _recordings("lease"),
        "a lease is renewed while work goes on",
    ),
    Guard("shared/recordings/leased_records.py::Lease.settle", _recordings("lease"), "it is given back"),
    Guard("shared/recordings/leased_records.py::Lease._renew", _recordings("lease"), "it is renewed by its holder"),
    Guard("shared/recordings/leased_records.py::Lease._held", _recordings("lease"), "who lost it changes nothing"),
    Guard("shared/recordings/pipeline.py::Pipeline._in_turn", _recordings("turns"), "one instance at a time"),
    Guard(
        "shared/recordings/pipeline.py::Pipeline._deletes", _recordings("turns"), "what may be deleted at the source"
    ),
    Guard("shared/recordings/fetching.py::Fetcher.fetch", CHUNKS, "archived before it is deleted"),
    Guard(
        "shared/recordings/fetching.py::Fetcher._download",
        (*CHUNKS, *_recordings("metadata pipeline")),
        "the length is checked before deletion",
    ),
    Guard(
        "shared/recordings/fetching.py::Fetcher.delete", _recordings("deletion"), "deletion is tried until it expires"
    ),
    # Finished calls: told of at least once, under one id, and nowhere else
    Guard("shared/calls/afterwards.py::Afterwards._tell", FINISHED, "a call is told of before it is closed, and once"),
    Guard(
        "shared/notifications/notifier.py::Notifier.work",
        _notifications("notifier"),
        "threads are left; a storage may fail",
    ),
    Guard(
        "shared/notifications/notifier.py::Notifier._later", _notifications("notifier"), "tried for a day, then kept"
    ),
    Guard("shared/notifications/notifier.py::Notifier.replay", _notifications("notifier"), "a dead letter is not lost"),
    Guard("shared/notifications/notifier.py::wait_before", _notifications("notifier"), "waits grow and are bounded"),
    Guard(
        "shared/notifications/webhook.py::WebHook.deliver", _notifications("webhook"), "which responses are tried again"
    ),
    Guard("shared/notifications/webhook.py::sign", _notifications("webhook"), "a receiver can verify"),
    Guard("shared/notifications/addresses.py::read_url", _notifications("addresses"), "what a hook's URL may be"),
    Guard("shared/notifications/addresses.py::check_address", _notifications("addresses"), "where it may lead"),
    Guard("shared/notifications/addresses.py::_is_public", _notifications("addresses"), "the same"),
    # Streams: limits
    Guard("streams/limits.py::Budget.take", STREAMS, "memory is bounded"),
    Guard("streams/limits.py::Sockets.one_more", STREAMS, "sockets are bounded"),
    Guard("streams/track.py::TrackLimits.take", STREAMS, "audio is counted once, and given back"),
    Guard("streams/track.py::Track.add", STREAMS, "silence, duplicates and jumps of a stream"),
    # Streams: signals
    Guard("streams/signals.py::Signals.put", SIGNALS, "what waits is bounded, and counted in order"),
    Guard("streams/signals.py::Signals._send_all", SIGNALS, "none is lost while the app is away"),
    Guard("streams/signals.py::Signals._first", SIGNALS, "what goes together is in order"),
    Guard("streams/signals.py::Signals.close", SIGNALS, "a socket that closes waits for its signals"),
    Guard("streams/app_client.py::_outcome", SIGNALS, "what will be taken later is sent again"),
    # Attacks from outside; calls that cost too much; what is secret, and what is somebody's
    *ATTACKS,
    *BRAKES,
    *SECRET,
    *KEPT,
)
