"""The law of an export: whatever happens to the file, what is read from it is what was written, or it is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from dockertls.errors import Refused
from dockertls.pki.backup import MANIFEST, Backup, pack, unpack
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA

law = settings(max_examples=300, deadline=None)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = generate("ecdsa-p256")
PEM = certificate_pem([issue(Request(CA, "authority"), KEY, None, now=NOW, serial=1).certificate])
BACKUP = Backup("0001", {"0001/cert.pem": PEM, "0001/key.pem": private_pem(KEY), "trust.pem": PEM})
CONTENT = pack(BACKUP)


def test_what_is_written_is_read() -> None:
    assert unpack(CONTENT) == BACKUP


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@law
def test_a_byte_that_is_changed_is_found_or_does_not_matter(place: int, change: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= change
    with suppress(Refused):
        assert unpack(bytes(changed)) == BACKUP


@given(st.integers(0, len(CONTENT)), st.binary(max_size=600))
@law
def test_a_file_that_is_cut_off_and_goes_on_otherwise(length: int, rest: bytes) -> None:
    with suppress(Refused):
        assert unpack(CONTENT[:length] + rest) == BACKUP


@given(st.binary(max_size=2000))
@law
def test_anything_that_begins_like_an_export_is_refused(rest: bytes) -> None:
    with suppress(Refused):
        assert unpack(MANIFEST.encode() + b"\0" + rest) == BACKUP
