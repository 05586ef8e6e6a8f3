"""The image: its steps build a command that serves over http and https; Compose and the emulator agree."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from acs_emulator.core.config import DEFAULT_HTTPS_PORT, DEFAULT_PORT, parse_config
from emulator.tests.image import CONTEXT, Image, Root, read_image, sent
from emulator.tests.test_install import no_package_index


@pytest.fixture(scope="module")
def image() -> Image:
    return read_image()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((CONTEXT / "compose.yaml").read_text("utf-8")))


def unset(text: str) -> str:
    """What Compose makes of `${NAME:-default}` where the variable is not set."""
    return text.partition(":-")[2].removesuffix("}") if text.startswith("${") else text


def test_ports_and_volumes_are_those_of_the_emulator(image: Image, compose: dict[str, Any]) -> None:
    config = parse_config(image.command[1:], image.environment)
    assert image.command[0] == "acs-emulator"
    assert (config.host, config.port, config.https_port) == ("0.0.0.0", DEFAULT_PORT, DEFAULT_HTTPS_PORT)
    assert image.ports == [str(DEFAULT_PORT), str(DEFAULT_HTTPS_PORT)]
    assert image.volumes == ["/data"] == [image.environment["XDG_DATA_HOME"]]
    assert config.location == "/data/kept"
    service = compose["services"]["emulator"]
    assert service["ports"] == [f"127.0.0.1:{port}:{port}" for port in image.ports]
    assert service["volumes"] == ["emulator:/data"]
    assert set(compose["volumes"]) == {"emulator", "azurite"}
    assert str(DEFAULT_PORT) in " ".join(image.health)


def test_the_settings_of_compose_are_taken(
    image: Image, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acs_emulator.core.config._has_storage_client", lambda: True)
    given = {name: unset(value) for name, value in compose["services"]["emulator"]["environment"].items()}
    config = parse_config(image.command[1:], {**image.environment, **given})
    assert config.public_url == f"https://localhost:{DEFAULT_HTTPS_PORT}"
    [target] = config.event_grid
    assert target.url == "http://host.docker.internal:8000/events"
    assert sorted(target.event_types) == ["IncomingCall"]
    assert config.allowed_hosts == ("emulator",)
    assert "BlobEndpoint=http://azurite:10000/devstoreaccount1;" in config.storage_connection_string
    assert "storage" in next(rest for step, rest in image.steps if "pip install" in rest)
    azurite = compose["services"]["azurite"]
    assert azurite["ports"] == [f"127.0.0.1:{port}:{port}" for port in (10000, 10001, 10002)]
    assert azurite["volumes"] == ["azurite:/data"]
    assert "--location /data" in azurite["command"]


def test_the_build_is_sent_the_package_and_no_tests() -> None:
    assert sorted(sent()) == ["LICENSE", "README.md", "pyproject.toml", "src"]


CHECKS = """
import json, ssl, urllib.request
trusted = ssl.create_default_context(cafile="/data/acs-emulator/ca-bundle.pem")
for address in ("http://127.0.0.1:18080", "http://emulator:18080", "https://localhost:18443", "https://emulator:18443"):
    context = trusted if address.startswith("https") else None
    with urllib.request.urlopen(address + "/emulator/health", timeout=20, context=context) as response:
        assert json.load(response)["status"] == "ok"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The image's root, built by its steps. Skipped where nobody may make one, or where no index can be reached."""
    sudo: tuple[str, ...] = () if os.geteuid() == 0 else ("sudo", "-n", "--preserve-env")
    probe = [*sudo, "unshare", "--mount", "--net", "true"]
    if not shutil.which(probe[0]) or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("a root of its own needs the rights of root, and unshare")
    root = Root(tmp_path_factory.mktemp("image") / "root", sudo)
    if failed := root.build():
        if no_package_index(tmp_path_factory.mktemp("index")):
            pytest.skip("no package index can be reached")
        pytest.fail(failed)
    return root


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("emulator-image")
def test_the_image_serves_over_http_and_https_and_is_healthy(image: Image, root: Root) -> None:
    command = shlex.join([*image.command, "--host", "0.0.0.0", "--public-url", "https://emulator:18443"])
    health = shlex.join(image.health)
    script = f"""
cd /
{command} > /tmp/printed & server=$!
trap 'kill $server' EXIT
until {health} 2> /dev/null; do kill -0 $server; sleep 0.2; done
python -c {shlex.quote(CHECKS)}
id -un
stat -c '%a %U' /data/acs-emulator/localhost-key.pem
ls /data
cat /tmp/printed
kill -TERM $server
wait $server && trap - EXIT && echo ended
"""
    run = root.run(script, user=image.user, network=False)
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert lines[:4] == ["emulator", "600 emulator", "acs-emulator", "kept"]
    assert "           reached at https://emulator:18443" in lines
    assert any(line.startswith("Connection string: endpoint=https://emulator:18443/;accesskey=") for line in lines)
    assert lines[-1] == "ended"


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("emulator-image")
def test_the_image_has_every_extra(image: Image, root: Root) -> None:
    run = root.run("cd / && python -c 'import lameenc, pocketsphinx, azure.storage.blob'", user=image.user)
    assert run.returncode == 0, run.stderr


def test_an_instruction_that_is_not_carried_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\nADD b c\n", "utf-8")
    monkeypatch.setattr("emulator.tests.image.CONTEXT", tmp_path)
    with pytest.raises(ValueError, match="ADD is not carried out"):
        read_image()
