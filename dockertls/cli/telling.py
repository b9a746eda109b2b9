"""How the end of a bootstrap is told: what was made, what the live check found, and what to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.client.shell import detect, render, variables
from dockertls.report import certificates
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.cli.decided import Outcome
    from dockertls.cli.preparing import Prepared
    from dockertls.cli.session import Session

ROLES = {"ca": "authority", "server": "server", "client": "client"}


def show(session: Session, outcome: Outcome[Prepared]) -> None:
    """What was made, what the live check found, and what to type next."""
    console, prepared = session.console, outcome.decided
    console.table(_made(prepared))
    if outcome.findings:
        from dockertls.report import findings

        console.result()
        console.table(findings.table(outcome.findings, verbose=console.verbose))
        for line in findings.remedies(outcome.findings):
            console.tell(f"  {line}")
    console.result()
    for line in _next(session, outcome):
        console.result(line)
    if console.json and not outcome.stopped_by:
        console.document("bootstrap", _document(session, outcome))


def _made(prepared: Prepared) -> Table:
    """A line for each certificate, the daemon and the client's files."""
    rows = [
        Row(
            (
                "made" if made.plan else "kept",
                ROLES[made.generation.role],
                certificates.some_names(made.generation.certificate)
                or certificates.subject(made.generation.certificate),
                f"until {made.generation.certificate.not_valid_after_utc:%Y-%m-%d}",
            )
        )
        for made in prepared.made
    ]
    daemon = "set" if prepared.configuration.plan else "kept"
    rows.append(
        Row((daemon, "daemon", f"style {prepared.configuration.style.value}: {prepared.configuration.why}", ""))
    )
    changed = any(change.path.is_relative_to(prepared.docker_dir) for change in prepared.plan.changes)
    rows.append(Row(("set" if changed else "kept", "client files", str(prepared.docker_dir), "")))
    if prepared.timer:
        rows.append(Row(("set" if prepared.timer.plan else "kept", "renewals", prepared.timer.when, "")))
    return Table((), tuple(rows))


def _next(session: Session, outcome: Outcome[Prepared]) -> Iterator[str]:
    """What to type now."""
    prepared = outcome.decided
    for command in outcome.pending:
        yield f"still to be run: {' '.join(command.argv)}"
    shell = "bash" if not session.host.runs else detect(session.environment.get("SHELL"), "linux")
    yield "Use it from this host:" if session.host.runs else "Use it on that host, when its dockerd has been restarted:"
    yield from render(shell, variables(prepared.endpoint.url, prepared.docker_dir)).splitlines()
    client = prepared.made[2].generation.name
    yield f"From another machine: dockertls client export {client} --output {client}.tar"
    if outcome.receipt:
        yield f"Take it back: dockertls undo {outcome.receipt.id}"


def _document(session: Session, outcome: Outcome[Prepared]) -> dict[str, object]:
    from dockertls.report.findings import as_json

    prepared, receipt = outcome.decided, outcome.receipt
    return {
        "changed": bool(receipt),
        "restarted": bool(outcome.findings),
        "pending": [list(command.argv) for command in outcome.pending],
        "undo": receipt.undo if receipt else None,
        "certificates": [
            certificates.generation_json(made.generation, session.started, new=bool(made.plan))
            for made in prepared.made
        ],
        "style": prepared.configuration.style.value,
        "environment": dict(variables(prepared.endpoint.url, prepared.docker_dir)),
        "renewals": prepared.timer.when if prepared.timer else None,
        "notes": list(prepared.notes),
        "findings": [as_json(finding) for finding in outcome.findings],
    }
