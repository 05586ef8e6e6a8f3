"""The changes of the guards that no test can or need notice, each with the reason."""

from __future__ import annotations

_ANY_PORT = "it is any port that there is"

SURVIVORS: dict[str, dict[str, str]] = {
    "shared/calls/tones.py::ToneOrder.add": {"1 → 2": "a series comes after the one before it, by whatever it is more"},
    "shared/calls/lost.py::lost_operations": {
        "lost and (not operation.done) and (not _is_too_late(operation, now)) → "
        "lost and (not _is_too_late(operation, now))": "what is done is confirmed as well; it is asked for safety",
    },
    "shared/calls/free_text.py::_stand_in": {
        "_stand_in(args[0], args[1:]) → _stand_in(args[0], args[0:])": "the type itself is no mark",
    },
    "shared/calls/state.py::CallState._on_event": {
        "operation is None or role is None → role is None": "there is no role without an operation; said for mypy",
    },
    "handlers/callbacks.py::_receive": {
        "func.HttpResponse(status_code=200) → func.HttpResponse()": "200 is what it has without it",
    },
    "shared/calls/watchdog.py::Watchdog._stays_unconfirmed": {
        "self._unconfirmed.get(record.call_id, (-1, now)) → self._unconfirmed.get(record.call_id, (-2, now))": "no "
        "action has a position below 0",
    },
    "shared/calls/turns.py::Turns.advance_here": {
        "session.finished and outcome is Outcome.DUPLICATE and (not takes_after_the_end(session, pending)) → "
        "session.finished and (not takes_after_the_end(session, pending))": "what ends a call leaves nothing to send: "
        "no second round begins",
        "without: held.session.record.fill_in(session.record)": "the ids of a response are remembered apart as well "
        "(Afterwards), and put into whatever is loaded",
    },
    "shared/calls/turns.py::feed": {
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
    "shared/recordings/leased_records.py::LeasedRecords.busy": {
        "left if 0 < left <= 2 * seconds else 0.0 → left if 0 <= left <= 2 * seconds else 0.0": "it is 0 seconds "
        "either way",
    },
    "shared/recordings/fetching.py::Fetcher._download": {
        "len(head) < HEAD and (block := next(blocks, b'')) → len(head) <= HEAD and (block := next(blocks, b''))": "a "
        "block more is looked at; all of them are written",
    },
    "shared/azure/call_automation/retry.py::CarefulRetry.is_retry": {
        "(self.get_retry_after(response) or 0.0) > LONGEST_WAIT → (self.get_retry_after(response) or 1) > "
        "LONGEST_WAIT": "both are below the longest wait",
    },
    "shared/calls/dispatcher.py::Dispatcher.hang_up_late_connections": {
        "event is None or opening is None → opening is None": "without an event there is no opening; for mypy",
    },
    "shared/azure/call_automation/gateway.py::_refusal": {
        "isinstance(error, HttpResponseError) and (status := (error.status_code or 0)) >= 400 → "
        "isinstance(error, HttpResponseError) and (status := (error.status_code or 1)) >= 400": "0 or 1: no status, so "
        "that both are below 400",
    },
    "shared/azure/call_automation/retry.py::CarefulRetry.increment": {
        "super().increment(settings, response=response, error=error) → "
        "super().increment(settings, response=response)": "the SDK counts connections and reads apart as well; what "
        "ends the tries first is their total",
    },
    "shared/security.py::TokenVerifier.verify": {
        "not isinstance(key_id, str) or not key_id → not key_id": "PyJWT refuses a key id that is no text before",
    },
    "shared/security.py::TokenVerifier._check_times": {
        "without: raise Refused('the token never expires')": "PyJWT requires `exp`; asked again for one that does not",
    },
    "shared/issuer_keys.py::IssuerKeys._begin": {
        "(None, False) → (None, True)": "where there is no fetch, nobody asks whether it was begun here",
    },
    "shared/issuer_keys.py::_usable_key": {
        "entry.get('kty') != 'RSA' or entry.get('use', 'sig') != 'sig' or entry.get('alg', 'RS256') != 'RS256' → "
        "entry.get('use', 'sig') != 'sig' or entry.get('alg', 'RS256') != 'RS256'": "PyJWT makes no RSA key of another "
        "type either",
    },
    "shared/json_over_http.py::_document": {
        "response.read(MOST_BYTES + 1) → response.read(MOST_BYTES + 2)": "one byte too many is enough to refuse it",
    },
    "shared/json_over_http.py::_connection": {
        "(parts.hostname or '', parts.port) → (parts.hostname, parts.port)": "settings have a host; for mypy",
        "way.hostname or '' → way.hostname": "a proxy without a host cannot be reached either way; for mypy",
    },
    "shared/recordings/location.py::read_address": {
        "int(match['port'] or _PORTS[scheme]) if match else 0 → int(match['port'] or _PORTS[scheme]) if match "
        "else 1": "what does not match is refused whatever its port is said to be",
        "match is None or not 0 < port < 65536 or len(host) > 253 or (not _is_host(host)) → not 0 < port < 65536 or "
        "len(host) > 253 or (not _is_host(host))": "what does not match has port 0; said for mypy",
    },
    "shared/recordings/location.py::Locations.checked": {
        "address.scheme != 'https' and (not (extra and address.loopback)) → address.scheme != 'https' and (not "
        "address.loopback)": "no host of the service is a loopback address",
    },
    "shared/recordings/location.py::_read_entry": {
        f"match is None or not _is_host(match['host']) or (not 0 < int(match['port'] or 443) < 65536) → "
        f"match is None or not _is_host(match['host']) or (not 0 < int(match['port'] or {port}) < 65536)": _ANY_PORT
        for port in (886, 444, 221)
    },
    "shared/logs.py::one_line": {
        **{
            f"_UNSAFE.sub(_escaped, text[:most + 1]) → _UNSAFE.sub(_escaped, text[:most + {more}])": "what is "
            "longer is cut once more"
            for more in (0, 2)
        },
        "len(text) <= most and len(shown) <= most → len(shown) <= most": "what is longer is not shown shorter",
    },
    "emulator/src/acs_emulator/core/known_hosts.py::host_of": {
        "match is None and ':' in text → match is None": "what has no colon and could be an address is a name as well",
    },
    "devstack/host/http.py::read_body": {
        "message['type'] == 'http.request' and (not message.get('more_body', False)) → message['type'] == "
        "'http.request' and (not message.get('more_body', True))": "the loop below reads it as well",
    },
    "shared/secret_keys.py::_decrypt": {"without: return None": "it is what a function gives that ends"},
    "shared/calls/secrecy.py::Secrecy._hides_event": {
        f"read_context(context) if isinstance(context, str) else ('', -1, -1) → read_context(context) if "
        f"isinstance(context, str) else ('', {position}, {attempt})": "no operation has a position below 0, and nobody "
        "asks for the attempt"
        for position, attempt in ((-2, -1), (-1, -2), (-1, "-0"))
    },
    "shared/calls/secret_values.py::SecretValues.in_json": {
        "bool(self) and any(map(self.held_by, texts_in(value))) → any(map(self.held_by, texts_in(value)))": "nothing "
        "is held where nothing is secret; it is asked first because most calls have no secret",
    },
    "shared/calls/secret_values.py::_stands_alone": {
        "not number.startswith(taken) or taken == number → taken == number": "what has gone past the number is none; "
        "it ends sooner",
    },
    "shared/calls/sealing.py::Sealing._cipher": {
        "self._keys is None or record.secrets in ('', DESTROYED) → self._keys is None": "neither is a wrapped key: "
        "nobody unwraps it",
    },
    "shared/calls/sealing.py::_parted": {
        "entry.action.model_dump(mode='json') → entry.action.model_dump()": "the fields of actions of today are the "
        "same in JSON",
    },
    "shared/brakes/brakes.py::AppBrakes._take": {
        "caller and of_one and (figures.callers.get(caller, 0) + self._claims.of(caller) >= of_one) → of_one and "
        "figures.callers.get(caller, 0) + self._claims.of(caller) >= of_one": "nobody's calls count as none",
    },
    "shared/brakes/brakes.py::AppBrakes._count": {
        "self._uncounted += Counter() → self._uncounted -= Counter()": "either drops the zeros",
    },
    "shared/brakes/switches.py::Switches.is_off": {
        "who is not None and name_of(who) in self.numbers_off → name_of(who) in self.numbers_off": "nobody is off by "
        "the name of None; said for mypy",
    },
    "shared/brakes/refresher.py::Refresher.use": {
        "without: return (no. 2)": "what is fresh is not waited for: the condition holds at once",
    },
}
"""By guard: a change as the report writes it, and why no test can or need notice it."""
