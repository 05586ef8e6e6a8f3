"""What has to be installed for the service, and what need not be (what it may import: test_architecture.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.setting_samples import STORAGE, made_key
from tests.unit.test_architecture import ROOT, STREAMS_TAKE, imports, modules, within
from tests.unit.test_requirements import IMPORT_OF, wanted

LOADED_WITH_THEM = {"shared", "shared.azure", "shared.issuer_keys", "shared.json_over_http"}


def test_each_package_of_the_service_is_imported_by_it_or_by_what_it_takes_from_the_app() -> None:
    known = modules(ROOT)
    files = [path for name, path in known.items() if within(name, "streams") or name in STREAMS_TAKE | LOADED_WITH_THEM]
    used = {name for path in files for name in imports(path)}
    names = {**IMPORT_OF, "starlette": "starlette", "uvicorn": "uvicorn"}
    needed = {requirement.name.lower() for requirement in wanted("streams/requirements.in")}
    assert len(needed) == 8
    # uvicorn reads the sockets with websockets.
    assert [one for one in needed - {"websockets"} if not any(within(name, names[one]) for name in used)] == []


HEAVY = sorted(
    {name for package, name in IMPORT_OF.items() if name not in ("typing_extensions", "zoneinfo")}
    - {"azure.identity", "azure.storage.blob", "pydantic", "jwt", "requests"}
)

WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in {blocked!r}):
            raise ModuleNotFoundError(name)
        return None

sys.meta_path.insert(0, Blocked())

import pkgutil, importlib, streams
for module in pkgutil.iter_modules(streams.__path__):
    if module.name != "__main__":
        importlib.import_module("streams." + module.name)
import streams.__main__

from streams import service, store
store.AzureStreamStore.prepare = lambda self: None
made = service.compose_service()
made.deliver._http()
import jwt, shared.json_over_http
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
made.close()
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "shared"))
"""


def test_the_service_comes_up_where_the_app_s_packages_are_not_installed(tmp_path: Path) -> None:
    blocked = [*HEAVY, "shared.calls", "shared.composition", "shared.settings",
               "flows", "handlers", "acs_emulator", "devstack"]  # fmt: skip
    assert {"azure.functions", "azure.communication.callautomation", "azure.data.tables", "numpy"} < set(blocked)
    environment = {
        "PYTHONPATH": str(ROOT),
        "ACS_RESOURCE_ID": "0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a",
        "AzureWebJobsStorage": STORAGE,
        "CALLBACK_BASE_URL": "https://app.example",
        "CALLBACK_SIGNING_KEY": made_key("signing"),
    }
    script = WITHOUT.format(blocked=blocked)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = {name for name in done.stdout.split() if not name.startswith("shared.errors.")}
    assert loaded == STREAMS_TAKE | LOADED_WITH_THEM
