"""What stands in for Azure where an app signs in by its identity: the endpoint for tokens, and a certificate.

App Service, Functions and Container Apps give a process IDENTITY_ENDPOINT and IDENTITY_HEADER; azure-identity asks
there (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference). The tokens have
the claims that Azurite and the emulator look at with `--oauth basic`.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt

from acs_emulator.core.certificate import CertificateFiles, development_certificate
from devstack.ports import LOOPBACK

API_VERSION = "2019-08-01"
TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
TOKEN_SECONDS = 24 * 3600
"""How long a managed identity's token is good for."""
_KEYS = ("AzureWebJobsStorage", "ACS_ACCESS_KEY", "TRANSCRIPTION_KEY", "EVENTS_TOPIC_KEY", "REPORT_TOPIC_KEY")
"""Settings that hold a key of a service; an app with an identity needs none."""


class Identity:
    """A user-assigned managed identity and the endpoint that has its tokens; a context manager.

    Args:
        folder: where the certificate of the services over https is kept.

    Attributes:
        client_id: without which the endpoint gives no token, as where an app has no identity of the system's.
        principal_id: the object id of its service principal.
        asked: the query of every request that got a token.
    """

    def __init__(self, folder: Path) -> None:
        self.client_id, self.principal_id = str(uuid.uuid4()), str(uuid.uuid4())
        self.asked: list[dict[str, str]] = []
        self.files: CertificateFiles = development_certificate(folder)
        self._header = secrets.token_hex(16)
        self._key = secrets.token_bytes(32)
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="identity endpoint", daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What the platform, and the settings of the app, tell a process of its identity; and whom to trust."""
        return {
            **dict.fromkeys(_KEYS, ""),
            "IDENTITY_ENDPOINT": f"http://{LOOPBACK}:{self._server.server_port}/msi/token",
            "IDENTITY_HEADER": self._header,
            "AZURE_CLIENT_ID": self.client_id,
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": self.client_id,
            "REQUESTS_CA_BUNDLE": str(self.files.bundle),
        }

    def respond(self, query: dict[str, str], header: str | None) -> tuple[int, dict[str, Any]]:
        """The status and the document of a response."""
        if header != self._header:
            return 401, {"statusCode": 401, "message": "X-IDENTITY-HEADER is not that of this app."}
        if query.get("api-version") != API_VERSION or not query.get("resource"):
            return 400, {"statusCode": 400, "message": f"api-version must be {API_VERSION}, and resource be given."}
        if query.get("client_id") != self.client_id:
            missing = "No User Assigned or Delegated Managed Identity found for specified ClientId"
            return 400, {"statusCode": 400, "message": missing}
        self.asked.append(query)
        now = int(time.time())
        expires = now + TOKEN_SECONDS
        claims = {
            "aud": query["resource"],
            "iss": f"https://sts.windows.net/{TENANT}/",
            "iat": now,
            "nbf": now - 300,
            "exp": expires,
            "appid": self.client_id,
            "oid": self.principal_id,
            "tid": TENANT,
        }
        token = jwt.encode(claims, self._key, algorithm="HS256")
        return 200, {
            "access_token": token,
            "expires_on": str(expires),
            "resource": query["resource"],
            "token_type": "Bearer",
            "client_id": self.client_id,
        }

    def emulator_flags(self, url: str) -> list[str]:
        """What has the emulator serve at this https address, and take tokens there."""
        flags = ["--https-port", url.rpartition(":")[2], "--recording-host", url, "--oauth", "basic"]
        return [*flags, "--certificate", str(self.files.certificate), "--key", str(self.files.key)]

    def start(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _handler(identity: Identity) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            status, document = identity.respond(query, self.headers["X-IDENTITY-HEADER"])
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the address of a request is no news."""

    return Handler
