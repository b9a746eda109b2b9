"""What is known of copies on other machines."""

from __future__ import annotations

from pathlib import PurePosixPath as Path

import pytest

from dockertls.errors import NotReady
from dockertls.pki.elsewhere import Elsewhere
from dockertls.pki.store import Generation

PATH = Path("/etc/dockertls/clients/ann/elsewhere.json")
FIRST, SECOND = (Generation("client", "ann", PATH.parent / number, b"", b"") for number in ("0001", "0002"))


def test_what_was_confirmed_is_known() -> None:
    known = Elsewhere().handing(FIRST, {"A"}, "2026-11-24T10:00:00Z").confirming(FIRST, {"A"})
    assert (known.confirmed, known.trusts, known.carried) == ("0001", ("A",), ("A",))


def test_handing_out_the_same_again_is_no_news() -> None:
    known = Elsewhere().handing(FIRST, {"A"}, "2026-11-24T10:00:00Z")
    assert known.handing(FIRST, {"A"}, "2026-11-25T10:00:00Z") is known
    assert known.handing(FIRST, {"A", "B"}, "2026-11-25T10:00:00Z").carried == ("A", "B")
    assert known.handing(SECOND, {"A"}, "2026-11-25T10:00:00Z").handed == "0002"


def test_it_is_read_back() -> None:
    known = Elsewhere("0002", "2026-11-24T10:00:00Z", "0001", ("A", "B"))
    assert Elsewhere.parse(known.text, PATH) == known


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"schema": "dockertls/elsewhere/2"}',
        b'{"schema": "dockertls/elsewhere/1", "x": 1}',
        Elsewhere(trusts=("A",)).text.replace(b'"handed": ""', b'"handed": 3'),
        Elsewhere().text.replace(b'"trusts": []', b'"trusts": "abc"'),
        Elsewhere().text.replace(b'"trusts": []', b'"trusts": [true]'),
    ],
)
def test_what_makes_no_sense_is_refused(content: bytes) -> None:
    with pytest.raises(NotReady, match=r"elsewhere\.json"):
        Elsewhere.parse(content, PATH)
