"""`dockertls bootstrap`: secure this host, end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions, RestartOptions, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session


@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions, restarts=RestartOptions)
def bootstrap(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|ADDRESS", help="What clients call this host; default: all its own."),
    ] = None,
    *,
    client: Annotated[str, typer.Option(metavar="NAME", help="Whose client certificate it is.")] = "client",
    port: Annotated[int, typer.Option(help="The TCP port.")] = 2376,
    listen: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Listen here only; default: every address.")
    ] = None,
    style: Annotated[
        str, typer.Option(help="Where the daemon is configured: auto, socket, env, json or drop-in.")
    ] = "auto",
    docker_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where the client files go; default: ~/.docker.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace certificates of another authority.")] = False,
    timer: Annotated[
        bool, typer.Option("--timer", help="Renew them every day; see `dockertls timer`. Asked on a terminal.")
    ] = False,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
    restarts: RestartOptions,
) -> None:
    """Secure this host, end to end.

    Makes the certificates, configures dockerd, puts the client files in place, restarts dockerd, and proves it all by a
    live handshake. If the proof fails, everything is put back.
    """
    from dockertls.cli.decided import Restart
    from dockertls.cli.preparing import Wish, parse_style, prepare, wants_timer
    from dockertls.cli.restarting import change_daemon, refuse_pending
    from dockertls.cli.signing import Signer
    from dockertls.cli.telling import show

    session: Session = ctx.obj
    mode = Restart.parse(restarts.restart)
    renewed = timer or wants_timer(session, change)
    wish = Wish(tuple(names or ()), client, port, tuple(listen or ()), parse_style(style), replace, renewed)
    user = session.user()
    folder = session.docker_dir(docker_dir, user)
    signer = Signer(session, keys, passphrase, change)
    outcome = change_daemon(session, lambda: prepare(session, wish, signer, user, folder), change, mode)
    show(session, outcome)
    refuse_pending(outcome)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(bootstrap)
