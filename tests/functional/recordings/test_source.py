"""The source of recordings against a storage host that breaks off, changes, redirects and lies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from requests.auth import AuthBase

from shared.azure import clients
from shared.azure import recording_source as module
from shared.azure.recording_source import ServiceSource
from shared.errors import ForeignLocation, SourceUnavailable, UnreadableAudio
from shared.recordings.location import Locations
from tests.functional.recordings.storage_host import ETAG, Answer, StorageHost, part

KEY = base64.b64encode(b"k" * 32).decode()
BODY = bytes(range(256)) * 20
BLOCK = 512
GOOD = "https://euwest.asm.skype.com/v1/objects/x/content/audiowav"
FILE = "/v1/objects/0-weu-d1-document/content/audiowav"


@pytest.fixture
def host() -> Iterator[StorageHost]:
    with StorageHost(BODY) as one:
        yield one


@pytest.fixture
def foreign() -> Iterator[StorageHost]:
    """A host that is on no list: no request may come."""
    with StorageHost(BODY) as one:
        yield one
        assert one.seen == []


@pytest.fixture
def source(host: StorageHost) -> ServiceSource:
    return a_source(host)


def a_source(host: StorageHost, access_key: str = KEY, **more: Any) -> ServiceSource:
    settings: dict[str, Any] = {"extra_hosts": (host.authority,), "backoff": 0, "block": BLOCK, "timeout": 5, **more}
    return ServiceSource("https://resource.communication.azure.com", access_key, **settings)


def fetched(source: ServiceSource, location: str) -> bytes:
    with source.open(location) as download:
        return b"".join(download)


ASKED: dict[str, Callable[[ServiceSource, str], object]] = {
    "open": fetched,
    "metadata": ServiceSource.metadata,
    "delete": ServiceSource.delete,
}


def refused(source: ServiceSource, location: str) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        fetched(source, location)
    assert "document" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
    return caught.value


# Credentials


def test_a_request_is_signed_with_the_resources_host_and_asks_for_the_bytes_as_they_are(
    host: StorageHost, source: ServiceSource
) -> None:
    assert fetched(source, f"{host.url}{FILE}?a=b%20c") == BODY
    (seen,) = host.seen
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    text = f"GET\n{FILE}?a=b%20c\n{seen.headers['x-ms-date']};resource.communication.azure.com;{empty}"
    signature = base64.b64encode(hmac.new(b"k" * 32, text.encode(), hashlib.sha256).digest()).decode()
    signed = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    assert seen.headers["Authorization"] == signed
    assert seen.headers["x-ms-host"] == "resource.communication.azure.com"
    assert seen.headers["x-ms-content-sha256"] == empty
    assert seen.headers["Host"] == host.authority
    assert seen.headers["Accept-Encoding"] == "identity"
    assert seen.headers["Range"] is None


def test_no_password_of_a_netrc_file_and_no_cookie_is_sent(
    host: StorageHost, source: ServiceSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    host.script = [Answer(200, b"x", {"Set-Cookie": "session=1; Path=/"})]
    fetched(source, host.url + FILE)
    fetched(source, host.url + FILE)
    assert [seen.headers["Authorization"][:11] for seen in host.seen] == ["HMAC-SHA256"] * 2
    assert [seen.headers["Cookie"] for seen in host.seen] == [None, None]


def test_what_is_sent_in_the_clear_goes_through_no_proxy(
    host: StorageHost, foreign: StorageHost, source: ServiceSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, foreign.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert fetched(source, host.url + FILE) == BODY


class Identity:
    """A managed identity."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.asked += scopes
        if self.error:
            raise self.error
        return AccessToken("secret-token", 0)


def test_a_token_is_never_sent_in_the_clear(host: StorageHost, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity()
    monkeypatch.setattr(clients, "identity", lambda: identity)
    source = a_source(host, "")
    with pytest.raises(ForeignLocation, match="ACS_ACCESS_KEY"):
        fetched(source, host.url + FILE)
    assert (host.seen, identity.asked) == ([], [])


def test_a_token_is_sent_over_https_to_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    sent: list[requests.PreparedRequest] = []

    def send(_: Any, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        sent.append(request)
        answer = requests.Response()
        answer.status_code = 204
        answer.raw = io.BytesIO()
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    identity = Identity()
    monkeypatch.setattr(clients, "identity", lambda: identity)
    ServiceSource("https://resource.communication.azure.com", "").delete("https://eu.asm.skype.com/v1/objects/x")
    assert [request.headers["Authorization"] for request in sent] == ["Bearer secret-token"]
    assert identity.asked == ["https://communication.azure.com//.default"]


def test_an_identity_that_gets_no_token_makes_the_source_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity(ClientAuthenticationError("tenant 4711 says no"))
    monkeypatch.setattr(clients, "identity", lambda: identity)
    source = ServiceSource("https://resource.communication.azure.com", "")
    with pytest.raises(SourceUnavailable) as caught:
        source.delete("https://eu.asm.skype.com/v1/objects/x")
    assert "4711" not in str(caught.value)


# Foreign hosts


@pytest.mark.parametrize("method", ASKED)
def test_an_address_on_no_list_is_refused_before_a_request_goes_out(
    source: ServiceSource, foreign: StorageHost, method: str
) -> None:
    for location in (foreign.url + FILE, f"http://127.0.0.1@{foreign.authority}{FILE}"):
        with pytest.raises(ForeignLocation):
            ASKED[method](source, location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ASKED)
def test_a_redirect_to_a_foreign_host_is_refused_before_a_request_goes_out(
    host: StorageHost, source: ServiceSource, foreign: StorageHost, status: int, method: str
) -> None:
    host.script = [Answer(status, b"", {"Location": foreign.url + FILE})]
    with pytest.raises(ForeignLocation) as caught:
        ASKED[method](source, host.url + FILE)
    assert caught.value.host == foreign.authority
    assert len(host.seen) == 1


def test_a_resumed_download_follows_no_redirect_to_a_foreign_host_either(
    host: StorageHost, source: ServiceSource, foreign: StorageHost
) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000), Answer(302, b"", {"Location": foreign.url + FILE})]
    with pytest.raises(ForeignLocation):
        fetched(source, host.url + FILE)


def test_a_redirect_to_an_allowed_host_is_followed_and_signed_anew(host: StorageHost) -> None:
    with StorageHost(BODY) as other:
        host.script = [
            Answer(302, b"", {"Location": "/moved?x=1"}),
            Answer(307, b"", {"Location": f"{other.url}/there"}),
        ]
        source = a_source(host, extra_hosts=(host.authority, other.authority))
        assert fetched(source, host.url + FILE) == BODY
    assert [seen.path for seen in host.seen + other.seen] == [FILE, "/moved?x=1", "/there"]
    assert len({seen.headers["Authorization"] for seen in host.seen + other.seen}) == 3


def test_only_a_redirect_is_followed(host: StorageHost, source: ServiceSource, foreign: StorageHost) -> None:
    host.script = [Answer(200, BODY, {"Location": foreign.url + FILE})]
    assert fetched(source, host.url + FILE) == BODY


def test_a_redirect_that_leads_nowhere_is_a_refusal(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(302, b"", {})]
    assert refused(source, host.url + FILE).status == 302


AUTHS: dict[str, Callable[[], AuthBase]] = {
    "signature": lambda: module._Signature(Locations(), "resource.communication.azure.com", KEY),
    "token": lambda: module._Token(Locations()),
}


@pytest.mark.parametrize("auth", AUTHS)
def test_where_credentials_are_attached_the_address_is_judged_once_more(auth: str) -> None:
    request = requests.Request("GET", "https://evil.example/x").prepare()
    with pytest.raises(ForeignLocation):
        AUTHS[auth]()(request)
    assert "Authorization" not in request.headers


def test_a_signature_has_the_date_that_http_wants() -> None:
    request = requests.Request("GET", GOOD).prepare()
    module._Signature(Locations(), "resource.communication.azure.com", KEY)(request)
    assert request.headers["x-ms-date"].endswith(" GMT")


def test_without_a_key_the_app_signs_in_with_its_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    class Identity:
        def get_token(self, scope: str) -> AccessToken:
            return AccessToken(f"token for {scope}", 0)

    monkeypatch.setattr("shared.azure.clients.identity", Identity)
    request = module._Token(Locations())(requests.Request("GET", GOOD).prepare())
    assert request.headers["Authorization"] == "Bearer token for https://communication.azure.com//.default"


def test_metadata_has_a_million_bytes_at_most(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(200, b'{"a": 1}'.ljust(1_000_000))]
    assert source.metadata(host.url + FILE) == {"a": 1}
    host.script = [Answer(200, b'{"a": 1}'.ljust(1_000_001))]
    with pytest.raises(UnreadableAudio, match="larger than a metadata document can be"):
        source.metadata(host.url + FILE)


def test_redirects_without_end_are_given_up(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(302, b"", {"Location": FILE})] * 9
    assert refused(source, host.url + FILE).status == 302
    assert len(host.seen) == 4


# Downloads


def test_a_whole_file_comes_in_blocks_with_its_length(host: StorageHost, source: ServiceSource) -> None:
    with source.open(host.url + FILE) as download:
        blocks = list(download)
        assert download.length == len(BODY)
    assert b"".join(blocks) == BODY
    assert {len(block) for block in blocks} == {BLOCK}


def test_an_empty_file_is_given_through(host: StorageHost, source: ServiceSource) -> None:
    host.body = b""
    with source.open(host.url + FILE) as download:
        assert download.length == 0
        assert list(download) == []


def test_a_file_of_unknown_length_is_taken_to_its_end(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(200, BODY, chunked=True)]
    with source.open(host.url + FILE) as download:
        assert download.length is None
        assert b"".join(download) == BODY


def test_a_first_answer_may_be_a_part_that_is_the_whole(host: StorageHost, source: ServiceSource) -> None:
    """As the service was recorded to answer."""
    host.script = [part(BODY, 0)]
    with source.open(host.url + FILE) as download:
        assert download.length == len(BODY)
        assert b"".join(download) == BODY


@pytest.mark.parametrize("chunked", [False, True])
def test_a_range_resumes_where_it_broke_off(host: StorageHost, source: ServiceSource, chunked: bool) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=1536, chunked=chunked), part(BODY, 1536, cut=1024)]
    assert fetched(source, host.url + FILE) == BODY
    assert host.ranges == [None, "bytes=1536-", "bytes=2560-"]
    assert all(seen.headers["Authorization"] for seen in host.seen)


def test_a_part_that_ends_early_is_continued(host: StorageHost, source: ServiceSource) -> None:
    host.script = [part(BODY[:1024], 0, total=len(BODY))]
    assert fetched(source, host.url + FILE) == BODY
    assert host.ranges == [None, "bytes=1024-"]


def test_a_download_goes_on_over_answers_that_pass(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000), Answer(503), Answer(429), Answer(500)]
    assert fetched(source, host.url + FILE) == BODY
    assert host.ranges == [None] + ["bytes=1536-"] * 4


def test_a_download_that_broke_off_before_its_first_block_begins_again(
    host: StorageHost, source: ServiceSource
) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=10)]
    assert fetched(source, host.url + FILE) == BODY
    assert host.ranges == [None, None]


def test_a_download_that_breaks_off_again_and_again_is_given_up(host: StorageHost) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000)] + [part(BODY, 1536, cut=100)] * 9
    assert refused(a_source(host, breaks=3), host.url + FILE).status is None
    assert host.ranges == [None] + ["bytes=1536-"] * 3


def test_as_long_as_much_comes_between_the_breaks_a_download_goes_on(
    host: StorageHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STEADY", 1024)
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=1024)]
    host.script += [part(BODY, at, cut=1024) for at in range(1024, len(BODY), 1024)]
    assert fetched(a_source(host, breaks=1), host.url + FILE) == BODY
    assert len(host.seen) == len(BODY) // 1024


def test_the_wait_between_the_breaks_doubles(host: StorageHost, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000)] + [Answer(503)] * 9
    assert refused(a_source(host, breaks=3, backoff=0.5), host.url + FILE).status == 503
    assert waited == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "second",
    [
        Answer(200, BODY, {"ETag": ETAG}),
        Answer(206, BODY[1536:], {"ETag": ETAG}),
        part(BODY, 1535),
        part(BODY, 1536, total=len(BODY) + 1),
        part(BODY, 1536, etag='"two"'),
        Answer(206, BODY[1536:], {"Content-Range": f"bytes 1536-{len(BODY) - 1}/*"}),
        Answer(206, BODY[1536:], {"Content-Range": "nonsense"}),
        Answer(416),
        Answer(404),
        Answer(401),
    ],
    ids=["whole", "no range", "other start", "other total", "other etag", "no total", "junk", "416", "404", "401"],
)
def test_what_does_not_continue_the_same_file_is_not_taken(
    host: StorageHost, source: ServiceSource, second: Answer
) -> None:
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000), second]
    refused(source, host.url + FILE)
    assert len(host.seen) == 2


def test_a_whole_file_may_come_with_a_content_range(host: StorageHost, source: ServiceSource) -> None:
    """As the service was recorded in 2021 (azure-sdk-for-js, communication-callingserver)."""
    host.script = [Answer(200, BODY, {"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"})]
    assert fetched(source, host.url + FILE) == BODY
    assert len(host.seen) == 1


def test_a_part_that_is_called_a_success_is_not_taken_for_the_whole(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(200, BODY[:1000], {"Content-Range": f"bytes 0-999/{len(BODY)}", "ETag": ETAG})]
    assert fetched(source, host.url + FILE) == BODY
    assert [seen.headers.get("Range") for seen in host.seen] == [None, "bytes=1000-"]


def test_a_file_goes_on_by_a_success_that_says_which_part_it_is(host: StorageHost, source: ServiceSource) -> None:
    rest = {"Content-Range": f"bytes 1536-{len(BODY) - 1}/{len(BODY)}", "ETag": ETAG}
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000), Answer(200, BODY[1536:], rest)]
    assert fetched(source, host.url + FILE) == BODY


def test_a_part_that_is_longer_than_the_file_is_not_taken(host: StorageHost, source: ServiceSource) -> None:
    longer = Answer(206, BODY[1536:] + b"more", {"Content-Range": f"bytes 1536-{len(BODY) - 1}/{len(BODY)}"})
    host.script = [Answer(200, BODY, cut=2000), longer]
    refused(source, host.url + FILE)


def test_a_body_in_an_encoding_that_was_not_asked_for_is_refused(host: StorageHost, source: ServiceSource) -> None:
    host.script = [Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})]
    refused(source, host.url + FILE)


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410, 416, 418, 429, 500, 503, 599])
def test_a_refusal_is_told_in_plain_words_with_its_status(
    host: StorageHost, source: ServiceSource, status: int
) -> None:
    host.script = [Answer(status)]
    error = refused(source, host.url + FILE)
    assert str(error).endswith(".") or str(error).endswith(f"(HTTP {status})")
    assert error.status == (None if status == 206 else status)
    assert len(host.seen) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("-1", None), ("9" * 400, None), ("999999", 999_999.0)],
)
def test_how_long_the_service_asks_to_wait_is_told(
    host: StorageHost, source: ServiceSource, header: str, seconds: float | None
) -> None:
    host.script = [Answer(429, b"", {"Retry-After": header})]
    assert refused(source, host.url + FILE).retry_after == seconds


def test_a_host_that_does_not_answer_is_unavailable(source: ServiceSource, host: StorageHost) -> None:
    nobody = ServiceSource("https://r.communication.azure.com", KEY, extra_hosts=("127.0.0.1:1",), backoff=0)
    assert refused(nobody, f"http://127.0.0.1:1{FILE}").status is None


def test_a_host_that_stops_in_the_middle_is_left_after_the_time_out(host: StorageHost) -> None:
    host.script = [Answer(200, BODY, {"Content-Length": str(len(BODY) * 2), "ETag": ETAG})]
    refused(a_source(host, timeout=0.2, breaks=0), host.url + FILE)


# Metadata and deletion


@pytest.mark.parametrize("partial", [False, True])
def test_metadata_is_a_json_object(host: StorageHost, source: ServiceSource, partial: bool) -> None:
    body = b'{"chunkIndex":0,"participants":[]}'
    host.script = [part(body, 0) if partial else Answer(200, body)]
    assert source.metadata(host.url + FILE) == {"chunkIndex": 0, "participants": []}


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'"' + b"x" * 1_100_000 + b'"']
)
def test_metadata_that_is_no_json_object_of_a_sane_size_is_unreadable(
    host: StorageHost, source: ServiceSource, body: bytes
) -> None:
    host.body = body
    with pytest.raises(UnreadableAudio, match="acsmetadata"):
        source.metadata(host.url + FILE)


@pytest.mark.parametrize("status", [200, 202, 204, 404])
def test_a_deleted_file_may_be_gone_already(host: StorageHost, source: ServiceSource, status: int) -> None:
    host.script = [Answer(status)]
    source.delete(host.url + FILE)
    assert [(seen.method, seen.path) for seen in host.seen] == [("DELETE", FILE)]
    assert host.seen[0].headers["Authorization"]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_file_that_cannot_be_deleted_now_is_told(host: StorageHost, source: ServiceSource, status: int) -> None:
    host.script = [Answer(status)]
    with pytest.raises(SourceUnavailable) as caught:
        source.delete(host.url + FILE)
    assert caught.value.status == status


def test_nothing_of_an_address_is_logged(
    host: StorageHost, source: ServiceSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host.script = [Answer(200, BODY, {"ETag": ETAG}, cut=2000), Answer(503)]
    fetched(source, host.url + FILE)
    assert "document" not in caplog.text
