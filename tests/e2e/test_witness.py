"""Go's crypto/x509, which Docker verifies with, and dockertls say the same of certificates, good ones and bad ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import product
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.findings import Failed, Unknown
from dockertls.pki.keys import KINDS, load_certificates, matches, private_pem
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import name_matches, verify
from tests.e2e.issued import NOW as TODAY
from tests.e2e.issued import REQUESTS, SIGNERS, SORTS, authority, key
from tests.e2e.odd import AUTHORITIES, LEAVES, WEB, below, leaf, root
from tests.e2e.openssl import P256, RSA, SERVER, Signer, openssl
from tests.e2e.witness import Witness, called
from tests.unit.pki.by_hand import MIDDLE, NOW, ROOT, SERVER_LEAF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dockertls.pki.keys import PrivateKey

pytestmark = pytest.mark.needs("go")

STRICTER = {
    "key-strength": "crypto/x509 verifies RSA of 1,024 bits and P-224, which curl and Python, or Go's own TLS, refuse",
}
"""What dockertls refuses and Go's verifier does not, by finding; each for a reason."""

SOUGHT = {Purpose.SERVER: WEB, Purpose.CLIENT: ()}


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    with called(tmp_path_factory.mktemp("witness")) as asked:
        yield asked


@dataclass(frozen=True)
class Case:
    """What is sent, and what the other side trusts."""

    sent: tuple[x509.Certificate, ...]
    trusted: tuple[x509.Certificate, ...]

    def refused_by_us(self, purpose: Purpose, names: Sequence[str], now: datetime) -> set[str]:
        """The findings that failed; none: it is accepted."""
        leaf, *chain = self.sent
        nothing = timedelta()
        found = verify(leaf, chain, self.trusted, now=now, purpose=purpose, names=names, warn=nothing, fail=nothing)
        assert not [one.id for one in found if isinstance(one.verdict, Unknown)]
        return {one.id for one in found if isinstance(one.verdict, Failed)}


def agreed(witness: Witness, case: Case, purpose: Purpose, names: Sequence[str], now: datetime = NOW) -> bool:
    """Whether a certificate is accepted, on which both agree."""
    theirs = witness.opinion(case.sent, case.trusted, now=now, purpose=purpose, names=names)
    ours = case.refused_by_us(purpose, names, now)
    assert not (ours - set(STRICTER)) if theirs.accepts else ours, (theirs, ours)
    return theirs.accepts


# what is issued


@pytest.mark.parametrize(("kind", "sort"), [*product(SIGNERS, SORTS)])
def test_go_accepts_all_that_is_issued_for_its_names_and_its_purpose_alone(
    witness: Witness, kind: str, sort: str
) -> None:
    issuing = authority(kind, sort)
    for what, made in issuing.everything():
        assert made.key is not None
        case = Case((made.certificate, *made.chain), (issuing.root,))
        (purpose,) = REQUESTS[what].profile.purposes
        names = hosts(what)
        theirs = witness.opinion(
            case.sent, case.trusted, now=TODAY, purpose=purpose, names=names, key=private_pem(made.key)
        )
        assert theirs.accepts, theirs
        assert case.refused_by_us(purpose, names, TODAY) == set()
        assert not agreed(witness, case, purpose.other, (), TODAY)
        if purpose is Purpose.SERVER:
            assert not agreed(witness, case, purpose, ["web2.example.org"], TODAY)


def hosts(what: str) -> list[str]:
    """The hosts that a request is for; none for a client."""
    if REQUESTS[what].profile.name == "client":
        return []
    names = [str(one.value) for one in REQUESTS[what].names]
    return [name.replace("*", "any") for name in names]


# what is wrong in one thing, or in two

ACCEPTED = {
    Purpose.SERVER: {
        "good", "names critical", "no use", "for both", "for any use", "unknown extension", "an authority",
        "no digitalSignature", "issuer's address", "limits of its own", "issuer by a wrong key",
        "named like its authority", "ends now", "begins now", "RSA of 1,024 bits", "P-224",
    },
    Purpose.CLIENT: {
        "address as a host", "another name", "nothing at all", "no use", "for clients", "for both", "for any use",
        "no digitalSignature", "issuer's address", "limits of its own", "issuer by a wrong key",
    },
}  # fmt: skip
"""The leaves that Go accepts below a good root: enough that all others are refused for what is odd about them."""


@pytest.mark.parametrize("above", AUTHORITIES)
def test_whatever_is_wrong_with_leaf_and_root_both_say_the_same(witness: Witness, above: str) -> None:
    for purpose in Purpose:
        cases = {what: Case((leaf(what),), (root(above),)) for what in LEAVES}
        accepted = {what for what, case in cases.items() if agreed(witness, case, purpose, SOUGHT[purpose])}
        assert accepted <= ACCEPTED[purpose]
        assert above != "good" or accepted == ACCEPTED[purpose]


@pytest.mark.parametrize("upper", AUTHORITIES)
def test_whatever_is_wrong_with_two_authorities_both_say_the_same(witness: Witness, upper: str) -> None:
    for lower, what, purpose in product(AUTHORITIES, ("good", "for both", "named like its authority"), Purpose):
        sent = (leaf(what, MIDDLE), below(lower))
        agreed(witness, Case(sent, (root(upper),)), purpose, SOUGHT[purpose])
        agreed(witness, Case(sent[:1], (root(upper),)), purpose, SOUGHT[purpose])
        agreed(witness, Case(sent, sent[1:]), purpose, SOUGHT[purpose])
        agreed(witness, Case((leaf(what), below(lower)), (root(upper),)), purpose, SOUGHT[purpose])


def test_what_is_stricter_is_needed(witness: Witness) -> None:
    """Else the table would hide what the two do not agree on any more."""
    reasons = set()
    for what in LEAVES:
        case = Case((leaf(what),), (root("good"),))
        if witness.opinion(case.sent, case.trusted, now=NOW, purpose=Purpose.SERVER, names=WEB).accepts:
            reasons |= case.refused_by_us(Purpose.SERVER, WEB, NOW)
    assert reasons == set(STRICTER)


def test_a_malformed_certificate_beside_a_good_chain_both_refuse(witness: Witness) -> None:
    raw = below("good").public_bytes(Encoding.DER)
    twice = x509.load_der_x509_certificate(raw.replace(b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x23", 1))
    assert agreed(witness, Case((leaf("good"), below("good")), (root("good"),)), Purpose.SERVER, WEB)
    assert not agreed(witness, Case((leaf("good"), twice), (root("good"),)), Purpose.SERVER, WEB)


def test_a_key_and_a_certificate_of_two_pairs_both_refuse(witness: Witness) -> None:
    for kind, other in product(KINDS, KINDS):
        mine, yours = key(kind, "leaf"), key(other, "root")
        theirs = witness.opinion((leaf_for(mine),), (), now=NOW, purpose=Purpose.SERVER, key=private_pem(yours))
        assert theirs.pair != ""
        assert not matches(leaf_for(mine), yours)
        good = witness.opinion((leaf_for(mine),), (), now=NOW, purpose=Purpose.SERVER, key=private_pem(mine))
        assert good.pair == ""


def leaf_for(mine: PrivateKey) -> x509.Certificate:
    return replace(SERVER_LEAF, key=mine).certificate


# names

SHOWN = (
    "web1.example", "WEB1.example", "localhost", "*.example", "*.local", "*", "w*.example", "*.*.example",
    "a.*.example", "my_host", "a_b.example", "xn--bcher-kva.example", "10.0.0.5", "trailing.example.", "*.10.0.0",
    "-a.example", "a-.example", "a..example", ".example", "", "a b.example", "1.2.3", "::1", "*.",
)  # fmt: skip
SHOWN_ADDRESSES = ("10.0.0.5", "::1", "fe80::1")
WANTED = (
    "web1.example", "WEB1.EXAMPLE", "web1.example.", "web1.example..", "[web1.example]", "localhost", "localhost.",
    "a.local", "a_b.local", "a_b.example", "x.y.example", "example", "xn--bcher-kva.example", "bücher.example",
    "my_host", "10.0.0.5", "[10.0.0.5]", "10.0.0.05", "10.0.0.5.", "::1", "[::1]", "[::1", "0:0:0:0:0:0:0:1",
    "::ffff:10.0.0.5", "fe80::1%eth0", "[fe80::1%eth0]", "trailing.example", "trailing.example.", "*.example",
    "*", "*.", "w*.example", "a.*.example", "-a.example", "a..example", ".example", ".", "..",
    "a b.example", "1.2.3", "\0",
)  # fmt: skip


@pytest.mark.parametrize(
    "shown", [*map(x509.DNSName, SHOWN), *(x509.IPAddress(ip_address(a)) for a in SHOWN_ADDRESSES)]
)
def test_both_know_a_server_by_the_same_names(witness: Witness, shown: x509.GeneralName) -> None:
    named = (x509.SubjectAlternativeName([shown]), False)
    made = replace(SERVER_LEAF, issuer=ROOT.subject, signer=ROOT.key, extensions=(named,)).certificate
    theirs = witness.opinion((made,), (root("good"),), now=NOW, purpose=Purpose.SERVER, names=WANTED)
    assert theirs.chain == ""
    assert {host for host, error in theirs.names.items() if not error} == {
        host for host in WANTED if name_matches(made, host)
    }


# what people make with openssl

NAMED = f"{SERVER}subjectAltName=DNS:{WEB[0]},IP:{WEB[1]}\n"
ODD_KEYS = {
    "P-521": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "secp256k1": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"),
    "RSA of 1,024 bits": ("-newkey", "rsa:1024"),
    "Ed25519": ("-newkey", "ed25519"),
    "Ed448": ("-newkey", "ed448"),
    "RSA for PSS alone": ("-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"),
}
ODD_SIGNATURES = {
    "SHA-1": ("-sha1",),
    "MD5": ("-md5",),
    "SHA-224": ("-sha224",),
    "SHA-512": ("-sha512",),
    "SHA3-256": ("-sha3-256",),
    "PSS": ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"),
    "PSS with all the salt that fits": ("-sigopt", "rsa_padding_mode:pss"),
    "negative serial number": ("-set_serial", "-5"),
    "serial number 0": ("-set_serial", "0"),
    "serial number of 21 octets": ("-set_serial", f"0x{'7f' * 21}"),
}


def request(folder: Path, *how: str) -> Path:
    csr = folder / "leaf.csr"
    openssl("req", "-new", *how, "-nodes", "-keyout", folder / "leaf.key", "-out", csr, "-subj", "/CN=web1")
    return csr


def read(*files: Path) -> tuple[x509.Certificate, ...]:
    return tuple(one for file in files for one in load_certificates(file.read_bytes()))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("what", ODD_KEYS)
def test_keys_of_all_sorts_above_and_below(witness: Witness, tmp_path: Path, what: str) -> None:
    odd, good = Signer.root(tmp_path, "odd", *ODD_KEYS[what]), Signer.root(tmp_path, "good", *P256)
    for signer, how in ((odd, P256), (good, ODD_KEYS[what]), (odd, ODD_KEYS[what])):
        made = signer.sign(request(tmp_path, *how), NAMED, tmp_path / "leaf.pem")
        case = Case(read(made), read(signer.cert))
        agreed(witness, case, Purpose.SERVER, WEB, datetime.now(UTC))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("what", ODD_SIGNATURES)
def test_signatures_and_serial_numbers_of_all_sorts(witness: Witness, tmp_path: Path, what: str) -> None:
    signer = Signer.root(tmp_path, "root", *RSA)
    made = signer.sign(request(tmp_path, *P256), NAMED, tmp_path / "leaf.pem", *ODD_SIGNATURES[what], "-days", 9)
    accepted = agreed(witness, Case(read(made), read(signer.cert)), Purpose.SERVER, WEB, datetime.now(UTC))
    assert accepted is (what in {"SHA-512", "PSS", "serial number 0", "serial number of 21 octets"})


@pytest.mark.needs("openssl")
def test_authorities_of_one_name_are_told_apart(witness: Witness, tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    signers = [Signer.root(tmp_path / name, "root", *P256) for name in ("ours", "theirs")]
    ours, theirs = (read(signer.cert) for signer in signers)
    sent = read(signers[0].sign(request(tmp_path, *P256), NAMED, tmp_path / "leaf.pem"))
    for trusted, accepted in ((ours, True), (theirs, False), (theirs + ours, True), (ours + theirs, True)):
        assert agreed(witness, Case(sent, trusted), Purpose.SERVER, WEB, datetime.now(UTC)) is accepted
        assert agreed(witness, Case((*sent, *theirs), trusted), Purpose.SERVER, WEB, datetime.now(UTC)) is accepted


@pytest.mark.needs("openssl")
def test_what_go_passes_over_in_a_trusted_file_counts_for_nothing(witness: Witness, tmp_path: Path) -> None:
    good, odd = Signer.root(tmp_path, "good", *P256), Signer.root(tmp_path, "odd", *P256, "-set_serial", "-5")
    trusted = read(odd.cert, good.cert)
    csr = request(tmp_path, *P256)
    for signer, accepted in ((good, True), (odd, False)):
        sent = read(signer.sign(csr, NAMED, tmp_path / "leaf.pem"))
        told = witness.opinion(sent, trusted, now=datetime.now(UTC), purpose=Purpose.SERVER, names=WEB)
        assert (told.pool, told.trusted, told.unparsed) == ("", 1, 1)
        assert agreed(witness, Case(sent, trusted), Purpose.SERVER, WEB, datetime.now(UTC)) is accepted


@pytest.mark.needs("openssl")
def test_a_root_of_version_1_is_one(witness: Witness, tmp_path: Path) -> None:
    old = Signer(tmp_path, "old")
    openssl("req", "-new", *P256, "-nodes", "-keyout", old.key, "-out", tmp_path / "old.csr", "-subj", "/CN=old")
    openssl("x509", "-req", "-in", tmp_path / "old.csr", "-signkey", old.key, "-days", 100, "-out", old.cert)
    assert read(old.cert)[0].version is x509.Version.v1
    unidentified = NAMED.replace("authorityKeyIdentifier=keyid\n", "")  # an old root has none
    sent = read(old.sign(request(tmp_path, *P256), unidentified, tmp_path / "leaf.pem"))
    assert agreed(witness, Case(sent, read(old.cert)), Purpose.SERVER, WEB, datetime.now(UTC))
