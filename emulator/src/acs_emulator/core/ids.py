"""Identifiers in the shapes of the real service, from one seeded generator (shapes recorded 2022-2025)."""

from __future__ import annotations

import base64
import gzip
import json
import random
import uuid

#: Node tags seen at the front of real call connection ids.
_NODE_TAGS = ("411f0b00", "02004780", "03009180", "08002380")
#: .NET ticks of a fixed deployment epoch, as in recorded server call ids.
_SERVER_TICKS = "638774079598128719"
_ZERO_USER = "00000000-0000-0000-0000-000000000000"


class Ids:
    """Makes every identifier of one emulator; the same seed gives the same sequence."""

    def __init__(self, seed: int, resource_id: str) -> None:
        self._random = random.Random(f"ids-{seed}")
        self._resource_id = resource_id

    def guid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def call_connection(self) -> str:
        """A GUID whose first group is a node tag; each leg of a call has its own."""
        return f"{self._random.choice(_NODE_TAGS)}{self.guid()[8:]}"

    def server_call(self) -> str:
        """Base64, with padding, of the conversation's URL; the same on all legs."""
        conversation = base64.urlsafe_b64encode(self._random.randbytes(16)).decode().rstrip("=")
        url = (
            "https://api.flightproxy.skype.com/api/v2/cp/conv-jpea-03-prod-aks.conv.skype.com"
            f"/conv/{conversation}?i=10-60-1-83&e={_SERVER_TICKS}"
        )
        return base64.b64encode(url.encode()).decode()

    def user(self) -> str:
        """A communication user id of this resource."""
        digits = f"{self._random.getrandbits(32 * 3):024x}"
        return f"8:acs:{self._resource_id}_00000026-{digits[:4]}-{digits[4:8]}-{digits[8:12]}-{digits[12:24]}"

    def nobody(self) -> str:
        """The user id that stands for the application in an answered phone call."""
        return f"8:acs:{self._resource_id}_{_ZERO_USER}"

    def recording(self, platform_endpoint_id: str) -> str:
        """Unpadded base64url of the two GUIDs of a recording."""
        body = {"PlatformEndpointId": platform_endpoint_id, "ResourceSpecificId": self.guid()}
        return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")

    def document(self) -> str:
        """The document id of a recording chunk."""
        return f"0-wjp-d3-{self._random.getrandbits(128):032x}"

    def incoming_call_context(self) -> str:
        """An opaque, unsigned JWT of 7 to 8.3 KB that ends in a dot."""
        packed = gzip.compress(self._random.randbytes(self._random.randint(3700, 4100)), 1, mtime=0)
        body = {
            "cc": base64.b64encode(packed).decode(),
            "shrToken": base64.b64encode(self._random.randbytes(300)).decode(),
        }
        parts = ({"alg": "none", "typ": "JWT"}, body)
        return ".".join(_compact(part) for part in parts) + "."

    def azure_ref(self) -> str:
        """The front door's request reference."""
        return base64.b64encode(self._random.randbytes(36)).decode()

    def token(self) -> str:
        """An opaque user access token."""
        return ".".join(
            base64.urlsafe_b64encode(self._random.randbytes(size)).decode().rstrip("=") for size in (60, 300, 256)
        )


def _compact(part: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part, separators=(",", ":")).encode()).decode().rstrip("=")
