"""The authorities that a server names: read whole, and whatever comes nothing but Malformed is raised."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from dockertls.probe.authorities import Malformed, named, readable


def name(**attributes: str) -> bytes:
    kinds = {"cn": NameOID.COMMON_NAME, "o": NameOID.ORGANIZATION_NAME, "mail": NameOID.EMAIL_ADDRESS}
    return x509.Name([x509.NameAttribute(kinds[kind], value) for kind, value in attributes.items()]).public_bytes()


def vector(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width) + content


def listed(*names: bytes) -> bytes:
    return vector(2, b"".join(vector(2, one) for one in names))


def tls12(*names: bytes) -> bytes:
    return vector(1, b"\x01\x40") + vector(2, b"\x04\x03\x08\x04") + listed(*names)


def tls13(*names: bytes) -> bytes:
    others = b"\x00\x0d" + vector(2, vector(2, b"\x04\x03"))
    return vector(1, b"") + vector(2, others + (b"\x00\x2f" + vector(2, listed(*names)) if names else b""))


OURS, THEIRS = name(cn="ours"), name(o="Example GmbH", cn="thé CA")


@pytest.mark.parametrize("names", [(), (OURS,), (OURS, THEIRS), (b"",)])
def test_names_in_either_version(names: tuple[bytes, ...]) -> None:
    assert named(tls12(*names), "TLSv1.2") == names
    assert named(tls13(*names), "TLSv1.3") == names


@pytest.mark.parametrize(
    ("der", "text"),
    [
        (OURS, "CN=ours"),
        (THEIRS, "O=Example GmbH,CN=thé CA"),
        (name(mail="ca@example.org"), "OID 2a864886f70d010901=ca@example.org"),
        (name(cn="\x1b[31mred"), "CN=\\x1b[31mred"),
        (x509.Name([]).public_bytes(), "a name without anything in it"),
        (b"", "a name that cannot be read"),
        (b"\x30\x84\xff\xff\xff\xff", "a name that cannot be read"),
        (OURS[:-3], "a name that cannot be read"),
    ],
)
def test_names_for_people(der: bytes, text: str) -> None:
    assert readable(der) == text


@given(st.binary(max_size=200))
def test_whatever_comes(data: bytes) -> None:
    for version in ("TLSv1.2", "TLSv1.3"):
        with contextlib.suppress(Malformed):
            for one in named(data, version):
                assert isinstance(one, bytes)
    assert readable(data).isprintable()


@given(st.integers(min_value=0, max_value=200))
def test_cut_anywhere(cut: int) -> None:
    whole = tls12(OURS, THEIRS)
    for version, data in (("TLSv1.2", whole), ("TLSv1.3", tls13(OURS, THEIRS))):
        with pytest.raises(Malformed) if cut < len(data) else contextlib.nullcontext():
            named(data[:cut], version)
