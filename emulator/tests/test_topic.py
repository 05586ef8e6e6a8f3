"""The Event Grid custom topic, with Azure's own client unchanged and by hand."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from azure.eventgrid.aio import EventGridPublisherClient as AsyncPublisher

from acs_emulator.testing import AsyncControl, Running, running, running_async
from emulator.tests.support import PATIENCE, SPEED, Application

READY = "Switchboard.QualityReportReady"
EVENT = {
    "id": "1",
    "subject": "/recordings/r",
    "eventType": READY,
    "eventTime": "2026-03-12T09:00:00Z",
    "data": {"score": 0.9},
    "dataVersion": "1.0",
}


def ready(subject: str = "/recordings/r") -> EventGridEvent:
    return EventGridEvent(subject=subject, event_type=READY, data={"score": 0.9}, data_version="1.0")


@pytest.fixture
async def subscribed(application: Application) -> AsyncIterator[Running[AsyncControl]]:
    """One subscription takes everything of the resource, one asks for the app's own type."""
    targets = (f"{application.base}/eventgrid", f"{application.base}/eventgrid#QualityReportReady,IncomingCall")
    async with running_async(speed=SPEED, event_grid=targets) as one:
        yield one
        assert (await one.control.health())["crashes"] == []


def test_the_official_client_publishes_both_schemas_over_plain_http() -> None:
    with running(topic_key="the key of the topic") as emulator:
        endpoint = f"{emulator.endpoint}/api/events"
        with EventGridPublisherClient(endpoint, AzureKeyCredential("the key of the topic")) as client:
            client.send([ready("/a"), ready("/b")])
            client.send(CloudEvent(source="/c", type=READY, data={"score": 0.8}, subject="/c"))
            client.send(EVENT)
        published = emulator.control.topic()
        assert [one["schema"] for one in published] == ["EventGridEvent"] * 2 + ["CloudEventV10", "EventGridEvent"]
        assert [one["event"].get("subject") for one in published] == ["/a", "/b", "/c", "/recordings/r"]
        assert published[2]["event"]["data"] == {"score": 0.8}
        assert [one["n"] for one in emulator.control.topic(type="QualityReportReady", after=2)] == [3, 4]
        assert [one["n"] for one in emulator.control.topic(type=READY, subject="/b")] == [2]
        assert emulator.control.topic(type="Another") == []
        emulator.control.reset()
        assert emulator.control.topic() == []


def test_a_wrong_key_is_refused_as_the_official_client_expects() -> None:
    with running() as emulator:
        endpoint = f"{emulator.endpoint}/api/events"
        with (
            EventGridPublisherClient(endpoint, AzureKeyCredential("wrong")) as client,
            pytest.raises(ClientAuthenticationError) as refused,
        ):
            client.send(ready())
        assert refused.value.error is not None
        assert refused.value.error.code == "Unauthorized"
        assert emulator.control.topic() == []


async def test_an_event_goes_to_the_subscription_that_names_its_type_alone(
    subscribed: Running[AsyncControl], application: Application
) -> None:
    endpoint, credential = f"{subscribed.endpoint}/api/events", AzureKeyCredential(subscribed.access_key)
    async with AsyncPublisher(endpoint, credential) as client:
        await client.send(ready())
    event = await application.grid_event("QualityReportReady")
    assert (event["eventType"], event["data"], event["metadataVersion"]) == (READY, {"score": 0.9}, "1")
    assert event["topic"].endswith("/providers/Microsoft.EventGrid/topics/emulator")
    deliveries = await subscribed.control.deliveries(type=READY)
    assert [one["url"] for one in deliveries] == [f"{application.base}/eventgrid"]


async def test_a_cloud_event_is_delivered_as_one() -> None:
    got: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            return web.json_response({"validationResponse": body[0]["data"]["validationCode"]})
        got.put_nowait((request.content_type, body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target = f"http://127.0.0.1:{runner.addresses[0][1]}/hook#QualityReportReady"
    async with running_async(speed=SPEED, event_grid=target) as emulator:
        endpoint, credential = f"{emulator.endpoint}/api/events", AzureKeyCredential(emulator.access_key)
        async with AsyncPublisher(endpoint, credential) as client:
            await client.send(CloudEvent(source="/c", type=READY, data={"score": 0.8}))
        async with asyncio.timeout(PATIENCE):
            content_type, event = await got.get()
    await runner.cleanup()
    assert (content_type, event["source"], event["data"]) == ("application/cloudevents+json", "/c", {"score": 0.8})


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"{", "application/json", "not valid"),
        (json.dumps(EVENT).encode(), "application/json", "Token Expected: StartArray"),
        (b'[{"id": "1"}]', "application/json", "'subject'"),
        (b'[{"id": "1"}]', "application/cloudevents-batch+json", "'source'"),
        (b"[]", "application/cloudevents+json", "Token Expected: StartObject"),
        (b"[1]", "application/json", "Token Expected: StartObject"),
    ],
    ids=["json", "object", "event grid", "cloud", "single cloud", "number"],
)
async def test_a_malformed_body_is_refused_with_what_was_expected(
    emulator: Running[AsyncControl], body: bytes, content_type: str, detail: str
) -> None:
    status, answer = await post(emulator, body, content_type)
    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    assert [one["code"] for one in answer["error"]["details"]] == ["InputJsonInvalid"]
    assert detail in answer["error"]["message"]
    assert await emulator.control.topic() == []


async def test_a_request_that_is_too_large_or_names_no_version_is_refused(emulator: Running[AsyncControl]) -> None:
    large = json.dumps([{**EVENT, "data": "x" * 1024 * 1024}]).encode()
    assert (await post(emulator, large))[0] == 413
    assert (await post(emulator, json.dumps([EVENT]).encode(), version=""))[0] == 400
    assert (await post(emulator, json.dumps([EVENT]).encode()))[0] == 200


async def test_publishing_fails_when_a_fault_says_so(emulator: Running[AsyncControl]) -> None:
    await emulator.control.add_faults(
        {"kind": "status", "status": 500, "count": 1, "match": {"operation": "PublishEvents"}}
    )
    endpoint, credential = f"{emulator.endpoint}/api/events", AzureKeyCredential(emulator.access_key)
    async with AsyncPublisher(endpoint, credential, retry_total=0) as client:
        with pytest.raises(HttpResponseError):
            await client.send(ready())
        await client.send(ready())
    assert len(await emulator.control.topic()) == 1


async def post(
    emulator: Running[AsyncControl], body: bytes, content_type: str = "application/json", version: str = "2018-01-01"
) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{emulator.endpoint}/api/events?api-version={version}",
            data=io.BytesIO(body),
            headers={"aeg-sas-key": emulator.access_key, "Content-Type": content_type},
        ) as answer,
    ):
        text = await answer.read()
        return answer.status, json.loads(text) if text else None
