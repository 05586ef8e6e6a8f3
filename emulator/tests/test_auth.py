"""Who may ask: signatures in every variant that the clients send, and versions."""

from __future__ import annotations

import pytest

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
