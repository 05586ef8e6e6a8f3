"""What a web hook is sent: a CloudEvent, signed so that the published libraries of Standard Webhooks verify it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.notifications.errors import NotDelivered
from shared.notifications.event import Event
from shared.notifications.outgoing import Response
from shared.notifications.webhook import RETRIED, WebHook, sign
from tests.functional.hook_receiver import verified

KEY, OTHER = base64.b64encode(b"k" * 32).decode(), base64.b64encode(b"o" * 32).decode()
EVENT = Event("call-1", "Switchboard.CallFinished", "/calls/call-1", datetime(2026, 11, 27, 9, 0, tzinfo=UTC), {"n": 1})


class Sent:
    """Keeps what is posted, and responds."""

    def __init__(self, status: int = 204, retry_after: float | None = None) -> None:
        self.response = Response(status, retry_after)
        self.requests: list[tuple[str, bytes, dict[str, str]]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Response:
        self.requests.append((url, body, headers))
        return self.response


def delivered(sent: Sent, *keys: str, **options: Any) -> None:
    decoded = [base64.b64decode(key) for key in keys or (KEY,)]
    WebHook("https://hooks.example/", decoded, "https://app.example", sent, **options).deliver(EVENT)  # type: ignore[arg-type]


def test_a_signature_is_that_of_the_published_example() -> None:
    """From the tests of the libraries (standard-webhooks/standard-webhooks)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == expected


def test_a_receiver_verifies_what_is_sent_and_nothing_that_was_changed() -> None:
    sent = Sent()
    delivered(sent)
    ((_, body, headers),) = sent.requests
    assert verified(headers, body, KEY)["id"] == "call-1"
    for changed, other in (
        ({"webhook-id": "call-2"}, body),
        ({"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
        ({}, body.replace(b"1", b"2")),
        ({"webhook-signature": "v1,AAAA"}, body),
    ):
        with pytest.raises(ValueError, match="not signed"):
            verified({**headers, **changed}, other, KEY)
    with pytest.raises(ValueError, match="not signed"):
        verified(headers, body, OTHER)


def test_a_request_that_is_old_is_refused_by_the_receiver() -> None:
    sent = Sent()
    delivered(sent, clock=lambda: 1_790_000_000.0)
    ((_, body, headers),) = sent.requests
    with pytest.raises(ValueError, match="old"):
        verified(headers, body, KEY)


def test_while_one_key_takes_the_place_of_another_both_verify() -> None:
    sent = Sent()
    delivered(sent, KEY, OTHER)
    ((_, body, headers),) = sent.requests
    assert verified(headers, body, KEY) == verified(headers, body, OTHER)
    assert len(headers["webhook-signature"].split()) == 2


def test_the_body_is_a_cloud_event() -> None:
    sent = Sent()
    delivered(sent)
    ((url, body, headers),) = sent.requests
    assert (url, headers["Content-Type"], headers["webhook-id"]) == (
        "https://hooks.example/",
        "application/cloudevents+json",
        "call-1",
    )
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": "call-1",
        "source": "https://app.example",
        "type": "Switchboard.CallFinished",
        "subject": "/calls/call-1",
        "time": "2026-11-27T09:00:00.000Z",
        "datacontenttype": "application/json",
        "data": {"n": 1},
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_taken(status: int) -> None:
    delivered(Sent(status))


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(status, True) for status in (300, 301, 302, 307, 308, 400, 402, 405, 406, 409, 410, 413, 415, 422, 451)]
    + [(status, False) for status in (*sorted(RETRIED), 500, 501, 502, 503, 504, 599, 103, 199)],
)
def test_what_is_not_taken_is_given_up_where_the_event_is_at_fault_and_tried_again_otherwise(
    status: int, lasting: bool
) -> None:
    with pytest.raises(NotDelivered, match=f"responded {status}") as caught:
        delivered(Sent(status, 7.0))
    assert (caught.value.lasting, caught.value.retry_after) == (lasting, 7.0)


def test_what_is_tried_again_is_what_the_documentation_says() -> None:
    assert sorted(RETRIED) == [401, 403, 404, 408, 425, 429]
