"""Identifiers as the service writes them."""

from __future__ import annotations

from typing import Any

from shared.identifiers import Identifier


def to_wire(identifier: Identifier) -> dict[str, Any]:
    """The service's identifier model."""
    model: dict[str, Any] = {"kind": identifier.kind, "rawId": identifier.raw_id}
    match identifier.kind:
        case "phoneNumber":
            phone = {"value": identifier.phone_number, "assertedId": identifier.asserted_id}
            model["phoneNumber"] = {field: value for field, value in phone.items() if value is not None}
        case "communicationUser":
            model["communicationUser"] = {"id": identifier.raw_id}
        case "microsoftTeamsUser":
            model["microsoftTeamsUser"] = {
                "userId": identifier.name,
                "isAnonymous": identifier.is_anonymous,
                "cloud": identifier.cloud,
            }
        case "microsoftTeamsApp":
            model["microsoftTeamsApp"] = {"appId": identifier.name, "cloud": identifier.cloud}
        case "teamsExtensionUser":
            resource, tenant, user = identifier.name.split("_")
            model["teamsExtensionUser"] = {
                "userId": user,
                "tenantId": tenant,
                "resourceId": resource,
                "cloud": identifier.cloud,
            }
    return model
