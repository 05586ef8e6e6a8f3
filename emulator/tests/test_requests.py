"""What a request must look like, and what an answer looks like."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.tests.support import Application, Wire

TARGET = {"communicationUser": {"id": "8:acs:00000000-0000-4000-8000-000000000000_1"}}
CALL = {"targets": [TARGET], "callbackUri": "http://127.0.0.1:9/api"}
PLAY = {"playSources": [{"kind": "text", "text": {"text": "Hi", "voiceName": "en-US-JennyNeural"}}]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"callbackUri": None}, "callbackUri"),
        ({"callbackUri": "not a uri"}, "callbackUri"),
        ({"callbackUri": "http://["}, "callbackUri"),
        ({"targets": []}, "targets"),
        ({"targets": [{}]}, "targets[0]"),
        ({"targets": [{"communicationUser": {}}]}, "targets[0].communicationUser.id"),
        ({"targets": [{"phoneNumber": {"value": "12"}}]}, "targets[0].phoneNumber.value"),
        ({"targets": [{**TARGET, "kind": "phoneNumber"}]}, "targets[0].kind"),
        ({"surprise": 1}, "surprise"),
        ({"operationContext": 5}, "operationContext"),
        (
            {"mediaStreamingOptions": {"transportType": "carrier pigeon", "audioChannelType": "mixed"}},
            "mediaStreamingOptions.transportType",
        ),
        (
            {
                "mediaStreamingOptions": {
                    "transportType": "websocket",
                    "audioChannelType": "mixed",
                    "startMediaStreaming": "yes",
                }
            },
            "mediaStreamingOptions.startMediaStreaming",
        ),
    ],
)
async def test_a_request_that_breaks_the_schema_is_refused_by_field(
    wire: Wire, change: dict[str, Any], field: str
) -> None:
    body = {name: value for name, value in {**CALL, **change}.items() if value is not None}
    status, answer, _ = await wire.send("POST", "/calling/callConnections", body)
    assert (status, answer["error"]["target"]) == (400, field)
    assert field in answer["error"]["message"]


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00" * 1_000_000,
        b"[" * 1_000_000,
        b'{"a":' * 150_000,
        b'"' + b"x" * 1_000_000 + b'"',
        b"[]",
        b"9" * 100_000,
        b'{"targets":NaN}',
        b"",
        b'{"callbackUri":"http://x/\\ud800","targets":[]}',
    ],
    ids=range(9),
)
async def test_junk_is_refused_and_never_an_error_of_the_server(wire: Wire, junk: bytes) -> None:
    status, _, _ = await wire.send("POST", "/calling/callConnections", junk)
    assert status == 400


async def test_another_media_type_is_refused(wire: Wire) -> None:
    status, _, _ = await wire.send("POST", "/calling/callConnections", CALL, headers={"Content-Type": "text/plain"})
    assert status == 415


async def test_an_answer_carries_the_headers_of_the_service(wire: Wire) -> None:
    status, body, headers = await wire.send(
        "POST", "/calling/callConnections", CALL, headers={"x-ms-client-request-id": "abc", "User-Agent": "me/1"}
    )
    assert status == 201
    assert list(body) == [
        "callConnectionId",
        "targets",
        "callConnectionState",
        "callbackUri",
        "sourceDisplayName",
        "source",
        "correlationId",
        "mediaStreamingSubscription",
    ]
    assert headers["X-Microsoft-Skype-Chain-ID"] == body["correlationId"]
    assert headers["x-ms-client-request-id"] == "abc"
    assert headers["X-Microsoft-Skype-Client"] == "me/1"
    assert "2026-03-12" in headers["api-supported-versions"]
    assert "Repeatability-Result" not in headers


async def test_a_repeated_request_is_carried_out_once(wire: Wire) -> None:
    repeat = {
        "Repeatability-Request-ID": "5f7ce3a0-0000-4000-8000-000000000000",
        "Repeatability-First-Sent": "Sun, 22 Nov 2026 06:50:50 GMT",
    }
    answers = [(await wire.send("POST", "/calling/callConnections", CALL, headers=repeat))[1] for _ in range(2)]
    assert answers[0] == answers[1]
    assert len((await wire.emulator.control.state())["calls"]) == 1
    repeat.pop("Repeatability-First-Sent")
    status, answer, _ = await wire.send("POST", "/calling/callConnections", CALL, headers=repeat)
    assert (status, answer["error"]["target"]) == (400, "Repeatability-First-Sent")


async def test_speech_needs_a_cognitive_services_endpoint(answered: Any) -> None:
    desk = await answered(cognitive=False)
    status, answer, _ = await desk.act(":play", PLAY)
    assert (status, answer["error"]["code"]) == (405, "8522")


async def test_media_before_the_call_is_up_is_refused(wire: Wire, application: Application) -> None:
    _, call, _ = await wire.send("POST", "/calling/callConnections", CALL)
    status, answer, _ = await wire.send("POST", f"/calling/callConnections/{call['callConnectionId']}:play", PLAY)
    assert (status, answer["error"]["code"]) == (400, "8501")


async def test_a_body_that_cannot_be_unpacked_is_refused(wire: Wire) -> None:
    packed = {"Content-Encoding": "gzip"}
    status, _, _ = await wire.send("POST", "/calling/callConnections", b"not gzip at all", headers=packed)
    assert 400 <= status < 500


async def test_a_null_counts_as_left_out(wire: Wire) -> None:
    assert (await wire.send("POST", "/calling/callConnections", {**CALL, "operationContext": None}))[0] == 201
    status, answer, _ = await wire.send("POST", "/calling/callConnections", {**CALL, "callbackUri": None})
    assert (status, answer["error"]["target"]) == (400, "callbackUri")
