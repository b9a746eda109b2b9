"""ASN.1 by its heads alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockertls.pki import ber


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x30\x00", ber.Head(0x30, 2, 2)),
        (b"\x02\x01\x05rest", ber.Head(2, 2, 3)),
        (b"\x04\x81\x80" + bytes(128), ber.Head(4, 3, 131)),
        (b"\x04\x82\x01\x00" + bytes(256), ber.Head(4, 4, 260)),
        (b"\x30\x80\x00\x00", ber.Head(0x30, 2, None)),
        (b"\x7f\x21\x00", ber.Head(0x7F, 3, 3)),
    ],
)
def test_heads(data: bytes, expected: ber.Head) -> None:
    assert ber.head(data, 0) == expected


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x05abc", b"\x30\x82\x01", b"\x1f", b"\x1f\xff", b"\x30\x84\xff\xff"]
)
def test_what_is_cut_off(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        ber.head(data, 0)
    assert ber.labels_of(data) == ()
    assert ber.rounds(data) == 0


def test_the_first_value_alone() -> None:
    assert ber.first_value(b"\x04\x01a\x04\x01b") == b"\x04\x01a"


SALTED = b"\x04\x02ab\x02\x02\x10\x00"
CHUNKED = b"\x24\x80\x04\x01a\x04\x01b\x00\x00\x02\x02\x10\x00"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x30\x08" + SALTED, 0x1000),
        (b"\x30\x80" + SALTED + SALTED + b"\x00\x00", 0x2000),
        (CHUNKED, 0x1000),
        (b"\x04\x0a\x30\x08" + SALTED, 0x1000),
        (b"\x24\x80\x04\x05\x30\x08\x04\x02a\x04\x05b\x02\x02\x10\x00\x00\x00", 0x1000),
        (SALTED + b"\x02\x01\x20", 0x1000),
        (SALTED + b"\x02\x01\x03\x02\x01\x02\x02\x01\x20\x30\x00", 8 * 0x1000 * 3 * 2),
        (b"\x02\x01\x05\x04\x02ab", 0),
        (b"\x04\x02ab\x30\x00\x02\x01\x05", 0),
    ],
)
def test_rounds_are_seen_wherever_they_stand(data: bytes, expected: int) -> None:
    assert ber.rounds(data) == expected


@given(st.binary())
def test_anything_is_looked_at_without_an_error(data: bytes) -> None:
    assert ber.rounds(data) >= 0
    assert len(ber.labels_of(data)) in {0, 1, 3}
