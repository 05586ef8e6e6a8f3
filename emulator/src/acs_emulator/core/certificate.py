"""The development certificate: made once for this user, kept as PEM, renewed in time, and put into no trust store."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acs_emulator.core.clock import utc_now
from acs_emulator.core.files import locked, replace

#: Names under which the emulator is reached on its own machine.
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
#: Days that a certificate is good for: Apple's systems take no more than 398 ("About upcoming limits on trusted
#: certificates", Apple).
LIFE_DAYS = 397
#: A certificate that ends within so many days is made again. Chosen.
RENEWAL_DAYS = 30
#: Files in which systems keep the public authorities, if Python does not name one.
_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_COMMON_NAME = "acs-emulator development certificate"


@dataclass(frozen=True)
class CertificateFiles:
    """Where a certificate and its key are.

    Attributes:
        certificate: what clients are told to trust.
        key: its private key; may be the same file.
        bundle: the public authorities of this machine and the certificate, for clients whose setting replaces the
            authorities that they know; None for a certificate that the user has given.
    """

    certificate: Path
    key: Path
    bundle: Path | None = None


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where the certificate of this user is kept: below XDG_DATA_HOME, otherwise below ~/.local/share."""
    base = environ.get("XDG_DATA_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "acs-emulator"


def development_certificate(folder: Path, names: Iterable[str] = ()) -> CertificateFiles:
    """The certificate in a folder. A new one is made if it is missing, about to expire, or lacks one of the names.

    A certificate that is made again keeps the names of the one before. Emulators that start at the same time wait
    for each other. Raises OSError when the folder cannot be written to.

    Args:
        names: host names and addresses that it must have beside those of the loopback address.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = CertificateFiles(folder / "localhost.pem", folder / "localhost-key.pem", folder / "ca-bundle.pem")
    assert files.bundle is not None
    wanted = list(dict.fromkeys(_general_name(name) for name in (*LOOPBACK_NAMES, *names)))
    with locked(folder / "lock"):
        current = _read(files)
        known = [] if current is None else _names(current)
        if current is None or _ends_soon(current) or not set(wanted) <= set(known):
            current = _make(files, [*wanted, *(name for name in known if name not in wanted)])
        replace(files.bundle, _authorities(folder) + current.public_bytes(serialization.Encoding.PEM))
    return files


def _read(files: CertificateFiles) -> x509.Certificate | None:
    """The certificate that is kept; None if there is none, or none that has names and that its key belongs to."""
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
        _names(certificate)
    except (FileNotFoundError, ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return None  # a key that has a password is a TypeError
    return certificate if key.public_key() == certificate.public_key() else None


def _ends_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - utc_now() < datetime.timedelta(days=RENEWAL_DAYS)


def _names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _make(files: CertificateFiles, names: Iterable[x509.GeneralName]) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _COMMON_NAME)])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is a little slow, as in a virtual machine that was asleep, must not refuse it.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=LIFE_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        # Who trusts it trusts this one machine and nobody whom it might sign.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    replace(files.key, private, 0o600)
    replace(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower())


def _authorities(folder: Path) -> bytes:
    """The public authorities of this machine, as PEM; empty where they are in no file."""
    named = ssl.get_default_verify_paths().cafile
    for path in map(Path, ([named] if named else []) + list(_AUTHORITIES)):
        # SSL_CERT_FILE may be the file that we have told of.
        if path.is_file() and folder not in path.parents:
            return path.read_bytes().rstrip(b"\n") + b"\n"
    return b""
