"""Registering flows: names, places, what each says of itself."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from shared.calls import FLOWS, Call, Fallback, InvalidInput, flow
from shared.errors import TextsError

ONE = """
from shared.calls import flow

@flow("twice", title="Twice")
async def one(call):
    '''Says one thing.

    And more.
    '''
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules; what they register is forgotten afterwards."""
    before, modules = dict(FLOWS), set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    FLOWS.clear()
    FLOWS.update(before)
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def load(folder: Path, name: str, code: str) -> ModuleType:
    (folder / f"{name}.py").write_text(code)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def test_two_flows_of_one_name_in_two_modules_are_refused_with_both_places(folder: Path) -> None:
    load(folder, "first_flows", ONE)
    with pytest.raises(InvalidInput) as refused:
        load(folder, "second_flows", ONE)
    assert f"{folder / 'first_flows.py'}:4" in str(refused.value)
    assert f"{folder / 'second_flows.py'}:4" in str(refused.value)
    assert "another name" in refused.value.remedy


@pytest.mark.parametrize("second", ["one", "two"])
def test_two_flows_of_one_name_in_one_module_are_refused_with_both_places(folder: Path, second: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load(folder, "double_flows", ONE + f'\n@flow("twice")\nasync def {second}(call): ...\n')
    path = folder / "double_flows.py"
    assert f"{path}:4 and {path}:11" in str(refused.value)


def test_a_module_that_is_loaded_again_registers_its_flow_again(folder: Path) -> None:
    module = load(folder, "again_flows", ONE)
    (folder / "again_flows.py").write_text("# a line more\n" + ONE.replace("Twice", "Thrice and more"))
    importlib.reload(module)
    assert FLOWS["twice"].title == "Thrice and more"
    (folder / "again_flows.py").write_text(ONE + ONE)
    with pytest.raises(InvalidInput, match="registered twice"):
        importlib.reload(module)


def test_a_flow_says_its_title_and_the_first_line_of_its_description(folder: Path) -> None:
    load(folder, "titled_flows", ONE)
    found = FLOWS["twice"]
    assert (found.title, found.description) == ("Twice", "Says one thing.")


@pytest.mark.parametrize("name", ["", "-", "a b ", "../x", "ü", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="letters, digits"):
        flow(name)


@pytest.mark.parametrize("model", [dict, "Reminder", 7])
def test_an_input_that_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(InvalidInput, match="pydantic model"):
        flow("typed", input=model)


def test_an_input_that_cannot_say_what_it_takes_is_refused() -> None:
    class Unwritable(BaseModel):
        then: Callable[[], None]

    class Unfinished(BaseModel):
        then: NotYet  # type: ignore[name-defined]  # noqa: F821

    for model in (Unwritable, Unfinished):
        with pytest.raises(InvalidInput, match="without a JSON schema") as refused:
            flow("typed", input=model)
        assert "defined above the flow" in refused.value.remedy


@pytest.mark.parametrize("fallback", [Fallback("   "), Fallback(transfer_to="nobody"), Fallback("x" * 4001)])
def test_a_fallback_that_would_fail_itself_is_refused(fallback: Fallback) -> None:
    with pytest.raises(InvalidInput, match="fallback"):
        flow("helpless", fallback=fallback)


def test_a_function_that_is_no_coroutine_is_refused() -> None:
    with pytest.raises(InvalidInput, match="async def"):

        @flow("plain")  # type: ignore[arg-type]
        def plain(call: Call) -> None: ...


def test_the_texts_of_a_flow_are_read_when_it_is_registered(folder: Path) -> None:
    (folder / "twice.en.yaml").write_text("language: en-US\nvoice: en-US-JennyNeural\ntexts: {hello: Hello.}\n")
    (folder / "twice.more.en.yaml").write_text("of the flow twice.more")
    load(folder, "said_flows", ONE)
    assert FLOWS["twice"].languages == ("en",)
    (folder / "twice.de.yaml").write_text("language: de-DE\n")
    with pytest.raises(TextsError, match=r"twice.de.yaml:1: voice: is missing"):
        importlib.reload(sys.modules["said_flows"])


@pytest.mark.parametrize(
    "code", ['@flow("old-one")', '@flow("third", formerly=["old-one"])', '@flow("t", formerly="x")']
)
def test_a_former_name_belongs_to_one_flow(folder: Path, code: str) -> None:
    again = "\n\n@flow('new-one', formerly=['old-one'])\nasync def new(call): ...\n"
    load(folder, "renamed", f"from shared.calls import flow{again}")
    with pytest.raises(InvalidInput, match="formerly"):
        load(folder, "other", f"from shared.calls import flow\n\n{code}\nasync def other(call): ...\n")
    assert FLOWS["new-one"].formerly == ("old-one",)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "from shared.calls import flow\n\nx = = 1\n",
            "broken.py:3: SyntaxError: invalid syntax. The line is: x = = 1",
        ),
        ("import json\n\njson.loads('{')\n", "broken.py:3: JSONDecodeError: Expecting property name"),
        ("from shared.calls import nothing\n", "broken.py:1: ImportError: cannot import name 'nothing'"),
        (
            "def f():\n    return 1 / 0\n\n\nf()\n",
            "broken.py:2: ZeroDivisionError: division by zero. The line is: return",
        ),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_by_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    import flows
    from shared.composition.flows import load_flows

    (tmp_path / "broken.py").write_text(code)
    monkeypatch.setattr(flows, "__path__", [str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    with pytest.raises(InvalidInput) as refused:
        load_flows()
    assert told in str(refused.value)
    sys.modules.pop("flows.broken", None)
