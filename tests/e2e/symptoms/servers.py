"""Servers whose certificates are wrong in one thing each, and what every client says of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509

from tests.e2e.symptoms.clients import PLAIN_CLIENTS, Where, python
from tests.e2e.symptoms.papers import ENDED, LOCAL, STRANGE, TO_COME, Papers, authority, san, with_extensions
from tests.e2e.symptoms.producer import Producer
from tests.unit.pki.by_hand import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.probe.observation import ClientMaterial
    from tests.e2e.symptoms.clients import Asked
    from tests.e2e.symptoms.stage import Stage
    from tests.unit.pki.by_hand import ByHand


@dataclass(frozen=True)
class Shown:
    """What a server shows, and how it is explained.

    Attributes:
        name: what is wrong with it.
        row: of most clients.
        show: the server's certificate and key, and the authority that clients are told to trust.
        host: as they call it.
        others: the row of clients that say something else; empty: they take it.
    """

    name: str
    row: str
    show: Callable[[Papers], ClientMaterial]
    host: str = "localhost"
    others: Mapping[str, str] = field(default_factory=dict)

    def where(self, stage: Stage) -> Where:
        shown = stage.once(self, lambda: self.show(stage.papers))
        files = stage.once((self, "files"), lambda: stage.files(replace(stage.papers.client, ca=shown.ca)))
        return Where(self.host, stage.https(shown), files)

    def __hash__(self) -> int:
        return hash(self.name)

    def row_of(self, client: str) -> str:
        return self.others.get(client, self.others.get(client.rstrip("1"), self.row))


def _below(papers: Papers, root: ByHand) -> ClientMaterial:
    """A server of an authority."""
    return papers.material(papers.serves(root), root)


def _middle(papers: Papers, *, sent: bool) -> ClientMaterial:
    middle = authority("middle", papers.ours)
    return papers.material(papers.serves(middle), papers.ours, *((middle,) if sent else ()))


def _path(papers: Papers) -> ClientMaterial:
    root = with_extensions(authority("root"), limits(path_length=0), without=x509.BasicConstraints)
    middle = authority("middle", root)
    return papers.material(papers.serves(middle), root, middle)


def _nameless_twin(papers: Papers) -> ClientMaterial:
    """A server of ours, and who trusts our twin: nothing but the signature tells the two apart."""
    bare = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    leaf, twin = papers.serves(), papers.twin
    for kind in bare:
        leaf, twin = with_extensions(leaf, without=kind), with_extensions(twin, without=kind)
    return papers.material(leaf, twin)


def _constrained() -> ByHand:
    limit = x509.NameConstraints([x509.DNSName("example.com")], None)
    return with_extensions(authority("constrained"), (limit, True))


def _lacking(
    kind: type[x509.ExtensionType], *more: tuple[x509.ExtensionType, bool]
) -> Callable[[Papers], ClientMaterial]:
    """A server of an authority that lacks an extension, or has these instead."""
    return lambda papers: _below(papers, with_extensions(authority("old"), *more, without=kind))


def _without_issuer(papers: Papers) -> ClientMaterial:
    return papers.material(with_extensions(papers.serves(), without=x509.AuthorityKeyIdentifier))


TAKEN = {"docker": "", "curl": "", "openssl": "", "gnutls": "", "python": "", "docker-py": "", "java": ""}
ADDRESS = x509.IPAddress(ip_address("192.0.2.1"))
PICKY = {"docker-py": "strict-extensions"} if sys.version_info >= (3, 13) else {}
OPENSSLS = ("curl", "openssl", "gnutls", "python", "docker-py")

SERVERS: tuple[Shown, ...] = (
    Shown("good", "", lambda papers: papers.server),
    Shown("another-authority", "wrong-ca", lambda papers: papers.material(papers.serves(), papers.others)),
    Shown("no-intermediate", "wrong-ca", lambda papers: _middle(papers, sent=False)),
    Shown("twin", "same-name-authority", lambda papers: papers.material(papers.serves(), papers.twin),
          others=dict.fromkeys(OPENSSLS, "wrong-ca")),
    Shown("nameless-twin", "same-name-authority", _nameless_twin, others=PICKY),
    Shown("clients-own", "server-purpose",
          lambda papers: papers.material(with_extensions(papers.asks(), san(*LOCAL)))),
    Shown("not-an-authority", "ca-cannot-sign",
          _lacking(x509.BasicConstraints, limits(ca=False))),
    Shown("path-length", "path-length", _path, others={"gnutls": "name-constraint", "java": ""}),
    Shown("sha1", "weak-signature", lambda papers: papers.signed("-sha1"), others={"java": ""}),
    Shown("rsa-1024", "weak-key", lambda papers: papers.material(papers.serves(key=papers.short_key)),
          others={"docker": "", "gnutls": "", "java": ""}),
    Shown("strange-extension", "critical-extension",
          lambda papers: papers.material(with_extensions(papers.serves(), STRANGE))),
    Shown("constrained", "name-constraint", lambda papers: _below(papers, _constrained()), others={"java": ""}),
    Shown("no-address", "ip-san-missing", lambda papers: papers.material(papers.named(x509.DNSName("localhost"))),
          "127.0.0.1", {"gnutls": "name-mismatch"}),
    Shown("other-address", "ip-san-missing", lambda papers: papers.material(papers.named(ADDRESS)),
          "127.0.0.1", {"gnutls": "name-mismatch"}),
    Shown("address-as-name", "ip-san-missing",
          lambda papers: papers.material(papers.named(x509.DNSName("127.0.0.1"))), "127.0.0.1",
          {"gnutls": "name-mismatch"}),
    Shown("common-name", "common-name-only", lambda papers: papers.material(papers.named(called="localhost")),
          others=TAKEN | {"docker": "common-name-only", "docker-py": "name-mismatch"}),
    Shown("no-names", "ip-san-missing", lambda papers: papers.material(papers.named(called="web1")),
          "127.0.0.1", {"gnutls": "name-mismatch", "java": "common-name-only"}),
    Shown("other-names", "name-mismatch",
          lambda papers: papers.material(papers.named(x509.DNSName("web1"), x509.DNSName("docker")))),
    Shown("ended", "expired", lambda papers: papers.material(papers.serves(**ENDED))),
    Shown("to-come", "not-yet-valid", lambda papers: papers.material(papers.serves(**TO_COME))),
    Shown("no-key-usage", "strict-extensions", _lacking(x509.KeyUsage), others=TAKEN | PICKY),
    Shown("no-issuer-key", "strict-extensions", _without_issuer, others=TAKEN | PICKY),
    Shown("no-subject-key", "strict-extensions", _lacking(x509.SubjectKeyIdentifier), others=TAKEN | PICKY),
    Shown("limits-not-critical", "strict-extensions",
          _lacking(x509.BasicConstraints, (limits()[0], False)), others=TAKEN | PICKY),
)  # fmt: skip


def _asking(shown: Shown, ask: Callable[[Stage, Where], Asked]) -> Callable[[Stage], Asked]:
    return lambda stage: ask(stage, shown.where(stage))


STRICT = python(strict=True)

PRODUCERS: tuple[Producer, ...] = (
    *(
        Producer(shown.row_of(client), f"{client}-{shown.name}", _asking(shown, ask), needs)
        for shown in SERVERS
        for client, (needs, ask) in PLAIN_CLIENTS.items()
    ),
    *(
        Producer(shown.row, f"python-3.13-{shown.name}", _asking(shown, STRICT))
        for shown in SERVERS
        if shown.row in ("", "strict-extensions")
    ),
)
