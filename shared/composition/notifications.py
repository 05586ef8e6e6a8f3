"""Where notifications meet their Azure implementations; the composition root asks for this on first use."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial

from shared.azure.dead_letters import TableDeadLetters
from shared.azure.queues import StorageNotificationQueue
from shared.azure.topic import TopicPublisher
from shared.calls.store.base import CallStore
from shared.notifications.base import Target
from shared.notifications.event import call_finished
from shared.notifications.notifier import Notifier
from shared.notifications.outgoing import Outgoing
from shared.notifications.webhook import WebHook
from shared.setting_values import is_loopback
from shared.settings import Settings
from shared.use_cases.services import service
from shared.web.notifications import DeadLetterService


@dataclass(frozen=True, slots=True)
class Notifications:
    """What handlers ask for: the way of events to other systems, and what the HTTP API tells of it."""

    notifier: Notifier
    service: DeadLetterService


def compose_notifications(settings: Settings, store: CallStore) -> Notifications:
    """Join the parts by settings."""
    storage, prefix = settings.storage_account, settings.store_prefix
    letters = TableDeadLetters(storage, prefix)
    notifier = Notifier(
        targets=targets(settings),
        store=store,
        queue=StorageNotificationQueue(storage, prefix),
        letters=letters,
        event_of=partial(call_finished, personal=settings.events_personal_data),
    )
    return Notifications(notifier, DeadLetterService(notifier, letters, announce_campaign_again))


def announce_campaign_again(id: str) -> list[str]:
    """Try again what was given up of a campaign; the targets. NotFound, UnknownDeadLetter."""
    targets: list[str] = service("outreach").announce_again(id)
    return targets


def targets(settings: Settings) -> dict[str, Target]:
    """Who learns of finished calls, by name."""
    found: dict[str, Target] = {}
    if settings.events_topic_endpoint:
        found["topic"] = TopicPublisher(settings.events_topic_endpoint, settings.events_topic_key)
    if settings.hook_url:
        keys = [base64.b64decode(key) for key in (settings.hook_key, settings.hook_key_previous) if key]
        outgoing = Outgoing(loopback=is_loopback(settings.callback_base_url))
        found["hook"] = WebHook(settings.hook_url, keys, settings.callback_base_url, outgoing)
    return found
