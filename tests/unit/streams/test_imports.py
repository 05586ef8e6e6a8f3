"""The service's place in the house."""

from __future__ import annotations

from tests.unit.test_architecture import LONGEST_MODULE, breaches, others, sources


def test_the_service_imports_shared_alone() -> None:
    assert breaches(sources("streams"), forbidden=others("streams", "shared")) == []


def test_the_service_touches_the_core_through_the_composition_root_alone() -> None:
    assert breaches(sources("streams"), forbidden=("shared.calls", "shared.gateway", "shared.store")) == []


def test_nothing_else_imports_the_service() -> None:
    assert breaches(sources("function_app", "handlers", "shared", "flows", "emulator"), forbidden=("streams",)) == []


def test_no_module_of_the_service_is_long() -> None:
    assert all(len(path.read_text("utf-8").splitlines()) <= LONGEST_MODULE for path in sources("streams"))
