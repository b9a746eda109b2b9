"""/etc/passwd and /etc/group: who the users of a host are; read, never written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertls.plan import Owner

FIELDS, GROUP_FIELDS = 7, 4
_ID = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class User:
    """A line of passwd(5)."""

    name: str
    uid: int
    gid: int
    home: Path

    @property
    def owner(self) -> Owner:
        """User and group id, as nodes hold them."""
        return (self.uid, self.gid)


def as_id(text: str) -> int | None:
    """The number of a user or a group; None: it is none."""
    return int(text) if _ID.fullmatch(text) else None


@lru_cache(maxsize=4)
def parse_passwd(text: str) -> tuple[User, ...]:
    """The users in lines of passwd(5); lines that are none are passed over."""
    entries = (line.split(":") for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        User(name, user, group, _home(home))
        for name, _, uid, gid, _, home, *_ in (entry for entry in entries if len(entry) >= FIELDS)
        if (user := as_id(uid)) is not None and (group := as_id(gid)) is not None
    )


@lru_cache(maxsize=256)
def _home(text: str) -> Path:
    """Most users have the same home on every host."""
    return Path(text or "/")


@dataclass(frozen=True)
class Group:
    """A line of group(5)."""

    name: str
    gid: int
    members: tuple[str, ...]


@lru_cache(maxsize=4)
def parse_groups(text: str) -> tuple[Group, ...]:
    """The groups in lines of group(5); lines that are none are passed over."""
    entries = (line.split(":") for line in text.splitlines() if not line.startswith("#"))
    return tuple(
        Group(name, number, tuple(filter(None, members.split(","))))
        for name, _, gid, members, *_ in (entry for entry in entries if len(entry) >= GROUP_FIELDS)
        if (number := as_id(gid)) is not None
    )
