"""`dockertls status`: every certificate of the store, and where its copies are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def status(ctx: typer.Context) -> None:
    """List every certificate and its copies.

    Exit code 1 if one is due for renewal, has ended, or has a copy that is not the current one.
    """
    from dockertls.cli.surveying import survey
    from dockertls.report.status import as_json, is_due, table

    session: Session = ctx.obj
    rows = survey(session)
    due = any(is_due(row, session.started) for row in rows)
    if rows:
        session.console.table(table(rows, session.started))
    else:
        session.console.say(f"there are no certificates in {session.store_shown}; begin with `dockertls bootstrap`")
    session.console.document("status", [as_json(row, session.started) for row in rows], ok=not due)
    raise typer.Exit(int(due))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(status)
