"""`dockertls renew`: certificates that end soon get their successors, and every copy follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions, RestartOptions, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session


@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions, restarts=RestartOptions)
def renew(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Servers and clients; default: all that are due.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every certificate, due or not.")] = False,
    within: Annotated[
        str | None, typer.Option(metavar="TIME", help="Due if it ends within 30d, 12h or 4w; default: the last third.")
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make a new key as well; of a NAME at once.")] = False,
    deploy_hook: Annotated[
        list[str] | None,
        typer.Option(metavar="PROGRAM", help="Run afterwards if anything was renewed; may be repeated."),
    ] = None,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
    restarts: RestartOptions,
) -> None:
    """Renew what ends soon, put it wherever a copy lies, restart dockerd once, and prove that it is served.

    Subject, names, kind of key and life are kept, and the key itself unless --new-key. If the proof fails, everything
    is put back. A hook finds the renewed names in DOCKERTLS_NAMES and their folders in DOCKERTLS_PATHS, a line each.
    """
    from dockertls.cli.decided import Restart
    from dockertls.cli.renewing import Renew, renew_certificates
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    asked = Renew.parse(names or (), deploy_hook or (), every=every, within=within, new_key=new_key)
    signer = Signer(session, keys, passphrase, change)
    renew_certificates(session, asked, signer, change, Restart.parse(restarts.restart))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(renew)
