"""Writes arm_shapes.json: the names on the wire of what doctor reads, by the models of the management SDKs.

The packages are no part of the development environment; in one of their own:

    pip install azure-mgmt-web==11.0.1 azure-mgmt-eventgrid==10.4.0 azure-mgmt-communication==3.0.0 \
        azure-mgmt-storage==25.3.0 azure-mgmt-cognitiveservices==14.1.0 azure-mgmt-authorization==4.0.0 \
        azure-mgmt-monitor==6.0.2 azure-mgmt-resource==26.0.0
    python tests/unit/doctor/shapes.py
"""

from __future__ import annotations

import importlib
import json
import re
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("arm_shapes.json")
WANTED = {
    "site": ("azure-mgmt-web", "azure.mgmt.web.models", "Site"),
    "appsettings": ("azure-mgmt-web", "azure.mgmt.web.models", "StringDictionary"),
    "configreferences": ("azure-mgmt-web", "azure.mgmt.web.models", "ApiKVReference"),
    "function": ("azure-mgmt-web", "azure.mgmt.web.models", "FunctionEnvelope"),
    "systemTopic": ("azure-mgmt-eventgrid", "azure.mgmt.eventgrid.models", "SystemTopic"),
    "eventSubscription": ("azure-mgmt-eventgrid", "azure.mgmt.eventgrid.models", "EventSubscription"),
    "azureFunctionDestination": (
        "azure-mgmt-eventgrid",
        "azure.mgmt.eventgrid.models",
        "AzureFunctionEventSubscriptionDestination",
    ),
    "stringIn": ("azure-mgmt-eventgrid", "azure.mgmt.eventgrid.models", "StringInAdvancedFilter"),
    "communication": ("azure-mgmt-communication", "azure.mgmt.communication.models", "CommunicationServiceResource"),
    "storage": ("azure-mgmt-storage", "azure.mgmt.storage.models", "StorageAccount"),
    "speech": ("azure-mgmt-cognitiveservices", "azure.mgmt.cognitiveservices.models", "Account"),
    "roleAssignment": ("azure-mgmt-authorization", "azure.mgmt.authorization.models", "RoleAssignment"),
    "diagnosticSettings": (
        "azure-mgmt-monitor",
        "azure.mgmt.monitor.v2021_05_01_preview.models",
        "DiagnosticSettingsResource",
    ),
    "metric": ("azure-mgmt-monitor", "azure.mgmt.monitor.v2018_01_01.models", "Metric"),
}
DEPTH = 6


def names(model: Any, depth: int = DEPTH) -> Any:
    """The names of a model, each with those of what it holds; null: any."""
    if depth == 0 or not isinstance(model, type):
        return None
    if hasattr(model, "_attribute_map"):  # msrest
        found: dict[str, Any] = {}
        for one in model._attribute_map.values():
            *path, last = re.split(r"(?<!\\)\.", one["key"])
            at = found
            for part in path:
                at = at.setdefault(part, {})
            at[last.replace("\\", "")] = names(_by_name(model, one["type"]), depth - 1)
        return found or None
    if not hasattr(model, "_is_model"):
        return None
    fields = {}
    model({})  # it knows its fields from its first instance on
    for base in reversed(model.__mro__):  # typespec
        for one in getattr(base, "_attr_to_rest_field", {}).values():
            fields[one._rest_name] = names(_inner(*_hint(model, one)), depth - 1)
    return fields or None


def _by_name(model: type, text: str) -> Any:
    name = re.sub(r"[\[\]{}]", "", text)
    module = importlib.import_module(model.__module__.rpartition(".")[0])
    return getattr(module, name, None)


def _hint(model: type, one: Any) -> tuple[Any, dict[str, Any]]:
    """The annotation of a field, and what its names mean."""
    for base in model.__mro__:
        for attribute, annotation in getattr(base, "__annotations__", {}).items():
            if getattr(base, "_attr_to_rest_field", {}).get(attribute) is one:
                package = importlib.import_module(base.__module__.rpartition(".")[0])
                return annotation, {
                    **vars(typing),
                    **vars(importlib.import_module(base.__module__)),
                    "_models": package,
                    **vars(package),
                }
    return None, {}


def _inner(hint: Any, scope: dict[str, Any]) -> Any:
    """The model in an annotation, if there is one."""
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        try:
            return _inner(eval(hint, scope), scope)
        except Exception:  # a type of the standard library that is imported for types alone
            return None
    for argument in typing.get_args(hint):
        inner = _inner(argument, scope)
        if isinstance(inner, type) and (hasattr(inner, "_is_model") or hasattr(inner, "_attribute_map")):
            return inner
    return hint


if __name__ == "__main__":
    shapes = {}
    for kind, (package, module, name) in WANTED.items():
        model = getattr(importlib.import_module(module), name)
        shapes[kind] = {"source": f"{package} {version(package)}, {module}.{name}", "names": names(model)}
    lines = (f"{json.dumps(kind)}: {json.dumps(shape, sort_keys=True)}" for kind, shape in sorted(shapes.items()))
    PAGE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
