"""Places of this host where copies of a store's certificates were put, if they cannot be found by themselves.

Each is written down in a file of its own, by the plan that puts the copy there: who takes that back takes this back.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.documents.own_file import read_back, written
from dockertls.plan import Change, Directory, File

if TYPE_CHECKING:
    from dockertls.facts import HostFacts
    from dockertls.plan import Owner

SCHEMA = "dockertls/copy/1"
FOLDER = "copies"


@dataclass(frozen=True)
class DockerFolder:
    """A folder of client files and docker contexts, such as /home/ann/.docker.

    Attributes:
        path: the folder.
        store: whose certificates were put there.
    """

    path: Path
    store: Path

    @property
    def text(self) -> bytes:
        """As it lies in the host's state."""
        return written(SCHEMA, {"path": str(self.path), "store": str(self.store)})

    @property
    def id(self) -> str:
        """The name of its file."""
        return hashlib.sha256(f"{self.path}\0{self.store}".encode()).hexdigest()[:32] + ".json"

    @classmethod
    def parse(cls, content: bytes, path: Path) -> DockerFolder:
        """Read it back.

        Raises:
            NotReady: if it is not what this program wrote.
        """
        hint = "remove it, and install the client there again"
        return read_back(content, SCHEMA, lambda data: cls(Path(data["path"]), Path(data["store"])), path, hint)


def place(state: Path) -> Path:
    """Where the files lie; what to hand to `gather` as a tree."""
    return state / FOLDER


def recorded(facts: HostFacts, state: Path, store: Path) -> tuple[Path, ...]:
    """The folders that were written down for a store.

    Args:
        facts: with the tree `place(state)`.
        state: where the host's journal and history lie.
        store: whose copies are asked for.

    Raises:
        NotReady: if one of the files is damaged.
    """
    folder = place(state)
    files = ((folder / name, facts.file(folder / name)) for name in facts.listed(folder) if name.endswith(".json"))
    read = (DockerFolder.parse(file.content, path) for path, file in files if file)
    return tuple(one.path for one in read if one.store == store)


def remember(facts: HostFacts, state: Path, folder: DockerFolder, owner: Owner) -> tuple[Change, ...]:
    """Write a folder down.

    Args:
        facts: with the tree `place(state)`.
        state: where the host's journal and history lie; it is there when a plan is applied.
        folder: what to write down.
        owner: of the file.
    """
    inside = place(state)
    path = inside / folder.id
    why = "where copies of certificates lie"
    made = Change(inside, facts.node(inside), facts.node(inside) or Directory(0o700, owner), why)
    return (made, Change(path, facts.node(path), File(folder.text, 0o600, owner), why))
