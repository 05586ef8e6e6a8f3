"""The templates of infra/, parsed by pycep: resources, modules, parameters, variables.

No compiler of Bicep can be had from PyPI, npm or Debian. pycep gives a tree in which a name and a text look the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource or module.

    Attributes:
        type: of the resource; of a module, the path of its file as it is written.
        body: without its condition and its loop.
        items: what the loop goes over, if there is one; `item` is the loop's name for one of them.
    """

    name: str
    type: str
    version: str
    existing: bool
    decorators: tuple[str, ...]
    body: dict[str, Any]
    items: Any = None
    item: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """One file. `required` are parameters without a default."""

    path: Path
    text: str
    resources: dict[str, Resource]
    modules: dict[str, Resource]
    parameters: frozenset[str]
    required: frozenset[str]
    variables: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def where(self) -> str:
        """How a finding names it."""
        return self.path.relative_to(ROOT).as_posix() if self.path.is_relative_to(ROOT) else self.path.name

    @property
    def names(self) -> frozenset[str]:
        """Everything that is declared."""
        return self.parameters | self.variables.keys() | self.resources.keys() | self.modules.keys()


def parse(path: Path, text: str | None = None) -> Template:
    """Parse a file, or a text in its place; raises ValueError with place and line."""
    from lark.exceptions import LarkError
    from pycep import BicepParser

    text = path.read_text("utf-8") if text is None else text
    try:
        tree: Any = BicepParser().parse(text=text)
    except LarkError as error:
        raise ValueError(f"{path.name} is no Bicep: {str(error).splitlines()[0]}") from None
    tree = _unquoted(tree)
    parameters = tree.get("parameters", {})
    return Template(
        path=path,
        text=text,
        resources={name: _resource(name, one) for name, one in tree.get("resources", {}).items()},
        modules={name: _resource(name, one) for name, one in tree.get("modules", {}).items()},
        parameters=frozenset(parameters),
        required=frozenset(name for name, one in parameters.items() if one["default"] is None),
        variables={name: one["value"] for name, one in tree.get("variables", {}).items()},
        outputs={name: one["value"] for name, one in tree.get("outputs", {}).items()},
    )


def _source(tree: Any) -> str:
    """A type of resource, or where a module is; `br:` before one of a registry."""
    if "detail" not in tree:
        return str(tree["type"])
    return ("" if tree["type"] == "local" else "br:") + str(tree["detail"]["full"])


def _unquoted(tree: Any) -> Any:
    """Keys such as `'odata.type'` as keys."""
    if isinstance(tree, dict):
        return {key.strip("'"): _unquoted(value) for key, value in tree.items()}
    return [_unquoted(part) for part in tree] if isinstance(tree, list) else tree


def _resource(name: str, tree: Any) -> Resource:
    config, items, item = tree["config"], None, ""
    if "config" in config and ("loop_type" in config or "condition" in config):
        if "loop_type" in config:
            detail = config["loop_type"]["detail"]
            items, item = detail.get("array_name"), detail.get("item_name", "")
        config = config["config"]
    return Resource(
        name=name,
        type=_source(tree),
        version=tree.get("api_version", ""),
        existing=tree.get("existing", False),
        decorators=tuple(one["type"] for one in tree["decorators"]),
        body=config,
        items=items,
        item=item,
    )


@cache
def templates() -> tuple[Template, ...]:
    """All of them."""
    return tuple(parse(path) for path in sorted(INFRA.rglob("*.bicep")))


def values(value: Any, template: Template, depth: int = 0) -> Iterator[Any]:
    """What a value may come to, as far as it stands there: both sides of a condition, the value of a variable, each of
    a loop, the parts of a union. Anything else is given as it is."""
    if depth > 20:
        return
    if isinstance(value, str) and value in template.variables:
        yield from values(template.variables[value], template, depth + 1)
    elif isinstance(value, dict) and value.keys() == {"operator"} and value["operator"].get("type") == "conditional":
        operands = value["operator"]["operands"]
        for side in ("true_value", "false_value"):
            yield from values(operands[side], template, depth + 1)
    elif isinstance(value, dict) and "loop_type" in value:
        yield from values(value["config"], template, depth + 1)
    elif isinstance(value, dict) and value.keys() == {"function"} and value["function"]["type"] in ("union", "concat"):
        for part in _flat(value["function"]["parameters"]):
            yield from values(part, template, depth + 1)
    else:
        yield value


def _flat(parameters: Any) -> Iterator[Any]:
    for part in parameters.values() if isinstance(parameters, dict) else parameters:
        if isinstance(part, list):
            yield from part
        elif part is not None:
            yield part


def is_expression(value: Any) -> bool:
    """Whether a value is a function or an operator, of which only a deployment knows what it comes to."""
    return isinstance(value, dict) and value.keys() in ({"operator"}, {"function"})


def accessed(value: Any) -> list[str]:
    """`roles.acrPull` as a list of names; empty if it is no chain of names."""
    if isinstance(value, str):
        return [value]
    if (
        isinstance(value, dict)
        and value.keys() == {"operator"}
        and value["operator"].get("type") == "property_accessor"
    ):
        operands = value["operator"]["operands"]
        first, second = accessed(operands["operand_1"]), accessed(operands["operand_2"])
        return first + second if first and second else []
    return []
