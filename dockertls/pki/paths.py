"""From a leaf to a root: which paths there are, and what Docker's verifier (Go's crypto/x509) says against each."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from dockertls.escaping import visible
from dockertls.pki.keys import serial_of
from dockertls.pki.names import display
from dockertls.pki.profiles import MALFORMED, extension, issued_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Path = tuple[x509.Certificate, ...]
"""A leaf, each certificate's issuer after it; the last one is trusted."""

_MOST_STEPS = 200
_LONGEST = 10
"""Bounds on the search, as Go has them: a hostile chain must not keep us busy."""

_KNOWN = frozenset(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)
"""What crypto/x509 understands; a critical extension besides these is refused."""

_NEVER_CRITICAL = MappingProxyType(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS: "authorityInfoAccess",
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
        ExtensionOID.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    }
)
"""What must not be marked critical, by RFC 5280 and by Go."""

_DOMAIN = re.compile(r"(?:\.?[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})*)?")
"""What Go takes for a domain in name constraints: printable ASCII in labels."""

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+", re.IGNORECASE)

_NEW_AUTHORITY = "make a new authority: dockertls --store NEW_DIR ca init"
_ISSUE_AGAIN = "issue the certificate again"


@dataclass(frozen=True)
class Flaw:
    """What speaks against one certificate of a path.

    Attributes:
        place: whose certificate it is.
        seen: what it has.
        expected: what it should have.
        cause: one line for people.
        remedy: what to do.
    """

    place: str
    seen: str
    expected: str
    cause: str
    remedy: str


def subject_of(certificate: x509.Certificate) -> str:
    """A certificate's subject for people; its names where the subject is empty."""
    subject = certificate.subject.rfc4514_string()
    return visible(subject) if subject else ", ".join(map(display, names_of(certificate))) or "(no name)"


def names_of(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    """Its subject alternative names."""
    return tuple(extension(certificate, x509.SubjectAlternativeName) or ())


def unreadable(certificate: x509.Certificate) -> str:
    """Why a certificate's names or extensions cannot be read; empty if they can."""
    try:
        _ = certificate.subject, certificate.issuer, certificate.extensions
    except MALFORMED as error:
        return visible(str(error))
    return ""


def paths(leaf: x509.Certificate, chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> list[Path]:
    """Every path from a leaf to a trusted certificate in which each name and signature fits, the shortest first.

    Args:
        leaf: where they begin; trusted itself, it is a path of one.
        chain: what the peer sent along, in any order.
        roots: what is trusted, self-signed or not.
    """
    trusted = frozenset(roots)
    candidates = tuple(dict.fromkeys((*roots, *chain)))
    begun: deque[Path] = deque([(leaf,)])
    found: list[Path] = []
    for _ in range(_MOST_STEPS):
        if not begun:
            break
        path = begun.popleft()
        if path[-1] in trusted:
            found.append(path)
        elif len(path) < _LONGEST:
            begun.extend((*path, one) for one in candidates if one not in path and issued_by(path[-1], one))
    return found


def flaws(path: Path) -> tuple[Flaw, ...]:
    """What Docker refuses a path for, its time, purpose and algorithms left out."""
    return tuple(flaw for rule in _RULES for flaw in rule(path))


def pickiness(path: Path, *, anchored: bool = True) -> tuple[Flaw, ...]:
    """What Docker accepts and OpenSSL refuses, some of it with X509_V_FLAG_X509_STRICT alone, as Python 3.13 has it.

    Args:
        path: from the leaf up.
        anchored: whether its last certificate is what is trusted.
    """
    rules = _STRICT_RULES if anchored else _STRICT_RULES[:-1]
    return tuple(flaw for rule in rules for flaw in rule(path))


def own_flaws(certificate: x509.Certificate, *, authority: bool) -> tuple[tuple[Flaw, ...], tuple[Flaw, ...]]:
    """What speaks against one certificate by itself, whatever stands above and below it.

    Args:
        certificate: any.
        authority: whether it shall issue others.

    Returns:
        What Docker refuses it for, and what others do that Docker takes.
    """
    path = (certificate, certificate) if authority else (certificate,)  # an authority is judged by what it issued
    bad = (flaw for rule in _OWN_RULES for flaw in rule(path))
    doubtful = (flaw for rule in _OWN_STRICT_RULES for flaw in rule(path))
    return tuple(dict.fromkeys(bad)), tuple(dict.fromkeys(doubtful))


def untold(path: Path) -> str:
    """Why a path cannot be judged here; empty if it can."""
    kinds = {type(name) for name in names_of(path[0])} & {x509.RFC822Name, x509.UniformResourceIdentifier}
    for authority in path[1:]:
        limits = extension(authority, x509.NameConstraints)
        if limits is not None and kinds & {type(tree) for tree in (*_permitted(limits), *_excluded(limits))}:
            return f"{subject_of(authority)} limits e-mail addresses or URIs, which is not judged here"
    return ""


def _signing(path: Path) -> Iterator[Flaw]:
    for authority in path[1:]:
        constraints, usage = extension(authority, x509.BasicConstraints), extension(authority, x509.KeyUsage)
        # Go takes a version 1 root, which has no extensions, for an authority.
        old_root = authority is path[-1] and authority.version is x509.Version.v1
        if not old_root and (constraints is None or not constraints.ca):
            cause = "the issuer is not marked as an authority: parent certificate cannot sign this kind of certificate"
            yield Flaw(subject_of(authority), "no CA:TRUE", "basicConstraints CA:TRUE", cause, _NEW_AUTHORITY)
        if usage is not None and not usage.key_cert_sign:
            cause = "the issuer's keyUsage does not let it sign certificates"
            yield Flaw(subject_of(authority), "no keyCertSign", "keyUsage keyCertSign", cause, _NEW_AUTHORITY)


def _length(path: Path) -> Iterator[Flaw]:
    for between, authority in enumerate(path[1:]):
        constraints = extension(authority, x509.BasicConstraints)
        most = None if constraints is None else constraints.path_length
        if most is not None and between > most:
            cause = "more authorities stand below it than it allows"
            yield Flaw(subject_of(authority), f"{between} below it", f"at most {most}", cause, _NEW_AUTHORITY)


def _critical(path: Path) -> Iterator[Flaw]:
    for certificate in path:
        for one in certificate.extensions:
            if one.critical and (one.oid not in _KNOWN or _directory_limits(one.value)):
                cause = "it has a critical extension that docker does not know: unhandled critical extension"
                seen = f"critical {one.oid.dotted_string}"
                yield Flaw(subject_of(certificate), seen, "none that is unknown", cause, _ISSUE_AGAIN)


def _directory_limits(value: x509.ExtensionType) -> bool:
    """Name constraints of kinds that Go does not know, which are then unhandled as a whole."""
    known = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)
    return isinstance(value, x509.NameConstraints) and not all(
        isinstance(tree, known) for tree in (*_permitted(value), *_excluded(value))
    )


def _malformed(path: Path) -> Iterator[Flaw]:
    for certificate in path:
        yield from malformed(certificate)


def malformed(certificate: x509.Certificate) -> Iterator[Flaw]:
    """What Go cannot read, and Python's library can: who trusts it has nothing, and who is sent it hangs up."""
    serial = serial_of(certificate)
    if serial < 0:
        cause = "its serial number is negative, which Go refuses since 1.23"
        yield Flaw(subject_of(certificate), str(serial), "a positive one", cause, _ISSUE_AGAIN)
    for one in certificate.extensions:
        if one.critical and one.oid in _NEVER_CRITICAL:
            seen = f"critical {_NEVER_CRITICAL[one.oid]}"
            cause = f"its {_NEVER_CRITICAL[one.oid]} is marked critical, which newer releases of Go refuse"
            yield Flaw(subject_of(certificate), seen, "not critical (RFC 5280)", cause, _ISSUE_AGAIN)
    limits = extension(certificate, x509.NameConstraints)
    trees = (*_permitted(limits), *_excluded(limits)) if limits is not None else ()
    for name in (*names_of(certificate), *trees):
        if is_mapped(name.value):
            cause = f"{display(name)} is an IPv4 address in the form of IPv6, which newer releases of Go refuse"
            yield Flaw(subject_of(certificate), display(name), "the IPv4 address itself", cause, _ISSUE_AGAIN)
    for tree in trees:
        if isinstance(tree, x509.DNSName) and not _DOMAIN.fullmatch(tree.value):
            cause = f"its name constraints have {display(tree)}, which is no domain: docker cannot read it"
            yield Flaw(subject_of(certificate), display(tree), "a domain", cause, _NEW_AUTHORITY)


def is_mapped(value: object) -> bool:
    """Whether it is an IPv4 address, or a network of them, in the form of IPv6."""
    address = value.network_address if isinstance(value, IPv6Network) else value
    return isinstance(address, IPv6Address) and address.ipv4_mapped is not None


def _limits(path: Path) -> Iterator[Flaw]:
    """Name constraints (RFC 5280, section 4.2.1.10), of the root's too."""
    for authority in path[1:]:
        limits = extension(authority, x509.NameConstraints)
        for name in names_of(path[0]) if limits is not None else ():
            if not allowed(name, limits):
                cause = f"its authority must not issue for {display(name)} (name constraints)"
                remedy = "issue it without that name, or by an authority that may"
                yield Flaw(subject_of(path[0]), display(name), f"what {subject_of(authority)} permits", cause, remedy)


def allowed(name: x509.GeneralName, limits: x509.NameConstraints | None) -> bool:
    """Whether a name lies within the limits of one authority; None: it has none."""
    if limits is None:
        return True
    permitted = [tree for tree in _permitted(limits) if type(tree) is type(name)]
    return not any(_within(name, tree) for tree in _excluded(limits)) and (
        not permitted or any(_within(name, tree) for tree in permitted)
    )


def _within(name: x509.GeneralName, tree: x509.GeneralName) -> bool:
    if isinstance(name, x509.DNSName) and isinstance(tree, x509.DNSName):
        return _below(name.value.lower(), tree.value.lower())
    if isinstance(name, x509.IPAddress) and isinstance(tree, x509.IPAddress):
        network, address = tree.value, name.value
        return isinstance(network, IPv4Network | IPv6Network) and address in network
    # Kinds that are not judged: `untold` says so.
    return type(name) is type(tree)


def _below(host: str, domain: str) -> bool:
    """Whether a host lies in a domain; one with a leading dot does not hold itself (Go's matchDomainConstraint)."""
    if not domain:
        return True
    if domain.startswith("."):
        return host.endswith(domain) and host != domain
    return host == domain or host.endswith(f".{domain}")


def _permitted(limits: x509.NameConstraints) -> Sequence[x509.GeneralName]:
    return limits.permitted_subtrees or ()


def _excluded(limits: x509.NameConstraints) -> Sequence[x509.GeneralName]:
    return limits.excluded_subtrees or ()


_OWN_RULES: tuple[Callable[[Path], Iterator[Flaw]], ...] = (_signing, _critical, _malformed)
_RULES: tuple[Callable[[Path], Iterator[Flaw]], ...] = (*_OWN_RULES, _length, _limits)


def _strict_authorities(path: Path) -> Iterator[Flaw]:
    for authority in path[1:]:
        place = subject_of(authority)
        present = {one.oid: one.critical for one in authority.extensions}
        if ExtensionOID.KEY_USAGE not in present:
            cause = "Python 3.13 and later refuse it: CA cert does not include key usage extension"
            yield Flaw(place, "no keyUsage", "critical keyUsage keyCertSign", cause, _NEW_AUTHORITY)
        if ExtensionOID.SUBJECT_KEY_IDENTIFIER not in present:
            cause = "Python 3.13 and later refuse it: Missing Subject Key Identifier"
            yield Flaw(place, "no subjectKeyIdentifier", "subjectKeyIdentifier", cause, _NEW_AUTHORITY)
        if present.get(ExtensionOID.BASIC_CONSTRAINTS) is False:
            cause = "Python 3.13 and later refuse it: Basic Constraints of CA cert not marked critical"
            yield Flaw(place, "basicConstraints not critical", "critical basicConstraints", cause, _NEW_AUTHORITY)


def _strict_identifier(path: Path) -> Iterator[Flaw]:
    for certificate in path:
        self_signed = certificate.subject == certificate.issuer
        if not self_signed and extension(certificate, x509.AuthorityKeyIdentifier) is None:
            cause = "Python 3.13 and later refuse it: Missing Authority Key Identifier"
            place = subject_of(certificate)
            yield Flaw(place, "no authorityKeyIdentifier", "authorityKeyIdentifier", cause, _ISSUE_AGAIN)


def _strict_common_name(path: Path) -> Iterator[Flaw]:
    """Where there is no DNS name, OpenSSL takes the common name for one if it looks like it, and GnuTLS a server's."""
    leaf = path[0]
    if any(isinstance(name, x509.DNSName) for name in names_of(leaf)):
        return
    texts = [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    for authority in path[1:]:
        limits = extension(authority, x509.NameConstraints)
        for text in (text for text in texts if reads_as_host(text) and not allowed(x509.DNSName(text), limits)):
            cause = "OpenSSL, curl and Python take its common name for a host's: permitted subtree violation"
            expected = f"what {subject_of(authority)} permits, or no common name"
            yield Flaw(subject_of(leaf), visible(text), expected, cause, _ISSUE_AGAIN)


def reads_as_host(common_name: str) -> bool:
    """Whether OpenSSL takes a common name for that of a host (its cn2dnsid)."""
    return bool(_HOST.fullmatch(common_name))


def _strict_anchor(path: Path) -> Iterator[Flaw]:
    root = path[-1]
    if root.subject != root.issuer:
        cause = "the trusted file ends in an authority that is no root: OpenSSL, curl and Python do not accept that"
        remedy = f"add {visible(root.issuer.rfc4514_string())} to the trusted file"
        yield Flaw(subject_of(root), "not self-signed", "a root", cause, remedy)


_OWN_STRICT_RULES: tuple[Callable[[Path], Iterator[Flaw]], ...] = (_strict_authorities, _strict_identifier)
_STRICT_RULES: tuple[Callable[[Path], Iterator[Flaw]], ...] = (
    *_OWN_STRICT_RULES,
    _strict_common_name,
    _strict_anchor,  # the last one: it is left out where nothing is known of what is trusted
)
