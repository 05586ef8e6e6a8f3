"""The checks. Each takes what was seen and gives what is to be said of it; none reaches out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.diagnostics.finding import Finding, Level

WAITS_FOR_CALLBACK_MS = 60_000
"""A call that is this old and has not connected was not answered, or its callbacks do not come (our choice)."""

SLOW_STORAGE_MS = 500
"""Milliseconds from which a look at the tables is slow (our choice): in one region it takes some 10 to 20, and as much
again for each row that is looked at."""
SOME_REFUSED = 3
"""Refused callbacks from which, with none taken after, it is no stranger and no probe of doctor (our choice)."""

_ORDER: Sequence[Level] = ("wrong", "look", "fine")


@dataclass(frozen=True, slots=True)
class Calls:
    """What the newest calls tell. Times are Unix time in milliseconds; 0: there was none.

    Attributes:
        days: how many days were looked at.
        last_inbound: when the newest call came in.
        last_connected: when the newest call that connected had started.
        unconnected: calls that are older than a minute, are not over, and have not connected.
    """

    days: int
    last_inbound: int
    last_connected: int
    unconnected: int


def settings_findings(problems: Iterable[str], misspelled: Mapping[str, str]) -> list[Finding]:
    """Wrong settings, routing or flows, by name.

    Args:
        problems: a line each, `NAME: what is wrong`.
        misspelled: names that nothing reads, with the setting that is probably meant.
    """
    why = "Nothing runs until it is right: every trigger is refused and retried."
    found = [
        Finding("settings.wrong", "wrong", line, why, "Correct it; Azure restarts the app then. See docs/settings.md.")
        for line in problems
    ]
    found += [
        Finding("settings.misspelled", "look", f"{name} is set, and nothing reads it.", f"{meant} may be meant.",
                f"Rename it to {meant}, or remove it.")
        for name, meant in misspelled.items()
    ]  # fmt: skip
    return found or [Finding("settings.right", "fine", "Settings, routing and flows are right.")]


def storage_findings(error: str, took: int = 0) -> list[Finding]:
    """Whether the storage answers, and how soon.

    Args:
        error: the class of what it raised; empty: it answered.
        took: milliseconds that a look at its tables took.
    """
    if not error and took > SLOW_STORAGE_MS:
        return [
            Finding("storage.slow", "look", f"The storage took {took} ms to answer.",
                    "Every callback waits for it once or twice, and the caller with it.",
                    "If it stays so: have both in one region, and look at the account's metric SuccessE2ELatency.")
        ]  # fmt: skip
    if not error:
        return [Finding("storage.answers", "fine", "The storage answers.")]
    return [
        Finding("storage.silent", "wrong", f"The storage does not answer ({error}).",
                "No call can be answered or placed without it.",
                "Check AzureWebJobsStorage, the account's network rules, and the roles of the app's identity.")
    ]  # fmt: skip


NOT_SET: Mapping[str, tuple[str, str, str]] = {
    "COGNITIVE_SERVICES_ENDPOINT": (
        "speech.none",
        "Prompts of text are not spoken and speech is not understood: files and keys work.",
        "Connect an Azure AI services resource, and set its endpoint.",
    ),
    "NUMBER_HASH_KEY": (
        "numbers.not-searchable",
        "Calls are not found by number, and no number can be kept from being recorded.",
        "Set a key: openssl rand -base64 32.",
    ),
    "TRANSCRIPTION_ENDPOINT": (
        "transcripts.none",
        "Reports have no words, so scorecards leave their questions about words open.",
        "Set the endpoint of an Azure AI Speech resource.",
    ),
}
"""Settings without which something is left out: the id of the check, what is left out, and the remedy."""


def setup_findings(*, console_auth: str, platform_signs_in: bool, given: Collection[str]) -> list[Finding]:
    """What is left out on purpose, or forgotten.

    Args:
        given: the settings that have a value.
    """
    found = []
    if console_auth == "appservice" and not platform_signs_in:
        found.append(
            Finding("console.platform-off", "wrong", "CONSOLE_AUTH is appservice, and the platform's sign-in is off.",
                    "Nobody can sign in.", "Turn on authentication of the Function App, or use keys.")
        )  # fmt: skip
    found += [
        Finding(id_, "look", f"{name} is not set.", why, remedy)
        for name, (id_, why, remedy) in NOT_SET.items()
        if name not in given
    ]
    return found


def calls_findings(calls: Calls, *, local: bool = False) -> list[Finding]:
    """Whether IncomingCall and callbacks arrive.

    Args:
        local: the app runs on a developer's machine, where nobody calls unasked.
    """
    found = []
    if not calls.last_inbound and local:
        found.append(Finding("event-grid.silent", "fine", f"No call has come in within {calls.days} days."))
    elif not calls.last_inbound:
        found.append(
            Finding("event-grid.silent", "look", f"No call has come in within {calls.days} days.",
                    "If somebody called, Azure did not deliver IncomingCall.",
                    "Look whether the Event Grid subscription is there and points at the function incoming_call.")
        )  # fmt: skip
    else:
        found.append(Finding("event-grid.delivers", "fine", "IncomingCall is delivered."))
    if calls.unconnected:
        found.append(
            Finding("callbacks.silent", "wrong" if not calls.last_connected else "look",
                    f"{calls.unconnected} calls are older than a minute and have not connected.",
                    "Either nobody answers, or the service's callbacks do not reach the app.",
                    "Check that CALLBACK_BASE_URL leads here from the internet, and look for refused callbacks in the "
                    "log; ACS_RESOURCE_ID must be the resource's immutable id.")
        )  # fmt: skip
    elif calls.last_connected:
        found.append(Finding("callbacks.arrive", "fine", "Callbacks arrive."))
    return found


def refused_findings(refused: int, *, status: int, reason: str, taken_since: bool) -> list[Finding]:
    """Whether callbacks are refused.

    Args:
        refused: how many were, since this instance started.
        status, reason: of the newest.
        taken_since: whether one was taken after it.
    """
    if not refused:
        return []
    remedy = (
        "Compare ACS_RESOURCE_ID with the resource's immutable id: az communication show --query immutableResourceId."
        if status == 401
        else "Compare CALLBACK_SIGNING_KEY of all instances: after a change, set CALLBACK_SIGNING_KEY_PREVIOUS."
    )
    why = "A call whose callbacks are refused stands still; strangers who try their luck are refused as well."
    level: Level = "look" if taken_since or refused < SOME_REFUSED else "wrong"
    seen = f"{refused} callbacks were refused by this instance, the newest with {status}: {reason}."
    return [Finding("callbacks.refused", level, seen, why, remedy)]


def left_over_findings(*, dead_letters: int, failed_recordings: int) -> list[Finding]:
    """What gave up and waits for somebody."""
    given = (
        ("notifications.dead", dead_letters, "events of finished calls and campaigns were lost",
         "Other systems do not know of them.", "Mend the topic or the hook, then replay them: docs/api.md, "
         "Dead letters."),
        ("recordings.failed", failed_recordings, "recordings of today gave up",
         "The service keeps a recording for 24 hours.", "See their reasons, and replay them."),
    )  # fmt: skip
    return [Finding(id_, "look", f"{count} {what}.", why, remedy) for id_, count, what, why, remedy in given if count]


def poison_findings(counts: Mapping[str, int]) -> list[Finding]:
    """Messages on which the app failed five times.

    Args:
        counts: by the name of the queue.
    """
    return [
        Finding(f"queues.poison.{queue.rpartition('-')[2]}", "look",
                f"{count} messages of the queue {queue} failed five times.",
                "What they were to do is not done: the log of that time says why.",
                "Mend what it says, then put them back: the button on the page Status, or "
                f"POST /api/diagnostics/queues/{queue.rpartition('-')[2]}/put-back.")
        for queue, count in counts.items() if count
    ]  # fmt: skip


def all_findings(*groups: Iterable[Finding]) -> list[Finding]:
    """All of them, what is wrong first."""
    found = [one for group in groups for one in group]
    return sorted(found, key=lambda one: _ORDER.index(one.level))
