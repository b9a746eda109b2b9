"""Put certificates of the store where the daemon and the clients read them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from dockertls.cli.folders import remembered
from dockertls.cli.restarting import Decided, change_daemon, refuse_pending
from dockertls.client import contexts
from dockertls.client import files as client_files
from dockertls.daemon import certificates
from dockertls.daemon.control import LOOPBACK, follow_commands, listening, restart_commands
from dockertls.daemon.packaging import packaging
from dockertls.daemon.preflight import uncovered
from dockertls.errors import DockerTLSError, NotReady, Usage
from dockertls.pki.elsewhere import handed_out
from dockertls.pki.keys import load_certificates
from dockertls.pki.names import client_name, display, folder, parse_name
from dockertls.pki.paths import names_of
from dockertls.pki.verify import name_matches
from dockertls.plan import Plan, is_beside, visible
from dockertls.probe.endpoint import TLS_PORT, Endpoint
from dockertls.probe.observation import ClientMaterial
from dockertls.report import findings
from dockertls.report.certificates import moment

if TYPE_CHECKING:
    from cryptography import x509

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.restarting import Outcome, Restart
    from dockertls.cli.session import Session
    from dockertls.facts import HostFacts
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
    authority, trust = session.store.authority("client"), session.store.trust_pem("client")
    clients = (session.store.current("client", name) for name in session.store.names("client"))
    revocations = session.store.revocations()
    for one in clients:
        good = authority and one and one.is_good(authority.certificate, (), session.started)
        if one and good and not revocations.of(one.certificate):
            return ClientMaterial(trust, one.cert_pem, one.key_pem)
    return ClientMaterial(trust)


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
        files = certificates.ServerFiles(trust, *server.pair, server.path)
        places = packaging(facts).places
        plan = certificates.install(facts, files, places, replace_foreign=replace_foreign, known=known)
        return decision(session, facts, plan, server)

    tell(session, change_daemon(session, decide, change, restart), "server-install")


def decision(session: Session, facts: HostFacts, plan: Plan, server: Generation, *, restart: bool = True) -> Decision:
    """A plan with what restarts the daemon, if it listens on a port at all, and with whom to prove it.

    Args:
        session: this run.
        facts: with the rows "daemon", "certificates" and "names".
        plan: what is done.
        server: the certificate that the daemon serves afterwards.
        restart: whether the plan changes what the daemon reads.
    """
    port = listening(facts)
    if plan and restart and not plan.activation and port:
        plan = replace(plan, activation=restart_commands(facts))
    endpoint = from_here(*(port or (LOOPBACK, TLS_PORT)), server.certificate)
    client, follow = (any_client(session), follow_commands(facts)) if port else (None, ())
    return Decision(plan, server, endpoint, client, follow, uncovered(facts, server.certificate))


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


def shared(session: Session, client: Generation, server: str) -> Plan:
    """Of a store that is another host's, too: what that one has of a client is not seen here, and has to be waited for.

    Args:
        session: this run.
        client: what is installed here.
        server: the name of this host's own server certificate; empty: it has none.
    """
    others = [name for name in session.store.names("server") if name != server] if is_beside(session.store_path) else []
    if not others:
        return Plan("")
    return Plan("", (handed_out(session.store, client, moment(session.started)),))


def own_server(session: Session) -> str:
    """The name of the server certificate that is installed on this host; empty: it is not of this store."""
    facts = session.facts("daemon", "certificates")
    file = certificates.installed(facts, packaging(facts).places, certificates.CERT)
    with suppress(DockerTLSError):
        found = session.store.whose("server", load_certificates(file.content)[0]) if file else None
        return found.name if found else ""
    return ""


def install_client(session: Session, name: str, place: ClientPlace, change: ChangeOptions) -> None:
    """Install a client's files, or a context, and say how to use them."""
    if bool(place.context) != bool(place.endpoint):
        raise Usage("--context and --endpoint go together", "--context NAME --endpoint tcp://HOST:2376")
    client, user = stored(session, "client", name), session.user()
    docker_dir = session.docker_dir(place.docker_dir, user)
    files = client_files.ClientFiles(session.store.trust_pem("client"), *client.pair, client.path)

    def make() -> Plan:
        trees = (*client_files.wanted(docker_dir), *contexts.wanted(docker_dir))
        facts = session.facts("users", trees=trees)
        known = session.store.authorities()
        if place.context and place.endpoint:
            plan = contexts.install_context(
                facts, files, docker_dir, user.owner,
                name=place.context, endpoint_url=place.endpoint, replace=place.replace, known=known,
            )  # fmt: skip
        else:
            plan = client_files.install(facts, files, docker_dir, user.owner, replace=place.replace, known=known)
        return plan + remembered(session, docker_dir) + shared(session, client, own_server(session))

    receipt = session.change(make, change)
    use = f"docker --context {place.context} version" if place.context else f"dockertls env; files in {docker_dir}"
    session.console.result(f"{'installed' if receipt else 'kept'}: client {client.name} ({use})")
    session.tell_undo(receipt)
    session.console.document(
        "client-install", {"changed": bool(receipt), "folder": str(docker_dir), "context": place.context,
                           "undo": receipt.undo if receipt else None},
    )  # fmt: skip
