"""What a way back would bring into use although its time is over."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.pki.bygone import bygone, touched
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
RETIRED_NOW = "is of an authority that is trusted no more"


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
    return filled(tmp_path_factory.mktemp("root"))


def filled(root: Path) -> Stored:
    host = LocalHost(str(root))
    (root / "etc").mkdir()
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
    assert stored.brings(pem(client(RETIRED, 5))) == (f"{PLACE}: CN=c5 {RETIRED_NOW}",)
    assert stored.brings(pem(OURS, RETIRED)) == (f"{PLACE}: CN=retired {RETIRED_NOW}",)


def test_neither_may_the_authority_of_an_aborted_rotation(stored: Stored) -> None:
    assert stored.brings(pem(OURS, ABORTED)) == (f"{PLACE}: CN=aborted {RETIRED_NOW}",)


def test_an_authority_whose_folder_is_gone_is_known_by_what_it_issued(tmp_path: Path) -> None:
    """Its folder was moved away: its certificates still lie in the store, and they are no stranger's."""
    stored = filled(tmp_path)
    ann = client(RETIRED, 5)
    generation = new_generation(stored.store, "client", "c5", ann, private_pem(KEY))
    apply(plan_generation(stored.store, generation), stored.store.host, Run(NOW))
    shutil.rmtree(tmp_path / "etc/dockertls/ca/0001")
    assert stored.brings(pem(ann)) == (f"{PLACE}: CN=c5 {RETIRED_NOW}",)
    assert stored.brings(pem(OURS, RETIRED)) == (f"{PLACE}: CN=retired {RETIRED_NOW}",)
    assert stored.brings(pem(STRANGER)) == (), "it was here before, and is nobody's of this store"


def test_dockerd_trusts_nobody_again_whom_the_store_does_not(stored: Stored) -> None:
    """A folder of dockerd's with something of this store was made with it, others with another store."""
    host, tls = stored.store.host, PurePosixPath("/srv/docker/tls")
    trust = {"0001": pem(STRANGER), "0002": pem(OURS), "0003": pem(OURS, STRANGER)}
    changes = [Change(path, None, Directory(), "x") for path in (tls.parent.parent, tls.parent, tls)]
    changes += [Change(tls / name, None, Directory(), "x") for name in trust]
    changes += [Change(tls / name / "ca.pem", None, File(content), "x") for name, content in trust.items()]
    apply(Plan("three generations", tuple(changes)), host, Run(NOW))

    def told(before: str, after: str) -> tuple[str, ...]:
        return stored.told(Change(tls / "current", Link(before), Link(after), "undo"))

    assert told("0002", "0003") == (f"{tls}/current: CN=stranger {RETIRED_NOW}",)
    assert told("0002", "0001") == (), "it was replaced"
    assert told("0001", "0003") == (), "it is trusted already"
    assert told("0001", "0002") == ()


def test_a_plan_touches_the_places_where_certificates_change(stored: Stored) -> None:
    there = File(pem(client(OURS, 5)))
    assert touched(Plan("undo", (Change(PLACE, None, there, "undo"),)), stored.store) == (str(PLACE),)
    assert touched(Plan("undo", (Change(PLACE, there, None, "undo"),)), stored.store) == (str(PLACE),)
    assert touched(Plan("undo", (Change(PLACE, None, File(b"{}"), "undo"),)), stored.store) == ()


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
