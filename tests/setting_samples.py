"""Settings as a deployment has them: nothing that is published, nothing of a developer's machine."""

from __future__ import annotations

import base64
import hashlib


def made_key(name: str) -> str:
    """A key as `openssl rand -base64 32` makes one, always the same for a name."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


STORAGE = (
    f"DefaultEndpointsProtocol=https;AccountName=contosocalls;AccountKey={made_key('storage')};"
    "EndpointSuffix=core.windows.net"
)

REQUIRED = {
    "ACS_ENDPOINT": "https://contoso.communication.azure.com/",
    "ACS_RESOURCE_ID": "8b3b2565-9105-49f4-9b61-081357959c70",
    "AzureWebJobsStorage": STORAGE,
    "CALLBACK_BASE_URL": "https://app.example",
    "CALLBACK_SIGNING_KEY": made_key("signing"),
}
