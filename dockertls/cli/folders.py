"""Folders of this host in which client files may lie."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls import copies
from dockertls.cli.console import is_root, user_id
from dockertls.errors import NotReady
from dockertls.facts import users
from dockertls.plan import Plan

if TYPE_CHECKING:
    from dockertls.cli.session import Session


ROOTS_HOME = Path("/root")


def docker_dirs(session: Session) -> tuple[Path, ...]:
    """One's own folder, those that were written down, and for root every user's."""
    return tuple(dict.fromkeys((*usual_dirs(session), *recorded_dirs(session))))


def recorded_dirs(session: Session) -> tuple[Path, ...]:
    """Those that were written down, for they would not be found. Raises NotReady if what was written is damaged."""
    facts = session.facts(trees=(copies.place(session.host.state),))
    return copies.recorded(facts, session.host.state, _store(session))


def usual_dirs(session: Session) -> tuple[Path, ...]:
    """Those that need not be written down: one's own by the environment, and those in homes."""
    return tuple(dict.fromkeys((session.docker_dir(None, session.user()), *_in_homes(session))))


def _in_homes(session: Session) -> tuple[Path, ...]:
    """Those that are found whatever the environment says: of every user, or of the one who runs this."""
    host = session.host
    everybody = is_root() or not host.runs
    found: list[Path] = []
    known = (user for user in users(session.facts("users")) if everybody or user.uid == user_id())
    homes = (*((ROOTS_HOME,) if everybody else ()), *(user.home for user in known if len(user.home.parts) > 1))
    for home in dict.fromkeys(homes):
        with suppress(NotReady):
            found.append(host.real(home) / ".docker")
    return tuple(found)


def _store(session: Session) -> Path:
    """The store, by whichever links it was named."""
    return session.host.real(session.store_path)


def remembered(session: Session, folder: Path) -> Plan:
    """Write a folder down, if another run, in another environment, would not find it by itself."""
    if folder in _in_homes(session):
        return Plan("")
    host = session.host
    facts = session.facts(trees=(copies.place(host.state),))
    noted = copies.DockerFolder(folder, _store(session))
    return Plan("", copies.remember(facts, host.state, noted, host.self_owner))
