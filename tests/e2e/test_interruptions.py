"""Killed, interrupted and concurrent runs: the host and the store are whole, and the next run succeeds."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from dockertls.host import LocalHost
from dockertls.journal import history
from dockertls.pki import rotation
from dockertls.pki.keys import load_certificates, load_private, matches
from tests.e2e.program import PATIENCE, Place, Ran, command, environment, judged
from tests.e2e.whole import assert_whole

if TYPE_CHECKING:
    from pathlib import Path

BOOTSTRAP = ("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--yes")
PHASES = [phase.title for phase in rotation.PHASES[1:]]
LONGEST = 0.9  # seconds: about what a bootstrap takes, with its start


def begin(place: Place, *words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(*place.words, *words), env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=PATIENCE)
    return judged(Ran(process.returncode, out.decode(), err.decode()))


def test_a_run_that_is_killed_at_any_moment_is_taken_back_or_done(fresh: Place) -> None:
    chance = random.Random(2)  # noqa: S311 - moments, not secrets
    before = {path: node for path, node in fresh.untouched.items() if "etc/dockertls" not in path}
    for _ in range(8):
        process = begin(fresh, *BOOTSTRAP)
        time.sleep(chance.uniform(0.2, LONGEST))
        process.kill()
        process.communicate(timeout=PATIENCE)
        fresh.done("client", "issue", "other", "--yes") if (fresh.store / "ca/current").exists() else None
        fresh.done(*BOOTSTRAP)
        assert_whole(fresh)
        assert fresh.done(*BOOTSTRAP[:-1], "--check").out.strip() == "nothing to do"
        fresh.done("undo", "--yes")
        now = {path: node for path, node in fresh.untouched.items() if "etc/dockertls" not in path}
        assert now == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_is_130_and_takes_back(fresh: Place, tmp_path: Path, number: signal.Signals) -> None:
    before = fresh.untouched
    ready = tmp_path / "ready"
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\nsleep 0.1\n: > {ready}\nexec sleep 20\n")
    slow.chmod(0o755)
    process = begin(fresh, "bootstrap", "web1", "--yes", "--passphrase-command", slow)
    limit = time.monotonic() + PATIENCE
    while not ready.exists() and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(number)
    ran = end(process)
    assert ran.code == 130, ran
    assert "interrupted" in ran.err
    assert fresh.untouched == before


def at_once(place: Place, *runs: tuple[str, ...]) -> list[Ran]:
    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(lambda words: end(begin(place, *words)), runs))


def test_runs_at_once_for_different_names_all_succeed(secured: Place) -> None:
    names = [f"client{number}" for number in range(5)]
    ended = at_once(secured, *(("client", "issue", name, "--yes") for name in names))
    assert [ran.code for ran in ended] == [0] * 5, ended
    for name in names:
        assert (secured.store / "clients" / name / "current").readlink().name == "0001"
    assert_whole(secured)
    assert len(secured.done("--json", "history").document["data"]) == 6


def test_runs_at_once_for_the_same_name_make_one(secured: Place) -> None:
    ended = at_once(secured, *(("client", "issue", "bob", "--yes"),) * 5)
    assert [ran.code for ran in ended] == [0] * 5, ended
    assert sorted(path.name for path in (secured.store / "clients/bob").iterdir()) == ["0001", "current"]
    assert_whole(secured)


def test_bootstraps_at_once_make_one_authority(fresh: Place) -> None:
    ended = at_once(fresh, *(BOOTSTRAP,) * 3)
    assert [ran.code for ran in ended] == [0] * 3, ended
    assert sorted(path.name for path in (fresh.store / "ca").iterdir()) == ["0001", "current", "trust.pem"]
    assert_whole(fresh)
    assert fresh.done(*BOOTSTRAP, "--check").out.strip() == "nothing to do"


def test_rotations_at_once_make_one_authority_and_leave_no_phase_out(secured: Place) -> None:
    begun = len(titles(secured))
    ended = at_once(secured, *(("ca", "rotate", "start", "--no-passphrase", "--yes"),) * 3)
    assert sorted(ran.code for ran in ended) == [0, 4, 4], ended
    assert len(load_certificates((secured.store / "ca/trust.pem").read_bytes())) == 2
    for _ in range(2):
        ended = at_once(secured, *(("ca", "rotate", "next", "--yes"),) * 2)
        assert {ran.code for ran in ended} <= {0, 4}, ended
        assert_whole(secured)
    gone = titles(secured)[begun:]
    assert gone == PHASES[: len(gone)]
    assert sorted(path.name for path in (secured.store / "ca").glob("[0-9]*")) == ["0001", "0002"]


def titles(place: Place) -> list[str]:
    """What was done there, oldest first."""
    return [entry.title.partition(": ")[2] for entry in history(LocalHost(str(place.root)))]


def test_one_store_serves_runs_on_several_trees_at_once(tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "store"))
    places = [Place(Place.recorded("debian", tmp_path / f"host{number}").root, store) for number in range(3)]
    places[0].done("ca", "init", "--no-passphrase", "--yes")
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda place: end(begin(place, "client", "issue", "bob", "--yes")), places))
    assert [ran.code for ran in ended] == [0] * 3, ended
    pair = [(tmp_path / f"store/clients/bob/current/{name}.pem").read_bytes() for name in ("cert", "key")]
    assert matches(load_certificates(pair[0])[0], load_private(pair[1]))
    assert not [path for path in (tmp_path / "store").rglob("*") if ".dockertls-" in path.name]
