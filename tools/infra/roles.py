"""Which identity gets which role on what, held to a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.infra.bicep import INFRA, Resource, Template, accessed, values

GUIDS = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "cognitiveServicesUser": "a97b65f3-24c7-4388-baec-2e87135dc908",
    "cognitiveServicesSpeechUser": "f2dc8367-1007-4938-bd23-fe263f013447",
    "eventGridDataSender": "d5a91429-5739-47e2-a06b-3470a27159e7",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "acrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
}
"""Built-in roles (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles)."""

PRINCIPALS = {
    "appPrincipalId": "app",
    "streamsPrincipalId": "streams",
    "identityPrincipalId": "streams",
    "communication.identity.principalId": "Communication Services",
    "systemTopic.identity.principalId": "system topic",
}
"""Who an expression stands for, and, of the first three, which parameter of a module that is."""

GIVEN = {
    "appPrincipalId": "appIdentity.properties.principalId",
    "streamsPrincipalId": "streamsIdentity.properties.principalId",
    "identityPrincipalId": "streamsIdentity.properties.principalId",
}
"""What resources.bicep gives for each of these parameters."""

EXPECTED = frozenset(
    {
        ("app", "storageBlobDataOwner", "account"),
        ("app", "storageQueueDataContributor", "account"),
        ("app", "storageTableDataContributor", "account"),
        ("app", "keyVaultSecretsUser", "vault"),
        ("app", "contributor", "communication"),
        ("app", "monitoringMetricsPublisher", "insights"),
        ("app", "eventGridDataSender", "events"),
        ("app", "cognitiveServicesSpeechUser", "speech"),
        ("streams", "storageBlobDataContributor", "account"),
        ("streams", "keyVaultSecretsUser", "vault"),
        ("streams", "acrPull", "registry"),
        ("Communication Services", "cognitiveServicesUser", "speech"),
        ("Communication Services", "storageBlobDataContributor", "storage"),
        ("system topic", "storageBlobDataContributor", "deadLetters"),
    }
)
"""Who, role, on which resource of its template."""


def read_guids(path: Path = INFRA / "roles.json") -> dict[str, str]:
    """The GUIDs that the templates use."""
    found: dict[str, str] = json.loads(path.read_text("utf-8"))
    return found


def problems(templates: Sequence[Template], guids: Mapping[str, str]) -> Iterator[str]:
    """A line for each wrong GUID, and each assignment that is missing, is not in the table, or would fail."""
    for role, guid in guids.items():
        if GUIDS.get(role) != guid:
            yield f"infra/roles.json: {role} is {guid}, but the role's GUID is {GUIDS.get(role, 'unknown')}"
    found = set[tuple[str, str, str]]()
    for template in templates:
        for module in template.modules.values():
            for parameter, principal in GIVEN.items():
                given = ".".join(accessed(module.body.get("params", {}).get(parameter, principal)))
                if given != principal:
                    yield f"{template.where}: module {module.name} gets {given} for {parameter}, not {principal}"
        for resource in template.resources.values():
            if resource.type != "Microsoft.Authorization/roleAssignments":
                continue
            if resource.body["properties"].get("principalType") != "ServicePrincipal":
                yield f"{template.where}: {resource.name}: principalType must be 'ServicePrincipal', or new ones fail"
            found |= {_known(one) for one in _assigned(resource, template)}
    for principal, role, on in sorted(found - EXPECTED):
        yield f"infra: {principal} gets {role} on {on}, which is not in the table of roles"
    for principal, role, on in sorted(EXPECTED - found):
        yield f"infra: {principal} does not get {role} on {on}"


def _known(one: tuple[str, str, str]) -> tuple[str, str, str]:
    principal, role, on = one
    return PRINCIPALS.get(principal, principal), role.removeprefix("roles."), on


def _assigned(resource: Resource, template: Template) -> Iterator[tuple[str, str, str]]:
    """Principal, role and resource of an assignment, or of each of a loop, as they are written."""
    properties = resource.body["properties"]
    written = {
        "principal": properties["principalId"],
        "role": properties["roleDefinitionId"]["function"]["parameters"]["resource_name_1"],
    }
    for item in list(values(resource.items, template)) or [None]:
        for one in item if isinstance(item, list) else [item]:
            said = {key: _in_loop(value, one, resource.item) for key, value in written.items()}
            yield said["principal"], said["role"], str(resource.body.get("scope"))


def _in_loop(value: Any, one: Any, item: str) -> str:
    """The value of `one.role`, where `one` is an item of a loop."""
    names = accessed(value)
    if item and names and names[0] == item:
        for name in names[1:]:
            one = one[name]
        names = accessed(one)
    return ".".join(names)
