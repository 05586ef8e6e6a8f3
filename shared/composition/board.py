"""The composition root: the one place where the core meets its Azure implementations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.azure.call_automation import AcsGateway
from shared.azure.call_store import TableStore
from shared.azure.do_not_record import TableDoNotRecord
from shared.azure.queues import QueueTimers, StoragePoisonQueues
from shared.calls.afterwards import Told
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
from shared.composition.use_cases import compose_use_cases
from shared.identifiers import Identifier
from shared.lines.reading import Lines
from shared.lines.shared_calendars import SharedCalendars
from shared.logs import logger
from shared.privacy import NumberHashes
from shared.routing import RoutingTable
from shared.routing.reading import load_routes
from shared.secret_keys import SecretKeys
from shared.security import CallbackUrls, StreamUrls, TokenVerifier
from shared.setting_values import setting_name
from shared.settings import EARLIER, Settings
from shared.stream_signals import SignalSignatures
from shared.use_cases.all import UseCases

if TYPE_CHECKING:
    from shared.brakes.brakes import AppBrakes, Refreshing
    from shared.composition.kept import Kept
    from shared.composition.notifications import Notifications
    from shared.composition.recordings import Recordings
    from shared.outreach.ports import Files
    from shared.recordings.base import Archive
    from shared.rows import Rows
    from shared.text_rows import TextRows
    from shared.use_cases.base import Queue
    from shared.web.calendars import CalendarService
    from shared.web.diagnosis import PoisonQueues
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
    use_cases: UseCases
    """Campaigns and the like; each is put together at its first request."""
    do_not_record: DoNotRecord | None
    """The numbers that are never recorded; None without a key to hash them with."""
    poison: Once[PoisonQueues]
    """What failed five times, put together on first use."""

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
    use_case_rows: Rows | None = None,
    use_case_queue: Queue | None = None,
    use_case_files: Files | None = None,
    refresher: Callable[[Callable[[], None]], Refreshing] | None = None,
    poison: Callable[[], PoisonQueues] | None = None,
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
    use_cases = compose_use_cases(
        settings,
        FLOWS,
        conductor,
        brakes,
        lines,
        store,
        slots,
        rows=use_case_rows,
        queue=use_case_queue,
        files=use_case_files,
    )
    conductor.afterwards.closing.append(Told(use_cases.closing, use_cases.concerns))
    conductor.may_place = use_cases.may_place
    if settings.events_topic_endpoint or settings.hook_url:
        conductor.afterwards.closing.append(Told(lambda record: notify().notifier.announce(record)))
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
        kept=Once(
            lambda: _kept(settings, store, recorded, notify, do_not_record, brakes.is_off_now, streams, use_cases)
        ),
        use_cases=use_cases,
        do_not_record=do_not_record,
        poison=Once(poison or (lambda: StoragePoisonQueues(settings.storage_account, settings.store_prefix))),
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
    use_cases: UseCases,
) -> Kept:
    from shared.composition.kept import compose_kept

    return compose_kept(settings, store, recordings, notifications, do_not_record, is_off, use_cases, streams)


def _notifications(settings: Settings, store: CallStore) -> Notifications:
    from shared.composition.notifications import compose_notifications

    return compose_notifications(settings, store)


def _stream_url(settings: Settings) -> Callable[[str, str], str]:
    """Where media and transcription of a call stream to; without a streams service flows must name their own URLs."""
    if not settings.streams_url:
        return lambda call_id, kind: ""
    return StreamUrls(settings.streams_url, settings.callback_signing_key).url


def _apology(prompt: str) -> tuple[Prompt, ...]:
    if not prompt:
        return ()
    return (file(prompt),) if prompt.startswith(("https://", "http://")) else (text(prompt),)
