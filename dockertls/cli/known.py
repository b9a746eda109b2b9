"""What the store knows of an endpoint: which certificate should be served there, and a server to try as a client."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.errors import DockerTLSError
from dockertls.pki.verify import name_matches
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from dockertls.cli.session import Session
    from dockertls.pki.store import Generation, StoreState
    from dockertls.probe.endpoint import Endpoint


@dataclass(frozen=True)
class Known:
    """The servers of the store.

    Attributes:
        servers: the certificates in use that can be read.
        place: the store's folder, for messages.
        fault: why it could not be looked at.
    """

    servers: tuple[Generation, ...]
    place: str
    fault: str = ""

    @classmethod
    def of(cls, session: Session) -> Known:
        """Look at the store of this run; one that is not there knows nothing."""
        try:
            return cls(tuple(_in_use(session.store)), session.store_shown)
        except DockerTLSError as error:
            return cls((), session.store_shown, error.message)

    def current(self, endpoint: Endpoint, roots: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...] | str:
        """The certificates of which one should be served; or why that is not known."""
        if self.fault:
            return self.fault
        mine = [one.certificate for one in self.servers if any(one.is_of(root) for root in roots)]
        found = tuple(one for one in mine if name_matches(one, endpoint.name))
        return found or f"the store {self.place} has no server of that name whose authority is in the CA file"

    def server(self, roots: Sequence[x509.Certificate]) -> ClientMaterial | None:
        """A server's certificate that one of these authorities made, and its key; None: there is none at hand."""
        for one in self.servers:
            if any(one.is_of(root) for root in roots):
                with suppress(DockerTLSError):
                    cert, key = one.pair
                    return ClientMaterial(b"", cert, key)
        return None


def _in_use(store: StoreState) -> Iterator[Generation]:
    for name in store.names("server"):
        with suppress(DockerTLSError):
            found = store.current("server", name)
            if found:
                yield found
