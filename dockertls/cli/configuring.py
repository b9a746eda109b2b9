"""Change and print dockerd's configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.cli.installing import Decision, any_client, from_here, stored, tell
from dockertls.cli.preparing import EVERY_ADDRESS, mended, tls_daemon
from dockertls.cli.restarting import change_daemon
from dockertls.daemon import certificates
from dockertls.daemon.configure import Style, Wanted, configure, snippet
from dockertls.daemon.control import follow_commands, restart_commands
from dockertls.daemon.preflight import uncovered
from dockertls.daemon.settings import read_settings
from dockertls.plan import combined

if TYPE_CHECKING:
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.restarting import Restart
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


def configure_daemon(session: Session, wanted: Configure, change: ChangeOptions, restart: Restart) -> None:
    """Install the server's certificate, configure dockerd to use it, restart it, and prove it."""
    server = stored(session, "server", wanted.server)
    outcome = change_daemon(session, lambda: _decide(session, wanted, server), change, restart)
    tell(session, outcome, "daemon-configure")


def _decide(session: Session, wanted: Configure, server: Generation) -> Decision:
    facts = session.facts("daemon", "certificates", "names")
    files = certificates.ServerFiles(session.store.trust_pem(), *server.pair, server.path)
    known = session.store.authorities()
    installed = certificates.install(facts, files, replace_foreign=wanted.replace, known=known)
    decided = configure(facts, tls_daemon(wanted.port, wanted.listen, wanted.style, read_settings(wanted.settings)))
    plan = combined(decided.plan.title, (installed, decided.plan))
    if plan and not plan.activation:
        plan = replace(plan, activation=restart_commands(facts))
    address = next((one.strip("[]") for one in wanted.listen if one not in EVERY_ADDRESS), "127.0.0.1")
    style = f"style {decided.style.value}: {decided.why}"
    notes = (style, *mended(facts), *decided.notes, *uncovered(facts, server.certificate))
    endpoint = from_here(address, wanted.port, server.certificate)
    return Decision(plan, server, endpoint, any_client(session), follow_commands(facts), notes)


def print_snippet(session: Session, platform: str, wanted: Wanted, existing: str) -> None:
    """The files, each under its path."""
    files = snippet(platform, wanted, wanted.style, existing)
    for path, file in files:
        session.console.result(f"# {path}\n{file.content.decode().rstrip()}")
    told = [{"path": str(path), "mode": f"{file.mode:04o}", "content": file.content.decode()} for path, file in files]
    session.console.document("snippet", told)
