"""A store whose link to the generation in use is missing or leads astray: one that is good is used, and it is said."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from dockertls.apply import Run, apply
from dockertls.errors import NotReady
from dockertls.host import LocalHost
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import generate, private_pem
from dockertls.pki.profiles import CA, CLIENT
from dockertls.pki.revocation import RECORD, Revoked, record
from dockertls.pki.rotation import Rotation
from dockertls.pki.store import StoreState, new_generation, plan_authority, plan_generation, plan_next_authority

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATH = PurePosixPath("/store")
DAY = timedelta(days=1)


class Shelf:
    """A store on disk, and what it said."""

    def __init__(self, root: Path) -> None:
        self.folder, self.host = root / "store", LocalHost(str(root))
        self.said: list[str] = []
        self.serial = 0
        self.authority = self.add_authority("first")

    def store(self, now: datetime | None = NOW) -> StoreState:
        return StoreState(self.host, PATH, now, self.said.append)

    def add_authority(self, name: str) -> Issued:
        key = generate("ecdsa-p256")
        issued = issue(Request(CA, name), key, None, now=NOW, serial=1)
        generation = new_generation(self.store(), "ca", "", issued, private_pem(key))
        plan = plan_next_authority if (self.folder / "ca").exists() else plan_authority
        apply(plan(self.store(), generation), self.host, Run(NOW))
        return issued

    def add(self, *, days: int = 100, authority: Issued | None = None) -> str:
        """Another certificate of ann's, which is in use then; its number."""
        self.serial += 1
        key = generate("ecdsa-p256")
        issuer = authority or self.authority
        issued = issue(Request(CLIENT, "ann", (), days * DAY), key, issuer, now=NOW, serial=self.serial)
        generation = new_generation(self.store(), "client", "ann", issued, private_pem(key))
        apply(plan_generation(self.store(), generation), self.host, Run(NOW))
        return generation.path.name

    @property
    def ann(self) -> Path:
        return self.folder / "clients/ann"

    def used(self, now: datetime | None = NOW, role: str = "client") -> str:
        found = self.store(now).current(role, "ann" if role == "client" else "")
        assert found
        return found.path.name


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_what_is_in_use_is_used_without_a_word(shelf: Shelf) -> None:
    shelf.add()
    assert (shelf.add(), shelf.used(), shelf.said) == ("0002", "0002", [])


def test_where_there_never_was_any_there_is_none(shelf: Shelf) -> None:
    assert shelf.store().current("client", "bob") is None
    assert shelf.said == []


def test_a_missing_link(shelf: Shelf) -> None:
    shelf.add()
    shelf.add()
    (shelf.ann / "current").unlink()
    assert shelf.used() == "0002"
    assert shelf.said == ["/store/clients/ann/current is missing: 0002 is used, which is good"]


@pytest.mark.parametrize("harm", ["gone", "half", "garbage", "other key"])
def test_the_newest_is_broken(shelf: Shelf, harm: str) -> None:
    shelf.add()
    newest = shelf.ann / shelf.add()
    match harm:
        case "gone":
            shutil.rmtree(newest)
        case "half":
            (newest / "cert.pem").unlink()
        case "garbage":
            (newest / "cert.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
        case "other key":
            (shelf.ann / "current").unlink()
            (newest / "key.pem").write_bytes(private_pem(generate("ecdsa-p256")))
    assert shelf.used() == "0001"
    assert len(shelf.said) == 1


def test_the_newest_has_ended_and_an_older_one_has_not(shelf: Shelf) -> None:
    shelf.add()
    shelf.add(days=1)
    later = NOW + 2 * DAY
    assert shelf.used(later) == "0001"
    assert "leads to 0002, which ended at 2026-11-24: 0001 is used" in shelf.said[0]
    assert shelf.used() == "0002"


def test_all_have_ended_or_none_has_begun(shelf: Shelf) -> None:
    """Then the clock is wrong, or it is time to renew: what is in use stays so."""
    shelf.add()
    shelf.add(days=1)
    assert [shelf.used(NOW + 4000 * DAY), shelf.used(NOW - 4000 * DAY), shelf.said] == ["0002", "0002", []]


def test_one_of_the_right_authority_is_chosen_not_the_highest_number(shelf: Shelf) -> None:
    shelf.add()
    shelf.add(authority=shelf.add_authority("aborted"))
    (shelf.ann / "current").unlink()
    assert shelf.used() == "0001"


def test_what_was_revoked_does_not_come_back(shelf: Shelf) -> None:
    revoked = [Revoked(one, "client ann", NOW) for one in (2,)]
    shelf.add()
    shelf.add()
    (shelf.folder / "ca/0001" / RECORD).write_bytes(record(revoked))
    shutil.rmtree(shelf.ann / shelf.add())
    assert shelf.used() == "0001"


def test_where_nothing_can_be_used_what_is_wrong_is_told(shelf: Shelf) -> None:
    (shelf.ann / shelf.add() / "key.pem").write_bytes(private_pem(generate("ed25519")))
    (shelf.ann / "current").unlink()
    with pytest.raises(NotReady, match="none to take its place"):
        shelf.used()
    (shelf.ann / "0001/cert.pem").unlink()
    with pytest.raises(NotReady, match=r"0001/cert\.pem is missing"):
        shelf.used()


def test_the_authority_whose_link_is_missing_is_one_that_is_trusted(shelf: Shelf) -> None:
    shelf.add_authority("begun and left")
    (shelf.folder / "ca/current").unlink()
    assert shelf.used(role="ca") == "0001"
    assert shelf.said == ["/store/ca/current is missing: 0001 is used, which is good"]
    (shelf.folder / "ca/trust.pem").unlink()
    with pytest.raises(NotReady, match=r"trust\.pem is missing"):
        shelf.used(role="ca")


def test_while_a_rotation_runs_the_authority_that_is_left_signs_next(shelf: Shelf) -> None:
    shelf.add_authority("next")
    trust = b"".join((shelf.folder / f"ca/000{number}/cert.pem").read_bytes() for number in (1, 2))
    (shelf.folder / "ca/trust.pem").write_bytes(trust)
    (shelf.folder / "ca/rotation.json").write_bytes(Rotation("0001", "0002", 2, "2026-11-23T12:00:00Z").text)
    (shelf.folder / "ca/current").unlink()
    assert shelf.used(role="ca") == "0001"


def test_an_authority_that_has_ended_stays_the_one_in_use(shelf: Shelf) -> None:
    shelf.add_authority("never trusted")
    assert (shelf.used(NOW + 5000 * DAY, "ca"), shelf.said) == ("0001", [])
