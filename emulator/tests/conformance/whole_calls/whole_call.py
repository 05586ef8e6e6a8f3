"""One whole call by whichever version of the official Python client is installed: `whole_call.py sync` or `… aio`.

An app as people write it: the client is made from a connection string, one route takes the callbacks and one the
events of Event Grid. It is run by test_whole_calls.py, in an environment that has the client and nothing of ours.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import queue
import socket
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.communication.callautomation import (
    DtmfTone,
    PhoneNumberIdentifier,
    RecognizeInputType,
    RecordingChannel,
    RecordingContent,
    RecordingFormat,
    TextSource,
)

PORT = int(os.environ["APP_PORT"])
CALLER, LINE = "+14255550100", "+18005551212"
SPEECH = "https://speech.example.com"
events: queue.Queue[dict[str, Any]] = queue.Queue()


class App(BaseHTTPRequestHandler):
    """Takes callbacks and events, and validates its subscription."""

    def do_POST(self) -> None:
        received = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        response = b""
        for event in received:
            if event.get("eventType", "").endswith("SubscriptionValidationEvent"):
                response = json.dumps({"validationResponse": event["data"]["validationCode"]}).encode()
            else:
                events.put(event)
        self.send_response(200)
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


def event(name: str) -> dict[str, Any]:
    """The data of the next event of a name; those before it are let go."""
    while True:
        found = events.get(timeout=20)
        if (found.get("type") or found["eventType"]).endswith(f".{name}"):
            return dict(found["data"])


async def maybe(result: Any) -> Any:
    """What a method gives: of the synchronous client at once, of the other when it is awaited."""
    return await result if inspect.isawaitable(result) else result


async def collected(pages: Any) -> list[Any]:
    return [one async for one in pages] if hasattr(pages, "__aiter__") else list(pages)


def called() -> None:
    """A phone calls, and presses 1 when it is asked."""
    script = [{"when": "asked", "press": "1"}, {"say": "thank you"}]
    body = json.dumps({"from": CALLER, "to": LINE, "script": script}).encode()
    urllib.request.urlopen(f"{os.environ['CONTROL']}/emulator/calls", body, timeout=20).close()


def storage_is_here() -> None:
    """What an entry in the hosts file does: the storage host of recordings is this machine."""
    real = socket.getaddrinfo

    def resolved(host: Any, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == "emulator.asm.skype.com" else host, *arguments, **options)

    socket.getaddrinfo = resolved


async def carry(client: Any) -> None:
    """The call: answered, asked, recorded, spoken to, hung up; then its recording is fetched and deleted."""
    called()
    ringing = await asyncio.to_thread(event, "IncomingCall")
    answered = await maybe(
        client.answer_call(
            ringing["incomingCallContext"], f"http://127.0.0.1:{PORT}/calls", cognitive_services_endpoint=SPEECH
        )
    )
    await asyncio.to_thread(event, "CallConnected")
    connection = client.get_call_connection(answered.call_connection_id)
    assert (await maybe(connection.get_call_properties())).call_connection_state == "connected"
    listed = await collected(connection.list_participants())
    assert f"4:{CALLER}" in [participant.identifier.raw_id for participant in listed]
    started = await maybe(
        client.start_recording(
            server_call_id=answered.server_call_id,
            recording_content_type=RecordingContent.AUDIO,
            recording_channel_type=RecordingChannel.UNMIXED,
            recording_format_type=RecordingFormat.WAV,
        )
    )
    await maybe(
        connection.start_recognizing_media(
            RecognizeInputType.DTMF,
            PhoneNumberIdentifier(CALLER),
            dtmf_max_tones_to_collect=1,
            initial_silence_timeout=10,
            play_prompt=TextSource(text="Press one.", voice_name="en-US-JennyNeural"),
        )
    )
    recognized = await asyncio.to_thread(event, "RecognizeCompleted")
    assert recognized["dtmfResult"]["tones"] == [DtmfTone.ONE]
    await maybe(connection.play_media_to_all(TextSource(text="Thank you.", voice_name="en-US-JennyNeural")))
    await asyncio.to_thread(event, "PlayCompleted")
    await maybe(client.stop_recording(started.recording_id))
    await maybe(connection.hang_up(is_for_everyone=True))
    await asyncio.to_thread(event, "CallDisconnected")
    files = await asyncio.to_thread(event, "RecordingFileStatusUpdated")
    chunk = files["recordingStorageInfo"]["recordingChunks"][0]
    assert chunk["contentLocation"].startswith("https://emulator.asm.skype.com:")
    response = await maybe(client.download_recording(chunk["contentLocation"]))
    sound = b"".join(await collected(response.iter_bytes()))
    assert sound.startswith(b"RIFF"), sound[:20]
    assert len(sound) > 10_000
    try:
        await maybe(client.delete_recording(chunk["deleteLocation"]))
    except AttributeError as error:
        # The asynchronous clients up to 1.4.0 break off before they send anything.
        if "await_client" not in str(error):
            raise


def main(kind: str) -> None:
    storage_is_here()
    app = ThreadingHTTPServer(("127.0.0.1", PORT), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    connection_string = os.environ["CONNECTION_STRING"]

    async def run() -> None:
        if kind == "sync":
            from azure.communication.callautomation import CallAutomationClient

            await carry(CallAutomationClient.from_connection_string(connection_string))
        else:
            from azure.communication.callautomation.aio import CallAutomationClient as AsyncClient

            async with AsyncClient.from_connection_string(connection_string) as client:
                await carry(client)

    asyncio.run(run())
    print("carried")


if __name__ == "__main__":
    main(sys.argv[1])
