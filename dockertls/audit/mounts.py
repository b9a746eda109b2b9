"""What is mounted where (proc(5), /proc/PID/mountinfo)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.facts import MOUNTS
from dockertls.plan import File

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

_FIELDS = 5
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line.

    Attributes:
        device: major and minor number.
        root: what of the file system is mounted; `/`: all of it.
        point: where.
    """

    device: str
    root: str
    point: str


def mounts(facts: HostFacts) -> tuple[Mount, ...] | None:
    """All mounts; None: they were not seen."""
    node = facts.files.get(MOUNTS)
    if not isinstance(node, File):
        return None
    lines = (line.split() for line in node.content.decode(errors="replace").splitlines())
    return tuple(Mount(line[2], _plain(line[3]), _plain(line[4])) for line in lines if len(line) >= _FIELDS)


def _plain(text: str) -> str:
    """A path as it is: blanks and backslashes are written in octal."""
    return text if "\\" not in text else _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)
