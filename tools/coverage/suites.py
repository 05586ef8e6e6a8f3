"""Which tests cover what: by their `covers` markers, and by what they call on the official client."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.events import CALLBACK_TYPES, EVENT_GRID_TYPES
from tools.coverage.source import ROOT, files, functions, tree, words

CLIENT_TABLE = ROOT / "emulator" / "tests" / "conformance" / "python_sdk" / "operations.py"
"""Names the method of the official client for each published operation."""
CONFORMANCE = ("tests/conformance", "emulator/tests/conformance")
"""Where the conformance tests are."""


@dataclass(frozen=True)
class Test:
    """A test function."""

    path: Path
    name: str

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def tests(*folders: str) -> Iterator[tuple[Test, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The test functions below some folders."""
    for path in (path for folder in folders for path in files(folder, "test_*.py")):
        for function in functions(path):
            if function.name.startswith("test_"):
                yield Test(path, function.name), function


# End to end: markers


@cache
def end_to_end() -> Mapping[tuple[str, str], tuple[Test, ...]]:
    """By operation or event, and by how it is done (`flow` or `http`): the tests that say they cover it."""
    found: defaultdict[tuple[str, str], list[Test]] = defaultdict(list)
    for test, function in tests("tests/e2e"):
        for decorator in function.decorator_list:
            for name, over in _claims(decorator, _aliases(test.path)):
                if test not in found[name, over]:
                    found[name, over].append(test)
    return {key: tuple(who) for key, who in found.items()}


def _claims(decorator: ast.AST, aliases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The arguments of `covers` markers in a decorator, on the test itself or on a case of it."""
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in aliases:
            for argument in node.args:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value), aliases[ast.unparse(node.func)]


@cache
def _aliases(path: Path) -> Mapping[str, str]:
    """What a module calls the marker, and how what it marks is done."""
    found = {"pytest.mark.covers": "flow"}
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and "pytest.mark.covers" in ast.unparse(node.value):
            found[ast.unparse(node.targets[0])] = next(words(node.value), "flow")
    return found


# Conformance: calls of the official client, and events that are waited for


@cache
def conformance() -> Mapping[str, tuple[Test, ...]]:
    """By operation or event: the conformance tests that ask for it or wait for it, then those that take them all."""
    methods, waits = _client_methods(), _helpers()
    found: defaultdict[str, list[Test]] = defaultdict(list)
    for test, function in tests(*CONFORMANCE):
        said = set(words(function))
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                said |= methods.get((node.func.attr, _flag(node)), set()) | methods.get((node.func.attr, None), set())
                said |= waits.get(node.func.attr, set())
        for name in said:
            found[name].append(test)
    for test, function in tests(*CONFORMANCE):
        if any("CALLBACK_TYPES" in ast.unparse(decorator) for decorator in function.decorator_list):
            for name in CALLBACK_TYPES:
                found[name].append(test)
    return {name: tuple(who) for name, who in found.items()}


@cache
def _client_methods() -> Mapping[tuple[str, bool | None], set[str]]:
    """By a method of the client, and the flag that it is called with: the operations that it asks for."""
    found: defaultdict[tuple[str, bool | None], set[str]] = defaultdict(set)
    for node in ast.walk(tree(CLIENT_TABLE)):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(value, ast.Lambda):
                client = value.args.args[0].arg
                for call in ast.walk(value):
                    if (
                        isinstance(call, ast.Call)
                        and isinstance(call.func, ast.Attribute)
                        and ast.unparse(call.func.value) == client
                    ):
                        found[call.func.attr, _flag(call)].add(str(key.value))
    return found


@cache
def _helpers() -> Mapping[str, set[str]]:
    """By a helper of the conformance tests: the one event that it waits for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in (path for folder in CONFORMANCE for path in files(folder)):
        if not path.name.startswith("test_"):
            for function in functions(path):
                named = {word.rpartition(".")[2] for word in words(function)} & {*CALLBACK_TYPES, *EVENT_GRID_TYPES}
                if len(named) == 1:
                    found[function.name] |= named
    return found


def _flag(call: ast.Call) -> bool | None:
    """True or False, if a call has such an argument: it tells hang up from terminate."""
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "is_for_everyone")]
    return next((v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, bool)), None)
