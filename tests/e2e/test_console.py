"""The console on a Functions host: forms with files, and a campaign from its making to its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests

from devstack.campaign_demo import presses
from devstack.stack import INCOMING_CALL, Stack
from devstack.telling import post
from devstack.up import CHECKED

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
LINE, NUMBER = "+18005550177", "+12065550131"
LINES = f"""
company: Contoso
country: US
numbers:
  - {{number: "{LINE}", label: visits, called_back: outreach}}
"""
FILE = f"id;phone\nA-1;{NUMBER}\nA-2;4.2E+9\n".encode("utf-16")


class Reader:
    """Reads pages and sends their forms."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.page = ""

    def open(self, path: str) -> str:
        answer = requests.get(f"{self._root}{path}", timeout=30)
        assert answer.status_code == 200, answer.text
        self.page = answer.text
        return self.page

    def send(self, path: str, form: Mapping[str, str] | None = None, file: bytes | None = None) -> str:
        hidden = {name: re.search(rf'name="{name}" value="([^"]+)"', self.page) for name in ("token", "key")}
        given = {name: found[1] for name, found in hidden.items() if found is not None}
        files = None if file is None else {"file": ("people.csv", file, "text/csv")}
        answer = requests.post(f"{self._root}{path}", data={**given, **(form or {})}, files=files, timeout=60)
        assert answer.status_code == 200, answer.text
        self.page = answer.text
        return self.page

    def until(self, path: str, there: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + 90
        while not there(page := self.open(path)):
            assert time.monotonic() < deadline, page
            time.sleep(0.5)
        return page


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    lines = tmp_path / "lines.yaml"
    lines.write_text(LINES)
    environment = {**CHECKED, "LINES_FILE": str(lines), "ALLOWED_PREFIXES": "+1"}
    stack = Stack(app_root=ROOT, quiet=True, speed=4.0, subscriptions=(INCOMING_CALL,), environment=environment)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def test_a_campaign_goes_from_its_form_to_its_results(stack: Stack) -> None:
    post(stack, "/emulator/phones", {"number": NUMBER, **presses("1", "1")})
    reader = Reader(f"{stack.base_url}/api/console")
    reader.open("/campaigns")
    form = {"name": "Spring", "flow": "outreach", "purpose": "service", "caller-001": LINE, "zone": "UTC"}
    form |= {"country": "US", "opens": "00:00", "closes": "23:59", **{f"day-{day}": "1" for day in range(7)}}
    page = reader.send("/campaigns", form)
    found = re.search(r'action="/api/console(/campaigns/[^/"]+)/preview"', page)
    assert found is not None, page
    path = found[1]
    page = reader.send(f"{path}/preview", file=FILE)
    assert "1 row can be imported" in re.sub(r"<[^>]+>", "", page)
    assert "utf-16" in page
    reader.send(f"{path}/uploads", file=FILE)
    reader.until(path, lambda page: "2 rows: 1 new" in page)
    assert '<p class="big">1</p><p>today</p>' in reader.open(f"{path}?check=1")
    reader.send(f"{path}/commands/start")
    page = reader.until(path, lambda page: ">finished<" in page)
    assert "interested" in page
    assert "A-1" in reader.open(f"{path}/people")
