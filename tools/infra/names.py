"""Whether names that the templates use are declared, and modules get what they ask for: what a compiler would say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.infra.bicep import INFRA, Template

WORDS = frozenset(
    [
        "targetScope",
        "resource",
        "module",
        "param",
        "var",
        "output",
        "existing",
        "if",
        "for",
        "in",
        "true",
        "false",
        "null",
        "string",
        "int",
        "bool",
        "object",
        "array",
        "using",
        "metadata",
        "type",
        "func",
        "import",
        "assert",
    ]
)
"""Of the language."""

NAMESPACES = frozenset({"az", "sys"})

_KEY = re.compile(r"(^|[{,])(\s*)[A-Za-z_]\w*\s*:", re.MULTILINE)
_NAME = re.compile(r"(?<![\w.@?])([A-Za-z_]\w*)\b(?![ \t]*\()")
_OUTPUT = re.compile(r"\b(\w+)!?\.outputs\.(\w+)")
_LOOP = re.compile(r"\[\s*for (?:\((\w+), (\w+)\)|(\w+)) in ")
_DECLARED = re.compile(r"^\s*(?:param|var|output|resource|module) (\w+)", re.MULTILINE)
_LOADED = re.compile(r"load(?:TextContent|JsonContent)\('([^']+)'\)")


def code_of(text: str) -> str:
    """The code alone: without comments, each text as '' and what is interpolated behind it, in lines of its own."""
    code, inside, at = [""], [], 0
    while at < len(text):
        if text.startswith("//", at):
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif text[at] == "'":
            at, parts = _text(text, at)
            inside += parts
            code.append("''")
        else:
            code.append(text[at])
            at += 1
    return "\n".join(["".join(code), *map(code_of, inside)])


def _text(text: str, at: int) -> tuple[int, list[str]]:
    """The place behind a text in quotes, and the code of its interpolations."""
    if text.startswith("'''", at):
        return text.index("'''", at + 3) + 3, []
    inside, at = [], at + 1
    while text[at] != "'":
        if text[at] == "\\":
            at += 2
        elif text.startswith("${", at):
            begin, at = at + 2, _end_of_code(text, at + 2)
            inside.append(text[begin:at])
            at += 1
        else:
            at += 1
    return at + 1, inside


def _end_of_code(text: str, at: int) -> int:
    """The place of the brace that closes an interpolation."""
    depth = 0
    while text[at] != "}" or depth:
        if text[at] == "'":
            at, _ = _text(text, at)
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at


def names_used(text: str) -> set[str]:
    """The names that a text of Bicep uses; not the keys of objects, and not functions."""
    code = _DECLARED.sub(lambda match: match[0][: match[0].rindex(match[1])], code_of(text))
    return {name for name in _NAME.findall(_KEY.sub(r"\1\2", code)) if name not in WORDS | NAMESPACES}


def problems(templates: Sequence[Template]) -> Iterator[str]:
    """A line for each name that is not declared, not used, or not what the module at the other end has."""
    by_path = {template.path.resolve(): template for template in templates}
    for template in templates:
        loops = {name for match in _LOOP.findall(template.text) for name in match if name}
        used = names_used(template.text)
        for name in sorted(used - template.names - loops):
            yield f"{template.where}: {name} is not declared"
        for name in sorted((template.parameters | template.variables.keys()) - used):
            yield f"{template.where}: {name} is not used"
        for symbol, output in _OUTPUT.findall(template.text):
            module = template.modules.get(symbol)
            target = by_path.get((template.path.parent / module.type).resolve()) if module else None
            if target is not None and output not in target.outputs:
                yield f"{template.where}: {symbol}.outputs.{output}, but {target.where} has no output {output}"
        for module in template.modules.values():
            target = by_path.get((template.path.parent / module.type).resolve())
            if target is None:
                yield f"{template.where}: module {module.name}: {module.type} does not exist"
                continue
            given = set(module.body.get("params", {}))
            for name in sorted(target.required - given):
                yield f"{template.where}: module {module.name} is not given {name}, which {target.where} asks for"
            for name in sorted(given - target.parameters):
                yield f"{template.where}: module {module.name} is given {name}: {target.where} has no such parameter"


def file_problems(templates: Sequence[Template], folder: Path = INFRA) -> Iterator[str]:
    """Files that are loaded and do not exist, queries that nobody loads, and modules from elsewhere."""
    loaded = set[Path]()
    for template in templates:
        for name in _LOADED.findall(template.text):
            path = (template.path.parent / name).resolve()
            loaded.add(path)
            if not path.exists():
                yield f"{template.where}: {name} does not exist"
        for module in template.modules.values():
            if module.type.startswith("br:"):
                yield f"{template.where}: module {module.name} comes from elsewhere; write its resources out"
    for path in sorted(folder.rglob("*.kql")):
        if path.resolve() not in loaded:
            yield f"{path.relative_to(folder.parent).as_posix()} is loaded by no template"
