"""https: the server's side of TLS, which says why a client goes away."""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from typing import Any

from acs_emulator.core.certificate import CertificateFiles, data_folder, development_certificate
from acs_emulator.core.config import Config, ConfigError
from acs_emulator.core.known_hosts import host_of
from acs_emulator.core.problems import Problems

#: What OpenSSL calls a client that does not know, or does not take, the certificate of the server.
_DISTRUST = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "UNSUPPORTED_CERTIFICATE", "CERTIFICATE_EXPIRED")
#: Seconds that a client has for the handshake before it counts as gone. Chosen.
HANDSHAKE_SECONDS = 3.0
_LEFT = "A client saw the certificate of the emulator and left without a request, as those do that do not trust it"


def certificate_files(config: Config) -> CertificateFiles:
    """The certificate that the settings name, otherwise that of the user's data folder.

    Raises ConfigError when it cannot be used or kept.
    """
    if config.certificate:
        files = CertificateFiles(Path(config.certificate), Path(config.key or config.certificate))
        for flag, path in (("--certificate", files.certificate), ("--key", files.key)):
            try:
                found = path.is_file()
            except OSError as error:
                raise ConfigError(f"{flag}: {path} cannot be read: {error.strerror}.") from error
            if not found:
                raise ConfigError(f"{flag}: there is no file {path}.")
        return files
    names = {host_of(text) for text in (config.host, config.public_url, config.recording_host, *config.allowed_hosts)}
    folder = data_folder(os.environ)
    try:
        return development_certificate(folder, sorted(names - {"", "0.0.0.0", "::"}))
    except OSError as error:
        raise ConfigError(
            f"The certificate cannot be kept in {folder}: {error}. Set XDG_DATA_HOME to a folder that can be "
            "written to, give --certificate and --key, or start with --no-https."
        ) from error


def server_context(files: CertificateFiles, problems: Problems) -> ssl.SSLContext:
    """What the https server shows its clients. Raises ConfigError when the files hold no such pair."""

    class Connection(ssl.SSLObject):
        """The TLS side of one connection, which tells when it comes to nothing.

        Some clients that do not trust a certificate close the connection without a word: Node.js after the handshake,
        aiohttp in the middle of it.
        """

        begun = completed = settled = False

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                self.settled = True
                problems.report(*_explained(error, files))
                raise
            self.completed = True

        def read(self, len: int = 1024, buffer: Any = None) -> Any:
            received = super().read(len, buffer)
            self.settled = self.settled or bool(received)
            return received

        def begin(self) -> None:
            """The client has said hello: it does not only look whether the port is open."""
            self.begun = True
            asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, self.expire)

        def expire(self) -> None:
            if not self.completed:
                self.leave()

        def __del__(self) -> None:
            self.leave()

        def leave(self) -> None:
            if self.begun and not self.settled:
                self.settled = True
                problems.report(_LEFT, _trust(files))

    def hello(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        assert isinstance(connection, Connection)
        connection.begin()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = Connection
    context.sni_callback = hello
    try:
        context.load_cert_chain(files.certificate, files.key, _no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(
            f"--certificate, --key: {files.certificate} and {files.key} are no PEM certificate and its unencrypted key "
            f"({error})."
        ) from error
    return context


def _no_password() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("the key is encrypted")


def _trust(files: CertificateFiles) -> str:
    return f"Tell it to trust {files.certificate}: see the lines printed at the start."


def _explained(error: ssl.SSLError, files: CertificateFiles) -> tuple[str, str]:
    """What went wrong in a handshake, and the remedy."""
    reason = error.reason or str(error)
    if any(word in reason for word in _DISTRUST):
        return "A client does not trust the certificate of the emulator", _trust(files)
    if "HTTP_REQUEST" in reason:
        return "A request over http came to the https port", "Use https:// in its endpoint, or the http port."
    return (
        f"A TLS handshake failed: {reason.replace('_', ' ').lower()}",
        "The client needs TLS 1.2 or 1.3.",
    )
