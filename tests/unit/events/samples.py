"""Bodies in the shape that the service was recorded to send, with ids of our own."""

import json
from typing import Any

USER_A = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000001"
USER_B = "8:acs:11111111-2222-4333-8444-555555555555_0000002a-1111-2222-3333-444444000002"
CONNECTION = "02001180-aaaa-4bbb-8ccc-dddddddddddd"
SERVER_CALL = "aHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vYXBpL3YyL2NwL2NvbnYtdGVzdC9jb252L2FiYy9kZWY/aT0xJmU9Mg=="
CORRELATION = "99999999-8888-4777-8666-555555555555"


def user(raw_id: str) -> dict[str, Any]:
    return {"rawId": raw_id, "kind": "communicationUser", "communicationUser": {"id": raw_id}}


def callback(name: str, /, **data: Any) -> dict[str, Any]:
    source = f"calling/callConnections/{CONNECTION}"
    kind = name if "." in name else f"Microsoft.Communication.{name}"
    return {
        "id": "704a7a96-4d74-4ebe-9cd0-b7cc39c3d7b1",
        "source": source,
        "type": kind,
        "data": {
            "version": "2024-09-01-preview",
            "resultInformation": {"code": 200, "subCode": 0, "message": ""},
            "callConnectionId": CONNECTION,
            "serverCallId": SERVER_CALL,
            "correlationId": CORRELATION,
            "publicEventType": kind,
        }
        | data,
        "time": "2025-03-17T17:50:29.2911685+00:00",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "subject": source,
    }


REQUIRED: dict[str, dict[str, Any]] = {
    "ParticipantsUpdated": {"participants": [], "sequenceNumber": 1},
    "AddParticipantSucceeded": {"participant": user(USER_B)},
    "RemoveParticipantSucceeded": {"participant": user(USER_B)},
    "MoveParticipantSucceeded": {"participant": user(USER_B), "fromCall": CONNECTION},
    "CancelAddParticipantSucceeded": {"invitationId": "ec414aa2-0000-4000-8000-000000000001"},
    "ContinuousDtmfRecognitionToneReceived": {"sequenceId": 1, "tone": "five"},
    "RecordingStateChanged": {"recordingId": "eyJQ", "state": "active"},
}
"""What the callbacks carry beyond the common fields and cannot do without."""

INCOMING: dict[str, Any] = {
    "to": {"kind": "communicationUser", "rawId": USER_A, "communicationUser": {"id": USER_A}},
    "from": {"kind": "phoneNumber", "rawId": "4:+14255550100", "phoneNumber": {"value": "+14255550100"}},
    "serverCallId": SERVER_CALL,
    "callerDisplayName": "",
    "incomingCallContext": "eyJhbGciOiJub25lIn0.e30.",
    "correlationId": CORRELATION,
}
STARTED: dict[str, Any] = {
    "startedBy": {"communicationIdentifier": user(USER_A), "role": "organizer"},
    "serverCallId": SERVER_CALL,
    "group": {"id": "g"},
    "isTwoParty": True,
    "correlationId": CORRELATION,
}
RECORDING: dict[str, Any] = {
    "recordingStorageInfo": {
        "recordingChunks": [
            {"documentId": "0-x-d1-b", "index": 1, "contentLocation": "https://a.example/b"},
            {"documentId": "0-x-d1-a", "index": 0, "contentLocation": "https://a.example/a"},
        ]
    },
    "recordingStartTime": "2025-03-17T17:50:29.2911685Z",
    "recordingDurationMs": 6620,
    "sessionEndReason": "CallEnded",
    "recordingContentType": "AudioVideo",
    "recordingChannelType": "Unmixed",
    "recordingFormatType": "Wav",
}
GRID: dict[str, dict[str, Any]] = {
    "IncomingCall": INCOMING,
    "CallStarted": STARTED,
    "CallEnded": STARTED | {"callDurationInSeconds": 49.7},
    "CallParticipantAdded": STARTED | {"user": {"communicationIdentifier": user(USER_B)}},
    "CallParticipantRemoved": STARTED | {"user": {"communicationIdentifier": user(USER_B)}},
    "RecordingFileStatusUpdated": RECORDING,
}


def grid_event(name: str, data: Any = None, **envelope: Any) -> dict[str, Any]:
    return {
        "id": "d5546be8-227a-4db8-b2c3-4f06fd675fd6",
        "topic": "/subscriptions/s/resourcegroups/r/providers/microsoft.communication/communicationservices/a",
        "subject": "/caller/x/recipient/y",
        "data": GRID.get(name, {}) if data is None else data,
        "eventType": f"Microsoft.Communication.{name}",
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "eventTime": "2025-03-17T17:50:29.2911685Z",
    } | envelope


def cloud_event(name: str) -> dict[str, Any]:
    event = grid_event(name)
    return {
        "id": event["id"],
        "source": event["topic"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "specversion": "1.0",
        "subject": event["subject"],
        "data": event["data"],
    }


def body(*events: Any) -> bytes:
    return json.dumps(events).encode()
