"""Change and print dockerd's configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.cli.installing import Decision, any_client, from_here, place_server, stored, tell
from dockertls.cli.preparing import mended, nearest, tls_daemon
from dockertls.cli.restarting import change_daemon
from dockertls.daemon.configure import Style, configure, snippet
from dockertls.daemon.control import follow_commands, restart_commands
from dockertls.daemon.model import known_platform
from dockertls.daemon.packaging import packaging
from dockertls.daemon.places import Places
from dockertls.daemon.preflight import uncovered
from dockertls.daemon.settings import read_settings
from dockertls.errors import NotReady
from dockertls.plan import combined

if TYPE_CHECKING:
    from dockertls.cli.decided import Restart
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.pki.store import Generation


@dataclass(frozen=True)
class Configure:
    """What `daemon configure` was asked for."""

    server: str
    port: int
    listen: tuple[str, ...]
    style: Style
    settings: tuple[str, ...]
    replace: bool


@dataclass(frozen=True)
class Snippet:
    """What `daemon snippet` was asked for."""

    platform: str
    port: int
    listen: tuple[str, ...]
    style: Style
    settings: tuple[str, ...]
    existing: str


def configure_daemon(session: Session, wanted: Configure, change: ChangeOptions, restart: Restart) -> None:
    """Install the server's certificate, configure dockerd to use it, restart it, and prove it."""
    server = stored(session, "server", wanted.server)
    outcome = change_daemon(session, lambda: _decide(session, wanted, server), change, restart)
    tell(session, outcome, "daemon-configure")


def _decide(session: Session, wanted: Configure, server: Generation) -> Decision:
    facts = session.facts("daemon", "certificates", "names")
    trust, known = session.store.trust_pem(), session.store.authorities()
    installed = place_server(facts, server, trust, known, replace_foreign=wanted.replace)
    settings = read_settings(wanted.settings)
    decided = configure(facts, tls_daemon(packaging(facts).places, wanted.port, wanted.listen, wanted.style, settings))
    plan = combined(decided.plan.title, (installed, decided.plan))
    if plan and not plan.activation:
        plan = replace(plan, activation=restart_commands(facts))
    style = f"style {decided.style.value}: {decided.why}"
    notes = (style, *mended(facts), *decided.notes, *uncovered(facts, server.certificate))
    endpoint = from_here(nearest(wanted.listen), wanted.port, server.certificate)
    return Decision(plan, server, endpoint, any_client(session), follow_commands(facts), notes)


def print_snippet(session: Session, asked: Snippet) -> None:
    """The files, each under its path.

    Raises:
        Refused: as `snippet`.
        NotReady: if it is for a user's Docker, and root asks.
    """
    row = known_platform(asked.platform)
    user = session.user() if row.rootless else None
    if user and user.uid == 0:
        raise NotReady("a rootless Docker is an ordinary user's own", "run this as that user, without sudo")
    places = Places.of(row, user.home, user.owner) if user else Places.of(row)
    wanted = tls_daemon(places, asked.port, asked.listen, asked.style, read_settings(asked.settings))
    files = snippet(row.id, wanted, asked.style, asked.existing, user)
    for path, file in files:
        session.console.result(f"# {path}\n{file.content.decode().rstrip()}")
    told = [{"path": str(path), "mode": f"{file.mode:04o}", "content": file.content.decode()} for path, file in files]
    session.console.document("snippet", told)
