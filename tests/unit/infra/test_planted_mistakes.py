"""Mistakes that somebody could make in a template: each is found, in a line that says what and where."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from shared.settings import Settings
from streams.settings import AppSettings
from tests.unit.infra.held import (
    SETTINGS,
    STREAMS_SETTINGS,
    TAKES,
    all_with,
    azure_yaml,
    changed,
    index,
    one,
    parameters_file,
    required,
)
from tools.deployment.place import OUTPUTS
from tools.infra import app, names, properties, roles
from tools.infra.bicep import templates
from tools.infra.models import snapshot


def only(problems: Iterable[str]) -> str:
    """The one problem."""
    (problem,) = problems
    return problem


def test_a_wrong_guid() -> None:
    guids = roles.read_guids() | {"keyVaultSecretsUser": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"}
    assert only(roles.problems(templates(), guids)) == (
        "infra/roles.json: keyVaultSecretsUser is b86a8fe4-44ce-4948-aee5-eccb2c155cd7, but the role's GUID is "
        "4633458b-17de-408a-b874-0445c86b69e6"
    )


def test_a_role_for_the_wrong_identity() -> None:
    wrong = changed(
        "communication.bicep", "principalId: communication.identity.principalId", "principalId: appPrincipalId"
    )
    found = set(roles.problems(all_with(wrong), roles.read_guids()))
    assert "infra: app gets cognitiveServicesUser on speech, which is not in the table of roles" in found
    assert "infra: Communication Services does not get cognitiveServicesUser on speech" in found


def test_the_identity_of_another_is_given_to_a_module() -> None:
    wrong = changed(
        "resources.bicep",
        "identityPrincipalId: streamsIdentity.properties",
        "identityPrincipalId: appIdentity.properties",
    )
    assert only(roles.problems(all_with(wrong), roles.read_guids())) == (
        "infra/resources.bicep: module streamsService gets appIdentity.properties.principalId for identityPrincipalId, "
        "not streamsIdentity.properties.principalId"
    )


def test_a_role_without_the_kind_of_principal() -> None:
    wrong = changed("monitoring.bicep", "    principalType: 'ServicePrincipal'\n", "")
    assert "publishes: principalType must be" in only(roles.problems(all_with(wrong), roles.read_guids()))


def test_a_role_of_a_loop_is_left_out() -> None:
    wrong = changed("storage.bicep", "  { principal: appPrincipalId, role: roles.storageTableDataContributor }\n", "")
    assert only(roles.problems(all_with(wrong), roles.read_guids())) == (
        "infra: app does not get storageTableDataContributor on account"
    )


def test_a_missing_setting() -> None:
    wrong = changed("functions.bicep", "  ACS_RESOURCE_ID: acsResourceId\n", "")
    assert only(app.setting_problems(wrong, SETTINGS, required(Settings))) == (
        "infra/modules/functions.bicep: the setting ACS_RESOURCE_ID is missing"
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("ACS_ENDPIONT", "ACS_ENDPIONT is no setting of the app"),
        ("WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_RUN_FROM_PACKAGE is not to be set on Flex Consumption"),
        ("AzureWebJobsStorage", "AzureWebJobsStorage is a connection string with a key"),
    ],
)
def test_a_setting_that_should_not_be(name: str, problem: str) -> None:
    wrong = changed("functions.bicep", "  STORE_PREFIX: storePrefix\n", f"  STORE_PREFIX: storePrefix\n  {name}: 'x'\n")
    assert (
        only(app.setting_problems(wrong, SETTINGS, required(Settings))) == f"infra/modules/functions.bicep: {problem}"
    )


def test_a_key_in_a_setting() -> None:
    reference = "'@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/secrets-key)'"
    wrong = changed("functions.bicep", reference, "secretsKey")
    assert only(app.setting_problems(wrong, SETTINGS, required(Settings))) == (
        "infra/modules/functions.bicep: SECRETS_KEY is not a reference to the vault"
    )


def test_a_reference_to_a_secret_that_nobody_makes() -> None:
    wrong = changed("functions.bicep", "secrets/number-hash-key)", "secrets/number-hash)")
    assert "NUMBER_HASH_KEY refers to the secret number-hash, which" in only(
        app.secret_problems(wrong, one("vault.bicep"))
    )


def test_a_key_that_a_second_deployment_replaces() -> None:
    wrong = changed("vault.bicep", "@onlyIfNotExists()\nresource signingKey", "resource signingKey")
    assert only(app.secret_problems(one("functions.bicep"), wrong)) == (
        "infra/modules/vault.bicep: signingKey is replaced by every deployment; write @onlyIfNotExists()"
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "triggers: { http: { perInstanceConcurrency: httpConcurrency } }",
            "",
            "is left out: every instance would handle",
        ),
        (
            "perInstanceConcurrency: httpConcurrency",
            "perInstanceConcurrency: 1",
            "perInstanceConcurrency is 1, not 8 to 32",
        ),
        (
            "perInstanceConcurrency: httpConcurrency",
            "perInstanceConcurrency: 64",
            "perInstanceConcurrency is 64, not 8",
        ),
        ("[{ name: 'http', instanceCount: readyForCallbacks }]", "[]", "alwaysReady has no http"),
    ],
)
def test_scale_that_is_left_out(old: str, new: str, problem: str) -> None:
    assert problem in only(app.scale_problems(changed("functions.bicep", old, new), index()))


def test_a_renamed_function() -> None:
    renamed = {name if name != "incoming_call" else "answer_call": kind for name, kind in index().items()}
    assert only(app.scale_problems(one("functions.bicep"), renamed)) == (
        "infra/modules/functions.bicep: alwaysReady names function:incoming_call, but the app has no such function"
    )
    takes = {"answer_call" if name == "incoming_call" else name: events for name, events in TAKES.items()}
    assert list(app.event_problems(one("events.bicep"), takes)) == [
        "infra/events.bicep: incomingCall goes to incoming_call, but the app has no such Event Grid function",
        "infra/events.bicep: answer_call gets no events",
    ]


def test_an_event_that_nobody_is_sent() -> None:
    wrong = changed("events.bicep", "        'Microsoft.Communication.CallEnded'\n", "")
    assert only(app.event_problems(wrong, TAKES)) == (
        "infra/events.bicep: callLifecycle: call_lifecycle takes, but is not sent, Microsoft.Communication.CallEnded"
    )


def test_an_incoming_call_that_is_tried_for_a_day() -> None:
    wrong = changed("events.bicep", "    retryPolicy: { maxDeliveryAttempts: 2, eventTimeToLiveInMinutes: 1 }\n", "")
    assert "incomingCall must be tried twice within a minute" in only(app.event_problems(wrong, TAKES))


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        (
            "functions.bicep",
            "maximumInstanceCount:",
            "maxInstanceCount:",
            "properties.functionAppConfig.scaleAndConcurrency.maxInstanceCount is not a property of "
            "web.FunctionsScaleAndConcurrency; did you mean maximumInstanceCount",
        ),
        ("storage.bicep", "daysAfterModificationGreaterThan: 30", "days: 30", "days is not a property of"),
        ("events.bicep", "maxEventsPerBatch: 1\n        p", "most: 1\n        p", "most is not a property of"),
        ("events.bicep", "endpointType: 'StorageBlob'", "endpointType: 'Blob'", "endpointType is Blob, not one of"),
        ("streams.bicep", "periodSeconds: 10", "interval: 10", "probes[0].interval is not a property of"),
        ("streams.bicep", "secret = { name:", "secret = { title:", "secrets[0].title is not a property of"),
        ("functions.bicep", "type: 'UserAssignedIdentity'", "type: 'Identity'", "type is 'Identity', not one of"),
        ("communication.bicep", "    dataLocation: dataLocation\n", "    hostName: 'x'\n", "hostName is read-only"),
        ("vault.bicep", "KeyVault/vaults@2026-05-15", "KeyVault/vaults@2023-01-01", "API version 2023-01-01, but"),
        ("vault.bicep", "Microsoft.KeyVault/vaults@", "Microsoft.KeyVault/vault@", "no known type of resource"),
        (
            "functions.bicep",
            "insights.properties.ConnectionString",
            "insights.properties.connectionString",
            "ApplicationInsightsComponent/properties gives no connectionString; did you mean ConnectionString",
        ),
        ("resources.bicep", "streamsIdentity.properties.clientId", "streamsIdentity.properties.id", "gives no id"),
        ("communication.bicep", "events.properties.endpoint\n", "events.properties.url\n", "gives no url"),
    ],
)  # fmt: skip
def test_an_unknown_property(name: str, old: str, new: str, problem: str) -> None:
    assert problem in only(properties.problems([changed(name, old, new)], snapshot()))


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        (
            "vault.bicep",
            "principalId: principal",
            "principalId: principle",
            "infra/modules/vault.bicep: principle is not declared",
        ),
        ("vault.bicep", "base64('signing ${randomA}')", "base64('signing ${randomD}')", "randomD is not declared"),
        ("vault.bicep", "kv-${token}", "kv", "infra/modules/vault.bicep: token is not used"),
        ("resources.bicep", "monitoring.outputs.insightsName", "monitoring.outputs.insights", "has no output insights"),
        (
            "resources.bicep",
            "    zoneRedundant: zoneRedundant\n    private",
            "    private",
            "storage is not given zoneRedundant, which",
        ),
        (
            "resources.bicep",
            "    email: alertEmail\n",
            "    email: alertEmail\n    mail: ''\n",
            "alerts is given mail: ",
        ),
        ("resources.bicep", "'modules/vault.bicep'", "'modules/safe.bicep'", "modules/safe.bicep does not exist"),
    ],
)
def test_a_name_that_a_compiler_would_refuse(name: str, old: str, new: str, problem: str) -> None:
    assert any(problem in found for found in names.problems(all_with(changed(name, old, new))))


def test_a_module_from_elsewhere_and_a_query_that_nobody_loads(tmp_path: Path) -> None:
    elsewhere = changed("resources.bicep", "'modules/vault.bicep'", "'br/public:avm/res/key-vault/vault:0.13.0'")
    assert "comes from elsewhere" in only(names.file_problems(all_with(elsewhere)))
    (tmp_path / "more.kql").write_text("AppTraces")
    assert only(names.file_problems(templates(), tmp_path)) == f"{tmp_path.name}/more.kql is loaded by no template"
    gone = changed("alerts.bicep", "alerts/app-silent.kql", "alerts/app-gone.kql")
    assert "infra/modules/alerts.bicep: ../alerts/app-gone.kql does not exist" in list(
        names.file_problems(all_with(gone))
    )


def test_a_key_that_is_left_on() -> None:
    wrong = changed("storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true")
    assert (
        only(app.hardening_problems([wrong]))
        == "infra/modules/storage.bicep: account: allowSharedKeyAccess must be false"
    )
    reads = changed(
        "storage.bicep", "output id string = account.id", "output id string = account.listKeys().keys[0].value"
    )
    assert only(app.hardening_problems([reads])) == "infra/modules/storage.bicep: reads a key; give a role instead"


def test_a_variable_that_the_streams_service_does_not_get() -> None:
    wrong = changed("streams.bicep", "  { name: 'CALLBACK_BASE_URL', value: callbackBaseUrl }\n", "")
    found = list(app.streams_problems(wrong, STREAMS_SETTINGS, required(AppSettings)))
    assert found == ["infra/modules/streams.bicep: the setting CALLBACK_BASE_URL is missing"]
    clear = changed("streams.bicep", "secretRef: 'callback-signing-key' }", "value: signingKey }")
    assert "CALLBACK_SIGNING_KEY is not a reference" in only(
        app.streams_problems(clear, STREAMS_SETTINGS, required(AppSettings))
    )


def test_a_tag_that_azd_does_not_find_and_an_output_that_the_hook_misses() -> None:
    wrong = changed("functions.bicep", "'azd-service-name': 'app'", "'azd-service-name': 'api'")
    assert list(app.azd_problems(all_with(wrong), azure_yaml(), parameters_file(), OUTPUTS.values())) == [
        "azure.yaml: azure.yaml has no service api",
        "azure.yaml: no resource has the tag azd-service-name app",
    ]
    without = changed("main.bicep", "output EVENTGRID_TOPIC_NAME", "output TOPIC_NAME")
    assert only(app.azd_problems(all_with(without), azure_yaml(), parameters_file(), OUTPUTS.values())) == (
        "infra/main.bicep: the output EVENTGRID_TOPIC_NAME, which the hook reads, is missing"
    )
    parameters = parameters_file() | {"region": {}}
    del parameters["location"]
    assert list(app.azd_problems(templates(), azure_yaml(), parameters, ())) == [
        "infra/main.parameters.json: region is no parameter of infra/main.bicep",
        "infra/main.parameters.json: location is missing",
    ]
