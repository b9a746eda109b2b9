"""Copies that cannot be seen from here: handed out to other machines, or made where the key is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from dockertls.documents.own_file import read_back, written
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
        confirmed: number of the generation that its holder was said to use.
        trusts: fingerprints of the authorities that he was said to trust.
    """

    handed: str = ""
    at: str = ""
    confirmed: str = ""
    trusts: tuple[str, ...] = ()

    def has(self, generation: Generation, authorities: Collection[str]) -> bool:
        """Whether the holder was said to use a generation, and to trust these authorities."""
        return self.confirmed == generation.path.name and set(authorities) <= set(self.trusts)

    def handing(self, generation: Generation, at: str) -> Elsewhere:
        """What is known once a generation was handed out."""
        return self if self.handed == generation.path.name else replace(self, handed=generation.path.name, at=at)

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
        return read_back(
            content, SCHEMA, lambda data: cls(**data | {"trusts": tuple(data["trusts"])}), path, FROM_BACKUP
        )


def elsewhere(store: StoreState, role: str, name: str) -> Elsewhere | None:
    """What is known of a name's copies on other machines; None: nothing.

    Raises:
        NotReady: if the file is damaged.
    """
    path = store.place(role, name) / NAME
    node = store.host.node(path)
    return Elsewhere.parse(node.content, path) if isinstance(node, File) else None


def note(store: StoreState, role: str, name: str, known: Elsewhere) -> Change:
    """The change that writes it down."""
    path = store.place(role, name) / NAME
    after = File(known.text, 0o600, store.host.self_owner)
    return Change(path, store.host.node(path), after, f"copies of {role} {name} on other machines")
