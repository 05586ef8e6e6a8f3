"""One function of every kind that the host serves; each reports through its answer or the queue `seen`."""

import asyncio
import hashlib
import json
import logging
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _seen(**facts: object) -> str:
    return json.dumps(facts, sort_keys=True, default=str)


@app.route("hello/{name}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    """Says everything that a function can learn of its request."""
    body = req.get_body()
    facts = {
        "method": req.method,
        "path": req.url.split("/", 3)[-1],
        "route": dict(req.route_params),
        "query": dict(req.params),
        "header": req.headers.get("X-Sample"),
        "body": hashlib.sha256(body).hexdigest() if body else None,
        "length": len(body),
    }
    return func.HttpResponse(json.dumps(facts, sort_keys=True), mimetype="application/json")


@app.route("calls/{id:int}/{tail?}")
def typed(req: func.HttpRequest) -> func.HttpResponse:
    """Takes a constrained and an optional parameter."""
    return func.HttpResponse(json.dumps(dict(req.route_params), sort_keys=True))


@app.route("files/{*rest}", methods=["GET"])
async def files(req: func.HttpRequest) -> func.HttpResponse:
    """Takes the rest of the path; runs on the event loop."""
    await asyncio.sleep(0)
    return func.HttpResponse(req.route_params.get("rest", "nothing"))


@app.route("echo", methods=["POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Gives the body back, with a status, headers and cookies."""
    response = func.HttpResponse(
        req.get_body(), status_code=int(req.params.get("status", "200")), mimetype="application/octet-stream"
    )
    response.headers.add("X-One", "1")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route("json", methods=["POST"])
def json_body(req: func.HttpRequest) -> func.HttpResponse:
    """Answers 400 where the body is not JSON."""
    try:
        value = req.get_json()
    except ValueError:
        return func.HttpResponse("not JSON", status_code=400)
    return func.HttpResponse(json.dumps(value, sort_keys=True), mimetype="application/json")


@app.route("text")
def text(req: func.HttpRequest) -> str:
    """Returns a string."""
    return "plain text ✓"


@app.route("none")
def none(req: func.HttpRequest):  # type: ignore[no-untyped-def]
    """Returns nothing, which is an error."""
    logging.info("nothing to return")


@app.route("dict")
def dictionary(req: func.HttpRequest):  # type: ignore[no-untyped-def]
    """Returns a dict, which is an error."""
    return {"a": 1}


@app.route("raise")
def raising(req: func.HttpRequest) -> func.HttpResponse:
    """Raises."""
    raise RuntimeError("this function always fails")


@app.route("araise")
async def araising(req: func.HttpRequest) -> func.HttpResponse:
    """Raises on the event loop."""
    raise RuntimeError("this function always fails")


@app.route("context")
def context_of(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Says what the context holds."""
    logging.info("in the function, %s", context.function_name)
    facts = {
        "name": context.function_name,
        "id": len(context.invocation_id),
        "thread": typing.cast("typing.Any", context.thread_local_storage).invocation_id == context.invocation_id,
        "trace": context.trace_context.trace_parent,
        "retry": context.retry_context.retry_count,
        "directory": context.function_directory.rsplit("/", 1)[-1],
    }
    return func.HttpResponse(json.dumps(facts, sort_keys=True), mimetype="application/json")


@app.route("send", methods=["POST"])
@app.queue_output(arg_name="one", queue_name="%PREFIX%-seen", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="many", queue_name="%PREFIX%-many", connection="AzureWebJobsStorage")
def send(req: func.HttpRequest, one: func.Out[str], many: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006
    """Writes the body to one queue and its lines to another; nothing where the body is empty."""
    body = req.get_body().decode()
    if body:
        one.set(body)
        many.set(body.splitlines())
    return func.HttpResponse(status_code=202)


@app.route("locked", auth_level=func.AuthLevel.FUNCTION)
def locked(req: func.HttpRequest) -> func.HttpResponse:
    """Needs a key where one is configured."""
    return func.HttpResponse("open")


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="%PREFIX%-seen", connection="AzureWebJobsStorage")
def on_event(event: func.EventGridEvent, out: func.Out[str]) -> None:
    """Reports an Event Grid event; fails where its data asks for that."""
    data = event.get_json()
    if data.get("fail"):
        raise RuntimeError("asked to fail")
    out.set(_seen(kind="event", id=event.id, type=event.event_type, subject=event.subject, data=data))


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="%PREFIX%-seen", connection="AzureWebJobsStorage")
async def on_cloud_event(event: func.CloudEvent, out: func.Out[str]) -> None:
    """Reports a CloudEvent."""
    out.set(_seen(kind="cloud", id=event.id, type=event.type, source=event.source, data=event.get_json()))


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-work", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="$return", queue_name="%PREFIX%-seen", connection="AzureWebJobsStorage")
def on_message(message: func.QueueMessage) -> str:
    """Reports a queue message; fails where its text says so."""
    body = message.get_body().decode()
    if body == "poison" or (body == "once" and message.dequeue_count == 1):
        raise RuntimeError("asked to fail")
    return _seen(
        kind="message",
        body=body,
        count=message.dequeue_count,
        times=bool(message.insertion_time and message.expiration_time and message.time_next_visible),
        named=bool(message.id and message.pop_receipt),
    )


@app.queue_trigger(arg_name="message", queue_name="%PREFIX%-returns", connection="")
def returns_without_binding(message: func.QueueMessage):  # type: ignore[no-untyped-def]
    """Returns a value without a `$return` binding, which is an error."""
    return "nobody takes this"


@app.timer_trigger(arg_name="timer", schedule="%TIMER_SCHEDULE%", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="%PREFIX%-ticks", connection="AzureWebJobsStorage")
def on_time(timer: func.TimerRequest, out: func.Out[str]) -> None:
    """Reports a timer."""
    out.set(
        _seen(kind="timer", past_due=timer.past_due, status=sorted(typing.cast("typing.Any", timer).schedule_status))
    )
