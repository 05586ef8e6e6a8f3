"""An app that signs in everywhere with its managed identity: no key of a service is anywhere in its environment."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from devstack.campaign_demo import ALWAYS, CampaignDemo, Somebody, presses
from devstack.deployed import deployed as app_of
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from tests.e2e.deployed_form import keys_in, trusting
from tests.e2e.line import NAPPING, RECEPTION, WATCHFUL, Line, asked, deployed, until, words
from tests.e2e.test_streams import FLOWS, STREAMED, Archive
from tests.fixtures.app import FOLDER

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.node,
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("e2e-identity"),
]
SUPPORT, AGENT = "+18005550177", "+14255550142"
ROUTES = f"""
rules:
  - {{name: streamed, to: "{STREAMED}", answer: streamed}}
  - {{name: support, to: "{SUPPORT}", answer: support}}
  - {{name: napping, to: "{NAPPING}", answer: napping}}
  - {{name: the rest, answer: reception}}
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = deployed(tmp_path_factory.mktemp("app"))
    (folder / "flows" / "streaming_trials.py").write_text(FLOWS)
    (folder / "routing.yaml").write_text(ROUTES)
    with Stack(
        app_root=folder,
        host="own",
        speed=4,
        seed=7,
        quiet=True,
        streams=True,
        identity=True,
        subscriptions=(INCOMING_CALL, RECORDING_FILE),
        environment=WATCHFUL,
    ) as stack:
        with trusting(stack):
            yield Line(stack)


def test_no_key_is_in_the_environment_of_the_app_and_of_the_streams_service(line: Line) -> None:
    assert keys_in(line.stack) == []
    assert len(line.stack.hosts) == 1
    assert line.stack.streams is not None
    assert not list(Path(line.stack.hosts[0].log.parent).glob("local.settings.json"))


def test_keys_would_be_found(tmp_path: Path) -> None:
    with Stack(app_root=deployed(tmp_path), host="own", quiet=True) as stack:
        assert [found.partition(": ")[0] for found in keys_in(stack)] == ["host"] * 3


def test_a_whole_call_goes_through_tables_and_blobs(line: Line) -> None:
    document = line.end(line.call(RECEPTION, [{"when": "asked", "after": 1, "press": "1"}]))
    assert document["outcome"] == "completed"
    assert asked(document) == ["answer", "recognize", "play", "hang_up"]
    line.nothing_is_left_open()


def test_a_sleeping_call_is_woken_by_the_queue(line: Line) -> None:
    document = line.end(line.call(NAPPING))
    assert (document["outcome"], words(document)) == ("completed", ["Good morning."])
    assert [entry["entry"] for entry in document["journal"] if entry["entry"] == "timer"] == ["timer"]


def test_a_recording_is_fetched_and_its_links_play(line: Line) -> None:
    """The audio comes from the service for a token; the report's page links to it by a user delegation key."""
    agent = [{"at": 1.0, "say": "Contoso support"}, {"at": 6.0, "say": "It is solved"}]
    line.control.register_phone(AGENT, afterSeconds=1, script=agent)
    script: list[dict[str, Any]] = [
        {"when": "asked", "after": 0.5, "press": "2"},
        {"when": "joined"},
        {"at": 3.0, "say": "My invoice is wrong"},
        {"at": 10.0, "hangUp": True},
    ]
    line.end(line.call(SUPPORT, script), within=60)
    api = f"{line.stack.base_url}/api/reports"
    found: list[str] = []

    def reported() -> bool:
        found[:] = [one["event"]["data"]["id"] for one in line.control.topic(type="QualityReportReady")]
        return bool(found)

    until(reported, 60, lambda: requests.get(f"{line.stack.base_url}/api/recordings", timeout=10).text)
    page = requests.get(f"{api}/{found[0]}/page", timeout=30)
    assert page.status_code == 200, page.text
    (link,) = {html.unescape(one) for one in re.findall(r'https://127\.0\.0\.1[^"\s\\]+sig=[^"\s\\]+', page.text)}
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert line.stack.identity is not None
    assert (query["skoid"], query["sp"], query["spr"]) == (line.stack.identity.principal_id, "r", "https")
    played = requests.get(link, headers={"Range": "bytes=0-43"}, timeout=30)
    assert (played.status_code, played.content[:4], played.content[22:24]) == (206, b"RIFF", b"\x02\x00")
    assert requests.get(link.partition("?")[0], timeout=30).status_code in (403, 404)
    assert requests.get(link.replace("sp=r", "sp=rw"), timeout=30).status_code == 403
    report = requests.get(f"{api}/{found[0]}", timeout=30).json()
    assert report["transcript"]["phrases"] != [], "the speech service was asked with a token"


def test_streams_are_kept_and_signalled(line: Line) -> None:
    document = line.end(line.call(STREAMED, [{"after": 5, "say": "sales please"}, {"after": 8, "press": "12#"}]))
    assert words(document) == ["You said sales please and pressed 1 2 #."]
    (file,) = Archive(line.stack).files(document["call_id"])
    assert Archive(line.stack).sound(document["call_id"], file["name"])[0] == file["seconds"] > 4


def test_a_small_campaign_is_called_through(tmp_path: Path) -> None:
    consent = {"consent date": "2026-01-03", "consent source": "web form"}
    people = [
        Somebody("P-1", "+12065550131", "is interested", ("done", "interested", 1), presses("1", "1"), consent),
        Somebody("P-2", "+12065550132", "is not", ("done", "not_interested", 1), presses("1", "2"), consent),
    ]
    campaign = {"id": "winter", "rules": {**ALWAYS, "purpose": "marketing"}, "agent": AGENT}
    app = app_of(tmp_path, {}, (FOLDER / "routing.yaml").read_text("utf-8"), own=FOLDER)
    with CampaignDemo(app, "outreach", identity=True) as demo:
        assert demo.run({**campaign, "files": {"country": "US"}}, people) == []
        assert keys_in(demo.stack) == []


def test_every_service_was_reached_with_a_token_of_its_own(line: Line) -> None:
    """Last: what the calls above asked for. A token is asked for once a service and process, not once a request."""
    assert line.stack.identity is not None
    asked_for = [query["resource"].rstrip("/") for query in line.stack.identity.asked]
    assert {query["client_id"] for query in line.stack.identity.asked} == {line.stack.identity.client_id}
    assert set(asked_for) == {
        "https://storage.azure.com",
        "https://communication.azure.com",
        "https://eventgrid.azure.net",
        "https://cognitiveservices.azure.com",
    }
    # The app's own credential, that of its host and that of the streams service each keep theirs; what starts side by
    # side may ask before the first has its token. The calls above made hundreds of requests.
    assert len(asked_for) <= 16
