"""Forms as browsers send them, with files and without."""

from __future__ import annotations

import pytest

from shared.errors import InvalidInput
from shared.web.console.exchange import read_form, read_form_with_files
from tests.functional.console.console import BOUNDARY, multipart


def test_a_form_is_read() -> None:
    assert read_form(b"a=1+2&b=&text=%C3%A9") == {"a": "1 2", "b": "", "text": "é"}
    assert read_form(b"") == {}
    assert read_form(b"a=" + b"x" * (64 * 1024 - 2))


@pytest.mark.parametrize(
    "body",
    [b"a=" + b"x" * (64 * 1024 - 1), b"&".join(b"a=1" for _ in range(101)), b"a=%FF", "a=é".encode(), b'{"a": 1}\xff'],
    ids=["too long", "too many fields", "no UTF-8", "not encoded", "bytes"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="form"):
        read_form(body)


FORM = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.mark.parametrize(
    "file",
    [
        b"id,phone\r\nA-1,+14255550123\r\n",
        b"",
        b"\r\n",
        b"a\r\n--" + BOUNDARY[:-1].encode() + b"\r\nb",
        b"\xff\xfe" + "id;tel\r\n".encode("utf-16-le"),
        bytes(range(256)) * 40,
        b'Content-Disposition: form-data; name="token"\r\n\r\nforged',
    ],
)
def test_a_file_of_a_form_keeps_each_of_its_bytes(file: bytes) -> None:
    assert read_form_with_files(multipart({"token": "1.x", "text": "é\r\n"}, {"file": file}), FORM) == (
        {"token": "1.x", "text": "é\r\n"},
        {"file": file},
    )


BROKEN = multipart({"a": "1"}, {})


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BROKEN, "multipart/form-data"),
        (BROKEN, "multipart/form-data; boundary="),
        (BROKEN, "multipart/form-data; boundary=other"),
        (BROKEN[:-6], FORM),
        (BROKEN[:-8], FORM),
        (BROKEN[5:], FORM),
        (b"", FORM),
        (BROKEN.replace(b' name="a"', b""), FORM),
        (BROKEN.replace(b"\r\n\r\n", b"\r\n"), FORM),
        (BROKEN.replace(b'name="a"', b'name="a"' + b";" * 2048), FORM),
        (multipart({"a": "x" * (64 * 1024 + 1)}, {}), FORM),
        (multipart({f"a{number}": "1" for number in range(101)}, {}), FORM),
        (BROKEN.replace(b"1\r\n", b"\xff\r\n"), FORM),
        (b"x" * (64 * 1024 * 1024 + 1), FORM),
    ],
    ids=["none", "empty", "other", "cut", "cut more", "begun late", "nothing", "no name", "no end of headers",
         "long headers", "long field", "many fields", "no UTF-8", "too large"],
)  # fmt: skip
def test_what_is_no_form_with_files_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidInput, match="form"):
        read_form_with_files(body, content_type)


def test_a_form_may_have_64_mb_and_a_hundred_fields() -> None:
    empty = len(multipart({}, {"file": b""}))
    file = b"x" * (64 * 1024 * 1024 - empty)
    assert read_form_with_files(multipart({}, {"file": file}), FORM)[1]["file"] == file
    fields = {f"a{number}": "1" for number in range(100)}
    assert read_form_with_files(multipart(fields, {}), FORM)[0] == fields
    assert read_form_with_files(multipart({"a": "x" * 64 * 1024}, {}), FORM)[0]["a"]


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_the_headers_of_a_field_have_2048_bytes_at_most(more: int, taken: bool) -> None:
    head = b"\r\n" + b'Content-Disposition: form-data; name="a"; x="'  # counted from the end of the boundary
    filled = head + b"y" * (2048 - len(head) - len(b'"\r\n\r\n') + more) + b'"'
    body = f"--{BOUNDARY}".encode() + filled + f"\r\n\r\n1\r\n--{BOUNDARY}--\r\n".encode()
    if taken:
        assert read_form_with_files(body, FORM) == ({"a": "1"}, {})
    else:
        with pytest.raises(InvalidInput, match="form"):
            read_form_with_files(body, FORM)
