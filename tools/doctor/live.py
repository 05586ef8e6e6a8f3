"""The level `live`: asks the deployed app and what it works with, as the service would. It asks first."""

from __future__ import annotations

import argparse
import ast
import base64
import os
import secrets
import struct
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from shared.diagnostics import Finding
from shared.security import SERVICE_OPENID_CONFIGURATION, CallbackUrls
from tools.doctor.app import local_settings
from tools.doctor.azure.arm import Arm, NotThere, az, azd_values, named
from tools.doctor.errors import CouldNotLook
from tools.doctor.running import Answer, ask, clock_findings, clock_of, health_findings, own_findings, storage_address

PROBE = "doctor"
"""The id of a call that there is not."""
SLOW_SECONDS = 1.0
"""How long the app may take to refuse a callback, warm (our choice); the service gives up after some seconds."""
CALL_SECONDS = 120.0
"""How long a test call may take (our choice): it is not answered for up to 60 s."""
RATE, CHANNELS = 16_000, 1
"""What prompt files must be, in Hz and channels (azure-docs call-automation/play-action.md)."""

QUESTION = (
    "doctor will send requests to {base} and to the services in its settings{call}. It changes nothing there; "
    "{cost}. Go on? [y/N] "
)


def look(root: Path, given: argparse.Namespace, agree: Callable[[str], str] = input) -> list[Finding]:
    """Everything that only a request can tell. CouldNotLook, also where nobody agrees."""
    settings = {**local_settings(root), **os.environ}
    if not settings.get("ACS_ENDPOINT"):
        settings = {**_deployed(given), **settings}
    base = (given.url or settings.get("CALLBACK_BASE_URL", "")).rstrip("/")
    if not base:
        raise CouldNotLook("no address: give --url, or the settings of the app in the environment.")
    if given.call and not (given.call_from and given.key):
        raise CouldNotLook("a test call needs --call-from, a number of yours, and --key.")
    if not given.yes:
        call = f", and call {given.call}" if given.call else ""
        cost = "the call costs what a call costs" if given.call else "it costs less than a cent"
        if not sys.stdin.isatty() or agree(QUESTION.format(base=base, call=call, cost=cost)).strip().lower() != "y":
            raise CouldNotLook("nobody agreed. With --yes it does not ask.")
    health = ask(f"{base}/api/health")
    found = health_findings(base, health)
    if health.status in (200, 503):
        found += own_findings(ask(f"{base}/api/diagnostics", key=given.key))
        found += callback_findings(*_callbacks(base, settings.get("CALLBACK_SIGNING_KEY", "")))
    if storage := storage_address(settings):
        found += clock_findings(clock_of(storage), datetime.now(UTC))
    found += key_findings(*_issuer_keys(settings))
    found += [one for url in _prompts(root, settings) for one in prompt_findings(url, *_head_of(url))]
    if streams := settings.get("STREAMS_URL"):
        found += stream_findings(streams, *_streams(streams))
    if given.call:
        found += call_findings(_call(base, given))
    return found


def _deployed(given: argparse.Namespace) -> dict[str, str]:
    """The settings of the deployed app, without what is in Key Vault. CouldNotLook."""
    values = azd_values()
    group = named(given.resource_group, "AZURE_RESOURCE_GROUP", values, "--resource-group")
    name = named(given.app, "AZURE_FUNCTION_APP_NAME", values, "--app")
    token = az("account", "get-access-token", "--resource", given.arm.rstrip("/") + "/")
    arm = Arm(given.arm, token["accessToken"], given.subscription or az("account", "show")["id"])
    try:
        path = f"{arm.root}/resourceGroups/{group}/providers/Microsoft.Web/sites/{name}/config/appsettings/list"
        settings = arm.post(path, "Microsoft.Web").get("properties") or {}
    except NotThere:
        raise CouldNotLook(f"there is no Function App {name} in {group}, or you may not see it.") from None
    return {name: str(value) for name, value in settings.items() if not str(value).startswith("@Microsoft.KeyVault")}


# Callbacks


def _callbacks(base: str, key: str) -> tuple[Answer, float, Answer | None]:
    """What a callback with a wrong signature meets, in how many seconds, and one with a right one and no token."""
    url = f"{base}/api/callbacks/{PROBE}?sig=wrong"
    ask(url, method="POST", json=[])  # the first may start an instance
    began = time.monotonic()
    wrong = ask(url, method="POST", json=[])
    seconds = time.monotonic() - began
    if not key:
        return wrong, seconds, None
    return wrong, seconds, ask(CallbackUrls(base, key).url(PROBE), method="POST", json=[])


def callback_findings(wrong: Answer, seconds: float, right: Answer | None) -> list[Finding]:
    """Whether callbacks reach the app, and only those of the service are taken.

    Args:
        wrong: to a wrong signature.
        right: to a right signature without a token; None: the key is not known here.
    """
    if wrong.status == 200:
        return [
            Finding(
                "callbacks.open",
                "wrong",
                "A callback with a wrong signature was taken.",
                "Anybody could drive calls of yours.",
                "Find out what responds there: it is not this app.",
            )
        ]
    if wrong.status != 403 or not isinstance(wrong.body, dict):
        return [
            Finding(
                "callbacks.blocked",
                "wrong",
                f"A callback meets {wrong.status or wrong.error} before it reaches the app.",
                "The service's callbacks do not come: every call stands still after its answer.",
                "Take sign-in, access restrictions and redirects off /api/callbacks; check CALLBACK_BASE_URL.",
            )
        ]
    found = []
    if seconds > SLOW_SECONDS:
        found.append(
            Finding(
                "callbacks.slow",
                "look",
                f"The app took {seconds:.1f} s to refuse a callback.",
                "A caller hears each of these seconds.",
                "Keep an instance ready: docs/deploy.md.",
            )
        )
    if right is not None and right.status == 403:
        found.append(
            Finding(
                "callbacks.key",
                "wrong",
                "The app refuses what CALLBACK_SIGNING_KEY signs here.",
                "Calls that began under another key are refused.",
                "Compare the key here with the app's: az functionapp config appsettings list",
            )
        )
    elif right is not None and right.status != 401:
        found.append(
            Finding(
                "callbacks.token",
                "wrong",
                f"A callback without a token meets {right.status}, not 401.",
                "The service's token is what shows that it is the service.",
                "See the log of the app.",
            )
        )
    return found or [Finding("callbacks.reach", "fine", "Callbacks reach the app, and it refuses what is not signed.")]


# Keys of callback tokens


def _issuer_keys(settings: Mapping[str, str]) -> tuple[Answer, Answer]:
    configuration = ask(settings.get("ACS_OPENID_CONFIGURATION_URL") or SERVICE_OPENID_CONFIGURATION)
    uri = configuration.body.get("jwks_uri", "") if isinstance(configuration.body, dict) else ""
    return configuration, ask(uri) if uri else Answer(0, error="no jwks_uri")


def key_findings(configuration: Answer, keys: Answer) -> list[Finding]:
    """Whether the keys of callback tokens can be fetched."""
    if isinstance(keys.body, dict) and keys.body.get("keys"):
        return [Finding("keys.reach", "fine", "The keys of callback tokens can be fetched.")]
    seen = keys.status or keys.error if configuration.status == 200 else configuration.status or configuration.error
    return [
        Finding(
            "keys.unreachable",
            "wrong",
            f"The keys of callback tokens cannot be fetched ({seen}).",
            "No callback can be verified: each is 503 and comes again.",
            "Check ACS_OPENID_CONFIGURATION_URL, and let the app out to it.",
        )
    ]


# Prompt files


def _prompts(root: Path, settings: Mapping[str, str]) -> list[str]:
    """The prompt files that settings and flows name."""
    found = [settings["FALLBACK_PROMPT"]] if settings.get("FALLBACK_PROMPT", "").startswith("http") else []
    for path in sorted((root / "flows").glob("**/*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError):
            continue  # the level local says so
        found += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith("https://")
            and node.value.partition("?")[0].endswith((".wav", ".mp3"))
        ]
    return list(dict.fromkeys(found))


def _head_of(url: str) -> tuple[int, bytes, str]:
    """Status, first bytes and error of a file."""
    try:
        with requests.get(url, timeout=15, stream=True) as response:
            return response.status_code, next(response.iter_content(4096), b""), ""
    except requests.RequestException as error:
        return 0, b"", type(error).__name__


def prompt_findings(url: str, status: int, head: bytes, error: str = "") -> list[Finding]:
    """Whether the service could play a file: it fetches it without any key.

    Args:
        head: its first bytes.
    """
    name = url.partition("?")[0].rpartition("/")[2]
    if status != 200:
        return [
            Finding(
                "prompts.unreachable",
                "wrong",
                f"The prompt file {name} is {status or error}.",
                "The service fetches it without a key: the prompt fails with 8536.",
                "Make it public, or sign its URL for longer than a call lasts.",
            )
        ]
    if url.partition("?")[0].endswith(".mp3"):
        return [Finding("prompts.right", "fine", f"The prompt file {name} can be fetched.")]
    at = head.find(b"fmt ")
    if head[:4] != b"RIFF" or at < 0 or len(head) < at + 24:
        seen = "is no WAV file"
    else:
        channels, rate = struct.unpack("<HI", head[at + 10 : at + 16])
        if (rate, channels) == (RATE, CHANNELS):
            return [Finding("prompts.right", "fine", f"The prompt file {name} can be played.")]
        seen = f"has {channels} channels at {rate} Hz"
    return [
        Finding(
            "prompts.format",
            "wrong",
            f"The prompt file {name} {seen}.",
            "The service plays 16 kHz mono: the prompt fails with 8535.",
            f"ffmpeg -i {name} -ar 16000 -ac 1 -c:a pcm_s16le fixed.wav",
        )
    ]


# The streams service


def _streams(url: str) -> tuple[Answer, int]:
    """Its health, and what an unsigned web socket meets."""
    base = url.rstrip("/").replace("wss://", "https://").replace("ws://", "http://")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }
    return ask(f"{base}/health"), ask(f"{base}/streams/{PROBE}/audio?sig=wrong", headers=upgrade).status


def stream_findings(url: str, health: Answer, upgrade: int) -> list[Finding]:
    """Whether web sockets come through to the streams service.

    Args:
        upgrade: the status that an unsigned web socket meets; 403 is right.
    """
    if health.status != 200:
        return [
            Finding(
                "streams.unreachable",
                "wrong",
                f"The streams service responds {health.status or health.error}.",
                "Media streaming and transcription fail on every call.",
                f"Check STREAMS_URL ({url.partition('//')[0]}//…) and the container's log: az containerapp logs show",
            )
        ]
    if upgrade != 403:
        return [
            Finding(
                "streams.upgrade",
                "wrong",
                f"An unsigned web socket meets {upgrade or 'no response'}, not 403.",
                "Either it does not come through, or the service takes everybody.",
                "az containerapp ingress update --transport auto; compare CALLBACK_SIGNING_KEY with the app's.",
            )
        ]
    return [Finding("streams.reach", "fine", "Web sockets come through to the streams service.")]


# A test call


def _call(base: str, given: argparse.Namespace) -> Answer:
    """Place a call, and wait until it is over; the last look at it."""
    body = {"flow": given.flow or "reception", "targets": [given.call], "caller_id": given.call_from}
    placed = ask(f"{base}/api/calls", key=given.key, method="POST", json=body)
    if placed.status not in (200, 201):
        return placed
    path, deadline = f"{base}/api/calls/{placed.body['id']}", time.monotonic() + CALL_SECONDS
    while (seen := ask(path, key=given.key)).status == 200 and seen.body["status"] != "ended":
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return seen


def call_findings(seen: Answer) -> list[Finding]:
    """What became of the test call."""
    body: dict[str, Any] = seen.body if isinstance(seen.body, dict) else {}
    if seen.status != 200:
        detail = body.get("detail") or seen.error or seen.status
        return [
            Finding(
                "call.refused",
                "wrong",
                f"The test call was refused: {detail}",
                "Calls of the app are, too.",
                str(body.get("remedy") or "See the sub-code in docs/events.md."),
            )
        ]
    if body.get("outcome") in ("completed", "caller_left", "transferred"):
        return [Finding("call.done", "fine", f"The test call came about: {body['outcome']}.")]
    why = str(body.get("explanation") or "The service did not say why.")
    return [
        Finding(
            "call.failed",
            "wrong",
            f"The test call ended as {body.get('outcome') or body.get('status')} "
            f"({body.get('code', 0)}/{body.get('sub_code', 0)}).",
            why,
            "See the sub-code in docs/events.md.",
        )
    ]
