"""What keeps to itself what is secret or somebody's, and the tests that hold it: see docs/privacy.md."""

from __future__ import annotations

from tools.mutants.guard import Guard, files

KEYS = files("tests/unit", "secret_keys")
VALUES = files("tests/unit/calls", "secret_values")
SECRETS = files("tests/unit/calls", "secrecy")
DECLARED = files("tests/unit/calls", "declarations")
TEXTS = files("tests/unit/calls", "free_text")
SEALED = files("tests/unit/calls", "sealing")
REMOVED = files("tests/unit/kept", "retention people removal")
FOUND = files("tests/unit/kept", "people searching")

SECRET = (
    # Keys: who can read what was encrypted
    Guard("shared/secret_keys.py::CallCipher.seal", KEYS, "what is secret is bound to its entry; its length is hidden"),
    Guard("shared/secret_keys.py::CallCipher.open", KEYS, "it is read in its place alone"),
    Guard("shared/secret_keys.py::SecretKeys.__init__", KEYS, "no short key; the one before still unwraps"),
    Guard("shared/secret_keys.py::SecretKeys.new", KEYS, "each call has a key of its own"),
    Guard("shared/secret_keys.py::SecretKeys.cipher", KEYS, "a data key is that of its call"),
    Guard("shared/secret_keys.py::_encrypt", KEYS, "no nonce comes twice"),
    Guard("shared/secret_keys.py::_decrypt", KEYS, "what was changed is not read"),
    Guard("shared/secret_keys.py::_id_of", KEYS, "the id of a key tells nothing of it"),
    Guard("shared/secret_keys.py::NONCE", KEYS, "no nonce comes twice"),
    Guard("shared/secret_keys.py::BLOCK", KEYS, "the length of a number is hidden"),
    # What is secret
    Guard("shared/calls/secrecy.py::Secrecy.ask", SECRETS, "nothing is secret without a key, and the flow is told"),
    Guard("shared/calls/secrecy.py::Secrecy.ask_signal", SECRETS, "the same of signals"),
    Guard("shared/calls/secrecy.py::Secrecy.hear", SECRETS, "what was keyed or said to such a question is known"),
    Guard("shared/calls/secrecy.py::Secrecy._hear_key", SECRETS, "the same, key by key"),
    Guard("shared/calls/secrecy.py::Secrecy.take", SECRETS, "the same of signals and results"),
    Guard("shared/calls/secrecy.py::Secrecy._is_secret_signal", SECRETS, "which signals are secret"),
    Guard("shared/calls/secrecy.py::Secrecy.shown", SECRETS, "no log says it"),
    Guard("shared/calls/secrecy.py::Secrecy.hides", SECRETS, "which entries are sealed"),
    Guard("shared/calls/secrecy.py::Secrecy._hides_event", SECRETS, "the same of events"),
    Guard("shared/calls/secrecy.py::Secrecy._is_secret_run", SECRETS, "the same of side effects"),
    Guard("shared/calls/secrecy.py::is_secret", SECRETS, "what asks for a secret"),
    Guard("shared/calls/secrecy.py::says_a_secret", SECRETS, "what says one"),
    Guard("shared/calls/free_text.py::texts_of", (*TEXTS, *SECRETS), "what a flow wrote is looked through"),
    Guard("shared/calls/free_text.py::_texts", (*TEXTS, *SECRETS), "the same"),
    Guard("shared/calls/free_text.py::_stand_in", (*TEXTS, *DECLARED, *SECRETS), "which fields those are"),
    Guard("shared/calls/free_text.py::_shown", (*TEXTS, *SECRETS), "and left out where it is shown"),
    Guard("shared/calls/secrecy.py::without_texts", SECRETS, "the same"),
    Guard("shared/calls/secret_values.py::SecretValues.learn", VALUES, "what is looked for"),
    Guard("shared/calls/secret_values.py::SecretValues.learn_keys", VALUES, "the same, key by key"),
    Guard("shared/calls/secret_values.py::SecretValues.learn_numbers", VALUES, "the same of a signal or a result"),
    Guard("shared/calls/secret_values.py::SecretValues.held_by", VALUES, "it is found however it is written"),
    Guard("shared/calls/secret_values.py::SecretValues.in_json", VALUES, "and wherever"),
    Guard("shared/calls/secret_values.py::SecretValues.masked", VALUES, "and is not shown"),
    Guard("shared/calls/secret_values.py::texts_in", VALUES, "whatever holds it"),
    Guard("shared/calls/secret_values.py::_tokens", VALUES, "in any script, and spelled out"),
    Guard("shared/calls/secret_values.py::_stands_alone", VALUES, "a short number is found by itself alone"),
    Guard("shared/calls/secret_values.py::LONG", VALUES, "and a long one within another"),
    # How it is kept
    Guard(
        "shared/calls/sealing.py::Sealing.texts", SEALED, "what is secret is sealed; the key is destroyed at the end"
    ),
    Guard("shared/calls/sealing.py::Sealing.opened", SEALED, "who has the key reads it again, nobody else"),
    Guard("shared/calls/sealing.py::Sealing._cipher", SEALED, "a key that is destroyed is none"),
    Guard("shared/calls/sealing.py::shown", SEALED, "what is secret is not shown"),
    Guard("shared/calls/sealing.py::is_shown", SEALED, "what was shown is no journal to replay"),
    Guard("shared/calls/sealing.py::_sealed", SEALED, "without a key it is lost, and not in the clear"),
    Guard("shared/calls/sealing.py::_opened", SEALED, "it comes back as it was"),
    Guard("shared/calls/sealing.py::_bound_to", SEALED, "it can stand in no other entry"),
    Guard("shared/calls/sealing.py::_parted", SEALED, "what of an entry is secret"),
    Guard("shared/calls/sealing.py::_rest", SEALED, "the same of an event"),
    Guard("shared/calls/sealing.py::_envelope", SEALED, "the same"),
)

KEPT = (
    # What is kept of people: removed when it is old or when they ask
    Guard("shared/kept/calls.py::KeptCalls.remove", REMOVED, "no open call; all that a call left, or all of it stays"),
    Guard("shared/kept/calls.py::KeptCalls.recordings", REMOVED, "wherever it lies"),
    Guard("shared/kept/calls.py::KeptCalls.folders", REMOVED, "the same"),
    Guard("shared/kept/calls.py::KeptCalls._days", REMOVED, "the same, on whichever day"),
    Guard("shared/kept/calls.py::MOST_DAYS", REMOVED, "the same"),
    Guard("shared/kept/retention.py::Retention.sweep", REMOVED, "what is old goes, a piece at a time"),
    Guard("shared/kept/retention.py::Retention._expire", REMOVED, "recordings outlive their call"),
    Guard("shared/kept/retention.py::Retention._forget", REMOVED, "hashes go with the recordings"),
    Guard("shared/kept/retention.py::Retention._safely", REMOVED, "one that fails keeps no other"),
    Guard("shared/kept/retention.py::Retention._day", REMOVED, "which day is old"),
    Guard("shared/web/people_service.py::People.export", FOUND, "all that is kept is exported"),
    Guard("shared/web/people_service.py::People._export", FOUND, "the same, and no key"),
    Guard("shared/web/people_service.py::People._recording", FOUND, "the same of recordings"),
    Guard("shared/web/people_service.py::People.erase", FOUND, "the receipt says what stays"),
    Guard("shared/web/people_service.py::People._work", FOUND, "pieces that end in time, each call once"),
    Guard("shared/web/people_service.py::People._found", FOUND, "every call of a number, wherever a request goes on"),
    Guard("shared/web/people_service.py::People._days_of", FOUND, "the same, by day"),
    Guard("shared/web/people_service.py::People._searched", FOUND, "the same; how many days"),
    Guard("shared/web/people_service.py::People._erase", FOUND, "nothing that is about to be written again"),
    Guard("shared/web/people_service.py::People._is_new", FOUND, "the same"),
    Guard("shared/web/people_service.py::QUIET", FOUND, "the same"),
)
