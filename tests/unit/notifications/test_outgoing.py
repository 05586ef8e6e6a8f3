"""Requests to hooks, over real connections: to the checked address, once, and not for longer than they may take."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.notifications.errors import ForbiddenAddress, NotDelivered
from shared.notifications.outgoing import Outgoing, Response

NOW = 1_790_000_000.0
A_LONG_TIME = 30
"""Seconds: far more than the limits under test, for a busy machine, and far less than for ever."""
Serve = Callable[[socket.socket], None]


@contextmanager
def served(serve: Serve) -> Iterator[int]:
    """A port whose every connection is given to a function."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=handle, args=[connection], daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


class Responder:
    """Responds the same to every request, and keeps them."""

    def __init__(self, response: bytes) -> None:
        self.response = response
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        self.requests.append(read_request(connection))
        connection.sendall(self.response)


def outgoing(**options: float) -> Outgoing:
    return Outgoing(loopback=True, clock=lambda: NOW, **options)  # type: ignore[arg-type]


def post(port: int, client: Outgoing | None = None, path: str = "/hook?a=b") -> Response:
    return (client or outgoing()).post(f"http://127.0.0.1:{port}{path}", b"body", {"X-Own": "1"})


def test_a_request_says_what_it_must_and_nothing_else() -> None:
    responder = Responder(b"HTTP/1.1 204 No Content\r\n\r\n")
    with served(responder) as port:
        assert post(port) == Response(204)
    (request,) = responder.requests
    head, _, body = request.decode().partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    assert (first, body) == ("POST /hook?a=b HTTP/1.1", "body")
    assert sorted(headers) == [
        "Connection: close",
        "Content-Length: 4",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: Switchboard",
        "X-Own: 1",
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    other = Responder(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with served(other) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere}/\r\n".encode()
        with served(Responder(b"HTTP/1.1 %d Moved\r\n%sContent-Length: 0\r\n\r\n" % (status, location))) as port:
            assert post(port).status == status
    assert other.requests == []


def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_means_then() -> None:
    """A name that is public when it is checked, and this machine when it is asked for again."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    responder = Responder(b"HTTP/1.1 204 No Content\r\n\r\n")
    with served(responder) as port:
        client = Outgoing(loopback=True, resolve=lambda host, port: next(answers))
        assert client.post(f"http://hook.invalid:{port}/", b"", {}).status == 204
    assert f"Host: hook.invalid:{port}".encode() in responder.requests[0]
    assert next(answers) == ["10.0.0.1"], "the name was asked for twice"


def test_nothing_is_connected_to_a_forbidden_address() -> None:
    with served(Responder(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        client = Outgoing(resolve=lambda host, port: ["127.0.0.1"])
        with pytest.raises(ForbiddenAddress):
            client.post(f"https://hooks.example:{port}/", b"", {})
    with pytest.raises(ForbiddenAddress):
        Outgoing().post("http://hooks.example/", b"", {})


def test_the_next_address_is_tried_where_the_first_takes_no_connection() -> None:
    responder = Responder(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with served(responder) as port:
        client = Outgoing(loopback=True, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])
        assert client.post(f"http://localhost:{port}/", b"", {}).status == 200


def test_a_host_with_many_addresses_costs_no_more_than_three_tries() -> None:
    responder = Responder(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with served(responder) as port:
        many = [*(f"127.0.0.{number}" for number in range(2, 5)), "127.0.0.1"]
        client = Outgoing(loopback=True, resolve=lambda host, port: many)
        with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
            client.post(f"http://localhost:{port}/", b"", {})
    assert responder.requests == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    responder = Responder(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with served(responder) as port:
        assert post(port).status == 200


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    with served(Responder(f"HTTP/1.1 503 No\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode())) as port:
        assert post(port) == Response(503, seconds)


def test_a_body_without_end_is_not_read() -> None:
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65536)

    with served(endless) as port:
        assert post(port).status == 200
    assert sent < 20 * 2**20, "what the buffers of both sides hold, and no more"


def test_the_status_counts_though_the_body_breaks_off() -> None:
    with served(Responder(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nhalf")) as port:
        assert post(port).status == 202


def silent(connection: socket.socket) -> None:
    read_request(connection)
    connection.recv(1)  # until the other side gives up


def drips(connection: socket.socket) -> None:
    read_request(connection)
    drip(connection)


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def drips_headers(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(connection)


@pytest.mark.parametrize("serve", [silent, drips])
def test_a_request_that_takes_too_long_is_given_up(serve: Serve) -> None:
    began = time.monotonic()
    with served(serve) as port, pytest.raises(NotDelivered) as caught:
        post(port, outgoing(read_seconds=0.4, whole_seconds=0.8))
    assert time.monotonic() - began < A_LONG_TIME
    assert caught.value.retryable


def test_a_status_that_came_counts_though_the_headers_take_too_long() -> None:
    began = time.monotonic()
    with served(drips_headers) as port:
        assert post(port, outgoing(read_seconds=0.4, whole_seconds=0.8)).status == 200
    assert time.monotonic() - began < A_LONG_TIME


@pytest.mark.parametrize("response", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 twohundred\r\n\r\n"])
def test_what_is_no_http_is_no_response(response: bytes) -> None:
    with served(Responder(response)) as port, pytest.raises(NotDelivered, match="did not respond") as caught:
        post(port)
    assert caught.value.retryable
    assert "127.0.0.1" not in str(caught.value)


def test_nobody_there_is_no_response() -> None:
    with served(silent) as port:
        pass
    with pytest.raises(NotDelivered, match="did not respond") as caught:
        post(port, path="/?token=a-secret")
    assert caught.value.retryable
    assert "a-secret" not in str(caught.value)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server that is `hook.invalid`, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.invalid")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


def test_the_certificate_must_be_of_the_name_though_the_connection_goes_to_an_address(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, trusting = tls
    responder = Responder(b"HTTP/1.1 204 No Content\r\n\r\n")

    def secured(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as wrapped:
            responder(wrapped)

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with served(secured) as port:
        client = Outgoing(loopback=True, resolve=here, certificates=trusting)
        assert client.post(f"https://hook.invalid:{port}/", b"", {}).status == 204
        with pytest.raises(NotDelivered, match="SSLCertVerificationError"):
            client.post(f"https://other.invalid:{port}/", b"", {})
        with pytest.raises(NotDelivered, match="SSLCertVerificationError"):
            Outgoing(loopback=True, resolve=here).post(f"https://hook.invalid:{port}/", b"", {})
    assert len(responder.requests) == 1


def test_a_handshake_that_never_ends_is_given_up(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    def silent_from_the_start(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    client = Outgoing(loopback=True, certificates=tls[1], read_seconds=5, whole_seconds=0.5)
    began = time.monotonic()
    with served(silent_from_the_start) as port, pytest.raises(NotDelivered):
        client.post(f"https://127.0.0.1:{port}/", b"", {})
    assert time.monotonic() - began < A_LONG_TIME
