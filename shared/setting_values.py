"""What the value of a setting must look like. Each function raises ValueError with what is wrong and what to do."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from shared.errors import InvalidInput

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where the emulator may be reached without encryption."""

STORE_PREFIX = r"^[a-z][a-z0-9]{2,23}$"
"""Tables, queues and containers begin with it; each kind takes this much."""

MAKE_A_KEY = "make one with: openssl rand -base64 32"

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ARM_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Communication/communicationServices/[^/]+/?",
    re.IGNORECASE,
)
_VISIBLE = re.compile(r"[!-~]+")
_MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)  # noqa: C408
_DAYS = dict(sun=0, mon=1, tue=2, wed=3, thu=4, fri=5, sat=6)  # noqa: C408
_CRON_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)


def check_address(value: str, secure: str, clear: str) -> None:
    """A base URL of the one scheme, or of the other (without encryption) at a loopback address."""
    if not value.startswith((f"{secure}://", f"{clear}://")):
        raise ValueError(f"must start with {secure}:// ({clear}:// only at a loopback address)")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no address; write one such as https://name.example") from None
    if not host or not _VISIBLE.fullmatch(value) or "\\" in value:
        raise ValueError("is no address; write one such as https://name.example")
    if "@" in parts.netloc:
        raise ValueError("holds a user name or a password; leave them out")
    if "?" in value or "#" in value:
        raise ValueError("holds a query or a fragment; leave it out")
    if parts.scheme != secure and host not in LOOPBACK:
        raise ValueError(f"must start with {secure}://: nothing is sent in the clear but to this machine")


def guid(value: str, *, prints: str = "az communication show --query immutableResourceId") -> str:
    """A GUID, as the service writes the immutable id of a resource; `prints`: the command that shows it."""
    if not _GUID.fullmatch(value):
        raise ValueError(f"must be a GUID: `{prints}` prints it")
    return value


def arm_id(value: str) -> str:
    """The ARM id of a Communication Services resource: what the service's events name as their topic."""
    if not _ARM_ID.fullmatch(value):
        raise ValueError(
            "must be the ARM id of the Communication Services resource, "
            "as `az communication show --query id` prints it; events name that, not the system topic"
        )
    return value


def number(value: str) -> str:
    """A phone number in E.164 form, or none."""
    from shared.identifiers import Identifier

    if not value:
        return value

    try:
        known = value.startswith("+") and Identifier.parse(value).kind == "phoneNumber"
    except InvalidInput:
        known = False
    if not known:
        raise ValueError("must be a number such as +14255550100")
    return value


def somebody(value: str) -> str:
    """Who a call can be sent to: a number or a raw id."""
    from shared.identifiers import Identifier

    try:
        known = Identifier.parse(value).kind != "unknown"
    except InvalidInput:
        known = False
    if not known:
        raise ValueError("must be a number such as +14255550100, or a raw id such as 8:acs:…")
    return value


def key(value: str) -> bytes:
    """The bytes of a key of ours: base64 of at least 32."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except ValueError:  # binascii.Error, and what a letter outside ASCII gives
        raise ValueError(f"is not base64; {MAKE_A_KEY}") from None
    if len(decoded) < 32:
        raise ValueError(f"is shorter than 32 bytes; {MAKE_A_KEY}")
    return decoded


def aes_key(value: str) -> str:
    """A key for AES-256: base64 of exactly 32 bytes."""
    if (length := len(key(value))) != 32:
        raise ValueError(f"has {length} bytes, and AES-256 takes 32; {MAKE_A_KEY}")
    return value


def connection_string(value: str) -> str:
    """The connection string of a storage account."""
    parts = connection_parts(value)
    if not (
        parts.get("usedevelopmentstorage", "").lower() == "true"
        or {"accountname", "accountkey"} <= parts.keys()
        or "sharedaccesssignature" in parts
    ):
        raise ValueError("is no connection string; `az storage account show-connection-string` prints it")
    return value


def connection_parts(value: str) -> dict[str, str]:
    """The parts of a connection string, by name in lower case."""
    pairs = (part.partition("=") for part in value.split(";"))
    return {name.strip().lower(): text.strip() for name, _, text in pairs if text.strip()}


def schedule(value: str) -> str:
    """An NCRONTAB expression of six fields, or of five without seconds.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
    """
    fields = value.split()
    if len(fields) not in (5, 6):
        raise ValueError(f"has {len(fields)} fields, not six; write an NCRONTAB expression such as */5 * * * * *")
    for text, (name, low, high, names) in zip(fields, _CRON_FIELDS[6 - len(fields) :], strict=True):
        if not all(_is_cron_item(item, low, high, names) for item in text.split(",")):
            raise ValueError(f"its {name} {text!r} is none; write an NCRONTAB expression such as */5 * * * * *")
    return value


def _is_cron_item(item: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    """Whether an item is `*`, `7`, `1-5` or one of these with a step: `*/5`."""
    values, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step[:4]) > 0):
        return False
    if values == "*":
        return True
    ends = [_cron_number(end, names) for end in values.split("-", 1)]
    return all(end is not None and low <= end <= high for end in ends)


def _cron_number(text: str, names: Mapping[str, int]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 2:
        return int(text)
    return names.get(text.lower())


_PARTS_OF_THE_HOST = {
    "accountname": "accountName",
    "blobserviceuri": "blobServiceUri",
    "queueserviceuri": "queueServiceUri",
    "tableserviceuri": "tableServiceUri",
    "clientid": "clientId",
}
"""As the Functions host writes them; it reads them in any case."""


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def setting_name(field: str) -> str:
    """The app setting that a field of a model of settings is read from."""
    host, _, part = field.partition("__")
    if host != "azurewebjobsstorage":
        return field.upper()
    return "AzureWebJobsStorage" + (f"__{_PARTS_OF_THE_HOST.get(part, part)}" if part else "")


def misspelled(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Names that are no setting, each with the setting that it is close to.

    A name counts as close if it is nearly as long, begins or ends like the setting, and shares most of its letters in
    order: the names of a whole environment are compared at each start.
    """
    from difflib import SequenceMatcher

    by_upper = {name.upper(): name for name in known}
    found: dict[str, str] = {}
    for name in names:
        upper = name.upper()
        if upper in by_upper:
            continue
        for other, setting in by_upper.items():
            if abs(len(upper) - len(other)) > 2 or not (upper[:3] == other[:3] or upper[-4:] == other[-4:]):
                continue
            if SequenceMatcher(None, upper, other, autojunk=False).ratio() >= 0.9:
                found[name] = setting
                break
    return found
