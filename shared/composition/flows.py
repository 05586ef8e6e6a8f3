"""The flows of the app, loaded from the folder `flows`."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from shared.calls.flow import FLOWS
from shared.calls.mistakes import unloadable
from shared.calls.texts import check_folder
from shared.errors import InvalidInput


def load_flows() -> None:
    """Import every module of `flows/`, so that each `@flow` registers. InvalidInput says what is wrong with one."""
    package = importlib.import_module("flows")
    for module in pkgutil.iter_modules(package.__path__):
        try:
            importlib.import_module(f"flows.{module.name}")
        except InvalidInput:
            raise
        except Exception as error:
            raise unloadable(f"flows.{module.name}", error) from error
    for folder in package.__path__:
        check_folder(Path(folder), tuple(FLOWS))
