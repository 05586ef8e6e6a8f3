"""Checks of what the app works with: Communication Services, AI services, storage, and the roles between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from shared.diagnostics import Finding
from shared.setting_values import connection_parts

LOG_CATEGORIES = ("CallAutomationOperational", "CallAutomationMediaSummary")
"""Logs of the service without which nobody can say later why a call failed."""
SPEAKING_KINDS = ("CognitiveServices", "AIServices")
"""Kinds of AI resources that Call Automation speaks and listens by."""
SETTLING_MINUTES = 10
"""How long a new role may take to work (azure-docs role-based-access-control/troubleshooting)."""

BLOBS_OWNER, BLOBS_CONTRIBUTOR = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
QUEUES_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
TABLES_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
AI_USER = "a97b65f3-24c7-4388-baec-2e87135dc908"
SPEECH_USER = "f2dc8367-1007-4938-bd23-fe263f013447"
CONTRIBUTOR, OWNER = "b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
COMMUNICATION_OWNER = "09976791-48a7-449e-bb21-39d1a415f350"
"""Built-in roles (azure-docs role-based-access-control/built-in-roles.md)."""


class Needed(NamedTuple):
    """A role that somebody needs.

    Attributes:
        any_of: GUIDs, of which one is enough.
        scope: the id of the resource that it is for.
    """

    id: str
    who: str
    principals: Collection[str]
    role: str
    any_of: tuple[str, ...]
    scope: str
    why: str


def host_of(address: str) -> str:
    """The host of an address in small letters; empty: it has none."""
    return (urlsplit(address).hostname or "").lower()


def storage_name(settings: Mapping[str, str]) -> str:
    """The name of the storage account that the settings mean; empty: none can be told."""
    if text := settings.get("AzureWebJobsStorage", ""):
        return connection_parts(text).get("accountname", "")
    name = settings.get("AzureWebJobsStorage__accountName", "")
    return name or host_of(settings.get("AzureWebJobsStorage__blobServiceUri", "")).partition(".")[0]


def place_of(resource: Mapping[str, Any]) -> str:
    """Where a resource is, as the commands of `az` take it that know no --ids."""
    _, _, _, _, group, *_, name = str(resource["id"]).split("/")
    return f"--name {name} --resource-group {group}"


def principals(resource: Mapping[str, Any]) -> list[str]:
    """The object ids of the identities of a resource."""
    identity = resource.get("identity") or {}
    assigned = (one.get("principalId") for one in (identity.get("userAssignedIdentities") or {}).values())
    return [str(one) for one in (identity.get("principalId"), *assigned) if one]


def communication_findings(
    resource: Mapping[str, Any] | None, settings: Mapping[str, str], diagnostics: Iterable[Mapping[str, Any]]
) -> list[Finding]:
    """Whether the settings are those of the resource, and whether it can work with the app."""
    if resource is None:
        return [
            Finding(
                "acs.unknown",
                "wrong",
                "No Communication Services resource of this subscription is at ACS_ENDPOINT.",
                "Nothing can be asked of the service.",
                "az communication list --query [].hostName, then set it.",
            )
        ]
    properties, found = resource.get("properties", {}), []
    if str(properties.get("immutableResourceId", "")).lower() != settings.get("ACS_RESOURCE_ID", "").lower():
        found.append(
            Finding(
                "acs.resource-id",
                "wrong",
                "ACS_RESOURCE_ID is not the immutable id of the resource.",
                "It is the audience of callback tokens: every callback is refused with 401.",
                f"az communication show {place_of(resource)} --query immutableResourceId, then set it.",
            )
        )
    if settings.get("ACS_ACCESS_KEY") and properties.get("disableLocalAuth"):
        found.append(
            Finding(
                "acs.key",
                "wrong",
                "ACS_ACCESS_KEY is set, and the resource takes no keys.",
                "Every request to the service is refused with 401.",
                "Leave ACS_ACCESS_KEY empty: the app's identity signs in.",
            )
        )
    if not principals(resource):
        found.append(
            Finding(
                "acs.identity",
                "wrong",
                "The Communication Services resource has no identity.",
                "It cannot sign in at AI services: text prompts fail with 8565.",
                f"az communication identity assign --system-assigned true {place_of(resource)}",
            )
        )
    topic = settings.get("EVENT_GRID_TOPIC", "").rstrip("/")
    if topic and topic.lower() != str(resource["id"]).lower():
        found.append(
            Finding(
                "events.topic",
                "wrong",
                "EVENT_GRID_TOPIC is not the id of the resource.",
                "Every event of Event Grid is refused: no call is answered.",
                f"Set it to {resource['id']}, or leave it empty.",
            )
        )
    written = {
        str(log.get("category"))
        for one in diagnostics
        for log in (one.get("properties") or {}).get("logs") or ()
        if log.get("enabled")
    }
    missing = [name for name in LOG_CATEGORIES if name not in written]
    if missing:
        found.append(
            Finding(
                "acs.logs",
                "look",
                f"The service does not keep its logs {', '.join(missing)}.",
                "Why a call failed cannot be looked up later: they are lost.",
                f"az monitor diagnostic-settings create --name calls --resource {resource['id']}, with a workspace.",
            )
        )
    return found or [Finding("acs.right", "fine", "The settings are those of the Communication Services resource.")]


def speech_findings(account: Mapping[str, Any] | None, settings: Mapping[str, str]) -> list[Finding]:
    """Whether the service can speak and listen by the AI resource."""
    if not settings.get("COGNITIVE_SERVICES_ENDPOINT"):
        return []  # said as something that is not set up
    if account is None:
        return [
            Finding(
                "speech.unknown",
                "look",
                "No AI resource of this subscription is at COGNITIVE_SERVICES_ENDPOINT.",
                "If it is in no other one either, text prompts fail with 8565.",
                "az cognitiveservices account list --query [].properties.endpoint, then set it.",
            )
        ]
    properties, kind, found = account.get("properties", {}), account.get("kind"), []
    if kind not in SPEAKING_KINDS:
        found.append(
            Finding(
                "speech.kind",
                "wrong",
                f"The AI resource is of the kind {kind}.",
                "Call Automation speaks by multi-service resources alone: prompts fail with 8565 or 8567.",
                "Make one of the kind CognitiveServices or AIServices, and set its endpoint.",
            )
        )
    if not properties.get("customSubDomainName"):
        found.append(
            Finding(
                "speech.domain",
                "wrong",
                "The AI resource has no custom domain.",
                "Nobody can sign in there with an identity: prompts fail with 8565.",
                f"az cognitiveservices account update {place_of(account)} --custom-domain NAME",
            )
        )
    if properties.get("publicNetworkAccess") == "Disabled":
        found.append(
            Finding(
                "speech.private",
                "wrong",
                "The AI resource takes nothing from public networks.",
                "Communication Services reaches it over those alone.",
                "Allow them: the identity of the service is what protects it.",
            )
        )
    return found or [Finding("speech.right", "fine", "The AI resource can be used by Communication Services.")]


def storage_findings(
    account: Mapping[str, Any] | None, settings: Mapping[str, str], app: Mapping[str, Any]
) -> list[Finding]:
    """Whether the storage takes what the settings sign in with, and is near."""
    if account is None:
        return [
            Finding(
                "storage.unknown",
                "look",
                "The storage account of the app is not in this subscription.",
                "What it takes and where it is cannot be compared.",
                "Nothing, if it is meant so.",
            )
        ]
    properties, found = account.get("properties", {}), []
    if settings.get("AzureWebJobsStorage") and properties.get("allowSharedKeyAccess") is False:
        found.append(
            Finding(
                "storage.keys-off",
                "wrong",
                "AzureWebJobsStorage is a connection string, and the account takes no keys.",
                "Neither the host nor the app can use the storage: nothing runs.",
                "Set AzureWebJobsStorage__accountName and __credential instead: docs/settings.md.",
            )
        )
    here, there = (str(one.get("location", "")).lower().replace(" ", "") for one in (app, account))
    if here != there:
        found.append(
            Finding(
                "storage.far",
                "look",
                f"The app is in {here}, its storage in {there}.",
                "Every callback waits for the storage, once or twice.",
                "Have both in one region.",
            )
        )
    if properties.get("allowBlobPublicAccess"):
        found.append(
            Finding(
                "storage.public",
                "look",
                "Containers of the storage account may be made public.",
                "Recordings and call histories are in it.",
                f"az storage account update --ids {account['id']} --allow-blob-public-access false",
            )
        )
    return found or [Finding("storage.right", "fine", "The storage takes what the settings sign in with.")]


def role_findings(
    assignments: Collection[Mapping[str, Any]],
    app: Mapping[str, Any],
    resource: Mapping[str, Any] | None,
    speech: Mapping[str, Any] | None,
    storage: Mapping[str, Any] | None,
    settings: Mapping[str, str],
    now: datetime,
) -> list[Finding]:
    """Whether the identities have the roles that they need, long enough for them to work."""
    found = []
    for needed in _needed(app, resource, speech, storage, settings):
        mine = [one.get("properties", {}) for one in assignments if _gives(one.get("properties", {}), needed)]
        if not mine:
            principal = next(iter(needed.principals), "PRINCIPAL-ID")
            found.append(
                Finding(
                    needed.id,
                    "wrong",
                    f"{needed.who} has no role {needed.role}.",
                    needed.why,
                    f'az role assignment create --role "{needed.role}" --assignee-object-id {principal} '
                    f"--assignee-principal-type ServicePrincipal --scope {needed.scope}",
                )
            )
            continue
        minutes = min(_minutes_since(str(one.get("createdOn", "")), now) for one in mine)
        if minutes < SETTLING_MINUTES:
            found.append(
                Finding(
                    f"{needed.id}-new",
                    "look",
                    f"{needed.who} got the role {needed.role} {minutes:.0f} minutes ago.",
                    "A new role takes some minutes to work.",
                    "Wait, and look again before you search further.",
                )
            )
    return found or [Finding("roles.right", "fine", "The identities have the roles that they need.")]


def _needed(
    app: Mapping[str, Any],
    resource: Mapping[str, Any] | None,
    speech: Mapping[str, Any] | None,
    storage: Mapping[str, Any] | None,
    settings: Mapping[str, str],
) -> Iterable[Needed]:
    mine = principals(app)
    if storage is not None and not settings.get("AzureWebJobsStorage"):
        why = "The app signs in at its storage with its identity: no call can be answered without it."
        for part, role, guids in (
            ("blobs", "Storage Blob Data Owner", (BLOBS_OWNER,)),
            ("queues", "Storage Queue Data Contributor", (QUEUES_CONTRIBUTOR,)),
            ("tables", "Storage Table Data Contributor", (TABLES_CONTRIBUTOR,)),
        ):
            yield Needed(f"roles.{part}", "The app", mine, role, guids, storage["id"], why)
    if resource is not None and not settings.get("ACS_ACCESS_KEY"):
        why = "Every request to the service is refused with 403."
        any_of = (CONTRIBUTOR, OWNER, COMMUNICATION_OWNER)
        yield Needed("roles.acs", "The app", mine, "Contributor", any_of, resource["id"], why)
    if resource is not None and speech is not None:
        why = "Text prompts and speech fail with 8565: the resources are not connected."
        who = "Communication Services"
        yield Needed(
            "roles.speech", who, principals(resource), "Cognitive Services User", (AI_USER,), speech["id"], why
        )
    transcribes = host_of(settings.get("TRANSCRIPTION_ENDPOINT", ""))
    speaks = host_of(settings.get("COGNITIVE_SERVICES_ENDPOINT", ""))
    if speech is not None and transcribes == speaks and not settings.get("TRANSCRIPTION_KEY"):
        role, either = "Cognitive Services Speech User", (SPEECH_USER, AI_USER)
        yield Needed("roles.transcripts", "The app", mine, role, either, speech["id"], "Reports have no words.")


def _gives(assignment: Mapping[str, Any], needed: Needed) -> bool:
    scope = str(assignment.get("scope", "")).rstrip("/").lower()
    role = str(assignment.get("roleDefinitionId", "")).rpartition("/")[2].lower()
    return (
        str(assignment.get("principalId")) in needed.principals
        and role in needed.any_of
        and f"{needed.scope.lower()}/".startswith(f"{scope}/")
    )


def _minutes_since(text: str, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds() / 60
    except ValueError:
        return float("inf")
