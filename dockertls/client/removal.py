"""Client files that nobody shall use any more: the plan that takes them out of ~/.docker and of docker contexts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.client import contexts
from dockertls.client import files as client_files
from dockertls.client.files import CERT, KEY
from dockertls.errors import NotReady, Refused
from dockertls.facts import NotSeen
from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.plan import Change, File, Link, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.facts import HostFacts
    from dockertls.pki.store import Generation


@dataclass(frozen=True)
class Removal:
    """What is taken out of a folder of client files.

    Attributes:
        changes: certificates and their keys; the authorities that the client trusts stay.
        losses: what no longer works then, a line a place.
        unseen: what could not be looked at, a line a place.
    """

    changes: tuple[Change, ...] = ()
    losses: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def wanted(docker_dir: Path) -> tuple[Path, ...]:
    """What to hand to `gather` as trees, bearing what cannot be seen."""
    return (*client_files.wanted(docker_dir), *contexts.wanted(docker_dir))


def removal(facts: HostFacts, docker_dir: Path, gone: Mapping[x509.Certificate, Generation]) -> Removal:
    """Take out of a folder, and of its docker contexts, every pair whose certificate is among some.

    Args:
        facts: with the trees `wanted(docker_dir)`.
        docker_dir: such as /home/ann/.docker.
        gone: the certificates, each with its place in the store.
    """
    changes: list[Change] = []
    losses: list[str] = []
    unseen: list[str] = []
    for folder, title in _folders(facts, docker_dir):
        try:
            unseen += _links(facts, folder)
            generation = gone.get(certificate) if (certificate := _held(facts, folder)) else None
        except NotSeen as error:
            unseen.append(f"{title}: {error}")
            continue
        if generation:
            changes += _pair(facts, folder, generation)
            losses.append(f"{title}: docker can no longer use it as {generation.name}")
    return Removal(tuple(changes), tuple(losses), tuple(unseen))


def _folders(facts: HostFacts, docker_dir: Path) -> Iterator[tuple[Path, str]]:
    """Every folder that may hold a pair, and what people call it."""
    yield docker_dir, visible(str(docker_dir))
    tls, names = docker_dir / "contexts/tls", {}
    with suppress(NotReady, NotSeen):
        names = {contexts.context_id(one.name): one.name for one in contexts.contexts(facts, docker_dir)}
    with suppress(NotSeen):  # whoever may not see ~/.docker is told of that already
        for name in facts.listed(tls):
            yield (
                tls / name / "docker",
                f"docker context {visible(names.get(name, name))} in {visible(str(docker_dir))}",
            )


def _links(facts: HostFacts, folder: Path) -> Iterator[str]:
    """What is not looked at: nothing is followed or removed through a link."""
    end = client_files.way_ends(facts, (folder.parent, folder))
    places = (folder / CERT, folder / KEY) if end is None else (end,)
    for place in places:
        if isinstance(facts.node(place), Link):
            yield f"{visible(str(place))} is a link, which is not followed"


def _held(facts: HostFacts, folder: Path) -> x509.Certificate | None:
    """The certificate in a folder; None: there is none that can be read."""
    if client_files.way_ends(facts, (folder.parent, folder)) is not None:
        return None
    node = facts.node(folder / CERT)
    with suppress(Refused):
        return load_certificates(node.content)[0] if isinstance(node, File) else None
    return None


def _pair(facts: HostFacts, folder: Path, generation: Generation) -> Iterator[Change]:
    why = f"{generation.role} {generation.name} is revoked"
    yield Change(folder / CERT, facts.node(folder / CERT), None, why)
    key = facts.node(folder / KEY)
    if isinstance(key, File) and _is_key_of(key, generation):
        stored = generation.path / KEY if key.content == generation.key_pem else None
        yield Change(folder / KEY, replace(key, secret=True, stored=stored), None, why)


def _is_key_of(key: File, generation: Generation) -> bool:
    """Whether it is the key of that certificate: another one may be the only copy of its kind."""
    with suppress(Refused):
        return matches(generation.certificate, load_private(key.content, validate=False))
    return False
