"""What a flow must not do, read from its source: a replay that differs from the first run ends in the fallback."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.diagnostics import Finding

FORBIDDEN = {
    "time.time": "call.now",
    "time.time_ns": "call.now",
    "time.monotonic": "call.now",
    "time.perf_counter": "call.now",
    "time.sleep": "await call.sleep(seconds)",
    "datetime.now": "call.now",
    "datetime.utcnow": "call.now",
    "datetime.today": "call.now",
    "date.today": "call.now",
    "uuid.uuid1": "call.run",
    "uuid.uuid4": "call.run",
    "asyncio.sleep": "await call.sleep(seconds)",
    "asyncio.gather": "call.gather",
    "asyncio.wait_for": "call.wait",
    "open": "call.run",
    "urlopen": "call.run",
}
"""What a flow might call, and what to write instead."""
MODULES = {
    "random": "call.run",
    "secrets": "call.run",
    "requests": "call.run",
    "httpx": "call.run",
    "socket": "call.run",
    "subprocess": "call.run",
}
"""Modules of which a flow may call nothing: chance, the network, other programs."""


def mistakes(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, what is called, and what to write instead: for what the `async def` functions of a module call."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for node in _own(function):
            if isinstance(node, ast.Call):
                name = _name(node.func)
                short = ".".join(name.split(".")[-2:])
                instead = FORBIDDEN.get(short) or MODULES.get(name.partition(".")[0] if "." in name else "")
                if instead:
                    yield node.lineno, name, instead


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, without the plain functions in it: `call.run` may run those."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            yield from _own(node)


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def flow_findings(root: Path) -> list[Finding]:
    """Flows that read a clock, throw dice or reach out by themselves."""
    found, count = [], 0
    for path in sorted((root / "flows").glob("**/*.py")):
        try:
            wrong = list(mistakes(path.read_text("utf-8")))
        except (SyntaxError, ValueError):
            continue  # the import of the flows says so, with the line
        count += 1
        found += [
            Finding(
                "flows.not-deterministic",
                "wrong",
                f"{path.relative_to(root)}:{line} calls {name}.",
                "A flow is replayed at each event; what differs from run to run ends in the fallback.",
                f"Write {instead}. See docs/flows.md, Mistakes and their errors.",
            )
            for line, name, instead in wrong
        ]
    return found or [Finding("flows.deterministic", "fine", f"{count} modules of flows leave clock and network alone.")]
