"""Judge a certificate as Docker does (Go's crypto/x509), and say where stricter clients refuse what Docker takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from dockertls.escaping import visible
from dockertls.findings import Evidence, Failed, Finding, NotApplicable, Passed, Severity, Unknown, Verdict, Warned
from dockertls.pki.keys import GOOD_KEYS, key_kind, key_of, weakness
from dockertls.pki.names import display
from dockertls.pki.paths import Flaw, Path, flaws, malformed, names_of, paths, pickiness, subject_of, unreadable, untold
from dockertls.pki.profiles import Purpose, extension, issued_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives import hashes

WARN = timedelta(days=30)
FAIL = timedelta(days=7)

RENEW = "renew it where it was issued: dockertls renew NAME; or dockertls server|client issue and install"
"""What to do about a certificate that ends or has ended; whatever else is under way can go on then."""

GOOD_HASHES = frozenset({"sha256", "sha384", "sha512", "ed25519"})
"""What a signature is made with that docker accepts."""

Signed = x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList

_HOST_CHARACTERS = re.compile(r"(?!-)[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class _Case:
    """What is judged, the best path to a root found.

    Attributes:
        path: the leaf alone if there is none.
        anchored: whether it ends in something trusted.
        chain: what was sent along.
        roots: what is trusted.
        spoilt: why certificates that were sent along cannot be read.
        hosts: the names that clients use.
    """

    path: Path
    anchored: bool
    chain: tuple[x509.Certificate, ...]
    roots: tuple[x509.Certificate, ...]
    spoilt: tuple[str, ...]
    now: datetime
    purpose: Purpose
    hosts: tuple[str, ...]
    warn: timedelta
    fail: timedelta

    @property
    def leaf(self) -> x509.Certificate:
        return self.path[0]

    @property
    def signed(self) -> Path:
        """The certificates whose signature counts: a trusted one is trusted whatever its own is."""
        return self.path[:-1] if self.anchored else self.path


def verify(
    leaf: x509.Certificate,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    now: datetime,
    purpose: Purpose,
    names: Sequence[str] = (),
    warn: timedelta = WARN,
    fail: timedelta = FAIL,
) -> tuple[Finding, ...]:
    """Judge a certificate.

    Args:
        leaf: the certificate.
        chain: what is sent after it, in any order.
        roots: what the other side trusts.
        now: with a time zone.
        purpose: what it is used for.
        names: the hosts by which clients reach the server; none: the names are not judged.
        warn: less than this left is a warning.
        fail: less than this left is a failure.

    Returns:
        Findings `chain`, `name`, `expiry`, `purpose`, `key-strength` and `signature`, in this order.
    """
    reason = unreadable(leaf)
    if reason:
        return _unreadable(reason)
    readable = [tuple(one for one in group if not unreadable(one)) for group in (chain, roots)]
    found = paths(leaf, *readable)
    best = min(found, key=lambda path: (len(flaws(path)), _late(path, now)), default=(leaf,))
    spoilt = tuple(filter(None, map(unreadable, chain)))
    case = _Case(best, bool(found), readable[0], readable[1], spoilt, now, purpose, tuple(names), warn, fail)
    return tuple(Finding(id_, title, severity, judge(case)) for id_, title, severity, judge in _ROWS)


def name_matches(certificate: x509.Certificate, host: str) -> bool:
    """Whether a server's certificate is for a host, as Go's VerifyHostname says.

    An address is looked for among the iPAddress names alone and a host among the dNSName ones alone, letter case aside;
    a wildcard stands for exactly one whole label, and the common name for nothing.

    Args:
        certificate: the server's.
        host: host name in A-labels, or an address with or without brackets and zone.
    """
    address = as_address(host)
    if address is not None:
        return any(_plain(name.value) == address for name in names_of(certificate) if isinstance(name, x509.IPAddress))
    return any(_dns_matches(name.value, host) for name in names_of(certificate) if isinstance(name, x509.DNSName))


def as_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, with or without brackets and zone; None: it is a name."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return _plain(ip_address(bare.partition("%")[0]))
    except ValueError:
        return None


def _plain(value: object) -> IPv4Address | IPv6Address | None:
    """An address, IPv4 inside of IPv6 as the IPv4 one: Go does not tell them apart."""
    if isinstance(value, IPv6Address):
        return value.ipv4_mapped or value
    return value if isinstance(value, IPv4Address) else None


def _dns_matches(pattern: str, host: str) -> bool:
    if not (_valid_host(host.removesuffix(".")) and _valid_host(pattern.removeprefix("*."))):
        return host.strip(".") != "" and pattern.lower() == host.lower()
    expected, labels = pattern.lower().split("."), host.lower().removesuffix(".").split(".")
    if expected[0] == "*":
        expected[0] = labels[0]
    return expected == labels


def _valid_host(text: str) -> bool:
    return all(_HOST_CHARACTERS.fullmatch(label) for label in text.split("."))


def _unreadable(reason: str) -> tuple[Finding, ...]:
    failed = Failed(
        (_seen("certificate", reason, "what RFC 5280 says"),), "the certificate is malformed", "issue it again"
    )
    unknown = Unknown("the certificate cannot be read")
    return tuple(
        Finding(id_, title, severity, failed if id_ == "chain" else unknown) for id_, title, severity, _ in _ROWS
    )


def _seen(place: str, seen: str, expected: str = "") -> Evidence:
    return Evidence("certificate", place, seen, expected)


def _failed(found: Sequence[Flaw]) -> Failed:
    return Failed(_evidence(found), _all(flaw.cause for flaw in found), _all(flaw.remedy for flaw in found))


def _warned(found: Sequence[Flaw]) -> Warned:
    return Warned(_evidence(found), _all(flaw.cause for flaw in found), _all(flaw.remedy for flaw in found))


def _evidence(found: Sequence[Flaw]) -> tuple[Evidence, ...]:
    return tuple(_seen(flaw.place, flaw.seen, flaw.expected) for flaw in found)


def _all(texts: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _judged(bad: Sequence[Flaw], doubtful: Sequence[Flaw], good: Callable[[], tuple[Evidence, ...]]) -> Verdict:
    if bad:
        return _failed(bad)
    return _warned(doubtful) if doubtful else Passed(good())


def _chain(case: _Case) -> Verdict:
    if not case.roots:
        return Unknown("there is no authority to judge by: name its file with --ca")
    if not case.anchored:
        return _failed((_stranger(case),))
    bad, reason = (*flaws(case.path), *_sent_in_vain(case)), untold(case.path)
    if reason and not bad:
        return Unknown(reason)
    return _judged(bad, pickiness(case.path), lambda: (_seen("path", " < ".join(map(subject_of, case.path))),))


def _sent_in_vain(case: _Case) -> Iterator[Flaw]:
    """What Go cannot read of all that is sent, needed or not: it hangs up."""
    for one in (one for one in case.chain if one not in case.path):
        yield from malformed(one)
    for reason in case.spoilt:
        cause = "a certificate that is sent along is malformed: docker hangs up"
        yield Flaw("chain", reason, "what RFC 5280 says", cause, "leave it out, or take a good copy of it")


def _stranger(case: _Case) -> Flaw:
    """Why no path leads to a root, followed as far as it goes."""
    last = _farthest(case)
    issuer = visible(last.issuer.rfc4514_string()) or "(no name)"
    trusted = ", ".join(map(subject_of, case.roots))
    if last.issuer == last.subject:
        cause, remedy = "it is self-signed by somebody who is not trusted", "take a certificate of the right authority"
    elif any(root.subject == last.issuer for root in case.roots):
        cause = (
            "an authority of the same name is trusted, but it did not sign it: certificate signed by unknown authority"
        )
        remedy = "the CA files differ: copy the same ca.pem to both sides, or issue the certificate again"
    else:
        cause = "its issuer is neither trusted nor sent along: certificate signed by unknown authority"
        remedy = "copy the issuer's certificate into the trusted file, or send the missing intermediate one along"
    return Flaw(subject_of(last), f"issued by {issuer}", f"issued by {trusted}", cause, remedy)


def _farthest(case: _Case) -> x509.Certificate:
    last, rest = case.leaf, list(case.chain)
    while (issuer := next((one for one in rest if one != last and issued_by(last, one)), None)) is not None:
        rest.remove(issuer)
        last = issuer
    return last


def _name(case: _Case) -> Verdict:
    if case.purpose is Purpose.CLIENT:
        return NotApplicable("a client is known by its certificate, not by a host name")
    if not case.hosts:
        return NotApplicable("no name was given that it should be for")
    missing = [_missing(case.leaf, host) for host in case.hosts if not name_matches(case.leaf, host)]
    doubtful = [flaw for host in case.hosts for flaw in _go_only(case.leaf, host)]
    return _judged(missing, doubtful, lambda: (_seen("subjectAltName", _listed(case.leaf), ", ".join(case.hosts)),))


def _missing(leaf: x509.Certificate, host: str) -> Flaw:
    shown, names = visible(host), names_of(leaf)
    if not names:
        cause = "it has no subject alternative names, and docker does not look at the common name"
    elif as_address(host) is not None and any(isinstance(one, x509.DNSName) and one.value == host for one in names):
        cause = f"{shown} stands in it as a DNS name, and an address must be an iPAddress"
    elif as_address(host) is not None and not any(isinstance(name, x509.IPAddress) for name in names):
        cause = f"it has no addresses: cannot validate certificate for {shown} because it doesn't contain any IP SANs"
    else:
        cause = f"it is for {_listed(leaf)}, not for {shown}"
    remedy = f"use a name that it is for, or issue it again with {shown} among its names"
    return Flaw("subjectAltName", _listed(leaf), shown, cause, remedy)


def _go_only(leaf: x509.Certificate, host: str) -> Iterator[Flaw]:
    """Wildcards that Docker follows and OpenSSL does not: `*.local`, and `a_b` under any."""
    if as_address(host) is not None or not name_matches(leaf, host):
        return
    patterns = [one.value for one in names_of(leaf) if isinstance(one, x509.DNSName) and _dns_matches(one.value, host)]
    first = host.partition(".")[0]
    if all(text.startswith("*.") and (text.count(".") == 1 or "_" in first) for text in patterns):
        cause = f"docker accepts {visible(host)} by {visible(patterns[0])}, and OpenSSL, curl and Python do not"
        yield Flaw("subjectAltName", _listed(leaf), visible(host), cause, f"issue it again with {visible(host)} itself")


def _listed(leaf: x509.Certificate) -> str:
    return ", ".join(map(display, names_of(leaf))) or "no names"


def _expiry(case: _Case) -> Verdict:
    early = [one for one in case.path if case.now < one.not_valid_before_utc]
    if early:
        return _failed([_too_early(one, case.now) for one in early])
    soonest = min(case.path, key=lambda one: one.not_valid_after_utc)
    left = soonest.not_valid_after_utc - case.now
    flaw = _ending(soonest, left, case)
    return _judged([flaw] if left < case.fail else [], [flaw] if left < case.warn else [], lambda: _evidence([flaw]))


def _too_early(certificate: x509.Certificate, now: datetime) -> Flaw:
    start = _moment(certificate.not_valid_before_utc)
    cause = f"it is not valid before {start}: the clock of this machine or of the issuing one is wrong"
    return Flaw(
        subject_of(certificate), f"valid from {start}", f"valid at {_moment(now)}", cause, "set the clocks (NTP)"
    )


def _ending(certificate: x509.Certificate, left: timedelta, case: _Case) -> Flaw:
    end = _moment(certificate.not_valid_after_utc)
    whose = "it" if certificate == case.leaf else f"its authority {subject_of(certificate)}"
    cause = f"{whose} ends at {end}, in {left.days} days" if left >= timedelta() else f"{whose} has ended at {end}"
    remedy = RENEW if certificate == case.leaf else "dockertls --store NEW_DIR ca init"
    return Flaw(subject_of(certificate), f"valid until {end}", f"at least {case.warn.days} days left", cause, remedy)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _late(path: Path, now: datetime) -> bool:
    return not all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in path)


def _purpose(case: _Case) -> Verdict:
    bad = [_wrong_use(one, case) for one in case.path if not _usable(one, case.purpose)]
    doubtful = [*_double_use(case), *_unsuited(case)]
    return _judged(bad, doubtful, lambda: (_seen("extendedKeyUsage", _uses(case.leaf), case.purpose.word),))


def _usable(certificate: x509.Certificate, purpose: Purpose) -> bool:
    """Go's rule, which holds for authorities too: no extended key usage means every one."""
    uses = extension(certificate, x509.ExtendedKeyUsage)
    return uses is None or purpose.oid in uses or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses


def _wrong_use(certificate: x509.Certificate, case: _Case) -> Flaw:
    uses, word = _uses(certificate), case.purpose.word
    if certificate != case.leaf:
        cause = f"its authority is limited to {uses}: certificate specifies an incompatible key usage"
        return Flaw(
            subject_of(certificate),
            uses,
            "no extendedKeyUsage",
            cause,
            "make a new authority: dockertls --store NEW_DIR ca init",
        )
    cause = f"it is for {uses}, not for {word}: certificate specifies an incompatible key usage"
    remedy = "were the client's and the server's files swapped? Otherwise issue it again"
    return Flaw(subject_of(certificate), uses, word, cause, remedy)


def _double_use(case: _Case) -> Iterator[Flaw]:
    if _usable(case.leaf, case.purpose.other) and _usable(case.leaf, case.purpose):
        cause = (
            f"it may be used as {case.purpose.other.word} as well: whoever takes its key is server and client in one"
        )
        remedy = f"issue it again for {case.purpose.word} alone"
        yield Flaw(subject_of(case.leaf), _uses(case.leaf), case.purpose.word, cause, remedy)


def _unsuited(case: _Case) -> Iterator[Flaw]:
    """What Docker does not look at in a leaf, and others do."""
    constraints, usage = extension(case.leaf, x509.BasicConstraints), extension(case.leaf, x509.KeyUsage)
    place, remedy = subject_of(case.leaf), "issue a certificate of its own for this"
    if (constraints is not None and constraints.ca) or (usage is not None and usage.key_cert_sign):
        cause = "it is an authority's certificate: docker takes it, curl, Python and Java do not"
        yield Flaw(place, "CA:TRUE or keyCertSign", "CA:FALSE", cause, remedy)
    if usage is not None and not usage.digital_signature:
        cause = "its keyUsage lacks digitalSignature: docker takes it, Java and GnuTLS do not"
        yield Flaw(place, "no digitalSignature", "keyUsage digitalSignature", cause, remedy)


def _uses(certificate: x509.Certificate) -> str:
    words = {purpose.oid: purpose.word for purpose in Purpose}
    uses = extension(certificate, x509.ExtendedKeyUsage)
    if uses is None:
        return "any use"
    return ", ".join(
        words.get(use, "any use" if use == ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE else use.dotted_string)
        for use in uses
    )


def _strength(case: _Case) -> Verdict:
    weak = [flaw for one in case.path if (flaw := _weak(one)) is not None]
    return _judged(weak, (), lambda: tuple(_seen(subject_of(one), key_kind(one)) for one in case.path))


def _weak(certificate: x509.Certificate) -> Flaw | None:
    pss = certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS
    kind, cause = ("rsa-pss", weakness(None)) if pss else (key_kind(certificate), weakness(key_of(certificate)))
    remedy = "issue it again with a new key: --key ecdsa-p256"
    return Flaw(subject_of(certificate), kind, GOOD_KEYS, cause, remedy) if cause else None


def _signature(case: _Case) -> Verdict:
    if not case.signed:
        return NotApplicable("the certificate itself is trusted, whoever signed it")
    old = [
        Flaw(
            subject_of(one),
            f"signed with {hash_of(one)}",
            "SHA-256, SHA-384, SHA-512 or Ed25519",
            f"{hash_of(one)} signatures are refused: cannot verify signature: insecure algorithm",
            "issue it again: every dockertls signature is SHA-256 or better",
        )
        for one in case.signed
        if hash_of(one) not in GOOD_HASHES
    ]
    return _judged(old, (), lambda: tuple(_seen(subject_of(one), hash_of(one)) for one in case.signed))


def hash_of(signed: Signed) -> str:
    """The hash of its signature; of Ed25519, which has its own, the name of the algorithm."""
    if signed.signature_algorithm_oid == x509.SignatureAlgorithmOID.ED25519:
        return "ed25519"
    try:
        algorithm = signed.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        algorithm = None
    if algorithm is None:
        return signed.signature_algorithm_oid.dotted_string
    return f"{algorithm.name} in an unusual RSA-PSS" if _odd_padding(signed, algorithm) else algorithm.name


def _odd_padding(signed: Signed, algorithm: hashes.HashAlgorithm) -> bool:
    """Whether it is RSA-PSS as Go does not know it: with another salt than OpenSSL calls `digest`, or two hashes."""
    used = signed.signature_algorithm_parameters
    return isinstance(used, padding.PSS) and used != padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


_ROWS: tuple[tuple[str, str, Severity, Callable[[_Case], Verdict]], ...] = (
    ("chain", "The certificate leads to a trusted authority", Severity.CRITICAL, _chain),
    ("name", "The certificate is for the names that clients use", Severity.HIGH, _name),
    ("expiry", "The certificate is valid now and for some time", Severity.HIGH, _expiry),
    ("purpose", "The certificate is for this use and no other", Severity.HIGH, _purpose),
    ("key-strength", "The keys are strong", Severity.HIGH, _strength),
    ("signature", "The signatures are strong", Severity.HIGH, _signature),
)
