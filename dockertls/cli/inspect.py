"""`dockertls inspect`: what a file holds, or what a live endpoint shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import OpeningOptions, a_number, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session


@takes(opening=OpeningOptions)
def inspect(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="FILE|ENDPOINT", help="A file, - for standard input, or tcp://HOST:2376.")
    ],
    *,
    purpose: Annotated[
        str | None, typer.Option("--for", metavar="PURPOSE", help="Judge it as one for a server, a client or a ca.")
    ] = None,
    pem: Annotated[bool, typer.Option("--pem", help="Print what is public as PEM, and nothing else.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=600, callback=a_number, help="Seconds for each look at an endpoint.")
    ] = 5.0,
    opening: OpeningOptions,
) -> None:
    """Tell what a file holds, or what an endpoint shows.

    Certificates, chains, bundles, keys, requests, revocation lists and PKCS#12, in PEM and DER: what each is for, until
    when, of whom, and its faults. No secret is shown. Exits 1 if one of them is of no use as it is.
    """
    from dockertls.cli.inspecting import Wanted, inspect_target

    session: Session = ctx.obj
    inspect_target(session, Wanted(target, purpose, pem, timeout, opening))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(inspect)
