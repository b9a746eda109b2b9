"""What can be asked to be revoked, and that every fault of it is told."""

from __future__ import annotations

import pytest

from dockertls.cli.revoking import Wish, parse_wish
from dockertls.errors import Refused


@pytest.mark.parametrize(
    ("text", "reason", "wish"),
    [
        ("ann", None, Wish("ann", "ann", None, "unspecified")),
        ("ann", "keyCompromise", Wish("ann", "ann", None, "keyCompromise")),
        ("ann", "KEYCOMPROMISE", Wish("ann", "ann", None, "keyCompromise")),
        ("ab12", None, Wish("ab12", "ab12", 0xAB12, "unspecified")),
        ("AB:12", "superseded", Wish("AB:12", "", 0xAB12, "superseded")),
        ("0" + "a" * 70, None, None),
    ],
)
def test_a_name_a_serial_number_or_what_may_be_either(text: str, reason: str | None, wish: Wish | None) -> None:
    if wish is None:
        with pytest.raises(Refused):
            parse_wish(text, reason)
    else:
        assert parse_wish(text, reason) == wish


@pytest.mark.parametrize("reason", ["", "stolen", "certificateHold", "removeFromCRL"])
def test_a_reason_that_there_is_not(reason: str) -> None:
    with pytest.raises(Refused, match="is no reason") as refused:
        parse_wish("ann", reason)
    assert "keyCompromise" in refused.value.hint


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        parse_wish("-a b/", "stolen")
    told = " ".join(fault.message for fault in refused.value.faults)
    assert [word for word in ("stolen", "space", "begins with -") if word not in told] == []
    assert all(fault.hint for fault in refused.value.faults)


def test_half_a_serial_number_is_not_taken_for_a_name() -> None:
    with pytest.raises(Refused, match='"ab:1" is no serial number'):
        parse_wish("ab:1", None)
