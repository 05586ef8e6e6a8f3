"""Start, look at, pause, resume and stop recordings."""

from __future__ import annotations

from acs_emulator.api.calls_api import check_uri
from acs_emulator.api.connecting_api import read_locator
from acs_emulator.api.operations import Request, Response
from acs_emulator.calls.call import Call, Leg
from acs_emulator.calls.connect import find_shared
from acs_emulator.core.errors import BadRequest, CallNotFound, NotEstablished, ServiceError
from acs_emulator.recording.options import read_options
from acs_emulator.recording.session import Recording


def start(request: Request) -> Response:
    body, service = request.body, request.service
    callback_uri = check_uri(body.get("recordingStateCallbackUri"), "recordingStateCallbackUri")
    options = read_options(body)
    call, leg = _call(request)
    if not call.connected:
        raise NotEstablished
    if service.recordings.of(call):
        # Docs: 400/8559, a second start on the same call.
        raise ServiceError(400, "8559", "Recording is already in progress for this call.", request.path)
    recording = service.recordings.new(call, options, leg, callback_uri)
    failure = service.faults.outcome("CallRecording_StartRecording", leg.id if leg else None)
    if failure is not None:
        recording.fail(failure)
        return Response(202, recording.wire(), call.correlation_id)
    response = recording.wire()
    service.recordings.begin(recording)
    return Response(200, response, call.correlation_id)


def _call(request: Request) -> tuple[Call, Leg | None]:
    """The call to record, and the leg when it was named by call connection id."""
    body, service = request.body, request.service
    locator, connection_id = body.get("callLocator"), body.get("callConnectionId")
    if (locator is None) == (connection_id is None):
        raise BadRequest("Give either 'callLocator' or 'callConnectionId'.", "callLocator")
    if locator is None:
        leg = service.leg(str(connection_id))
        if leg is None:
            raise CallNotFound(request.path)
        return leg.call, leg
    kind, identifier = read_locator(locator)
    if kind == "roomCallLocator":
        raise BadRequest("Recording does not take room locators.", "callLocator.kind")
    if kind == "groupCallLocator":
        call = find_shared(service.registry, kind, identifier)
    else:
        call = service.registry.by_server_call_id(identifier)
    if call is None:
        raise CallNotFound(request.path)
    return call, None


def find(request: Request) -> Recording:
    recording = request.service.recordings.running.get(request.parameters["recordingId"])
    if recording is None:
        raise ServiceError(404, "8522", "Recording not found.", request.path)
    return recording


def get(request: Request) -> Response:
    recording = find(request)
    return Response(200, recording.wire(), recording.call.correlation_id)


def stop(request: Request) -> Response:
    recording = find(request)
    recording.stop("InitiatorLeft")
    return Response(204, chain_id=recording.call.correlation_id)


def pause(request: Request) -> Response:
    recording = find(request)
    recording.pause()
    return Response(202, chain_id=recording.call.correlation_id)


def resume(request: Request) -> Response:
    recording = find(request)
    recording.resume()
    return Response(202, chain_id=recording.call.correlation_id)
