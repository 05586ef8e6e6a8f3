"""A function app that only calls the SDK: no storage, no verification, no order, no duplicates kept apart.

It does with each call what `flows/reception.py` does when the caller presses a key at once, with the same
bodies. Nobody should run it; it shows what the SDK, the host and the service cost by themselves.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache

import azure.functions as func
from azure.communication.callautomation import (
    CallAutomationClient,
    PhoneNumberIdentifier,
    RecognitionChoice,
    TextSource,
)
from azure.core.credentials import AzureKeyCredential

VOICE = "en-US-JennyNeural"
WELCOME = "Welcome to Contoso. For sales press 1, or say sales. For support press 2, or say support."
CONFIRMED = "Thank you. Our sales team will call you back within the hour. Goodbye."

app = func.FunctionApp()


@lru_cache(maxsize=1)
def client() -> CallAutomationClient:
    """The process's own."""
    return CallAutomationClient(os.environ["ACS_ENDPOINT"], AzureKeyCredential(os.environ["ACS_ACCESS_KEY"]))


@app.function_name("incoming_call")
@app.event_grid_trigger(arg_name="event")
def incoming_call(event: func.EventGridEvent) -> None:
    """Answer."""
    data = event.get_json()
    caller = data["from"]["phoneNumber"]["value"]
    client().answer_call(
        data["incomingCallContext"],
        f"{os.environ['CALLBACK_BASE_URL']}/api/callbacks/{caller.lstrip('+')}",
        cognitive_services_endpoint=os.environ["COGNITIVE_SERVICES_ENDPOINT"],
        operation_context="answer",
    )


@app.function_name("call_events")
@app.route("callbacks/{caller}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def call_events(req: func.HttpRequest) -> func.HttpResponse:
    """Ask, confirm, hang up."""
    for event in json.loads(req.get_body()):
        kind = event["type"].rpartition(".")[2]
        if kind not in ("CallConnected", "RecognizeCompleted", "PlayCompleted"):
            continue
        call = client().get_call_connection(event["data"]["callConnectionId"])
        if kind == "CallConnected":
            call.start_recognizing_media(
                "choices",
                PhoneNumberIdentifier("+" + req.route_params["caller"]),
                play_prompt=TextSource(text=WELCOME, voice_name=VOICE),
                interrupt_prompt=True,
                choices=[
                    RecognitionChoice(label="sales", phrases=["sales", "buy something"], tone="one"),
                    RecognitionChoice(label="support", phrases=["support", "help"], tone="two"),
                ],
                speech_language="en-US",
                operation_context="ask",
                operation_callback_url=req.url,
            )
        elif kind == "RecognizeCompleted":
            call.play_media(
                [TextSource(text=CONFIRMED, voice_name=VOICE)],
                operation_context="confirm",
                operation_callback_url=req.url,
            )
        else:
            call.hang_up(is_for_everyone=False)
    return func.HttpResponse(status_code=200)
