"""A management endpoint on this machine, with everything that a right deployment has; tests change it.

The documents are made from the published examples of the REST APIs (the address beside each), with the names of a
deployment of ours; test_azure.py holds their names to the models of the management SDKs (arm_shapes.json).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tools.doctor.azure import neighbours
from tools.doctor.azure.arm import VERSIONS

SUB = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUB}/resourceGroups/rg-calls"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/func-calls"
ACS = f"{GROUP}/providers/Microsoft.Communication/communicationServices/acs-calls"
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/evgt-calls"
SPEECH = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/ai-calls"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stcalls"
APP_PRINCIPAL, ACS_PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
RESOURCE_ID = "8b3b2565-9105-49f4-9b61-081357959c70"
TOKEN = "a-token"
"""What the fake az gives."""


def _vault(name: str) -> str:
    return f"@Microsoft.KeyVault(SecretUri=https://kv-calls.vault.azure.net/secrets/{name})"


def _assignment(number: int, principal: str, role: str, scope: str) -> dict[str, Any]:
    name = f"bbbbbbbb-0000-0000-0000-{number:012d}"
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "principalId": principal,
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}",
            "scope": scope,
            "createdOn": "2026-11-01T10:00:00.000000Z",
        },
    }


def _subscription(name: str, function: str, types: list[str], minutes: int) -> dict[str, Any]:
    return {
        "id": f"{TOPIC}/eventSubscriptions/{name}",
        "name": name,
        "type": "Microsoft.EventGrid/systemTopics/eventSubscriptions",
        "properties": {
            "topic": TOPIC,
            "provisioningState": "Succeeded",
            "destination": {
                "endpointType": "AzureFunction",
                "properties": {"resourceId": f"{SITE}/functions/{function}", "maxEventsPerBatch": 1},
            },
            "filter": {
                "includedEventTypes": [f"Microsoft.Communication.{one}" for one in types],
                "enableAdvancedFilteringOnArrays": True,
                "advancedFilters": [],
            },
            "retryPolicy": {"maxDeliveryAttempts": 2, "eventTimeToLiveInMinutes": minutes},
        },
    }


@dataclass
class Deployment:
    """The documents, by kind. Each attribute names its published example, under learn.microsoft.com/rest/api.

    Attributes:
        site: appservice/web-apps/get
        settings: appservice/web-apps/list-application-settings
        references: appservice/web-apps/get-app-settings-key-vault-references
        functions: appservice/web-apps/list-functions
        communication: communication/resourcemanager/communication-services/list-by-subscription
        diagnostics: monitor/diagnostic-settings/list
        topics: eventgrid/controlplane/system-topics/list-by-subscription
        subscriptions: eventgrid/controlplane/system-topic-event-subscriptions/list-by-system-topic
        metrics: monitor/metrics/list
        speech: aiservices/accountmanagement/accounts/list
        storage: storagerp/storage-accounts/list
        roles: authorization/role-assignments/list-for-subscription
        providers: resources/providers/get
    """

    functions: list[str]
    asked: list[str] = field(default_factory=list)
    status: int = 0
    providers: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            ("Microsoft.Communication", "Microsoft.EventGrid", "Microsoft.Web"), "Registered"
        )
    )
    site: dict[str, Any] | None = field(
        default_factory=lambda: {
            "id": SITE,
            "name": "func-calls",
            "type": "Microsoft.Web/sites",
            "kind": "functionapp,linux",
            "location": "West Europe",
            "identity": {
                "type": "UserAssigned",
                "userAssignedIdentities": {
                    f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app": {
                        "principalId": APP_PRINCIPAL,
                        "clientId": "cccccccc-0000-0000-0000-000000000001",
                    }
                },
            },
            "properties": {
                "state": "Running",
                "hostNames": ["func-calls.azurewebsites.net"],
                "defaultHostName": "func-calls.azurewebsites.net",
                "httpsOnly": True,
                "functionAppConfig": {
                    "runtime": {"name": "python", "version": "3.12"},
                    "scaleAndConcurrency": {
                        "instanceMemoryMB": 2048,
                        "maximumInstanceCount": 100,
                        "alwaysReady": [
                            {"name": "http", "instanceCount": 1},
                            {"name": "function:incoming_call", "instanceCount": 1},
                        ],
                        "triggers": {"http": {"perInstanceConcurrency": 16}},
                    },
                    "siteUpdateStrategy": {"type": "Recreate"},
                },
            },
        }
    )
    settings: dict[str, str] = field(
        default_factory=lambda: {
            "AzureWebJobsStorage__accountName": "stcalls",
            "AzureWebJobsStorage__credential": "managedidentity",
            "AzureWebJobsStorage__clientId": "cccccccc-0000-0000-0000-000000000001",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x",
            "ACS_ENDPOINT": "https://acs-calls.europe.communication.azure.com",
            "ACS_RESOURCE_ID": RESOURCE_ID,
            "EVENT_GRID_TOPIC": ACS,
            "CALLBACK_BASE_URL": "https://func-calls.azurewebsites.net",
            "CALLBACK_SIGNING_KEY": _vault("callback-signing-key"),
            "NUMBER_HASH_KEY": _vault("number-hash-key"),
            "SECRETS_KEY": _vault("secrets-key"),
            "COGNITIVE_SERVICES_ENDPOINT": "https://ai-calls.cognitiveservices.azure.com/",
            "TRANSCRIPTION_ENDPOINT": "https://ai-calls.cognitiveservices.azure.com/",
        }
    )
    references: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": f"{SITE}/config/configreferences/appsettings/CALLBACK_SIGNING_KEY",
                "name": "CALLBACK_SIGNING_KEY",
                "properties": {
                    "reference": _vault("callback-signing-key"),
                    "status": "Resolved",
                    "identityType": "UserAssigned",
                },
            }
        ]
    )
    communication: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": ACS,
                "name": "acs-calls",
                "type": "Microsoft.Communication/CommunicationServices",
                "location": "Global",
                "identity": {"type": "SystemAssigned", "principalId": ACS_PRINCIPAL},
                "properties": {
                    "provisioningState": "Succeeded",
                    "hostName": "acs-calls.europe.communication.azure.com",
                    "dataLocation": "Europe",
                    "immutableResourceId": RESOURCE_ID,
                    "disableLocalAuth": True,
                },
            }
        ]
    )
    diagnostics: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": f"{ACS}/providers/microsoft.insights/diagnosticSettings/calls",
                "name": "calls",
                "properties": {
                    "workspaceId": f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log-calls",
                    "logs": [{"category": name, "enabled": True} for name in neighbours.LOG_CATEGORIES],
                },
            }
        ]
    )
    topics: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": TOPIC,
                "name": "evgt-calls",
                "location": "global",
                "properties": {
                    "provisioningState": "Succeeded",
                    "source": ACS,
                    "topicType": "microsoft.communication.communicationservices",
                },
            }
        ]
    )
    subscriptions: list[dict[str, Any]] = field(
        default_factory=lambda: [
            _subscription("incoming-call", "incoming_call", ["IncomingCall"], 1),
            _subscription(
                "call-lifecycle",
                "call_lifecycle",
                ["CallStarted", "CallEnded", "CallParticipantAdded", "CallParticipantRemoved"],
                1440,
            ),
            _subscription("recording-file", "recording_file", ["RecordingFileStatusUpdated"], 1440),
        ]
    )
    metrics: dict[str, float] = field(default_factory=dict)
    speech: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": SPEECH,
                "name": "ai-calls",
                "kind": "CognitiveServices",
                "location": "westeurope",
                "sku": {"name": "S0"},
                "properties": {
                    "endpoint": "https://ai-calls.cognitiveservices.azure.com/",
                    "customSubDomainName": "ai-calls",
                    "publicNetworkAccess": "Enabled",
                    "disableLocalAuth": True,
                },
            }
        ]
    )
    storage: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "id": STORAGE,
                "name": "stcalls",
                "kind": "StorageV2",
                "location": "westeurope",
                "properties": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
            }
        ]
    )
    roles: list[dict[str, Any]] = field(
        default_factory=lambda: [
            _assignment(1, APP_PRINCIPAL, neighbours.BLOBS_OWNER, STORAGE),
            _assignment(2, APP_PRINCIPAL, neighbours.QUEUES_CONTRIBUTOR, STORAGE),
            _assignment(3, APP_PRINCIPAL, neighbours.TABLES_CONTRIBUTOR, STORAGE),
            _assignment(4, APP_PRINCIPAL, neighbours.CONTRIBUTOR, ACS),
            _assignment(5, ACS_PRINCIPAL, neighbours.AI_USER, SPEECH),
            _assignment(6, APP_PRINCIPAL, neighbours.SPEECH_USER, SPEECH),
        ]
    )

    def document(self, path: str, query: Mapping[str, str], base: str) -> dict[str, Any] | None:
        """What there is at a path; None: nothing. Lists come in two pages."""
        if path.startswith(f"{SUB}/providers/") and path.count("/") == 4:
            name = path.rpartition("/")[2]
            return {"id": path, "namespace": name, "registrationState": self.providers.get(name, "NotRegistered")}
        if path == f"{SITE}/config/appsettings/list":
            return {"id": f"{SITE}/config/appsettings", "name": "appsettings", "properties": self.settings}
        if path == SITE:
            return self.site
        lists = {
            f"{SITE}/config/configreferences/appsettings": self.references,
            f"{SITE}/functions": [
                {
                    "id": f"{SITE}/functions/{name}",
                    "name": f"func-calls/{name}",
                    "properties": {"language": "python", "isDisabled": False},
                }
                for name in self.functions
            ],
            f"{SUB}/providers/Microsoft.Communication/communicationServices": self.communication,
            f"{ACS}/providers/Microsoft.Insights/diagnosticSettings": self.diagnostics,
            f"{SUB}/providers/Microsoft.EventGrid/systemTopics": self.topics,
            f"{TOPIC}/eventSubscriptions": self.subscriptions,
            f"{ACS}/providers/Microsoft.EventGrid/eventSubscriptions": self.subscriptions,
            f"{TOPIC}/providers/Microsoft.Insights/metrics": [
                metric(name, total) for name, total in self.metrics.items()
            ],
            f"{SUB}/providers/Microsoft.CognitiveServices/accounts": self.speech,
            f"{SUB}/providers/Microsoft.Storage/storageAccounts": self.storage,
            f"{SUB}/providers/Microsoft.Authorization/roleAssignments": [
                one for one in self.roles if f"'{one['properties']['principalId']}'" in query.get("$filter", "")
            ],
        }
        if path not in lists:
            return None
        if "page" in query or len(lists[path]) < 2:
            return {"value": lists[path][1:] if "page" in query else lists[path]}
        more = "&".join(f"{name}={value}" for name, value in query.items())
        return {"value": lists[path][:1], "nextLink": f"{base}{path}?{more}&page=2"}


def metric(name: str, total: float) -> dict[str, Any]:
    return {
        "id": f"{TOPIC}/providers/Microsoft.Insights/metrics/{name}",
        "name": {"value": name, "localizedValue": name},
        "unit": "Count",
        "timeseries": [{"data": [{"timeStamp": "2026-11-28T09:00:00Z", "total": total}, {"timeStamp": "x"}]}],
    }


@contextmanager
def serving(deployment: Deployment) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            deployment.asked.append(f"{self.command} {parts.path}")
            base = f"http://{self.headers['Host']}"
            found = deployment.document(parts.path, query, base)
            status = deployment.status or (200 if found is not None else 404)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status = 401
            if query.get("api-version") not in VERSIONS.values():
                status = 400
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(found if status == 200 else {"error": {"code": "x"}}).encode())

        def do_POST(self) -> None:
            assert self.path.partition("?")[0] == f"{SITE}/config/appsettings/list", "it only reads"
            self.do_GET()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
