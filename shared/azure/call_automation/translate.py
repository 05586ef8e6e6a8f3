"""Between Switchboard's values and the SDK's."""

from __future__ import annotations

from typing import Any

from azure.communication.callautomation import (
    CommunicationCloudEnvironment,
    CommunicationUserIdentifier,
    FileSource,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    SsmlSource,
    TeamsExtensionUserIdentifier,
    TextSource,
    UnknownIdentifier,
)

from shared.calls.prompts import Prompt
from shared.identifiers import Identifier


def somebody(identifier: Identifier) -> Any:
    """The SDK's type for an identifier; it has no public way to make one from a raw id."""
    raw_id, cloud = identifier.raw_id, CommunicationCloudEnvironment(identifier.cloud.upper())
    match identifier.kind:
        case "phoneNumber":
            # An asserted id stays in the value, as the SDKs have it; the raw id says which connection is meant.
            return PhoneNumberIdentifier(raw_id.removeprefix("4:"), raw_id=raw_id)
        case "communicationUser":
            return CommunicationUserIdentifier(raw_id, raw_id=raw_id)
        case "microsoftTeamsUser":
            anonymous = identifier.is_anonymous
            return MicrosoftTeamsUserIdentifier(identifier.name, is_anonymous=anonymous, cloud=cloud, raw_id=raw_id)
        case "microsoftTeamsApp":
            return MicrosoftTeamsAppIdentifier(identifier.name, cloud=cloud, raw_id=raw_id)
        case "teamsExtensionUser":
            resource, tenant, user = identifier.name.split("_")
            return TeamsExtensionUserIdentifier(
                user_id=user, tenant_id=tenant, resource_id=resource, cloud=cloud, raw_id=raw_id
            )
    return UnknownIdentifier(raw_id)


def number(identifier: Identifier | None) -> PhoneNumberIdentifier | None:
    """A caller id, which goes over the wire as its number alone."""
    return PhoneNumberIdentifier(identifier.phone_number or "") if identifier is not None else None


def source(prompt: Prompt, voice_name: str) -> FileSource | TextSource | SsmlSource:
    """A play source; a text that names no voice is spoken by `voice_name`."""
    if prompt.kind == "file":
        return FileSource(url=prompt.url, play_source_cache_id=prompt.cache_id)
    if prompt.kind == "ssml":
        return SsmlSource(
            ssml_text=prompt.ssml,
            custom_voice_endpoint_id=prompt.custom_voice_endpoint_id,
            play_source_cache_id=prompt.cache_id,
        )
    voiced = prompt.voice_name is not None or prompt.locale is not None
    return TextSource(
        text=prompt.text,
        voice_name=prompt.voice_name if voiced else voice_name,
        source_locale=prompt.locale,
        voice_kind=prompt.voice_kind,
        custom_voice_endpoint_id=prompt.custom_voice_endpoint_id,
        play_source_cache_id=prompt.cache_id,
    )


def connection(properties: Any) -> dict[str, Any]:
    """Call connection properties as plain JSON."""
    return {
        "callConnectionId": properties.call_connection_id,
        "serverCallId": properties.server_call_id,
        "correlationId": properties.correlation_id,
        "callConnectionState": word(properties.call_connection_state),
        "targets": [target.raw_id for target in properties.targets or [] if target is not None],
    }


def participant(found: Any) -> dict[str, Any]:
    """A participant as plain JSON."""
    raw_id = found.identifier.raw_id if found.identifier is not None else ""
    return {"rawId": raw_id, "isMuted": bool(found.is_muted), "isOnHold": bool(found.is_on_hold)}


def word(value: Any) -> str:
    """The SDK gives an enum for the words that it knows and a string for others."""
    return str(getattr(value, "value", value) or "")
