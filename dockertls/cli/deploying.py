"""Where this host has copies of the store's certificates, and the plan that makes them what they shall be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockertls.cli.decided import Terms
from dockertls.cli.folders import docker_dirs
from dockertls.cli.installing import decision, first_let_in, installed_server, material, place_server
from dockertls.cli.restarting import change_daemon
from dockertls.client import copies as client_copies
from dockertls.client.files import CA, ClientFiles, refreshed
from dockertls.daemon import certificates
from dockertls.daemon.packaging import packaging
from dockertls.errors import Drifted
from dockertls.escaping import visible
from dockertls.pki.keys import certificate_pem, certificates_in, fingerprint, load_certificates
from dockertls.pki.store import FOLDERS
from dockertls.plan import Plan, combined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.apply import Receipt
    from dockertls.cli.decided import Restart
    from dockertls.cli.installing import Decision
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.client.copies import ClientCopy
    from dockertls.facts import HostFacts
    from dockertls.findings import Finding
    from dockertls.pki.revocation import Revocations
    from dockertls.pki.store import Generation, StoreState
    from dockertls.plan import Command
    from dockertls.probe.observation import ClientMaterial

SEALED = "read-only, immutable, or closed to us: nothing can be written in"
BY_ITSELF = Terms(eager=False)
"""A daemon is restarted for its certificates' sake alone: what else waits for that is its administrator's affair."""


@dataclass(frozen=True)
class Held:
    """A client's files on this host.

    Attributes:
        copy: the files.
        generation: which certificate of the store they are; None: one of nobody's here.
        why: why they are left as they are, although they are a client's of this store; empty: they are not.
        sealed: whether nothing can be written there, which is no doing of theirs.
    """

    copy: ClientCopy
    generation: Generation | None
    why: str = ""
    sealed: bool = False


@dataclass(frozen=True)
class Survey:
    """What this host has of a store's certificates.

    Attributes:
        facts: how dockerd is configured, and the certificates that are installed for it.
        server: the certificate that is installed for dockerd; None: none of this store.
        clients: every place with client files.
        revocations: what was revoked in the store: it is put nowhere again.
    """

    facts: HostFacts
    server: Generation | None
    clients: tuple[Held, ...]
    revocations: Revocations

    @property
    def ours(self) -> tuple[tuple[ClientCopy, Generation], ...]:
        """The places whose files are a client's of this store, its key beside its certificate, and good as they are."""
        held = ((one.copy, one.generation) for one in self.clients if not one.why)
        return tuple((copy, generation) for copy, generation in held if generation and copy.is_pair)

    @property
    def stuck(self) -> tuple[tuple[ClientCopy, Generation], ...]:
        """The places whose files are a client's of this store, and would follow it if they could be written."""
        held = ((one.copy, one.generation) for one in self.clients if one.sealed)
        return tuple((copy, generation) for copy, generation in held if generation)

    @property
    def left(self) -> tuple[str, ...]:
        """The places that are left as they are, and why, a line each."""
        return tuple(f"{visible(one.copy.place)} is left as it is: {one.why}" for one in self.clients if one.why)

    @property
    def daemon_ca(self) -> bytes:
        """Whose clients dockerd lets in when it starts next, in PEM; empty: nobody is named."""
        file = certificates.installed(self.facts, packaging(self.facts).places, certificates.CA)
        return file.content if file else b""


@dataclass(frozen=True)
class Aim:
    """What the store shall hold, where that differs from what it holds.

    Attributes:
        trusts: whom a role trusts, in PEM, by the role.
        made: certificates that are made in this run, by role and name.
    """

    trusts: Mapping[str, bytes]
    made: Mapping[tuple[str, str], Generation] = field(default_factory=dict)

    def generation(self, store: StoreState, role: str, name: str) -> Generation | None:
        """What a name will have in use."""
        return self.made.get((role, name)) or store.current(role, name)


def present(store: StoreState) -> Mapping[str, bytes]:
    """Whom each role trusts now."""
    return {role: store.trust_pem(role) for role in FOLDERS}


# looking


def look_around(session: Session) -> Survey:
    """Find every copy on this host."""
    facts, revocations = session.facts("daemon", "certificates", "names"), session.store.revocations()
    return Survey(facts, installed_server(session, facts), tuple(_held(session, revocations)), revocations)


def _held(session: Session, revocations: Revocations) -> Iterator[Held]:
    folders, store = docker_dirs(session), session.store
    facts = session.facts(trees=client_copies.wanted(folders), bears=True)
    judge = _Judge(session.docker_dir(None, session.user()), revocations, store.trusted(), session.started)
    for copy in client_copies.client_copies(facts, folders):
        certificate = copy.certificate
        found = store.whose("client", certificate) if certificate else None
        if found is None or not copy.is_pair:
            yield Held(copy, found)
        elif why := judge.why_left(copy, found, store.current("client", found.name)):
            yield Held(copy, found, why)
        elif session.host.is_sealed(copy.folder, copy.files):
            yield Held(replace(copy, fault=f"{SEALED} {visible(str(copy.folder))}"), found, sealed=True)
        else:
            yield Held(copy, found)


@dataclass(frozen=True)
class _Judge:
    """Whether a place may be given the next certificate of a client, and its key.

    Anybody may put a pair into his home that he was once given, or took: he is brought up to date only if it would let
    him in now, and never from a key that was replaced to a new one.

    Attributes:
        own: the folder of the one who runs this: what he put there is his own affair, but for what is revoked.
        revocations: of the store.
        trusted: authorities whose clients are let in.
        now: with a time zone.
    """

    own: Path
    revocations: Revocations
    trusted: tuple[x509.Certificate, ...]
    now: datetime

    def why_left(self, copy: ClientCopy, found: Generation, current: Generation | None) -> str:
        """Why it is not; empty: it may."""
        certificate, whose = found.certificate, f"certificate of client {found.name}"
        if self.revocations.of(certificate):
            return f"it holds a revoked {whose}"
        if not any(found.is_of(authority) for authority in self.trusted):
            return f"it holds a {whose} whose authority is trusted no more"
        if copy.docker_dir == self.own:
            return ""
        again = f"`dockertls client install {found.name}` puts the one in use there"
        if certificate.not_valid_after_utc <= self.now:
            return f"it holds a {whose} that has ended; {again}"
        if current and current.path != found.path and current.key_pem != found.key_pem:
            return f"it holds a {whose} whose key was replaced; {again}"
        return ""


# changing


def host_plan(session: Session, survey: Survey, aim: Aim) -> Plan:
    """What makes every copy on this host the one that is aimed at; certificate and key of dockerd by one rename."""
    known, parts = session.store.authorities(), list[Plan]()
    if server := wanted_server(session, survey, aim):
        parts.append(_daemon(survey, server, aim.trusts["server"], known))
    for copy, held in survey.ours:
        client = aim.generation(session.store, "client", held.name)
        if client and _is_fit(client, survey):
            parts.append(_client(copy, client, aim.trusts["client"], known))
    return combined("bring every copy up to date", parts)


def _is_fit(generation: Generation, survey: Survey) -> bool:
    """Whether a certificate may be put somewhere: its key is here, and it was not revoked."""
    return generation.key_pem is not None and not survey.revocations.of(generation.certificate)


def _client(copy: ClientCopy, client: Generation, trust: bytes, known: frozenset[str]) -> Plan:
    there = copy.files[CA].content if CA in copy.files else b""
    files = ClientFiles(with_foreign(trust, there, known), *client.pair, client.path)
    return Plan(f"client {client.name} in {copy.place}", refreshed(files, copy.folder, copy.files))


def _daemon(survey: Survey, server: Generation, trust: bytes, known: frozenset[str]) -> Plan:
    return place_server(survey.facts, server, with_foreign(trust, survey.daemon_ca, known), known)


def with_foreign(trust: bytes, there: bytes, known: frozenset[str]) -> bytes:
    """Whom somebody shall trust, and whom he trusts besides, who is nobody of this store: that stays as it is."""
    ours = known | {fingerprint(one) for one in load_certificates(trust)}
    return trust + certificate_pem([one for one in certificates_in(there) if fingerprint(one) not in ours])


def wanted_server(session: Session, survey: Survey, aim: Aim) -> Generation | None:
    """What dockerd of this host shall serve; None: nothing of this store."""
    wanted = aim.generation(session.store, "server", survey.server.name) if survey.server else None
    return wanted if wanted is None or _is_fit(wanted, survey) else survey.server


def _client_let_in(session: Session, survey: Survey, aim: Aim) -> ClientMaterial:
    """A client that will be let in, to prove things with: rather one of this host's own."""
    store, authorities = session.store, load_certificates(aim.trusts["server"])
    names = dict.fromkeys((*(generation.name for _, generation in survey.ours), *store.names("client")))
    every = (aim.generation(store, "client", name) for name in names)
    return material(aim.trusts["client"], first_let_in(every, authorities, survey.revocations, session.started))


@dataclass(frozen=True)
class Work:
    """What a run does to the store, and what this host shall have then.

    Attributes:
        title: one line for people.
        aim: what the store will hold.
        stored: plans that add to it; they come first.
        refused: a client that must not be let in afterwards; None: there is nobody to prove that with.
        accepted: another client that must be.
    """

    title: str
    aim: Aim
    stored: tuple[Plan, ...] = ()
    refused: ClientMaterial | None = None
    accepted: ClientMaterial | None = None


@dataclass(frozen=True)
class Done:
    """How it ended.

    Attributes:
        work: what was done.
        receipt: of the change; None if there was nothing to do.
        findings: of the live check; none if dockerd was not restarted.
        pending: commands that are still to be run.
        stopped_by: why dockerd was not restarted although it had to be; empty if that is not so.
    """

    work: Work
    receipt: Receipt | None
    findings: tuple[Finding, ...] = ()
    pending: tuple[Command, ...] = ()
    stopped_by: str = ""


def carry_out(
    session: Session,
    make: Callable[[Survey], Work],
    change: ChangeOptions,
    restart: Restart,
    terms: Terms = BY_ITSELF,
) -> Done:
    """Do some work on the store, bring this host's copies to it, and restart and prove dockerd if it has one of them.

    Args:
        session: this run.
        make: decides the work from what this host has; asked again if another run was faster.
        change: how to go about it.
        restart: what may happen to dockerd.
        terms: what else matters.

    Raises:
        as `change_daemon` and `Session.change`.
    """
    session.recover(change)  # dockerd may not have our certificate any more then
    made: list[Work] = []

    def plan(survey: Survey) -> Plan:
        made[:] = [make(survey)]
        return combined(made[0].title, (*made[0].stored, host_plan(session, survey, made[0].aim)))

    def decide() -> Decision:
        survey = look_around(session)
        return _decision(session, survey, plan(survey), made[0])

    here = look_around(session)
    for line in here.left:
        session.warn_once(line)
    if here.server is None:
        run = session.run(group=terms.group)
        receipt = session.change(lambda: plan(look_around(session)), change, run=run)
        return Done(made[0], receipt)
    outcome = change_daemon(session, decide, change, restart, terms)
    return Done(made[0], outcome.receipt, outcome.findings, outcome.pending, outcome.stopped_by)


def _decision(session: Session, survey: Survey, plan: Plan, work: Work) -> Decision:
    """What a dockerd that serves a certificate of this store has to follow."""
    server = wanted_server(session, survey, work.aim)
    if server is None:
        raise Drifted("the certificate of dockerd was changed by somebody else", "run the command again")
    folder = packaging(survey.facts).places.pem_dir
    touched = any(change.path.is_relative_to(folder) for change in plan.changes)
    client = _client_let_in(session, survey, work.aim)
    decided = decision(survey.facts, plan, server, client, restart=touched)
    notes = decided.notes if plan else ()  # a run that has nothing to do says nothing, day for day
    return replace(decided, refused=work.refused, accepted=work.accepted, notes=notes)
