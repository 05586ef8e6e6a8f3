"""The checks. Each takes what was seen and gives what is to be said of it; none reaches out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.diagnostics.finding import Finding, Level

WAITS_FOR_CALLBACK_MS = 60_000
"""A call that is this old and has not connected was not answered, or its callbacks do not come (our choice)."""

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


def storage_findings(error: str) -> list[Finding]:
    """Whether the storage answers; `error`: the class of what it raised, empty: it does."""
    if not error:
        return [Finding("storage.answers", "fine", "The storage answers.")]
    return [
        Finding("storage.silent", "wrong", f"The storage does not answer ({error}).",
                "No call can be answered or placed without it.",
                "Check AzureWebJobsStorage, the account's network rules, and the roles of the app's identity.")
    ]  # fmt: skip


def setup_findings(
    *, console_auth: str, platform_signs_in: bool, speaks: bool, hashes_numbers: bool, transcribes: bool
) -> list[Finding]:
    """What is left out on purpose, or forgotten."""
    found = []
    if console_auth == "appservice" and not platform_signs_in:
        found.append(
            Finding("console.platform-off", "wrong", "CONSOLE_AUTH is appservice, and the platform's sign-in is off.",
                    "Nobody can sign in.", "Turn on authentication of the Function App, or use keys.")
        )  # fmt: skip
    if not speaks:
        found.append(
            Finding("speech.none", "look", "COGNITIVE_SERVICES_ENDPOINT is not set.",
                    "Prompts of text are not spoken and speech is not understood: files and keys work.",
                    "Connect an Azure AI services resource, and set its endpoint.")
        )  # fmt: skip
    if not hashes_numbers:
        found.append(
            Finding("numbers.not-searchable", "look", "NUMBER_HASH_KEY is not set.",
                    "Calls are not found by number, and no number can be kept from being recorded.",
                    "Set a key: openssl rand -base64 32.")
        )  # fmt: skip
    if not transcribes:
        found.append(
            Finding("transcripts.none", "look", "TRANSCRIPTION_ENDPOINT is not set.",
                    "Reports have no words, so scorecards leave their questions about words open.",
                    "Set the endpoint of an Azure AI Speech resource.")
        )  # fmt: skip
    return found


def calls_findings(calls: Calls) -> list[Finding]:
    """Whether IncomingCall and callbacks arrive."""
    found = []
    if not calls.last_inbound:
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


def left_over_findings(*, dead_letters: int, failed_recordings: int) -> list[Finding]:
    """What gave up and waits for somebody."""
    found = []
    if dead_letters:
        found.append(
            Finding("notifications.dead", "look", f"{dead_letters} events of finished calls and campaigns were lost.",
                    "Other systems do not know of them.",
                    "Mend the topic or the hook, then replay them: docs/api.md, Dead letters.")
        )  # fmt: skip
    if failed_recordings:
        found.append(
            Finding("recordings.failed", "look", f"{failed_recordings} recordings of today gave up.",
                    "The service keeps a recording for 24 hours.", "See their reasons, and replay them.")
        )  # fmt: skip
    return found


def all_findings(*groups: Iterable[Finding]) -> list[Finding]:
    """All of them, what is wrong first."""
    found = [one for group in groups for one in group]
    return sorted(found, key=lambda one: _ORDER.index(one.level))
