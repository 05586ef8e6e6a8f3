"""https beside http: who is served, under which names, and what the start prints."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.communication.callautomation.aio import CallAutomationClient
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from cryptography import x509

from acs_emulator.core.certificate import CertificateFiles, development_certificate
from acs_emulator.core.config import DEVELOPMENT_ACCESS_KEY, Config, ConfigError, parse_config
from acs_emulator.terminal import start_text, trust_lines
from acs_emulator.testing import Running, running, running_async
from emulator.tests.support import signed

PATH = "/calling/callConnections/08002380-0000-4000-8000-000000000000?api-version=2026-03-12"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's certificate is kept."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "acs-emulator"


def got(url: str, trusted: Path, headers: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=trusted)) as response:
        return json.load(response)


def test_https_serves_what_http_serves_with_the_certificate_that_is_kept(data: Path) -> None:
    with running(https_port=0) as emulator:
        assert got(f"{emulator.secure_endpoint}/emulator/health", data / "localhost.pem")["status"] == "ok"
        document = got(f"{emulator.secure_endpoint}/calling/.well-known/acsopenidconfiguration", data / "ca-bundle.pem")
        assert document["jwks_uri"] == f"{emulator.secure_endpoint}/calling/keys"
        assert len(got(document["jwks_uri"], data / "localhost.pem")["keys"]) == 1


def test_every_loopback_name_is_in_the_certificate(data: Path) -> None:
    with running(https_port=0, host="::") as emulator:
        port = emulator.secure_endpoint.rpartition(":")[2]
        for host in ("localhost", "127.0.0.1", "[::1]"):
            assert got(f"https://{host}:{port}/emulator/health", data / "localhost.pem")["status"] == "ok"


async def test_a_client_from_the_connection_string_is_taken(data: Path) -> None:
    async with running_async(https_port=0) as emulator:
        trusting = ssl.create_default_context(cafile=data / "localhost.pem")
        connector = aiohttp.TCPConnector(ssl=trusting)
        async with aiohttp.ClientSession(connector=connector) as session:
            transport = AioHttpTransport(session=session, session_owner=False)
            async with CallAutomationClient.from_connection_string(
                emulator.connection_string, transport=transport
            ) as client:
                with pytest.raises(ResourceNotFoundError, match="Call not found"):
                    await client.get_call_connection("x").get_call_properties()


def test_a_certificate_of_ones_own_is_shown_and_nothing_is_made(data: Path, tmp_path: Path) -> None:
    mine = development_certificate(tmp_path / "mine", ["mine.example"])
    with running(https_port=0, certificate=str(mine.certificate), key=str(mine.key)) as emulator:
        assert got(f"{emulator.secure_endpoint}/emulator/health", mine.certificate)["status"] == "ok"
    assert not data.exists()


def test_files_that_are_no_certificate_and_its_key_are_named(tmp_path: Path) -> None:
    one, other = (development_certificate(tmp_path / name) for name in ("one", "other"))
    empty = tmp_path / "empty.pem"
    empty.touch()
    for pair, complaint in (
        ((tmp_path / "none.pem", one.key), "--certificate: there is no file"),
        ((one.certificate, tmp_path / "none.pem"), "--key: there is no file"),
        ((tmp_path / ("x" * 300), one.key), "--certificate: .* cannot be read: File name too long"),
        ((one.certificate, other.key), "no PEM certificate and its unencrypted key"),
        ((empty, one.key), "no PEM certificate and its unencrypted key"),
    ):
        config = {"certificate": str(pair[0]), "key": str(pair[1])}
        with pytest.raises(ConfigError, match=complaint), running(https_port=0, **config):
            pass
    with pytest.raises(ConfigError, match="--key: needs --certificate"):
        Config(key=str(one.key))


def test_a_folder_that_cannot_be_written_to_is_named_with_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"XDG_DATA_HOME.*--certificate.*--no-https"), running(https_port=0):
        pass


def test_ports_are_the_known_ones_or_free_ones_beside_another() -> None:
    assert (parse_config([], {}).port, parse_config([], {}).https_port) == (18080, 18443)
    assert parse_config(["--port", "0"], {}).https_port == 0
    assert parse_config(["--port", "1", "--https-port", "2"], {}).https_port == 2
    assert parse_config([], {"EMULATOR_HTTPS_PORT": "3"}).https_port == 3
    assert parse_config(["--no-https"], {}).https_port is None
    assert parse_config([], {"EMULATOR_NO_HTTPS": "1"}).https_port is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--https-port", "x"], ["--https-port", "70000"], ["--https-port", "18080"], ["--key", "k.pem"],
        ["--public-url", "emulator.example"], ["--public-url", "ftp://emulator.example"],
        ["--public-url", "https://emulator.example/path"], ["--public-url", "https://me:secret@emulator.example"],
        ["--public-url", "https://emulator.example:x"],
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=arguments[0]):
        parse_config(arguments, {})


def test_a_public_url_is_what_is_handed_out_and_may_be_asked_for(data: Path) -> None:
    with running(https_port=0, public_url="https://Emulator.example:8443/", event_grid="http://127.0.0.1:9/x") as one:
        assert one.connection_string == (f"endpoint=https://emulator.example:8443/;accesskey={DEVELOPMENT_ACCESS_KEY}")
        assert one.service.recording_origin == "https://emulator.example:8443"
        here = {"Host": "emulator.example:8443"}
        document = got(
            f"{one.secure_endpoint}/calling/.well-known/acsopenidconfiguration", data / "localhost.pem", here
        )
        assert document["jwks_uri"] == "https://emulator.example:8443/calling/keys"
        (validation,) = one.control.wait_for_deliveries(type="SubscriptionValidationEvent")
        url = validation["body"][0]["data"]["validationUrl"]
        assert url.startswith("https://emulator.example:8443/emulator/eventgrid/validate?code=")
        made = x509.load_pem_x509_certificate((data / "localhost.pem").read_bytes())
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "emulator.example" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_an_address_of_all_interfaces_is_not_handed_out(host: str) -> None:
    with running(host=host, https_port=0) as one:
        local = "[::1]" if host == "::" else "127.0.0.1"
        assert re.fullmatch(rf"http://{re.escape(local)}:\d+", one.endpoint)
        assert re.fullmatch(rf"https://{re.escape(local)}:\d+", one.secure_endpoint)
        document = one.control.request("GET", "/calling/.well-known/acsopenidconfiguration")
        assert document["jwks_uri"] == f"{one.endpoint}/calling/keys"
        assert one.service.recording_origin == one.endpoint


def test_the_keys_are_where_the_document_was_asked_for() -> None:
    with running(host="0.0.0.0", allowed_hosts=("emulator",)) as one:
        request = urllib.request.Request(
            f"{one.endpoint}/calling/.well-known/acsopenidconfiguration", headers={"Host": "emulator:18080"}
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            assert json.load(response)["jwks_uri"] == "http://emulator:18080/calling/keys"


def told(emulator: Running[Any]) -> list[str]:
    lines: list[str] = []
    emulator.service.problems.listeners.append(lines.append)
    return lines


async def until(lines: list[str]) -> str:
    async with asyncio.timeout(10):
        while not lines:
            await asyncio.sleep(0.01)
    return lines[0]


async def test_a_client_that_does_not_trust_the_certificate_is_told_of(data: Path) -> None:
    async with running_async(https_port=0) as emulator:
        lines = told(emulator)
        await asyncio.to_thread(refuse, int(emulator.secure_endpoint.rpartition(":")[2]))
        assert await until(lines) == (
            "A client does not trust the certificate of the emulator. "
            f"Tell it to trust {data / 'localhost.pem'}: see the lines printed at the start."
        )


def refuse(port: int) -> None:
    """Connect as a client that knows the public authorities alone."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")


LEFT = "A client saw the certificate of the emulator and left without a request, as those do that do not trust it. "


async def test_a_client_that_leaves_without_a_word_is_told_of(data: Path) -> None:
    async with running_async(https_port=0) as emulator, aiohttp.ClientSession() as session:
        lines = told(emulator)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(emulator.secure_endpoint)
        assert await until(lines) == (
            f"{LEFT}Tell it to trust {data / 'localhost.pem'}: see the lines printed at the start."
        )


async def test_a_client_that_closes_after_the_handshake_is_told_of(data: Path) -> None:
    """As Node.js does, which looks at the certificate when TLS is done."""
    async with running_async(https_port=0) as emulator:
        lines = told(emulator)
        trusting = ssl.create_default_context(cafile=data / "localhost.pem")
        port = int(emulator.secure_endpoint.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        writer.transport.abort()
        assert (await until(lines)).startswith(LEFT)


async def test_neither_who_asks_nor_who_looks_whether_the_port_is_open_is_told_of(data: Path) -> None:
    async with running_async(https_port=0) as emulator:
        lines = told(emulator)
        port = int(emulator.secure_endpoint.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        trusting = ssl.create_default_context(cafile=data / "localhost.pem")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session:
            async with session.get(f"{emulator.secure_endpoint}/emulator/health") as response:
                assert response.status == 200
        # The next connection is closed in turn: by then, those before it are gone.
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        writer.transport.abort()
        assert (await until(lines)).startswith(LEFT)
        assert len(lines) == 1


async def test_http_at_the_https_port_is_told_of() -> None:
    async with running_async(https_port=0) as emulator:
        lines = told(emulator)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(emulator.secure_endpoint.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.read()
        writer.close()
        assert await until(lines) == (
            "A request over http came to the https port. Use https:// in its endpoint, or the http port."
        )


def test_the_start_prints_all_that_a_client_needs(data: Path) -> None:
    with running(https_port=0, event_grid="http://127.0.0.1:9/x?code=secret#IncomingCall") as one:
        text = start_text(one.service)
        assert text.splitlines() == [
            f"Emulator listening on {one.endpoint}",
            f"                  and {one.secure_endpoint}",
            f"A phone to call your app with: open {one.endpoint}/ in a browser",
            f"Connection string: endpoint={one.secure_endpoint}/;accesskey={DEVELOPMENT_ACCESS_KEY}",
            f"Certificate: {data}/localhost.pem",
            "To trust it, before the app starts (nothing else on this machine changes):",
            f"  Python   export REQUESTS_CA_BUNDLE={data}/ca-bundle.pem SSL_CERT_FILE={data}/ca-bundle.pem",
            f"  Node.js  export NODE_EXTRA_CA_CERTS={data}/localhost.pem",
            f"  .NET     export SSL_CERT_FILE={data}/ca-bundle.pem",
            f"  Java     keytool -importcert -noprompt -alias acs-emulator -file {data}/localhost.pem "
            "-keystore acs-emulator.p12 -storepass changeit; java -Djavax.net.ssl.trustStore=acs-emulator.p12 "
            "-Djavax.net.ssl.trustStorePassword=changeit",
            "Event Grid: http://127.0.0.1:9/x (IncomingCall): waiting for its handshake",
        ]


def test_without_https_the_connection_string_says_http() -> None:
    with running() as one:
        assert start_text(one.service).splitlines() == [
            f"Emulator listening on {one.endpoint}",
            f"A phone to call your app with: open {one.endpoint}/ in a browser",
            f"Connection string: endpoint={one.endpoint}/;accesskey={DEVELOPMENT_ACCESS_KEY}",
            "Event Grid: no subscription, so no IncomingCall; --event-grid URL makes one",
        ]
        assert one.secure_endpoint == ""


def test_a_signed_request_is_taken_over_https(data: Path) -> None:
    with running(https_port=0) as one:
        headers = signed(one.secure_endpoint, one.access_key, "GET", PATH, b"")
        request = urllib.request.Request(one.secure_endpoint + PATH, headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                request, timeout=10, context=ssl.create_default_context(cafile=data / "localhost.pem")
            )
        with refused.value as response:
            assert response.code == 404
            assert json.load(response)["error"]["code"] == "8522"


def test_a_command_whose_output_nobody_reads_any_more_goes_on() -> None:
    command = [sys.executable, "-u", "-m", "acs_emulator", "--port", "0", "--event-grid", "http://127.0.0.1:9/x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().removeprefix("Emulator listening on ").strip()
        process.stdout.close()
        for _ in range(3):
            with urllib.request.urlopen(f"{endpoint}/emulator/health", timeout=10) as response:
                assert json.load(response)["status"] == "ok"
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"{endpoint}{PATH}", timeout=10)
        process.terminate()
    assert process.returncode == 0


def test_other_systems_are_told_in_their_own_words() -> None:
    files = CertificateFiles(Path("c.pem"), Path("k.pem"), Path("b.pem"))
    windows, mac = list(trust_lines(files, "win32")), list(trust_lines(files, "darwin"))
    assert "  Python   $env:REQUESTS_CA_BUNDLE = 'b.pem'; $env:SSL_CERT_FILE = 'b.pem'" in windows
    assert "  Node.js  $env:NODE_EXTRA_CA_CERTS = 'c.pem'" in windows
    assert "  Node.js  export NODE_EXTRA_CA_CERTS=c.pem" in mac
    told = "  .NET     knows no variable here: add c.pem to the certificates that you trust"
    assert told in windows
    assert told in mac
