"""The emulator takes nothing from a web page: neither across origins nor under a name that leads to this machine."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

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
