"""A person calls, is called, is recorded and streamed; then is erased: nothing in the storage names them any more."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from acs_emulator.testing import Control
from devstack.stack import INCOMING_CALL, RECORDING_FILE, Stack
from shared.privacy import NumberHashes
from tests.e2e.line import deployed, until
from tests.e2e.trials import LIFECYCLE

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.node, pytest.mark.xdist_group("e2e-erasure")]

ADA, AGENT, OWN = "+14255557318", "+14255550142", "+18005550177"
KEYED = "73915208"
AS_TONES = "seven three nine one five two zero eight"
SAID, ON_THE_WAY, NAME = "my dog is called marmalade", "pomegranate weather", "Ada Quickbeam"
KEYS = [base64.b64encode(letter * 2 + bytes(range(30))).decode() for letter in (b"e", b"k")]

FLOWS = f'''
"""All that a flow can keep of a person."""

from shared.calls import Call, MediaStreaming, Transcription, flow

AGENT = "{AGENT}"


@flow("intake", opens=True)
async def intake(call: Call) -> None:
    """Records and streams a caller who speaks and presses keys, and brings an agent in."""
    await call.answer(
        transcription=Transcription(locale="en-US", start=True),
        media_streaming=MediaStreaming(channel="unmixed", start=True, dtmf_tones=True),
    )
    await call.start_recording(channel="unmixed")
    account = await call.ask_digits("Your account number?", max_tones=8)
    said = await call.ask_speech("What is it about?")
    await call.run(looked_up, account, said)
    call.result("noted", number=str(call.other_side), account=account, said=said)
    await call.add_participant(AGENT, caller_id=call.callee)
    await call.sleep(4)
    await call.stop_recording()


@flow("outcall")
async def outcall(call: Call) -> None:
    """Rings a person and hands them to the agent."""
    await call.play(f"Hello {{call.input['name']}}.")
    await call.transfer(AGENT)


def looked_up(account: str, said: str) -> dict[str, str]:
    return {{"account": account, "said": said}}
'''
ROUTES = f'rules:\n  - {{name: intake, to: "{OWN}", answer: intake}}\n'
AHEAD = "import time\n\nreal = time.time\ntime.time = lambda: real() + 120\n"
"""A call is erased once it has been quiet for a minute: a process that has this in its path is two minutes ahead."""


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = deployed(tmp_path_factory.mktemp("app"))
    (root / "routing.yaml").write_text(ROUTES)
    (root / "flows" / "intake.py").write_text(FLOWS)
    with Stack(
        app_root=root,
        host="own",
        seed=7,
        speed=8,
        quiet=True,
        streams=True,
        environment={"NUMBER_HASH_KEY": KEYS[0]},
        subscriptions=(INCOMING_CALL, LIFECYCLE, RECORDING_FILE),
    ) as running:
        Control(running.emulator_url).register_phone(AGENT, afterSeconds=0.2)
        yield running


class Storage:
    """All that lies in the storage account, as one would search it: name of the place → its bytes."""

    def __init__(self, connection_string: str) -> None:
        self._tables = TableServiceClient.from_connection_string(connection_string)
        self._blobs = BlobServiceClient.from_connection_string(connection_string)
        self._queues = QueueServiceClient.from_connection_string(connection_string)

    def rows(self) -> dict[str, bytes]:
        found = {}
        for table in self._tables.list_tables():
            for row in self._tables.get_table_client(table.name).list_entities():
                text = json.dumps({name: _text(value) for name, value in row.items()}, ensure_ascii=False)
                found[f"{table.name}/{row['PartitionKey']}/{row['RowKey']}"] = text.encode()
        return found

    def blobs(self) -> dict[str, bytes]:
        found = {}
        for container in self._blobs.list_containers():
            client = self._blobs.get_container_client(container.name)
            for blob in client.list_blobs(include=["uncommittedblobs", "snapshots", "metadata"]):
                name = f"{container.name}/{blob.name}"
                found[name] = name.encode() + str(blob.metadata).encode() + client.download_blob(blob.name).readall()
        return found

    def messages(self) -> dict[str, bytes]:
        found = {}
        for queue in self._queues.list_queues():
            client = self._queues.get_queue_client(queue.name)
            peeked = client.peek_messages(max_messages=32)
            for message in peeked:
                text = str(message.content)
                found[f"{queue.name}/{message.id}"] = text.encode() + base64.b64decode(text + "==")
            hidden = (client.get_queue_properties().approximate_message_count or 0) - len(peeked)
            assert hidden == 0, f"{hidden} messages of {queue.name} cannot be seen"
        return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(getattr(value, "value", value))


def _traces(content: bytes) -> set[str]:
    """What of the person stands in some bytes, however it is written."""
    lower = content.lower()
    words = re.sub(rb"[^a-z0-9]+", b" ", lower)  # "seven", "three" → seven three
    found = set()
    for name, secret in {"number": ADA[2:], "keys": KEYED, "said": SAID, "way": ON_THE_WAY, "name": NAME}.items():
        plain = secret.lower().encode()
        if plain in lower or plain in words or quote(secret).encode() in content or _in_base64(secret, content):
            found.add(name)
    if AS_TONES.encode() in words:
        found.add("keys")
    if b"RIFF" in content:
        found.add("audio")
    return found


def _in_base64(secret: str, content: bytes) -> bool:
    """Whether it stands there in base64, wherever it began."""
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode())
        whole = encoded[(before * 8 + 5) // 6 : len(encoded) - len(encoded) % 4 - 4]
        if whole in content or whole.replace(b"+", b"-").replace(b"/", b"_") in content:
            return True
    return False


def test_a_person_who_is_erased_is_nowhere_but_in_the_opt_out_hash(stack: Stack, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        rung = pool.submit(_rings, stack)
        _is_rung(stack)
        rung.result()
    storage = Storage(stack.connection_string)
    assert _ask(stack, "do-not-record/add", {"number": ADA})["listed"] is True
    before = {**storage.rows(), **storage.blobs()}
    found = {place: traces for place, content in before.items() if (traces := _traces(content))}
    # What is looked for is found where it lies now: otherwise nothing that follows says anything.
    assert set().union(*found.values()) == {"number", "keys", "said", "way", "name", "audio"}, found.keys()
    for place in ("switchboardcalls/", "switchboardindex/day", "switchboard-calls/", "switchboard-recordings/"):
        assert any(one.startswith(place) for one in found), f"nothing of the person in {place}"
    assert any("switchboard-streams/" in one and "audio" in traces for one, traces in found.items())

    # Two minutes later, under another key for the hashes of numbers.
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "sitecustomize.py").write_text(AHEAD)
    stack.stop_hosts()
    changed = {"NUMBER_HASH_KEY": KEYS[1], "NUMBER_HASH_KEY_PREVIOUS": KEYS[0], "PYTHONPATH": str(tmp_path / "later")}
    stack.environment.update(changed)
    stack.start_hosts()
    exported = _ask(stack, "people/export", {"number": ADA})
    assert {call["call"]["flow"] for call in exported["calls"]} == {"intake", "outcall"}
    assert exported["do_not_record"] is True
    receipt = _ask(stack, "people/erase", {"number": ADA})
    assert receipt["complete"], receipt
    assert [(one["erased"], one["stays"]) for one in receipt["calls"]] == [(True, "")] * 2
    assert sum(one["recordings"] for one in receipt["calls"]) == 1

    left = {**storage.rows(), **storage.messages(), **storage.blobs()}
    assert {place: _traces(content) for place, content in left.items() if _traces(content)} == {}
    assert storage.blobs() == {}
    # The list keeps the number under either key, as long as an instance may still have the old one alone.
    opted_out = {f"switchboarddonotrecord/number/{NumberHashes(key).of(f'4:{ADA}')}" for key in KEYS}
    del left["switchboardbrakes/all/figures"]
    assert left.keys() == opted_out
    # Figures of calls that are up are those of the watchdog's last run: the next one counts nobody.
    until(lambda: _counted(storage) == {}, 30, lambda: f"callers in the figures: {_counted(storage)}")
    again = _ask(stack, "people/export", {"number": ADA})
    assert (again["calls"], again["do_not_record"]) == ([], True)
    logs = b"".join(path.read_bytes() for path in stack.logs.glob("*.log") if path.name.startswith(("host", "stre")))
    assert _traces(logs) == set()


def _counted(storage: Storage) -> dict[str, int]:
    """Hashes of callers in the shared figures → calls that are up."""
    row = json.loads(storage.rows()["switchboardbrakes/all/figures"])
    callers: dict[str, int] = json.loads(row["text"])["callers"]
    return callers


def _rings(stack: Stack) -> None:
    """The person calls, and everything that is made of the call is there."""
    control = Control(stack.emulator_url)
    script = [
        {"when": "asked", "after": 0.5, "press": KEYED},
        {"when": "asked", "after": 0.5, "say": SAID},
        {"when": "joined"},
        {"after": 0.5, "say": ON_THE_WAY},
    ]
    headers = {"X-MS-Custom-Phone": ADA}
    control.place_call(ADA, OWN, script, displayName=NAME, customContext={"sipHeaders": headers})
    until(lambda: bool(control.topic(type="QualityReportReady")), 40, lambda: f"no report; {stack.logs}")
    _ended(stack, "intake")


def _is_rung(stack: Stack) -> None:
    """The app calls the person, and transfers them."""
    Control(stack.emulator_url).register_phone(ADA, afterSeconds=0.2)
    _ask(stack, "calls", {"flow": "outcall", "targets": [ADA], "caller_id": "+18005550100", "input": {"name": NAME}})
    _ended(stack, "outcall")


def _ended(stack: Stack, flow: str) -> None:
    def over() -> bool:
        calls = _ask(stack, "calls/search", {"number": ADA})["calls"]
        return any(call["flow"] == flow and call["status"] == "ended" and call["outcome"] for call in calls)

    until(over, 40, lambda: f"{flow} goes on; logs in {stack.logs}")


def _ask(stack: Stack, path: str, body: Any) -> Any:
    response = requests.post(f"{stack.base_url}/api/{path}", json=body, timeout=30)
    assert response.status_code in (200, 201), f"{path}: {response.status_code} {response.text}"
    return response.json()
