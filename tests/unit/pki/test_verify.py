"""Each row of the facts about Go's verifier, with certificates that are wrong in exactly one thing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from dockertls.findings import Failed, Finding, NotApplicable, Passed, Unknown, Verdict, Warned
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import PrivateKey, generate
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER, Purpose
from dockertls.pki.verify import name_matches, verify

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = parse_names(["web1.example", "10.0.0.5"])
KEY, CA_KEY = generate("ecdsa-p256"), generate("ecdsa-p256")
AUTHORITY = issue(Request(CA, "authority"), CA_KEY, None, now=NOW, serial=1)
ROOT = AUTHORITY.certificate
SERVER_LEAF = issue(Request(SERVER, "web1.example", NAMES), KEY, AUTHORITY, now=NOW, serial=2).certificate
CLIENT_LEAF = issue(Request(CLIENT, "alice"), KEY, AUTHORITY, now=NOW, serial=3).certificate
IDS = ["chain", "name", "expiry", "purpose", "key-strength", "signature"]

CRITICAL_CA = (x509.BasicConstraints(ca=True, path_length=0), True)
CA_USAGE = (CA.usage, True)
CA_IDENTIFIER = (x509.SubjectKeyIdentifier.from_public_key(CA_KEY.public_key()), False)
LEAF_IDENTIFIER = (x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key()), False)
SERVER_USE = (x509.ExtendedKeyUsage([Eku.SERVER_AUTH]), False)
SAN = (x509.SubjectAlternativeName(NAMES), False)
Extensions = tuple[tuple[x509.ExtensionType, bool], ...]


def named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Odd:
    """A certificate made by hand, so that it can be wrong."""

    extensions: Extensions
    subject: str = "web1"
    issuer: str = "authority"
    key: PrivateKey = KEY
    signer: PrivateKey = field(default_factory=lambda: CA_KEY)
    algorithm: hashes.SHA256 | hashes.SHA224 = field(default_factory=hashes.SHA256)
    start: datetime = NOW - DAY
    end: datetime = NOW + 100 * DAY

    def make(self) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            named(self.issuer), named(self.subject), self.key.public_key(), 5, self.start, self.end
        )
        for value, critical in self.extensions:
            builder = builder.add_extension(value, critical=critical)
        return builder.sign(self.signer, self.algorithm)


LEAF = Odd((LEAF_IDENTIFIER, SERVER_USE, SAN))
ODD_CA = Odd((CRITICAL_CA, CA_USAGE, CA_IDENTIFIER), subject="authority", key=CA_KEY)


def found(
    leaf: x509.Certificate,
    roots: tuple[x509.Certificate, ...] = (ROOT,),
    *,
    chain: tuple[x509.Certificate, ...] = (),
    now: datetime = NOW,
    purpose: Purpose = Purpose.SERVER,
    names: tuple[str, ...] = ("web1.example",),
) -> dict[str, Verdict]:
    findings = verify(leaf, chain, roots, now=now, purpose=purpose, names=names)
    assert [one.id for one in findings] == IDS
    assert all(complete(one) for one in findings)
    return {one.id: one.verdict for one in findings}


def complete(finding: Finding) -> bool:
    """Evidence, cause and remedy wherever it did not pass."""
    match finding.verdict:
        case Failed(evidence, cause, remedy) | Warned(evidence, cause, remedy):
            return bool(evidence and all(one.seen and one.expected for one in evidence) and cause and remedy)
        case Passed(evidence):
            return bool(evidence)
        case Unknown(reason) | NotApplicable(reason):
            return bool(reason)


def cause(verdict: Verdict) -> str:
    return verdict.cause if isinstance(verdict, Failed | Warned) else ""


def test_what_is_issued_passes_everything() -> None:
    assert all(isinstance(one, Passed) for one in found(SERVER_LEAF, names=("web1.example", "10.0.0.5")).values())
    client = found(CLIENT_LEAF, purpose=Purpose.CLIENT)
    assert isinstance(client.pop("name"), NotApplicable)
    assert all(isinstance(one, Passed) for one in client.values())
    assert isinstance(found(SERVER_LEAF, names=())["name"], NotApplicable)


CHAINS: list[tuple[str, x509.Certificate, tuple[x509.Certificate, ...], type[Verdict], str]] = [
    ("no root", LEAF.make(), (), Unknown, ""),
    ("another authority", LEAF.make(), (Odd(ODD_CA.extensions, "other", "other", KEY, KEY).make(),), Failed, "neither"),
    (
        "same name, other key",
        LEAF.make(),
        (replace(ODD_CA, key=KEY, signer=KEY).make(),),
        Failed,
        "same name is trusted, but it did not sign",
    ),
    ("self-signed leaf", replace(LEAF, issuer="web1", signer=KEY).make(), (ROOT,), Failed, "self-signed by somebody"),
    ("old and new of one name", LEAF.make(), (replace(ODD_CA, key=KEY, signer=KEY).make(), ROOT), Passed, ""),
    (
        "no basicConstraints",
        LEAF.make(),
        (replace(ODD_CA, extensions=(CA_USAGE, CA_IDENTIFIER)).make(),),
        Failed,
        "parent",
    ),
    (
        "CA:FALSE",
        LEAF.make(),
        (replace(ODD_CA, extensions=((x509.BasicConstraints(ca=False, path_length=None), True),)).make(),),
        Failed,
        "not marked as an authority",
    ),
    (
        "no keyCertSign",
        LEAF.make(),
        (replace(ODD_CA, extensions=(CRITICAL_CA, (SERVER.usage, True), CA_IDENTIFIER)).make(),),
        Failed,
        "keyUsage does not let it sign",
    ),
    (
        "no keyUsage",
        LEAF.make(),
        (replace(ODD_CA, extensions=(CRITICAL_CA, CA_IDENTIFIER)).make(),),
        Warned,
        "key usage",
    ),
    ("no SKI", LEAF.make(), (replace(ODD_CA, extensions=(CRITICAL_CA, CA_USAGE)).make(),), Warned, "Subject Key Ident"),
    (
        "basicConstraints not critical",
        LEAF.make(),
        (replace(ODD_CA, extensions=((CRITICAL_CA[0], False), CA_USAGE, CA_IDENTIFIER)).make(),),
        Warned,
        "not marked critical",
    ),
    ("no AKI", replace(LEAF, extensions=(SERVER_USE, SAN)).make(), (ROOT,), Warned, "Missing Authority Key"),
    (
        "unknown critical extension",
        replace(
            LEAF,
            extensions=(*LEAF.extensions, (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), True)),
        ).make(),
        (ROOT,),
        Failed,
        "unhandled critical extension",
    ),
]


MAPPED = x509.IPAddress(ip_address("::ffff:10.0.0.5"))
MAPPED_NETWORK = x509.IPAddress(ip_network("::ffff:10.0.0.0/104"))


@pytest.mark.parametrize(
    ("extension", "words"),
    [
        ((LEAF_IDENTIFIER[0], True), "authorityKeyIdentifier is marked critical"),
        ((CA_IDENTIFIER[0], True), "subjectKeyIdentifier is marked critical"),
        ((x509.SubjectAlternativeName([MAPPED]), False), "::ffff:a00:5 is an IPv4 address in the form of IPv6"),
        ((x509.NameConstraints([MAPPED_NETWORK], None), True), "::ffff:a00:0/104 is an IPv4 address in the form"),
        ((x509.NameConstraints(None, [x509.DNSName("a b")]), True), "a b, which is no domain"),
        ((x509.NameConstraints(None, [x509.DNSName("a.")]), True), "a., which is no domain"),
    ],
)
def test_what_go_cannot_read_is_refused_wherever_it_stands(
    extension: tuple[x509.ExtensionType, bool], words: str
) -> None:
    kept = tuple(one for one in ODD_CA.extensions if one[0].oid != extension[0].oid)
    odd = replace(ODD_CA, extensions=(*kept, extension))
    for verdict in (
        found(replace(odd, subject="web1", key=KEY).make())["chain"],
        found(LEAF.make(), (odd.make(),))["chain"],
        found(LEAF.make(), chain=(replace(odd, subject="unneeded").make(),))["chain"],
    ):
        assert isinstance(verdict, Failed)
        assert words in verdict.cause


def test_what_is_sent_along_and_cannot_be_read_at_all() -> None:
    raw = SERVER_LEAF.public_bytes(Encoding.DER)
    twice = raw.replace(b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x23", 1)
    verdict = found(LEAF.make(), chain=(x509.load_der_x509_certificate(twice),))["chain"]
    assert isinstance(verdict, Failed)
    assert "docker hangs up" in verdict.cause


@pytest.mark.parametrize(
    ("leaf", "roots", "expected", "words"), [row[1:] for row in CHAINS], ids=[row[0] for row in CHAINS]
)
def test_chain(
    leaf: x509.Certificate, roots: tuple[x509.Certificate, ...], expected: type[Verdict], words: str
) -> None:
    verdict = found(leaf, roots)["chain"]
    assert isinstance(verdict, expected)
    assert words in cause(verdict)


def test_a_self_signed_leaf_that_is_trusted_is_its_own_root() -> None:
    leaf = replace(LEAF, issuer="web1", signer=KEY).make()
    verdicts = found(leaf, (leaf,))
    assert isinstance(verdicts["chain"], Passed)
    assert isinstance(verdicts["signature"], NotApplicable)


def test_intermediates_are_found_in_any_order_and_missed_if_not_sent() -> None:
    root = issue(Request(replace(CA, path_length=None), "root"), generate("ecdsa-p256"), None, now=NOW, serial=1)
    upper = issue(Request(replace(CA, path_length=1), "upper"), generate("ecdsa-p256"), root, now=NOW, serial=2)
    lower = issue(Request(CA, "lower"), generate("ecdsa-p256"), upper, now=NOW, serial=3)
    leaf = issue(Request(SERVER, "web1", NAMES), KEY, lower, now=NOW, serial=4)
    roots = (root.certificate,)
    assert leaf.chain == (lower.certificate, upper.certificate)
    for chain in (leaf.chain, leaf.chain[::-1]):
        assert isinstance(found(leaf.certificate, roots, chain=chain)["chain"], Passed)
    missing = found(leaf.certificate, roots, chain=leaf.chain[:1])["chain"]
    assert isinstance(missing, Failed)
    assert missing.evidence[0].place == "CN=lower"
    halfway = found(leaf.certificate, (lower.certificate,))["chain"]
    assert isinstance(halfway, Warned)
    assert "no root" in halfway.cause


def test_more_authorities_than_the_root_allows() -> None:
    middle = replace(ODD_CA, subject="middle", key=KEY).make()
    leaf = replace(LEAF, issuer="middle", signer=KEY).make()
    verdict = found(leaf, chain=(middle,))["chain"]
    assert isinstance(verdict, Failed)
    assert "more authorities" in verdict.cause


def test_a_hostile_chain_does_not_keep_us_busy() -> None:
    mill = tuple(replace(ODD_CA, subject="mill", issuer="mill", start=NOW - n * DAY).make() for n in range(1, 25))
    verdict = found(replace(LEAF, issuer="mill").make(), chain=mill)["chain"]
    assert isinstance(verdict, Failed)


def limited(permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None) -> x509.Certificate:
    limits = (x509.NameConstraints(permitted, excluded), True)
    return replace(ODD_CA, extensions=(*ODD_CA.extensions, limits)).make()


@pytest.mark.parametrize(
    ("permitted", "excluded", "expected"),
    [
        ([x509.DNSName("example")], None, Passed),
        ([x509.DNSName(".example")], None, Passed),
        ([x509.DNSName("web1.example")], None, Passed),
        ([x509.DNSName("")], None, Passed),
        ([x509.DNSName("other")], None, Failed),
        ([x509.DNSName("b1.example")], None, Failed),
        ([x509.DNSName(".web1.example")], None, Failed),
        ([x509.DNSName("other"), x509.DNSName("example")], None, Passed),
        (None, [x509.DNSName("example")], Failed),
        (None, [x509.DNSName("other")], Passed),
        ([x509.IPAddress(ip_network("10.0.0.0/8"))], None, Passed),
        ([x509.IPAddress(ip_network("192.168.0.0/16"))], None, Failed),
        ([x509.IPAddress(ip_network("::/0"))], None, Failed),
        (None, [x509.IPAddress(ip_network("0.0.0.0/0"))], Failed),
        ([x509.DirectoryName(named("x"))], None, Failed),
        ([x509.RFC822Name("example")], None, Passed),
    ],
)
def test_name_constraints_of_the_root(
    permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None, expected: type[Verdict]
) -> None:
    assert isinstance(found(LEAF.make(), (limited(permitted, excluded),))["chain"], expected)


def test_limits_that_are_not_judged_are_not_called_fine() -> None:
    mail = (x509.SubjectAlternativeName([*NAMES, x509.RFC822Name("me@example")]), False)
    leaf = replace(LEAF, extensions=(LEAF_IDENTIFIER, SERVER_USE, mail)).make()
    assert isinstance(found(leaf, (limited([x509.RFC822Name("example")], None),))["chain"], Unknown)


@pytest.mark.parametrize(
    ("uses", "purpose", "expected"),
    [
        ([Eku.SERVER_AUTH], Purpose.SERVER, Passed),
        ([Eku.CLIENT_AUTH], Purpose.SERVER, Failed),
        ([Eku.SERVER_AUTH], Purpose.CLIENT, Failed),
        ([Eku.EMAIL_PROTECTION], Purpose.CLIENT, Failed),
        ([Eku.SERVER_AUTH, Eku.CLIENT_AUTH], Purpose.CLIENT, Warned),
        ([Eku.ANY_EXTENDED_KEY_USAGE], Purpose.CLIENT, Warned),
        ([], Purpose.SERVER, Warned),
    ],
)
def test_purpose(uses: list[x509.ObjectIdentifier], purpose: Purpose, expected: type[Verdict]) -> None:
    use: Extensions = ((x509.ExtendedKeyUsage(uses), False),) if uses else ()
    leaf = replace(LEAF, extensions=(LEAF_IDENTIFIER, SAN, *use)).make()
    assert isinstance(found(leaf, purpose=purpose)["purpose"], expected)


def test_an_authority_limited_to_clients_backs_no_server() -> None:
    use = (x509.ExtendedKeyUsage([Eku.CLIENT_AUTH]), False)
    verdict = found(LEAF.make(), (replace(ODD_CA, extensions=(*ODD_CA.extensions, use)).make(),))["purpose"]
    assert isinstance(verdict, Failed)
    assert "its authority is limited to clientAuth" in verdict.cause


@pytest.mark.parametrize("odd", [CRITICAL_CA, CA_USAGE])
def test_an_authority_used_as_a_leaf_is_warned_of(odd: tuple[x509.ExtensionType, bool]) -> None:
    verdict = found(replace(LEAF, extensions=(*LEAF.extensions, odd)).make())["purpose"]
    assert isinstance(verdict, Warned)
    assert "authority's certificate" in verdict.cause


@pytest.mark.parametrize(
    ("now", "expected", "words"),
    [
        (NOW, Passed, ""),
        (NOW - timedelta(days=1, seconds=1), Failed, "clock"),
        (NOW - DAY, Passed, ""),
        (NOW + 70 * DAY, Passed, ""),
        (NOW + timedelta(days=70, seconds=1), Warned, "in 29 days"),
        (NOW + 93 * DAY, Warned, "in 7 days"),
        (NOW + timedelta(days=93, seconds=1), Failed, "in 6 days"),
        (NOW + 100 * DAY, Failed, "in 0 days"),
        (NOW + timedelta(days=100, seconds=1), Failed, "has ended at 2027-03-03T00:00:00Z"),
    ],
)
def test_expiry(now: datetime, expected: type[Verdict], words: str) -> None:
    assert LEAF.end == NOW + 100 * DAY
    roots = (replace(ODD_CA, issuer="authority", start=NOW - 9 * DAY, end=NOW + 900 * DAY).make(),)
    verdict = found(LEAF.make(), roots, now=now)["expiry"]
    assert isinstance(verdict, expected)
    assert words in cause(verdict)


def test_the_end_of_the_authority_counts_and_a_living_one_is_preferred() -> None:
    dead = replace(ODD_CA, end=NOW - timedelta(seconds=1)).make()
    verdict = found(LEAF.make(), (dead,))["expiry"]
    assert isinstance(verdict, Failed)
    assert "its authority CN=authority has ended" in verdict.cause
    assert isinstance(found(LEAF.make(), (dead, ROOT))["expiry"], Passed)


def test_key_strength() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - a weak key is the case
    for key, words in (
        (short, "too short"),
        (ec.generate_private_key(ec.SECP256K1()), "cannot use"),
        (ec.generate_private_key(ec.SECP224R1()), "cannot use"),
    ):
        verdict = found(replace(LEAF, key=key).make())["key-strength"]
        assert isinstance(verdict, Failed)
        assert words in verdict.cause
    weak_root = replace(ODD_CA, key=short, signer=short).make()
    assert isinstance(found(replace(LEAF, signer=short).make(), (weak_root,))["key-strength"], Failed)
    assert isinstance(found(replace(LEAF, key=ec.generate_private_key(ec.SECP521R1())).make())["key-strength"], Passed)


def test_signature() -> None:
    old = replace(LEAF, algorithm=hashes.SHA224()).make()
    verdict = found(old)["signature"]
    assert isinstance(verdict, Failed)
    assert "sha224" in verdict.cause
    root = replace(ODD_CA, algorithm=hashes.SHA224()).make()
    assert isinstance(found(LEAF.make(), (root,))["signature"], Passed)  # what is trusted is trusted whoever signed it
    ed25519 = issue(Request(CA, "x"), generate("ed25519"), None, now=NOW, serial=1)
    leaf = issue(Request(SERVER, "web1", NAMES), KEY, ed25519, now=NOW, serial=1).certificate
    assert isinstance(found(leaf, (ed25519.certificate,))["signature"], Passed)


@pytest.mark.parametrize(
    ("salt", "hashed", "expected"),
    [(32, hashes.SHA256(), Passed), (222, hashes.SHA256(), Failed), (32, hashes.SHA384(), Failed)],
)
def test_of_rsa_pss_go_knows_one_form(salt: int, hashed: hashes.HashAlgorithm, expected: type[Verdict]) -> None:
    key = generate("rsa-2048")
    assert isinstance(key, rsa.RSAPrivateKey)
    builder = x509.CertificateBuilder(named("authority"), named("web1"), KEY.public_key(), 5, NOW - DAY, NOW + DAY)
    pss = padding.PSS(padding.MGF1(hashed), salt)
    verdict = found(builder.sign(key, hashes.SHA256(), rsa_padding=pss))["signature"]
    assert isinstance(verdict, expected)


def san(*names: x509.GeneralName) -> x509.Certificate:
    extensions: Extensions = ((x509.SubjectAlternativeName(names), False),) if names else ()
    return replace(LEAF, extensions=extensions).make()


@pytest.mark.parametrize(
    ("name", "host", "matches"),
    [
        ("web1.example", "web1.example", True),
        ("web1.example", "WEB1.Example", True),
        ("Web1.example", "web1.example", True),
        ("web1.example", "web1.example.", True),
        ("web1.example", "web2.example", False),
        ("web1.example", "web1.example.org", False),
        ("my_host.example", "my_host.example", True),
        ("*.example", "web1.example", True),
        ("*.example", "a_b.example", True),
        ("*.local", "web1.local", True),
        ("*.example", "a.b.example", False),
        ("*.example", "example", False),
        ("*.example", ".example", False),
        ("d*.example", "docker.example", False),
        ("a.*.example", "a.b.example", False),
        ("*", "localhost", False),
        ("localhost.", "localhost", False),
        ("localhost.", "localhost.", True),
        ("10.0.0.5", "10.0.0.5", False),
        ("", "", False),
        (".", ".", False),
        ("web1.example", "", False),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "bücher.example", False),
    ],
)
def test_host_names_match_as_in_go(name: str, host: str, *, matches: bool) -> None:
    assert name_matches(san(x509.DNSName(name)), host) is matches


@pytest.mark.parametrize(
    ("address", "host", "matches"),
    [
        ("10.0.0.5", "10.0.0.5", True),
        ("10.0.0.5", "::ffff:10.0.0.5", True),
        ("10.0.0.5", "10.0.0.6", False),
        ("::1", "::1", True),
        ("::1", "[::1]", True),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("::1", "localhost", False),
        ("fe80::1", "fe80::1%eth0", True),
    ],
)
def test_addresses_match_as_in_go(address: str, host: str, *, matches: bool) -> None:
    assert name_matches(san(x509.IPAddress(ip_address(address))), host) is matches


@pytest.mark.parametrize(
    ("names", "host", "expected", "words"),
    [
        ([x509.DNSName("web1.example")], "web1.example", Passed, ""),
        ([x509.DNSName("web2.example")], "web1.example", Failed, "it is for web2.example, not for web1.example"),
        ([], "web1", Failed, "no subject alternative names"),
        ([x509.DNSName("10.0.0.5")], "10.0.0.5", Failed, "stands in it as a DNS name"),
        ([x509.DNSName("web1")], "10.0.0.5", Failed, "doesn't contain any IP SANs"),
        ([x509.DNSName("*.local")], "web1.local", Warned, "OpenSSL, curl and Python do not"),
        ([x509.DNSName("*.x.y")], "a_b.x.y", Warned, "OpenSSL, curl and Python do not"),
        ([x509.DNSName("*.x.y"), x509.DNSName("a_b.x.y")], "a_b.x.y", Passed, ""),
        ([x509.DNSName("*.x.y")], "ab.x.y", Passed, ""),
        ([x509.DNSName("a\x1b")], "web1", Failed, "a\\x1b"),
    ],
)
def test_name(names: list[x509.GeneralName], host: str, expected: type[Verdict], words: str) -> None:
    verdict = found(san(*names), names=(host,))["name"]
    assert isinstance(verdict, expected)
    assert words in cause(verdict)


def test_every_missing_name_is_told() -> None:
    verdict = found(SERVER_LEAF, names=("a.example", "web1.example", "10.0.0.6"))["name"]
    assert isinstance(verdict, Failed)
    assert [one.expected for one in verdict.evidence] == ["a.example", "10.0.0.6"]


MALFORMED = {
    "two authorityKeyIdentifiers": (b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x23"),
    "an X.400 address": (b"\x82\x0cweb1.example", b"\xa3\x0cweb1.example"),
}


@pytest.mark.parametrize("way", MALFORMED)
def test_a_malformed_certificate_is_a_failure_and_nothing_else_is_told(way: str) -> None:
    raw = SERVER_LEAF.public_bytes(Encoding.DER)
    bad = raw.replace(*MALFORMED[way], 1)
    assert bad != raw
    verdicts = found(x509.load_der_x509_certificate(bad))
    assert isinstance(verdicts.pop("chain"), Failed)
    assert all(isinstance(one, Unknown) for one in verdicts.values())


def test_an_issued_authority_is_no_better_for_being_shown_as_a_client() -> None:
    issued: Issued = AUTHORITY
    verdicts = found(issued.certificate, purpose=Purpose.CLIENT)
    assert isinstance(verdicts["chain"], Passed)
    assert isinstance(verdicts["purpose"], Warned)
