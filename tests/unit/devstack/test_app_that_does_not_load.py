"""What the host says of an app that cannot be imported: the frames of the app, and none on the way to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devstack.host.errors import StartupError
from devstack.host.native import find_app


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "broken_app.py").write_text("import broken_helper\n")
    (tmp_path / "broken_helper.py").write_text("def tax(rate):\n    return rate * 1.19\n\nTAX = tax(None)\n")
    return tmp_path / "broken_app.py"


def test_an_import_that_fails_shows_the_lines_of_the_app_alone(app: Path) -> None:
    with pytest.raises(StartupError) as caught:
        find_app(app)
    told = str(caught.value)
    assert told.startswith("broken_app.py cannot be imported.\nTraceback (most recent call last):\n")
    assert [line.strip() for line in told.splitlines() if line.startswith('  File "')] == [
        f'File "{app}", line 1, in <module>',
        f'File "{app.with_name("broken_helper.py")}", line 4, in <module>',
        f'File "{app.with_name("broken_helper.py")}", line 2, in tax',
    ]
    assert told.endswith("TypeError: unsupported operand type(s) for *: 'NoneType' and 'float'")


def test_a_cause_is_shown_in_the_same_way(app: Path) -> None:
    app.with_name("broken_helper.py").write_text(
        "try:\n    import not_there\nexcept ImportError as error:\n    raise RuntimeError('no till') from error\n"
    )
    sys.modules.pop("broken_helper", None)
    with pytest.raises(StartupError) as caught:
        find_app(app)
    assert "importlib" not in str(caught.value)
    assert "native.py" not in str(caught.value)
    assert "ModuleNotFoundError: No module named 'not_there'" in str(caught.value)
