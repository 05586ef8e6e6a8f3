"""The changes of the guards that no test can or need notice, each with the reason."""

from __future__ import annotations

SURVIVORS: dict[str, dict[str, str]] = {
    "shared/calls/tones.py::ToneOrder.add": {"1 → 2": "a series comes after the one before it, by whatever it is more"},
    "shared/calls/lost.py::lost_operations": {
        "lost and (not operation.done) → lost": "what is done is confirmed as well; it is asked for safety",
    },
    "shared/calls/watchdog.py::Watchdog._stays_unconfirmed": {
        "self._unconfirmed.get(record.call_id, (-1, now)) → self._unconfirmed.get(record.call_id, (-2, now))": "no "
        "action has a position below 0",
    },
    "shared/calls/conductor.py::Conductor._advance_here": {
        "session.finished and outcome is Outcome.DUPLICATE and (not takes_after_the_end(session, pending)) → "
        "session.finished and (not takes_after_the_end(session, pending))": "what ends a call leaves nothing to send: "
        "no second round begins",
        "without: held.session.record.fill_in(session.record)": "the ids of a response are remembered apart as well "
        "(Afterwards), and put into whatever is loaded",
    },
    "shared/calls/feeding.py::feed": {
        "isinstance(entry, Issued) and entry.seq == UNNUMBERED → isinstance(entry, Issued)": "an action from outside "
        "never has a position yet: said for the reader",
    },
    "shared/calls/watchdog.py::Watchdog._next_overdue": {
        f"min((due for due in map(self._due, waiting) if due is not None), default=2 ** 63) → "
        f"min((due for due in map(self._due, waiting) if due is not None), default={far})": "any time that never comes"
        for far in ("3 ** 63", "2 ** 64", "2 ** 126")
    },
    "shared/calls/fallback.py::leave": {
        "range(1, HANG_UPS + 1) → range(1, HANG_UPS + 2)": "the last attempt raises before there is one more",
    },
    "shared/calls/inbox.py::Inbox.close": {
        "without: pending.fail(error)": "who is woken looks, and meets the error then",
    },
    "shared/recordings/book.py::Book.busy": {
        "left if 0 < left <= 2 * seconds else 0.0 → left if 0 <= left <= 2 * seconds else 0.0": "it is 0 seconds "
        "either way",
    },
    "shared/recordings/fetching.py::Fetcher._download": {
        "len(head) < HEAD and (block := next(blocks, b'')) → len(head) <= HEAD and (block := next(blocks, b''))": "a "
        "block more is looked at; all of them are written",
    },
    "shared/gateway/acs/retry.py::CarefulRetry.is_retry": {
        "(self.get_retry_after(response) or 0.0) > LONGEST_WAIT → (self.get_retry_after(response) or 1) > "
        "LONGEST_WAIT": "both are below the longest wait",
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
