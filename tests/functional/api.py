"""What tests of the HTTP API share: its requests, a valid body for every action, flows to act upon."""

from __future__ import annotations

import json
from typing import Any, cast

import azure.functions as func
import pytest

from shared.calls import FLOWS, Call, CallEnded, Flow, text
from shared.calls.replay import replay
from shared.web.models import ACTIONS
from tests.found_calls import decode_all
from tests.functional.app import App, problem

PHONE, OTHER_PHONE, OURS = "+14255550123", "+14255550177", "+18005550199"
USER = "8:acs:0f6b3f2e-9c54-4d0e-8d1c-1f2e3d4c5b6a_00000001"
PLACE = {"flow": "desk", "targets": [PHONE], "caller_id": OURS}

BODIES: dict[str, dict[str, Any]] = {
    "add_participant": {"target": OTHER_PHONE, "caller_id": OURS, "invitation_timeout": 0},
    "cancel_add_participant": {"invitation_id": "i-1"},
    "cancel_all_media": {},
    "get_call": {},
    "get_participant": {"target": PHONE},
    "get_recording_state": {"recording_id": "r-1"},
    "hang_up": {},
    "hold": {"audio": {"kind": "file", "url": "https://media.example/wait.wav"}},
    "list_participants": {},
    "move_participants": {"targets": [USER], "from_call": "another-connection"},
    "mute": {"target": USER},
    "pause_recording": {"recording_id": "r-1"},
    "play": {"prompts": [{"kind": "text", "text": "One moment."}], "interrupt": True},
    "recognize": {"input": "dtmf", "max_tones": 4, "interrupt_prompt": False, "initial_silence": 0},
    "remove_participant": {"target": USER},
    "resume_recording": {"recording_id": "r-1"},
    "send_dtmf": {"tones": ["one", "pound"]},
    "start_continuous_dtmf": {},
    "start_media_streaming": {},
    "start_recording": {"channel": "unmixed", "affinity": [{"participant": PHONE, "channel": 0}]},
    "start_transcription": {"locale": "en-US"},
    "stop_continuous_dtmf": {},
    "stop_media_streaming": {},
    "stop_recording": {"recording_id": "r-1"},
    "stop_transcription": {},
    "terminate": {},
    "transfer": {"target": OTHER_PHONE},
    "unhold": {},
    "update_transcription": {"locale": "de-DE"},
}
"""A valid body for every action; where somebody is meant, mostly the other side by default."""

every_action = pytest.mark.parametrize("name", sorted(ACTIONS))


async def desk(call: Call) -> None:
    """Waits for a word from outside, says it, and waits for the next."""
    try:
        while (word := await call.signal("say")) != "bye":
            await call.play(text(str(word)))
    except CallEnded:
        await call.run(lambda: "cleaned up")
        raise


async def dialler(call: Call) -> None:
    """Places its call by itself."""
    await call.create_call(call.input["whom"], caller_id=OURS)
    await call.play(text("hello"))


def send(app: App, path: str, body: Any = None, *, key: str | None = None) -> func.HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return app.request("POST", f"/api/calls{path}", content, {} if key is None else {"Idempotency-Key": key})


def get(app: App, path: str = "") -> func.HttpResponse:
    return app.request("GET", f"/api/calls{path}")


def read(answer: func.HttpResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.get_body()
    return cast(dict[str, Any], json.loads(answer.get_body()))


def placed(app: App, **changes: Any) -> str:
    return str(read(send(app, "", {**PLACE, **changes}), 201)["id"])


def live(app: App) -> str:
    """A call that stands, whose flow waits for a signal."""
    call_id = placed(app)
    app.react()
    assert read(get(app, f"/{call_id}"), 200)["status"] == "connected"
    return call_id


def ended(app: App) -> str:
    call_id = live(app)
    send(app, f"/{call_id}/actions/hang_up")
    app.react()
    assert read(get(app, f"/{call_id}"), 200)["status"] == "ended"
    return call_id


def journal(app: App, call_id: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], read(get(app, f"/{call_id}/journal"), 200)["journal"])


def commands(app: App, call_id: str) -> list[dict[str, Any]]:
    return [entry for entry in journal(app, call_id) if entry.get("command")]


def assert_replays(app: App, call_id: str) -> None:
    stored = app.store.load(call_id)
    assert replay(FLOWS[stored.record.flow], call_id, decode_all(stored.journal)) == []


def assert_refused(answer: func.HttpResponse, status: int, field: str) -> dict[str, Any]:
    told = problem(answer)
    assert (answer.status_code, told["field"]) == (status, field), told
    assert told["remedy"]
    return told


TESTED = {"desk": Flow("desk", desk), "dialler": Flow("dialler", dialler, opens=True)}
