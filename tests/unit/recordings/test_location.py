"""Where credentials may go, and where never: addresses as an attacker would write them."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ForeignLocation
from shared.recordings.location import SERVICE_HOSTS, Locations, read_address, read_hosts

GOOD = "https://euwest.asm.skype.com/v1/objects/0-weu-d1-abc/content/audiowav"
SERVICE = Locations()
LOCAL = Locations(
    ("127.0.0.1:8080", "localhost:8081", "[::1]:8082", "files.example.com", "emulator.asm.skype.com:18443")
)


@pytest.mark.parametrize("suffix", SERVICE_HOSTS)
def test_the_services_own_hosts_are_allowed(suffix: str) -> None:
    assert str(SERVICE.checked(f"https://eu-1{suffix}/v1/objects/x?a=b")) == f"https://eu-1{suffix}/v1/objects/x?a=b"


def test_an_address_is_used_as_it_was_read() -> None:
    address = SERVICE.checked("HTTPS://EU.Asm.SKYPE.com:443/V1/Objects/%41?Q=1")
    assert str(address) == "https://eu.asm.skype.com/V1/Objects/%41?Q=1"
    assert str(SERVICE.checked("https://eu.asm.skype.com?q=1")) == "https://eu.asm.skype.com/?q=1"


@pytest.mark.parametrize(
    "location",
    [
        "https://asm.skype.com/x",  # the SDK too asks for a label before it
        "https://.asm.skype.com/x",
        "https://evilasm.skype.com/x",
        "https://eu.asm.skype.com.evil.example/x",
        "https://eu.asm.skype.com.localhost/x",
        "https://eu.asm.skype.com./x",
        "https://eu.asm.skype.com..evil.example/x",
        "https://evil.example/eu.asm.skype.com",
        "https://evil.example/?eu.asm.skype.com",
        "https://evil.example#.asm.skype.com",
        "https://evil.example/#.asm.skype.com/",
        "https://evil.example?.asm.skype.com",
        "https://evil.example;.asm.skype.com/",
        "https://evil.example,.asm.skype.com/",
        "https://evil.example%2f.asm.skype.com/",
        "https://evil.example%00.asm.skype.com/",
        "https://evil.example%23.asm.skype.com/",
        "https://eu.asm.skype.com@evil.example/x",
        "https://user:secret@eu.asm.skype.com/x",
        "https://@eu.asm.skype.com/x",
        "https://evil.example:443@eu.asm.skype.com/x",
        "https://eu.asm.skype.com:pass@evil.example/x",
        "https://evil.example\\.asm.skype.com/x",
        "https://evil.example\\@eu.asm.skype.com/x",
        "https:\\\\eu.asm.skype.com/x",
        "https:/\\eu.asm.skype.com/x",
        "https://eu.asm.skype.com/a\\b",
        "https:eu.asm.skype.com/x",
        "https:///eu.asm.skype.com/x",
        "//eu.asm.skype.com/x",
        "/v1/objects/x",
        "",
        "x",
        "ftp://eu.asm.skype.com/x",
        "file:///etc/passwd",
        "http://eu.asm.skype.com/x",
        "https://eu.asm.skype.com:8443/x",
        "https://eu.asm.skype.com:80/x",
        "https://eu.asm.skype.com:0/x",
        "https://eu.asm.skype.com:65979/x",  # 443 modulo 65536
        "https://eu.asm.skype.com:/x",
        "https://eu.asm.skype.com:+443/x",
        "https://eu.asm.skype.com:443:443/x",
        " https://eu.asm.skype.com/x",
        "https://eu.asm.skype.com/x ",
        "https://eu.asm.skype.com/a b",
        "https://eu.asm.skype.com/x\n",
        "https://eu.asm.skype.com/x\r\nHost: evil.example",
        "https://ev\til.example/.asm.skype.com",
        "ht\ntps://eu.asm.skype.com/x",
        "https://eu.asm.skype.com/\x00",
        "https://eu.asm.skype.com/\x7f",
        "https://eu.asm.skype.com/ü",
        "https://eü.asm.skype.com/x",
        "https://evil。asm.skype.com/x",  # a full stop of another script
        "https://eu.asm.ſkype.com/x",  # a long s, which becomes an s in IDNA  # noqa: RUF001
        "https://eu.asm.skype.ⅽom/x",  # a Roman numeral hundred  # noqa: RUF001
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::1].asm.skype.com/x",
        "https://[zz]/x",
        "https://169.254.169.254/metadata",
        "https://2130706433/x",
        "https://0x7f.1/x",
        f"https://{'a' * 64}.asm.skype.com/x",
        f"https://{'a.' * 130}asm.skype.com/x",
        f"https://eu.asm.skype.com/{'x' * 9000}",
    ],
)  # fmt: skip
def test_an_address_that_is_not_plainly_the_services_is_refused(location: str) -> None:
    with pytest.raises(ForeignLocation):
        SERVICE.checked(location)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:8080/v1/objects/x",
        "https://127.0.0.1:8080/x",
        "http://localhost:8081/x",
        "http://[::1]:8082/x",
        "https://files.example.com/x",
        "https://FILES.example.com:443/x",
        "https://emulator.asm.skype.com:18443/x",
        GOOD,
    ],
)
def test_what_a_setting_adds_is_allowed_besides_the_service(location: str) -> None:
    assert LOCAL.checked(location)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/x",
        "http://127.0.0.1:8081/x",
        "http://127.0.0.2:8080/x",
        "http://127.1:8080/x",
        "http://2130706433:8080/x",
        "http://[::ffff:127.0.0.1]:8080/x",
        "http://localhost.:8081/x",
        "http://localhost:8081@evil.example/x",
        "http://a.localhost:8081/x",
        "https://files.example.com:8443/x",
        "https://a.files.example.com/x",
        "http://files.example.com/x",
        "http://files.example.com:443/x",
        "http://emulator.asm.skype.com:18443/x",
        "https://other.asm.skype.com:18443/x",
    ],
)
def test_what_a_setting_adds_is_exact_and_in_the_clear_only_on_this_machine(location: str) -> None:
    with pytest.raises(ForeignLocation):
        LOCAL.checked(location)


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/v2/x?a=1", "https://euwest.asm.skype.com/v2/x?a=1"),
        ("audiomp3", "https://euwest.asm.skype.com/v1/objects/0-weu-d1-abc/content/audiomp3"),
        ("https:evil.example", "https://euwest.asm.skype.com/v1/objects/0-weu-d1-abc/content/evil.example"),
        ("//us.asm.skype.com/x", "https://us.asm.skype.com/x"),
        ("https://us.asm.skype.com/x", "https://us.asm.skype.com/x"),
    ],
)
def test_a_redirect_to_an_allowed_host_is_followed(target: str, leads_to: str) -> None:
    assert str(LOCAL.followed(LOCAL.checked(GOOD), target)) == leads_to


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/x",
        "https://evil.example/x",
        "http://euwest.asm.skype.com/x",
        "http://127.0.0.1:8080/x",  # on the list, but it would leave https
        "\\\\evil.example/x",
        "/\\evil.example/x",
        "https://[evil/x",
        "javascript:alert(1)",
        "https://evil\t.example/.asm.skype.com",
    ],
)
def test_a_redirect_to_another_host_or_out_of_https_is_refused(target: str) -> None:
    with pytest.raises(ForeignLocation):
        LOCAL.followed(LOCAL.checked(GOOD), target)


@pytest.mark.parametrize("host", ["https://eu.asm.skype.com", "http://127.0.0.1:10000"])
@pytest.mark.parametrize(
    "path",
    ["/a/../b", "/..", "/./b", "/a/%2e%2e/b", "/a/%2E./b", "/a/..%2fb", "/a/..%2Fb", "/a%2f..%2fb", "/a/..%5Cb"],
)
def test_a_path_that_leads_out_of_its_folder_is_refused(host: str, path: str) -> None:
    with pytest.raises(ForeignLocation, match=r"has \. or \.\. in its path"):
        read_address(host + path)
    with pytest.raises(ForeignLocation):
        read_address(f"{host}{path}?sv=1")


@pytest.mark.parametrize("path", ["/a..b/c", "/...", "/.a", "/a?b=../c", "/a/%252e%252e/b"])
def test_dots_that_lead_nowhere_are_left_alone(path: str) -> None:
    assert read_address(f"https://eu.asm.skype.com{path}").rest == path


def test_a_refusal_names_the_host_and_not_the_document() -> None:
    with pytest.raises(ForeignLocation) as caught:
        SERVICE.checked("https://evil.example:8443/v1/objects/0-weu-d1-secret")
    assert caught.value.host == "evil.example:8443"
    assert "secret" not in str(caught.value)
    with pytest.raises(ForeignLocation) as caught:
        SERVICE.checked("https://+14255550100@evil.example/v1/objects/0-weu-d1-secret")
    assert "secret" not in str(caught.value)
    assert "4255550100" not in str(caught.value)


def test_the_setting_is_a_list_of_hosts() -> None:
    assert read_hosts("") == ()
    assert read_hosts(" 127.0.0.1:8080 , files.example.com,") == ("127.0.0.1:8080", "files.example.com")


@pytest.mark.parametrize("entry", ["http://x", "x/y", "*.example.com", "x:0", "x:65536", "x:y", "u@x", "[::1", "a b"])
def test_an_entry_that_is_no_host_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is not a host"):
        read_hosts(f"127.0.0.1:8080,{entry}")
    with pytest.raises(ValueError, match="is not a host"):
        Locations((entry,))


# Whatever is written, the parsers of those who send the request find the host that was judged.

PARTS = st.sampled_from(
    ["https://", "http://", "eu.asm.skype.com", ".asm.skype.com", "evil.example", "@", ":", "443", "/", "\\", "?", "#",
     "%2f", "[", "]", "::1", ".", "..", " ", "\t", "\n", "。", "é", "xn--", ";", "a", "127.0.0.1", ":8080"]
)  # fmt: skip


@given(st.lists(PARTS, max_size=9).map("".join) | st.text(max_size=40).map("https://{}.asm.skype.com/".format))
def test_whatever_passes_goes_to_an_allowed_host_for_every_parser(location: str) -> None:
    try:
        address = LOCAL.checked(location)
    except ForeignLocation:
        return
    prepared = requests.Request("GET", str(address)).prepare()
    for found in (urlsplit(str(address)), urlsplit(str(prepared.url))):
        assert found.hostname is not None
        assert found.username is found.password is None
        host = found.hostname
        extra = host in ("127.0.0.1", "localhost", "::1", "files.example.com")
        assert extra or host.endswith(SERVICE_HOSTS)
        assert (found.scheme == "https") or host in ("127.0.0.1", "localhost", "::1")


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_address_or_an_entry_is_read_or_refused_and_nothing_else(location: str, entry: str) -> None:
    with suppress(ForeignLocation):
        assert read_address(location).host
    with suppress(ValueError):
        assert all(read_hosts(entry))


# What an address and an entry may be, to the last character


@pytest.mark.parametrize("port", [1, 65_535])
def test_the_first_and_the_last_port_are_read(port: int) -> None:
    assert read_address(f"https://a.example:{port}/x").port == port
    assert Locations((f"a.example:{port}",)).checked(f"https://a.example:{port}/x").port == port


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
def test_a_port_that_there_is_not_is_refused(port: int) -> None:
    with pytest.raises(ForeignLocation, match="not a plain http address"):
        read_address(f"https://a.example:{port}/x")
    with pytest.raises(ValueError, match="is not a host or host:port"):
        Locations((f"a.example:{port}",))


@pytest.mark.parametrize("junk", ["", "ftp://a.example/x", "https://", "https://[::g]/x", "https://[1::2::3]/x"])
def test_what_is_no_address_is_said_to_be_none(junk: str) -> None:
    with pytest.raises(ForeignLocation, match="not a plain http address"):
        read_address(junk)


def test_brackets_hold_an_ipv6_address() -> None:
    assert read_address("https://[2001:db8::1]/x").host == "[2001:db8::1]"
    assert read_address("https://[::ffff:1.2.3.4]/x").host == "[::ffff:1.2.3.4]"
    assert read_address("https://[::1]/x").loopback
    assert Locations(("[::1]:8082",)).checked("http://[::1]:8082/x").port == 8082
    with pytest.raises(ValueError, match="is not a host or host:port"):
        Locations(("[1::2::3]",))


def test_an_address_has_8192_characters_at_most() -> None:
    address = "https://a.example/".ljust(8192, "x")
    assert str(read_address(address)) == address
    with pytest.raises(ForeignLocation, match="not a plain http address"):
        read_address(address + "x")


def test_a_host_has_253_characters_at_most() -> None:
    host = ".".join(["a" * 62] * 4)
    assert len(host) == 251
    assert read_address(f"https://{host}.b/").host == f"{host}.b"
    with pytest.raises(ForeignLocation, match="not a plain http address"):
        read_address(f"https://{host}.bc/")


def test_an_address_without_a_path_has_a_slash() -> None:
    assert read_address("https://a.example").rest == "/"
