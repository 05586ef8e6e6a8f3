"""What holds for all use cases together: idle ones cost next to nothing, and no number stands in an address."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from bench.core import counted_requests
from bench.imports import imported_modules
from shared.calls.uses import CALLS, USES
from shared.composition.board import compose
from shared.settings import load_settings
from shared.web.openapi import openapi
from tests.functional.app import http_routes
from tests.setting_samples import REQUIRED

PACKAGES = ("shared.outreach", "shared.masking", "shared.click", "shared.handoff", "shared.orders", "shared.order",
            "shared.reminders")  # fmt: skip
"""Of the use cases: each is imported at its first request."""

NUMBER = "+14255550123"
NAMES = re.compile(r"number|phone|caller|callee|participant|target|party|parties|msisdn|person|^(to|from|who|whom)$")
"""What a parameter is called that a number would go into."""

_prefixes = itertools.count(1)


def parameters() -> list[Any]:
    return [
        pytest.param(path, parameter, id=f"{method} {path} {parameter['name']}")
        for path, methods in openapi()["paths"].items()
        for method, described in methods.items()
        for parameter in described.get("parameters", [])
        if parameter["in"] in ("path", "query")
    ]


def without_use_cases() -> str:
    """An app that is set up, and what its timer does in a minute without anything to do."""
    settings = {**REQUIRED, "ACS_ACCESS_KEY": "a2V5"}
    return (
        "import function_app\n"
        "from shared.composition.board import compose\n"
        "from shared.composition.use_cases import CASES\n"
        "from shared.settings import load_settings\n"
        "from shared.rows import MemoryRows\n"
        f"board = compose(load_settings({settings!r}), use_case_rows=MemoryRows())\n"
        "assert CASES, 'no use case: nothing would be shown'\n"
        "board.use_cases.tick()\n"
    )


def packages_in(modules: set[str]) -> set[str]:
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in PACKAGES)}


@pytest.mark.parametrize("code", ["import function_app", without_use_cases()], ids=["import", "set up and idle"])
def test_an_app_that_nobody_asks_for_a_use_case_has_none_in_memory(code: str) -> None:
    assert packages_in(imported_modules(code)) == set()


def test_the_packages_of_use_cases_would_be_found() -> None:
    assert "shared.handoff" in packages_in(imported_modules("import shared.composition.handoff"))


@pytest.mark.node
def test_an_idle_minute_of_all_use_cases_costs_one_request(azurite_alone: Any) -> None:
    prefix = f"idle{next(_prefixes)}"
    local = {
        "AzureWebJobsStorage": azurite_alone.connection_string,
        "ACS_ENDPOINT": "http://127.0.0.1:18080",
        "CALLBACK_BASE_URL": "http://127.0.0.1:7071",
    }
    settings = {**REQUIRED, "ACS_ACCESS_KEY": "a2V5", **local}
    board = compose(load_settings({**settings, "STORE_PREFIX": prefix}))
    for _ in range(2):  # without the table, and with it
        with counted_requests() as requests:
            assert board.use_cases.tick() == 0
        assert dict(requests) == {f"GET {prefix}agenda": 1}
        board.use_cases._agenda._rows.put("agenda", "agenda", {"0": "x", "9999999999.click.later": "x"})
        board.use_cases._agenda._rows.put("agenda", "agenda", {"0": None})


@pytest.mark.parametrize(("path", "parameter"), parameters())
def test_no_number_goes_into_a_path_or_a_query(path: str, parameter: dict[str, Any]) -> None:
    assert not NAMES.search(parameter["name"].lower()), "put it into the body, which no log keeps"
    schema = parameter["schema"]
    assert "Identifier" not in str(schema)
    if "pattern" in schema and parameter["name"] != "name":  # of a signal, whatever a flow calls it
        assert not re.search(schema["pattern"], NUMBER)


def test_what_is_looked_for_in_parameters_would_be_found() -> None:
    found = {
        name
        for name in ("number", "caller_id", "toNumber", "to", "call_id", "day", "token")
        if NAMES.search(name.lower())
    }
    assert found == {"number", "caller_id", "toNumber", "to"}


@pytest.mark.parametrize("template", sorted({route.template for route in http_routes()}))
def test_no_part_of_a_route_of_any_kind_is_a_number(template: str) -> None:
    assert [name for name in re.findall(r"\{(\w+)\}", template) if NAMES.search(name.lower())] == []


def test_every_use_case_has_its_package_named_here() -> None:
    assert {f"shared.{use}" for use in USES if use != CALLS} <= set(PACKAGES)
