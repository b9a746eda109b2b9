"""`dockertls status`: every certificate of the store, and where its copies are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def status(
    ctx: typer.Context,
    *,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, nagios or prometheus.")
    ] = "table",
    output: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write prometheus's text there, for node_exporter's textfile collector."),
    ] = None,
) -> None:
    """List every certificate and the truth of its copies: on disk, served, in docker contexts, elsewhere.

    Exit code 1 if one is due or has ended, or a copy is missing, broken, stale, or waits for a restart of dockerd.
    With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    """
    from dockertls.cli.telling_status import tell

    session: Session = ctx.obj
    raise typer.Exit(tell(session, form, output))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(status)
