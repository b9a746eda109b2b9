"""Client files that nobody shall use any more: the plan that takes them out of ~/.docker and of docker contexts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.client.copies import client_copies
from dockertls.client.files import CERT, KEY
from dockertls.plan import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.client.copies import ClientCopy
    from dockertls.facts import HostFacts
    from dockertls.pki.store import Generation


@dataclass(frozen=True)
class Removal:
    """What is taken out of folders of client files.

    Attributes:
        changes: certificates and their keys; the authorities that the client trusts stay.
        losses: what no longer works then, a line a place.
        unseen: what could not be looked at, a line a place.
    """

    changes: tuple[Change, ...] = ()
    losses: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def removal(facts: HostFacts, docker_dirs: Iterable[Path], gone: Mapping[x509.Certificate, Generation]) -> Removal:
    """Take every certificate that is among some, and the key beside it, out of folders and their docker contexts.

    Args:
        facts: as for `client_copies`.
        docker_dirs: such as /home/ann/.docker.
        gone: the certificates, each with its place in the store.
    """
    copies = client_copies(facts, docker_dirs)
    held = ((copy, copy.certificate) for copy in copies)
    found = [(copy, gone[certificate]) for copy, certificate in held if certificate and certificate in gone]
    return Removal(
        tuple(change for copy, generation in found for change in _deleted(copy, generation)),
        tuple(
            f"{copy.place} is of no use to docker then: {generation.name}'s certificate goes"
            for copy, generation in found
        ),
        tuple(
            f"{copy.place} was not looked at: {copy.fault}" for copy in copies if copy.fault and CERT not in copy.files
        ),
    )


def _deleted(copy: ClientCopy, generation: Generation) -> Iterator[Change]:
    """The certificate; and the key, if it is the certificate's: another one may be the only copy of its kind."""
    why = f"{generation.role} {generation.name} is revoked"
    yield Change(copy.folder / CERT, copy.files[CERT], None, why)
    if copy.has_key:
        key = copy.files[KEY]
        stored = generation.path / KEY if key.content == generation.key_pem else None
        yield Change(copy.folder / KEY, replace(key, secret=True, stored=stored), None, why)
