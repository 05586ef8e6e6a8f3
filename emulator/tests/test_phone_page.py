"""The phone's page: its files, and who may have it and its socket."""

from __future__ import annotations

import re
from importlib.resources import files

import aiohttp
import pytest

from acs_emulator.testing import AsyncControl, Running
from emulator.tests.tab import tab

PAGE = files("acs_emulator.api") / "page"
SCRIPTS = [file.name for file in PAGE.iterdir() if file.name.endswith(".js")]


async def fetched(emulator: Running[AsyncControl], path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(emulator.endpoint + path, headers=headers) as response:
        return response.status, await response.text(), dict(response.headers)


async def test_every_file_of_the_page_is_served_with_its_type(emulator: Running[AsyncControl]) -> None:
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for file in PAGE.iterdir():
        path = "/" if file.name == "index.html" else f"/phone/{file.name}"
        status, text, headers = await fetched(emulator, path)
        assert (status, text) == (200, file.read_text("utf-8"))
        assert headers["Content-Type"] == f"{types[file.name.rpartition('.')[2]]}; charset=utf-8"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_no_other_file_is_served(emulator: Running[AsyncControl]) -> None:
    for path in ("/phone/", "/phone/pages.py", "/phone/..%2Fpages.py", "/phone/%2e%2e/app.py"):
        assert (await fetched(emulator, path))[0] == 404


async def test_the_policy_takes_nothing_from_elsewhere_and_no_script_in_the_page(
    emulator: Running[AsyncControl],
) -> None:
    authority = emulator.endpoint.partition("//")[2]
    _, text, headers = await fetched(emulator, "/")
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{authority} wss://{authority}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Permissions-Policy"] == "microphone=(self), camera=(), geolocation=()"
    assert re.findall(r"<script[^>]*>([^<]*)", text) == [""]
    assert not re.findall(r"\son\w+=|style=|<style", text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_makes_no_markup_of_text_and_names_no_other_host(name: str) -> None:
    script = (PAGE / name).read_text("utf-8")
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
    assert not [one for one in re.findall(r"https?://[^\s\"'`]+", script) if not one.startswith("http://localhost")]


async def test_the_emulators_own_page_and_programs_open_the_socket(emulator: Running[AsyncControl]) -> None:
    for headers in ({}, {"Origin": emulator.endpoint}):
        async with tab(emulator, **headers) as one:
            assert one.phone["state"] == "idle"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://attacker.example", "Host": "attacker.example"},
        {"Host": "attacker.example"},
    ],
)
async def test_the_page_of_another_origin_does_not_open_it(
    emulator: Running[AsyncControl], headers: dict[str, str]
) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{emulator.endpoint}/emulator/phone", headers=headers)
    assert refused.value.status == 403
    assert emulator.service.phones.people == {}


async def test_under_another_name_nothing_of_the_page_is_there(emulator: Running[AsyncControl]) -> None:
    for path in ("/", "/phone/phone.js"):
        assert (await fetched(emulator, path, Host="attacker.example"))[0] == 403
