"""Judge what was seen of an endpoint: an Observation -> findings.

A client that was not let in was refused only if the user's own certificate is let in with the same version of TLS:
otherwise nobody can tell a daemon that refuses strangers from one that refuses everybody, or from a broken wire.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.findings import Evidence, Failed, Finding, NotApplicable, Passed, Severity, Unknown, Verdict, Warned
from dockertls.pki.keys import fingerprint
from dockertls.pki.profiles import Purpose
from dockertls.pki.verify import verify
from dockertls.plan import visible
from dockertls.probe.observation import Handshake, Outcome, PlainOutcome
from dockertls.probe.remedies import Remedy, explain, of_errno, of_verify_code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from dockertls.probe.observation import Observation, Pair, Version

_CERTIFICATE_ALERTS = frozenset(
    {
        "bad_certificate",
        "certificate_expired",
        "certificate_required",
        "certificate_revoked",
        "certificate_unknown",
        "unknown_ca",
        "unsupported_certificate",
    }
)
_REFUSALS = (Outcome.HANDSHAKE_REFUSED, Outcome.REFUSED_AFTER_HANDSHAKE, Outcome.CLOSED)
_SUCCESS = range(200, 300)
_CLIENT_ERROR = range(400, 500)
_OK = 200
_GO_REFUSAL = b"Client sent an HTTP request to an HTTPS server"
_WRONG_PURPOSE = 26  # X509_V_ERR_INVALID_PURPOSE
_ASK = "let dockerd ask for certificates: tlsverify with tlscacert, in one place; then restart it (dockertls bootstrap)"
_LOOK = "dockertls daemon show says which files dockerd is told; restart it if it was not"
_READ_THE_LOG = "read dockerd's log: journalctl -u docker"


class _Needs(Enum):
    """What must have been seen for a question to make sense."""

    NOTHING = 0
    CONNECTION = 1
    TLS = 2
    CERTIFICATE = 3


@dataclass(frozen=True)
class _Case:
    """What every question is judged by.

    Attributes:
        seen: of the endpoint.
        fault: why nothing can be said of the server's certificate; empty if something can.
        certificate: what is to be said of it, by the finding's id.
    """

    seen: Observation
    fault: str
    certificate: Mapping[str, Verdict]

    def evidence(self, source: str, seen: str, expected: str = "") -> Evidence:
        return Evidence(source, self.seen.endpoint.url, seen, expected)


@dataclass(frozen=True)
class _Question:
    """One row: a finding and how it is judged."""

    id: str
    title: str
    severity: Severity
    needs: _Needs
    judge: Callable[[_Case], Verdict]


def grade(
    observation: Observation, roots: Sequence[x509.Certificate], *, now: datetime, warn: timedelta, fail: timedelta
) -> tuple[Finding, ...]:
    """Twelve findings, always in the same order, of which none is missing whatever was seen.

    Args:
        observation: what `dockertls.probe.handshake.observe` saw.
        roots: the authorities that the client trusts: its ca.pem.
        now: the time to judge at.
        warn: a certificate that expires within this is warned of.
        fail: a certificate that expires within this fails.
    """
    chain, fault = _parsed(observation.chain)
    judged: dict[str, Verdict] = {}
    if chain:
        names = (observation.endpoint.host,)
        found = verify(chain[0], chain[1:], roots, now=now, purpose=Purpose.SERVER, names=names, warn=warn, fail=fail)
        judged = {one.id: one.verdict for one in found}
    case = _Case(observation, fault, judged)
    return tuple(
        Finding(row.id, row.title, row.severity, _missing(row.needs, case) or row.judge(case)) for row in _QUESTIONS
    )


def _parsed(chain: tuple[bytes, ...]) -> tuple[tuple[x509.Certificate, ...], str]:
    """The certificates, or what is wrong with them."""
    try:
        return tuple(x509.load_der_x509_certificate(one) for one in chain), "" if chain else "none was seen"
    except ValueError as error:
        return (), visible(str(error))


def _missing(needs: _Needs, case: _Case) -> Verdict | None:
    """Why a question makes no sense here; None if it does."""
    looks = case.seen.looks
    if needs is not _Needs.NOTHING and not any(look.address for look in looks):
        return Unknown("there is no connection")
    if needs in (_Needs.TLS, _Needs.CERTIFICATE) and not any(_spoken(look) for look in looks):
        if any(look.outcome is Outcome.NOT_TLS for look in looks):
            return NotApplicable("the port does not speak TLS")
        return Unknown("no handshake came far enough")
    if needs is _Needs.CERTIFICATE and case.fault:
        return Unknown(f"the server's certificate: {case.fault}")
    return None


def _reachable(case: _Case) -> Verdict:
    looks = case.seen.looks
    connected = [look for look in looks if look.address]
    if not connected:
        tried = next((look for look in looks if look.outcome is not Outcome.UNUSABLE), looks[0])
        known = of_errno(tried.errno or 0) or explain(tried.reason)
        return _failed((case.evidence("connection", _told(tried), "a connection"),), known, tried.reason)
    evidence = (case.evidence("connection", f"{connected[0].address} answers in {connected[0].elapsed * 1000:.0f} ms"),)
    if all(look.outcome is Outcome.TIMED_OUT and not look.protocol for look in connected):
        silent = case.evidence("connection", f"{connected[0].address} takes connections and says nothing", "an answer")
        return _failed((silent,), explain("timed out"), "")
    return Passed(evidence)


def _tls_version(case: _Case) -> Verdict:
    versions = {version: _looks(case.seen, version) for version in ("TLSv1.2", "TLSv1.3")}
    evidence = tuple(
        case.evidence(version, _agreement(looks), "TLSv1.2 or TLSv1.3") for version, looks in versions.items()
    )
    everything = [look for looks in versions.values() for look in looks]
    if any(_spoken(look) for look in everything):
        return Passed(evidence)
    if any(look.outcome is Outcome.NOT_TLS for look in everything):
        return _failed(evidence, explain("does not speak TLS"), "")
    if all(look.outcome in (Outcome.TIMED_OUT, Outcome.UNUSABLE) for look in everything):
        return Unknown(f"no handshake ended: {_told(everything[0])}")
    return _failed(evidence, explain("PROTOCOL_VERSION"), "")


def _agreement(looks: tuple[Handshake, ...]) -> str:
    """What one version came to: the best look says it."""
    best = max(looks, key=lambda look: (bool(look.protocol), _spoken(look)))
    if best.protocol:
        return f"{best.protocol}, {best.cipher}"
    return "spoken, no handshake ended well" if _spoken(best) else f"not spoken: {_told(best)}"


def _chain(case: _Case) -> Verdict:
    """What Go says of the certificates, what OpenSSL says on the live connection, and what Python 3.13 says."""
    plain, strict = case.seen.verified, case.seen.strict
    verdict = case.certificate["chain"]
    if not isinstance(verdict, Passed | Warned):
        return verdict
    evidence = (*verdict.evidence, case.evidence("OpenSSL, with the CA file", _verified(plain), "it verifies"))
    if plain.verify_code is None:
        return Unknown(f"OpenSSL was not asked: {_told(plain)}")
    if plain.verify_code == _WRONG_PURPOSE and not isinstance(case.certificate["purpose"], Passed):
        return verdict
    if plain.verify_code:
        return _failed(evidence, of_verify_code(plain.verify_code), plain.verify_text)
    if isinstance(verdict, Passed) and strict.verify_code:
        picky = case.evidence("OpenSSL, as Python 3.13 asks it", _verified(strict), "it verifies")
        return Warned((*evidence, picky), *_why(of_verify_code(strict.verify_code), strict.verify_text))
    return replace(verdict, evidence=evidence)


def _verified(look: Handshake) -> str:
    if look.verify_code == 0:
        return "it verifies"
    return f"OpenSSL's error {look.verify_code}: {visible(look.verify_text)}"


class _Entry(Enum):
    """What became of a client that should not get in, with one version of TLS."""

    LET_IN = "let in"
    REFUSED = "refused"
    HTTP = "let in by TLS, refused by HTTP"
    NOT_SPOKEN = "not spoken"
    UNTOLD = "untold"


def without_client(observation: Observation) -> Verdict:
    """Finding `client-required` where there is no client that the daemon lets in, to compare with.

    The daemon's own word has to do: an alert that tells of certificates, or any once it has shown its own.
    """
    looks = dict(observation.none.both)
    place = observation.endpoint.url
    evidence = tuple(Evidence(version, place, _told(look), "refused") for version, look in looks.items())
    if any(look.outcome is Outcome.ACCEPTED for look in looks.values()):
        return Failed(evidence, "a client without a certificate is let in: whoever reaches the port is root", _ASK)
    spoken = [look for look in looks.values() if _spoken(look)]
    if spoken and all(look.alert for look in spoken):
        return Passed(evidence)
    return Unknown("; ".join(f"{version}: {_told(look)}" for version, look in looks.items()))


def served_is_current(observation: Observation, current: x509.Certificate) -> Finding:
    """Whether the certificate that is served is the one that should be."""
    return Finding(
        "served-is-current", "The certificate in use is the one served", Severity.HIGH, _current(observation, current)
    )


def _current(observation: Observation, current: x509.Certificate) -> Verdict:
    chain, fault = _parsed(observation.chain)
    if not chain:
        return Unknown(f"the server's certificate: {fault}")
    expected, seen = fingerprint(current), fingerprint(chain[0])
    evidence = (Evidence("certificate", observation.endpoint.url, f"SHA-256 {seen}", f"SHA-256 {expected}"),)
    if seen == expected:
        return Passed(evidence)
    return Failed(evidence, "another certificate is served: dockerd reads other files, or it is not dockerd", _LOOK)


def _refused(pair: Callable[[Observation], Pair], who: str, remedy: str, case: _Case) -> Verdict:
    """A client is refused with every version of TLS that the server speaks."""
    entries: dict[Version, _Entry] = {
        version: _entry(look, control, _looks(case.seen, version))
        for (version, look), (_, control) in zip(pair(case.seen).both, case.seen.good.both, strict=True)
    }
    evidence = tuple(
        case.evidence(f"{version}, {who}", _told(look), "refused") for version, look in pair(case.seen).both
    )
    found = set(entries.values())
    if _Entry.LET_IN in found:
        versions = ", ".join(version for version, entry in entries.items() if entry is _Entry.LET_IN)
        return Failed(evidence, f"a client {who} is let in ({versions}): whoever reaches the port is root", remedy)
    if _Entry.UNTOLD in found or found == {_Entry.NOT_SPOKEN}:
        doubts = [_doubt(version, case, pair) for version, entry in entries.items() if entry is _Entry.UNTOLD]
        return Unknown("; ".join(doubts) or "no version of TLS came as far as certificates")
    if _Entry.HTTP in found:
        cause = "TLS lets the client in, and only HTTP refuses it: a proxy, or an authorization plugin"
        return Warned(evidence, cause, remedy)
    return Passed(evidence)


def _entry(look: Handshake, control: Handshake, all_of_version: tuple[Handshake, ...]) -> _Entry:
    if look.outcome is Outcome.ACCEPTED and look.status in _SUCCESS:
        return _Entry.LET_IN
    if not any(_spoken(one) for one in all_of_version) and all(one.outcome in _REFUSALS for one in all_of_version):
        return _Entry.NOT_SPOKEN
    if not _let_in(control):
        return _Entry.UNTOLD
    if look.outcome in _REFUSALS:
        return _Entry.REFUSED
    return _Entry.HTTP if look.status in _CLIENT_ERROR else _Entry.UNTOLD


def _doubt(version: Version, case: _Case, pair: Callable[[Observation], Pair]) -> str:
    control, look = (dict(one.both)[version] for one in (case.seen.good, pair(case.seen)))
    if not _let_in(control):
        return f"{version}: your own certificate is not let in either ({_told(control)}), so a refusal proves nothing"
    return f"{version}: {_told(look)}"


def _last_line(answer: bytes) -> str:
    """What an answer says in the end: of HTTP, its body."""
    return visible(answer.decode("latin-1").strip().rpartition("\n")[2][:80])


def _plaintext(case: _Case) -> Verdict:
    answer = case.seen.plaintext
    told = f"{answer.outcome.value}: {_last_line(answer.answer)}" if answer.answer else answer.reason
    evidence = (case.evidence("plain HTTP", told or answer.outcome.value, "refused"),)
    is_tls = any(_spoken(look) for look in case.seen.looks)
    match answer.outcome:
        case PlainOutcome.ANSWERED:
            cause = (
                "the API answers in plain text: whoever reaches the port is root, and whoever listens reads all of it"
            )
            return Failed(evidence, cause, "give the daemon TLS (dockertls bootstrap), or close the port")
        case PlainOutcome.ALERT if is_tls:
            return Passed(evidence)
        case PlainOutcome.REFUSED if is_tls or _GO_REFUSAL in answer.answer:
            return Passed(evidence)
        case PlainOutcome.CLOSED if is_tls:
            return Passed(evidence)
        case _:
            return Unknown(f"plain HTTP: {told or answer.outcome.value}")


def _api(case: _Case) -> Verdict:
    said = case.seen.api
    if said.fault:
        known = explain(said.fault)
        return _failed((case.evidence("GET /_ping", said.fault, "200 OK"),), known, said.fault)
    if said.status != _OK:
        refusal = case.evidence("GET /_ping", f"status {said.status}", "200 OK")
        cause = "the client is let in, and the API refuses it: an authorization plugin, a proxy, or no dockerd at all"
        return Failed((refusal,), cause, _READ_THE_LOG)
    evidence = (case.evidence("GET /version", f"version {said.server}, API {said.api}"),)
    if not said.api:
        return Failed(evidence, "whatever answers names no API version: it is not dockerd", "check the port")
    return Passed(evidence)


def _of_certificate(name: str) -> Callable[[_Case], Verdict]:
    return lambda case: case.certificate[name]


def _looks(seen: Observation, version: Version) -> tuple[Handshake, ...]:
    """The looks that were pinned to a version."""
    return tuple(dict(pair.both)[version] for pair in (seen.good, seen.none, seen.stranger))


def _spoken(look: Handshake) -> bool:
    """Whether the server went as far as certificates, and so speaks the version."""
    return bool(look.protocol or look.chain or look.alert in _CERTIFICATE_ALERTS)


def _let_in(look: Handshake) -> bool:
    return look.outcome is Outcome.ACCEPTED and look.status in _SUCCESS


def _told(look: Handshake) -> str:
    """One look in a few words."""
    if look.outcome is Outcome.ACCEPTED:
        said = f"status {look.status}" if look.status else "an answer that is no HTTP"
        return f"{look.outcome.value}, {said}"
    if look.alert:
        return f"{look.outcome.value} (alert {visible(look.alert)})"
    detail = visible(look.answer[:40].decode("latin-1")) if look.answer else look.reason
    return f"{look.outcome.value} ({visible(detail)})" if detail else look.outcome.value


def _failed(evidence: tuple[Evidence, ...], known: Remedy | None, otherwise: str) -> Failed:
    return Failed(evidence, *_why(known, otherwise))


def _why(known: Remedy | None, otherwise: str) -> tuple[str, str]:
    return (known.cause, known.remedy) if known else (visible(otherwise), _READ_THE_LOG)


_NOBODY = partial(
    _refused,
    lambda seen: seen.none,
    "without a certificate",
    _ASK,
)
_STRANGER = partial(
    _refused,
    lambda seen: seen.stranger,
    "with a certificate of an unknown authority",
    "let tlscacert name your own authority alone (without it dockerd trusts the whole system's); then restart dockerd",
)

_QUESTIONS: tuple[_Question, ...] = (
    _Question("reachable", "The endpoint takes connections", Severity.HIGH, _Needs.NOTHING, _reachable),
    _Question("tls-version", "It speaks TLS 1.2 or 1.3", Severity.HIGH, _Needs.CONNECTION, _tls_version),
    _Question("chain", "An authority of yours vouches for the server", Severity.CRITICAL, _Needs.CERTIFICATE, _chain),
    *(
        _Question(name, title, Severity.HIGH, _Needs.CERTIFICATE, _of_certificate(name))
        for name, title in (
            ("name", "The certificate is for this name"),
            ("expiry", "No certificate expires soon"),
            ("purpose", "The certificate is for a server and nothing else"),
            ("key-strength", "The keys are strong"),
            ("signature", "The signatures are strong"),
        )
    ),
    _Question("client-required", "Without a certificate nobody gets in", Severity.CRITICAL, _Needs.TLS, _NOBODY),
    _Question("stranger-refused", "Another authority's client is refused", Severity.CRITICAL, _Needs.TLS, _STRANGER),
    _Question("plaintext-refused", "Plain HTTP is refused", Severity.CRITICAL, _Needs.CONNECTION, _plaintext),
    _Question("api", "The API answers your certificate", Severity.HIGH, _Needs.CONNECTION, _api),
)
