"""Judge what was seen of an endpoint: an Observation -> findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, Finding, NotApplicable, Passed, Severity, Unknown, Verdict, Warned
from dockertls.pki.keys import fingerprint
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify
from dockertls.probe.case import (
    NOT_ASKED,
    READ_THE_LOG,
    Case,
    Needs,
    Question,
    failed,
    missing,
    no_dockerd,
    of_version,
    spoken,
    told,
    why,
)
from dockertls.probe.endpoint import PLAIN_PORT
from dockertls.probe.entry import accepted_authorities, client_required, purpose_required, stranger_refused
from dockertls.probe.observation import Handshake, Outcome, PlainOutcome
from dockertls.probe.remedies import explain, of_errno, of_verify_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dockertls.probe.observation import Observation, PlainAnswer

_OK = 200
_MOST_SHOWN = 3  # fingerprints
_WRONG_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
_NO_ANSWER = frozenset({Outcome.TIMED_OUT, Outcome.UNUSABLE})
_NOT_OFFERED = frozenset({"NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE"})
_OF_THE_CLIENT = frozenset(
    {"client-expired", "client-purpose", "client-refused", "closed", "no-client-certificate", "no-common-cipher"}
)
"""Symptoms of a client whose certificate is refused."""
_LOOK = "dockertls daemon show says which files dockerd is told; restart it if it was not"
_UPGRADE = "upgrade dockerd: since 18.09 it takes no TLS before 1.2; or mend the proxy that answers there"
_CLOSE = f"take port {PLAIN_PORT} out of hosts and docker.socket (dockertls daemon show says where it stands)"
_ROUNDED, _SKEWED, _WRONG = timedelta(seconds=2), timedelta(minutes=2), timedelta(hours=1)
"""Differences of the clocks that are worth a word, and that keep new certificates from being valid yet."""


def grade(
    observation: Observation,
    roots: Sequence[x509.Certificate],
    *,
    now: datetime,
    warn: timedelta,
    fail: timedelta,
    client: Sequence[x509.Certificate] = (),
    current: Sequence[x509.Certificate] | str = "which one it should be is not known here",
    unfit: bool = False,
) -> tuple[Finding, ...]:
    """All findings about an endpoint, always in the same order, of which none is missing whatever was seen.

    Args:
        observation: what `dockertls.probe.observing.observe` saw.
        roots: the authorities that the client trusts: its ca.pem.
        now: the time to judge at.
        warn: a certificate that expires within this is warned of.
        fail: a certificate that expires within this fails.
        client: the client's certificate, issuing ones after it; empty: it has none.
        current: those of which one should be served, or why that is not known.
        unfit: whether the client's files are no good, which is told beside these findings, as `client-files`.
    """
    chain, fault = _parsed(observation.chain)
    judged: dict[str, Verdict] = {}
    if chain:
        names = (observation.endpoint.host,)
        found = verify(chain[0], chain[1:], roots, now=now, purpose=Purpose.SERVER, names=names, warn=warn, fail=fail)
        judged = {one.id: one.verdict for one in found}
    case = Case(observation, roots, client, current, chain, fault, judged, unfit)
    return tuple(
        Finding(row.id, row.title, row.severity, missing(row.needs, case) or row.judge(case)) for row in QUESTIONS
    )


def _parsed(chain: tuple[bytes, ...]) -> tuple[tuple[x509.Certificate, ...], str]:
    """The certificates, or what is wrong with them."""
    try:
        return tuple(x509.load_der_x509_certificate(one) for one in chain), "" if chain else "none was seen"
    except ValueError as error:
        return (), visible(str(error))


def _reachable(case: Case) -> Verdict:
    looks = case.seen.looks
    connected = [look for look in looks if look.address]
    if not connected:
        tried = next((look for look in looks if look.outcome is not Outcome.UNUSABLE), looks[0])
        known = of_errno(tried.errno or 0) or explain(tried.reason)
        return failed((case.evidence("connection", told(tried), "a connection"),), known, tried.reason)
    evidence = (case.evidence("connection", f"{connected[0].address} answers in {connected[0].elapsed * 1000:.0f} ms"),)
    if all(look.outcome is Outcome.TIMED_OUT and not look.protocol for look in connected):
        silent = case.evidence("connection", f"{connected[0].address} takes connections and says nothing", "an answer")
        return failed((silent,), explain("timed out"), "")
    return Passed(evidence)


def _tls_version(case: Case) -> Verdict:
    versions = {version: of_version(case.seen, version) for version, _ in case.seen.good.both}
    evidence = tuple(
        case.evidence(version, _agreement(looks), "TLSv1.2 or TLSv1.3") for version, looks in versions.items()
    )
    everything = [look for looks in versions.values() for look in looks]
    if any(spoken(look) for look in everything):
        return _weak_suites(case) or Passed(evidence)
    if foreign := no_dockerd(everything):
        return Failed(evidence, *foreign)
    if any(look.outcome is Outcome.NOT_TLS for look in everything):
        return failed(evidence, explain("does not speak TLS"), "")
    if all(look.outcome in _NO_ANSWER for look in everything):
        return Unknown(f"no handshake ended: {told(everything[0])}")
    return _no_version(evidence, everything)


def _no_version(evidence: tuple[Evidence, ...], looks: Sequence[Handshake]) -> Failed:
    """Neither version came far: that they are not spoken is said only where the server says so itself."""
    answered = [look for look in looks if look.outcome not in _NO_ANSWER]
    first = min(answered, key=lambda look: look.alert != "protocol_version")
    return failed(evidence, explain(first.reason) or explain(told(first)), told(first))


def _agreement(looks: tuple[Handshake, ...]) -> str:
    """What one version came to: the best look says it."""
    best = max(looks, key=lambda look: (bool(look.protocol), spoken(look)))
    if best.protocol:
        return f"{best.protocol}, {best.cipher}"
    return "spoken, no handshake ended well" if spoken(best) else f"not spoken: {told(best)}"


def _chain(case: Case) -> Verdict:
    """What Go says of the certificates, what OpenSSL says on the live connection, and what Python 3.13 says."""
    plain, strict = case.seen.verified, case.seen.strict
    verdict = case.certificate["chain"]
    if not isinstance(verdict, Passed | Warned):
        return verdict
    evidence = (*verdict.evidence, case.evidence("OpenSSL, with the CA file", _verified(plain), "it verifies"))
    if plain.verify_code is None:
        return Unknown(f"OpenSSL was not asked: {told(plain)}")
    if plain.verify_code == _WRONG_PURPOSE and not isinstance(case.certificate["purpose"], Passed):
        return verdict
    if plain.verify_code:
        return failed(evidence, of_verify_code(plain.verify_code), plain.verify_text)
    if isinstance(verdict, Passed) and strict.verify_code:
        picky = case.evidence("OpenSSL, as Python 3.13 asks it", _verified(strict), "it verifies")
        return Warned((*evidence, picky), *why(of_verify_code(strict.verify_code), strict.verify_text))
    return replace(verdict, evidence=evidence)


def _verified(look: Handshake) -> str:
    if look.verify_code == 0:
        return "it verifies"
    return f"OpenSSL's error {look.verify_code}: {visible(look.verify_text)}"


def _legacy(case: Case) -> Verdict:
    """Nothing before TLS 1.2 is spoken."""
    look = case.seen.legacy
    if look is None:
        return NOT_ASKED
    evidence = (case.evidence("TLS 1.0 and 1.1", told(look), "refused"),)
    if look.outcome is Outcome.UNUSABLE or look.reason in _NOT_OFFERED:
        return Unknown("the TLS library of this Python does not offer TLS 1.0 and 1.1")
    if look.protocol or look.chain:
        return Failed(
            evidence, f"{look.protocol or 'TLS before 1.2'} is spoken, which has been broken for long", _UPGRADE
        )
    return Passed(evidence) if look.alert or look.outcome is Outcome.CLOSED else Unknown(told(look))


def _weak_suites(case: Case) -> Failed | None:
    """Whether suites are taken that nobody should use any more."""
    look = case.seen.weak
    if look is None or not (look.protocol or look.chain):
        return None
    seen = case.evidence("TLSv1.2, weak suites alone", f"taken: {look.cipher or 'one of them'}", "refused")
    return Failed((seen,), "cipher suites are taken that are broken or have no forward secrecy", _UPGRADE)


def _current(case: Case) -> Verdict:
    """The certificate that is served is one of those in use."""
    if isinstance(case.current, str):
        return NotApplicable(case.current)
    expected, seen = [fingerprint(one) for one in case.current], fingerprint(case.chain[0])
    wanted = " or ".join(f"SHA-256 {one}" for one in expected[:_MOST_SHOWN])
    evidence = (case.evidence("certificate", f"SHA-256 {seen}", wanted),)
    if seen in expected:
        return Passed(evidence)
    return Failed(evidence, "another certificate is served: dockerd reads other files, or it is not dockerd", _LOOK)


def _last_line(answer: bytes) -> str:
    """What an answer says in the end: of HTTP, its body."""
    return visible(answer.decode("latin-1").strip().rpartition("\n")[2][:80])


def _plaintext(case: Case) -> Verdict:
    answer = case.seen.plaintext
    if answer is None:
        return NOT_ASKED
    words = f"{answer.outcome.value}: {_last_line(answer.answer)}" if answer.answer else answer.reason
    evidence = (case.evidence("plain HTTP", words or answer.outcome.value, "refused"),)
    is_tls = any(spoken(look) for look in case.seen.looks)
    match answer.outcome:
        case PlainOutcome.ANSWERED:
            cause = (
                "the API answers in plain text: whoever reaches the port is root, and whoever listens reads all of it"
            )
            return Failed(evidence, cause, "give the daemon TLS (dockertls bootstrap), or close the port")
        case PlainOutcome.ALERT if is_tls:
            return Passed(evidence)
        case PlainOutcome.REFUSED:
            return Passed(evidence)
        case PlainOutcome.CLOSED | PlainOutcome.BAD_REQUEST if is_tls:
            return Passed(evidence)
        case _:
            return Unknown(f"plain HTTP: {words or answer.outcome.value}")


def _api(case: Case) -> Verdict:
    said = case.seen.api
    if said.fault:
        known, evidence = explain(said.fault), (case.evidence("GET /version", said.fault, "200 OK"),)
        if case.unfit and known and known.id in _OF_THE_CLIENT:
            return Failed(evidence, known.cause, "see client-files: it says what is wrong with the certificate")
        foreign = None if any(map(spoken, case.seen.looks)) else no_dockerd(case.seen.looks)
        return Failed(evidence, *foreign) if foreign else failed(evidence, known, said.fault)
    if said.status != _OK:
        refusal = case.evidence("GET /version", f"status {said.status}", "200 OK")
        cause = "the client is let in, and the API refuses it: an authorization plugin, a proxy, or no dockerd at all"
        return Failed((refusal,), cause, READ_THE_LOG)
    evidence = (case.evidence("GET /version", f"version {said.server}, API {said.api}"),)
    if not said.api:
        return Failed(evidence, "whatever answers names no API version: it is not dockerd", "check the port")
    return Passed(evidence)


def _neighbour(case: Case) -> Verdict:
    """Nobody answers in plain text next door."""
    answer, own = case.seen.neighbour, case.seen.endpoint.port == PLAIN_PORT
    if own:
        return NotApplicable("it is the endpoint's own port")
    if answer is None:
        return NOT_ASKED
    seen = case.evidence(f"port {PLAIN_PORT}", _words(answer), "closed")
    if answer.outcome is PlainOutcome.ANSWERED:
        cause = f"port {PLAIN_PORT} answers in plain text: whoever reaches it is root, whatever TLS does on this one"
        return Failed((seen,), cause, _CLOSE)
    if answer.outcome in (PlainOutcome.ALERT, PlainOutcome.REFUSED):
        cause = f"port {PLAIN_PORT} is open with TLS: clients take it for the one without, and scanners look there"
        return Warned((seen,), cause, f"listen on port 2376 alone: {_CLOSE}")
    if answer.connected:
        return Unknown(f"something listens on port {PLAIN_PORT}: {_words(answer)}")
    reached = any(look.address for look in case.seen.looks)
    return Passed((seen,)) if reached or answer.errno else Unknown(f"port {PLAIN_PORT}: {_words(answer)}")


def _words(answer: PlainAnswer) -> str:
    said = _last_line(answer.answer) or visible(answer.reason)
    return f"{answer.outcome.value}: {said}" if said else answer.outcome.value


def _clock(case: Case) -> Verdict:
    """The server's clock and this one agree, as far as an HTTP date can tell (it has whole seconds)."""
    try:
        theirs = parsedate_to_datetime(case.seen.api.date).replace(tzinfo=UTC)
    except ValueError:
        return NotApplicable("no answer of the API told the time")
    apart = theirs - datetime.fromtimestamp(case.seen.api.heard, UTC)
    seen = f"{abs(apart).total_seconds():.0f} s {'ahead' if apart > timedelta(0) else 'behind'}"
    seen = seen if abs(apart) > _ROUNDED else "they agree"
    evidence = (case.evidence("Date of the answer", seen, f"within {_SKEWED.seconds} s"),)
    if abs(apart) <= _SKEWED:
        return Passed(evidence)
    cause = f"the server's clock is {seen} of this one: certificates begin and end at the wrong time"
    remedy = "set both clocks by NTP: timedatectl set-ntp true"
    return Failed(evidence, cause, remedy) if abs(apart) > _WRONG else Warned(evidence, cause, remedy)


def _of_certificate(name: str) -> Callable[[Case], Verdict]:
    return lambda case: case.certificate[name]


QUESTIONS: tuple[Question, ...] = (
    Question("reachable", "The endpoint takes connections", Severity.HIGH, Needs.NOTHING, _reachable),
    Question(
        "tls-version", "It speaks TLS 1.2 or 1.3, with good suites", Severity.HIGH, Needs.CONNECTION, _tls_version
    ),
    Question("legacy-refused", "It speaks nothing older", Severity.HIGH, Needs.TLS, _legacy),
    Question("chain", "An authority of yours vouches for the server", Severity.CRITICAL, Needs.CERTIFICATE, _chain),
    *(
        Question(name, title, Severity.HIGH, Needs.CERTIFICATE, _of_certificate(name))
        for name, title in (
            ("name", "The certificate is for this name"),
            ("expiry", "No certificate expires soon"),
            ("purpose", "The certificate is for a server and nothing else"),
            ("key-strength", "The keys are strong"),
            ("signature", "The signatures are strong"),
        )
    ),
    Question("client-required", "Without a certificate nobody gets in", Severity.CRITICAL, Needs.TLS, client_required),
    Question(
        "stranger-refused", "Another authority's client is refused", Severity.CRITICAL, Needs.TLS, stranger_refused
    ),
    Question("purpose-required", "A server's certificate is refused", Severity.HIGH, Needs.TLS, purpose_required),
    Question(
        "accepted-authorities", "It lets in clients of yours alone", Severity.CRITICAL, Needs.TLS, accepted_authorities
    ),
    Question("plaintext-refused", "Plain HTTP is refused", Severity.CRITICAL, Needs.CONNECTION, _plaintext),
    Question("plaintext-port-closed", f"Port {PLAIN_PORT} is closed", Severity.CRITICAL, Needs.NOTHING, _neighbour),
    Question(
        "served-is-current", "The certificate in use is the one served", Severity.HIGH, Needs.CERTIFICATE, _current
    ),
    Question("api", "The API answers your certificate", Severity.HIGH, Needs.CONNECTION, _api),
    Question("clock", "The clocks agree", Severity.MEDIUM, Needs.CONNECTION, _clock),
)
