"""Whom a phase would lock out, from what is known of everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockertls.cli.parties import Party, blocks
from dockertls.pki.rotation import BOTH, PHASES, Rotation

ROTATION = Rotation("0001", "0002", 1, "2026-11-24T10:00:00Z")
LATE_CLIENT = Party("client", "ann", here=False, trusts=("old",), shows="old")
WIDE_CLIENT = replace(LATE_CLIENT, trusts=BOTH)
NEW_CLIENT = replace(LATE_CLIENT, trusts=BOTH, shows="new")
LATE_SERVER = Party("server", "web2", here=False, trusts=("old",), shows="old")
WIDE_SERVER = replace(LATE_SERVER, trusts=BOTH)
NEW_SERVER = replace(LATE_SERVER, trusts=BOTH, shows="new")


@pytest.mark.parametrize(
    ("party", "good"),
    [
        (LATE_CLIENT, {0, 1, 2}),
        (WIDE_CLIENT, {0, 1, 2, 3, 4}),
        (NEW_CLIENT, {1, 2, 3, 4, 5}),
        (LATE_SERVER, {0, 1}),
        (WIDE_SERVER, {0, 1, 2, 3}),
        (NEW_SERVER, {1, 2, 3, 4, 5}),
        (replace(NEW_CLIENT, trusts=("new",)), {3, 4, 5}),
        (replace(NEW_SERVER, trusts=("new",)), {2, 3, 4, 5}),
    ],
)
def test_a_phase_that_somebody_elsewhere_cannot_live_with_waits_for_him(party: Party, good: set[int]) -> None:
    assert {phase.number for phase in PHASES if not blocks([party], ROTATION, phase)} == good


def test_whoever_is_here_follows_every_phase() -> None:
    here = replace(LATE_CLIENT, here=True)
    assert not any(blocks([here], ROTATION, phase) for phase in PHASES)


def test_nobody_waits_for_whom_is_locked_out() -> None:
    locked = replace(ROTATION, locked_out=("client ann",))
    assert [one.name for one in blocks([LATE_CLIENT, LATE_SERVER], locked, PHASES[3])] == ["web2"]


def test_what_could_not_be_looked_at_is_never_taken_for_fine() -> None:
    folder = Party("folder", "/home/ann/.docker", here=False, trusts=(), shows="old", fault="it is a link")
    for phase in PHASES[1:]:
        (block,) = blocks([folder], ROTATION, phase)
        assert "it is a link" in block.why
    locked = replace(ROTATION, locked_out=("folder /home/ann/.docker",))
    assert not blocks([folder], locked, PHASES[1])
