"""TABLE of checks of the certificates and keys that dockerd is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa

from dockertls.audit.checks.network import worst
from dockertls.audit.guarded import registries_at
from dockertls.audit.material import content_of
from dockertls.audit.model import Check, Fix, asked
from dockertls.client.files import KEY
from dockertls.client.flaws import Flaw, verdict
from dockertls.daemon.hostnames import own_names
from dockertls.daemon.reading import MATERIAL, SWITCHES
from dockertls.daemon.rules_tls import any_authority, asks_for_certificates, default_material
from dockertls.escaping import visible
from dockertls.facts import ADDRESSES, STORE, NotSeen
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.pki.keys import each_certificate, fingerprint, key_fingerprint, key_of, weakness
from dockertls.pki.names import display
from dockertls.pki.paths import names_of
from dockertls.pki.profiles import may_sign
from dockertls.pki.verify import RENEW, name_matches
from dockertls.probe.endpoint import as_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict

CA_ON_HOST = "keep the authority's key elsewhere: dockertls ca export --output FILE, then ca detach"
_NOT_TLS = NotApplicable("TLS is not switched on")
_OF_KEYS = frozenset({".key", ".pem"})
"""How names of keys end, and of their certificates."""


def tls(judge: Judge) -> Judge:
    """Only where dockerd speaks TLS, or is told files for it."""

    def judged(seen: Seen) -> Verdict:
        said = seen.reading.both()
        if not (SWITCHES | set(MATERIAL)) & said.keys():
            return seen.doubt or _NOT_TLS
        return seen.apart or judge(seen)

    return asked(judged)


def served(judge: Judge) -> Judge:
    """Only where the server's certificate can be read."""

    def judged(seen: Seen) -> Verdict:
        files = seen.served.files
        untold = seen.served.untold(files.cert, "tlscert")
        if untold or seen.served.chain:
            return untold or judge(seen)
        return Failed(_file(files.cert, "no certificate in PEM"), f"{files.cert} holds no certificate", RENEW)

    return tls(judged)


def _file(path: Path | None, seen: str, expected: str = "") -> tuple[Evidence, ...]:
    return (Evidence("file", visible(str(path)), seen, expected),)


def certificate(*ids: str) -> Judge:
    """What the server's certificate is worth, by the ids of `dockertls.pki.verify`."""
    return served(lambda seen: worst([_placed(seen.served.judged[one], seen.served.files.cert) for one in ids]))


def _placed(found: Verdict, path: Path | None) -> Verdict:
    """A verdict whose evidence names the file, and the certificate in it."""
    if isinstance(found, Unknown | NotApplicable):
        return type(found)(f"{visible(str(path))}: {found.reason}")
    evidence = tuple(
        Evidence("file", visible(str(path)), f"{one.place}: {one.seen}", one.expected) for one in found.evidence
    )
    return type(found)(evidence) if isinstance(found, Passed) else type(found)(evidence, found.cause, found.remedy)


def _strength(seen: Seen) -> Verdict:
    """Keys and signatures of the certificate and of the authorities, by Docker's rules and by the policy's."""
    flaws = [*_short(seen), *_weak_authorities(seen)]
    found = certificate("key-strength", "signature")(seen)
    return verdict(flaws, ()) if flaws and not isinstance(found, Failed | Unknown) else _with_authorities(seen, found)


def _with_authorities(seen: Seen, found: Verdict) -> Verdict:
    """A verdict on the certificate, where the authorities count too and may not be seen."""
    ca = seen.served.files.ca
    untold = seen.served.untold(ca, "tlscacert") if ca and isinstance(found, Passed) else None
    return untold or found


def _short(seen: Seen) -> Iterator[Flaw]:
    least = seen.expected.least_rsa
    for one in (*seen.served.chain[:1], *seen.served.authorities):
        key = key_of(one)
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < least:
            shown = visible(one.subject.rfc4514_string())
            evidence = (Evidence("certificate", shown, f"RSA {key.key_size}", f"RSA {least}"),)
            cause = f"the key of {shown} has {key.key_size} bits, and {least} are wanted"
            yield Flaw(evidence, cause, "issue it anew with --key", fatal=True)


def _weak_authorities(seen: Seen) -> Iterator[Flaw]:
    for one in seen.served.authorities:
        key = key_of(one)
        shown = visible(one.subject.rfc4514_string())
        if reason := weakness(key):
            yield Flaw(
                (Evidence("certificate", shown, reason),), f"of {shown} {reason}", "dockertls ca rotate", fatal=True
            )
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048:  # noqa: PLR2004 - bits
            evidence = (Evidence("certificate", shown, "RSA 2048", "RSA 3072 or ECDSA"),)
            yield Flaw(evidence, f"the authority {shown} has a key of 2048 bits, for years", "dockertls ca rotate")


def _pair(seen: Seen) -> Verdict:
    files, key = seen.served.files, seen.served.key
    if untold := seen.served.untold(files.key, "tlskey"):
        return untold
    if key is None or key.fault:
        cause = key.fault.message if key and key.fault else f"{files.key} holds no private key"
        return Failed(_file(files.key, "no key"), visible(cause), RENEW)
    if key.encrypted:
        return NotApplicable("the key is encrypted: see TLS-12")
    leaf = seen.served.chain[0]
    wanted = key_of(leaf)
    evidence = _file(files.key, f"public key SHA-256 {key.digest}", key_fingerprint(wanted) if wanted else "")
    if key.is_of(leaf):
        return Passed(evidence)
    cause = f"{files.key} is not the key of {files.cert}: dockerd does not start with it"
    return Failed(evidence, visible(cause), "put the two that belong together there: dockertls server install NAME")


def _names(seen: Seen) -> Verdict:
    """Whether the certificate is for what the host is called, and for where it listens."""
    leaf = seen.served.chain[0]
    shown = ", ".join(map(display, names_of(leaf))) or "no subjectAltName"
    bound = [name for name in _bound(seen) if not name_matches(leaf, name)]
    own, unknown = _own(seen)
    evidence = _file(seen.served.files.cert, shown, ", ".join((*_bound(seen), *own)))
    remedy = (
        f"issue it anew with every name: dockertls server issue NAME --san {(bound or ['X'])[0]}, and server install"
    )
    if not names_of(leaf):
        return Failed(evidence, "the certificate has no subjectAltName: docker looks at nothing else", remedy)
    if bound:
        return Failed(evidence, f"it is not for {', '.join(bound)}, where dockerd listens", remedy)
    lacking = [name for name in own if not name_matches(leaf, name)]
    if lacking:
        cause = f"it is not for {', '.join(lacking)}, by which the host is known: clients that use it are refused"
        return Warned(evidence, cause, remedy)
    stale = _stale(seen, leaf)
    if stale:
        return Warned(evidence, f"it is for {', '.join(stale)}, which this host has no more", remedy)
    return unknown or Passed(evidence)


def _bound(seen: Seen) -> tuple[str, ...]:
    """The single addresses on which it listens."""
    found = (one.address for one in seen.listening.tcp) if seen.live else ()
    return tuple(dict.fromkeys(str(one) for one in found if not one.is_unspecified))


def _own(seen: Seen) -> tuple[tuple[str, ...], Unknown | None]:
    """What the host is called, and why that is not known."""
    answer = seen.facts.outputs.get(ADDRESSES)
    why = f"ip ended with {answer.code}" if answer else "this is a file tree"
    unknown = Unknown(f"which addresses the host has: {why}") if not answer or answer.code else None
    try:
        return own_names(seen.facts).names, unknown
    except NotSeen as error:
        return (), Unknown(f"by which names the host is known: {visible(str(error))}")


def _stale(seen: Seen, leaf: x509.Certificate) -> list[str]:
    """Private addresses that no interface has; a public one may be that of a router in front of it."""
    answer = seen.facts.outputs.get(ADDRESSES)
    if answer is None or answer.code:
        return []
    there = {word.partition("/")[0] for word in answer.out.split()}
    addresses = [address for name in names_of(leaf) if (address := as_address(display(name)))]
    return [str(one) for one in addresses if one.is_private and not one.is_loopback and str(one) not in there]


def _expiry(seen: Seen) -> Verdict:
    """The certificate, and the authorities that must outlive it."""
    flaws = list(_ending(seen))
    found = certificate("expiry")(seen)
    return verdict(flaws, ()) if flaws and not isinstance(found, Failed) else _with_authorities(seen, found)


def _ending(seen: Seen) -> Iterator[Flaw]:
    now, expected = seen.facts.taken, seen.expected
    for one in seen.served.authorities:
        left, shown = one.not_valid_after_utc - now, visible(one.subject.rfc4514_string())
        if left < expected.warn:
            until = f"{one.not_valid_after_utc:%Y-%m-%d}"
            evidence = (Evidence("certificate", shown, f"until {until}", f"{expected.warn.days} days left"),)
            yield Flaw(
                evidence, f"the authority {shown} ends {until}", "dockertls ca rotate", fatal=left < expected.fail
            )


def _authorities(seen: Seen) -> Verdict:
    """Whether it is said whose clients are let in."""
    if not asks_for_certificates(seen.reading):
        return NotApplicable("it asks no client for a certificate")
    for kind, rule in ((Failed, any_authority), (Warned, default_material)):
        if fault := next(iter(rule(seen.reading)), None):
            said = Evidence("configuration", str(seen.reading.config), fault.message, "tlscacert")
            return kind((said,), fault.message, fault.hint)
    path, found = seen.served.files.ca, seen.served.authorities
    if untold := seen.served.untold(path, "tlscacert"):
        return untold
    evidence = tuple(Evidence("file", visible(str(path)), visible(one.subject.rfc4514_string())) for one in found)
    if len(found) > 1:
        cause = f"clients of {len(found)} authorities are let in"
        return Warned(evidence, cause, "leave yours alone there; while ca rotate runs, both are wanted")
    return Passed(evidence)


def _key_of_authority(seen: Seen) -> Verdict:
    """Whoever has that key makes himself a client, and so root."""
    digests = {key_fingerprint(key): one for one in seen.served.authorities if (key := key_of(one))}
    if not digests:
        return seen.served.untold(seen.served.files.ca, "tlscacert") or Unknown("no authority can be read")
    open_ones = [path for path, key in seen.keys.items() if key.digest in digests]
    if open_ones:
        cause = f"the authority's key lies here unencrypted: who reads {open_ones[0]} makes clients of his own"
        return Failed(_files(open_ones, "the authority's key, not encrypted"), visible(cause), CA_ON_HOST)
    sealed = [path for path, key in seen.keys.items() if key.encrypted and _beside(seen, path, digests)]
    if sealed:
        cause = "the authority's key lies on the daemon's host, encrypted: its passphrase is all that keeps it"
        return Warned(_files(sealed, "the authority's key, encrypted"), cause, CA_ON_HOST)
    hidden = _hidden_keys(seen)
    return Unknown(visible(hidden[0])) if hidden else Passed(_files([*seen.keys], "another key"))


def _hidden_keys(seen: Seen) -> list[str]:
    """Why files were not seen, or directories, in which it may be."""
    tops = (STORE, registries_at(seen), *seen.docker_dirs)
    unseen = seen.facts.unseen.items()
    return [why for path, why in unseen if path.suffix in _OF_KEYS or any(map(path.is_relative_to, tops))]


def _files(paths: list[Path], shown: str) -> tuple[Evidence, ...]:
    return tuple(Evidence("file", visible(str(path)), shown) for path in paths)


def _beside(seen: Seen, path: Path, digests: dict[str, x509.Certificate]) -> bool:
    """Whether an encrypted key is an authority's: its certificate lies beside it."""
    prints = {fingerprint(one) for one in digests.values()}
    beside = content_of(seen.facts, path.parent / "cert.pem") or content_of(seen.facts, path.parent / "ca.pem") or b""
    return any(fingerprint(one) in prints for one in each_certificate(beside)[0])


def _reuse(seen: Seen) -> Verdict:
    key = seen.served.key
    if key is None or not key.digest:
        return seen.served.untold(seen.served.files.key, "tlskey") or Unknown("the key cannot be read")
    same = [
        copy.folder / KEY
        for copy in seen.copies
        if (held := seen.keys.get(copy.folder / KEY)) and held.digest == key.digest
    ]
    if same:
        cause = f"the server's key is also that of the client in {same[0].parent}: who takes one has both"
        return Warned(
            _files(same, "the server's key"), visible(cause), "issue the client anew: dockertls client issue NAME"
        )
    faults = [copy.fault for copy in seen.copies if copy.fault]
    return Unknown(faults[0]) if faults else Passed(_file(seen.served.files.key, "no client here has it"))


def _encoding(seen: Seen) -> Verdict:
    """What Go reads: PEM, a key that is not encrypted, authorities that are some."""
    files, key = seen.served.files, seen.served.key
    flaws = [flaw for path in (files.ca, files.cert) if path for flaw in _blocks(seen, path)]
    if key and key.encrypted:
        hint = "openssl pkey -in KEY -out PLAIN, mode 0600; Docker has read no encrypted key since 23.0"
        flaws.append(
            Flaw(_file(files.key, "encrypted"), f"{files.key} is encrypted: dockerd cannot read it", hint, fatal=True)
        )
    untold = [one for path in files.paths if (one := seen.served.untold(path, ""))]
    if untold and not flaws:
        return untold[0]
    return verdict(flaws, _files(list(files.paths), "PEM"))


def _blocks(seen: Seen, path: Path) -> Iterator[Flaw]:
    content = content_of(seen.facts, path) or b""
    found, faults = each_certificate(content)
    for fault in faults:
        yield Flaw(
            _file(path, fault.message), f"{path}: {fault.message}; dockerd passes over it", fault.hint, fatal=True
        )
    if path == seen.served.files.ca:
        for one in found:
            if not may_sign(one):
                shown = visible(one.subject.rfc4514_string())
                yield Flaw(_file(path, shown, "an authority"), f"{shown} in {path} is no authority", "leave it out")


def _revocation(seen: Seen) -> Verdict:
    if not asks_for_certificates(seen.reading):
        return NotApplicable("it asks no client for a certificate")
    cause = "dockerd looks at no CRL and asks no OCSP: a client that is revoked gets in until its authority is replaced"
    return Warned((), cause, "issue clients for a short time; after a theft: dockertls ca rotate --compromised")


TABLE: tuple[Check, ...] = (
    Check("TLS-01", "Keys and signatures are strong", Severity.HIGH, served(_strength)),
    Check("TLS-02", "Certificate and key belong together", Severity.CRITICAL, served(_pair)),
    Check("TLS-03", "The certificate leads to the authority", Severity.CRITICAL, certificate("chain")),
    Check("TLS-04", "The certificate is for the host's names", Severity.HIGH, served(_names)),
    Check("TLS-05", "The certificate is a server's, and no client's", Severity.HIGH, certificate("purpose")),
    Check("TLS-06", "Certificate and authority are valid for some time", Severity.HIGH, served(_expiry)),
    Check("TLS-07", "It is said whose clients are let in", Severity.CRITICAL, tls(_authorities), fix=Fix.SAFE),
    Check("TLS-08", "The authority's key is not on this host", Severity.HIGH, tls(_key_of_authority)),
    Check("TLS-11", "No key is used twice", Severity.MEDIUM, tls(_reuse)),
    Check("TLS-12", "dockerd can read its files", Severity.MEDIUM, tls(_encoding)),
    Check("TLS-13", "What revoking does is known", Severity.INFO, tls(_revocation)),
)
"""In the order of the catalogue."""
