"""Take over an authority that was made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.cli.console import PassphraseSource, working_directory
from dockertls.cli.files import read_input
from dockertls.cli.signing import Made
from dockertls.client import docker_machine
from dockertls.errors import NotReady, Usage, attempt, refuse
from dockertls.escaping import visible
from dockertls.pki.adoption import authority_faults, authority_notes, not_above, path_to_root
from dockertls.pki.issue import Issued
from dockertls.pki.keys import is_encrypted, load_certificates, load_private, private_pem
from dockertls.pki.pem import pem_blocks
from dockertls.pki.store import Generation, new_generation, plan_authority, plan_generation
from dockertls.plan import Change, File, Plan, combined, shown
from dockertls.probe.endpoint import TLS_PORT
from dockertls.report.certificates import details, generation_json, some_names, subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography import x509

    from dockertls.cli.options import ChangeOptions, PassphraseOptions
    from dockertls.cli.session import Session
    from dockertls.pki.keys import PrivateKey

_WHAT = {"cert": "the certificate", "key": "the key", "chain": "the chain"}
_NEXT = {
    True: "dockertls server issue NAME, dockertls client issue NAME",
    False: "dockertls server csr NAME, dockertls client csr NAME: requests for who has the authority's key",
}
"""What to do with an authority, by whether its key is here."""


@dataclass(frozen=True)
class Files:
    """What was named on the command line; "-" is standard input.

    Attributes:
        cert: the authority's certificate; others beside it count as those of the chain.
        key: its private key; None: it is kept elsewhere.
        chain: the certificates above it, in any order.
    """

    cert: str
    key: str | None = None
    chain: str | None = None


class KeyCare:
    """Opens keys that are handed over, and closes the authority's again: one question for one passphrase."""

    def __init__(self, session: Session, given: PassphraseOptions, change: ChangeOptions) -> None:
        self._session, self._given, self._change = session, given, change
        self._was_encrypted = False

    @cached_property
    def _source(self) -> PassphraseSource:
        return self._session.passphrase_source(self._given)

    @cached_property
    def _known(self) -> bytes:
        return self._source.read(self._session.console, new=False)

    def opened(self, pem: bytes, name: str) -> PrivateKey:
        """A key that is handed over. Raises Refused if it cannot be read."""
        encrypted = is_encrypted(pem)
        key = load_private(pem, self._known if encrypted else None, name=name)
        self._was_encrypted = self._was_encrypted or encrypted
        return key

    def closed(self, key: PrivateKey) -> bytes:
        """The authority's key as it is kept: under the passphrase that it had, else under a new one."""
        return private_pem(key, None if self._given.no_passphrase else self._passphrase)

    @cached_property
    def _passphrase(self) -> bytes | None:
        if self._was_encrypted:
            return self._known
        return None if self._change.looks_only else self._source.read(self._session.console, new=True)


@dataclass(frozen=True)
class Taken:
    """What is to be taken over.

    Attributes:
        path: the authority's certificate, those above it, its root last.
        key: its private key; None: it is kept elsewhere.
        leaves: certificates that it has issued.
        notes: what the user should know, one line each.
    """

    path: tuple[x509.Certificate, ...]
    key: PrivateKey | None
    leaves: tuple[docker_machine.Leaf, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imported:
    """An authority as it will lie in the store, what comes with it, and the plan that puts it there."""

    authority: Generation
    leaves: tuple[Generation, ...]
    plan: Plan
    notes: tuple[str, ...] = ()
    then: str = ""


def import_authority(session: Session, named: Files, care: KeyCare, change: ChangeOptions) -> None:
    """Put an authority that was made elsewhere into a store that has none.

    Raises:
        Usage: if two files are to come from standard input.
        Refused: with everything that speaks against it.
        NotReady: if a file cannot be read, or the store has another authority.
    """
    if [named.cert, named.key, named.chain].count("-") > 1:
        raise Usage("only one file can come from standard input", "name the others")
    pems = {what: read_input(path, _WHAT[what]) for what, path in vars(named).items() if path}

    def make() -> Imported:
        own, _ = attempt(lambda: load_certificates(pems["cert"])[0])
        current = _current(session, own)
        if current and (current.key_pem or not named.key):
            return Imported(current, (), Plan(""), then=_NEXT[bool(current.key_pem)])
        return _imported(session, _judged(session, named, pems, care), care)

    _carry_out(session, make, change)


def import_docker_machine(session: Session, folder: str, care: KeyCare, change: ChangeOptions) -> None:
    """Put what docker-machine left into a store that has no authority.

    Raises:
        Refused: with everything that speaks against it; then nothing is taken over.
        NotReady: if it cannot be read, or the store has another authority.
    """
    place = session.host.beside(Path(working_directory() / folder))
    _carry_out(session, lambda: _imported(session, _left(session, place, care), care), change)


def _carry_out(session: Session, make: Callable[[], Imported], change: ChangeOptions) -> None:
    made: list[Imported] = []

    def plan() -> Plan:
        made[:] = [make()]
        return made[0].plan

    session.change(plan, change)
    _tell(session, made[0])


# what is taken over


def _judged(session: Session, named: Files, pems: Mapping[str, bytes], care: KeyCare) -> Taken:
    """The files, read and judged."""
    certificates, faults = attempt(lambda: load_certificates(pems["cert"], name=visible(named.cert)))
    chain, private = visible(named.chain or ""), visible(named.key or "")
    above, no_chain = attempt(lambda: load_certificates(pems["chain"], name=chain)) if chain else ((), ())
    key, no_key = attempt(lambda: care.opened(pems["key"], private)) if private else (None, ())
    others = (*(certificates or ())[1:], *(above or ()))
    path = path_to_root(certificates[0], others, session.started) if certificates else ()
    own = authority_faults(path, key, session.started) if path else ()
    refuse(visible(named.cert), (*faults, *no_chain, *no_key, *own))
    notes = [f"not taken, for it is not above the authority: {one}" for one in not_above(path, others)]
    if not named.key and any(block.label.endswith("PRIVATE KEY") for block in pem_blocks(pems["cert"])):
        notes.append(f"{visible(named.cert)} holds a private key too, which was not taken: name it as KEY")
    return Taken(path, key, notes=(*authority_notes(path), *notes))


def _left(session: Session, place: Path, care: KeyCare) -> Taken:
    """What docker-machine left, read and judged."""
    host = session.host
    if not host.names(place):
        raise NotReady(f"{shown(place)} is not a folder of docker-machine", "it is ~/.docker/machine, as a rule")
    machines = host.names(place / docker_machine.MACHINES)
    nodes = {path: host.node(host.real(place / path)) for path in docker_machine.wanted(machines)}
    files = {path: node.content for path, node in nodes.items() if isinstance(node, File)}
    left = docker_machine.judge(files, machines, care.opened, session.started)
    return Taken((left.authority,), left.key, left.leaves, left.notes)


# how it is put into the store


def _current(session: Session, certificate: x509.Certificate | None) -> Generation | None:
    """The store's authority, if it is the one that is taken over.

    Raises:
        NotReady: if it is another one.
    """
    current = session.store.current("ca")
    if current and certificate and current.certificate != certificate:
        raise NotReady(
            f"{session.store_shown} has an authority already: {subject(current.certificate)}",
            "a rotation brings another one (dockertls ca rotate), or a store of its own: --store DIR",
        )
    return current


def _imported(session: Session, taken: Taken, care: KeyCare) -> Imported:
    current = _current(session, taken.path[0])
    generation, plan = _key_added(session, current, taken, care) if current else _authority(session, taken, care)
    made = [_leaf(session, leaf) for leaf in taken.leaves]
    plans = [plan, *(one.plan for one in made)]
    leaves = tuple(one.generation for one in made)
    return Imported(generation, leaves, combined("import an authority", plans), taken.notes, _next(taken))


def _next(taken: Taken) -> str:
    """What to do with what was taken over."""
    if not taken.leaves:
        return _NEXT[bool(taken.key)]
    check = " ".join(f"tcp://{leaf.address}:{TLS_PORT}" for leaf in taken.leaves if leaf.address)
    look = f"dockertls check {check}, " if check else ""
    return f"dockertls client install {docker_machine.CLIENT_NAME}, {look}dockertls ca rotate start"


def _authority(session: Session, taken: Taken, care: KeyCare) -> tuple[Generation, Plan]:
    issued = Issued(taken.path[0], taken.path[1:])  # here with its root: who trusts it needs that
    key_pem = care.closed(taken.key) if taken.key else None
    generation = new_generation(session.store, "ca", "", issued, key_pem)
    return generation, plan_authority(session.store, generation)


def _key_added(session: Session, current: Generation, taken: Taken, care: KeyCare) -> tuple[Generation, Plan]:
    """The store's own authority, whose key comes back to it."""
    if current.key_pem or not taken.key:
        return current, Plan("")
    path = current.path / "key.pem"
    key = File(care.closed(taken.key), 0o600, session.host.self_owner, secret=True, stored=path)
    return replace(current, key_pem=key.content), Plan("", (Change(path, None, key, "key of authority"),))


def _leaf(session: Session, leaf: docker_machine.Leaf) -> Made:
    """A certificate that comes with its authority; what the store has under its name already stays in use."""
    current = session.store.current(leaf.role, leaf.name)
    if current:
        return Made(current, Plan(""))
    issued = Issued(leaf.certificate)
    generation = new_generation(session.store, leaf.role, leaf.name, issued, private_pem(leaf.key))
    return Made(generation, plan_generation(session.store, generation))


def _tell(session: Session, done: Imported) -> None:
    console, authority = session.console, done.authority
    console.table(details(authority.certificate, session.started))
    for leaf in done.leaves:
        console.result(f"{leaf.role} {leaf.name}: {some_names(leaf.certificate) or subject(leaf.certificate)}")
    for note in done.notes:
        console.warn(note)
    console.say(f"next: {done.then}")
    console.document(
        "ca-import",
        {
            "authority": {**generation_json(authority, session.started), "key_here": bool(authority.key_pem)},
            "certificates": [generation_json(leaf, session.started) for leaf in done.leaves],
            "changed": bool(done.plan),
            "notes": list(done.notes),
        },
    )
