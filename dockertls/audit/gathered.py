"""All that was gathered of a host to be judged, and what that is for each dockerd on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.seen import Answers, Expected, Live, Seen
from dockertls.daemon.reading import read_as_seen, read_process
from dockertls.daemon.running import running
from dockertls.pki.held import HeldKey
from dockertls.plan import File

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.reading import Reading
    from dockertls.daemon.running import Process, Running
    from dockertls.facts import HostFacts

_KEY = b"PRIVATE KEY-----"


@dataclass(frozen=True)
class Asked:
    """What a dockerd said and showed.

    Attributes:
        answers: of its API.
        live: of its endpoints.
        untried: why endpoints were not looked at, one line each.
    """

    answers: Answers = field(default_factory=Answers)
    live: tuple[Live, ...] = ()
    untried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """All that was gathered of a host.

    Attributes:
        host: its name; empty: it is not known.
        facts: with the rows of WANTED.
        keys: what each private key among the files is; the keys themselves are not needed.
        asked: what each dockerd said, by its process id.
        peer: the process that answers on the local socket, where that had to be asked.
        docker_dirs: where clients' files were looked for, such as /home/ann/.docker.
    """

    host: str
    facts: HostFacts
    keys: Mapping[Path, HeldKey] = field(default_factory=lambda: MappingProxyType({}))
    asked: Mapping[int, Asked] = field(default_factory=lambda: MappingProxyType({}))
    peer: int | None = None
    docker_dirs: tuple[Path, ...] = ()


WANTED = ("daemon", "version", "running", "sockets", "names", "groups", "mounts", "audit", "firewall")
"""Rows of facts that an audit needs."""


def keys_in(facts: HostFacts) -> Mapping[Path, HeldKey]:
    """What is known of every private key among the files."""
    found = {
        path: HeldKey.of(node.content, str(path), validate=False)
        for path, node in facts.files.items()
        if isinstance(node, File) and _KEY in node.content
    }
    return MappingProxyType(found)


def dockerds(facts: HostFacts, peer: int | None = None) -> tuple[Running, tuple[tuple[Reading, Process | None], ...]]:
    """What runs, and each dockerd of a host with what is said to it: first the one that the host's files start.

    Args:
        facts: with the rows of WANTED.
        peer: as of `Gathered`.
    """
    own = read_as_seen(facts)
    here = running(own, peer=peer)
    others = tuple((read_process(facts, one), one) for one in here.others)
    lonely = here.own is None and others and not own.packaging.installed
    return here, others if lonely else ((own, here.own), *others)


def seen(gathered: Gathered, expected: Expected) -> tuple[Seen, ...]:
    """What checks judge: one for each dockerd, and at least one for the host.

    Args:
        gathered: of the host.
        expected: of it.
    """
    here, found = dockerds(gathered.facts, gathered.peer)
    unasked = Asked(Answers(fault="it does not run, or is not known to"))
    return tuple(
        Seen(
            reading, here, process, asked.answers, asked.live, expected,
            keys=gathered.keys, untried=asked.untried, docker_dirs=gathered.docker_dirs,
        )
        for reading, process in found
        for asked in (gathered.asked.get(process.pid, Asked()) if process else unasked,)
    )  # fmt: skip
