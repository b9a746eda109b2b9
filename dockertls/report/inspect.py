"""What a file or a server holds, for people and programs: each thing, and how they stand to each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dockertls.pki.arrangement import arranged
from dockertls.pki.fitness import Role, role_of, wrong
from dockertls.pki.parts import Key, Public
from dockertls.report import things
from dockertls.report.things import Thing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dockertls.findings import Finding
    from dockertls.pki.arrangement import Arrangement
    from dockertls.pki.parts import Part, Value


@dataclass(frozen=True)
class Terms:
    """How to judge.

    Attributes:
        now: with a time zone.
        role: what the first certificate and a request shall be good for; None: what they say that they are for.
        hosts: the names by which clients reach the server that shows the first certificate.
    """

    now: datetime
    role: Role | None = None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """All that was found.

    Attributes:
        things: in the order of the file.
        whole: how the certificates stand to each other; None: there is one at most.
    """

    things: tuple[Thing, ...]
    whole: Thing | None = None

    @property
    def all(self) -> tuple[Thing, ...]:
        """Everything that is told."""
        return (*self.things, self.whole) if self.whole else self.things

    @property
    def ok(self) -> bool:
        """Whether nothing is of no use as it is."""
        return not any(thing.is_unfit for thing in self.all)


def inspected(parts: Sequence[Part], terms: Terms) -> Inspection:
    """Judge all that a file holds, or a server shows.

    Args:
        parts: none of them sealed.
        terms: how to judge.
    """
    roles = _roles(parts, terms)
    first = next((number for number, role in enumerate(roles) if role), None)
    kinds = Counter[str]()
    found = []
    for number, (part, role) in enumerate(zip(parts, roles, strict=True)):
        thing = _thing(part.value, terms if number == first else replace(terms, hosts=()), role or terms.role)
        kinds[thing.kind] += 1
        found.append(replace(thing, number=kinds[thing.kind], findings=(*_placed(part), *thing.findings)))
    return Inspection(_paired(found), _whole(parts, roles))


def _roles(parts: Sequence[Part], terms: Terms) -> tuple[Role | None, ...]:
    """What each certificate is judged as: the terms speak of the first one. None: it is no certificate."""
    found: list[Role | None] = []
    for part in parts:
        asked = terms.role if terms.role is Role.AUTHORITY or not any(found) else None
        found.append((asked or role_of(part.value)) if isinstance(part.value, x509.Certificate) else None)
    return tuple(found)


def _thing(value: Value, terms: Terms, role: Role | None) -> Thing:
    match value:
        case x509.Certificate():
            return things.certificate(value, role or role_of(value), terms.now, terms.hosts)
        case x509.CertificateSigningRequest():
            return things.request(value, role)
        case x509.CertificateRevocationList():
            return things.revocation_list(value, terms.now)
    return things.unsigned(value)


def _placed(part: Part) -> tuple[Finding, ...]:
    """What is wrong with how it stands in its file."""
    if part.fault:
        return (wrong("place", part.fault, "or write it anew: dockertls inspect --pem FILE > NEW.pem"),)
    if part.form == "DER" and isinstance(part.value, x509.Certificate):
        remedy = "turn it into PEM: dockertls inspect --pem FILE > NEW.pem"
        return (wrong("place", "it is binary (DER), and docker reads PEM", remedy, grave=False),)
    if part.form == "DER" and isinstance(part.value, Key):
        remedy = "turn it into PEM: openssl pkey -inform DER -in FILE -out NEW.pem"
        return (wrong("place", "it is binary (DER), and docker reads PEM", remedy, grave=False),)
    return ()


def _paired(found: Sequence[Thing]) -> tuple[Thing, ...]:
    """The same, the private keys with what belongs to them: certificates and requests by their number."""
    beside: dict[str, dict[object, list[int]]] = {"certificate": defaultdict(list), "request": defaultdict(list)}
    for one in found:
        if one.kind in beside:
            beside[one.kind][one.data.get("spki_sha256")].append(one.number)
    return tuple(_with_pairs(thing, beside) if thing.kind == "private key" else thing for thing in found)


def _with_pairs(key: Thing, beside: Mapping[str, Mapping[object, list[int]]]) -> Thing:
    """A key with what belongs to it.

    Args:
        key: a private key.
        beside: the numbers of what stands beside it, by its kind and by its public key.
    """
    spki = key.data.get("spki_sha256")
    if spki is None:
        return key
    pairs = {kind: those.get(spki, []) for kind, those in beside.items()}
    told = ((kind, ", ".join(map(str, pairs[kind]))) for kind, those in beside.items() if those)
    lines = tuple(("pair with", f"{kind} {numbers}" if numbers else f"no {kind}") for kind, numbers in told)
    more = _unpaired(pairs["certificate"]) if beside["certificate"] else ()
    data = {**key.data, **{f"{kind}s": numbers for kind, numbers in pairs.items()}}
    return replace(key, data=data, lines=(*key.lines, *lines), findings=(*key.findings, *more))


def _unpaired(certificates: Sequence[int]) -> tuple[Finding, ...]:
    """What is wrong with a key beside certificates: docker takes the first of a file for the one that belongs to it."""
    if 1 in certificates:
        return ()
    if certificates:
        cause = f"it is the key of certificate {certificates[0]}, and docker takes the first one for its own"
        return (wrong("pair", cause, "put that certificate first"),)
    cause = "it is not the key of the certificate beside it: private key does not match public key"
    return (wrong("pair", cause, "put those together that are of one issue"),)


def _whole(parts: Sequence[Part], roles: Sequence[Role | None]) -> Thing | None:
    certificates = [part.value for part in parts if isinstance(part.value, x509.Certificate)]
    leaves = [number for number, role in enumerate(filter(None, roles)) if role is not Role.AUTHORITY]
    whole = arranged(certificates, leaves)
    if whole is None:
        return None
    if any(part.form == "PKCS#12" for part in parts):  # it has no order, and holds what is to be trusted too
        whole = replace(whole, findings=tuple(one for one in whole.findings if one.id != "order"))
    return _chain(whole) if whole.kind == "chain" else _bundle(whole, len(certificates))


def _chain(chain: Arrangement) -> Thing:
    """A chain, its certificates by their number."""
    path, others, roots = ([number + 1 for number in places] for places in (chain.path, chain.others, chain.roots))
    data = {
        "certificates": path,
        "in_order": chain.in_order,
        "missing": list(chain.missing),
        "roots": roots,
        "others": others,
    }
    lines = (
        ("issued", " by ".join(map(str, path))),
        ("order", "right" if chain.in_order else "wrong"),
        ("leads to", f"{chain.missing[0]}, which is not there" if chain.missing else "a root, which is there"),
        ("does not belong", ", ".join(map(str, others))),
    )
    return Thing("chain", data, lines, chain.findings)


def _bundle(bundle: Arrangement, count: int) -> Thing:
    """A bundle of authorities."""
    roots = [number + 1 for number in bundle.roots]
    data = {"certificates": list(range(1, count + 1)), "missing": list(bundle.missing), "roots": roots}
    lines = (
        ("authorities", str(count)),
        ("roots", str(len(roots))),
        ("not there", ", ".join(bundle.missing)),
    )
    return Thing("bundle", data, lines, bundle.findings)


def public_pem(part: Part) -> bytes:
    """What may be handed to anybody, as PEM; empty: it is secret, damaged, or nothing for TLS."""
    match part.value:
        case x509.Certificate() | x509.CertificateSigningRequest() | x509.CertificateRevocationList() as value:
            return value.public_bytes(Encoding.PEM)
        case Public(key) if hasattr(key, "public_bytes"):
            pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return pem
    return b""
