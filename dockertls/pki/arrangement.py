"""How the certificates of a file, or of a server, stand to each other: a chain, or a bundle of authorities."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dockertls.escaping import visible
from dockertls.pki.fitness import judge_path, wrong
from dockertls.pki.paths import subject_of
from dockertls.pki.profiles import issued_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from dockertls.findings import Finding

_LONGEST = 10
_MOST_TRIED = 20
"""Certificates of one name whose key may have signed another one: a hostile file must not keep us busy."""


@dataclass(frozen=True)
class Arrangement:
    """Two certificates or more, by their place in the file, counted from 0.

    Attributes:
        kind: "chain": of a leaf; or "bundle": of authorities.
        path: the leaf and its issuers, one after the other, as far as they are there; empty of a bundle.
        missing: the issuer of the last one of the path, or of an authority of a bundle, that is not there.
        roots: those that issued themselves.
        others: those of a chain that do not stand above its leaf.
        findings: what is wrong with how they stand.
    """

    kind: str
    path: tuple[int, ...]
    missing: tuple[str, ...]
    roots: tuple[int, ...]
    others: tuple[int, ...]
    findings: tuple[Finding, ...]

    @property
    def in_order(self) -> bool:
        """Whether the leaf comes first, and each one's issuer after it."""
        return self.path == tuple(range(len(self.path)))


def arranged(certificates: Sequence[x509.Certificate], leaves: Sequence[int]) -> Arrangement | None:
    """How certificates stand to each other; None: there is one at most.

    Args:
        certificates: in the order of their file.
        leaves: the places of those that are no authorities.
    """
    if len(certificates) < 2:  # noqa: PLR2004 - one stands alone
        return None
    roots = tuple(number for number, one in enumerate(certificates) if one.subject == one.issuer)
    return _chain(certificates, leaves[0], roots) if leaves else _bundle(certificates, roots)


def _chain(certificates: Sequence[x509.Certificate], leaf: int, roots: tuple[int, ...]) -> Arrangement:
    path = _upwards(certificates, leaf)
    top = certificates[path[-1]]
    missing = () if top.subject == top.issuer else (visible(top.issuer.rfc4514_string()),)
    others = tuple(number for number in range(len(certificates)) if number not in path)
    chain = Arrangement("chain", path, missing, roots, others, ())
    findings = (*_order(chain, certificates), *judge_path(tuple(certificates[number] for number in path)))
    return Arrangement("chain", path, missing, roots, others, findings)


def _upwards(certificates: Sequence[x509.Certificate], leaf: int) -> tuple[int, ...]:
    """The places from a leaf up, the next ones in the file tried first."""
    by_name: dict[bytes, list[int]] = defaultdict(list)
    for number, one in enumerate(certificates):
        by_name[one.subject.public_bytes()].append(number)
    path = [leaf]
    while len(path) < _LONGEST:
        last = certificates[path[-1]]
        named = (number for number in by_name[last.issuer.public_bytes()] if number not in path)
        above = next((one for one in islice(named, _MOST_TRIED) if issued_by(last, certificates[one])), None)
        if above is None or last.subject == last.issuer:
            break
        path.append(above)
    return tuple(path)


def _order(chain: Arrangement, certificates: Sequence[x509.Certificate]) -> Iterator[Finding]:
    again = "put the certificate first, then each one's issuer: cat cert.pem intermediate.pem"
    numbers = ", ".join(str(number + 1) for number in chain.path)
    if chain.path[0]:
        cause = f"certificate {chain.path[0] + 1} is the one that is shown, and docker takes the first of a file for it"
        yield wrong("order", cause, again)
    elif not chain.in_order:
        yield wrong("order", f"the order is wrong: it should be {numbers}, each issued by the next", again, grave=False)
    if chain.others and chain.missing:
        cause = f"a link is missing: {chain.missing[0]}, the issuer of certificate {chain.path[-1] + 1}, is not there"
        yield wrong("order", cause, "put that authority's certificate where it belongs")
    elif chain.others:
        strays = ", ".join(f"{number + 1} ({subject_of(certificates[number])})" for number in chain.others[:_LONGEST])
        yield wrong("order", f"it has nothing to do with certificate {strays}", "leave that out", grave=False)
    if (root := chain.path[-1]) in chain.roots and len(chain.path) > 1:
        cause = f"a root is sent along, certificate {root + 1}: who trusts it has it, to all others it means nothing"
        yield wrong("order", cause, "leave it out", grave=False)


def _bundle(certificates: Sequence[x509.Certificate], roots: tuple[int, ...]) -> Arrangement:
    names = {one.subject.public_bytes() for one in certificates}
    unfounded = [one for one in certificates if one.issuer.public_bytes() not in names]
    missing = tuple(dict.fromkeys(visible(one.issuer.rfc4514_string()) for one in unfounded))
    return Arrangement("bundle", (), missing, roots, (), tuple(_doubts(certificates, unfounded)))


def _doubts(certificates: Sequence[x509.Certificate], unfounded: Sequence[x509.Certificate]) -> Iterator[Finding]:
    for one in dict.fromkeys(unfounded):
        issuer = visible(one.issuer.rfc4514_string())
        cause = f"{subject_of(one)} is no root: docker trusts it as it is, OpenSSL, curl and Python do not"
        yield wrong("path", cause, f"add {issuer} to the file", grave=False)
    repeated = len(certificates) - len(set(certificates))
    if repeated:
        yield wrong("order", f"{repeated} of them stand there twice", "leave them out the second time", grave=False)
