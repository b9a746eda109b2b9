"""ASN.1 as it lies in files (X.690): what something is by its shape, and how much work it asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INTEGER, OCTETS, SEQUENCE = 0x02, 0x04, 0x30
_CONSTRUCTED, _LONG_TAG, _LONG_LENGTH, _NO_LENGTH = 0x20, 0x1F, 0x80, 0x80
_OF_SCRYPT = 8
"""Rounds that each of its steps is worth: it takes as long as one, and 128 bytes of memory."""

_DEEPEST = 4
"""Octet strings within octet strings: PKCS#12 has three, and more must not keep us busy."""

_BITS, _OID, _FIRST, _SECOND = 0x03, 0x06, 0xA0, 0xA1
_SHAPES: Mapping[tuple[int, ...], tuple[str, ...]] = MappingProxyType(
    {
        (SEQUENCE, SEQUENCE, _BITS): ("CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL"),
        (SEQUENCE, _BITS): ("PUBLIC KEY",),
        (SEQUENCE, OCTETS): ("ENCRYPTED PRIVATE KEY",),
        (INTEGER, INTEGER): ("RSA PUBLIC KEY",),
        (INTEGER, INTEGER, INTEGER): ("RSA PRIVATE KEY",),
        (INTEGER, SEQUENCE, OCTETS): ("PRIVATE KEY",),
        (INTEGER, OCTETS): ("EC PRIVATE KEY",),
        (INTEGER, OCTETS, _FIRST): ("EC PRIVATE KEY",),
        (INTEGER, OCTETS, _SECOND): ("EC PRIVATE KEY",),
        (INTEGER, SEQUENCE): ("PKCS12",),
        (INTEGER, SEQUENCE, SEQUENCE): ("PKCS12",),
        (_OID, _FIRST): ("PKCS7",),
    }
)
"""The labels of RFC 7468 that something may have, by the tags of its first three parts."""


@dataclass(frozen=True)
class Head:
    """The head of one value: its tag, and where its content begins and ends; without an end where none is told."""

    tag: int
    start: int
    end: int | None


def head(data: bytes, at: int) -> Head:
    """The head of the value that begins there.

    Raises:
        ValueError: if there is none, or its content is cut off.
    """
    try:
        tag, place = data[at], at + 1
        while tag & _LONG_TAG == _LONG_TAG and data[place] & _LONG_LENGTH:
            place += 1
        place += tag & _LONG_TAG == _LONG_TAG
        first, place = data[place], place + 1
    except IndexError as error:
        raise ValueError("it is cut off") from error
    if first == _NO_LENGTH:
        return Head(tag, place, None)
    more = first & 0x7F if first & _LONG_LENGTH else 0
    length = int.from_bytes(data[place : place + more]) if more else first
    if place + more + length > len(data):
        raise ValueError("it is cut off")
    return Head(tag, place + more, place + more + length)


def first_value(data: bytes) -> bytes:
    """The first value alone, where more follows it. Raises ValueError."""
    return data[: head(data, 0).end]


def labels_of(data: bytes) -> tuple[str, ...]:
    """What a file of DER may be, as the labels of PEM name it; none: its shape is that of nothing known."""
    try:
        outer = head(data, 0)
        if outer.tag != SEQUENCE:
            return ()
        tags = tuple(_tags(data, outer))
    except ValueError:
        return ()
    return next((found for shape, found in _SHAPES.items() if tags == shape), ())


def _tags(data: bytes, outer: Head) -> Iterator[int]:
    """The tags of the first three parts."""
    at, end = outer.start, len(data) if outer.end is None else outer.end
    for _ in range(3):
        if at >= end or data[at] == 0:
            return
        part = head(data, at)
        yield part.tag
        if part.end is None:  # where it ends is not told: what comes after it is not looked for
            return
        at = part.end


def rounds(data: bytes) -> int:
    """How many rounds of derivation something asks for, as far as that can be read without its passphrase.

    A salt and then a number: so they stand in PBEParameter and PBKDF2-params (RFC 8018, appendixes A.1 and A.2), in
    pkcs-12PbeParams and in MacData (RFC 7292, appendix C and section 4). Three numbers are those of scrypt (RFC 7914),
    whose work is told in rounds too.
    """
    return sum(_rounds(data, _DEEPEST))


def _rounds(data: bytes, deepest: int) -> Iterator[int]:
    octets, numbers, salted = bytearray(), list[int](), False
    for tag, content in _values(data):
        if tag == INTEGER and salted:
            numbers.append(int.from_bytes(content))
            continue
        yield _work(numbers)
        numbers, salted = [], tag == OCTETS
        if tag == OCTETS:
            octets += content
        elif octets:
            yield from _within(octets, deepest)
            octets = bytearray()
    yield _work(numbers)
    yield from _within(octets, deepest)


def _work(numbers: Sequence[int]) -> int:
    """The rounds that the numbers after a salt stand for; PBKDF2 has the length of the key after its own."""
    if len(numbers) < 3:  # noqa: PLR2004 - scrypt has cost, block size and parallelization
        return numbers[0] if numbers else 0
    return _OF_SCRYPT * math.prod(numbers[:3])


def _within(octets: bytearray, deepest: int) -> Iterator[int]:
    if deepest and octets[:1] == bytes([SEQUENCE]):
        yield from _rounds(bytes(octets), deepest - 1)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every value that holds no other, and the tag of every one that does, in their order; until one is cut off."""
    at = 0
    while at < len(data):
        try:
            found = head(data, at)
        except ValueError:
            return
        if found.tag & _CONSTRUCTED or found.end is None:
            yield found.tag, b""
            at = found.start
        else:
            if found.tag:  # a pair of zeros ends what has no length
                yield found.tag, data[found.start : found.end]
            at = found.end
