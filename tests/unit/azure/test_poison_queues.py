"""The queues of what failed five times, on Azurite."""

from __future__ import annotations

import base64
import json

import pytest
from azure.storage.queue import QueueClient

from devstack.azurite import Azurite
from shared.azure import queues
from shared.azure.queues import StoragePoisonQueues
from shared.storage_account import StorageAccount

pytestmark = pytest.mark.node


def raw(azurite: Azurite, name: str) -> QueueClient:
    return QueueClient.from_connection_string(azurite.connection_string, name)


def test_messages_are_counted_and_put_back_as_they_were(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = StoragePoisonQueues(StorageAccount(azurite.connection_string), "putback")
    assert poison.counts() == {
        "putback-timers": 0,
        "putback-recordings": 0,
        "putback-notifications": 0,
        "putback-uses": 0,
    }
    there = raw(azurite, "putback-timers-poison")
    there.create_queue()
    sent = [{"call_id": "c1", "seq": number, "due": 1} for number in range(3)]
    for one in sent:  # as the Functions host puts them there: in the encoding of host.json
        there.send_message(base64.b64encode(json.dumps(one).encode()).decode())
    assert poison.counts()["putback-timers"] == 3
    monkeypatch.setattr(queues, "MOST_PUT_BACK", 2)
    assert poison.put_back("putback-timers") == 2
    assert poison.put_back("putback-timers") == 1
    assert poison.put_back("putback-timers") == 0
    assert poison.counts()["putback-timers"] == 0
    back = [json.loads(base64.b64decode(one.content)) for one in raw(azurite, "putback-timers").receive_messages()]
    assert sorted(back, key=lambda one: one["seq"]) == sent


def test_the_queues_are_those_that_functions_read() -> None:
    from tests.functional.app import functions

    read = {
        function.get_trigger().queue_name.partition("-")[2]
        for function in functions().values()
        if type(function.get_trigger()).__name__ == "QueueTrigger"
    }
    assert {name for name in read if not name.endswith("-poison")} == set(queues.QUEUES)
