"""The composition root: the one place where the core meets its Azure implementations."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.azure.call_automation import AcsGateway
from shared.azure.call_store import TableStore
from shared.azure.do_not_record import TableDoNotRecord
from shared.azure.queues import QueueTimers
from shared.calls.building import build
from shared.calls.conductor import Conductor
from shared.calls.flow import FLOWS
from shared.calls.gateway.base import Gateway
from shared.calls.prompts import Prompt, file, text
from shared.calls.store.base import CallStore, DoNotRecord
from shared.calls.timers import Timers
from shared.calls.watchdog import Watchdog
from shared.composition.flows import load_flows
from shared.composition.lines import compose_slots, read_lines, with_lines
from shared.composition.once import Once
from shared.errors import InvalidInput, Misconfigured
from shared.exposure import in_azure
from shared.identifiers import Identifier
from shared.lines.reading import Lines
from shared.lines.shared_calendars import SharedCalendars
from shared.logs import logger
from shared.privacy import NumberHashes
from shared.routing import RoutingTable, load_routes
from shared.secret_keys import SecretKeys
from shared.security import CallbackUrls, StreamUrls, TokenVerifier
from shared.setting_values import setting_name
from shared.settings import EARLIER, Settings, settings, unknown_settings
from shared.stream_signals import SignalSignatures

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes, Refreshing
    from shared.composition.kept import Kept
    from shared.composition.notifications import Notifications
    from shared.composition.recordings import Recordings
    from shared.recordings.base import Archive
    from shared.text_rows import TextRows
    from shared.web.calendars import CalendarService
    from shared.web.do_not_record import DoNotRecordService
    from shared.web.service import CallService
    from shared.web.stream_signals import StreamSignalService
    from shared.web.switches import SwitchesService

log = logger("switchboard.start")


@dataclass(frozen=True, slots=True)
class Switchboard:
    """Everything that a handler may ask for."""

    settings: Settings
    conductor: Conductor
    watchdog: Watchdog
    store: CallStore
    urls: CallbackUrls
    stream_signatures: SignalSignatures
    tokens: TokenVerifier
    routes: RoutingTable
    lines: Lines
    calendars: SharedCalendars
    brakes: AppBrakes
    recordings: Once[Recordings]
    """Recordings and their reports, put together on first use: no answer to a call needs them."""
    notifications: Once[Notifications]
    """Events for other systems, put together on first use, for the same reason."""
    kept: Once[Kept]
    """What is kept of people, put together on first use."""
    do_not_record: DoNotRecord | None
    """The numbers that are never recorded; None without a key to hash them with."""

    @property
    def service(self) -> CallService:
        """What the HTTP API does. Its models are imported on first use: no answer to a call needs them."""
        from shared.web.service import CallService

        return CallService(self.conductor, self.store, self.brakes)

    @property
    def stream_signal_service(self) -> StreamSignalService:
        """What the streams service may do. Its models are imported on first use."""
        from shared.web.stream_signals import StreamSignalService

        return StreamSignalService(self.conductor, self.stream_signatures)

    @property
    def switches_service(self) -> SwitchesService:
        """What the HTTP API does with the switches. Its models are imported on first use."""
        from shared.web.switches import SwitchesService

        return SwitchesService(self.brakes, self.conductor.flows)

    @property
    def calendar_service(self) -> CalendarService:
        """What the HTTP API does with calendars. Its models are imported on first use."""
        from shared.web.calendars import CalendarService

        return CalendarService(self.brakes)

    @property
    def do_not_record_service(self) -> DoNotRecordService:
        """What the HTTP API does with that list. Its models are imported on first use."""
        from shared.web.do_not_record import DoNotRecordService

        return DoNotRecordService(self.do_not_record)


def compose(
    settings: Settings,
    *,
    store: CallStore | None = None,
    gateway: Gateway | None = None,
    timers: Timers | None = None,
    tokens: TokenVerifier | None = None,
    recordings: Callable[[], Recordings] | None = None,
    notifications: Callable[[], Notifications] | None = None,
    streams: Archive | None = None,
    do_not_record: DoNotRecord | None = None,
    brake_rows: TextRows | None = None,
    slot_rows: TextRows | None = None,
    refresher: Callable[[Callable[[], None]], Refreshing] | None = None,
) -> Switchboard:
    """Join the parts by settings; a test gives its own for those that reach out."""
    logging.getLogger("switchboard").setLevel(settings.log_level)
    # At INFO the SDKs log every request with its URL, which may name a caller.
    logging.getLogger("azure").setLevel(logging.WARNING)
    for name, earlier in EARLIER.items():
        if getattr(settings, earlier):
            log.warning(
                "%s is called %s now; the old name is read for one version more", *map(setting_name, (earlier, name))
            )
    build()
    load_flows()
    signing, previous = settings.callback_signing_key, settings.callback_signing_key_previous
    numbers = None
    if settings.number_hash_key:
        numbers = NumberHashes(settings.number_hash_key, settings.number_hash_key_previous)
        do_not_record = do_not_record or TableDoNotRecord(settings.storage_account, settings.store_prefix, numbers)
    store = store or TableStore(settings.storage_account, settings.store_prefix, numbers)
    lines, calendars = read_lines(settings, FLOWS), SharedCalendars()
    routes = with_lines(load_routes(settings.routing_file, FLOWS), lines)
    brakes = _brakes(settings, routes, brake_rows, refresher, lines, calendars)
    slots = compose_slots(settings, lines, FLOWS, slot_rows)
    gateway = gateway or AcsGateway(
        settings.acs_endpoint,
        settings.acs_access_key,
        cognitive_services_endpoint=settings.cognitive_services_endpoint,
        voice_name=settings.voice_name,
        language=settings.speech_language,
        timeout=settings.action_timeout_seconds,
    )
    conductor = Conductor(
        store=store,
        gateway=gateway,
        timers=timers or QueueTimers(settings.storage_account, settings.store_prefix),
        flows=FLOWS,
        callback_url=(urls := CallbackUrls(settings.callback_base_url, signing, previous_key=previous)).url,
        stream_url=_stream_url(settings),
        cached_calls=settings.cached_calls,
        check_flows=settings.flow_checks,
        grace=settings.dispatch_grace_seconds,
        ring_time=settings.ring_seconds,
        apology=_apology(settings.fallback_prompt),
        transfer_to=Identifier.parse(settings.fallback_transfer_to) if settings.fallback_transfer_to else None,
        language=settings.speech_language,
        do_not_record=do_not_record,
        brakes=brakes,
        slots=slots,
        secrets=SecretKeys(settings.secrets_key, settings.secrets_key_previous) if settings.secrets_key else None,
    )
    watchdog = Watchdog(
        conductor,
        store,
        gateway,
        grace=settings.dispatch_grace_seconds,
        idle_timeout=settings.quiet_seconds,
        brakes=brakes,
        slots=slots,
    )
    conductor.afterwards.ended.append(brakes.ended)
    recorded = Once(recordings or (lambda: _recordings(settings, store, conductor.flows)))
    notify = Once(notifications or (lambda: _notifications(settings, store)))
    if settings.events_topic_endpoint or settings.hook_url:
        conductor.afterwards.closing.append(lambda record: notify().notifier.announce(record))
    return Switchboard(
        settings=settings,
        conductor=conductor,
        watchdog=watchdog,
        store=store,
        urls=urls,
        stream_signatures=SignalSignatures(signing, previous_key=previous),
        tokens=tokens
        or TokenVerifier(settings.acs_openid_configuration_url, settings.acs_token_issuer, settings.acs_resource_id),
        routes=routes,
        lines=lines,
        calendars=calendars,
        brakes=brakes,
        recordings=recorded,
        notifications=notify,
        kept=Once(lambda: _kept(settings, store, recorded, notify, do_not_record, brakes.is_off_now, streams)),
        do_not_record=do_not_record,
    )


def _brakes(
    settings: Settings,
    routes: RoutingTable,
    rows: TextRows | None,
    refresher: Callable[[Callable[[], None]], Refreshing] | None,
    lines: Lines,
    calendars: SharedCalendars,
) -> AppBrakes:
    from shared.azure.text_rows import TableTextRows
    from shared.composition.brakes import compose_brakes

    rows = rows or TableTextRows(settings.storage_account, f"{settings.store_prefix}brakes")
    readers = [calendars.take_over]
    return compose_brakes(settings, routes, FLOWS, rows, refresher, numbers=lines.numbers.keys(), readers=readers)


def _recordings(settings: Settings, store: CallStore, flows: Collection[str]) -> Recordings:
    from shared.composition.recordings import compose_recordings

    return compose_recordings(settings, store, flows)


def _kept(
    settings: Settings,
    store: CallStore,
    recordings: Once[Recordings],
    notifications: Once[Notifications],
    do_not_record: DoNotRecord | None,
    is_off: Callable[[Identifier], bool],
    streams: Archive | None,
) -> Kept:
    from shared.composition.kept import compose_kept

    return compose_kept(settings, store, recordings, notifications, do_not_record, is_off, streams)


def _notifications(settings: Settings, store: CallStore) -> Notifications:
    from shared.composition.notifications import compose_notifications

    return compose_notifications(settings, store)


NOT_SET_UP = "The app's settings, routing or flows are wrong; its log says which."


class ProcessSwitchboard:
    """Gives the process's own switchboard, composed on first use; or says what keeps it from that.

    What is wrong is found once: neither the settings nor the files of the app change while it runs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Switchboard | Exception | None = None
        self._notices: list[str] = []

    def __call__(self) -> Switchboard:
        """For triggers; raises Misconfigured, which the first of them logs in full.

        It is logged there because Application Insights does not get what a thread logs outside of an invocation.
        """
        found = self.prepare()
        if self._notices:
            self._tell(found)
        if isinstance(found, Exception):
            raise Misconfigured(NOT_SET_UP)
        return found

    def prepare(self) -> Switchboard | Exception:
        """The switchboard, or what is wrong, of which nothing is logged yet."""
        with self._lock:
            if self._found is None:
                self._found, self._notices = self._compose()
            return self._found

    def cache_clear(self) -> None:
        """Forget it; for tests."""
        with self._lock:
            self._found, self._notices = None, []

    def _compose(self) -> tuple[Switchboard | Exception, list[str]]:
        notices = [f"{name} is no setting: is {meant} meant?" for name, meant in unknown_settings().items()]
        try:
            return compose(settings()), notices
        except InvalidInput as error:
            return error, str(error).splitlines()
        except Exception as error:  # a flow that cannot be imported, above all
            return error, [f"{type(error).__name__}: {error}"]

    def _tell(self, found: Switchboard | Exception) -> None:
        with self._lock:
            notices, self._notices = self._notices, []
        if not isinstance(found, Exception):
            for notice in notices:
                log.warning("%s", notice)
            return
        for number, notice in enumerate(notices):
            # Where in the code it went wrong helps for what is no InvalidInput, which names a place of its own.
            trace = found if number == 0 and not isinstance(found, InvalidInput) else None
            log.error("misconfigured: %s", notice, exc_info=trace)


switchboard = ProcessSwitchboard()


def start_early() -> None:
    """In a Functions worker, get ready in the background, so that the first caller need not wait for it.

    On a developer's machine wrong settings end the start here, by SettingsError. In Azure nothing may: what an app
    raises while it is imported leaves it there without functions and without a trace.
    """
    if not os.environ.get("FUNCTIONS_WORKER_RUNTIME"):
        return
    if not in_azure(os.environ):
        settings()
    threading.Thread(target=_get_ready, name="switchboard-start", daemon=True).start()


def _get_ready() -> None:
    board = switchboard.prepare()
    if isinstance(board, Exception):
        return  # the first trigger says what it is
    try:
        board.tokens.prepare()
        board.store.healthy()
        board.brakes.get_ready()
        _check_targets(board)
        _check_scorecards(board)
        _check_hash_keys(board)
    except Exception as error:
        # Whatever is wrong, the trigger that needs it says so, and answers accordingly.
        log.warning("not ready early; the first trigger tries again: %s", error)


def _check_targets(board: Switchboard) -> None:
    """Say at start whom the app is set up to call and may not."""
    from shared.composition.brakes import forbidden_targets

    for forbidden in forbidden_targets(board.settings, board.routes, board.conductor.flows, board.brakes.dialing):
        log.error("%s", forbidden)


def _check_scorecards(board: Switchboard) -> None:
    """Say at start what is wrong with a scorecard, not when the first report needs it."""
    from shared.quality.scorecards import load_scorecards

    try:
        load_scorecards(board.settings.scorecards_folder, board.conductor.flows)
    except InvalidInput as error:
        log.error("no report can be made until this is fixed: %s", error)


def _check_hash_keys(board: Switchboard) -> None:
    """Say at start that numbers are kept under a key that is gone: calls that nobody finds, people who are recorded."""
    unknown = board.store.unknown_keys()
    if unknown:
        log.warning(
            "numbers are kept under a hash key that is not set: calls of %s are not found by number; "
            "call_upkeep puts them under NUMBER_HASH_KEY, or set NUMBER_HASH_KEY_PREVIOUS",
            ", ".join(sorted(unknown)),
        )
    listed = board.do_not_record.unknown_keys() if board.do_not_record else set[str]()
    if listed:
        log.error(
            "numbers are kept under a hash key that is not set: those of %s on the do-not-record list are recorded; "
            "set NUMBER_HASH_KEY_PREVIOUS, or add them again",
            ", ".join(sorted(listed)),
        )


def _stream_url(settings: Settings) -> Callable[[str, str], str]:
    """Where media and transcription of a call stream to; without a streams service flows must name their own URLs."""
    if not settings.streams_url:
        return lambda call_id, kind: ""
    return StreamUrls(settings.streams_url, settings.callback_signing_key).url


def _apology(prompt: str) -> tuple[Prompt, ...]:
    if not prompt:
        return ()
    return (file(prompt),) if prompt.startswith(("https://", "http://")) else (text(prompt),)
