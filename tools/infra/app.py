"""Whether the templates fit the app: settings, functions, scale, azure.yaml, and what the hook reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tools.infra.bicep import Resource, Template, values

PLATFORM = frozenset(
    {
        "AZURE_CLIENT_ID",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "PYTHON_THREADPOOL_THREAD_COUNT",
    }
)
"""Settings that the platform and the SDKs read, and the app does not."""

NOT_ON_FLEX = frozenset(
    {
        "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTSHARE",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD",
    }
)  # fmt: skip
"""Flex Consumption refuses or ignores them (https://learn.microsoft.com/azure/azure-functions/functions-app-settings)."""

BY_IDENTITY = frozenset(
    {
        "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__tableServiceUri",
        "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "AZURE_CLIENT_ID",
    }
)  # fmt: skip
"""What it takes to sign in with a user-assigned identity instead of a key."""

KEYS = re.compile(r"(?:_KEY|_KEY_PREVIOUS)$")

CONCURRENCY = "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency"
READY = frozenset({"http", "function:incoming_call"})
MOST_AT_ONCE = 32
"""Threads of the worker: PYTHON_THREADPOOL_THREAD_COUNT."""

_FUNCTION = re.compile(r"/functions/(\w+)$")
_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(SecretUri=\$\{vaultUri\}secrets/([\w-]+)\)")


def settings_of(template: Template) -> dict[str, Any]:
    """All settings that the app may get, each with its value or expression."""
    found: dict[str, Any] = {}
    for one in values(template.resources["settings"].body["properties"], template):
        if isinstance(one, dict):
            found |= one
    return found


def setting_problems(template: Template, known: Collection[str], required: Collection[str]) -> Iterator[str]:
    """Settings that nothing reads, that are missing, that must not be, and keys that are not in the vault."""
    given = settings_of(template)
    for name in sorted(given.keys() - set(known) - PLATFORM):
        reason = "is not to be set on Flex Consumption" if name in NOT_ON_FLEX else "is no setting of the app"
        yield f"{template.where}: {name} {reason}"
    for name in sorted((set(required) | BY_IDENTITY) - given.keys()):
        yield f"{template.where}: the setting {name} is missing"
    for name, value in sorted(given.items()):
        if KEYS.search(name) and not _REFERENCE.fullmatch(str(value)):
            yield f"{template.where}: {name} is not a reference to the vault"
    if "AzureWebJobsStorage" in given:
        yield f"{template.where}: AzureWebJobsStorage is a connection string with a key"


def secret_problems(functions: Template, vault: Template) -> Iterator[str]:
    """References to secrets that the vault's template does not make, and secrets that a second deployment replaces."""
    secrets = {
        str(one.body["name"]): one
        for one in vault.resources.values()
        if one.type == "Microsoft.KeyVault/vaults/secrets"
    }
    for name, value in settings_of(functions).items():
        match = _REFERENCE.fullmatch(str(value))
        if match and match[1].removesuffix("-previous") not in secrets:
            yield f"{functions.where}: {name} refers to the secret {match[1]}, which {vault.where} does not make"
    for secret in secrets.values():
        if "onlyIfNotExists" not in secret.decorators:
            yield f"{vault.where}: {secret.name} is replaced by every deployment; write @onlyIfNotExists()"


def scale_problems(template: Template, functions: Collection[str]) -> Iterator[str]:
    """Concurrency that is left out, and always-ready groups of functions that do not exist."""
    app = template.resources["app"]
    config = app.body["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    at_once = config.get("triggers", {}).get("http", {}).get("perInstanceConcurrency")
    if at_once is None:
        yield f"{template.where}: {CONCURRENCY} is left out: every instance would handle one callback at a time"
    elif isinstance(at_once, int) and not 8 <= at_once <= MOST_AT_ONCE:
        yield f"{template.where}: {CONCURRENCY} is {at_once}, not 8 to {MOST_AT_ONCE}"
    ready = [one for groups in values(config.get("alwaysReady", []), template) for one in groups]
    names = {str(one["name"]) for one in ready}
    for name in sorted(READY - names):
        yield f"{template.where}: alwaysReady has no {name}"
    for name in sorted(names - {"http", "blob", "durable"}):
        if name.removeprefix("function:") not in functions:
            yield f"{template.where}: alwaysReady names {name}, but the app has no such function"


def event_problems(template: Template, takes: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Subscriptions to functions that do not exist, or of events that they do not take; and events that nobody gets.

    Args:
        takes: the Event Grid functions of the app, each with the types of its events.
    """
    left = dict(takes)
    for resource in template.resources.values():
        if not resource.type.endswith("/eventSubscriptions"):
            continue
        properties = resource.body["properties"]
        match = _FUNCTION.search(str(properties["destination"]["properties"]["resourceId"]))
        function = match[1] if match else "nobody"
        if function not in takes:
            yield f"{template.where}: {resource.name} goes to {function}, but the app has no such Event Grid function"
            continue
        left.pop(function, None)
        given = set(properties["filter"]["includedEventTypes"])
        for name in sorted(given ^ set(takes[function])):
            verb = "does not take" if name in given else "takes, but is not sent,"
            yield f"{template.where}: {resource.name}: {function} {verb} {name}"
        retry = properties.get("retryPolicy", {})
        if function == "incoming_call" and (
            retry.get("maxDeliveryAttempts"),
            retry.get("eventTimeToLiveInMinutes"),
        ) != (2, 1):
            yield f"{template.where}: {resource.name} must be tried twice within a minute: a call rings for 30 seconds"
    for function in sorted(left):
        yield f"{template.where}: {function} gets no events"


def streams_problems(template: Template, known: Collection[str], required: Collection[str]) -> Iterator[str]:
    """Variables of the streams service that nothing reads, or that are missing."""
    container = template.resources["app"].body["properties"]["template"]["containers"][0]
    given = dict[str, Any]()
    for one in values(container["env"], template):
        for each in one if isinstance(one, list) else [one]:
            for variable in values(each, template):
                given[str(variable["name"])] = variable
    for name in sorted(given.keys() - set(known) - PLATFORM):
        yield f"{template.where}: {name} is no setting of the streams service"
    for name in sorted((set(required) | BY_IDENTITY) - given.keys()):
        yield f"{template.where}: the setting {name} is missing"
    for name, one in given.items():
        if KEYS.search(name) and "secretRef" not in one:
            yield f"{template.where}: {name} is not a reference to the vault"


def azd_problems(
    templates: Sequence[Template], azure: Mapping[str, Any], parameters: Mapping[str, Any], outputs: Collection[str]
) -> Iterator[str]:
    """azure.yaml and main.parameters.json against the templates; `outputs`: those that the hook reads."""
    tags = {_service(one) for template in templates for one in template.resources.values()} - {""}
    for name in sorted(azure["services"].keys() ^ tags):
        where = "azure.yaml has no service" if name in tags else "no resource has the tag azd-service-name"
        yield f"azure.yaml: {where} {name}"
    (main,) = [template for template in templates if template.path.name == "main.bicep"]
    for name in sorted(set(parameters) - main.parameters):
        yield f"infra/main.parameters.json: {name} is no parameter of {main.where}"
    for name in sorted(main.required - set(parameters)):
        yield f"infra/main.parameters.json: {name} is missing"
    for name in sorted(set(outputs) - main.outputs.keys()):
        yield f"{main.where}: the output {name}, which the hook reads, is missing"


def _service(resource: Resource) -> str:
    tags = resource.body.get("tags")
    if isinstance(tags, dict) and tags.keys() == {"function"}:
        for part in tags["function"]["parameters"].values():
            for one in part if isinstance(part, list) else [part]:
                if isinstance(one, dict) and "azd-service-name" in one:
                    return str(one["azd-service-name"])
    return ""


def hardening_problems(templates: Sequence[Template]) -> Iterator[str]:
    """Keys and public doors that are left open."""
    closed = {
        "Microsoft.Storage/storageAccounts": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
        "Microsoft.Communication/communicationServices": {"disableLocalAuth": True},
        "Microsoft.CognitiveServices/accounts": {"disableLocalAuth": True},
        "Microsoft.EventGrid/topics": {"disableLocalAuth": True},
        "Microsoft.Insights/components": {"DisableLocalAuth": True},
        "Microsoft.ContainerRegistry/registries": {"adminUserEnabled": False},
        "Microsoft.KeyVault/vaults": {"enableRbacAuthorization": True},
        "Microsoft.Web/sites": {"httpsOnly": True},
    }
    for template in templates:
        if re.search(r"\blist(?:Keys|AccountSas|ServiceSas)\b", template.text):
            yield f"{template.where}: reads a key; give a role instead"
        for resource in template.resources.values():
            for name, value in closed.get(resource.type, {}).items() if not resource.existing else ():
                if resource.body["properties"].get(name) is not value:
                    yield f"{template.where}: {resource.name}: {name} must be {str(value).lower()}"
