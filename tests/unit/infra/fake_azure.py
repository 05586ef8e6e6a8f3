"""What the stand-ins of az and azd answer: python fake_azure.py STATE PROGRAM WORD…. Needs nothing but Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SUBSCRIPTIONS = ("incoming-call", "call-lifecycle", "recording-file")


def answer(file: Path, program: str, words: list[str]) -> int:
    """One command: its answer on standard output, or its error."""
    state: dict[str, Any] = json.loads(file.read_text())
    state["asked"].append([program, *words])
    try:
        given = _az(state, words) if program == "az" else _azd(state, words)
    except ValueError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    finally:
        file.write_text(json.dumps(state))
    sys.stdout.write(given if program == "azd" or given == "" else json.dumps(given))
    return 0


def _azd(state: dict[str, Any], words: list[str]) -> str:
    if words == ["env", "get-values"]:
        return "".join(f'{name}="{value}"\n' for name, value in state["values"].items())
    if problem := state.get("azd_fails", {}).get(words[0]):
        raise ValueError(problem)
    if words[0] == "provision" and state.get("replaces_keys"):
        state["key_version"] = "2222"
    return f"azd {words[0]}: SUCCESS for ada@example.com +14255550123\n"


def _az(state: dict[str, Any], words: list[str]) -> Any:
    text = " ".join(words)
    if text.startswith("functionapp function list"):
        state["appears_after"] -= 1
        return [{"name": f"func-demo/{name}"} for name in state["functions"]] if state["appears_after"] < 0 else []
    if text.startswith("deployment group create"):
        if problem := state.get("refuses"):
            raise ValueError(problem)
        for name in SUBSCRIPTIONS:
            state["subscriptions"].setdefault(name, "Succeeded")
        return {"properties": {"provisioningState": "Succeeded"}}
    if text.startswith("deployment sub show"):
        return {name.replace("AZURE", "azurE"): {"value": value} for name, value in state["values"].items()}
    if text.startswith("eventgrid system-topic event-subscription list"):
        return [
            {"name": name, "provisioningState": one, "filter": {"includedEventTypes": []}, "retryPolicy": {}}
            for name, one in state["subscriptions"].items()
        ]
    if text.startswith("rest --method get --url") and "configreferences" in text:
        return {"value": [{"name": name, "properties": {"status": one}} for name, one in state["references"].items()]}
    if text.startswith("rest --method post --url") and "configreferences" in text:
        if not state.get("vault_refuses"):
            state["references"] = dict.fromkeys(state["references"], "Resolved")
        return ""
    return _look(state, text)


def _look(state: dict[str, Any], text: str) -> Any:
    answers: dict[str, Any] = {
        "functionapp show": "/subscriptions/0000/resourceGroups/rg-demo/providers/Microsoft.Web/sites/func-demo",
        "functionapp scale config show": {"triggers": {"http": {"perInstanceConcurrency": state.get("at_once", 16)}}},
        "keyvault show": "/subscriptions/0000/resourceGroups/rg-demo/providers/Microsoft.KeyVault/vaults/kv-demo",
        "rest --method get --url /subscriptions/0000/resourceGroups/rg-demo/providers/Microsoft.KeyVault": {
            "properties": {"secretUriWithVersion": f"https://kv-demo/secrets/x/{state.get('key_version', '1111')}"}
        },
        "account show": "8b3b2565-9105-49f4-9b61-081357959c70",
        "version": {"azure-cli": "2.91.0"},
        "bicep": "",
        "role assignment list": [],
        "monitor log-analytics workspace list": [{"customerId": "8b3b2565-9105-49f4-9b61-081357959c70"}],
        "rest --method post --url https://api.loganalytics.io": {"tables": []},
    }
    for beginning, given in answers.items():
        if text.startswith(beginning):
            return given
    raise ValueError(f"nobody knows: az {text}")


if __name__ == "__main__":
    sys.exit(answer(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
