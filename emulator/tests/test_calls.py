"""How calls begin and end."""

from __future__ import annotations

from typing import Any

from emulator.tests.support import Application


async def test_a_phone_call_is_announced_answered_played_to_and_hung_up(
    application: Application, answered: Any
) -> None:
    desk = await answered()
    status, _, _ = await desk.act(
        ":play",
        {
            "playSources": [{"kind": "text", "text": {"text": "Hello", "voiceName": "en-US-JennyNeural"}}],
            "operationContext": "greeting",
        },
    )
    assert status == 202
    completed = await application.event("PlayCompleted", desk.leg)
    assert completed["data"]["operationContext"] == "greeting"
    status, _, _ = await desk.wire.send("DELETE", f"/calling/callConnections/{desk.leg}")
    assert status == 204
    ended = await application.event("CallDisconnected", desk.leg)
    assert ended["data"]["resultInformation"]["subCode"] == 7000
    names = [event["type"].rpartition(".")[2] for event in application.events]
    assert names == ["CallConnected", "ParticipantsUpdated", "PlayStarted", "PlayCompleted", "CallDisconnected"]
