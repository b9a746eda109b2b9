"""Where this host has copies of client certificates: folders such as ~/.docker, and the docker contexts in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.client import contexts
from dockertls.client import files as client_files
from dockertls.client.files import CERT, KEY, NAMES, way_ends
from dockertls.errors import DockerTLSError
from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.pki.keys import certificates_in, is_key_of
from dockertls.plan import Directory, File, Link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.facts import HostFacts


@dataclass(frozen=True)
class ClientCopy:
    """The three files of a client, as they lie in one place of this host.

    Attributes:
        folder: where they lie.
        files: those that are there, by name.
        docker_dir: the folder that is to be named to Docker's clients, such as /home/ann/.docker.
        context: the docker context that they are for; empty: they are the folder's own.
        endpoint: of that context, verbatim.
        fault: why they are left as they are: something could not be looked at or written, or is no file.
    """

    folder: Path
    files: Mapping[str, File]
    docker_dir: Path
    context: str = ""
    endpoint: str = ""
    fault: str = ""

    @property
    def place(self) -> str:
        """Where it is, for people, who type it, too; a context's name may be anything."""
        return visible(f"context {self.context} in {self.docker_dir}" if self.context else str(self.docker_dir))

    @property
    def certificate(self) -> x509.Certificate | None:
        """The client's certificate; None: there is none that can be read."""
        return next(iter(certificates_in(self.files[CERT].content)), None) if CERT in self.files else None

    @property
    def is_pair(self) -> bool:
        """Whether this is a client's own, which follows the store: nothing is in the way, and its key is there."""
        return not self.fault and self.has_key

    @property
    def has_key(self) -> bool:
        """Whether the certificate's key lies beside it: a certificate alone may have been copied by anybody."""
        certificate = self.certificate
        return certificate is not None and KEY in self.files and is_key_of(self.files[KEY].content, certificate)


def wanted(docker_dirs: Iterable[Path]) -> tuple[Path, ...]:
    """What to hand to `gather` as trees."""
    return tuple(path for folder in docker_dirs for path in (*client_files.wanted(folder), *contexts.wanted(folder)))


def client_copies(facts: HostFacts, docker_dirs: Iterable[Path]) -> tuple[ClientCopy, ...]:
    """Every place that holds a client's files, or could not be looked at.

    Args:
        facts: with the trees `wanted(docker_dirs)`; one that bears what it does not see.
        docker_dirs: such as /home/ann/.docker.
    """
    return tuple(copy for folder in docker_dirs for copy in _in(facts, folder) if copy.files or copy.fault)


def _in(facts: HostFacts, docker_dir: Path) -> Iterator[ClientCopy]:
    if facts.lacks(docker_dir):  # as in most homes
        return
    own = _copy(facts, docker_dir, docker_dir)
    yield own
    try:
        for context in contexts.contexts(facts, docker_dir):
            folder = contexts.tls_folder(docker_dir, context.name)
            if context.fault:
                yield ClientCopy(folder, {}, docker_dir, context.name, context.host, visible(context.fault))
            else:
                yield _copy(facts, folder, docker_dir, context.name, context.host)
    except (NotSeen, DockerTLSError) as error:
        fault = visible(str(error))
        if fault not in own.fault:
            yield ClientCopy(docker_dir, {}, docker_dir, fault=fault)


def _copy(facts: HostFacts, folder: Path, docker_dir: Path, context: str = "", endpoint: str = "") -> ClientCopy:
    """What lies in a folder; a link on the way to a context's files, or in place of one of them, is not followed.

    Where there is no certificate, nobody is harmed by what is in the way of the other two.
    """
    if context and way_ends(facts, (folder.parent.parent, folder.parent, folder)) is not None:
        return ClientCopy(folder, {}, docker_dir, context, endpoint)
    seen = {name: _seen(facts, folder / name) for name in NAMES}
    found = {name: one for name, one in seen.items() if isinstance(one, File)}
    faults = dict.fromkeys(one for one in seen.values() if isinstance(one, str))
    return ClientCopy(folder, found, docker_dir, context, endpoint, "; ".join(faults) if seen[CERT] else "")


def _seen(facts: HostFacts, path: Path) -> File | str | None:
    """One of the files; None: nothing is there; else why what is there is left alone."""
    try:
        node = facts.node(path)
    except NotSeen as error:
        return visible(str(error))
    match node:
        case Link():
            return f"{visible(str(path))} is a link, which is not followed"
        case Directory():
            return f"{visible(str(path))} is a directory"
        case _:
            return node
