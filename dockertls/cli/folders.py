"""Folders of this host in which client files may lie."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dockertls import copies
from dockertls.cli.console import is_root
from dockertls.errors import NotReady
from dockertls.facts import users
from dockertls.plan import Plan

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.cli.session import Session


def docker_dirs(session: Session) -> tuple[Path, ...]:
    """One's own folder, those that were written down, and for root every user's."""
    return tuple(dict.fromkeys((*usual_dirs(session), *recorded_dirs(session))))


def recorded_dirs(session: Session) -> tuple[Path, ...]:
    """Those that were written down, for they would not be found. Raises NotReady if what was written is damaged."""
    facts = session.facts(trees=(copies.place(session.host.state),))
    return copies.recorded(facts, session.host.state, session.store_path)


def usual_dirs(session: Session) -> tuple[Path, ...]:
    """Those that are found by themselves."""
    host = session.host
    found = [session.docker_dir(None, session.user())]
    if is_root() or not host.runs:
        known = users(session.facts("users"))
        for home in dict.fromkeys(user.home for user in known if len(user.home.parts) > 1):
            with suppress(NotReady):
                found.append(host.real(home) / ".docker")
    return tuple(found)


def remembered(session: Session, folder: Path) -> Plan:
    """Write a folder down, if it would not be found by itself."""
    if folder in usual_dirs(session):
        return Plan("")
    host = session.host
    facts = session.facts(trees=(copies.place(host.state),))
    noted = copies.DockerFolder(folder, session.store_path)
    return Plan("", copies.remember(facts, host.state, noted, host.self_owner))
