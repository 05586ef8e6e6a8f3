"""Commands through az's own argument parser: run by the Python that azure-cli is installed for.

Takes a JSON list of commands (lists of words, without `az`) and gives one of what is wrong with each: "" for nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from typing import Any


def problem(cli: Any, words: list[str]) -> str:
    """What the parser says of a command; empty: it takes it. Nothing is sent anywhere."""
    invocation = cli.invocation_cls(
        cli_ctx=cli,
        commands_loader_cls=cli.commands_loader_cls,
        parser_cls=cli.parser_cls,
        help_cls=cli.help_cls,
    )
    cli.invocation = invocation
    loader = invocation.commands_loader
    loader.load_command_table(words)
    names = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    command = next((name for name in names if name in loader.command_table), "")
    if not command:
        return f"no command begins like: {' '.join(words[:4])}"
    invocation.data["command_string"] = command
    loader.command_table = {command: loader.command_table[command]}
    loader.load_arguments(command)
    cli.raise_event("CommandInvoker.OnPostCommandTableCreate", commands_loader=loader)  # which adds --ids
    invocation.parser.load_command_table(loader)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            invocation.parser.parse_args(words)
    except SystemExit:
        return f"{command}: {said.getvalue().strip()}"
    except Exception as error:
        return f"{command}: {type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    made = importlib.import_module("azure.cli.core").get_default_cli()
    json.dump([problem(made, words) for words in json.load(sys.stdin)], sys.stdout)
