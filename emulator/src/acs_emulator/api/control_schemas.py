"""Schemas of what the control API takes and gives (JSON Schema 2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from typing import Any

from acs_emulator.core.event_grid_filter import MOST_FILTERS, OPERATORS
from acs_emulator.core.event_grid_target import DELIVERY_SCHEMAS
from acs_emulator.core.own_number import LONGEST_NAME, OUTBOUND_CALLS
from acs_emulator.events.faults import CHANNELS, KINDS, METADATA, SOUND
from acs_emulator.phones.behaviours import BEHAVIOURS, MOST_RINGS, REACTION
from acs_emulator.phones.script import CONDITIONS

Schema = dict[str, Any]


def text(description: str = "", *values: str, **more: Any) -> Schema:
    """Text, one of ``values`` if there are any."""
    return _described({"type": "string", **({"enum": list(values)} if values else {}), **more}, description)


def number(description: str = "", **more: Any) -> Schema:
    return _described({"type": "number", **more}, description)


def whole(description: str = "", **more: Any) -> Schema:
    return _described({"type": "integer", **more}, description)


def flag(description: str = "", **more: Any) -> Schema:
    return _described({"type": "boolean", **more}, description)


def items(of: Schema, description: str = "", **more: Any) -> Schema:
    return _described({"type": "array", "items": of, **more}, description)


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def free(description: str) -> Schema:
    """An object whose properties are not the control API's."""
    return _described({"type": "object"}, description)


def record(required: Schema, optional: Schema | None = None, description: str = "") -> Schema:
    """An object with these properties and no others."""
    properties = {**required, **(optional or {})}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return _described({**schema, **({"required": list(required)} if required else {})}, description)


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


_WHO = "a number such as +14255550100, or a user id (8:acs:…)"
_ANY: Schema = {}
_CONTEXT = maybe(text())
_IDENTIFIER = free("CommunicationIdentifierModel, as in the service's API")
_VOICE = {
    "voice": text("male, female, or a name as in TextSource"),
    "locale": text("such as en-US"),
}
_SCRIPT = items(ref("Step"), "what the phone does once it is connected")

STEP = record(
    {},
    {
        "when": text("waits until this has happened", *CONDITIONS),
        "at": number("seconds since the last `when`, or since the phone was connected", minimum=0),
        "after": number("seconds since the step before ended, or `when` came", minimum=0),
        "press": text("keys: 0-9, *, #, A-D"),
        "say": text("what is spoken"),
        "beep": flag("the tone of a mailbox", const=True),
        "wait": number("seconds", minimum=0),
        "hangUp": flag(const=True),
    },
    "One step of a script: a time and one action.",
)
FAULT_RULE = record(
    {"kind": text("", *KINDS)},
    {
        "probability": number("chance of each, from 0 to 1 (1)", minimum=0, maximum=1),
        "count": whole("how often it strikes at most", minimum=0),
        "match": record(
            {},
            {
                "type": text("event type, short or in full"),
                "channel": text("", *CHANNELS),
                "operation": text("operation, short or in full"),
                "callConnectionId": text(),
                "recording": text("recording id"),
                "document": text("document id"),
                "chunk": whole("index of the chunk"),
                "content": text("", SOUND, METADATA),
            },
            "what it strikes; left out: events of every kind",
        ),
        "seconds": number("how long it delays", minimum=0),
        "status": whole("HTTP status, or code of an outcome"),
        "subCode": {"type": ["string", "integer"], "description": "error code, or sub-code of an outcome"},
        "message": text(),
        "bytes": whole("bytes that a length or header promises too much", minimum=1),
        "location": text("where a redirect leads"),
    },
    "A fault to inject.",
)
_FILTER = record(
    {"operatorType": text("", *OPERATORS), "key": text("such as data.to.rawId")},
    {"value": _ANY, "values": items(_ANY)},
)
PHONE = record(
    {},
    {
        "number": text("its number"),
        "id": text("or its user id"),
        "behaviour": text("", *BEHAVIOURS),
        "afterSeconds": number(f"seconds until it answers ({REACTION:g})", minimum=0),
        "afterRings": whole("or rings until it answers", minimum=0, maximum=MOST_RINGS),
        "greeting": text("of a mailbox or a contactCentre"),
        "script": _SCRIPT,
        **_VOICE,
    },
    "How a phone takes calls.",
)
PLACE_CALL = record(
    {"from": text(f"who calls: {_WHO}, or anonymous")},
    {
        "to": text(f"who is called: {_WHO}"),
        "group": text("or the group call that is joined"),
        "room": text("or the room that is joined"),
        "displayName": text(),
        "customContext": free("customContext of IncomingCall"),
        "script": _SCRIPT,
        **_VOICE,
    },
    "A call from a phone to the app.",
)
NUMBER = record(
    {"number": text("in E.164 form")},
    {
        "limit": whole(f"outbound calls at once ({OUTBOUND_CALLS})", minimum=0),
        "name": text("of the line, for people: the phone's page shows it", maxLength=LONGEST_NAME),
    },
    "A number of the resource.",
)
SUBSCRIBE = record(
    {"endpointUrl": text("the webhook")},
    {
        "eventDeliverySchema": text("", *DELIVERY_SCHEMAS),
        "includedEventTypes": items(text()),
        "subjectBeginsWith": text(),
        "subjectEndsWith": text(),
        "isSubjectCaseSensitive": flag(),
        "enableAdvancedFilteringOnArrays": flag(),
        "advancedFilters": items(_FILTER, maxItems=MOST_FILTERS),
    },
    "An Event Grid subscription in Event Grid's own names.",
)
_NAMED_PHONE = {"phone": text("which phone; needed only when several are in the call")}
PRESS = record({"keys": text("0-9, *, #, A-D")}, _NAMED_PHONE)
SAY = record({"text": text()}, _NAMED_PHONE)
HANG_UP = record({}, _NAMED_PHONE)

# What is given

OK = record({"status": text("", "ok")})
ERROR = record(
    {"error": record({"code": text(), "message": text()}, {"target": text("the field that is wrong")})},
    description="A refusal, in the service's error body.",
)
HEALTH = record(
    {
        "status": text("failing when something has crashed", "ok", "failing"),
        "resourceId": text("the audience of callback tokens"),
        "seed": whole(),
        "speed": number(),
        "loose": flag(),
        "crashes": items(text()),
    }
)
_OPERATION = record({"operation": text(), "operationContext": _CONTEXT, "lane": text("", "main", "side")})
_LEG = record(
    {
        "callConnectionId": text(),
        "callConnectionState": text(),
        "callbackUri": text(),
        "media": record({"running": items(_OPERATION), "queued": items(_OPERATION)}),
        "mediaStreaming": record({"state": text()}, {"sent": whole(), "lost": whole(), "unreadable": whole()}),
        "transcription": text(),
    }
)
_PHONE_STATE = record(
    {
        "id": text(),
        "connected": flag(),
        "step": whole(),
        "steps": whole(),
        "asked": flag("the app listens to it"),
        "keysHeard": text("sent by SendDtmfTones"),
        "sipHeaders": free("those that reached it"),
    }
)
_RECORDING_STATE = record({"recordingId": text(), "recordingState": text(), "recordingKind": text()})
_PARTICIPANT = record({"identifier": _IDENTIFIER, "isMuted": flag(), "isOnHold": flag()})
_CALL_IDS = {"id": text(), "serverCallId": text(), "correlationId": text()}
CALL_IDS = record(_CALL_IDS)
_CALL = record(
    {
        **_CALL_IDS,
        "state": text("", "ringing", "connected", "ended"),
        "participants": items(_PARTICIPANT),
        "legs": items(_LEG, "those of the app"),
        "phones": items(_PHONE_STATE),
        "recordings": items(_RECORDING_STATE),
    }
)
SUBSCRIPTION = record(
    {
        "name": text(),
        "url": text(),
        "eventTypes": items(text()),
        "filters": items(free("an advanced filter")),
        "validated": flag(),
        "problem": text("why the handshake failed"),
    }
)
_NUMBERS = items(record({"number": text(), "outboundCalls": whole(), "limit": whole(), "name": text()}))
NUMBERS = record({"numbers": _NUMBERS})
DECLARED = record({"number": text(), "limit": whole(), "name": text()})
REGISTERED = record({"id": text(), "behaviour": text("", *BEHAVIOURS)})
STATE = record(
    {
        "calls": items(_CALL),
        "endedCalls": whole("calls that have ended are only counted"),
        "incomingCalls": items(record({"call": text(), "from": text(), "to": text()})),
        "phones": items(record({"id": text(), "behaviour": text(), "afterSeconds": number(), "steps": whole()})),
        "numbers": _NUMBERS,
        "ownedNumbers": items(text(), "numbers that ring the app"),
        "subscriptions": items(SUBSCRIPTION),
    }
)
_AT_MS = number("milliseconds on the clock of all logs")
_MS = number("milliseconds that it took")
_N = whole("number of the entry, for `after`")
_ATTEMPT = record(
    {"at_ms": _AT_MS, "ms": _MS},
    {"status": whole(), "error": text(), "fault": text("the fault that struck it")},
)
DELIVERIES = record(
    {
        "deliveries": items(
            record(
                {
                    "n": _N,
                    "kind": text("", "callback", "eventGrid", "validation"),
                    "url": text(),
                    "type": text(),
                    "id": text(),
                    "callConnectionId": _CONTEXT,
                    "duplicate": flag("a `duplicate` fault made it"),
                    "attempts": items(_ATTEMPT),
                    "body": items(free("the event")),
                }
            )
        )
    }
)
REQUESTS = record(
    {
        "requests": items(
            record(
                {
                    "n": _N,
                    "at_ms": _AT_MS,
                    "ms": _MS,
                    "method": text(),
                    "path": text(),
                    "operationId": _CONTEXT,
                    "status": maybe(whole()),
                    "callConnectionId": _CONTEXT,
                    "body": _ANY,
                    "answer": _ANY,
                    "note": maybe(text("why it was refused, repeated or dropped")),
                }
            )
        )
    }
)
TIMELINE = record(
    {
        "entries": items(
            record(
                {
                    "n": _N,
                    "at": number("emulated seconds since the call began"),
                    "call": text(),
                    "who": text("", "phone", "app", "service"),
                    "what": text(),
                    "text": text(),
                    "party": text("the number or user id of the phone that did it"),
                    "at_ms": _AT_MS,
                }
            )
        )
    }
)
FAULT = record(
    {
        **FAULT_RULE["properties"],
        "count": maybe(whole()),
        "subCode": maybe(text()),
        "message": maybe(text()),
        "location": maybe(text()),
        "applied": whole("how often it has struck"),
    },
    description="A fault in force.",
)
FAULTS = record({"faults": items(ref("Fault"))})
_SPAN = record(
    {
        "start": number("seconds of the file"),
        "end": number(),
        "kind": text("", "speech", "keys", "tone", "prompt", "stream", "background"),
        "text": text("what is said or pressed"),
    }
)
_CHUNK = record(
    {
        "documentId": text(),
        "index": whole(),
        "endReason": text(),
        "contentLocation": text(),
        "metadataLocation": text(),
        "deleteLocation": text(),
    }
)
RECORDINGS = record(
    {
        "recordings": items(
            record(
                {
                    "recordingId": text(),
                    "call": text(),
                    "serverCallId": text(),
                    "state": text("", "inactive", "active", "stopped"),
                    "content": text(),
                    "channelType": text(),
                    "format": text(),
                    "seconds": number("pauses left out"),
                    "participants": items(record({"id": text(), "channel": maybe(whole()), "spans": items(_SPAN)})),
                    "chunks": items(_CHUNK),
                }
            ),
            "the last 200, those that go on first",
        )
    }
)
TOPIC = record(
    {
        "events": items(
            record(
                {
                    "n": _N,
                    "at_ms": _AT_MS,
                    "schema": text("", "EventGridEvent", "CloudEventV10"),
                    "type": text(),
                    "event": free("as it was published"),
                }
            ),
            "the last 20,000",
        )
    }
)
