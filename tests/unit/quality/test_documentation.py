"""docs/quality.md and the published schema are as the code has it."""

from __future__ import annotations

import json
from typing import Any, get_args

import jsonschema_rs
import pytest

from shared.quality.catalogue import CATALOGUE
from shared.quality.report import Flag
from shared.quality.thresholds import Thresholds
from tests.unit.quality.made import report, signal
from tools import quality_schema

CHAPTER = (quality_schema.PAGE.parent / "quality.md").read_text("utf-8")


def test_the_schema_is_as_the_code_has_it() -> None:
    written = quality_schema.PAGE.read_text("utf-8")
    assert written == quality_schema.page(), "docs/quality-report.schema.json is stale: run `make schema`"


def test_the_schema_is_one_and_a_report_is_valid_by_it() -> None:
    schema = json.loads(quality_schema.PAGE.read_text("utf-8"))
    assert jsonschema_rs.meta.is_valid(schema)
    made: dict[str, Any] = json.loads(report(signal([(0, 4)], [(5, 70)])).model_dump_json())
    validator = jsonschema_rs.validator_for(schema)
    assert [error.message for error in validator.iter_errors(made)] == []
    assert not validator.is_valid(made | {"channels": [{"channel": 0}]})


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_metric_is_defined_as_the_catalogue_has_it(name: str) -> None:
    kind = CATALOGUE[name]
    assert f"| `{name}` | {kind.label} | {kind.unit} | {kind.definition} |" in CHAPTER


@pytest.mark.parametrize("name", list(Thresholds.model_fields))
def test_every_threshold_is_listed_with_its_default(name: str) -> None:
    field = Thresholds.model_fields[name]
    assert f"| `{name}` | {field.default:g} | {field.description} |" in CHAPTER


@pytest.mark.parametrize("code", get_args(Flag.model_fields["code"].annotation))
def test_every_flag_is_explained(code: str) -> None:
    table = CHAPTER.partition("### Flags")[2]
    assert f"`{code}`" in table
