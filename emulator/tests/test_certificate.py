"""The development certificate: what it says, where it is kept, and when it is made again."""

from __future__ import annotations

import multiprocessing
import ssl
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acs_emulator.core import certificate
from acs_emulator.core.certificate import CertificateFiles, data_folder, development_certificate

BASE = ["localhost", "127.0.0.1", "::1"]


def read(files: CertificateFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def names(files: CertificateFiles) -> list[str]:
    san = read(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [*san.get_values_for_type(x509.DNSName), *map(str, san.get_values_for_type(x509.IPAddress))]


def loads(files: CertificateFiles) -> None:
    """Raises when the two files are no pair."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)


def test_it_is_a_leaf_for_this_machine_and_no_authority(tmp_path: Path) -> None:
    files = development_certificate(tmp_path)
    made = read(files)
    assert names(files) == BASE
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).critical
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.3.6.1.5.5.7.3.1"]
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 397
    assert made.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)
    loads(files)


def test_only_the_user_can_read_the_key(tmp_path: Path) -> None:
    files = development_certificate(tmp_path / "share" / "acs-emulator")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert files.certificate == tmp_path / "share" / "acs-emulator" / "localhost.pem"
    assert b"PRIVATE" not in files.certificate.read_bytes()


def test_it_is_kept_from_start_to_start(tmp_path: Path) -> None:
    first = development_certificate(tmp_path).certificate.read_bytes()
    assert development_certificate(tmp_path).certificate.read_bytes() == first


@pytest.mark.parametrize(("days_left", "renewed"), [(31, False), (29, True), (-5, True)])
def test_it_is_renewed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days_left: int, *, renewed: bool
) -> None:
    first = read(development_certificate(tmp_path))
    later = first.not_valid_after_utc - timedelta(days=days_left)
    monkeypatch.setattr(certificate, "utc_now", lambda: later)
    second = read(development_certificate(tmp_path))
    assert (second != first) is renewed
    assert second.not_valid_after_utc - later > timedelta(days=30)


def test_names_are_added_and_those_of_before_are_kept(tmp_path: Path) -> None:
    development_certificate(tmp_path, ["Tunnel.example"])
    files = development_certificate(tmp_path, ["emulator", "10.0.0.7", "fd00:0::7"])
    assert set(names(files)) == {*BASE, "tunnel.example", "emulator", "10.0.0.7", "fd00::7"}
    before = files.certificate.read_bytes()
    assert development_certificate(tmp_path, ["tunnel.example"]).certificate.read_bytes() == before
    assert development_certificate(tmp_path, ["fd00::0:7", "EMULATOR"]).certificate.read_bytes() == before


@pytest.mark.parametrize("file", ["localhost.pem", "localhost-key.pem"])
@pytest.mark.parametrize("spoiled", [b"", b"-----BEGIN NOTHING-----", None])
def test_a_pair_that_was_spoiled_is_made_again(tmp_path: Path, file: str, spoiled: bytes | None) -> None:
    development_certificate(tmp_path)
    if spoiled is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(spoiled)
    loads(development_certificate(tmp_path))


def test_what_the_emulator_cannot_use_is_made_again(tmp_path: Path) -> None:
    files = development_certificate(tmp_path)
    key = ec.generate_private_key(ec.SECP256R1())
    password = serialization.BestAvailableEncryption(b"secret")
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files.key.write_bytes(key.private_bytes(*formats, password))
    loads(development_certificate(tmp_path))
    nameless = (
        x509.CertificateBuilder()
        .subject_name(read(files).subject)
        .issuer_name(read(files).subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=100))
        .sign(key, hashes.SHA256())
    )
    files.certificate.write_bytes(nameless.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(key.private_bytes(*formats, serialization.NoEncryption()))
    assert names(development_certificate(tmp_path)) == BASE


def test_a_key_of_another_certificate_is_not_kept(tmp_path: Path) -> None:
    other = development_certificate(tmp_path / "other")
    files = development_certificate(tmp_path / "mine")
    files.key.write_bytes(other.key.read_bytes())
    loads(development_certificate(tmp_path / "mine"))


def start(folder: str, barrier: object, name: str) -> None:
    barrier.wait(30)  # type: ignore[attr-defined]
    loads(development_certificate(Path(folder), [name]))


def test_emulators_that_start_at_once_do_not_tear_it(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(4)
    wanted = [f"n{number}.example" for number in range(4)]
    starting = [spawning.Process(target=start, args=(str(tmp_path), barrier, name)) for name in wanted]
    for process in starting:
        process.start()
    for process in starting:
        process.join(60)
    assert [process.exitcode for process in starting] == [0, 0, 0, 0]
    files = development_certificate(tmp_path)
    loads(files)
    assert set(names(files)) == {*BASE, *wanted}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ca-bundle.pem", "localhost-key.pem", "localhost.pem", "lock",
    ]  # fmt: skip


def bundled(monkeypatch: pytest.MonkeyPatch, folder: Path, authorities: Sequence[Path]) -> bytes:
    monkeypatch.setattr(certificate, "_AUTHORITIES", tuple(map(str, authorities)))
    files = development_certificate(folder)
    assert files.bundle is not None
    return files.bundle.read_bytes()


def test_the_bundle_has_the_public_authorities_too_whichever_way_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, public, own = tmp_path / "data", tmp_path / "public.pem", tmp_path / "company.pem"
    public.write_bytes(b"PUBLIC\n\n")
    own.write_bytes(b"COMPANY")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    made = development_certificate(folder).certificate.read_bytes()
    assert bundled(monkeypatch, folder, [public]) == b"COMPANY\n" + made
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca-bundle.pem"))
    assert bundled(monkeypatch, folder, [tmp_path / "missing.pem", public]) == b"PUBLIC\n" + made
    assert bundled(monkeypatch, folder, []) == made


def test_the_folder_is_that_of_the_users_data(tmp_path: Path) -> None:
    assert data_folder({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "acs-emulator"
    home = Path.home() / ".local" / "share" / "acs-emulator"
    assert data_folder({}) == data_folder({"XDG_DATA_HOME": "relative"}) == home
