"""Whether resources have only types, API versions and properties that Azure's SDKs know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from tools.infra.bicep import Resource, Template, is_expression, values
from tools.infra.models import AGAIN, Property, Snapshot
from tools.infra.names import code_of

OUTSIDE = frozenset({"name", "parent", "scope", "dependsOn"})
"""Of Bicep and of the address, not of the model."""

_READ = re.compile(r"(?<![\w.])(\w+)!?\.((?:properties|identity)(?:\.\w+|\[\d+\])*)")


@dataclass(slots=True)
class _Walk:
    """What is found on the way through resources. `used`: the models that were met."""

    known: Snapshot
    template: Template
    where: str = ""
    found: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def resource(self, resource: Resource) -> None:
        self.where = f"{self.template.where}: {resource.name} ({resource.type})"
        known = self.known.types.get(resource.type)
        if known is None:
            self.found.append(f"{self.where}: no known type of resource; {AGAIN}")
            return
        version, model = known
        if resource.version != version:
            self.found.append(f"{self.where}: API version {resource.version}, but the SDK speaks {version}")
        if not resource.existing:
            body = {key: value for key, value in resource.body.items() if key not in OUTSIDE}
            self.object(body, model, "")

    def object(self, body: Mapping[str, Any], name: str, path: str) -> None:
        self.used.add(name)
        model = self.known.models.get(name)
        if model is None:
            self.found.append(f"{self.where}: nothing is known of {path.rstrip('.')}; {AGAIN}")
            return
        properties = dict(model.properties)
        if model.subtypes:
            chosen = str(body.get(model.discriminator))
            if chosen not in model.subtypes:
                options = ", ".join(sorted(model.subtypes))
                self.found.append(f"{self.where}: {path}{model.discriminator} is {chosen}, not one of {options}")
                return
            self.used.add(model.subtypes[chosen])
            properties |= self.known.models[model.subtypes[chosen]].properties
        for key, value in body.items():
            prop = properties.get(key)
            if prop is None:
                near = get_close_matches(key, properties, 3, 0.5)
                hint = f"; did you mean {' or '.join(near)}?" if near else ""
                self.found.append(f"{self.where}: {path}{key} is not a property of {name}{hint}")
            elif prop.read_only:
                self.found.append(f"{self.where}: {path}{key} is read-only")
            else:
                self.value(value, prop, f"{path}{key}")

    def value(self, value: Any, prop: Property, path: str) -> None:
        for one in values(value, self.template):
            if is_expression(one) or one is None or (isinstance(one, str) and one in self.template.names):
                continue
            if prop.list:
                if not isinstance(one, list):
                    continue  # a name of a loop's item, or an expression
                for index, part in enumerate(one):
                    self.value(part, Property(prop.type, values=prop.values), f"{path}[{index}]")
            elif prop.map:
                for key, part in one.items() if isinstance(one, dict) and prop.type != "any" else ():
                    self.value(part, Property(prop.type), f"{path}.{key}")
            elif isinstance(one, dict) and prop.type != "any":
                self.object(one, prop.type, f"{path}.")
            elif isinstance(one, str) and prop.values and "${" not in one:
                self.word(one, prop, path)

    def reads(self) -> None:
        """What the template reads of resources, such as `vault.properties.vaultUri`."""
        for symbol, path in _READ.findall(code_of(self.template.text)):
            resource = self.template.resources.get(symbol)
            if resource is None or resource.type not in self.known.types:
                continue
            at = self.known.reads.get(resource.type, self.known.types[resource.type][1])
            for part in re.findall(r"\w+", re.sub(r"\[\d+\]", "", path)):
                self.used.add(at)
                model = self.known.models.get(at)
                if model is None:
                    self.found.append(f"{self.template.where}: nothing is known of {symbol}.{path}; {AGAIN}")
                    break
                if part not in model.properties:
                    near = get_close_matches(part, model.properties, 3, 0.5)
                    hint = f"; did you mean {' or '.join(near)}?" if near else ""
                    self.found.append(f"{self.template.where}: {symbol}.{path}: {at} gives no {part}{hint}")
                    break
                at = model.properties[part].type
                if at == "any":
                    break

    def word(self, word: str, prop: Property, path: str) -> None:
        if word.lower() not in {value.lower() for value in prop.values}:
            self.found.append(f"{self.where}: {path} is {word!r}, not one of {', '.join(prop.values)}")


def problems(templates: Sequence[Template], known: Snapshot) -> Iterator[str]:
    """A line for each type, version, property or value that is not known."""
    for template in templates:
        walk = _Walk(known, template)
        for resource in template.resources.values():
            walk.resource(resource)
        walk.reads()
        yield from dict.fromkeys(walk.found)  # a variable may be used twice


def uses(templates: Sequence[Template], known: Snapshot) -> set[str]:
    """The models that the templates use, of these types."""
    used = set[str]()
    for template in templates:
        walk = _Walk(known, template)
        for resource in template.resources.values():
            if resource.type in known.types:
                walk.resource(resource)
        walk.reads()
        used |= walk.used & known.models.keys()
    return used
