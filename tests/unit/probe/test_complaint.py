"""What the API says of a failure, in a body or at the end of a stream."""

from __future__ import annotations

import pytest

from dockertls.probe.complaint import LONGEST_LINE, complaint, last_line, message_of


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message":"No such container: x"}\n', "No such container: x"),
        (b"404 page not found\n", "404 page not found"),
        (b'{"message": 5}', '{"message": 5}'),
        (b'["message"]', '["message"]'),
        (b"", ""),
        (b'{"message":"\\u001b[2J\\r\\n"}', r"\x1b[2J"),
        (b"\xff\x00", r"\xff\x00"),
        (b"[" * 100_000, "[" * 4096 + " ..."),
    ],
)
def test_the_words_of_an_error(body: bytes, said: str) -> None:
    assert message_of(body) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"errorDetail":{"code":1,"message":"it failed"},"error":"it failed"}\r\n', "it failed"),
        (b'{"errorDetail":{"message":"it failed"}}', "it failed"),
        (b'{"error":"manifest unknown"}', "manifest unknown"),
        (b'{"error":{"code":5}}', "the stream ends with an error that does not say why"),
        (b'{"errorDetail":{}}', "the stream ends with an error that does not say why"),
        (b'{"Error":null,"StatusCode":0}', ""),
        (b'{"error":""}', ""),
        (b'{"stream":"error"}', ""),
        (b'[{"error":"x"}]', ""),
        (b"error", ""),
        (b"", ""),
        (b"{" * 100_000, ""),
    ],
)
def test_a_stream_that_ends_with_an_error(line: bytes, said: str) -> None:
    assert complaint(line) == said


def kept(*parts: bytes) -> bytes:
    line = b""
    for part in parts:
        line = last_line(line, part)
        assert len(line) <= LONGEST_LINE
    return line.strip()


def test_the_last_line_however_it_comes() -> None:
    stream = b'{"a":1}\r\n\r\n{"b":2}\n{"error":"x"}\r\n\r\n'
    assert kept(stream) == b'{"error":"x"}'
    assert kept(*(stream[at : at + 1] for at in range(len(stream)))) == b'{"error":"x"}'
    assert kept(b'{"error":"x"}\n', b'{"stream":"y"}') == b'{"stream":"y"}'
    assert kept(b"\n", b"") == b""


def test_a_line_without_end_is_not_kept_whole_nor_taken_for_a_complaint() -> None:
    long = kept(*[b'{"error":"' + b"x" * LONGEST_LINE] * 5)
    assert complaint(long) == ""
    assert kept(b"x" * LONGEST_LINE * 3, b"\n", b'{"error":"y"}\n') == b'{"error":"y"}'
