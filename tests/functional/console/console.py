"""A browser without a window, as far as tests of the console need one: it keeps a cookie, and sends forms."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import azure.functions as func

from shared.console_keys import hash_of
from tests.functional.app import App

ROOT = "/api/console"
LOCAL: dict[str, Any] = {
    "CONSOLE_AUTH": "local",
    "ACS_ENDPOINT": "http://127.0.0.1:1",
    "CALLBACK_BASE_URL": "http://127.0.0.1:7071",
}
"""Settings of a developer's machine."""

KEYS = {role: f"the key of the {role}" for role in ("viewer", "reviewer", "supervisor", "auditor", "admin")}
WITH_KEYS: dict[str, Any] = {
    "CONSOLE_AUTH": "keys",
    "CONSOLE_KEYS": ",".join(f"Ada the {role}:{role}:{hash_of(key)}" for role, key in KEYS.items()),
}
"""Settings where five people have a key."""


@dataclass
class Browser:
    """One person's browser."""

    app: App
    host: str = "127.0.0.1:7071"
    headers: dict[str, str] = field(default_factory=dict)
    cookie: str = ""
    text: str = ""
    """The page that was opened last."""

    def send(self, method: str, path: str, form: Mapping[str, str] | None = None, **headers: str) -> func.HttpResponse:
        given = {"Host": self.host, **self.headers, **{name.replace("_", "-"): one for name, one in headers.items()}}
        if self.cookie:
            given["Cookie"] = f"other=1; {self.cookie}"
        answer = self.app.request(method, f"{ROOT}{path}", urlencode(form or {}).encode(), given)
        if answer.headers.get("Set-Cookie"):
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        if method == "GET" and answer.status_code == 200 and "/live" not in path:
            self.text = answer.get_body().decode()
        return answer

    def get(self, path: str = "", **headers: str) -> func.HttpResponse:
        return self.send("GET", path, None, **headers)

    def open(self, path: str = "") -> str:
        """A page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.get_body())
        return self.text

    def post(self, path: str, **form: str) -> func.HttpResponse:
        """A form of the page that was opened last."""
        return self.send("POST", path, {"token": self.token, **form})

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.text)
        return found[1] if found else ""

    def sign_in(self, role: str) -> Browser:
        answer = self.send("POST", "/sign-in", {"key": KEYS[role]})
        assert answer.status_code == 303
        self.open("/calls")
        return self


def principal(*roles: str, name: str = "Ada", role_type: str = "roles") -> str:
    """The header that App Service's authentication sets."""
    claims = [{"typ": "name", "val": name}, {"typ": "oid", "val": "0f6b"}]
    claims += [{"typ": role_type, "val": role} for role in roles]
    body = {"auth_typ": "aad", "name_typ": "name", "role_typ": role_type, "claims": claims}
    return base64.b64encode(json.dumps(body).encode()).decode()


BOUNDARY = "----WebKitFormBoundaryabc123"


def multipart(fields: Mapping[str, str], files: Mapping[str, bytes]) -> bytes:
    """A form with files, as a browser sends it."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for name, content in files.items():
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.csv"\r\n'
        parts.append(f"{head}Content-Type: text/csv\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
