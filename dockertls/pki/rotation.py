"""The way from one authority to the next: phases as a table, and what is on the way to each of them.

A client has to trust the new authority before a server shows its certificates, and has to hold one of its own before
daemons cease to trust the old authority. Nobody is refused if the phases are gone through in their order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dockertls.documents.own_file import read_back, typed, written

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

Side = Literal["old", "new"]
BOTH: tuple[Side, ...] = ("old", "new")
SCHEMA = "dockertls/rotation/1"
FROM_BACKUP = "restore it from a backup of the store"
NAME = "rotation.json"
"""The file in the store's folder `ca`, there while a rotation runs."""


@dataclass(frozen=True)
class Phase:
    """Who trusts and shows what.

    Attributes:
        number: from 0, where nothing has begun.
        title: what has been done when it is reached, for people.
        daemons_trust: whose clients daemons let in.
        daemons_show: whose certificates they serve.
        clients_trust: whose servers clients believe.
        clients_show: whose certificates they present.
        restarts: whether daemons have to be restarted to reach it.
    """

    number: int
    title: str
    daemons_trust: tuple[Side, ...]
    daemons_show: Side
    clients_trust: tuple[Side, ...]
    clients_show: Side
    restarts: bool

    def shows(self, role: str) -> Side:
        """Whose certificates a role shows."""
        return self.daemons_show if role == "server" else self.clients_show

    def trusts(self, role: str) -> tuple[Side, ...]:
        """Whom a role trusts."""
        return self.daemons_trust if role == "server" else self.clients_trust


PHASES: tuple[Phase, ...] = (
    Phase(0, "nothing has begun", ("old",), "old", ("old",), "old", restarts=False),
    Phase(1, "daemons and clients trust both authorities", BOTH, "old", BOTH, "old", restarts=True),
    Phase(2, "clients show certificates of the new one", BOTH, "old", BOTH, "new", restarts=False),
    Phase(3, "daemons show certificates of the new one", BOTH, "new", BOTH, "new", restarts=True),
    Phase(4, "clients trust the new one alone", BOTH, "new", ("new",), "new", restarts=False),
    Phase(5, "daemons trust the new one alone", ("new",), "new", ("new",), "new", restarts=True),
)
"""Every phase, in order. The last one ends the rotation."""

FIRST, LAST = PHASES[1], PHASES[-1]
LAST_WAY_BACK = 3
"""The last phase from which the old authority can be gone back to: nothing was dropped until then."""


@dataclass(frozen=True)
class Rotation:
    """A rotation under way.

    Attributes:
        old: the folder of the authority that is left, such as "0001".
        new: the folder of the authority that takes its place.
        phase: the number of the phase that was reached.
        started: when, ISO 8601, UTC.
        compromised: whether the old authority's key is in somebody else's hands.
        locked_out: those who are not waited for, as "server NAME" and "client NAME".
    """

    old: str
    new: str
    phase: int
    started: str
    compromised: bool = False
    locked_out: tuple[str, ...] = ()

    @property
    def row(self) -> Phase:
        """What holds now."""
        return PHASES[self.phase]

    def number(self, side: Side) -> str:
        """The folder of either authority."""
        return self.old if side == "old" else self.new

    def at(self, phase: Phase) -> Rotation:
        """The same rotation in another phase."""
        return replace(self, phase=phase.number)

    def waits_for(self, role: str, name: str) -> bool:
        """Whether somebody is waited for."""
        return f"{role} {name}" not in self.locked_out

    @property
    def text(self) -> bytes:
        """As it lies in the store."""
        return written(SCHEMA, asdict(self))

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Rotation:
        """Read it back.

        Raises:
            NotReady: if it is not what this program wrote.
        """
        return read_back(content, SCHEMA, _checked, path, FROM_BACKUP)


def _checked(data: dict[str, Any]) -> Rotation:
    """Raises ValueError or TypeError if it makes no sense."""
    read = typed(Rotation, data)
    sides = (read.old, read.new)
    if read.phase not in range(1, LAST.number) or not all(map(str.isdigit, sides)) or int(read.old) == int(read.new):
        raise ValueError(read.phase)
    return read
