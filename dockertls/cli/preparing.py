"""All that makes one host secure, as one plan: authority, certificates, their places, the daemon's configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.cli.folders import remembered
from dockertls.cli.installing import place_server, shared
from dockertls.cli.signing import LeafRequest
from dockertls.client import files as client_files
from dockertls.daemon import certificates
from dockertls.daemon.configure import Configuration, Style, Wanted, configure
from dockertls.daemon.control import follow_commands, restart_commands
from dockertls.daemon.effective import stopping
from dockertls.daemon.firewall import firewall_notes
from dockertls.daemon.hostnames import ALWAYS, own_names
from dockertls.daemon.packaging import packaging
from dockertls.daemon.settings import EMPTY, Settings
from dockertls.errors import Refused, Usage, refuse
from dockertls.escaping import visible
from dockertls.pki.names import client_name, display, folder, parse_name, parse_names, twins, warnings
from dockertls.pki.store import FOLDERS
from dockertls.plan import combined
from dockertls.probe.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.scheduling import Timer
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Made, Signer
    from dockertls.daemon.places import Places
    from dockertls.documents.passwd import User
    from dockertls.facts import HostFacts
    from dockertls.pki.store import Generation
    from dockertls.plan import Command, Plan
    from dockertls.probe.observation import ClientMaterial

ROWS = ("daemon", "certificates", "names", "users", "firewall")
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what an administrator writes to mean all of them


@dataclass(frozen=True)
class Wish:
    """What bootstrap was asked for.

    Attributes:
        names: of the server, as typed; none: the host's own.
        client: the client's name.
        port: to listen on.
        listen: addresses to listen on; none: every one.
        style: where the daemon is configured.
        replace: whether foreign certificates may be replaced.
        timer: whether the certificates are to be renewed every day.
    """

    names: tuple[str, ...]
    client: str
    port: int
    listen: tuple[str, ...]
    style: Style
    replace: bool
    timer: bool = False


@dataclass(frozen=True)
class Prepared:
    """A host's whole bootstrap, decided and not yet done.

    Attributes:
        plan: all of it.
        made: authority, server and client as they will be in use; each with a plan if it is new.
        configuration: how the daemon is configured.
        endpoint: where this host can reach its daemon.
        restart: what restarts the daemon.
        docker_dir: the client's files.
        trust: whom the client trusts, in PEM.
        notes: what the user should know, one line each.
        refused: nobody in particular.
        accepted: nobody besides.
        trial: the certificate is proof enough.
        timer: what renews the certificates; None: that was not asked for.
    """

    plan: Plan
    made: tuple[Made, Made, Made]
    configuration: Configuration
    endpoint: Endpoint
    restart: tuple[Command, ...]
    docker_dir: Path
    trust: bytes
    notes: tuple[str, ...]
    refused: ClientMaterial | None = None
    accepted: ClientMaterial | None = None
    trial: None = None
    timer: Timer | None = None

    @property
    def server(self) -> Generation:
        """The server's certificate as it will be in use."""
        return self.made[1].generation

    @property
    def material(self) -> ClientMaterial:
        """The client's files, to look at the daemon with."""
        from dockertls.probe.observation import ClientMaterial

        client = self.made[2].generation
        return ClientMaterial(self.trust, client.cert_pem, client.key_pem)


def parse_style(text: str) -> Style:
    """Raises Usage if there is no such style."""
    try:
        return Style(text)
    except ValueError:
        known = ", ".join(style.value for style in Style)
        raise Usage(f"--style {visible(text)} is not known", f"take one of: {known}") from None


def prepare(session: Session, wish: Wish, signer: Signer, user: User, docker_dir: Path) -> Prepared:
    """Look at the host and decide all of its bootstrap.

    Args:
        session: this run.
        wish: what was asked for.
        signer: makes what is missing.
        user: whose client files they are.
        docker_dir: where they go.

    Raises:
        NotReady, Refused: what stands against it.
    """
    facts = session.facts(*ROWS, trees=client_files.wanted(docker_dir))
    client = client_name(wish.client)
    refuse("client name", [*twins([client], session.store.names("client"))])
    names, notes = _names(session, facts, wish)
    made = _certificates(session, signer, names, client)
    ca, server, own = (one.generation for one in made)
    known = session.store.authorities()
    trusts = {role: session.store.trust_pem(role) or ca.anchor_pem for role in FOLDERS}
    installed = place_server(facts, server, trusts["server"], known, replace_foreign=wish.replace)
    files = client_files.ClientFiles(trusts["client"], *own.pair, own.path)
    placed = client_files.install(facts, files, docker_dir, user.owner, replace=wish.replace, known=known)
    noted = (remembered(session, docker_dir), shared(session, own, server))
    configuration = configure(facts, tls_daemon(packaging(facts).places, wish.port, wish.listen, wish.style))
    parts = (*(one.plan for one in made), installed, placed, *noted, configuration.plan)
    plan = combined(f"bootstrap {display(names[0])}", parts)
    if installed and not configuration.plan:
        plan = replace(plan, activation=restart_commands(facts))
    timer = _timer(session, signer, made[0]) if wish.timer else None
    if timer:
        plan = combined(plan.title, (plan, timer.plan))
    told = (*notes, *mended(facts), *configuration.notes, *firewall_notes(facts, wish.port))
    return Prepared(
        plan, made, configuration, Endpoint(nearest(wish.listen), wish.port), follow_commands(facts),
        docker_dir, trusts["client"], (*told, *(timer.notes if timer else ())), timer=timer,
    )  # fmt: skip


def _certificates(
    session: Session, signer: Signer, names: tuple[x509.GeneralName, ...], client: str
) -> tuple[Made, Made, Made]:
    """The authority, the server's certificate and the client's: what is in use, or is made."""
    store, authority = session.store, signer.authority_in_use()
    server = LeafRequest("server", folder(names[0]), display(names[0]), names)
    return (
        authority,
        signer.leaf_in_use(store.authority("server") or authority.generation, server),
        signer.leaf_in_use(store.authority("client") or authority.generation, LeafRequest("client", client, client)),
    )


def nearest(listen: Sequence[str]) -> str:
    """Where this host reaches a dockerd that listens on these addresses; none: on every one."""
    return next((one.strip("[]") for one in listen if one not in EVERY_ADDRESS), "127.0.0.1")


def wants_timer(session: Session, change: ChangeOptions) -> bool:
    """Ask whoever is there whether he wants a timer, where there is none and one can be had."""
    if not session.console.can_ask or change.yes or change.looks_only or not session.host.runs:
        return False
    from dockertls.cli.scheduling import can_be_offered

    return can_be_offered(session) and session.console.confirm("Renew the certificates every day, by a timer?")


def _timer(session: Session, signer: Signer, authority: Made) -> Timer:
    from dockertls.cli.scheduling import timer_plan

    return timer_plan(session, signer, (authority.generation,) if authority.plan else session.store.signing())


def mended(facts: HostFacts) -> tuple[str, ...]:
    """What would keep dockerd from starting as it is configured now; the plan mends it, or was refused."""
    faults = stopping(facts)
    return tuple(f"as it is configured now, dockerd would not start: {fault.message}" for fault in faults)


def tls_daemon(places: Places, port: int, listen: tuple[str, ...], style: Style, settings: Settings = EMPTY) -> Wanted:
    """What is wanted of a daemon that reads its certificates at their familiar places."""
    ca, cert, key = (places.told_dir / name for name in certificates.MODES)
    return Wanted(ca, cert, key, port, listen, style, settings)


def _names(session: Session, facts: HostFacts, wish: Wish) -> tuple[tuple[x509.GeneralName, ...], tuple[str, ...]]:
    """Names of the server's certificate, and what is to be said of them.

    Without names given, those of the certificate that is installed: a changed address is told, never re-issued.
    """
    listen = tuple(one for one in wish.listen if one not in EVERY_ADDRESS)
    if wish.names:
        given = parse_names((*wish.names, *listen, *ALWAYS))
        return given, warnings(given)
    own = own_names(facts)
    names, refused = _usable((*own.names[: -len(ALWAYS)], *listen, *ALWAYS))
    left_out = (*own.left_out, *refused)
    notes = [f"not in the certificate: {', '.join(left_out)}; name it to have it there"] if left_out else []
    installed = _installed(session, facts)
    if installed is None:
        return names, tuple(notes)
    lacking = [display(name) for name in names if name not in installed]
    if lacking:
        told = f"this host is also called {', '.join(lacking)}: the certificate in use does not say so"
        notes.append(f"{told}; `dockertls bootstrap {' '.join(map(display, names[:-3]))}` makes one that does")
    return installed, tuple(notes)


def _usable(texts: Sequence[str]) -> tuple[tuple[x509.GeneralName, ...], tuple[str, ...]]:
    """Names that can stand in a certificate, and those of this host that cannot."""
    good: dict[x509.GeneralName, None] = {}
    bad: list[str] = []
    for text in texts:
        try:
            good[parse_name(text)] = None
        except Refused:
            bad.append(f"{visible(text)} (not a name that TLS knows)")
    return tuple(good), tuple(bad)


def _installed(session: Session, facts: HostFacts) -> tuple[x509.GeneralName, ...] | None:
    """The names of the server certificate that dockerd is told, if it is one of this store's."""
    file = certificates.installed(facts, packaging(facts).places, certificates.CERT)
    if file is None:
        return None
    generations = (session.store.current("server", name) for name in session.store.names("server"))
    found = next((one for one in generations if one and one.cert_pem == file.content), None)
    return found.names if found else None
