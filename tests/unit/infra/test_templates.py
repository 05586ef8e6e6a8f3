"""The templates of infra/ fit Azure's own models, each other, and the app. See tools/infra."""

from __future__ import annotations

import base64
import re
from uuid import uuid4

import pytest

from shared.exposure import exposed_problems
from shared.kept.registry import named
from shared.settings import Settings
from streams.settings import AppSettings
from tests.unit.infra.held import (
    SETTINGS,
    STREAMS_SETTINGS,
    TAKES,
    azure_yaml,
    index,
    one,
    parameters_file,
    required,
)
from tools.deployment.events import functions_expected, functions_subscribed
from tools.deployment.place import OUTPUTS
from tools.infra import app, names, properties, roles
from tools.infra.bicep import ROOT, parse, templates
from tools.infra.models import snapshot


def test_resources_have_types_versions_and_properties_that_the_sdks_know() -> None:
    assert list(properties.problems(templates(), snapshot())) == []


def test_so_many_resources_are_looked_at() -> None:
    types = {resource.type for template in templates() for resource in template.resources.values()}
    assert len(types) == 34
    assert types == set(snapshot().types)


def test_names_are_declared_and_modules_get_what_they_ask_for() -> None:
    assert list(names.problems(templates())) == []


def test_files_that_are_loaded_exist_and_queries_are_used() -> None:
    assert list(names.file_problems(templates())) == []


def test_identities_get_the_roles_of_the_table() -> None:
    assert list(roles.problems(templates(), roles.read_guids())) == []


def test_no_key_and_no_public_blob_is_left() -> None:
    assert list(app.hardening_problems(templates())) == []


def test_every_container_of_the_app_has_a_lifecycle_rule() -> None:
    assert set(re.findall(r"\$\{storePrefix\}(-[\w-]+)/", one("storage.bicep").text)) == named("container")


def test_settings_are_those_of_the_app() -> None:
    assert list(app.setting_problems(one("functions.bicep"), SETTINGS, required(Settings))) == []
    assert {"ACS_ENDPOINT", "ACS_RESOURCE_ID", "CALLBACK_BASE_URL", "CALLBACK_SIGNING_KEY"} <= required(Settings)


def test_secrets_of_the_settings_are_made_once() -> None:
    assert list(app.secret_problems(one("functions.bicep"), one("vault.bicep"))) == []


def test_the_keys_that_it_makes_are_such_as_the_app_takes() -> None:
    text = one("vault.bicep").text
    assert "{ value: base64('signing ${randomA}') }" in text
    assert "{ value: base64('hashing ${randomB}') }" in text
    assert "{ value: '${substring(replace(randomC, '-', ''), 0, 43)}=' }" in text
    assert [one("main.bicep").text.count(f"param random{name} string = '{'${newGuid()}' * count}'")
            for name, count in (("A", 3), ("B", 3), ("C", 2))] == [1, 1, 1]  # fmt: skip
    for _ in range(200):
        three, two = ("".join(str(uuid4()) for _ in range(count)) for count in (3, 2))
        signing, hashing = (base64.b64encode(f"{what} {three}".encode()).decode() for what in ("signing", "hashing"))
        secret = two.replace("-", "")[:43] + "="
        assert len(base64.b64decode(secret, validate=True)) == 32
        keys = {"callback_signing_key": signing, "number_hash_key": hashing, "secrets_key": secret}
        assert exposed_problems(keys, azure=True) == []


def test_variables_are_those_of_the_streams_service() -> None:
    assert list(app.streams_problems(one("streams.bicep"), STREAMS_SETTINGS, required(AppSettings))) == []


def test_instances_handle_sixteen_callbacks_and_two_groups_are_always_ready() -> None:
    assert list(app.scale_problems(one("functions.bicep"), index())) == []
    assert re.search(r"param httpConcurrency int = 16\b", one("main.bicep").text)


def test_events_go_to_the_functions_that_take_them() -> None:
    assert list(app.event_problems(one("events.bicep"), TAKES)) == []
    assert {name for name, kind in index().items() if kind == "eventGridTrigger"} == set(TAKES)


def test_azd_knows_the_services_parameters_and_outputs() -> None:
    assert list(app.azd_problems(templates(), azure_yaml(), parameters_file(), OUTPUTS.values())) == []


def test_the_hook_counts_the_functions_of_the_app() -> None:
    in_a_loop = {name for name in index() if name.endswith("_events")} - {"call_events"}
    assert functions_expected() == index().keys() - in_a_loop
    assert functions_subscribed() == set(TAKES)


def test_the_runtime_is_python_3_12() -> None:
    assert "runtime: { name: 'python', version: '3.12' }" in one("functions.bicep").text
    dockerfile = (ROOT / "streams" / "Dockerfile").read_text("utf-8")
    assert "ARG PYTHON_IMAGE=python:3.12-slim" in dockerfile


def test_the_example_workflow_holds_no_secret_and_asks_for_a_token() -> None:
    workflow = (ROOT / "infra" / "github" / "deploy.yml").read_text("utf-8")
    assert "secrets." not in workflow
    assert "id-token: write" in workflow


def test_a_file_that_is_no_bicep_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match=r"main\.bicep is no Bicep: "):
        parse(one("main.bicep").path, "resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {")


def test_the_image_of_the_streams_service_is_built_from_what_it_needs_alone() -> None:
    copied = set(re.findall(r"^COPY (\w+)", (ROOT / "streams" / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    let_in = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))
    assert copied == let_in == {"shared", "streams"}
