"""The emulator takes nothing from a web page: neither across origins nor under a name that leads to this machine."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from acs_emulator.core.config import ConfigError, parse_config
from acs_emulator.testing import running


def asked(endpoint: str, path: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"{endpoint}{path}", headers=dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("path", ["/emulator/state", "/calling/callConnections", "/v1/objects/x", "/api/events", "/"])
@pytest.mark.parametrize(
    "headers", [{"Host": "attacker.example:18080"}, {"Origin": "https://attacker.example"}, {"Origin": "null"}]
)
def test_a_foreign_page_reaches_nothing(path: str, headers: Mapping[str, str]) -> None:
    with running() as emulator:
        status, body = asked(emulator.endpoint, path, headers)
        assert status == 403
        assert "--allow-host" in json.loads(body)["error"]["message"]
        assert emulator.control.requests() == []


def test_a_foreign_page_changes_nothing() -> None:
    with running() as emulator:
        emulator.control.add_faults({"kind": "drop"})
        assert asked(emulator.endpoint, "/emulator/reset", {"Origin": "https://attacker.example"}, "POST")[0] == 403
        assert asked(emulator.endpoint, "/emulator/reset", {"Host": "attacker.example"}, "POST")[0] == 403
        assert "drop" in str(emulator.control.request("GET", "/emulator/faults"))


def test_programs_and_pages_of_this_machine_and_hosts_that_are_named_are_taken() -> None:
    recording = "https://emulator.asm.skype.com:18443"
    with running(allowed_hosts=("emulator.test",), recording_host=recording) as emulator:
        for headers in (
            {},
            {"Host": "localhost:18080"},
            {"Host": "emulator.test", "Origin": "http://emulator.test:3000"},
            {"Host": "emulator.asm.skype.com"},
            {"Origin": "http://localhost:3000"},
        ):
            assert asked(emulator.endpoint, "/emulator/health", headers)[0] == 200


def test_hosts_are_given_by_flag_or_environment() -> None:
    assert parse_config(["--allow-host", "a", "--allow-host", "b"], {}).allowed_hosts == ("a", "b")
    assert parse_config([], {"EMULATOR_ALLOWED_HOSTS": "a, b,"}).allowed_hosts == ("a", "b")
    with pytest.raises(ConfigError, match="--allow-host"):
        parse_config(["--allow-host", "no host"], {})


def test_a_foreign_page_reaches_nothing_over_https_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    told: list[str] = []
    with running(https_port=0) as emulator:
        emulator.service.problems.listeners.append(told.append)
        trusting = ssl.create_default_context(cafile=tmp_path / "acs-emulator" / "localhost.pem")
        for headers in ({"Host": "attacker.example:18443"}, {"Origin": "https://attacker.example"}):
            request = urllib.request.Request(f"{emulator.secure_endpoint}/emulator/state", headers=headers)
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(request, timeout=10, context=trusting)
        origin = {"Origin": emulator.secure_endpoint}
        request = urllib.request.Request(f"{emulator.secure_endpoint}/emulator/state", headers=origin)
        with urllib.request.urlopen(request, timeout=10, context=trusting) as response:
            assert response.status == 200
    assert told == [
        "403 for GET /emulator/state: The Host header names another host than this one. "
        "The emulator takes it with --allow-host.",
        "403 for GET /emulator/state: The Origin header names a page of another host. "
        "The emulator takes it with --allow-host.",
    ]


def test_the_public_url_is_a_host_that_is_known() -> None:
    with running(public_url="https://emulator.test:8443") as emulator:
        for headers in ({"Host": "emulator.test:8443"}, {"Origin": "https://emulator.test:8443"}):
            assert asked(emulator.endpoint, "/emulator/health", headers)[0] == 200
        assert asked(emulator.endpoint, "/emulator/health", {"Host": "other.test:8443"})[0] == 403
