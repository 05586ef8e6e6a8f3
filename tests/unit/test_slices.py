"""`--slice N/M`: the parts of a run."""

from __future__ import annotations

from typing import Any

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.parametrize("n", range(3))
@pytest.mark.xdist_group("shared")
def test_of_a_group(n): ...

@pytest.mark.xdist_group("other")
def test_of_another(): ...

def test_of_no_group(): ...
"""


@pytest.fixture
def project(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> pytest.Pytester:
    pytester.makeconftest((pytestconfig.rootpath / "conftest.py").read_text("utf-8"))
    pytester.makeini(
        "[pytest]\n"
        "markers = xdist_group(name): tests that share something\n"
        "asyncio_default_fixture_loop_scope = function"
    )
    pytester.makepyfile(test_one=TESTS, test_two=TESTS.replace('"other"', '"shared"'))
    return pytester


def run_of(project: pytest.Pytester, *options: str) -> list[str]:
    found = project.runpytest("-q", "--collect-only", "-p", "no:cacheprovider", *options)
    return [line for line in found.outlines if "::" in line]


def test_each_test_is_in_one_part_and_a_group_stays_together(project: pytest.Pytester) -> None:
    parts = [run_of(project, f"--slice={number}/3") for number in (1, 2, 3)]
    assert all(parts)
    assert sorted(test for part in parts for test in part) == sorted(run_of(project))
    with_the_group = [part for part in parts if any("test_of_a_group" in test for test in part)]
    assert [sum("test_of_a_group" in test for test in part) for part in with_the_group] == [6]
    assert parts == [run_of(project, f"--slice={number}/3") for number in (1, 2, 3)], "always the same"


@pytest.mark.parametrize("wrong", ["4/3", "0/3", "1", "a/b", "1/"])
def test_what_is_no_part_is_refused(project: pytest.Pytester, wrong: str) -> None:
    found: Any = project.runpytest("-p", "no:cacheprovider", f"--slice={wrong}")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"*--slice is a part such as 2/5, not '{wrong}'.*"])
