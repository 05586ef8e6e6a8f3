"""The level `azure`: a right deployment has nothing wrong, and each pain, staged, is found with its remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.diagnostics import Finding
from tests.functional.app import functions
from tests.unit.doctor import stand_in
from tests.unit.doctor.stand_in import ACS, SITE, Deployment, metric
from tools.doctor import __main__ as command
from tools.doctor.app import ROOT, Inside
from tools.doctor.azure import arm

SHAPES: dict[str, Any] = json.loads((Path(__file__).with_name("arm_shapes.json")).read_text("utf-8"))
AZ = f"""#!/bin/sh
case "$1 $2" in
"account show") echo '{{"id": "{stand_in.SUB.rpartition("/")[2]}"}}' ;;
"account get-access-token") echo '{{"accessToken": "{stand_in.TOKEN}"}}' ;;
*) echo "ERROR: Please run 'az login' to setup account." >&2; exit 1 ;;
esac
"""


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """A right one, with an az that is signed in."""
    az = tmp_path / "az"
    az.write_text(AZ)
    az.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("AZURE_RESOURCE_GROUP", "AZURE_FUNCTION_APP_NAME", "AZURE_SUBSCRIPTION_ID"):
        monkeypatch.delenv(name, raising=False)
    expected = Inside({}, tuple(functions()), "", ("+18005550177", "+18005550149"))
    monkeypatch.setattr("tools.doctor.azure.looking.look_inside", lambda root, environ: expected)
    one = Deployment(sorted(functions()))
    with stand_in.serving(one) as address:
        monkeypatch.setattr(stand_in, "ADDRESS", address, raising=False)
        yield one


def looked(*more: str) -> list[Finding]:
    given = command.parser().parse_args(
        ["azure", "--arm", stand_in.ADDRESS, "--resource-group", "rg-calls", "--app", "func-calls", *more]  # type: ignore[attr-defined]
    )
    found = command.findings(given)
    assert all(one.why and one.remedy for one in found if one.level != "fine")
    return found


def bad(found: list[Finding]) -> dict[str, str]:
    return {one.id: one.level for one in found if one.level != "fine"}


def test_a_right_deployment_has_nothing_to_look_at_and_is_only_read(deployment: Deployment) -> None:
    deployment.metrics["DeliverySuccessCount"] = 7.0
    found = looked()
    assert bad(found) == {}
    assert {one.id for one in found} == {
        "providers.registered", "site.strategy", "settings.right", "functions.listed", "acs.right",
        "events.subscribed", "events.delivered", "speech.right", "storage.right", "roles.right",
    }  # fmt: skip
    assert {one.partition(" ")[0] for one in deployment.asked if "appsettings/list" not in one} == {"GET"}


def site(change: Callable[[dict[str, Any]], object]) -> Callable[[Deployment], None]:
    def staged(one: Deployment) -> None:
        assert one.site
        change(one.site["properties"])

    return staged


def scale(properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = properties["functionAppConfig"]["scaleAndConcurrency"]
    return found


def the(documents: list[dict[str, Any]], number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = documents[number]["properties"]
    return found


def nothing_subscribed(one: Deployment) -> None:
    one.topics.clear()
    one.subscriptions.clear()


def young(one: Deployment) -> None:
    the(one.roles, 4)["createdOn"] = datetime.now(UTC).isoformat()


PAINS: dict[str, tuple[Callable[[Deployment], object], dict[str, str]]] = {
    # Deployed, "succeeded", zero functions
    "no functions": (lambda one: one.functions.clear(), {"functions.none": "wrong"}),
    "a function is missing": (lambda one: one.functions.remove("incoming_call"), {"functions.missing": "wrong"}),
    "another version": (lambda one: one.functions.append("older"), {"functions.extra": "look"}),
    "another runtime": (
        site(lambda one: one["functionAppConfig"]["runtime"].update(version="3.9")),
        {"site.runtime": "wrong"},
    ),
    # Speech
    "the resources are not connected": (lambda one: one.roles.pop(4), {"roles.speech": "wrong"}),
    "a role that is new": (young, {"roles.speech-new": "look"}),
    "the role is on another resource": (
        lambda one: the(one.roles, 4).update(scope=stand_in.STORAGE),
        {"roles.speech": "wrong"},
    ),
    "a resource for speech alone": (
        lambda one: one.speech[0].update(kind="SpeechServices"),
        {"speech.kind": "wrong"},
    ),
    "no custom domain": (lambda one: the(one.speech).pop("customSubDomainName"), {"speech.domain": "wrong"}),
    "a private resource": (
        lambda one: the(one.speech).update(publicNetworkAccess="Disabled"),
        {"speech.private": "wrong"},
    ),
    "the endpoint of nobody": (
        lambda one: one.speech.clear(),
        {"speech.unknown": "look"},
    ),
    "no identity": (
        lambda one: one.communication[0].pop("identity"),
        {"acs.identity": "wrong", "roles.speech": "wrong"},
    ),
    "no role for transcripts": (lambda one: one.roles.pop(5), {"roles.transcripts": "wrong"}),
    # IncomingCall never arrives
    "the provider is not registered": (
        lambda one: one.providers.update({"Microsoft.EventGrid": "NotRegistered"}),
        {"providers.unregistered": "wrong"},
    ),
    "no provider for the streams service": (
        lambda one: one.settings.update(STREAMS_URL="wss://streams.example"),
        {"providers.unregistered": "wrong"},
    ),
    "no subscription": (lambda one: one.subscriptions.pop(0), {"events.incoming_call": "wrong"}),
    "no topic": (
        nothing_subscribed,
        {"events.incoming_call": "wrong", "events.call_lifecycle": "look", "events.recording_file": "look"},
    ),
    "to another function": (
        lambda one: the(one.subscriptions)["destination"]["properties"].update(resourceId=f"{SITE}/functions/other"),
        {"events.incoming_call": "wrong"},
    ),
    "of another type": (
        lambda one: the(one.subscriptions)["filter"].update(includedEventTypes=["Microsoft.Communication.CallEnded"]),
        {"events.incoming_call": "wrong"},
    ),
    "a filter that is too narrow": (
        lambda one: the(one.subscriptions)["filter"].update(
            advancedFilters=[
                {"operatorType": "StringIn", "key": "data.to.PhoneNumber.Value", "values": ["+18005550177"]}
            ]
        ),
        {"events.filter": "wrong"},
    ),
    "the topic of another resource": (
        lambda one: one.settings.update(EVENT_GRID_TOPIC=ACS.replace("acs-calls", "acs-other")),
        {"events.topic": "wrong"},
    ),
    # The subscription could not be made
    "a subscription that failed": (
        lambda one: the(one.subscriptions).update(provisioningState="Failed"),
        {"events.state": "wrong"},
    ),
    "deliveries that failed": (
        lambda one: one.metrics.update(DeliveryAttemptFailCount=3.0, DroppedEventCount=0.0),
        {"events.failed": "look"},
    ),
    "an IncomingCall for a day": (
        lambda one: the(one.subscriptions)["retryPolicy"].update(eventTimeToLiveInMinutes=1440),
        {"events.late": "look"},
    ),
    # Answer delay, cold start
    "one request at a time": (site(lambda one: scale(one).pop("triggers")), {"site.concurrency": "wrong"}),
    "seven requests at a time": (
        site(lambda one: scale(one)["triggers"]["http"].update(perInstanceConcurrency=7)),
        {"site.concurrency": "wrong"},
    ),
    "no warm instance": (site(lambda one: scale(one).update(alwaysReady=[])), {"site.cold": "look"}),
    "storage in another region": (
        lambda one: one.storage[0].update(location="eastus"),
        {"storage.far": "look"},
    ),
    # Callbacks are refused
    "another resource id": (
        lambda one: one.settings.update(ACS_RESOURCE_ID="11111111-2222-4333-8444-555555555555"),
        {"acs.resource-id": "wrong"},
    ),
    "callbacks to somebody else": (
        lambda one: one.settings.update(CALLBACK_BASE_URL="https://example.com"),
        {"callbacks.elsewhere": "look"},
    ),
    "a key that cannot be read": (
        lambda one: the(one.references).update(status="AccessToKeyVaultDenied"),
        {"settings.reference": "wrong"},
    ),
    "a wrong setting": (lambda one: one.settings.update(RING_SECONDS="soon"), {"settings.wrong": "wrong"}),
    "a missing setting": (lambda one: one.settings.pop("CALLBACK_SIGNING_KEY"), {"settings.wrong": "wrong"}),
    "the sample's key": (
        lambda one: one.settings.update(CALLBACK_SIGNING_KEY="bG9jYWwtZGV2ZWxvcG1lbnQtc2lnbmluZy1rZXktMDAwMQ=="),
        {"settings.wrong": "wrong"},
    ),
    "a misspelled setting": (lambda one: one.settings.update(RING_SECOND="30"), {"settings.misspelled": "look"}),
    "a setting that Flex does not know": (
        lambda one: one.settings.update(FUNCTIONS_WORKER_RUNTIME="python"),
        {"settings.deprecated": "look"},
    ),
    # Logs do not arrive
    "no Application Insights": (
        lambda one: one.settings.pop("APPLICATIONINSIGHTS_CONNECTION_STRING"),
        {"logs.none": "look"},
    ),
    "the service keeps no logs": (lambda one: one.diagnostics.clear(), {"acs.logs": "look"}),
    # Keys are forbidden
    "a connection string without keys": (
        lambda one: one.settings.update(
            AzureWebJobsStorage="DefaultEndpointsProtocol=https;AccountName=stcalls;AccountKey=a2V5a2V5;"
            "EndpointSuffix=core.windows.net"
        ),
        {"storage.keys-off": "wrong"},
    ),
    "a key where none is taken": (lambda one: one.settings.update(ACS_ACCESS_KEY="a2V5"), {"acs.key": "wrong"}),
    "no role for tables": (lambda one: one.roles.pop(2), {"roles.tables": "wrong"}),
    "no role for the service": (lambda one: one.roles.pop(3), {"roles.acs": "wrong"}),
    "the app is stopped": (site(lambda one: one.update(state="Stopped")), {"site.stopped": "wrong"}),
    "another plan": (site(lambda one: one.pop("functionAppConfig")), {"site.plan": "look"}),
    "plain http": (site(lambda one: one.update(httpsOnly=False)), {"site.http": "look"}),
    "public containers": (lambda one: the(one.storage).update(allowBlobPublicAccess=True), {"storage.public": "look"}),
    "the resource of another subscription": (
        lambda one: one.communication.clear(),
        {"acs.unknown": "wrong"},
    ),
    "the storage of another subscription": (lambda one: one.storage.clear(), {"storage.unknown": "look"}),
}  # fmt: skip


@pytest.mark.parametrize("pain", PAINS)
def test_each_pain_is_found_and_nothing_else(deployment: Deployment, pain: str) -> None:
    stage, expected = PAINS[pain]
    stage(deployment)
    assert bad(looked()) == expected


def test_a_remedy_can_be_pasted(deployment: Deployment) -> None:
    """The resource group and the name stand in it, whichever way the command takes them."""
    deployment.subscriptions.pop(0)
    deployment.communication[0].pop("identity")
    site(lambda one: scale(one).pop("triggers"))(deployment)
    remedies = {one.id: one.remedy for one in looked()}
    assert remedies["site.concurrency"] == (
        f"az functionapp scale config set --ids {SITE} --trigger-type http --trigger-settings perInstanceConcurrency=16"
    )
    assert remedies["acs.identity"] == (
        "az communication identity assign --system-assigned true --name acs-calls --resource-group rg-calls"
    )
    assert remedies["events.incoming_call"] == (
        "azd hooks run postdeploy, or: az eventgrid event-subscription create --name incoming-call "
        f"--source-resource-id {ACS} --endpoint-type azurefunction --endpoint {SITE}/functions/incoming_call "
        "--included-event-types Microsoft.Communication.IncomingCall"
    )


def concurrency(number: int) -> Callable[[Deployment], None]:
    return site(lambda one: scale(one)["triggers"]["http"].update(perInstanceConcurrency=number))


def minutes(number: int) -> Callable[[Deployment], None]:
    return lambda one: the(one.subscriptions)["retryPolicy"].update(eventTimeToLiveInMinutes=number)


def assigned(ago: int) -> Callable[[Deployment], None]:
    return lambda one: the(one.roles, 4).update(createdOn=(datetime.now(UTC) - timedelta(minutes=ago)).isoformat())


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (concurrency(8), {}),
        (concurrency(7), {"site.concurrency": "wrong"}),
        (minutes(5), {}),
        (minutes(6), {"events.late": "look"}),
        (assigned(11), {}),
        (assigned(9), {"roles.speech-new": "look"}),
    ],
)
def test_the_limits_are_these(
    deployment: Deployment, stage: Callable[[Deployment], None], expected: dict[str, str]
) -> None:
    stage(deployment)
    assert bad(looked()) == expected


def test_a_role_on_the_group_or_the_subscription_is_enough(deployment: Deployment) -> None:
    for number, scope in ((0, stand_in.GROUP), (1, stand_in.SUB), (2, stand_in.SUB.upper()), (3, "/")):
        the(deployment.roles, number)["scope"] = scope
    assert bad(looked()) == {}
    the(deployment.roles, 0)["scope"] = stand_in.STORAGE[:-1]
    assert bad(looked()) == {"roles.blobs": "wrong"}


def test_subscriptions_of_the_resource_itself_and_web_hooks_of_the_host_count_too(deployment: Deployment) -> None:
    deployment.topics.clear()
    the(deployment.subscriptions)["destination"] = {
        "endpointType": "WebHook",
        "properties": {"endpointBaseUrl": "https://func-calls.azurewebsites.net/runtime/webhooks/EventGrid"},
    }
    assert bad(looked()) == {}


def test_a_missing_app_ends_the_look(deployment: Deployment) -> None:
    deployment.site = None
    assert bad(looked()) == {"site.missing": "wrong"}


@pytest.mark.parametrize(("status", "words"), [(401, "az login"), (403, "Reader"), (500, "responds 500")])
def test_who_may_not_read_is_told_so(
    deployment: Deployment, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.status = status
    arguments = ["azure", "--arm", stand_in.ADDRESS, "--resource-group", "rg-calls", "--app", "func-calls"]  # type: ignore[attr-defined]
    assert command.main(arguments) == 2
    assert words in capsys.readouterr().err


def test_who_is_not_signed_in_is_told_so(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "az").write_text(AZ.replace("account show", "account shown"))
    assert command.main(["azure", "--resource-group", "g", "--app", "a"]) == 2
    assert "Please run 'az login' to setup account." in capsys.readouterr().err
    (tmp_path / "az").unlink()
    assert command.main(["azure", "--resource-group", "g", "--app", "a"]) == 2
    assert "(az) is not on the PATH" in capsys.readouterr().err


def test_names_come_from_azd_where_they_are_not_given(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    azd = tmp_path / "azd"
    names = {"AZURE_RESOURCE_GROUP": "rg-calls", "AZURE_FUNCTION_APP_NAME": "func-calls"}
    azd.write_text(f"#!/bin/sh\necho '{json.dumps(names)}'\n")
    azd.chmod(0o755)
    assert command.main(["azure", "--arm", stand_in.ADDRESS, "--json"]) == 0  # type: ignore[attr-defined]
    assert json.loads(capsys.readouterr().out)["counts"]["wrong"] == 0


def unknown(document: Any, names: Any, path: str = "") -> list[str]:
    """The names of a document that its model does not have; null in a model: anything."""
    if isinstance(document, list):
        return [one for element in document for one in unknown(element, names, path)]
    if not isinstance(document, dict) or not isinstance(names, dict):
        return []
    if path.endswith("userAssignedIdentities"):
        return [one for element in document.values() for one in unknown(element, names, path + ".*")]
    wrong = [f"{path}.{name}" for name in document if name not in names]
    return wrong + [
        one for name, value in document.items() for one in unknown(value, names.get(name), f"{path}.{name}")
    ]


def documents() -> Iterator[tuple[str, Any]]:
    one = Deployment(["health"])
    yield "site", one.site
    yield "configreferences", one.references
    yield "systemTopic", one.topics
    yield "communication", one.communication
    yield "storage", one.storage
    yield "speech", one.speech
    yield "roleAssignment", one.roles
    yield "diagnosticSettings", one.diagnostics
    yield "metric", metric("DroppedEventCount", 1.0)
    functions = one.document(f"{SITE}/functions", {}, "")
    settings = one.document(f"{SITE}/config/appsettings/list", {}, "")
    assert functions
    yield "function", functions["value"]
    yield "appsettings", settings
    for subscription in one.subscriptions:
        destination = subscription["properties"].pop("destination")
        yield "azureFunctionDestination", destination
        yield "eventSubscription", subscription
    yield "stringIn", {"operatorType": "StringIn", "key": "k", "values": []}


@pytest.mark.parametrize(("kind", "document"), list(documents()))
def test_the_documents_are_shaped_as_the_management_sdks_say(kind: str, document: Any) -> None:
    assert SHAPES[kind]["source"].startswith("azure-mgmt-")
    assert unknown(document, SHAPES[kind]["names"]) == []


def test_a_name_that_no_model_has_is_noticed() -> None:
    assert unknown({"properties": {"hostNme": "x"}}, SHAPES["communication"]["names"]) == [".properties.hostNme"]


def test_nothing_of_doctor_is_deployed() -> None:
    ignored = (ROOT / ".funcignore").read_text().splitlines()
    assert "tools" in ignored
    assert set(arm.VERSIONS) >= {"Microsoft.Web", "Microsoft.EventGrid"}
