"""What a way back would bring into use although its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.pki.bygone import bygone
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT
from dockertls.pki.revocation import RECORD, Revoked, record
from dockertls.pki.store import StoreState, new_generation, plan_authority, plan_generation, plan_next_authority
from dockertls.plan import Change, Directory, File, Link, Node, Plan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
STORE = PurePosixPath("/etc/dockertls")
PLACE = PurePosixPath("/root/.docker/cert.pem")
KEY = generate("ecdsa-p256")


def authority(name: str) -> Issued:
    return issue(Request(CA, name), generate("ecdsa-p256"), None, now=NOW, serial=1)


def client(issuer: Issued, serial: int, days: int = 90) -> Issued:
    return issue(Request(CLIENT, f"c{serial}", lifetime=days * DAY), KEY, issuer, now=NOW, serial=serial)


RETIRED, OURS, STRANGER, ABORTED = map(authority, ("retired", "ours", "stranger", "aborted"))


@dataclass(frozen=True)
class Stored:
    """A store with an authority that is trusted and one that no longer is, and what it says of a change."""

    store: StoreState

    def told(self, *changes: Change, after: timedelta = timedelta(0)) -> tuple[str, ...]:
        return bygone(Plan("undo", changes), self.store, NOW + after)

    def brings(self, content: bytes, before: Node | None = None, after: timedelta = timedelta(0)) -> tuple[str, ...]:
        return self.told(Change(PLACE, before, File(content), "undo"), after=after)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    host = LocalHost(str(tmp_path_factory.mktemp("root")))
    (Path(host.root) / "etc").mkdir()
    store = StoreState(host, STORE)

    def do(plan: Plan) -> None:
        apply(plan, host, Run(NOW, append_only=(STORE,)))

    do(plan_authority(store, new_generation(store, "ca", "", RETIRED, private_pem(KEY))))
    do(plan_generation(store, new_generation(store, "ca", "", OURS, private_pem(KEY))))
    do(plan_next_authority(store, new_generation(store, "ca", "", ABORTED, private_pem(KEY))))
    trust = STORE / "ca/trust.pem"
    do(Plan("rotated", (Change(trust, host.node(trust), File(certificate_pem([OURS.certificate])), "trust"),)))
    revoked = File(record([Revoked(66, "client c66", NOW)]), 0o600)
    do(Plan("revoked", (Change(STORE / "ca/0002" / RECORD, None, revoked, "revoked"),)))
    return Stored(store)


def pem(*issued: Issued) -> bytes:
    return certificate_pem([one.certificate for one in issued])


def test_what_is_good_may_come_back(stored: Stored) -> None:
    assert stored.brings(pem(client(OURS, 5))) == ()
    assert stored.brings(pem(OURS)) == ()
    assert stored.brings(b"{}") == ()
    assert stored.told(Change(PLACE, File(pem(client(OURS, 66))), None, "undo")) == ()


def test_what_is_revoked_may_not(stored: Stored) -> None:
    assert stored.brings(pem(client(OURS, 66))) == (f"{PLACE}: CN=c66 was revoked at 2026-11-23T12:00:00Z",)


def test_what_has_ended_may_not(stored: Stored) -> None:
    content = pem(client(OURS, 5))
    assert stored.brings(content, after=89 * DAY) == ()
    assert stored.brings(content, after=90 * DAY) == (f"{PLACE}: CN=c5 has ended at 2027-02-21T12:00:00Z",)


def test_what_is_of_a_retired_authority_may_not_and_neither_may_that_authority(stored: Stored) -> None:
    told = "is of an authority that is trusted no more"
    assert stored.brings(pem(client(RETIRED, 5))) == (f"{PLACE}: CN=c5 {told}",)
    assert stored.brings(pem(OURS, RETIRED)) == (f"{PLACE}: CN=retired {told}",)


def test_the_authority_of_an_aborted_rotation_is_not_retired(stored: Stored) -> None:
    assert stored.brings(pem(OURS, ABORTED)) == ()


def test_what_others_made_is_theirs(stored: Stored) -> None:
    assert stored.brings(pem(client(STRANGER, 66, days=1), STRANGER), after=9 * DAY) == ()


def test_what_was_there_before_does_not_come_back(stored: Stored) -> None:
    content = pem(client(OURS, 66))
    assert stored.brings(content + b"\n", before=File(content)) == ()
    assert len(stored.brings(content, before=File(pem(client(OURS, 5))))) == 1


def test_all_of_it_is_told(stored: Stored) -> None:
    other = PLACE.with_name("other.pem")
    changes = [Change(path, None, File(pem(client(OURS, 66))), "undo") for path in (PLACE, other)]
    assert [line.partition(":")[0] for line in stored.told(*changes)] == [str(PLACE), str(other)]


def test_the_link_to_a_generation_brings_back_what_lies_there(stored: Stored) -> None:
    host, tls = stored.store.host, PurePosixPath("/etc/docker/tls")
    folders = {"0001": client(OURS, 66), "0002": client(OURS, 5)}
    changes = [Change(path, None, Directory(), "x") for path in (tls.parent, tls, *(tls / name for name in folders))]
    changes += [Change(tls / name / "server-cert.pem", None, File(pem(one)), "x") for name, one in folders.items()]
    apply(Plan("two generations", tuple(changes)), host, Run(NOW))
    back = Change(tls / "current", Link("0002"), Link("0001"), "undo")
    assert stored.told(back) == (f"{tls}/current: CN=c66 was revoked at 2026-11-23T12:00:00Z",)
    assert stored.told(back.inverse()) == ()
    assert stored.told(Change(tls / "x", None, Link("/dev/null"), "undo")) == (), "a unit that is masked"
