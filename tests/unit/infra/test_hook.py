"""What azd runs after each deployment, against stand-ins of az and azd."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.infra.fake_azure import SUBSCRIPTIONS
from tests.unit.infra.held import azure_yaml
from tests.unit.infra.programs import OUTPUTS, Programs
from tools.deployment import events
from tools.deployment.__main__ import main
from tools.deployment.events import functions_expected


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(events, "EVERY_SECONDS", 0)
    monkeypatch.setattr(events, "health", lambda address: "ok")
    made = Programs(tmp_path, monkeypatch)
    made.set(functions=sorted(functions_expected()))
    return made


def test_azd_runs_it_after_each_deployment() -> None:
    hook = azure_yaml()["hooks"]["postdeploy"]
    assert hook["posix"]["run"] == "python3 -m tools.deployment events"
    assert hook["windows"]["run"] == "python -m tools.deployment events"


def test_it_waits_for_the_functions_and_then_subscribes_them(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.set(appears_after=2)
    assert main(["events"]) == 0
    said = capsys.readouterr().out
    assert said.count("looking again") == 2
    assert f"{len(functions_expected())} functions are there." in said
    assert (
        "Event Grid sends: call-lifecycle, incoming-call, recording-file; calls to all numbers of the resource." in said
    )
    assert "Ring now." in said
    commands = [" ".join(words) for words in programs.state["asked"]]
    deployed = next(index for index, words in enumerate(commands) if words.startswith("az deployment group create"))
    assert sum(words.startswith("az functionapp function list") for words in commands[:deployed]) == 3
    (deployment,) = programs.asked("az", "deployment", "group", "create")
    assert deployment[deployment.index("--template-file") + 1] == "infra/events.bicep"
    assert deployment[deployment.index("--parameters") + 1 : -2] == [
        "topicName=evgt-demo",
        "appName=func-demo",
        "storageName=stdemo",
        "deadLetterContainer=event-dead-letters",
        "numbers=[]",
    ]


def test_it_may_run_again_and_changes_nothing(programs: Programs) -> None:
    assert main(["events"]) == 0
    made = programs.state["subscriptions"]
    assert sorted(made) == sorted(SUBSCRIPTIONS)
    assert main(["events"]) == 0
    assert programs.state["subscriptions"] == made
    first, second = programs.asked("az", "deployment", "group", "create")
    assert first == second


def test_the_numbers_are_those_of_the_environment_or_of_the_command(programs: Programs) -> None:
    programs.set(values=OUTPUTS | {"SWITCHBOARD_NUMBERS": "+18005550199, +18005550177"})
    assert main(["events"]) == 0
    assert main(["events", "--numbers", "+14255550100"]) == 0
    first, second = programs.asked("az", "deployment", "group", "create")
    assert 'numbers=["+18005550199", "+18005550177"]' in first
    assert 'numbers=["+14255550100"]' in second


def test_a_number_that_is_none_is_refused_before_anything_is_done(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["events", "--numbers", "18005550199"]) == 1
    assert "'18005550199' is not a number such as +18005550199; correct SWITCHBOARD_NUMBERS" in capsys.readouterr().err
    assert programs.asked("az") == []


def test_without_azd_the_outputs_of_the_deployment_say_where(programs: Programs) -> None:
    assert main(["events", "--deployment", "switchboard"]) == 0
    assert programs.asked("azd") == []
    (shown,) = programs.asked("az", "deployment", "sub", "show")
    assert shown[5] == "switchboard"


def test_an_output_that_is_missing_is_named(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.set(values={name: value for name, value in OUTPUTS.items() if name != "EVENTGRID_TOPIC_NAME"})
    assert main(["events"]) == 1
    assert "EVENTGRID_TOPIC_NAME unknown; run `azd provision` first" in capsys.readouterr().err


def test_a_deployment_without_functions_is_told_and_nothing_is_subscribed(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(events.subscribe, "__kwdefaults__", {"wait": 0})
    programs.set(functions=[])
    assert main(["events"]) == 1
    error = capsys.readouterr().err
    assert "func-demo has no functions, though it was deployed" in error
    assert "azd hooks run postdeploy" in error
    programs.set(functions=["incoming_call", "health"])
    assert main(["events"]) == 1
    assert "func-demo has 2 functions, without " in capsys.readouterr().err
    assert programs.asked("az", "deployment", "group", "create") == []


def test_a_refusal_of_event_grid_is_told_with_how_to_go_on(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.set(refuses="Destination endpoint not found. Resource should pre-exist before attempting this operation.")
    assert main(["events"]) == 1
    error = capsys.readouterr().err
    assert "Resource should pre-exist" in error
    assert "The functions are there, so try again: azd hooks run postdeploy" in error


def test_a_subscription_that_did_not_succeed_is_named(programs: Programs, capsys: pytest.CaptureFixture[str]) -> None:
    programs.set(subscriptions={"recording-file": "Failed"})
    assert main(["events"]) == 1
    assert "recording-file is Failed. Try again" in capsys.readouterr().err


def test_settings_that_the_vault_refused_at_first_are_read_again(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.set(references={"SECRETS_KEY": "AccessToKeyVaultDenied", "NUMBER_HASH_KEY": "Resolved"})
    assert main(["events"]) == 0
    assert "Key Vault is read again: SECRETS_KEY (AccessToKeyVaultDenied)" in capsys.readouterr().out
    (refresh,) = programs.asked("az", "rest", "--method", "post")
    assert refresh[5].endswith("/sites/func-demo/config/configreferences/appsettings/refresh?api-version=2022-03-01")
    programs.set(references={"SECRETS_KEY": "AccessToKeyVaultDenied"}, vault_refuses=True)
    assert main(["events"]) == 1
    assert "cannot be read from Key Vault: SECRETS_KEY (AccessToKeyVaultDenied)" in capsys.readouterr().err


def test_after_a_change_of_keys_all_references_are_read_again(
    programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys"]) == 0
    assert capsys.readouterr().out == "SECRETS_KEY: Resolved\n"
    assert len(programs.asked("az", "rest", "--method", "post")) == 1


def test_a_program_that_is_not_installed_is_named(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["events"]) == 1
    assert capsys.readouterr().err == "error: azd is not installed; https://aka.ms/azd says how\n"


class Health(BaseHTTPRequestHandler):
    """As the app responds while its settings are wrong."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b'{"status": "misconfigured"}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_health_is_asked_over_http(address: str) -> None:
    assert events.health(address) == "misconfigured (503)"
    assert re.match(r"no answer: ", events.health("http://127.0.0.1:9"))


def test_nobody_is_told_to_ring_while_the_app_is_not_well(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states = iter(["no answer: timed out", "misconfigured (503)", "ok"])
    monkeypatch.setattr(events, "health", lambda address: next(states))
    assert main(["events"]) == 0
    assert "says misconfigured (503); asking again" in capsys.readouterr().out
    monkeypatch.setattr(events, "health", lambda address: "misconfigured (503)")
    monkeypatch.setattr(events.subscribe, "__kwdefaults__", {"wait": 0})
    assert main(["events", "--deployment", "switchboard"]) == 1
    said = capsys.readouterr()
    assert "Ring now" not in said.out
    assert "/api/health says misconfigured (503)" in said.err
    assert "Afterwards: python -m tools.deployment events --deployment switchboard" in said.err
