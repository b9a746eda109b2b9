"""Verdicts from observations made by hand: each finding passing, failing and not to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
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
from dockertls.probe.stranger import OUR_SERVER, SERVING, WHO

if TYPE_CHECKING:
    from dockertls.findings import Finding, Verdict
    from dockertls.pki.profiles import Profile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
ORDER = [
    "reachable",
    "tls-version",
    "legacy-refused",
    "chain",
    "name",
    "expiry",
    "purpose",
    "key-strength",
    "signature",
    "client-required",
    "stranger-refused",
    "purpose-required",
    "accepted-authorities",
    "plaintext-refused",
    "plaintext-port-closed",
    "served-is-current",
    "api",
    "clock",
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
SERVED = x509.load_der_x509_certificate(LEAF)
MINE = x509.load_der_x509_certificate(der(CLIENT))
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


def request_of(*authorities: Issued) -> bytes:
    """A CertificateRequest of TLS 1.2 that names them."""
    names = [one.certificate.subject.public_bytes() for one in authorities]
    listed = b"".join(len(name).to_bytes(2) + name for name in names)
    return b"\x01\x40" + b"\x00\x02\x04\x03" + len(listed).to_bytes(2) + listed


ASKED = Pair(replace(OUT12, request=request_of(ROOT)), OUT13)
GOOD = Observation(
    Endpoint("web1.example.org"),
    good=Pair(IN12, IN13),
    none=ASKED,
    visitors=dict.fromkeys(WHO, OUT),
    verified=replace(IN13, verify_code=0),
    strict=replace(IN13, verify_code=0),
    legacy=NO_VERSION,
    weak=Handshake(Outcome.HANDSHAKE_REFUSED, alert="handshake_failure", address="10.0.0.5"),
    plaintext=PlainAnswer(PlainOutcome.REFUSED, 400, GO_REFUSAL),
    neighbour=PlainAnswer(PlainOutcome.UNREACHABLE, reason="Connection refused", errno=111),
    api=ApiSeen(
        200,
        "20.10.24",
        "1.41",
        date="Sun, 01 Mar 2026 12:00:00 GMT",
        heard=NOW.timestamp(),
        software="Docker/20.10.24 (linux)",
    ),
)


def everything(look: Handshake) -> Observation:
    pair = Pair(look, look)
    return replace(GOOD, good=pair, none=pair, visitors=dict.fromkeys(WHO, pair), verified=look, strict=look)


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
        none=both(ASKED),
        visitors={name: both(one) for name, one in GOOD.visitors.items()},
        verified=other(GOOD.verified),
        strict=other(GOOD.strict),
    )


def findings(
    seen: Observation,
    *,
    roots: tuple[Issued, ...] = (ROOT,),
    now: datetime = NOW,
    current: list[x509.Certificate] | str | None = None,
) -> dict[str, Finding]:
    known = [one.certificate for one in roots]
    found = grade(seen, known, now=now, warn=MONTH, fail=WEEK, client=[MINE], current=current or [SERVED])
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
    assert critical == {
        "chain",
        "client-required",
        "stranger-refused",
        "accepted-authorities",
        "plaintext-refused",
        "plaintext-port-closed",
    }


def test_a_daemon_that_is_not_there() -> None:
    seen = replace(everything(AWAY), plaintext=PlainAnswer(PlainOutcome.UNREACHABLE), api=ApiSeen(fault="refused"))
    found = findings(seen)
    reachable = found.pop("reachable").verdict
    assert isinstance(reachable, Failed)
    assert (reachable.cause, "systemctl" in reachable.remedy) == ("nothing listens on that port", True)
    assert isinstance(found.pop("plaintext-port-closed").verdict, Passed)
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
    rest = set(ORDER) - {"reachable", "tls-version", "plaintext-refused", "plaintext-port-closed", "api"}
    assert {type(found[name].verdict) for name in rest} == {NotApplicable}


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"SSH-2.0-OpenSSH_9.2p1\r\n", "an SSH server answers (SSH-2.0-OpenSSH_9.2p1)"), (b"\x80\x1b", "\\x1b")],
)
def test_what_speaks_neither_tls_nor_http_is_no_dockerd(answer: bytes, told: str) -> None:
    found = findings(
        replace(everything(replace(NOT_TLS, status=None, answer=answer)), api=ApiSeen(fault="WRONG_VERSION_NUMBER"))
    )
    for name in ("tls-version", "api"):
        verdict_ = found[name].verdict
        assert isinstance(verdict_, Failed)
        assert "no dockerd listens there" in verdict_.cause
        assert told in verdict_.cause
        assert "check host and port" in verdict_.remedy
        assert "bootstrap" not in verdict_.remedy


def test_neither_version() -> None:
    found = verdict("tls-version", everything(NO_VERSION))
    assert isinstance(found, Failed)
    assert "no version of TLS in common" in found.cause


def test_who_hangs_up_has_not_said_that_it_lacks_a_version() -> None:
    found = verdict("tls-version", replace(everything(CLOSED), good=Pair(SILENT, CLOSED)))
    assert isinstance(found, Failed)
    assert "closed the connection without saying why" in found.cause
    assert "no version of TLS" not in found.cause
    said = verdict("tls-version", replace(everything(CLOSED), good=Pair(CLOSED, NO_VERSION)))
    assert isinstance(said, Failed)
    assert "no version of TLS in common" in said.cause, "one of them says so"


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
    seen = (
        replace(GOOD, good=good, none=bad)
        if name == "client-required"
        else replace(GOOD, good=good, visitors={"stranger": bad})
    )
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
    seen = replace(GOOD, good=Pair(IN12, absent), none=Pair(OUT12, absent), visitors={"stranger": Pair(OUT12, absent)})
    for name in ("tls-version", "client-required", "stranger-refused"):
        assert isinstance(verdict(name, seen), Passed), name
    other = replace(GOOD, good=Pair(absent, IN13), none=Pair(absent, OUT13), visitors={"stranger": Pair(absent, OUT13)})
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
        (PlainAnswer(PlainOutcome.BAD_REQUEST, 400, b"HTTP/1.1 400 Bad Request\r\n\r\nbad request"), Passed),
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
    bad = PlainAnswer(PlainOutcome.BAD_REQUEST, 400, b"HTTP/1.1 400 Bad Request\r\n\r\nbad request")
    for answer in (PlainAnswer(PlainOutcome.CLOSED), PlainAnswer(PlainOutcome.ALERT, answer=b"\x15\x03"), bad):
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


@pytest.mark.parametrize(
    ("fault", "unfit", "told"),
    [
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", True, "see client-files"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", True, "see client-files"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", False, "timedatectl"),
        ("timed out", True, "--timeout"),
    ],
)
def test_a_client_whose_own_files_are_no_good_is_sent_there(fault: str, unfit: bool, told: str) -> None:
    seen, known = replace(GOOD, api=ApiSeen(fault=fault)), [ROOT.certificate]
    found = grade(seen, known, now=NOW, warn=MONTH, fail=WEEK, client=[MINE], current=[SERVED], unfit=unfit)
    (api,) = (one.verdict for one in found if one.id == "api")
    assert isinstance(api, Failed)
    assert told in api.remedy


# who is let in


def test_a_server_of_an_unknown_authority_proves_nothing_of_its_purpose() -> None:
    strangers = {name: pair for name, pair in GOOD.visitors.items() if name != OUR_SERVER}
    assert isinstance(verdict("purpose-required", replace(GOOD, visitors=strangers)), NotApplicable)
    inside = replace(GOOD, visitors={**strangers, SERVING: GOOD.good})
    assert isinstance(verdict("purpose-required", inside), Failed)
    assert isinstance(verdict("stranger-refused", inside), Passed)


@pytest.mark.parametrize("who", [name for name in WHO if name not in (SERVING, OUR_SERVER)])
def test_every_stranger_counts(who: str) -> None:
    found = verdict("stranger-refused", replace(GOOD, visitors={**GOOD.visitors, who: Pair(OUT12, IN13)}))
    assert isinstance(found, Failed)
    assert f"{WHO[who]} (TLSv1.3)" in found.cause
    assert isinstance(verdict("purpose-required", replace(GOOD, visitors={**GOOD.visitors, who: GOOD.good})), Passed)


def asked(request: bytes | None) -> Observation:
    return replace(GOOD, none=Pair(replace(OUT12, request=request), OUT13))


OTHER = issue(Request(CA, "theirs"), generate("ecdsa-p256"), None, now=NOW, serial=3)


@pytest.mark.parametrize(
    ("request_", "kind", "told"),
    [
        (request_of(ROOT), Passed, "CN=ours"),
        (request_of(), Failed, "system"),
        (request_of(OTHER), Failed, "CN=theirs"),
        (request_of(ROOT, OTHER), Warned, "CN=theirs"),
        (None, NotApplicable, "asks for no certificate"),
        (b"\x01\x40\x00", Unknown, "cut off"),
        (b"", Unknown, "cut off"),
    ],
)
def test_accepted_authorities(request_: bytes | None, kind: type[Verdict], told: str) -> None:
    found = verdict("accepted-authorities", asked(request_))
    assert isinstance(found, kind), found
    assert told in str(found)


def test_who_has_no_authority_cannot_tell_whether_others_are_let_in() -> None:
    found = grade(asked(request_of(OTHER)), (), now=NOW, warn=MONTH, fail=WEEK, client=(), current=[SERVED])
    told = next(one.verdict for one in found if one.id == "accepted-authorities")
    assert isinstance(told, Unknown), told
    assert "CN=theirs" in told.reason


@pytest.mark.parametrize(
    ("api", "kind"), [(ApiSeen(200, "1", "1.41", software="nginx"), Unknown), (ApiSeen(fault="no"), Failed)]
)
def test_whom_other_servers_trust_cannot_be_seen(api: ApiSeen, kind: type[Verdict]) -> None:
    assert isinstance(verdict("accepted-authorities", replace(asked(request_of()), api=api)), kind)


def test_what_cannot_be_heard_is_unknown() -> None:
    assert isinstance(verdict("accepted-authorities", replace(asked(request_of()), hears=False)), Unknown)


def test_nothing_that_is_not_asked_is_fine() -> None:
    passive = replace(GOOD, none=None, visitors={}, legacy=None, weak=None, plaintext=None, neighbour=None)
    found = {name for name, one in findings(passive).items() if isinstance(one.verdict, NotApplicable)}
    assert found == {
        "legacy-refused",
        "client-required",
        "stranger-refused",
        "purpose-required",
        "accepted-authorities",
        "plaintext-refused",
        "plaintext-port-closed",
    }


# what else is open


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (NO_VERSION, Passed),
        (CLOSED, Passed),
        (replace(IN12, protocol="TLSv1"), Failed),
        (replace(OUT12, protocol="", alert="bad_certificate"), Failed),
        (SILENT, Unknown),
        (Handshake(Outcome.UNUSABLE, reason="no such protocol"), Unknown),
        (Handshake(Outcome.UNACCEPTABLE, reason="NO_PROTOCOLS_AVAILABLE", address="10.0.0.5"), Unknown),
    ],
)
def test_tls_before_1_2(look: Handshake, kind: type[Verdict]) -> None:
    assert isinstance(verdict("legacy-refused", replace(GOOD, legacy=look)), kind)


def test_weak_suites() -> None:
    found = verdict("tls-version", replace(GOOD, weak=replace(IN12, cipher="AES128-SHA")))
    assert isinstance(found, Failed)
    assert "AES128-SHA" in found.evidence[0].seen


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (PlainAnswer(PlainOutcome.ANSWERED, 200, b"HTTP/1.1 200 OK\r\n\r\nOK", connected=True), Failed),
        (PlainAnswer(PlainOutcome.REFUSED, 400, GO_REFUSAL, connected=True), Warned),
        (PlainAnswer(PlainOutcome.BAD_REQUEST, 400, b"HTTP/1.1 400 Bad Request\r\n\r\nno", connected=True), Unknown),
        (PlainAnswer(PlainOutcome.ALERT, answer=b"\x15\x03\x01", connected=True), Warned),
        (PlainAnswer(PlainOutcome.GARBAGE, answer=b"SSH-2.0", connected=True), Unknown),
        (PlainAnswer(PlainOutcome.TIMED_OUT, reason="timed out", connected=True), Unknown),
        (PlainAnswer(PlainOutcome.TIMED_OUT, reason="timed out"), Passed),
    ],
)
def test_the_port_next_door(answer: PlainAnswer, kind: type[Verdict]) -> None:
    assert isinstance(verdict("plaintext-port-closed", replace(GOOD, neighbour=answer)), kind)


def test_the_port_next_door_of_a_host_that_does_not_answer() -> None:
    seen = replace(everything(AWAY), neighbour=PlainAnswer(PlainOutcome.TIMED_OUT, reason="timed out"))
    assert isinstance(verdict("plaintext-port-closed", seen), Unknown)
    own = replace(GOOD, endpoint=Endpoint("web1.example.org", 2375), neighbour=None)
    assert isinstance(verdict("plaintext-port-closed", own), NotApplicable)


def test_what_is_served_is_another_certificate() -> None:
    other = x509.load_der_x509_certificate(der())
    assert isinstance(findings(GOOD, current=[other])["served-is-current"].verdict, Failed)
    assert isinstance(findings(GOOD, current="no store")["served-is-current"].verdict, NotApplicable)


@pytest.mark.parametrize(
    ("seconds", "kind", "told"),
    [
        (0, Passed, "they agree"),
        (-90, Passed, "90 s behind"),
        (600, Warned, "600 s ahead"),
        (-7200, Failed, "7200 s behind"),
    ],
)
def test_clocks(seconds: int, kind: type[Verdict], told: str) -> None:
    said = replace(GOOD.api, date=format_datetime(NOW + timedelta(seconds=seconds), usegmt=True))
    found = verdict("clock", replace(GOOD, api=said))
    assert isinstance(found, kind)
    assert told in str(found)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_a_server_without_a_clock(date: str) -> None:
    assert isinstance(verdict("clock", replace(GOOD, api=replace(GOOD.api, date=date))), NotApplicable)
