"""Verdicts from observations made by hand: each finding passing, failing and not to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.findings import Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import generate
from dockertls.pki.profiles import CA, CLIENT, SERVER
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.grade import grade
from dockertls.probe.observation import ApiSeen, Handshake, Observation, Outcome, Pair, PlainAnswer, PlainOutcome

if TYPE_CHECKING:
    from dockertls.findings import Finding, Verdict
    from dockertls.pki.profiles import Profile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
ORDER = [
    "reachable",
    "tls-version",
    "chain",
    "name",
    "expiry",
    "purpose",
    "key-strength",
    "signature",
    "client-required",
    "stranger-refused",
    "plaintext-refused",
    "api",
]
NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("web1.example.org"),
    x509.DNSName("*.lab.example.org"),
    x509.IPAddress(ip_address("10.0.0.5")),
    x509.IPAddress(ip_address("::1")),
)
GO_REFUSAL = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


def root(days: int = 3650) -> Issued:
    request = Request(CA, "ours", lifetime=timedelta(days=days))
    return issue(request, generate("ecdsa-p256"), None, now=NOW, serial=1)


ROOT = root()


def der(profile: Profile = SERVER, *, kind: str = "ecdsa-p256", days: int = 200, signer: Issued = ROOT) -> bytes:
    request = Request(profile, "web1", NAMES, timedelta(days=days))
    issued = issue(request, generate(kind), signer, now=NOW, serial=2)
    return issued.certificate.public_bytes(Encoding.DER)


LEAF = der()
IN12, IN13 = (
    Handshake(Outcome.ACCEPTED, version, "CIPHER", (LEAF,), status=200, answer=b"HTTP/1.1 200 OK", address="10.0.0.5")
    for version in ("TLSv1.2", "TLSv1.3")
)
OUT12 = Handshake(Outcome.HANDSHAKE_REFUSED, chain=(LEAF,), alert="bad_certificate", address="10.0.0.5")
OUT13 = Handshake(
    Outcome.REFUSED_AFTER_HANDSHAKE, "TLSv1.3", "CIPHER", (LEAF,), alert="bad_certificate", address="10.0.0.5"
)
NO_VERSION = Handshake(Outcome.HANDSHAKE_REFUSED, alert="protocol_version", address="10.0.0.5")
SILENT = Handshake(Outcome.TIMED_OUT, reason="timed out", address="10.0.0.5")
CLOSED = Handshake(Outcome.CLOSED, reason="Connection reset by peer", address="10.0.0.5")
NOT_TLS = Handshake(Outcome.NOT_TLS, answer=b"HTTP/1.1 400 Bad Request", status=400, address="10.0.0.5")
AWAY = Handshake(Outcome.UNREACHABLE, reason="Connection refused", errno=111)
OUT = Pair(OUT12, OUT13)
GOOD = Observation(
    Endpoint("web1.example.org"),
    good=Pair(IN12, IN13),
    none=OUT,
    stranger=OUT,
    verified=replace(IN13, verify_code=0),
    strict=replace(IN13, verify_code=0),
    plaintext=PlainAnswer(PlainOutcome.REFUSED, 400, GO_REFUSAL),
    api=ApiSeen(200, "20.10.24", "1.41"),
)


def everything(look: Handshake) -> Observation:
    pair = Pair(look, look)
    return replace(GOOD, good=pair, none=pair, stranger=pair, verified=look, strict=look)


def shown(chain: tuple[bytes, ...], endpoint: str = "web1.example.org") -> Observation:
    """The good daemon with another chain."""

    def other(look: Handshake) -> Handshake:
        return replace(look, chain=chain)

    def both(pair: Pair) -> Pair:
        return Pair(other(pair.tls12), other(pair.tls13))

    return replace(
        GOOD,
        endpoint=Endpoint.parse(endpoint),
        good=both(GOOD.good),
        none=both(GOOD.none),
        stranger=both(GOOD.stranger),
        verified=other(GOOD.verified),
        strict=other(GOOD.strict),
    )


def findings(seen: Observation, *, roots: tuple[Issued, ...] = (ROOT,), now: datetime = NOW) -> dict[str, Finding]:
    found = grade(seen, [one.certificate for one in roots], now=now, warn=MONTH, fail=WEEK)
    assert [one.id for one in found] == ORDER
    return {one.id: one for one in found}


def verdict(name: str, seen: Observation, *, roots: tuple[Issued, ...] = (ROOT,), now: datetime = NOW) -> Verdict:
    return findings(seen, roots=roots, now=now)[name].verdict


def test_a_good_daemon_passes_everything_with_evidence() -> None:
    for one in findings(GOOD).values():
        assert isinstance(one.verdict, Passed), one
        assert one.verdict.evidence
        assert one.title


def test_how_bad_it_would_be() -> None:
    critical = {name for name, one in findings(GOOD).items() if one.severity is Severity.CRITICAL}
    assert critical == {"chain", "client-required", "stranger-refused", "plaintext-refused"}


def test_a_daemon_that_is_not_there() -> None:
    seen = replace(everything(AWAY), plaintext=PlainAnswer(PlainOutcome.UNREACHABLE), api=ApiSeen(fault="refused"))
    found = findings(seen)
    reachable = found.pop("reachable").verdict
    assert isinstance(reachable, Failed)
    assert (reachable.cause, "systemctl" in reachable.remedy) == ("nothing listens on that port", True)
    assert {type(one.verdict) for one in found.values()} == {Unknown}


def test_a_daemon_that_says_nothing() -> None:
    seen = replace(everything(SILENT), plaintext=PlainAnswer(PlainOutcome.TIMED_OUT), api=ApiSeen(fault="timed out"))
    found = findings(seen)
    assert isinstance(found["reachable"].verdict, Failed)
    assert isinstance(found["tls-version"].verdict, Unknown)
    assert isinstance(found["stranger-refused"].verdict, Unknown)


def test_a_daemon_without_tls() -> None:
    answered = PlainAnswer(PlainOutcome.ANSWERED, 200, b"HTTP/1.1 200 OK\r\n\r\nOK")
    found = findings(replace(everything(NOT_TLS), plaintext=answered, api=ApiSeen(fault="WRONG_VERSION_NUMBER")))
    assert isinstance(found["reachable"].verdict, Passed)
    assert isinstance(found["tls-version"].verdict, Failed)
    assert isinstance(found["plaintext-refused"].verdict, Failed)
    assert isinstance(found["api"].verdict, Failed)
    assert "without it" in found["api"].verdict.cause
    rest = set(ORDER) - {"reachable", "tls-version", "plaintext-refused", "api"}
    assert {type(found[name].verdict) for name in rest} == {NotApplicable}


def test_neither_version() -> None:
    assert isinstance(verdict("tls-version", everything(NO_VERSION)), Failed)


@pytest.mark.parametrize("name", ["client-required", "stranger-refused"])
@pytest.mark.parametrize(
    ("good", "bad", "kind"),
    [
        (Pair(IN12, IN13), OUT, Passed),
        (Pair(IN12, IN13), Pair(CLOSED, CLOSED), Passed),
        (Pair(IN12, IN13), Pair(OUT12, IN13), Failed),
        (Pair(IN12, IN13), Pair(IN12, OUT13), Failed),
        (Pair(OUT12, OUT13), Pair(IN12, OUT13), Failed),
        (Pair(IN12, IN13), Pair(OUT12, SILENT), Unknown),
        (Pair(IN12, IN13), Pair(OUT12, replace(IN13, status=None)), Unknown),
        (Pair(IN12, IN13), Pair(OUT12, replace(IN13, status=503)), Unknown),
        (Pair(IN12, IN13), Pair(OUT12, replace(IN13, status=403)), Warned),
        (Pair(IN12, IN13), Pair(OUT12, replace(OUT13, outcome=Outcome.UNUSABLE)), Unknown),
        (Pair(IN12, OUT13), OUT, Unknown),
        (Pair(OUT12, IN13), OUT, Unknown),
        (Pair(OUT12, OUT13), OUT, Unknown),
        (Pair(SILENT, IN13), OUT, Unknown),
        (Pair(IN12, replace(IN13, status=403)), OUT, Unknown),
    ],
)
def test_refused_counts_only_beside_a_control(name: str, good: Pair, bad: Pair, kind: type[Verdict]) -> None:
    seen = replace(GOOD, good=good, none=bad) if name == "client-required" else replace(GOOD, good=good, stranger=bad)
    found = verdict(name, seen)
    assert isinstance(found, kind), found
    if isinstance(found, Passed | Failed | Warned):
        assert [one.source.split(",")[0] for one in found.evidence] == ["TLSv1.2", "TLSv1.3"]


def test_an_unknown_says_which_version_and_why() -> None:
    found = verdict("stranger-refused", replace(GOOD, good=Pair(IN12, OUT13)))
    assert isinstance(found, Unknown)
    assert found.reason.startswith("TLSv1.3: your own certificate is not let in either")
    assert "bad_certificate" in found.reason
    assert "TLSv1.2" not in found.reason


@pytest.mark.parametrize("absent", [NO_VERSION, replace(CLOSED, reason="EOF")])
def test_one_version_alone_is_fine(absent: Handshake) -> None:
    seen = replace(GOOD, good=Pair(IN12, absent), none=Pair(OUT12, absent), stranger=Pair(OUT12, absent))
    for name in ("tls-version", "client-required", "stranger-refused"):
        assert isinstance(verdict(name, seen), Passed), name
    other = replace(GOOD, good=Pair(absent, IN13), none=Pair(absent, OUT13), stranger=Pair(absent, OUT13))
    for name in ("tls-version", "client-required", "stranger-refused"):
        assert isinstance(verdict(name, other), Passed), name


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [
        (20, "unable to get local issuer certificate", "is not the authority"),
        (79, "invalid CA certificate", "basicConstraints"),
        (26, "unsuitable certificate purpose", "for the other side"),
        (4711, "something new", "something new"),
    ],
)
def test_a_chain_that_does_not_verify(code: int, text: str, cause: str) -> None:
    refused = Handshake(Outcome.UNACCEPTABLE, verify_code=code, verify_text=text, address="10.0.0.5")
    found = verdict("chain", replace(GOOD, verified=refused, strict=refused))
    assert isinstance(found, Failed)
    assert cause in found.cause


def test_a_chain_that_python_alone_refuses_is_warned_of() -> None:
    strict = Handshake(Outcome.UNACCEPTABLE, verify_code=92, verify_text="CA cert does not include key usage extension")
    found = verdict("chain", replace(GOOD, strict=strict))
    assert isinstance(found, Warned)
    assert "3.13" in found.cause


def test_a_chain_that_was_not_asked_for_is_unknown() -> None:
    assert isinstance(verdict("chain", replace(GOOD, verified=SILENT)), Unknown)
    unusable = Handshake(Outcome.UNUSABLE, reason="no certificate in it")
    assert isinstance(verdict("chain", replace(GOOD, verified=unusable)), Unknown)


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        ("web1.example.org", Passed),
        ("WEB1.example.org", Passed),
        ("db.lab.example.org", Passed),
        ("10.0.0.5", Passed),
        ("[::1]", Passed),
        ("a.db.lab.example.org", Failed),
        ("lab.example.org", Failed),
        ("web2.example.org", Failed),
        ("web1", Failed),
        ("10.0.0.6", Failed),
    ],
)
def test_names(endpoint: str, kind: type[Verdict]) -> None:
    found = verdict("name", shown((LEAF,), endpoint))
    assert isinstance(found, kind)
    if isinstance(found, Failed):
        assert Endpoint.parse(endpoint).host in found.cause + found.remedy


@pytest.mark.parametrize(
    ("later", "kind"),
    [
        (timedelta(), Passed),
        (timedelta(days=169), Passed),
        (timedelta(days=171), Warned),
        (timedelta(days=194), Failed),
        (timedelta(days=201), Failed),
        (timedelta(days=-1), Failed),
    ],
)
def test_expiry(later: timedelta, kind: type[Verdict]) -> None:
    assert isinstance(verdict("expiry", GOOD, now=NOW + later), kind)


def test_an_authority_that_expires_counts() -> None:
    short = root(days=20)
    found = verdict("expiry", shown((der(days=15, signer=short),)), roots=(short,), now=NOW + timedelta(days=16))
    assert isinstance(found, Failed)


def test_purpose() -> None:
    assert isinstance(verdict("purpose", GOOD), Passed)
    clients = shown((der(CLIENT),))
    found = verdict("purpose", clients)
    assert isinstance(found, Failed)
    assert "serverAuth" in found.cause


def test_a_wrong_purpose_is_no_fault_of_the_chain() -> None:
    refused = Handshake(Outcome.UNACCEPTABLE, verify_code=26, verify_text="unsuitable", address="10.0.0.5")
    clients = replace(shown((der(CLIENT),)), verified=refused, strict=refused)
    assert isinstance(verdict("chain", clients), Passed)
    assert isinstance(verdict("chain", clients, roots=(root(),)), Failed)


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"])
def test_keys_that_are_strong(kind: str) -> None:
    seen = shown((der(kind=kind),))
    assert isinstance(verdict("key-strength", seen), Passed)
    assert isinstance(verdict("signature", seen), Passed)


def test_what_is_no_certificate_is_unknown() -> None:
    found = findings(shown((b"\x30\x03\x02\x01\x01",)))
    for name in ("chain", "name", "expiry", "purpose", "key-strength", "signature"):
        assert isinstance(found[name].verdict, Unknown), name
    assert isinstance(found["client-required"].verdict, Passed)


def test_a_certificate_that_was_not_seen_is_unknown() -> None:
    found = findings(shown(()))
    assert isinstance(found["expiry"].verdict, Unknown)
    assert isinstance(found["client-required"].verdict, Passed)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (PlainAnswer(PlainOutcome.REFUSED, 400, GO_REFUSAL), Passed),
        (PlainAnswer(PlainOutcome.REFUSED, 400, b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port"), Passed),
        (PlainAnswer(PlainOutcome.ALERT, answer=b"\x15\x03"), Passed),
        (PlainAnswer(PlainOutcome.CLOSED), Passed),
        (PlainAnswer(PlainOutcome.ANSWERED, 200, b"HTTP/1.1 200 OK\r\n\r\nOK"), Failed),
        (PlainAnswer(PlainOutcome.ANSWERED, 403, b"HTTP/1.1 403 Forbidden"), Failed),
        (PlainAnswer(PlainOutcome.TIMED_OUT), Unknown),
        (PlainAnswer(PlainOutcome.UNREACHABLE), Unknown),
        (PlainAnswer(PlainOutcome.GARBAGE, answer=b"\x1b[31mSSH"), Unknown),
    ],
)
def test_plain_text(answer: PlainAnswer, kind: type[Verdict]) -> None:
    found = verdict("plaintext-refused", replace(GOOD, plaintext=answer))
    assert isinstance(found, kind)
    assert "\x1b" not in repr(found)


def test_a_closed_port_proves_nothing_where_nothing_speaks_tls() -> None:
    for answer in (PlainAnswer(PlainOutcome.CLOSED), PlainAnswer(PlainOutcome.ALERT, answer=b"\x15\x03")):
        assert isinstance(verdict("plaintext-refused", replace(everything(CLOSED), plaintext=answer)), Unknown)


@pytest.mark.parametrize(
    ("said", "kind", "cause"),
    [
        (ApiSeen(200, "20.10.24", "1.41"), Passed, ""),
        (ApiSeen(200), Failed, "not dockerd"),
        (ApiSeen(403), Failed, "authorization plugin"),
        (ApiSeen(fault="tcp://web1:2376: TLSV1_ALERT_UNKNOWN_CA"), Failed, "does not know the authority"),
        (ApiSeen(fault="tcp://web1:2376: timed out"), Failed, "no answer in time"),
        (ApiSeen(fault="a thing nobody has seen"), Failed, "a thing nobody has seen"),
    ],
)
def test_the_api(said: ApiSeen, kind: type[Verdict], cause: str) -> None:
    found = verdict("api", replace(GOOD, api=said))
    assert isinstance(found, kind)
    if isinstance(found, Failed):
        assert cause in found.cause
        assert found.remedy
