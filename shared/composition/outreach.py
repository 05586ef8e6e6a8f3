"""Where campaigns and reminders meet the app and their Azure side; asked for at the first request of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from shared.azure.archive import BlobArchive
from shared.azure.dead_letters import TableDeadLetters
from shared.azure.inbox import BlobInbox, Dropped
from shared.calls.actions import CreateCall
from shared.calls.claims import placed_id
from shared.calls.record import CallRecord
from shared.composition.hooks import ask
from shared.composition.parts import Parts
from shared.errors import KeyReused, SettingsError, StoreUnavailable, UnknownCall
from shared.identifiers import Identifier
from shared.notifications.base import DeadLetters, Target
from shared.notifications.outgoing import Outgoing, Response
from shared.outreach.announcing import Announcer
from shared.outreach.campaign import Campaign
from shared.outreach.dialing import Slots
from shared.outreach.other_times import HELD_SECONDS, MOST_OFFERED, NoOtherTimes, OtherTime
from shared.outreach.ports import DroppedFile
from shared.outreach.service import Outreach
from shared.outreach.state import State
from shared.outreach.windows import Window
from shared.privacy import NumberHashes
from shared.setting_values import is_loopback
from shared.storage_account import StorageAccount
from shared.use_cases.base import Erased, Task, UseCase

TIMES = "other times"
"""What the hook is called in errors."""


def outreach_tables(prefix: str) -> dict[str, str]:
    """The tables of campaigns and reminders."""
    return {"people": f"{prefix}outpeople", "due": f"{prefix}outdue", "ledger": f"{prefix}outledger"}


class AppCalls:
    """The calls of the app, as campaigns ask for them."""

    def __init__(self, app: Parts) -> None:
        self._app = app

    def forbidden(self, caller: str, number: str) -> str:
        return self._app.brakes.forbids(_opening(caller, number))

    def slots(self, callers: Sequence[str]) -> Mapping[str, Slots | None]:
        if self._app.slots is None:
            return dict.fromkeys(callers)
        found = self._app.slots.free_for_campaigns(callers)
        return {caller: None if (one := found.get(caller)) is None else Slots(*one) for caller in callers}

    def place(self, flow: str, caller: str, number: str, data: Mapping[str, Any], attempt: str) -> None:
        found = self._app.conductor.flows.get(flow)
        spoken = found.texts.find(str(data["language"])) if found is not None and data["language"] else None
        given = {**data, "language": spoken.name if spoken is not None else ""}
        try:
            self._app.conductor.place(flow, _opening(caller, number), data=given, key=attempt)
        except KeyReused:
            return  # it was placed before, when something else was known of the person

    def was_placed(self, attempt: str) -> bool:
        try:
            self._app.store.peek(placed_id(attempt))
        except UnknownCall:
            return False
        return True

    def broke_off(self, attempt: str) -> bool:
        record = self._app.store.peek(placed_id(attempt))
        return record.status == "connecting" and not record.call_connection_id

    def resume(self, attempt: str) -> None:
        started = self._app.conductor.entries(placed_id(attempt))[0]
        opening = CreateCall.model_validate(started["opening"])
        self._app.conductor.place(started["flow"], opening, data=started["input"], key=attempt)

    def attempt_of(self, record: CallRecord) -> str:
        given = next(iter(self._app.conductor.entries(record.call_id)), {}).get("input")
        attempt = str(given.get("attempt", "")) if isinstance(given, Mapping) else ""
        return attempt if attempt and placed_id(attempt) == record.call_id else ""

    def call_id(self, attempt: str) -> str:
        return placed_id(attempt)


class BlobFiles:
    """Files that wait for their import, as blobs."""

    def __init__(self, account: StorageAccount, prefix: str) -> None:
        self._archive = BlobArchive(account, prefix, container="outreach")
        self._inbox = BlobInbox(account, prefix)

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        writer = self._archive.writer(name, "text/csv")
        for chunk in chunks:
            writer.write(chunk)
        writer.commit()

    def read(self, name: str) -> Iterator[bytes]:
        return self._archive.read(name)

    def remove(self, folder: str) -> None:
        self._archive.remove(folder)

    def dropped(self) -> Sequence[DroppedFile]:
        return [
            DroppedFile(one.name, one.version, datetime.fromtimestamp(one.changed, UTC))
            for one in self._inbox.waiting()
        ]

    def read_dropped(self, file: DroppedFile) -> Iterator[bytes]:
        return self._inbox.read(Dropped(file.name, file.version, 0))

    def remove_dropped(self, file: DroppedFile) -> None:
        self._inbox.remove(Dropped(file.name, file.version, 0))


class TimesHook:
    """Asks a hook of one's own for other times for an appointment.

    Args:
        loopback: this app runs on a developer's machine, and may call http there.
    """

    def __init__(self, url: str, *, loopback: bool) -> None:
        self._url = url
        self._outgoing = Outgoing(loopback=loopback)

    def offer(self, offer: str, about: Mapping[str, str]) -> Sequence[OtherTime]:
        response = self._ask("offer", offer, most=MOST_OFFERED, hold_seconds=HELD_SECONDS, **about)
        if not 200 <= response.status < 300:
            raise StoreUnavailable(f"{TIMES}: the hook responded {response.status}")
        try:
            return _Offered.model_validate_json(response.body).times
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise StoreUnavailable(f"{TIMES}: in the hook's response {where}: {first['msg']}") from None

    def book(self, offer: str, time: str) -> bool:
        return 200 <= self._ask("book", offer, time=time).status < 300

    def release(self, offer: str) -> None:
        self._ask("release", offer)

    def _ask(self, action: str, offer: str, **more: object) -> Response:
        asked = {"action": action, "offer": offer, **more}
        return ask(self._outgoing, self._url, asked, TIMES, Idempotency_Key=f"{offer}:{action}")


class _Offered(BaseModel):
    times: tuple[OtherTime, ...]


class NotSetUp:
    """Campaigns without a key to hash numbers with: there are none, and nothing of theirs is kept."""

    def work(self, task: Task) -> str:
        self._refuse()

    def due(self, item: str) -> None:
        """Nothing is ever due."""

    def closing(self, record: CallRecord) -> None:
        """No campaign placed it."""

    def may_place(self, record: CallRecord) -> bool:
        return False

    def export(self, number: Identifier) -> Mapping[str, Any]:
        return {}

    def erase(self, number: Identifier) -> Erased:
        return Erased()

    def expire(self, now: datetime) -> int:
        return 0

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise SettingsError("NUMBER_HASH_KEY", "is missing: campaigns keep whom they called under hashes of numbers.")


def compose_outreach(parts: Parts) -> UseCase:
    """Join the parts by settings."""
    settings = parts.settings
    if not settings.number_hash_key:
        return NotSetUp()
    numbers = NumberHashes(settings.number_hash_key, settings.number_hash_key_previous)
    state = State(parts.rows(outreach_tables(settings.store_prefix)), numbers)

    def targets() -> Mapping[str, Target]:
        from shared.composition.notifications import targets

        return targets(settings)

    def window_of(campaign: Campaign) -> Window | None:
        rules = campaign.rules
        if not rules.calendar:
            return Window(rules.opens, rules.closes, rules.days)
        calendar = parts.calendars().get(rules.calendar)
        if calendar is None:
            return None
        hours = {"opens": rules.opens, "closes": rules.closes}
        return Window.on_days_of(calendar, rules.calendar, **hours, days=rules.days)

    def clock() -> datetime:
        return datetime.now(UTC)

    def letters() -> DeadLetters:
        return TableDeadLetters(settings.storage_account, settings.store_prefix)

    hook = settings.reminders_times_url
    return Outreach(
        state=state,
        calls=AppCalls(parts),
        files=parts.files or BlobFiles(settings.storage_account, settings.store_prefix),
        queue=parts.queue,
        agenda=parts.agenda,
        windows=window_of,
        flows=parts.flows,
        lines=parts.lines,
        announcer=Announcer(targets, letters, state.people, parts.queue, clock),
        times=TimesHook(hook, loopback=is_loopback(settings.callback_base_url)) if hook else NoOtherTimes(),
        clock=clock,
        most_rows=settings.outreach_max_recipients,
        evidence_days=settings.evidence_retention_days,
    )


def _opening(caller: str, number: str) -> CreateCall:
    return CreateCall(targets=(Identifier.parse(number),), caller_id=Identifier.parse(caller))
