"""What keeps out those who have no business here, and the tests that hold it: see SECURITY.md for who tries what."""

from __future__ import annotations

from tools.mutants.guard import Guard, files

SECURITY = files("tests/unit", "security")
KEYS = files("tests/unit", "issuer_keys")
DOCUMENTS = (*KEYS, *files("tests/unit", "json_over_http"))
TOKENS = (*SECURITY, *KEYS)
LOCATIONS = files("tests/unit/recordings", "location")
EXTERNAL = files("tests/unit/recordings", "external_storage")
SOURCE = files("tests/functional/recordings", "source")
ADDRESSES = files("tests/unit/notifications", "addresses")
OUTGOING = files("tests/unit/notifications", "outgoing")
PAGE = files("tests/unit/quality/page", "page")
LOGS = files("tests/unit", "logs")
EMULATOR_HOSTS = "emulator/src/acs_emulator/core/known_hosts.py"
HOSTS = files("tests/unit", "known_hosts")
NUMBERS = files("tests/functional", "numbers_from_outside")
IDENTIFIERS = files("tests/unit", "identifiers")
CALLBACKS = files("tests/functional", "callbacks")
HEALTH = files("tests/functional", "health")
GRID = files("tests/functional", "event_grid_deliveries")
WEBHOOK = files("tests/unit/devstack", "host_event_grid")
ADMISSION = files("tests/unit/streams", "admission limits")
SIGNALS = ("tests/unit/streams/test_app_client.py", "tests/functional/test_stream_signals.py")

ATTACKS = (
    # Forged callbacks: the signature of their URL, and the service's token
    Guard("shared/security.py::accepted_keys", SECURITY, "no signature is made with an empty key"),
    Guard("shared/security.py::is_signed", SECURITY, "a signature by no key of ours is none"),
    Guard("shared/security.py::CallbackUrls.url", SECURITY, "a URL is signed for its call and family"),
    Guard("shared/security.py::CallbackUrls.verify", SECURITY, "a URL that this app did not sign is refused"),
    Guard("shared/security.py::_signature", SECURITY, "the parts of what is signed cannot run into each other"),
    Guard("shared/security.py::key_bytes", SECURITY, "the key is what the setting says"),
    Guard("shared/security.py::TokenVerifier.__init__", TOKENS, "nobody verifies for any audience"),
    Guard("shared/security.py::TokenVerifier.verify", TOKENS, "a token that is not the service's is refused"),
    Guard("shared/security.py::TokenVerifier._check_times", SECURITY, "an old token is refused"),
    Guard("shared/security.py::_bearer_token", SECURITY, "what is no token is not parsed"),
    Guard("shared/security.py::_reason", SECURITY, "no log quotes a token"),
    Guard("shared/security.py::LEEWAY_SECONDS", SECURITY, "clocks may differ, and by no more"),
    # The keys of the tokens: whose they are, how old, and what fetching them may cost
    Guard("shared/issuer_keys.py::IssuerKeys.get", KEYS, "an unknown key is refused; a slow issuer holds no thread"),
    Guard("shared/issuer_keys.py::IssuerKeys.fetch", KEYS, "the same at the start"),
    Guard("shared/issuer_keys.py::IssuerKeys._held", KEYS, "a withdrawn key ends"),
    Guard("shared/issuer_keys.py::IssuerKeys._begin", KEYS, "one fetch at a time, and not too often"),
    Guard("shared/issuer_keys.py::IssuerKeys._within", KEYS, "the same, whatever the clock does"),
    Guard("shared/issuer_keys.py::IssuerKeys._refresh", KEYS, "a failure leaves the keys as they are"),
    Guard("shared/issuer_keys.py::IssuerKeys._fetched", KEYS, "keys come over https, from a document that has some"),
    Guard("shared/issuer_keys.py::_usable_key", KEYS, "only public RSA keys for signatures"),
    Guard("shared/issuer_keys.py::_Fetch.wait", KEYS, "a wait is bounded"),
    Guard("shared/issuer_keys.py::REFRESH_INTERVAL_SECONDS", KEYS, "not too often"),
    Guard("shared/issuer_keys.py::FIRST_FETCH_INTERVAL_SECONDS", KEYS, "the same, without a key"),
    Guard("shared/issuer_keys.py::WAIT_SECONDS", KEYS, "a wait is bounded"),
    Guard("shared/issuer_keys.py::MIN_KEY_BITS", KEYS, "no short key"),
    Guard("shared/json_over_http.py::get_json", DOCUMENTS, "a document that cannot be fetched is an OSError"),
    Guard("shared/json_over_http.py::_document", DOCUMENTS, "no redirect, no long document, no drip"),
    Guard("shared/json_over_http.py::_connection", DOCUMENTS, "certificates are checked, proxies are used"),
    Guard("shared/transport.py::cut_off", DOCUMENTS, "what was cut off is not taken for whole"),
    Guard("shared/json_over_http.py::WHOLE_SECONDS", DOCUMENTS, "a deadline"),
    Guard("shared/json_over_http.py::CONNECT_SECONDS", DOCUMENTS, "the same"),
    # Where recordings are fetched from, with the app's credentials
    Guard("shared/recordings/location.py::read_address", LOCATIONS, "no address that can be read in two ways"),
    Guard("shared/recordings/location.py::MOST_CHARACTERS", LOCATIONS, "no long one"),
    Guard("shared/recordings/location.py::Locations.checked", LOCATIONS, "credentials go to known hosts alone"),
    Guard("shared/recordings/location.py::Locations.followed", LOCATIONS, "and no redirect takes them elsewhere"),
    Guard("shared/recordings/location.py::Locations._is_extra", LOCATIONS, "which hosts a setting adds"),
    Guard("shared/recordings/location.py::_read_entry", LOCATIONS, "the same"),
    Guard("shared/recordings/location.py::_is_host", LOCATIONS, "brackets hold an address"),
    Guard("shared/recordings/location.py::_is_loopback", LOCATIONS, "http is for this machine"),
    Guard("shared/azure/recording_source.py::ServiceSource.metadata", SOURCE, "no huge document"),
    Guard(
        "shared/azure/recording_source.py::ServiceSource._response", SOURCE, "each redirect is judged, and they are few"
    ),
    Guard("shared/azure/recording_source.py::MOST_REDIRECTS", SOURCE, "the same"),
    Guard("shared/azure/recording_source.py::MOST_METADATA", SOURCE, "no huge document"),
    Guard(
        "shared/azure/recording_source.py::_Signature.__call__",
        SOURCE,
        "judged again where the credentials are attached",
    ),
    Guard("shared/azure/recording_source.py::_Token.__call__", SOURCE, "the same; a token is never sent in the clear"),
    Guard("shared/azure/recording_source.py::read_metadata", SOURCE, "what is no metadata is not read"),
    Guard("shared/azure/external_storage.py::ExternalStorageSource.owns", EXTERNAL, "which account is the app's"),
    Guard("shared/azure/external_storage.py::ExternalStorageSource._blob", EXTERNAL, "and which containers are"),
    Guard("shared/azure/external_storage.py::ExternalStorageSource._path", EXTERNAL, "the same"),
    # Where hooks lead
    Guard("shared/notifications/addresses.py::check_literal", ADDRESSES, "no private address in a hook's URL"),
    Guard("shared/notifications/addresses.py::checked_addresses", ADDRESSES, "nor behind its name"),
    Guard("shared/notifications/addresses.py::MOST_CHARACTERS", ADDRESSES, "no long URL"),
    Guard("shared/notifications/outgoing.py::Outgoing.post", OUTGOING, "the connection goes to what was checked"),
    # Pages, log lines, numbers, health
    Guard("shared/quality/page/__init__.py::_origin", PAGE, "no address changes the page's policy"),
    Guard("shared/quality/page/__init__.py::_policy", PAGE, "the page runs our script and loads nothing"),
    Guard("shared/quality/page/__init__.py::_hash", PAGE, "the same"),
    Guard("shared/quality/page/__init__.py::_environment", PAGE, "markup from outside stays text"),
    Guard("shared/logs.py::one_line", LOGS, "no line is forged or grows"),
    Guard("shared/logs.py::_escaped", LOGS, "the same"),
    Guard("shared/logs.py::bounded", LOGS, "the same; signatures and keys are left out"),
    Guard("shared/logs.py::_traceback", LOGS, "the same of tracebacks"),
    Guard("shared/logs.py::MOST_CHARACTERS", LOGS, "the same"),
    Guard("shared/numbers.py::whole_number", NUMBERS, "a number of any length is no failure"),
    Guard("shared/numbers.py::MOST_DIGITS", NUMBERS, "the same"),
    Guard("shared/web/queries.py::limit", NUMBERS, "no page is huge"),
    Guard("shared/web/queries.py::position", NUMBERS, "no position is huge"),
    Guard("shared/identifiers.py::Identifier._bounded", IDENTIFIERS, "nor an identifier"),
    Guard("shared/health.py::HealthCheck.__call__", HEALTH, "a question costs next to nothing"),
    Guard("shared/health.py::_look", HEALTH, "and tells one word"),
    Guard("shared/health.py::KEPT_SECONDS", HEALTH, "an outcome is kept"),
    Guard("handlers/deliveries.py::parsed", GRID, "events of another topic are refused"),
    Guard("handlers/callbacks.py::_receive", CALLBACKS, "no event without signature and token, nor of another call"),
    Guard("handlers/callbacks.py::_events", CALLBACKS, "nor one of another action, nor a huge one"),
    # The local host, as Azure's would: keys and handshakes
    Guard("devstack/host/http.py::KeyCheck.allows", WEBHOOK, "a key that is set is asked for"),
    Guard("devstack/host/http.py::read_body", WEBHOOK, "no body is huge, announced or not"),
    Guard("devstack/host/eventgrid.py::EventGridWebhook.serve", WEBHOOK, "nobody but Event Grid invokes a function"),
    Guard("devstack/host/eventgrid.py::_events", WEBHOOK, "what is no event reaches nobody"),
    Guard("devstack/host/eventgrid.py::_validation", WEBHOOK, "a handshake is answered with its code"),
    # Foreign pages, and sockets
    Guard(
        f"{EMULATOR_HOSTS}::KnownHosts.refusal",
        HOSTS,
        "no foreign page reaches emulator and local host",
    ),
    Guard(f"{EMULATOR_HOSTS}::KnownHosts._knows", HOSTS, "the same"),
    Guard(f"{EMULATOR_HOSTS}::KnownHosts.__init__", HOSTS, "the same"),
    Guard(f"{EMULATOR_HOSTS}::host_of", HOSTS, "whatever the header looks like"),
    Guard(f"{EMULATOR_HOSTS}::_is_loopback", HOSTS, "the same"),
    # Signals of the streams service
    Guard("shared/stream_signals.py::SignalSignatures.__init__", SIGNALS, "which keys sign signals"),
    Guard("shared/stream_signals.py::SignalSignatures.verify", SIGNALS, "no signal that is not signed for its call"),
    Guard("shared/stream_signals.py::_signature", SIGNALS, "sequence, connection and body are signed"),
    Guard("shared/web/stream_signals.py::StreamSignalService.take", SIGNALS, "the size first, then the signature"),
    Guard("streams/admission.py::_allowed", ADMISSION, "no socket without signature and token"),
    Guard("streams/admission.py::admitted", ADMISSION, "nor beyond the limits"),
)
