"""Copies that cannot be seen from here: handed out to other machines, or made where the key is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from dockertls.documents.own_file import read_back, regular, typed, written
from dockertls.pki.keys import fingerprint
from dockertls.pki.rotation import FROM_BACKUP
from dockertls.plan import Change, File

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import PurePosixPath as Path

    from dockertls.pki.store import Generation, StoreState

SCHEMA = "dockertls/elsewhere/1"
NAME = "elsewhere.json"
"""The file in the folder of a name, beside its generations."""


@dataclass(frozen=True)
class Elsewhere:
    """What is known of the copies of one name on other machines.

    Attributes:
        handed: number of the last generation that was handed out, such as "0002"; empty: none was, or nobody knows.
        at: when it was, ISO 8601, UTC.
        carried: fingerprints of the authorities that were handed out with it.
        confirmed: number of the generation that its holder was said to use.
        trusts: fingerprints of the authorities that he was said to trust.
    """

    handed: str = ""
    at: str = ""
    confirmed: str = ""
    trusts: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    def handing(self, generation: Generation, authorities: Collection[str], at: str) -> Elsewhere:
        """What is known once a generation was handed out, and authorities with it."""
        number, carried = generation.path.name, tuple(sorted(authorities))
        same = (self.handed, self.carried) == (number, carried)
        return self if same else replace(self, handed=number, carried=carried, at=at)

    def confirming(self, generation: Generation, authorities: Collection[str]) -> Elsewhere:
        """What is known once its holder uses a generation, and trusts these authorities."""
        return replace(self, confirmed=generation.path.name, trusts=tuple(sorted(authorities)))

    @property
    def text(self) -> bytes:
        """As it lies in the store."""
        return written(SCHEMA, asdict(self))

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Elsewhere:
        """Read it back.

        Raises:
            NotReady: if it is not what this program wrote.
        """
        return read_back(content, SCHEMA, lambda data: typed(cls, data), path, FROM_BACKUP)


def elsewhere(store: StoreState, role: str, name: str) -> Elsewhere | None:
    """What is known of a name's copies on other machines; None: nothing.

    Raises:
        NotReady: if the file is damaged, or is none.
    """
    path = store.place(role, name) / NAME
    file = regular(store.host.node(path), path, FROM_BACKUP)
    return Elsewhere.parse(file.content, path) if file else None


def handed_out(store: StoreState, generation: Generation, at: str, *, bundle: bool = True) -> Change:
    """Write down that somebody on another machine has a generation: a rotation waits for him.

    Args:
        store: whose it is.
        generation: the certificate.
        at: when, ISO 8601, UTC.
        bundle: whether whom he shall trust went out with it.
    """
    known = elsewhere(store, generation.role, generation.name) or Elsewhere()
    carried = [fingerprint(one) for one in store.trusted(generation.role)] if bundle else []
    return note(store, generation.role, generation.name, known.handing(generation, carried, at))


def note(store: StoreState, role: str, name: str, known: Elsewhere) -> Change:
    """The change that writes it down."""
    path = store.place(role, name) / NAME
    after = File(known.text, 0o600, store.host.self_owner)
    return Change(path, store.host.node(path), after, f"copies of {role} {name} on other machines")
