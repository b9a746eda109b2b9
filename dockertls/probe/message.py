"""HTTP/1.1 as Docker's remote API speaks it (RFC 9112): a request as bytes, an answer's head, its body as it comes.

Values and readers only: who sends and receives is `probe.request`. Python's own http.client takes as long to load as a
whole request, and tells a body that was cut off from one that has ended only where its length was said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dockertls.errors import Fault, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Headers = tuple[tuple[str, str], ...]

BLOCK = 64 * 1024
"""Bytes that are handed on at once."""

LONGEST_LINE = 16 * 1024
MOST_HEADERS = 128
MOST_INTERIM = 8
"""Answers of 1xx before the real one."""

_METHOD = re.compile(r"[A-Za-z]{1,20}")
_TARGET = re.compile(r"/[!-~]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:")
"""What stands in a query as it is (RFC 3986, section 3.4)."""

_OURS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that say where a message ends and how long its connection lives."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [\t -~\x80-\xff]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t -~\x80-\xff]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_BODILESS = frozenset({204, 304})


class Reader(Protocol):
    """What an answer is read from: an io.BufferedReader."""

    def read1(self, size: int, /) -> bytes:
        """What is there, of this size at most; nothing: the connection has ended."""

    def readline(self, size: int, /) -> bytes:
        """A line with its end, or this much of it."""


class Garbled(ValueError):
    """What came is not HTTP/1.1, or more of it than any daemon sends."""


class CutOff(ValueError):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Body:
    """What a request brings along.

    Attributes:
        parts: its bytes, none of them empty.
        length: how many bytes they are together; None: that is not known before they have been read.
        kind: the Content-Type, unless a header says another one.
    """

    parts: Iterable[bytes]
    length: int | None
    kind: str


@dataclass(frozen=True)
class ApiRequest:
    """What is asked, in words that can stand in a request.

    Attributes:
        method: such as "GET".
        target: path and query.
        headers: those of the user.
    """

    method: str
    target: str
    headers: Headers = ()

    @classmethod
    def parse(cls, method: str, path: str, query: Sequence[str] = (), headers: Sequence[str] = ()) -> ApiRequest:
        """Read the words of a user.

        Args:
            method: letters, of either case.
            path: such as /containers/json, percent-encoded where it must be; it may have a query.
            query: each `K=V`, as it is meant: it is percent-encoded here.
            headers: each `Name: value`.

        Raises:
            Refused: with everything that cannot stand in a request.
        """
        fields = [_header(text) for text in headers]
        pairs = [_pair(text) for text in query]
        wrong = (one for one in (*pairs, *fields) if isinstance(one, Fault))
        refuse("the request", [*_method_faults(method), *_path_faults(path), *wrong])
        mark = "&" if "?" in path else "?"
        added = mark + "&".join(one for one in pairs if isinstance(one, str)) if pairs else ""
        return cls(method.upper(), path + added, tuple(one for one in fields if isinstance(one, tuple)))

    def sent(self, host: str, body: Body | None) -> Iterator[bytes]:
        """The request as bytes, a part at a time.

        Args:
            host: for the Host header.
            body: None: there is none.
        """
        yield "".join(
            f"{name}: {value}\r\n" if name else f"{value}\r\n" for name, value in self._lines(host, body)
        ).encode()
        if body is None:
            return
        if body.length is not None:
            yield from body.parts
            return
        for part in body.parts:
            yield b"%x\r\n%b\r\n" % (len(part), part)
        yield b"0\r\n\r\n"

    def _lines(self, host: str, body: Body | None) -> Iterator[tuple[str, str]]:
        yield "", f"{self.method} {self.target} HTTP/1.1"
        yield "Host", host
        named = {name.lower() for name, _ in self.headers}
        defaults = (("User-Agent", "dockertls"), ("Accept", "*/*"), *((("Content-Type", body.kind),) if body else ()))
        yield from ((name, value) for name, value in defaults if name.lower() not in named)
        yield from self.headers
        if body and body.length is None:
            yield "Transfer-Encoding", "chunked"
        elif body or self.method not in {"GET", "HEAD", "DELETE"}:
            yield "Content-Length", str(body.length if body else 0)
        yield "Connection", "close"
        yield "", ""


def _method_faults(method: str) -> Iterator[Fault]:
    if not _METHOD.fullmatch(method):
        yield Fault(f"{visible(method)!r} is no method", "it is one word of letters, such as GET, POST or DELETE")
    elif method.upper() == "CONNECT":
        yield Fault("CONNECT opens a tunnel, and is no request to the API", "take GET, POST, PUT, HEAD or DELETE")


def _path_faults(path: str) -> Iterator[Fault]:
    if not path.startswith("/"):
        yield Fault(f"path {visible(path)!r} does not begin with /", "write it as /containers/json")
    elif not _TARGET.fullmatch(path) or "#" in path:
        hint = "percent-encode spaces, # and what is not ASCII; values of a query are better given by --query K=V"
        yield Fault(f"path {visible(path)!r} cannot stand in a request", hint)


def _pair(text: str) -> str | Fault:
    key, mark, value = text.partition("=")
    if not mark or not key:
        return Fault(f"query {visible(text)!r} is not K=V", "write it as all=1; an empty value as filters=")
    return f"{_encoded(key)}={_encoded(value)}"


def _encoded(text: str) -> str:
    """Percent-encoded; bytes of the command line that are no UTF-8 stay what they are."""
    raw = text.encode("utf-8", "surrogateescape")
    return "".join(chr(one) if one in _UNRESERVED else f"%{one:02X}" for one in raw)


def _header(text: str) -> tuple[str, str] | Fault:
    name, mark, value = text.partition(":")
    if not mark or not _NAME.fullmatch(name):
        return Fault(f"header {visible(text)!r} is not Name: value", "write it as 'Content-Type: application/x-tar'")
    if not _VALUE.fullmatch(value):
        return Fault(f"header {name} has a control character, or one that is not ASCII", "write its value in ASCII")
    if name.lower() in _OURS:
        return Fault(f"header {name} is not to be chosen: it says how the connection is used", "leave it out")
    return name, value.strip(" \t")


@dataclass(frozen=True)
class Head:
    """The head of an answer.

    Attributes:
        status: such as 200.
        headers: name in lower case and value, as they came.
        length: bytes of the body, where that is said; 0 if there can be none.
        chunked: whether the body comes in chunks, and tells its end itself.
    """

    status: int
    headers: Headers
    length: int | None
    chunked: bool

    @property
    def kind(self) -> str:
        """The type of the body, without its parameters; empty: nothing is said."""
        found = dict(reversed(self.headers)).get("content-type", "")
        return found.partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON, or a stream of such documents."""
        return self.kind == "application/json" or self.kind.endswith(("+json", "json-seq", "ndjson"))


def head_of(reader: Reader, method: str) -> Head:
    """Read the head of an answer; interim ones (1xx) before it are passed over.

    Args:
        reader: stands at the beginning of an answer.
        method: of the request.

    Returns:
        The head; with status 101 the connection speaks HTTP no longer.

    Raises:
        CutOff: if the connection ends before it does.
        Garbled: if it is no HTTP, or has no end.
    """
    for _ in range(MOST_INTERIM):
        status, headers = _status(reader), _fields(reader)
        if status >= 200 or status == 101:  # noqa: PLR2004 - RFC 9110, section 15
            return _head(status, headers, method)
    raise Garbled("there is no end to its interim answers")


def _status(reader: Reader) -> int:
    line = _line(reader, "before it answered")
    found = _STATUS.fullmatch(line)
    if not found:
        raise Garbled(f"what answers does not speak HTTP: {visible(line[:60].decode('latin-1'))!r}")
    return int(found[1])


def _fields(reader: Reader) -> Headers:
    found: list[tuple[str, str]] = []
    while line := _line(reader, "in the head of its answer"):
        match = _FIELD.fullmatch(line)
        if not match or len(found) == MOST_HEADERS:
            raise Garbled("its headers have no end" if match else "a header of its answer cannot be read")
        found.append((match[1].decode().lower(), match[2].strip(b" \t").decode("latin-1")))
    return tuple(found)


def _head(status: int, headers: Headers, method: str) -> Head:
    """What the headers say of where the body ends (RFC 9112, section 6.3); what can be read in two ways is refused."""
    codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
    lengths = {value for name, value in headers if name == "content-length"}
    if codings not in ([], ["chunked"]):
        raise Garbled("its answer is coded in a way that is not known here")
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)) or (codings and lengths):
        raise Garbled("its answer has more than one length, or one that is no number")
    if method == "HEAD" or status in _BODILESS:
        return Head(status, headers, 0, chunked=False)
    return Head(status, headers, int(lengths.pop()) if lengths else None, chunked=bool(codings))


def body_of(head: Head, reader: Reader) -> Iterator[bytes]:
    """The body of an answer, part by part as it comes.

    Raises:
        CutOff: if the connection ends before the body does.
        Garbled: if its chunks cannot be read.
    """
    if head.chunked:
        yield from _chunks(reader)
    elif head.length is not None:
        yield from _exactly(reader, head.length)
    else:
        yield from iter(lambda: reader.read1(BLOCK), b"")


def _chunks(reader: Reader) -> Iterator[bytes]:
    while size := _chunk_size(reader):
        yield from _exactly(reader, size)
        if _line(reader, "between two chunks of its answer"):
            raise Garbled("a chunk of its answer is longer than it says")
    for _ in range(MOST_HEADERS):
        if not _line(reader, "at the end of its answer"):
            return
    raise Garbled("what follows its answer has no end")


def _chunk_size(reader: Reader) -> int:
    found = _SIZE.fullmatch(_line(reader, "in the middle of its answer"))
    if not found:
        raise Garbled("a chunk of its answer has no length")
    return int(found[1], 16)


def _exactly(reader: Reader, length: int) -> Iterator[bytes]:
    left = length
    while left:
        part = reader.read1(min(left, BLOCK))
        if not part:
            raise CutOff(f"the connection was closed by the server after {length - left} of {length} bytes")
        left -= len(part)
        yield part


def _line(reader: Reader, where: str) -> bytes:
    """One line, without its end."""
    line = reader.readline(LONGEST_LINE)
    if line.endswith(b"\r\n"):
        return line[:-2]
    if len(line) < LONGEST_LINE and not line.endswith(b"\n"):
        raise CutOff(f"the connection was closed by the server {where}")
    raise Garbled("a line of its answer has no end" if len(line) == LONGEST_LINE else f"a line ends wrongly {where}")
