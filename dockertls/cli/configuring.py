"""Show, change and print dockerd's configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.cli.installing import Decision, any_client, from_here, stored, tell
from dockertls.cli.preparing import EVERY_ADDRESS, mended, tls_daemon
from dockertls.cli.restarting import change_daemon
from dockertls.daemon import certificates
from dockertls.daemon.configure import Style, Wanted, configure, snippet
from dockertls.daemon.control import follow_commands, restart_commands
from dockertls.daemon.effective import effective, problems
from dockertls.daemon.packaging import packaging
from dockertls.daemon.preflight import uncovered
from dockertls.daemon.settings import read_settings
from dockertls.errors import NotReady
from dockertls.plan import combined, visible
from dockertls.report.tables import Row, Table

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


def show_daemon(session: Session) -> None:
    """A line an option; then what is wrong with the configuration on disk.

    Raises:
        NotReady: if there is no Docker.
    """
    facts = session.facts("daemon")
    found = packaging(facts)
    if not found.installed:
        raise NotReady(
            "there is no Docker on this host", "install it (docker.io, moby-engine, docker-ce), then run again"
        )
    said, wrong = effective(facts), problems(facts)
    console = session.console
    console.result(f"started by {found.init.value}: {found.start}")
    rows = tuple(Row((key, _text(source.value), visible(source.origin))) for key, source in said.items())
    console.table(Table(("OPTION", "VALUE", "SAID BY"), rows))
    for fault in wrong:
        console.result(f"problem: {fault.message}\n  {fault.hint}")
    console.document(
        "daemon",
        {
            "init": found.init.value,
            "start": str(found.start),
            "options": {key: {"value": one.value, "origin": one.origin} for key, one in said.items()},
            "problems": [{"message": fault.message, "hint": fault.hint} for fault in wrong],
        },
    )


def _text(value: object) -> str:
    """Lists and texts as one would type them, everything else as JSON."""
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return value if isinstance(value, str) else json.dumps(value)


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
