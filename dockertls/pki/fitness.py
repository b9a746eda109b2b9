"""What a certificate, a key, a request or a list is good for by itself, and what is wrong with it for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from dockertls.errors import attempt
from dockertls.findings import Failed, Finding, Severity, Warned
from dockertls.pki.keys import GOOD_KEYS, weakness
from dockertls.pki.names import display, warnings
from dockertls.pki.paths import flaws, names_of, own_flaws, pickiness
from dockertls.pki.profiles import CLIENT, SERVER, Purpose, extension
from dockertls.pki.requests import judge_request, names_asked
from dockertls.pki.verify import GOOD_HASHES, as_address, hash_of, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dockertls.pki.paths import Flaw, Path

_ISSUE_AGAIN = "issue it again: dockertls server|client issue NAME"
_NEW_AUTHORITY = "replace it: dockertls ca rotate, or make one elsewhere: dockertls --store NEW_DIR ca init"
_NO_TIME = timedelta()


class Role(Enum):
    """What a certificate is for; in words, where it has to be told."""

    AUTHORITY = "authority"
    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"
    ANY = "any"
    NOTHING = "nothing"

    @property
    def words(self) -> str:
        """The same for people."""
        return {
            Role.BOTH: "server and client",
            Role.ANY: "anything (no extendedKeyUsage limits it)",
            Role.NOTHING: "nothing that docker would take",
        }.get(self, self.value)


def role_of(certificate: x509.Certificate) -> Role:
    """What a certificate says that it is for."""
    if _is_authority(certificate):
        return Role.AUTHORITY
    return _role(extension(certificate, x509.ExtendedKeyUsage))


def _role(uses: x509.ExtendedKeyUsage | None) -> Role:
    if uses is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses:
        return Role.ANY
    match (Purpose.SERVER.oid in uses, Purpose.CLIENT.oid in uses):
        case (True, True):
            return Role.BOTH
        case (True, False):
            return Role.SERVER
        case (False, True):
            return Role.CLIENT
    return Role.NOTHING


def _is_authority(certificate: x509.Certificate) -> bool:
    """By basicConstraints, else by keyUsage; of version 1, which has neither, one that issued itself."""
    if certificate.version is x509.Version.v1:
        return certificate.subject == certificate.issuer
    constraints, usage = extension(certificate, x509.BasicConstraints), extension(certificate, x509.KeyUsage)
    return constraints.ca if constraints is not None else usage is not None and usage.key_cert_sign


def judge_certificate(
    certificate: x509.Certificate, role: Role, *, now: datetime, hosts: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What is wrong with a certificate by itself.

    Args:
        certificate: any that can be read.
        role: what it shall be good for.
        now: with a time zone.
        hosts: the names by which clients reach the server that shows it; none: its own have to do.

    Returns:
        Findings that failed or warn, such as `expiry`, `purpose`, `key-strength`, `signature`, `name` and `form`.
    """
    if role is Role.AUTHORITY:
        return _authority(certificate, now)
    purpose = Purpose.SERVER if _serves(certificate, role) else Purpose.CLIENT
    names = tuple(hosts) if purpose is Purpose.SERVER else ()
    found = _wrong(verify(certificate, (), (), now=now, purpose=purpose, names=names, fail=_NO_TIME))
    if role is Role.NOTHING:
        cause = "its extendedKeyUsage has neither serverAuth nor clientAuth: docker takes it for nothing"
        found = (*(one for one in found if one.id != "purpose"), wrong("purpose", cause, _ISSUE_AGAIN))
    named = _names(certificate, hosts) if purpose is Purpose.SERVER else ()
    return (*found, *named, *_form(certificate))


def _serves(certificate: x509.Certificate, role: Role) -> bool:
    """Whether it is judged as a server's: one that may be both is that of the side that it has names for."""
    if role in (Role.SERVER, Role.CLIENT):
        return role is Role.SERVER
    return bool(names_of(certificate))


def _authority(certificate: x509.Certificate, now: datetime) -> tuple[Finding, ...]:
    itself = (certificate,) if certificate.subject == certificate.issuer else ()
    found = verify(certificate, (), itself, now=now, purpose=Purpose.SERVER, fail=_NO_TIME)
    own = (_instead(one, _NEW_AUTHORITY) for one in _wrong(found) if one.id in _OF_AUTHORITIES)
    return (*own, *_issuing(certificate), *_form(certificate, authority=True))


def _wrong(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that did not pass; a chain cannot be judged without knowing what is trusted."""
    return tuple(one for one in found if isinstance(one.verdict, Failed | Warned) and one.id != "chain")


def _instead(finding: Finding, remedy: str) -> Finding:
    """The same with another remedy."""
    verdict = finding.verdict
    return (
        replace(finding, verdict=replace(verdict, remedy=remedy)) if isinstance(verdict, Failed | Warned) else finding
    )


def _issuing(authority: x509.Certificate) -> Iterator[Finding]:
    """An extendedKeyUsage in an authority, which to Go and OpenSSL limits what it issued."""
    role = _role(extension(authority, x509.ExtendedKeyUsage))
    if role in (Role.ANY, Role.BOTH):
        return
    usable = "nothing of what it issues is accepted for TLS" if role is Role.NOTHING else f"only {role.value}s can be"
    cause = f"its extendedKeyUsage limits what it issues: {usable}"
    yield wrong("purpose", cause, _NEW_AUTHORITY, grave=role is Role.NOTHING)


def _names(server: x509.Certificate, hosts: Sequence[str]) -> Iterator[Finding]:
    """What is wrong with the names of a server, those left aside that were looked for."""
    names = names_of(server)
    if not names and not hosts:
        cause = "it has no subject alternative names, and docker does not look at the common name"
        yield wrong("name", cause, f"{_ISSUE_AGAIN} --san NAME")
    texts = [one.value for one in names if isinstance(one, x509.DNSName)]
    for text in texts:
        shown = display(x509.DNSName(text))
        if as_address(text) is not None:
            cause = f"{shown} stands in it as a DNS name, and an address must be an iPAddress: docker refuses it"
            yield wrong("name", cause, f"{_ISSUE_AGAIN} --san {shown}", grave=False)
        elif text.endswith("."):
            cause = f"{shown} ends with a dot: some dockerd do not start with it (SAN dNSName is malformed)"
            yield wrong("name", cause, f"{_ISSUE_AGAIN}, without the dot", grave=False)
    for told in warnings(names):
        yield wrong("name", told, "issue it for the names that clients use, if that is in the way", grave=False)


def _form(certificate: x509.Certificate, *, authority: bool = False) -> Iterator[Finding]:
    """What Docker refuses in a certificate, and what others do that Docker takes."""
    bad, doubtful = own_flaws(certificate, authority=authority)
    yield from (_of_flaw("form", flaw, grave=True) for flaw in bad)
    yield from (_of_flaw("form", flaw, grave=False) for flaw in doubtful)


def judge_path(path: Path) -> tuple[Finding, ...]:
    """What is wrong with a path from a leaf up that is not wrong with one of its certificates by itself."""
    alone = [own_flaws(one, authority=number > 0) for number, one in enumerate(path)]
    told = {flaw for groups in alone for group in groups for flaw in group}
    bad = (_of_flaw("path", flaw, grave=True) for flaw in flaws(path) if flaw not in told)
    doubtful = (_of_flaw("path", flaw, grave=False) for flaw in pickiness(path, anchored=False) if flaw not in told)
    return (*bad, *doubtful)


def _of_flaw(id_: str, flaw: Flaw, *, grave: bool) -> Finding:
    return wrong(id_, flaw.cause, flaw.remedy, grave=grave)


def judge_key(key: object) -> tuple[Finding, ...]:
    """What is wrong with a key, by its public half."""
    weak = weakness(key)
    return (wrong("key-strength", weak, f"make another one: {GOOD_KEYS}"),) if weak else ()


def judge_asked(request: x509.CertificateSigningRequest, role: Role | None) -> tuple[Finding, ...]:
    """What is wrong with a request.

    Args:
        request: any that can be read.
        role: what its certificate shall be good for; None: what it seems to ask for.
    """
    wanted = role or requested(request)
    profile = CLIENT if wanted is Role.CLIENT else SERVER
    sure = wanted in (Role.CLIENT, Role.SERVER)
    _, faults = attempt(lambda: judge_request(request, profile, named=not sure))
    weak = _weak_hash(request)
    return (*(wrong("request", fault.message, fault.hint) for fault in faults), *weak)


def requested(request: x509.CertificateSigningRequest) -> Role:
    """What a request asks to be good for; one that does not say so and has names is a server's."""
    try:
        asked = _role(request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        asked = Role.ANY
    return Role.SERVER if asked is Role.ANY and names_asked(request) else asked


def judge_list(listed: x509.CertificateRevocationList, now: datetime) -> tuple[Finding, ...]:
    """What is wrong with a list of revoked certificates at a time."""
    until, again = listed.next_update_utc, "get the next one: dockertls ca crl"
    found = list(_weak_hash(listed))
    if listed.last_update_utc > now:
        cause = f"it is of a time to come, {listed.last_update_utc:%Y-%m-%dT%H:%M:%SZ}: a clock is wrong"
        found.append(wrong("expiry", cause, "set the clocks (NTP)"))
    if until is None:
        found.append(
            wrong("expiry", "it does not say when the next one comes, as RFC 5280 wants it", again, grave=False)
        )
    elif until < now:
        cause = f"the next one was due at {until:%Y-%m-%dT%H:%M:%SZ}: it is refused as out of date"
        found.append(wrong("expiry", cause, again))
    return tuple(found)


def _weak_hash(signed: x509.CertificateSigningRequest | x509.CertificateRevocationList) -> Iterator[Finding]:
    used = hash_of(signed)
    if used not in GOOD_HASHES:
        # Of a request only its maker's key is taken over; a list stands and falls with its signature.
        grave = isinstance(signed, x509.CertificateRevocationList)
        yield wrong("signature", f"it is signed with {used}", "make it again with SHA-256 or better", grave=grave)


def wrong(id_: str, cause: str, remedy: str, *, grave: bool = True) -> Finding:
    """One thing that is wrong.

    Args:
        id_: a key of `_TITLES`.
        cause: one line for people.
        remedy: what to do.
        grave: whether the thing is of no use until that is done.
    """
    title, severity = _TITLES[id_]
    return Finding(id_, title, severity, (Failed if grave else Warned)((), cause, remedy))


_OF_AUTHORITIES = frozenset({"expiry", "key-strength", "signature"})

_TITLES: Mapping[str, tuple[str, Severity]] = MappingProxyType(
    {
        "encryption": ("The key is open to those alone who need it", Severity.MEDIUM),
        "expiry": ("It is valid now and for some time", Severity.HIGH),
        "form": ("Docker and stricter clients accept its form", Severity.HIGH),
        "key-strength": ("The key is strong", Severity.HIGH),
        "name": ("The certificate is for the names that clients use", Severity.HIGH),
        "order": ("The certificate comes first, and each one's issuer after it", Severity.HIGH),
        "pair": ("Key and certificate are a pair", Severity.CRITICAL),
        "path": ("Each authority may issue what is below it", Severity.HIGH),
        "place": ("Docker loads it as it stands in the file", Severity.HIGH),
        "purpose": ("The certificate is for this use and no other", Severity.HIGH),
        "readable": ("It can be read", Severity.HIGH),
        "request": ("The request can be signed", Severity.HIGH),
        "signature": ("The signature is strong", Severity.HIGH),
    }
)
