"""The phases of a rotation, as data: nobody who followed one phase is refused in the next."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath

import pytest

from dockertls.errors import NotReady
from dockertls.pki.rotation import FIRST, LAST, LAST_WAY_BACK, PHASES, Phase, Rotation

PATH = PurePosixPath("/etc/dockertls/ca/rotation.json")
ROTATION = Rotation("0001", "0002", 1, "2026-11-24T10:00:00Z")
NEXT = list(pairwise(PHASES))


def test_phases_are_numbered_in_order() -> None:
    assert [phase.number for phase in PHASES] == list(range(len(PHASES)))
    assert (PHASES[1], PHASES[-1]) == (FIRST, LAST)


@pytest.mark.parametrize(("now", "then"), NEXT, ids=lambda phase: str(phase.number))
def test_whoever_has_moved_on_and_whoever_has_not_trust_each_other(now: Phase, then: Phase) -> None:
    """Daemons and clients never move at one moment: each meets those of the phase before and of the phase after."""
    for daemon, client in ((now, then), (then, now), (then, then)):
        assert client.clients_show in daemon.daemons_trust
        assert daemon.daemons_show in client.clients_trust


@pytest.mark.parametrize(("now", "then"), NEXT, ids=lambda phase: str(phase.number))
def test_daemons_restart_when_what_they_read_changes(now: Phase, then: Phase) -> None:
    before, after = (now.daemons_trust, now.daemons_show), (then.daemons_trust, then.daemons_show)
    assert then.restarts is (before != after)


def test_nothing_is_dropped_before_the_last_way_back() -> None:
    kept = [phase for phase in PHASES if "old" in phase.daemons_trust and "old" in phase.clients_trust]
    assert [phase.number for phase in kept] == list(range(LAST_WAY_BACK + 1))


def test_the_last_phase_knows_nothing_of_the_old_one() -> None:
    assert LAST.trusts("server") == LAST.trusts("client") == ("new",)
    assert LAST.shows("server") == LAST.shows("client") == "new"


def test_a_rotation_is_read_back() -> None:
    told = replace(ROTATION, phase=3, compromised=True, locked_out=("client ann",))
    assert Rotation.parse(told.text, PATH) == told
    assert not told.waits_for("client", "ann")
    assert told.waits_for("server", "ann")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        ROTATION.text.replace(b'"phase": 1', b'"phase": 0'),
        ROTATION.text.replace(b'"phase": 1', b'"phase": 5'),
        ROTATION.text.replace(b'"phase": 1', b'"phase": "1"'),
        ROTATION.text.replace(b'"phase": 1', b'"phase": true'),
        ROTATION.text.replace(b'"compromised": false', b'"compromised": 0'),
        ROTATION.text.replace(b'"locked_out": []', b'"locked_out": "ann"'),
        ROTATION.text.replace(b'"locked_out": []', b'"locked_out": [1]'),
        ROTATION.text.replace(b'"0002"', b'"0001"'),
        ROTATION.text.replace(b'"0001"', b'"../x"'),
        ROTATION.text.replace(b'"old"', b'"elder"'),
        ROTATION.text.replace(b"rotation/1", b"rotation/2"),
    ],
)
def test_what_makes_no_sense_is_refused(content: bytes) -> None:
    with pytest.raises(NotReady, match=r"rotation\.json"):
        Rotation.parse(content, PATH)
