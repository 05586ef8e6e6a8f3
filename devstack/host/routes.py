"""ASP.NET route templates: `{id}`, `{id:int}`, `{x?}`, `{x=default}`, `{*rest}`, without regard to case.

Only what Azure Functions takes in `route=`; the inline constraints are ASP.NET Core's.
Source: https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from devstack.host.errors import StartupError

T = TypeVar("T")
Check = Callable[[str], bool]

_PARAMETER = re.compile(
    r"\{(?P<star>\*{0,2})(?P<name>[^{}*:=?]+)"
    r"(?P<constraints>(?::[A-Za-z]+(?:\((?:[^()]|\([^()]*\))*\))?)*)(?:=(?P<default>[^{}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":([A-Za-z]+)(?:\(((?:[^()]|\([^()]*\))*)\))?")

_PATTERNS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "bool": r"(?i:true|false)",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}",
    "alpha": r"[A-Za-z]*",
    "decimal": r"[+-]?\d+(?:\.\d+)?",
    "double": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "float": r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
    "datetime": r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?",
    "required": r".+",
}


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A parsed template: `match` gives the route parameters of a path, or None."""

    text: str
    precedence: tuple[int, ...]
    shape: str
    """The template without parameter names, in lower case: two templates with one shape take the same paths."""
    _pattern: re.Pattern[str]
    _names: tuple[str, ...]
    _defaults: dict[str, str]
    _checks: tuple[tuple[str, Check], ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Parameters of `path` (no leading slash, percent-decoded), or None when the template does not fit."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values = dict(self._defaults)
        for name, value in zip(self._names, found.groups(), strict=True):
            if value:
                values[name] = value
        for name, check in self._checks:
            if name in values and not check(values[name]):
                return None
        return values


def parse_template(text: str, where: str) -> RouteTemplate:
    """Parse a route template.

    Raises:
        StartupError: unbalanced braces, an unknown constraint, or a catch-all that is not last.
    """
    segments = text.strip("/").split("/") if text.strip("/") else []
    pattern, shape, precedence = "", [], []
    names: list[str] = []
    defaults: dict[str, str] = {}
    checks: list[tuple[str, Check]] = []
    for index, segment in enumerate(segments):
        parts, kind, form, optional = "", 1, "", False
        position = 0
        for found in _PARAMETER.finditer(segment):
            literal = segment[position : found.start()]
            position = found.end()
            name, whole = found["name"], found.group() == segment
            if name.lower() in (known.lower() for known in names):
                raise StartupError(f"{where}: the route '{text}' uses the parameter '{name}' twice.")
            catch_all = bool(found["star"])
            if catch_all and (not whole or index != len(segments) - 1):
                raise StartupError(f"{where}: in the route '{text}' the catch-all '{name}' must be last.")
            constraints = _CONSTRAINT.findall(found["constraints"] or "")
            checks += [(name, _check(kind_name, args, where, text)) for kind_name, args in constraints]
            if found["default"] is not None:
                defaults[name] = found["default"]
            optional = whole and (catch_all or bool(found["optional"]) or found["default"] is not None)
            names.append(name)
            parts += re.escape(literal) + ("(.*)" if catch_all else "([^/]+)" if not optional else "([^/]*)")
            kind = max(kind, (5 if catch_all else 3) - bool(constraints))
            form += f"{literal.lower()}{{{found['star']}{found['constraints'] or ''}{'?' if optional else ''}}}"
        rest = segment[position:]
        if "{" in rest or "}" in rest or "{" in segment[: segment.find("{")]:
            raise StartupError(f"{where}: the route '{text}' has a parameter that cannot be read: '{segment}'.")
        parts, form = parts + re.escape(rest), form + rest.lower()
        slash = "/" if index else ""
        pattern += f"(?:{slash}{parts})?" if optional else f"{slash}{parts}"
        shape.append(form)
        precedence.append(kind)
    return RouteTemplate(
        text=text.strip("/"),
        precedence=tuple(precedence),
        shape="/".join(shape),
        _pattern=re.compile(pattern, re.IGNORECASE | re.DOTALL),
        _names=tuple(names),
        _defaults=defaults,
        _checks=tuple(checks),
    )


def _check(name: str, arguments: str, where: str, text: str) -> Check:
    numbers = [int(part) for part in re.findall(r"-?\d+", arguments)]
    name = name.lower()
    if name in _PATTERNS:
        compiled = re.compile(_PATTERNS[name])
        return lambda value: compiled.fullmatch(value) is not None
    if name == "regex" and arguments:
        own = re.compile(arguments, re.IGNORECASE)
        return lambda value: own.search(value) is not None
    if name == "length" and len(numbers) in (1, 2):
        return lambda value: numbers[0] <= len(value) <= numbers[-1]
    if name == "minlength" and len(numbers) == 1:
        return lambda value: len(value) >= numbers[0]
    if name == "maxlength" and len(numbers) == 1:
        return lambda value: len(value) <= numbers[0]
    is_number = re.compile(r"-?[0-9]{1,18}").fullmatch
    if name == "min" and len(numbers) == 1:
        return lambda value: bool(is_number(value)) and int(value) >= numbers[0]
    if name == "max" and len(numbers) == 1:
        return lambda value: bool(is_number(value)) and int(value) <= numbers[0]
    if name == "range" and len(numbers) == 2:
        return lambda value: bool(is_number(value)) and numbers[0] <= int(value) <= numbers[1]
    raise StartupError(f"{where}: the route '{text}' uses the unknown constraint '{name}({arguments})'.")


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """One function's template, its methods (empty: every method) and what it leads to."""

    template: RouteTemplate
    methods: frozenset[str]
    name: str
    target: T


class Router(Generic[T]):
    """Finds the route of a path and method; the most literal template wins, as in ASP.NET Core."""

    def __init__(self, routes: Iterable[Route[T]]) -> None:
        self._routes = sorted(routes, key=lambda route: (route.template.precedence, route.name))
        self._check_duplicates()

    def find(self, path: str, method: str) -> tuple[Route[T], dict[str, str]] | frozenset[str]:
        """The route and its parameters; otherwise the methods that the path does take (empty: no such path)."""
        path = path.strip("/")
        allowed: set[str] = set()
        for route in self._routes:
            values = route.template.match(path)
            if values is None:
                continue
            if not route.methods or method in route.methods:
                return route, values
            allowed |= route.methods
        return frozenset(allowed)

    def _check_duplicates(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for route in self._routes:
            for method in sorted(route.methods) or ["any method"]:
                keys = [(route.template.shape, method), (route.template.shape, "any method")]
                if method == "any method":
                    keys = [key for key in seen if key[0] == route.template.shape] or keys
                for key in keys:
                    if key in seen:
                        raise StartupError(
                            f"The functions '{seen[key]}' and '{route.name}' have the same route: "
                            f"{key[1]} {route.template.text}. Change the route or the methods of one of them."
                        )
            for method in route.methods or {"any method"}:
                seen[(route.template.shape, method)] = route.name
