"""What doctor prints, and its exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from shared.diagnostics import Finding
from tools.doctor import __main__ as command
from tools.doctor import report
from tools.doctor.errors import CouldNotLook

FINE = Finding("a.right", "fine", "It is right.")
LOOK = Finding("b.look", "look", "It is odd.", "It may be meant.", "Do this.")
WRONG = Finding("c.wrong", "wrong", "It is wrong.", "Nothing works.", "make it right")


def test_the_schema_is_one_and_what_is_printed_is_valid_by_it() -> None:
    schema = json.loads(report.SCHEMA.read_text("utf-8"))
    assert jsonschema_rs.meta.is_valid(schema)
    printed = json.loads(report.as_json("azure", [WRONG, LOOK, FINE]))
    jsonschema_rs.validate(schema, printed)
    assert printed["counts"] == {"wrong": 1, "look": 1, "fine": 1}
    assert printed["findings"][0] == {
        "id": "c.wrong",
        "level": "wrong",
        "seen": "It is wrong.",
        "why": "Nothing works.",
        "remedy": "make it right",
    }


def test_lines_have_what_was_seen_why_it_matters_and_what_fixes_it() -> None:
    assert report.as_text([WRONG, FINE], colour=False) == (
        "✗ It is wrong.  c.wrong\n    Nothing works.\n    → make it right\n✓ It is right.  a.right\n\n"
        "1 wrong, 0 to look at, 1 fine."
    )
    assert "\x1b[31m✗\x1b[0m It is wrong." in report.as_text([WRONG], colour=True)


@pytest.mark.parametrize(
    ("findings", "strict", "code"),
    [([FINE], False, 0), ([FINE, LOOK], False, 0), ([LOOK], True, 1), ([WRONG], False, 1), ([FINE], True, 0)],
)
def test_the_exit_code_says_whether_something_is_wrong(findings: list[Finding], strict: bool, code: int) -> None:
    assert report.exit_code(findings, strict=strict) == code


def test_what_is_wrong_comes_first_and_nothing_twice() -> None:
    assert report.joined([FINE, WRONG, LOOK, WRONG]) == [WRONG, LOOK, FINE]


def test_where_doctor_cannot_look_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--app-root", str(tmp_path)]) == 2
    assert "there is no host.json. Give --app-root." in capsys.readouterr().err


def test_every_kind_of_finding_is_in_the_docs() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in Path(report.__file__).parent.rglob("*.py"))
    kinds = set(re.findall(r'Finding\(\s*f?"([a-z]+)\.', sources)) | set(re.findall(r'"(roles)\.', sources))
    page = (report.SCHEMA.parent / "doctor.md").read_text("utf-8")
    assert len(kinds) > 20
    assert {kind for kind in kinds if f"`{kind}." not in page} == set()


@pytest.mark.parametrize(("arguments", "begins"), [(["--json"], "{"), ([], "✗ It is wrong.")])
def test_the_command_prints_and_exits(
    arguments: list[str], begins: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.doctor.local.look", lambda root, url, key: [FINE, WRONG])
    assert command.main(arguments) == 1
    assert capsys.readouterr().out.startswith(begins)


def test_the_level_asks_for_names_that_it_was_not_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("AZURE_RESOURCE_GROUP", raising=False)
    assert command.main(["azure"]) == 2
    assert "--resource-group is not given, and AZURE_RESOURCE_GROUP" in capsys.readouterr().err
    assert issubclass(CouldNotLook, Exception)
