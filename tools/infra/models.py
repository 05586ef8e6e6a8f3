"""What a resource may hold, by the models of the management SDKs, as tests/fixtures/azure_models.json keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "tests" / "fixtures" / "azure_models.json"
AGAIN = "add it to SOURCES of tools/infra/snapshot.py and make tests/fixtures/azure_models.json again"


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    Attributes:
        type: `any`, or the name of a model; `list` and `map` say what is around it.
        values: those of an enumeration, as far as they are known; empty: any.
    """

    type: str
    list: bool = False
    map: bool = False
    read_only: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """The properties of an object; with a discriminator, its value chooses a model that has more of them."""

    properties: dict[str, Property]
    discriminator: str = ""
    subtypes: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Types of resources with their API version and model, and all models by name.

    Attributes:
        reads: the model of what is given back, where that is another one.
    """

    types: dict[str, tuple[str, str]]
    models: dict[str, Model]
    reads: dict[str, str]


@cache
def snapshot() -> Snapshot:
    """As it is kept."""
    read: dict[str, Any] = json.loads(SNAPSHOT.read_text("utf-8"))
    models = {
        name: Model(
            {
                key: Property(**{**value, "values": tuple(value.get("values", ()))})
                for key, value in one["properties"].items()
            },
            one.get("discriminator", ""),
            one.get("subtypes"),
        )
        for name, one in read["models"].items()
    }
    types = {name: (one["api_version"], one["model"]) for name, one in read["types"].items()}
    return Snapshot(types, models, {name: one["reads"] for name, one in read["types"].items() if "reads" in one})
