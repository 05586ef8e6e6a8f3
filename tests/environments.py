"""Python environments that tests make from the locks. They stay in .switchboard, each under a name made of its content,
so that the next run finds them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from acs_emulator.core.files import locked
from devstack.azurite import ROOT

KEPT = ROOT / ".switchboard" / "environments"
_UNREACHABLE = re.compile(r"Retrying \(|NewConnectionError|Temporary failure in name resolution|Read timed out")
"""What pip says where there is no network, or no index."""
_NAME = re.compile(r"[\w.-]+")


class Unavailable(Exception):
    """The environment cannot be made on this machine; says why."""


def python_of(version: str) -> Path | None:
    """An interpreter of this version (`3.12`) on this machine; None if there is none."""
    candidates = [shutil.which(f"python{version}") or ""]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates += [str(path) for path in sorted((pyenv / "versions").glob(f"{version}.*/bin/python"), reverse=True)]
    for candidate in filter(None, candidates):
        told = subprocess.run([candidate, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
        if told.returncode == 0 and told.stdout.startswith(f"{version}."):  # a shim of pyenv may lead nowhere
            return Path(candidate)
    return None


def pins(lock: str, *names: str) -> str:
    """The lines of a lock (a path from the root) that pin these packages, with their hashes; without names, all."""
    text = (ROOT / lock).read_text("utf-8")
    entries = re.findall(r"^[a-zA-Z][^\n]*(?:\n[ \t]+--hash[^\n]*)*", text, re.MULTILINE)
    found = [entry for entry in entries if not names or _named(entry) in names]
    assert not names or {_named(entry) for entry in found} == set(names), f"{lock} lacks one of {names}"
    return "\n".join(found) + "\n"


def _named(entry: str) -> str:
    match = _NAME.match(entry)
    return match[0].lower() if match else ""


def environment(pinned: str, python: Path = Path(sys.executable)) -> Path:
    """The interpreter of a virtual environment that holds these pins and nothing else.

    Raises:
        Unavailable: pip cannot reach its index.
    """
    return _kept(pinned, python, "venv") / "bin" / "python"


def development_environment(python: Path) -> Path:
    """The interpreter of an environment as `make setup` makes one: with Microsoft's worker and the emulator.

    Raises:
        Unavailable: pip cannot reach its index.
    """
    made = environment(pins("requirements-dev.txt"), python)
    done = KEPT / f"{made.parent.parent.name}.developed"
    with locked(KEPT / f"{made.parent.parent.name}.lock"):
        if not done.exists():
            worker = str(ROOT / "requirements-worker.txt")
            _install(made, "--require-hashes", "--no-deps", "--ignore-requires-python", "-r", worker)
            _install(made, "--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT / "emulator"))
            done.touch()
    return made


def packages(pinned: str, python: Path) -> Path:
    """A folder of these packages, without what they need, for PYTHONPATH. Raises as `environment` does."""
    return _kept(pinned, python, "packages")


def _kept(pinned: str, python: Path, kind: str) -> Path:
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    name = f"{kind}-{hashlib.sha256(f'{version} {python} {pinned}'.encode()).hexdigest()[:16]}"
    folder, done = KEPT / name, KEPT / f"{name}.done"
    KEPT.mkdir(parents=True, exist_ok=True)
    with locked(KEPT / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            requirements = KEPT / f"{name}.txt"
            requirements.write_text(pinned)
            if kind == "venv":
                subprocess.run([python, "-m", "venv", folder], check=True)
                _install(folder / "bin" / "python", "--require-hashes", "-r", str(requirements))
            else:
                _install(python, "--require-hashes", "--no-deps", "--target", str(folder), "-r", str(requirements))
            done.touch()
    return folder


def _install(python: Path, *what: str) -> None:
    # -I: what a variable adds to the path of the tests is not installed.
    command = [
        str(python),
        "-I",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        *what,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        if _UNREACHABLE.search(done.stderr):
            raise Unavailable(f"pip cannot reach its index: {done.stderr.strip().splitlines()[-1]}")
        raise AssertionError(f"what the lock pins cannot be installed:\n{done.stderr}")
