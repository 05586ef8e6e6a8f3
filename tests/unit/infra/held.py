"""What the templates are held to: the app as it is."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel

import function_app
from handlers.event_grid import LIFECYCLE
from shared.events import IncomingCall, RecordingFileStatusUpdated
from shared.events.base import PREFIX
from shared.setting_values import setting_name
from shared.settings import Settings
from streams.settings import AppSettings, StreamSettings
from tools.infra.bicep import INFRA, ROOT, Template, parse, templates

TAKES = {
    "incoming_call": {PREFIX + IncomingCall.__name__},
    "call_lifecycle": {PREFIX + event.__name__ for event in LIFECYCLE},
    "recording_file": {PREFIX + RecordingFileStatusUpdated.__name__},
}
"""The Event Grid functions, each with the events that it takes; a test holds this to the index."""

SETTINGS = frozenset(map(setting_name, Settings.model_fields))
STREAMS_SETTINGS = frozenset(
    [*map(setting_name, AppSettings.model_fields), *(f"STREAMS_{name.upper()}" for name in StreamSettings.model_fields)]
)


def required(model: type[BaseModel]) -> frozenset[str]:
    """The settings without a default."""
    return frozenset(setting_name(name) for name, field in model.model_fields.items() if field.is_required())


@cache
def index() -> dict[str, str]:
    """The app's functions, each with the kind of its trigger."""
    app: Any = function_app.app
    found = {one.get_function_name(): str(one.get_trigger().type) for one in app.get_functions()}
    app.functions_bindings = None  # the SDK would take a second look at the same app for duplicates
    return found


def one(name: str) -> Template:
    """A template by the name of its file."""
    (found,) = [template for template in templates() if template.path.name == name]
    return found


def changed(name: str, old: str, new: str) -> Template:
    """A template in which somebody has written something else."""
    template = one(name)
    assert old in template.text, f"{old!r} is not in {name}: correct this test"
    return parse(template.path, template.text.replace(old, new))


def all_with(template: Template) -> list[Template]:
    """All templates, one of them changed."""
    return [template if other.path == template.path else other for other in templates()]


def azure_yaml() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    return read


def parameters_file() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((INFRA / "main.parameters.json").read_text("utf-8"))["parameters"]
    return read
