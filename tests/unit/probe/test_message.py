"""Requests as bytes, and answers as they are read: nothing is connected."""

from __future__ import annotations

import io

import pytest

from dockertls.errors import Refused
from dockertls.probe.message import (
    LONGEST_LINE,
    MOST_HEADERS,
    ApiRequest,
    Body,
    CutOff,
    Garbled,
    Head,
    body_of,
    head_of,
)

OK = b"HTTP/1.1 200 OK\r\n"


def answer(raw: bytes, method: str = "GET") -> tuple[Head, bytes]:
    reader = io.BufferedReader(io.BytesIO(raw))
    head = head_of(reader, method)
    return head, b"".join(body_of(head, reader))


def sent(request: ApiRequest, body: Body | None = None) -> tuple[list[str], bytes]:
    head, _, rest = b"".join(request.sent("web1:2376", body)).partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), rest


def test_a_request_is_what_was_asked() -> None:
    request = ApiRequest.parse("get", "/containers/json?all=1", ['filters={"a":\u00fc}', "x=a b&c=d+/"], ["X-Y:  z "])
    lines, body = sent(request)
    assert lines[0] == "GET /containers/json?all=1&filters=%7B%22a%22:%C3%BC%7D&x=a%20b%26c%3Dd%2B/ HTTP/1.1"
    assert set(lines[1:]) == {"Host: web1:2376", "User-Agent: dockertls", "Accept: */*", "X-Y: z", "Connection: close"}
    assert body == b""


@pytest.mark.parametrize(("method", "said"), [("POST", True), ("PUT", True), ("DELETE", False), ("HEAD", False)])
def test_where_a_body_is_expected_it_is_said_that_there_is_none(method: str, *, said: bool) -> None:
    assert ("Content-Length: 0" in sent(ApiRequest.parse(method, "/x"))[0]) is said


def test_a_body_with_its_length_or_in_chunks() -> None:
    request = ApiRequest.parse("POST", "/build")
    lines, body = sent(request, Body((b"abc", b"de"), 5, "application/x-tar"))
    assert {"Content-Length: 5", "Content-Type: application/x-tar"} <= set(lines)
    assert body == b"abcde"
    lines, body = sent(request, Body((b"abc", b"0123456789abcdef"), None, "application/x-tar"))
    assert "Transfer-Encoding: chunked" in lines
    assert not any(line.startswith("Content-Length") for line in lines)
    assert body == b"3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"


def test_a_header_takes_the_place_of_a_default() -> None:
    headers = ["content-type: text/plain", "USER-AGENT: me", "accept: a", "accept: b"]
    lines, _ = sent(ApiRequest.parse("POST", "/x", (), headers), Body((b"a",), 1, "application/json"))
    assert set(headers) | {"Host: web1:2376", "Content-Length: 1", "Connection: close"} == set(lines[1:])


def test_a_query_in_bytes_that_are_no_utf8() -> None:
    assert ApiRequest.parse("GET", "/x", ["a=\udcff"]).target == "/x?a=%FF"


BAD = {
    "method": ("G T", "/x", [], []),
    "empty method": ("", "/x", [], []),
    "method that injects": ("GET / HTTP/1.1\r\nX:", "/x", [], []),
    "tunnel": ("connect", "/x", [], []),
    "relative path": ("GET", "x", [], []),
    "URL": ("GET", "http://evil/x", [], []),
    "path that injects": ("GET", "/x HTTP/1.1\r\nX: y", [], []),
    "fragment": ("GET", "/x#y", [], []),
    "path that is not ASCII": ("GET", "/\u00fc", [], []),
    "query without a value": ("GET", "/x", ["all"], []),
    "query without a name": ("GET", "/x", ["=1"], []),
    "header without a value": ("GET", "/x", [], ["X"]),
    "header without a name": ("GET", "/x", [], [": y"]),
    "header with a space": ("GET", "/x", [], ["X : y"]),
    "header that injects": ("GET", "/x", [], ["X: y\r\nZ: w"]),
    "header with a newline": ("GET", "/x", [], ["X: y\nZ: w"]),
    "header that ends a line": ("GET", "/x", [], ["X: y\r"]),
    "header with NUL": ("GET", "/x", [], ["X: \0"]),
    "header that is not ASCII": ("GET", "/x", [], ["X: \u00fc"]),
    "length": ("GET", "/x", [], ["content-LENGTH: 5"]),
    "coding": ("GET", "/x", [], ["Transfer-Encoding: chunked"]),
    "upgrade": ("POST", "/attach", [], ["Upgrade: tcp"]),
    "host": ("GET", "/x", [], ["Host: other"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_stand_in_a_request_is_refused(case: str) -> None:
    with pytest.raises(Refused) as refused:
        ApiRequest.parse(*BAD[case])
    (fault,) = refused.value.faults
    assert fault.hint
    assert fault.message.isprintable()


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        ApiRequest.parse("1", "x", ["a", "b"], ["c", "Host: d"])
    assert len(refused.value.faults) == 6


def test_an_answer_with_a_length() -> None:
    head, body = answer(OK + b"Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}more")
    assert (head.status, head.kind, head.is_json, body) == (200, "application/json", True, b"{}")
    assert head.headers == (("content-type", "Application/JSON; charset=utf-8"), ("content-length", "2"))


def test_an_answer_until_the_connection_ends() -> None:
    assert answer(OK + b"\r\nabc")[1] == b"abc"


def test_an_answer_in_chunks_with_extensions_and_trailers() -> None:
    raw = b"Transfer-Encoding: Chunked\r\n\r\n4;a=b\r\nabcd\r\n0A \r\n0123456789\r\n0\r\nX: y\r\n\r\nmore"
    assert answer(OK + raw)[1] == b"abcd0123456789"


@pytest.mark.parametrize(
    ("status", "method"), [("204 No Content", "GET"), ("304 Not Modified", "POST"), ("200 OK", "HEAD")]
)
def test_an_answer_that_has_no_body(status: str, method: str) -> None:
    assert answer(f"HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n".encode(), method)[1] == b""


def test_interim_answers_are_passed_over_and_have_an_end() -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
    assert answer(interim * 3 + b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na")[0].status == 201
    with pytest.raises(Garbled):
        answer(interim * 1000)


def test_another_protocol_is_no_interim_answer() -> None:
    assert answer(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n")[0].status == 101


GARBLED = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n",
    "HTTP/0.9": b"<html>\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "status of six hundred": b"HTTP/1.1 600 X\r\n\r\n",
    "bare newline": b"HTTP/1.1 200 OK\n\n",
    "endless line": b"HTTP/1.1 200 " + b"O" * LONGEST_LINE * 4,
    "endless header": OK + b"X: " + b"y" * LONGEST_LINE * 4,
    "endless headers": OK + b"X: y\r\n" * (MOST_HEADERS + 1) + b"\r\n",
    "folded header": OK + b"X: y\r\n z\r\n\r\n",
    "header with a space": OK + b"Content-Length : 5\r\n\r\n",
    "control character": OK + b"X: \x1b[2J\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "length and chunks": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "negative length": OK + b"Content-Length: -1\r\n\r\n",
    "length that is no number": OK + b"Content-Length: 5, 5\r\n\r\n",
    "length of other digits": OK + "Content-Length: \u00b2\r\n\r\n".encode("latin-1"),
    "unknown coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunk without a length": OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "chunk with a sign": OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "chunk of a length that is too long": OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n",
    "chunk that is longer": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "endless extension": OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * LONGEST_LINE * 2,
    "endless trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 1000,
}


@pytest.mark.parametrize("case", GARBLED)
def test_what_is_no_answer_or_has_no_end_is_refused(case: str) -> None:
    with pytest.raises(Garbled) as garbled:
        answer(GARBLED[case])
    assert str(garbled.value).isprintable()


WHOLE = {
    "length": OK + b"X: y\r\nContent-Length: 10\r\n\r\n0123456789",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nb\r\n0123456789a\r\n0\r\nX: y\r\n\r\n",
}


@pytest.mark.parametrize("case", WHOLE)
def test_an_answer_that_is_cut_anywhere_is_not_taken_for_whole(case: str) -> None:
    whole = WHOLE[case]
    answer(whole)
    for end in range(len(whole)):
        with pytest.raises(CutOff, match="closed by the server"):
            answer(whole[:end])


def test_two_lengths_that_agree_are_one() -> None:
    assert answer(OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab")[1] == b"ab"
