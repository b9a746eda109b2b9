"""What is wrong with a client's own files, and what it means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.client.judging import Held, Kept, client_files, unfit
from dockertls.findings import Failed, Passed, Verdict, Warned
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER, Profile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK, MONTH = timedelta(days=7), timedelta(days=30)


def authority(name: str) -> Issued:
    return issue(Request(CA, name), generate("ecdsa-p256"), None, now=NOW, serial=1)


ROOT, OTHER = authority("ours"), authority("theirs")
CA_PEM = certificate_pem([ROOT.certificate])


def leaf(profile: Profile = CLIENT, *, days: int = 200, root: Issued = ROOT) -> Issued:
    names = tuple(parse_names(["web1"])) if profile is SERVER else ()
    request = Request(profile, "ann", names, timedelta(days=days))
    return issue(request, generate("ecdsa-p256"), root, now=NOW, serial=2)


def kept(issued: Issued | None = None) -> Kept:
    made = issued or leaf()
    assert made.key is not None
    return Kept(
        Held("ca.pem", CA_PEM, 0o644),
        Held("cert.pem", certificate_pem([made.certificate]), 0o644),
        Held("key.pem", private_pem(made.key), 0o600),
    )


GOOD = kept()
DAMAGED = CA_PEM + CA_PEM.replace(b"MII", b"MIH", 1)


def verdict(files: Kept, now: datetime = NOW) -> Verdict:
    return client_files(files, now=now, warn=MONTH, fail=WEEK).verdict


def other(**changes: Held) -> Kept:
    return Kept(*(changes.get(name, getattr(GOOD, name)) for name in ("ca", "cert", "key")))


def test_good_files() -> None:
    found = verdict(GOOD)
    assert isinstance(found, Passed)
    assert [one.seen for one in found.evidence] == ["ca.pem, mode 0644", "cert.pem, mode 0644", "key.pem, mode 0600"]


def test_of_standard_input_no_mode_is_known() -> None:
    assert isinstance(verdict(other(key=replace(GOOD.key, mode=None))), Passed)


@pytest.mark.parametrize(
    ("files", "kind", "cause", "remedy"),
    [
        (other(cert=Held("cert.pem", fault="No such file")), Failed, "No such file", "--cert-path"),
        (other(key=replace(GOOD.key, mode=0o644)), Failed, "read by everybody", "chmod 600"),
        (other(key=replace(GOOD.key, mode=0o640)), Warned, "read by its group", "chmod 600"),
        (other(ca=replace(GOOD.ca, mode=0o666)), Failed, "written by others", "chmod go-w"),
        (other(ca=Held("ca.pem", DAMAGED)), Failed, "certificate 2 cannot be read", "again"),
        (other(ca=Held("ca.pem", CA_PEM + CA_PEM[:-40])), Failed, "cut off", "again"),
        (other(ca=Held("ca.pem", b"hello")), Failed, "no certificate", "again"),
        (
            other(cert=Held("cert.pem", ROOT.certificate.public_bytes(Encoding.DER))),
            Failed,
            "no certificate in PEM",
            "-inform der",
        ),
        (
            other(key=Held("key.pem", private_pem(generate("ecdsa-p256"), b"secret"))),
            Failed,
            "encrypted",
            "openssl pkey",
        ),
        (other(key=Held("key.pem", private_pem(generate("ecdsa-p256")))), Failed, "not the key of cert.pem", "belong"),
        (other(key=Held("key.pem", b"garbage")), Failed, "no key", ""),
        (kept(leaf(SERVER)), Failed, "purpose", "client issue"),
        (kept(leaf(root=OTHER)), Warned, "chain", "client issue"),
    ],
)
def test_flaws(files: Kept, kind: type[Verdict], cause: str, remedy: str) -> None:
    found = verdict(files)
    assert isinstance(found, kind), found
    assert isinstance(found, Failed | Warned)
    assert cause in found.cause
    assert remedy in found.remedy
    assert "PRIVATE" not in str(found)


@pytest.mark.parametrize(("days", "kind"), [(-1, Failed), (100, Passed), (180, Warned), (195, Failed), (300, Failed)])
def test_its_time(days: int, kind: type[Verdict]) -> None:
    assert isinstance(verdict(GOOD, NOW + timedelta(days=days)), kind)


def test_what_daemons_refuse_is_about_the_certificate() -> None:
    ends = GOOD.chain[0].not_valid_after_utc
    assert [unfit(GOOD, ends + timedelta(days=days)) for days in (-1, 1)] == [False, True]
    assert unfit(kept(leaf(SERVER)), NOW)
    assert not unfit(other(key=replace(GOOD.key, mode=0o644)), NOW), "who reads it here is nothing to a daemon"


def test_whom_go_trusts_by_a_damaged_bundle() -> None:
    bundle = other(ca=Held("ca.pem", DAMAGED + certificate_pem([OTHER.certificate])))
    assert bundle.authorities == (ROOT.certificate, OTHER.certificate)
    assert isinstance(verdict(bundle), Failed)


def test_the_worst_counts_and_all_is_evidence() -> None:
    found = verdict(other(key=replace(GOOD.key, mode=0o640), cert=Held("cert.pem", fault="No such file")))
    assert isinstance(found, Failed)
    assert len(found.evidence) == 2
    assert "group" not in found.cause
