"""docs/deploy.md, docs/operations.md and the README say what fits the templates and the app."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tests.unit.infra.held import SETTINGS, TAKES, index, one, parameters_file
from tools.deployment.__main__ import parser
from tools.deployment.place import NUMBERS
from tools.infra import pages
from tools.infra.app import PLATFORM
from tools.infra.bicep import INFRA, ROOT
from tools.infra.roles import EXPECTED, PRINCIPALS

DEPLOY, OPERATIONS = ((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("deploy", "operations"))
ROLES = {
    "storageBlobDataOwner": "Storage Blob Data Owner",
    "storageBlobDataContributor": "Storage Blob Data Contributor",
    "storageQueueDataContributor": "Storage Queue Data Contributor",
    "storageTableDataContributor": "Storage Table Data Contributor",
    "keyVaultSecretsUser": "Key Vault Secrets User",
    "contributor": "Contributor",
    "monitoringMetricsPublisher": "Monitoring Metrics Publisher",
    "eventGridDataSender": "EventGrid Data Sender",
    "cognitiveServicesSpeechUser": "Cognitive Services Speech User",
    "cognitiveServicesUser": "Cognitive Services User",
    "acrPull": "AcrPull",
}


def azd_names() -> set[str]:
    """The values of azd's environment that the templates and the hook read."""
    return set(re.findall(r"\$\{(\w+)", str(parameters_file()))) | {NUMBERS}


def problems(root: Path = ROOT) -> list[str]:
    return list(
        pages.problems(
            [page for page in pages.PAGES if (root / page).exists()],
            functions=index(),
            takes=TAKES,
            settings=SETTINGS | PLATFORM,
            parameters=one("main.bicep").parameters,
            azd_names=azd_names(),
            root=root,
        )
    )


def test_commands_name_functions_events_settings_and_parameters_that_exist() -> None:
    assert problems() == []


def test_so_many_commands_are_looked_at() -> None:
    assert sum(words[0] == "az" for page in pages.PAGES for _, words in pages.commands(page)) > 15


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("az eventgrid x create --endpoint $ID/functions/answer_call", "the app has no function answer_call"),
        ("az functionapp function keys set --function-name get_page --key-name x", "the app has no function get_page"),
        (
            "az x --included-event-types Microsoft.Communication.CallBegun",
            "no function takes Microsoft.Communicat",
        ),
        (
            "az x --endpoint $ID/functions/call_lifecycle --included-event-types Microsoft.Communication.CallEnded",
            "call_lifecycle is not sent what it takes: Microsoft.Communication.CallParticipantAdded",
        ),
        ("az functionapp config appsettings set --settings ACS_ENDPIONT=x", "ACS_ENDPIONT is no setting"),
        ("az deployment sub create --parameters region=x", "infra/main.bicep has no parameter region"),
        ("azd env set SWITCHBOARD_MAIL x", "infra/main.parameters.json does not read SWITCHBOARD_MAIL"),
    ],
)
def test_a_command_that_does_not_fit_is_found_with_its_line(tmp_path: Path, command: str, problem: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploy.md").write_text(f"# Deployment\n\n```sh\naz login\n{command}\n```\n")
    (found,) = problems(tmp_path)
    assert found.startswith("docs/deploy.md:5: ")
    assert problem in found


def test_commands_of_our_own_tool_are_such_as_it_takes() -> None:
    written = [
        line.split()
        for text in (DEPLOY, OPERATIONS)
        for line in re.findall(r"python -m tools\.deployment ([^`\n]+)", text)
    ]
    assert len(written) >= 5
    for words in written:
        parser().parse_args(words)


def test_each_parameter_is_in_the_table_with_its_name_for_azd_and_its_default() -> None:
    table = DEPLOY.partition("## What can be set\n")[2].partition("\n## ")[0]
    text = one("main.bicep").text
    others = {"environmentName", "location", "resourceGroupName", "streamsExists", "randomA", "randomB", "randomC"}
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in table.splitlines() if line.startswith("| `")]
    for _, name, azd, default, *_ in rows:
        written = re.search(rf"^param {name} \w+ = '?(.*?)'?$", text, re.MULTILINE)
        assert written is not None, f"{name} is no parameter"
        assert default.replace("none", "") == written[1], name
        value = str(parameters_file().get(name, {}).get("value", ""))
        assert value in ("", "{}", f"${{{azd}={written[1]}}}"), f"{name} has another default in main.parameters.json"
        assert bool(azd) == value.startswith("$"), name
    assert one("main.bicep").parameters == {row[1] for row in rows} | others


def test_each_role_is_in_the_table() -> None:
    table = DEPLOY.partition("## Identities and roles\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    told = {(row[0].lower(), role) for row in rows[2:] for role in row[1].split(", ")}
    who = {"app": "the app", "streams": "the streams service", "system topic": "event grid's system topic"}
    expected = {(who.get(principal, principal).lower(), ROLES[role]) for principal, role, _ in EXPECTED}
    assert told == expected
    assert {principal for principal, _, _ in EXPECTED} == set(PRINCIPALS.values())


def test_each_alert_is_in_the_table_with_its_severity() -> None:
    text = one("alerts.bicep").text
    rules = dict(re.findall(r"\{ name: '([\w-]+)', severity: (\d)", text))
    table = OPERATIONS.partition("## Alerts\n")[2].partition("\n## ")[0]
    rows = {
        name: severity
        for names, severity in re.findall(r"^\| (`[^|]+) \| (\d) \|", table, re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", names)
    }
    counted = ("deliveryattemptfailcount", "deadletteredcount", "droppedeventcount")
    metrics = {f"events-{name}": "1" for name in counted}
    assert all(f"'{name}'" in text.lower() for name in counted)
    assert rows == rules | metrics
    assert {path.stem for path in (INFRA / "alerts").glob("*.kql")} == set(rules)


def test_the_table_of_what_calls_take_follows_its_formulas() -> None:
    rows = re.findall(r"^\| ([\d,]+) \| (.+) \|$", OPERATIONS.partition("## What it takes, by")[2], re.MULTILINE)
    minutes, callbacks = 3, 12
    assert [row[0] for row in rows] == ["100", "1,000", "10,000", "100,000"]
    for written, cells in rows:
        calls = int(written.replace(",", ""))
        a_second = calls * 0.15 * callbacks / 3600
        transactions = calls * (13 + 2 * callbacks) + 17_280
        assert cells.split(" | ") == [
            f"{math.ceil(calls * 0.15 * minutes / 60)}",
            f"{a_second:g}",
            f"{max(1, math.ceil(a_second * 0.1 / 16))}",
            f"{transactions:,}",
            f"{transactions * 0.00036 / 10_000:.2f}",
            f"{calls * (callbacks + 1) * 2 * 0.000026:.2f}",
            f"{calls * minutes * 0.0085:,.2f}",
        ]


def test_what_could_not_be_tried_is_said() -> None:
    section = DEPLOY.partition("## What could not be tried\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d\. ", section, re.MULTILINE)) == 9
    assert "python -m tools.deployment trial" in section
