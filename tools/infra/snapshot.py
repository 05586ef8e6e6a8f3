"""Write tests/fixtures/azure_models.json from the models of Azure's management SDKs: python -m tools.infra.snapshot.

The packages are those of tools/infra/sdks.txt, which says how to have them. Only models that templates use are kept.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tools.infra.bicep import templates
from tools.infra.models import SNAPSHOT, Model, Property, Snapshot
from tools.infra.properties import uses


@dataclass(frozen=True, slots=True)
class Source:
    """Where the model of a type is; `version` is that of the API of this package."""

    package: str
    module: str
    model: str
    version: str


def _sources(rows: str) -> dict[str, Source]:
    """By type: the rows have type, module under azure.mgmt, model and API version."""
    found = {}
    for row in rows.split("\n"):
        if row.strip():
            name, module, model, version = row.split()
            found[name] = Source(f"azure-mgmt-{module.partition('.')[0]}", f"azure.mgmt.{module}", model, version)
    return found


SOURCES = _sources("""
Microsoft.App/containerApps                                appcontainers        ContainerApp                    2026-07-01
Microsoft.App/managedEnvironments                          appcontainers        ManagedEnvironment              2026-07-01
Microsoft.Authorization/roleAssignments                    authorization.v2022_04_01 RoleAssignmentCreateParameters 2022-04-01
Microsoft.CognitiveServices/accounts                       cognitiveservices    Account                         2025-09-01
Microsoft.Communication/communicationServices              communication        CommunicationServiceResource    2025-09-01
Microsoft.ContainerRegistry/registries                     containerregistry    Registry                        2025-11-01
Microsoft.EventGrid/systemTopics                           eventgrid            SystemTopic                     2025-02-15
Microsoft.EventGrid/systemTopics/eventSubscriptions        eventgrid            EventSubscription               2025-02-15
Microsoft.EventGrid/topics                                 eventgrid            Topic                           2025-02-15
Microsoft.Insights/actionGroups                            monitor              ActionGroupResource             2023-01-01
Microsoft.Insights/components          applicationinsights.v2020_02_02          ApplicationInsightsComponent    2020-02-02
Microsoft.Insights/metricAlerts                            monitor              MetricAlertResource             2018-03-01
Microsoft.Insights/scheduledQueryRules                     monitor              ScheduledQueryRuleResource      2023-12-01
Microsoft.Insights/workbooks           applicationinsights.v2023_06_01          Workbook                        2023-06-01
Microsoft.KeyVault/vaults                                  keyvault             VaultCreateOrUpdateParameters   2026-05-15
Microsoft.KeyVault/vaults/secrets                          keyvault             SecretCreateOrUpdateParameters  2026-05-15
Microsoft.ManagedIdentity/userAssignedIdentities           msi.v2024_11_30      Identity                        2024-11-30
Microsoft.Network/privateDnsZones                          privatedns           PrivateZone                     2024-06-01
Microsoft.Network/privateDnsZones/virtualNetworkLinks      privatedns           VirtualNetworkLink              2024-06-01
Microsoft.Network/privateEndpoints                         network              PrivateEndpoint                 2026-03-01
Microsoft.Network/privateEndpoints/privateDnsZoneGroups    network              PrivateDnsZoneGroup             2026-03-01
Microsoft.Network/virtualNetworks                          network              VirtualNetwork                  2026-03-01
Microsoft.OperationalInsights/workspaces                   loganalytics         Workspace                       2025-07-01
Microsoft.Resources/resourceGroups                         resource.resources   ResourceGroup                   2025-04-01
Microsoft.Storage/storageAccounts                          storage              StorageAccountCreateParameters  2026-09-01
Microsoft.Storage/storageAccounts/blobServices             storage              BlobServiceProperties           2026-09-01
Microsoft.Storage/storageAccounts/blobServices/containers  storage              BlobContainer                   2026-09-01
Microsoft.Storage/storageAccounts/managementPolicies       storage              ManagementPolicy                2026-09-01
Microsoft.Storage/storageAccounts/queueServices            storage              QueueServiceProperties          2026-09-01
Microsoft.Web/serverfarms                                  web                  AppServicePlan                  2025-05-01
Microsoft.Web/sites                                        web                  Site                            2025-05-01
Microsoft.Web/sites/basicPublishingCredentialsPolicies     web       CsmPublishingCredentialsPoliciesEntity     2025-05-01
Microsoft.Web/sites/config                                 web                  StringDictionary                2025-05-01
""")  # noqa: E501 - a table
READS = {"Microsoft.Storage/storageAccounts": "StorageAccount", "Microsoft.KeyVault/vaults": "Vault"}
"""Types of which other properties are given back than may be written."""
OLDER = _sources("""
Microsoft.Insights/diagnosticSettings monitor.v2021_05_01_preview DiagnosticSettingsResource 2021-05-01-preview
""")
"""What the newest package has no model of."""


def read_models(sources: dict[str, Source]) -> Snapshot:
    """The types and all models that can be reached from them."""
    types, models, reads = dict[str, tuple[str, str]](), dict[str, Model](), dict[str, str]()
    for name, source in sources.items():
        _check_version(source)
        module = importlib.import_module(f"{source.module}.models")
        _read(module, source.model, models)
        types[name] = (source.version, _key(module, source.model))
        if (given_back := READS.get(name)) is not None:
            _read(module, given_back, models)
            reads[name] = _key(module, given_back)
    return Snapshot(types, models, reads)


def _check_version(source: Source) -> None:
    """That this package speaks this version, and no table of ours is older than it."""
    folder = Path(str(importlib.import_module(source.module).__file__)).parent
    if not any(
        source.version in path.read_text("utf-8") for path in folder.rglob("*.py") if path.parent.name != "models"
    ):
        raise SystemExit(f"{source.package} does not speak {source.version}: correct SOURCES")


def _key(module: Any, name: str) -> str:
    package = str(module.__name__).removeprefix("azure.mgmt.").removesuffix(".models")
    return f"{package}.{name}"


def _read(module: Any, name: str, models: dict[str, Model]) -> None:
    key = _key(module, name)
    if key in models:
        return
    kind = getattr(module, name)
    models[key] = Model({})  # before its parts, which may name it again
    maps = hasattr(kind, "_attribute_map")
    properties, names = (_by_map(module, kind, models)) if maps else _by_fields(module, kind)
    discriminator, subtypes = _subtypes(kind, maps)
    models[key] = Model(
        properties, discriminator, {value: _key(module, sub) for value, sub in subtypes.items()} or None
    )
    for other in names | set(subtypes.values()):
        _read(module, other, models)


_MODEL = re.compile(r"_models\.(\w+)|_?models?\._enums\.(\w+)")


def _by_fields(module: Any, kind: Any) -> tuple[dict[str, Property], set[str]]:
    """Of the newer kind of SDK: fields that know their name in JSON."""
    kind.__new__(kind)  # which reads the fields
    properties, names = dict[str, Property](), set[str]()
    annotations = {
        name: note for base in reversed(kind.__mro__) for name, note in vars(base).get("__annotations__", {}).items()
    }
    for attribute, field in kind._attr_to_rest_field.items():
        note = str(annotations.get(attribute, ""))
        found = next((a or b for a, b in _MODEL.findall(note)), "")
        target = getattr(module, found, None)
        values = (
            tuple(str(one.value) for one in target) if isinstance(target, type) and issubclass(target, Enum) else ()
        )
        model = found if target is not None and not values else ""
        visibility = getattr(field, "_visibility", None)
        properties[field._rest_name] = Property(
            _key(module, model) if model else "any",
            list=bool(re.search(r"\b[Ll]ist\[", note)),
            map=bool(re.search(r"\b[Dd]ict\[", note)),
            read_only=visibility == ["read"],
            values=values,
        )
        names |= {model} if model else set()
    return properties, names


def _by_map(module: Any, kind: Any, models: dict[str, Model]) -> tuple[dict[str, Property], set[str]]:
    """Of the older kind: a table of attributes, in which `properties.x` is an object with x."""
    tree: dict[str, Any] = {}
    for attribute, one in kind._attribute_map.items():
        path = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", one["key"])]
        read_only = bool(kind._validation.get(attribute, {}).get("readonly"))
        at = tree
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = (one["type"], read_only)
    names = set[str]()

    def made(branch: dict[str, Any], key: str) -> dict[str, Property]:
        properties = {}
        for part, value in branch.items():
            if isinstance(value, dict):
                inner = f"{key}/{part}"
                models[inner] = Model(made(value, inner))
                properties[part] = Property(inner)
                continue
            written, read_only = value
            name = re.sub(r"[\[\]{}]", "", written)
            target = getattr(module, name, None)
            known = target is not None and hasattr(target, "_attribute_map")
            names.update({name} if known else ())
            properties[part] = Property(
                _key(module, name) if known else "any",
                list=written.startswith("["),
                map=written.startswith("{"),
                read_only=read_only,
            )
        return properties

    return made(tree, _key(module, kind.__name__)), names


def _subtypes(kind: Any, maps: bool) -> tuple[str, dict[str, str]]:
    if maps:
        for attribute, subs in kind._subtype_map.items():
            return kind._attribute_map[attribute]["key"].replace("\\.", "."), dict(subs)
        return "", {}
    subs = {str(value): sub.__name__ for value, sub in vars(kind).get("__mapping__", {}).items()}
    found = [
        field._rest_name for field in kind._attr_to_rest_field.values() if getattr(field, "_is_discriminator", False)
    ]
    return (found[0] if found else ""), subs


def _written(one: Model) -> dict[str, Any]:
    """Without what is not so."""
    properties = {
        name: {key: value for key, value in asdict(prop).items() if value or key == "type"}
        for name, prop in sorted(one.properties.items())
    }
    found: dict[str, Any] = {"properties": properties}
    if one.subtypes:
        found |= {"discriminator": one.discriminator, "subtypes": one.subtypes}
    return found


def main(given: Sequence[str]) -> int:
    """Write the file; with --older, add what only the older package has."""
    parser = argparse.ArgumentParser(prog="python -m tools.infra.snapshot", description=__doc__)
    parser.add_argument("--older", action="store_true")
    older = parser.parse_args(given).older
    sources = OLDER if older else SOURCES
    known = read_models(sources)
    used = uses(templates(), known)
    kept: dict[str, Any] = (
        json.loads(SNAPSHOT.read_text("utf-8")) if older else {"packages": {}, "types": {}, "models": {}}
    )
    kept["packages"] |= {
        f"{source.package}{' (older)' if older else ''}": importlib.metadata.version(source.package)
        for source in sources.values()
    }
    for name, (version, model) in known.types.items():
        reads = {"reads": known.reads[name]} if name in known.reads else {}
        kept["types"][name] = {"api_version": version, "model": model, **reads}
    kept["models"] |= {name: _written(known.models[name]) for name in sorted(used)}
    SNAPSHOT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"{len(kept['types'])} types, {len(kept['models'])} models, {SNAPSHOT.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
