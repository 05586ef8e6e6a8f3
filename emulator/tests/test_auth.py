"""Who may ask: signatures in every variant that the clients send, and versions."""

from __future__ import annotations

import base64
import hmac
from email.utils import parsedate_to_datetime

import pytest

from acs_emulator.api.auth import SignatureChecker
from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY
from acs_emulator.core.errors import Unauthorized
from acs_emulator.testing import AsyncControl, Running
from emulator.tests.support import Wire, signed

USER = "8:acs:00000000-0000-4000-8000-000000000000_00000026-0000-0000-0000-000000000001"
PATH = "/calling/callConnections/08002380-0000-4000-8000-000000000000"
V = "api-version=2026-03-12"


@pytest.mark.parametrize(
    ("sent", "signed_path"),
    [
        (f"{PATH}/participants/{USER}", f"{PATH}/participants/{USER.replace(':', '%3A')}?{V}"),
        (f"{PATH}/participants/4:+14255550100", f"{PATH}/participants/4%3A%2B14255550100?{V}"),
        (f"{PATH}/participants/4%3A%2B14255550100", f"{PATH}/participants/4:+14255550100?{V}"),
        (f"{PATH}?x=a:b", f"{PATH}?x=a%3Ab&{V}"),
        (PATH, f"{PATH}?{V}"),
    ],
)
async def test_a_signature_over_the_path_as_the_clients_sign_it_is_accepted(
    wire: Wire, sent: str, signed_path: str
) -> None:
    status, body, _ = await wire.send("GET", sent, signed_path=signed_path)
    assert (status, body["error"]["code"]) == (404, "8522")


async def test_a_host_signed_with_a_trailing_slash_is_accepted(wire: Wire) -> None:
    host = wire.emulator.endpoint.partition("//")[2] + "/"
    status, _, _ = await wire.send("GET", PATH, host=host)
    assert status == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer abc"},
        {"Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA"},
        {"x-ms-date": "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"x-ms-date": "yesterday"},
        {"x-ms-content-sha256": "AAAA"},
    ],
)
async def test_anything_but_a_right_signature_is_refused(wire: Wire, changed: dict[str, str]) -> None:
    status, body, _ = await wire.send("GET", PATH, headers=changed)
    assert status == 401
    assert body == {"error": {"code": "Denied", "message": "Denied by the resource provider."}}


async def test_an_old_date_is_refused_even_when_it_is_signed(
    emulator: Running[AsyncControl], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.tests.support.formatdate", lambda **_: "Sun, 06 Nov 1994 08:49:37 GMT")
    assert (await wire.send("GET", PATH))[0] == 401


async def test_a_body_that_was_changed_after_signing_is_refused(wire: Wire) -> None:
    made = signed(wire.emulator.endpoint, wire.emulator.access_key, "POST", f"/identities?{V}", b"{}")
    status, _, _ = await wire.send("POST", "/identities", b"{ }", headers=made)
    assert status == 401


async def test_a_missing_or_unknown_version_is_refused(wire: Wire) -> None:
    target = f"{PATH}?api-version=1999-01-01"
    made = signed(wire.emulator.endpoint, wire.emulator.access_key, "GET", target, b"")
    async with wire.session.get(wire.emulator.endpoint + target, headers=made) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["target"] == "api-version"
    made = signed(wire.emulator.endpoint, wire.emulator.access_key, "GET", PATH, b"")
    async with wire.session.get(wire.emulator.endpoint + PATH, headers=made) as answer:
        assert answer.status == 400


async def test_unknown_paths_and_methods_are_told_apart(wire: Wire) -> None:
    assert (await wire.send("GET", "/calling/nothing"))[0] == 404
    status, _, headers = await wire.send("PUT", "/calling/callConnections")
    assert (status, headers["Allow"]) == (405, "POST")


DATE = "Sun, 22 Nov 2026 06:50:50 GMT"
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
BODY = b'{"callbackUri":"https://app.example/api"}'
HASH = "exY1GZuOZ0so8TwM4Fkxt69F/3O8+Ufrzg0LqPr0DOs="
CREATE = "/calling/callConnections?api-version=2025-06-15"
PARTICIPANT = f"{PATH}/participants/4%3A%2B14255550100?api-version=2025-06-15"
DOWNLOAD = "/v1/objects/0-wjp-d3-0123456789abcdef/content/audiowav"
STORAGE = "emulator.asm.skype.com:18443"


def checked(
    method: str, path: str, signature: str, content_hash: str, headers: dict[str, str], now: str = DATE
) -> None:
    """Check a request that was signed with the development key. Raises Unauthorized."""
    checker = SignatureChecker(DEVELOPMENT_ACCESS_KEY, lambda: parsedate_to_datetime(now))
    sent = {
        "x-ms-date": DATE,
        "x-ms-content-sha256": content_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }
    checker.check(method, path, sent | headers, BODY if content_hash == HASH else b"", ["127.0.0.1:18080"])


# What HMACAuthenticationPolicy.cs (azure-sdk-for-net) and HmacAuthenticationPolicy.java (azure-sdk-for-java) sign:
# METHOD \n path and query \n date;host;hash. The host is the authority in .NET, and the name without the port in Java,
# which sends it so, unless its HTTP client puts the port into Host. Downloads are signed in .NET for the resource,
# which x-ms-host names, and in Java for the storage host. The signatures were made by `openssl dgst -mac HMAC`.
@pytest.mark.parametrize(
    ("method", "path", "content_hash", "headers", "signature"),
    [
        pytest.param(
            "POST", CREATE, HASH, {"Host": "localhost:18443"}, "2nQfXEdu3A17a3CuWhav1bghSicdW6PIiZsWY+Y1nsY=",
            id=".NET",
        ),
        pytest.param(
            "GET", PARTICIPANT, EMPTY, {"Host": "localhost:18443"}, "BCWRzPMnhquG01t0DODyjRs2i97c4MzcIRFWfiW6ezI=",
            id=".NET, an id in the path",
        ),
        pytest.param(
            "GET", DOWNLOAD, EMPTY, {"Host": STORAGE, "x-ms-host": "localhost:18443"},
            "4nTmqrAUwK2xD0DkZTQIx309+6Q7vzssLyYqGessYDo=", id=".NET, a download",
        ),
        pytest.param(
            "POST", CREATE, HASH, {"Host": "localhost"}, "jOyjJmqhY/e23YW8r0TExQjpTMBJDOpVpGK90oVJnBk=", id="Java",
        ),
        pytest.param(
            "POST", CREATE, HASH, {"Host": "localhost:18443"}, "jOyjJmqhY/e23YW8r0TExQjpTMBJDOpVpGK90oVJnBk=",
            id="Java, the port in Host",
        ),
        pytest.param(
            "GET", PARTICIPANT, EMPTY, {"Host": "localhost:18443"}, "J4yt6MnSXUei0Sq7YzbiiSQgbKhRiwn3B5pC7WN50Qo=",
            id="Java, an id in the path",
        ),
        pytest.param(
            "GET", DOWNLOAD, EMPTY, {"Host": STORAGE}, "qxEHSDWMfteprFtq7VPRD/9KdaWRkdBaVJuUndAkxa8=",
            id="Java, a download",
        ),
    ],
)  # fmt: skip
def test_what_the_clients_of_other_languages_sign_is_accepted(
    method: str, path: str, content_hash: str, headers: dict[str, str], signature: str
) -> None:
    checked(method, path, signature, content_hash, headers)
    with pytest.raises(Unauthorized) as refusal:
        checked(method, f"{path}x", signature, content_hash, headers)
    assert refusal.value.reason == "the signature does not match"


@pytest.mark.parametrize(
    ("now", "taken"),
    [("07:05:49", True), ("07:05:52", False), ("06:35:51", True), ("06:35:48", False)],
)
def test_a_date_may_be_fifteen_minutes_off(now: str, *, taken: bool) -> None:
    moment, signature = f"Sun, 22 Nov 2026 {now} GMT", "2nQfXEdu3A17a3CuWhav1bghSicdW6PIiZsWY+Y1nsY="
    if taken:
        checked("POST", CREATE, signature, HASH, {"Host": "localhost:18443"}, moment)
    else:
        with pytest.raises(Unauthorized) as refusal:
            checked("POST", CREATE, signature, HASH, {"Host": "localhost:18443"}, moment)
        assert refusal.value.reason == "x-ms-date is more than 15 minutes off"


@pytest.mark.parametrize(
    ("signed_host", "headers"),
    [
        # A proxy that ends TLS on a port other than 443, and hands the request on under a name of its own.
        ("emulator.test:8443", {"Host": "emulator.test:8443"}),
        ("emulator.test:8443", {"Host": "127.0.0.1:18080", "X-Forwarded-Host": "emulator.test:8443"}),
        ("emulator.test", {"Host": "emulator.test:8443"}),
        # Python signs the endpoint as it was written; the port of https is not in Host.
        ("emulator.test:443", {"Host": "emulator.test"}),
        # Downloads and deletes: Python names the resource without its port, JavaScript with it.
        ("emulator.test:8443", {"Host": "x.asm.skype.com:8443", "x-ms-host": "emulator.test"}),
        ("emulator.test:8443", {"Host": "x.asm.skype.com:8443", "x-ms-host": "emulator.test:8443"}),
        ("127.0.0.1:18080", {"Host": "x.asm.skype.com:8443", "x-ms-host": "127.0.0.1"}),
        ("[::1]:18443", {"Host": "[::1]:18443"}),
        ("[::1]", {"Host": "[::1]:18443"}),
    ],
)
def test_the_host_is_taken_with_its_port_and_without(signed_host: str, headers: dict[str, str]) -> None:
    key = base64.b64decode(DEVELOPMENT_ACCESS_KEY)
    text = f"GET\n{DOWNLOAD}\n{DATE};{signed_host};{EMPTY}"
    signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
    checked("GET", DOWNLOAD, signature, EMPTY, headers)
    with pytest.raises(Unauthorized) as refusal:
        checked("DELETE", DOWNLOAD, signature, EMPTY, headers)
    assert refusal.value.reason == "the signature does not match"


@pytest.mark.parametrize(
    ("headers", "line"),
    [
        (
            {"Authorization": ""},
            f"401 for GET {PATH}: no HMAC-SHA256 Authorization header of the expected form. "
            "Make the client from the connection string that is printed at the start.",
        ),
        (
            {"Authorization": "Bearer abc"},
            f"401 for GET {PATH}: a token, which is not taken. Use the access key, or start with --oauth basic.",
        ),
        (
            {"Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA"},
            f"401 for GET {PATH}: the signature does not match. Use the access key of the connection string that is "
            "printed at the start; behind a proxy that changes host or path, start with --public-url.",
        ),
        (
            {"x-ms-date": "Sun, 06 Nov 1994 08:49:37 GMT"},
            f"401 for GET {PATH}: x-ms-date is more than 15 minutes off. Set the clock of the client's machine.",
        ),
    ],
)
async def test_a_refusal_is_one_line_on_the_terminal_with_the_remedy(
    wire: Wire, headers: dict[str, str], line: str
) -> None:
    lines: list[str] = []
    wire.emulator.service.problems.listeners.append(lines.append)
    for _ in range(2):
        assert (await wire.send("GET", PATH, headers=headers))[0] == 401
    assert lines == [line]
    assert (await wire.emulator.control.requests())[0]["note"] in line
