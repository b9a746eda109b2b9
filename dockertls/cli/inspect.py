"""`dockertls inspect`: what a file holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def inspect(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A PEM file, or - for standard input.")],
) -> None:
    """Tell what a file holds.

    Certificates, keys, requests and revocation lists are known. No secret is shown.
    """
    from dockertls.cli.console import read_input
    from dockertls.report.inspect import things

    session: Session = ctx.obj
    found = things(read_input(file, "the file"), file, session.started)
    for number, thing in enumerate(found):
        session.console.result(("\n" if number else "") + thing.kind)
        session.console.table(thing.table)
    session.console.document("inspect", [{"kind": thing.kind, **thing.data} for thing in found])


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(inspect)
