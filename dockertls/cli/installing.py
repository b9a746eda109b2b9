"""Put certificates of the store where the daemon and the clients read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from dockertls.cli.decided import Decided
from dockertls.cli.folders import remembered
from dockertls.cli.restarting import change_daemon, refuse_pending
from dockertls.client import contexts
from dockertls.client import files as client_files
from dockertls.daemon import certificates
from dockertls.daemon.control import LOOPBACK, follow_commands, listening, restart_commands
from dockertls.daemon.packaging import packaging
from dockertls.daemon.preflight import uncovered
from dockertls.errors import NotReady, Usage
from dockertls.escaping import visible
from dockertls.pki.elsewhere import handed_out
from dockertls.pki.keys import certificates_in
from dockertls.pki.names import client_name, display, folder, parse_name
from dockertls.pki.paths import names_of
from dockertls.pki.verify import name_matches
from dockertls.plan import Plan, is_beside
from dockertls.probe.endpoint import TLS_PORT, Endpoint
from dockertls.probe.observation import ClientMaterial
from dockertls.report import findings
from dockertls.report.certificates import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from cryptography import x509

    from dockertls.cli.decided import Outcome, Restart, Trial
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.facts import HostFacts
    from dockertls.pki.revocation import Revocations
    from dockertls.pki.store import Generation
    from dockertls.plan import Command

_Decided = TypeVar("_Decided", bound=Decided)


@dataclass(frozen=True)
class Decision:
    """A change of the daemon, decided; see `restarting.Decided`."""

    plan: Plan
    server: Generation
    endpoint: Endpoint
    material: ClientMaterial | None
    restart: tuple[Command, ...]
    notes: tuple[str, ...] = ()
    refused: ClientMaterial | None = None
    accepted: ClientMaterial | None = None
    trial: Trial | None = None


@dataclass(frozen=True)
class ClientPlace:
    """Where a client's files go: a folder, or a docker context of it."""

    docker_dir: str | None
    context: str | None
    endpoint: str | None
    replace: bool


def stored(session: Session, role: str, name: str) -> Generation:
    """The certificate in use of a name.

    Raises:
        NotReady: if there is none, or if it is revoked: such a one is never put anywhere again.
    """
    place = folder(parse_name(name)) if role == "server" else client_name(name)
    current = session.store.current(role, place)
    if current is None:
        raise NotReady(
            f"there is no {role} certificate for {visible(name)} in {session.store_shown}",
            f"make one with `dockertls {role} issue {visible(name)}`",
        )
    if revoked := session.store.revocations().of(current.certificate):
        raise NotReady(
            f"the certificate of {role} {visible(name)} was revoked at {revoked.moment} ({revoked.reason})",
            f"issue a new one: dockertls {role} issue {visible(name)}",
        )
    return current


def any_client(session: Session) -> ClientMaterial:
    """A client of the store that the daemon must let in, to prove things with; without a certificate if it has none."""
    store, authority = session.store, session.store.authority("client")
    every = (store.current("client", name) for name in store.names("client"))
    found = first_let_in(every, [authority.certificate] if authority else [], store.revocations(), session.started)
    return material(store.trust_pem("client"), found)


def first_let_in(
    every: Iterable[Generation | None],
    authorities: Sequence[x509.Certificate],
    revocations: Revocations,
    now: datetime,
) -> Generation | None:
    """The first certificate that is good for one of the authorities, its key with it, and that was not revoked."""
    there = (one for one in every if one and any(one.is_good(authority, (), now) for authority in authorities))
    return next((one for one in there if not revocations.of(one.certificate)), None)


def material(trust: bytes, client: Generation | None) -> ClientMaterial:
    """What a client has; without a certificate if there is none."""
    return ClientMaterial(trust, client.cert_pem, client.key_pem) if client else ClientMaterial(trust)


def from_here(address: str, port: int, certificate: x509.Certificate) -> Endpoint:
    """This host's own daemon, called as its clients will: by a name that its certificate is for.

    Args:
        address: where it listens; taken for the name if the certificate is for it, or for nothing at all.
        port: where it listens.
        certificate: the one that it serves.
    """
    names = [display(name).replace("*", "any", 1) for name in names_of(certificate)]
    good = [name for name in (address, *names) if name_matches(certificate, name)]
    return Endpoint(good[0], port, via=address) if good else Endpoint(address, port)


def install_server(
    session: Session, name: str, change: ChangeOptions, restart: Restart, *, replace_foreign: bool
) -> None:
    """Install a server's certificate, restart the daemon if it listens with TLS, and prove it."""
    server = stored(session, "server", name)

    def decide() -> Decision:
        facts = session.facts("daemon", "certificates", "names")
        trust, known = session.store.trust_pem(), session.store.authorities()
        plan = place_server(facts, server, trust, known, replace_foreign=replace_foreign)
        return decision(facts, plan, server, any_client(session))

    tell(session, change_daemon(session, decide, change, restart), "server-install")


def place_server(
    facts: HostFacts, server: Generation, trust: bytes, known: Collection[str], *, replace_foreign: bool = False
) -> Plan:
    """What puts a server's certificate and key, and whom dockerd trusts, where dockerd reads them.

    Args:
        facts: with the rows "daemon" and "certificates".
        server: the certificate.
        trust: whom dockerd trusts, in PEM.
        known: fingerprints of every authority of the store: what is another's is foreign.
        replace_foreign: whether what is foreign may be replaced.

    Raises:
        Refused, NotReady: as `certificates.install`; if the key is not here, or is another's.
    """
    files = certificates.ServerFiles(trust, *server.pair, server.path)
    return certificates.install(facts, files, packaging(facts).places, replace_foreign=replace_foreign, known=known)


def decision(
    facts: HostFacts, plan: Plan, server: Generation, client: ClientMaterial, *, restart: bool = True
) -> Decision:
    """A plan with what restarts the daemon, if it listens on a port at all, and with whom to prove it.

    Args:
        facts: with the rows "daemon", "certificates" and "names".
        plan: what is done.
        server: the certificate that the daemon serves afterwards.
        client: who has to be let in then.
        restart: whether the plan changes what the daemon reads.
    """
    port = listening(facts)
    if plan and restart and not plan.activation and port:
        plan = replace(plan, activation=restart_commands(facts))
    endpoint = from_here(*(port or (LOOPBACK, TLS_PORT)), server.certificate)
    proven, follow = (client, follow_commands(facts)) if port else (None, ())
    return Decision(plan, server, endpoint, proven, follow, uncovered(facts, server.certificate))


def tell(session: Session, outcome: Outcome[_Decided], kind: str) -> None:
    """What was done, and what the live check found."""
    console, receipt = session.console, outcome.receipt
    console.result(f"done: {outcome.decided.plan.title}" if receipt else "nothing to do")
    if outcome.findings:
        console.table(findings.table(outcome.findings))
    session.tell_pending(outcome.pending)
    session.tell_undo(receipt)
    refuse_pending(outcome)
    console.document(
        kind,
        {
            "changed": bool(receipt),
            "undo": receipt.undo if receipt else None,
            "pending": [list(command.argv) for command in outcome.pending],
            "findings": [findings.as_json(one) for one in outcome.findings],
        },
    )


def shared(session: Session, client: Generation, server: Generation | None) -> Plan:
    """Of a store that is another host's, too: what that one has of a client is not seen here, and has to be waited for.

    Args:
        session: this run.
        client: what is installed here.
        server: this host's own; None: it has none of this store.
    """
    own = server.name if server else None
    if not is_beside(session.store_path) or {*session.store.names("server")} <= {own}:
        return Plan("")
    return Plan("", (handed_out(session.store, client, moment(session.started)),))


def installed_server(session: Session, facts: HostFacts) -> Generation | None:
    """The certificate that is installed for dockerd; None: none of this store.

    Args:
        session: this run.
        facts: with the rows "daemon" and "certificates".
    """
    file = certificates.installed(facts, packaging(facts).places, certificates.CERT)
    found = certificates_in(file.content) if file else ()
    return session.store.whose("server", found[0]) if found else None


def install_client(session: Session, name: str, place: ClientPlace, change: ChangeOptions) -> None:
    """Install a client's files, or a context, and say how to use them."""
    if bool(place.context) != bool(place.endpoint):
        raise Usage("--context and --endpoint go together", "--context NAME --endpoint tcp://HOST:2376")
    client, user = stored(session, "client", name), session.user()
    docker_dir = session.docker_dir(place.docker_dir, user)
    files = client_files.ClientFiles(session.store.trust_pem("client"), *client.pair, client.path)

    def make() -> Plan:
        trees = (*client_files.wanted(docker_dir), *contexts.wanted(docker_dir))
        facts = session.facts("users", "daemon", "certificates", trees=trees)
        known = session.store.authorities()
        if place.context and place.endpoint:
            plan = contexts.install_context(
                facts, files, docker_dir, user.owner,
                name=place.context, endpoint_url=place.endpoint, replace=place.replace, known=known,
            )  # fmt: skip
        else:
            plan = client_files.install(facts, files, docker_dir, user.owner, replace=place.replace, known=known)
        return plan + remembered(session, docker_dir) + shared(session, client, installed_server(session, facts))

    receipt = session.change(make, change)
    use = f"docker --context {place.context} version" if place.context else f"dockertls env; files in {docker_dir}"
    session.console.result(f"{'installed' if receipt else 'kept'}: client {client.name} ({use})")
    session.tell_undo(receipt)
    session.console.document(
        "client-install", {"changed": bool(receipt), "folder": str(docker_dir), "context": place.context,
                           "undo": receipt.undo if receipt else None},
    )  # fmt: skip
