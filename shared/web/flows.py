"""The flows of the app in the HTTP API: name, title, and input of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.calls.flow import Flow


class FlowView(BaseModel):
    """A flow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str = Field(description="shown in lists; the name, if the flow has no title")
    description: str = Field(description="the first line of its docstring; may be empty")
    opens: bool = Field(description="it places its calls itself: give it an input and no targets")
    languages: tuple[str, ...] = Field(description="of its texts; empty: it has none")
    input: dict[str, Any] | None = Field(description="JSON schema of its input; null: any JSON")


class FlowList(BaseModel):
    """The flows, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flows: tuple[FlowView, ...]


def listed_flows(flows: Mapping[str, Flow]) -> FlowList:
    """All flows, by name."""
    return FlowList(
        flows=tuple(
            FlowView(
                name=name,
                title=flow.title or name,
                description=flow.description,
                opens=flow.opens,
                languages=tuple(flow.languages),
                input=flow.input.model_json_schema() if flow.input else None,
            )
            for name, flow in sorted(flows.items())
        )
    )


def with_inputs(document: Mapping[str, Any], flows: Mapping[str, Flow]) -> dict[str, Any]:
    """The OpenAPI document with the input of each flow that declares one."""
    typed = {name: flow.input for name, flow in sorted(flows.items()) if flow.input}
    if not typed:
        return dict(document)
    schemas = dict(document["components"]["schemas"])
    choices: list[dict[str, Any]] = []
    for name, model in typed.items():
        schema = model.model_json_schema(ref_template=f"#/components/schemas/{name}.{{model}}")
        schemas |= {f"{name}.{part}": described for part, described in schema.pop("$defs", {}).items()}
        schemas[f"{name}.input"] = {**schema, "title": f"Input of the flow {name}"}
        choices.append({"$ref": f"#/components/schemas/{name}.input"})
    if len(typed) < len(flows):
        choices.append({"description": "any JSON, for the other flows"})
    place = schemas["PlaceCall"]
    described = {**place["properties"]["input"], "anyOf": choices}
    schemas["PlaceCall"] = {**place, "properties": {**place["properties"], "input": described}}
    return {**document, "components": {**document["components"], "schemas": schemas}}
