"""Rules of the kernel's audit, as `auditctl -l` and the files of /etc/audit write them (auditctl(8)); read alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath as Path

EVERY = frozenset("rwxa")


@dataclass(frozen=True)
class Watch:
    """One rule that watches a path.

    Attributes:
        path: of a file, or of a directory.
        access: what is told: reading, writing, executing, changing attributes.
        below: whether everything below it is watched too; None: if it is a directory.
    """

    path: Path
    access: frozenset[str] = EVERY
    below: bool | None = None

    def covers(self, path: Path) -> bool:
        """Whether changes of a path are told: of itself, or below a directory that is watched; never the reverse."""
        if not self.access & {"w", "a"}:
            return False
        return path == self.path or (self.below is not False and path.is_relative_to(self.path))


def watches(text: str) -> tuple[Watch, ...]:
    """The rules that are in force after all lines: `-D` takes back those before it, `-W` a single one."""
    found: list[Watch] = []
    for line in text.splitlines():
        words = _words(line)
        if "-D" in words:
            found.clear()
        elif "-W" in words:
            gone = _path(_after(words, "-W"))
            found = [one for one in found if one.path != gone]
        elif one := _watch(words):
            found.append(one)
    return tuple(found)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []


def _watch(words: list[str]) -> Watch | None:
    if path := _path(_after(words, "-w")):
        return Watch(path, frozenset(_after(words, "-p") or EVERY))
    actions = (_after(words, "-a") or _after(words, "-A")).split(",")
    if "always" not in actions or "exit" not in actions:
        return None  # never, or another list than that of system calls
    fields = dict(word.split("=", 1) for word in _all_after(words, "-F") if "=" in word and "!=" not in word)
    access = frozenset(fields.get("perm") or EVERY)
    for name, below in (("path", False), ("dir", True)):
        if path := _path(fields.get(name, "")):
            return Watch(path, access, below)
    return None


def _path(text: str) -> Path | None:
    return Path(text) if text.startswith("/") else None


def _after(words: list[str], option: str) -> str:
    return next(iter(_all_after(words, option)), "")


def _all_after(words: list[str], option: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words[:-1]) if word == option]
