"""What dockertls issues: every profile, kind of key and sort of authority, with names and lives of all sorts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from dockertls.pki.constraints import parse_limits
from dockertls.pki.issue import Issued, Request, ca_name, issue
from dockertls.pki.keys import KINDS, PrivateKey, generate
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
LIMITS = parse_limits(["example.org", "10.0.0.0/8", "fd00::/8"])
HOSTS = ("web1.example.org", "localhost", "*.wild.example.org", "xn--bcher-kva.example.org", "a_b.example.org")
ADDRESSES = ("10.0.0.5", "::1")
LONG = f"{'x' * 60}.{'y' * 60}.example.org"
SIGNERS = (*KINDS, "ecdsa-p521")
"""The kinds of keys that authorities have: an imported one's may be of one that is not made here."""
SORTS = ("root", "limited", "below", "limited-below", "ending")

REQUESTS = {
    "server": Request(SERVER, HOSTS[0], parse_names((*HOSTS, *ADDRESSES))),
    "server-by-address": Request(SERVER, ADDRESSES[0], parse_names(ADDRESSES)),
    "server-of-a-long-name": Request(SERVER, LONG, parse_names([LONG])),
    "server-for-long": Request(SERVER, HOSTS[0], parse_names(HOSTS[:1]), SERVER.longest),
    "client": Request(CLIENT, "Zoë"),
    "client-for-a-day": Request(CLIENT, "ann@example.org", lifetime=DAY),
    "client-with-names": Request(CLIENT, "build", parse_names(HOSTS[:1])),
}


@cache
def key(kind: str, who: str) -> PrivateKey:  # noqa: ARG001 - each role has its own key
    return ec.generate_private_key(ec.SECP521R1()) if kind == "ecdsa-p521" else generate(kind)


@dataclass(frozen=True)
class Authority:
    """One that issues, and the root above it; with the kind of its key."""

    kind: str
    issuer: Issued
    root: x509.Certificate

    def issue(self, kind: str, what: str) -> Issued:
        return issue(REQUESTS[what], key(kind, "leaf"), self.issuer, now=NOW, serial=1 << 158)

    def everything(self) -> Iterator[tuple[str, Issued]]:
        """All that it issues, for keys of every kind; by its name in REQUESTS."""
        others = [(other, what) for other in KINDS if other != self.kind for what in ("server", "client")]
        for kind, what in [*((self.kind, what) for what in REQUESTS), *others]:
            yield what, self.issue(kind, what)


def authority(kind: str, sort: str) -> Authority:
    """Of one's own or imported. But for `ending` it ends after 2050, when dates are written in another way."""
    limits = LIMITS if sort.startswith("limited") else None
    life = DAY if sort == "ending" else CA.longest
    profile = replace(CA, path_length=None) if sort.endswith("below") else CA
    request = Request(profile, ca_name(NOW, f"{kind} {sort}"), (), life, limits)
    root = issue(request, key(kind, "root"), None, now=NOW, serial=(1 << 159) - 1)
    if not sort.endswith("below"):
        return Authority(kind, root, root.certificate)
    below = issue(Request(CA, f"{sort} {kind}", limits=limits), key(kind, "middle"), root, now=NOW, serial=2)
    return Authority(kind, replace(below, chain=(root.certificate,)), root.certificate)
