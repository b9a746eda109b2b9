"""The authorities that a server names when it asks for a client's certificate: bytes of TLS -> names.

TLS 1.2 has them in the CertificateRequest itself (RFC 5246, section 7.4.4), TLS 1.3 in its extension
certificate_authorities (RFC 8446, sections 4.3.2 and 4.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CERTIFICATE_AUTHORITIES = 47
_SEQUENCE, _SET, _OBJECT_IDENTIFIER = 0x30, 0x31, 0x06
_LONG = 0x80
_WIDE_STRINGS = MappingProxyType({0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x0C: "utf-8"})
_KINDS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x55\x04\x03": "CN",
        b"\x55\x04\x06": "C",
        b"\x55\x04\x07": "L",
        b"\x55\x04\x08": "ST",
        b"\x55\x04\x0a": "O",
        b"\x55\x04\x0b": "OU",
    }
)
"""Attributes of names by their object identifiers (X.520), DER."""


class Malformed(ValueError):
    """It is not what TLS says that it is."""


@dataclass(frozen=True)
class _Bytes:
    """A cursor: what is left to be read."""

    left: bytes

    def take(self, count: int) -> tuple[bytes, _Bytes]:
        """So many bytes, and what follows."""
        if len(self.left) < count:
            raise Malformed("it is cut off")
        return self.left[:count], _Bytes(self.left[count:])

    def vector(self, width: int) -> tuple[bytes, _Bytes]:
        """Bytes after their length, which takes `width` bytes (RFC 8446, section 3.4)."""
        size, rest = self.take(width)
        return rest.take(int.from_bytes(size))


def named(request: bytes, version: str) -> tuple[bytes, ...]:
    """The names in a CertificateRequest, DER each; none where the server names none.

    Args:
        request: its body.
        version: "TLSv1.2" or "TLSv1.3".

    Raises:
        Malformed: if it cannot be read.
    """
    return tuple(_names(_of_tls13(request) if version == "TLSv1.3" else _of_tls12(request)))


def _of_tls12(request: bytes) -> bytes:
    _, rest = _Bytes(request).vector(1)  # kinds of certificates
    _, rest = rest.vector(2)  # signature algorithms
    return rest.vector(2)[0]


def _of_tls13(request: bytes) -> bytes:
    _, rest = _Bytes(request).vector(1)  # context
    extensions = _Bytes(rest.vector(2)[0])
    while extensions.left:
        kind, extensions = extensions.take(2)
        content, extensions = extensions.vector(2)
        if int.from_bytes(kind) == _CERTIFICATE_AUTHORITIES:
            return _Bytes(content).vector(2)[0]
    return b""


def _names(listed: bytes) -> Iterator[bytes]:
    rest = _Bytes(listed)
    while rest.left:
        name, rest = rest.vector(2)
        yield name


def readable(name: bytes) -> str:
    """A name for people, such as "CN=docker CA,O=example" (X.501; RFC 4514 orders it the other way round)."""
    try:
        sequence, _ = _element(_Bytes(name), _SEQUENCE)
        return ",".join(_attributes(sequence)) or "a name without anything in it"
    except Malformed:
        return "a name that cannot be read"


def _attributes(name: bytes) -> Iterator[str]:
    rest = _Bytes(name)
    while rest.left:
        relative, rest = _element(rest, _SET)
        pair, _ = _element(_Bytes(relative), _SEQUENCE)
        kind, after = _element(_Bytes(pair), _OBJECT_IDENTIFIER)
        tag = after.take(1)[0][0]
        value, _ = _element(after, tag)
        yield f"{_KINDS.get(kind, 'OID ' + kind.hex())}={_text(value, tag)}"


def _element(data: _Bytes, tag: int) -> tuple[bytes, _Bytes]:
    """The content of a DER element (X.690, section 8.1), and what follows it."""
    head, rest = data.take(2)
    if head[0] != tag:
        raise Malformed("it is not a name")
    if head[1] < _LONG:
        return rest.take(head[1])
    size, rest = rest.take(head[1] - _LONG)
    return rest.take(int.from_bytes(size))


def _text(value: bytes, tag: int) -> str:
    return visible(value.decode(_WIDE_STRINGS.get(tag, "latin-1"), "replace"))
