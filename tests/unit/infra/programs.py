"""Stand-ins of az and azd: programs on the PATH that keep a state in a file and write down what they were asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

FAKE = Path(__file__).with_name("fake_azure.py")

OUTPUTS = {
    "AZURE_RESOURCE_GROUP": "rg-demo",
    "AZURE_FUNCTION_APP_NAME": "func-demo",
    "EVENTGRID_TOPIC_NAME": "evgt-demo",
    "AZURE_STORAGE_ACCOUNT_NAME": "stdemo",
    "EVENT_DEAD_LETTER_CONTAINER": "event-dead-letters",
    "SERVICE_APP_BASE_URL": "http://127.0.0.1:9",
    "ACS_NAME": "acs-demo",
    "AZURE_KEY_VAULT_NAME": "kv-demo",
}


class Programs:
    """What the stand-ins know, and what they were asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "azure.json"
        self.set(
            functions=[], appears_after=0, references={"SECRETS_KEY": "Resolved"}, subscriptions={}, values=OUTPUTS
        )
        programs = folder / "bin"
        programs.mkdir()
        for name in ("az", "azd"):
            (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE} {self.file} {name} "$@"\n')
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(programs))

    @property
    def state(self) -> dict[str, Any]:
        """All of it."""
        read: dict[str, Any] = json.loads(self.file.read_text()) if self.file.exists() else {"asked": []}
        return read

    def set(self, **known: Any) -> None:
        """Change what they know."""
        self.file.write_text(json.dumps({**self.state, **known}))

    def asked(self, *beginning: str) -> list[list[str]]:
        """The commands that began like this."""
        return [words for words in self.state["asked"] if words[: len(beginning)] == list(beginning)]
