"""`dockertls timer`: renewals that nobody has to think of."""

from __future__ import annotations

from typing import Annotated

import typer

from dockertls.cli.options import ChangeOptions, PassphraseOptions, takes

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Renewal by a systemd timer, or by cron.")

Hooks = Annotated[
    list[str] | None,
    typer.Option("--deploy-hook", metavar="PROGRAM", help="A program that each renewal runs; more than one may be."),
]


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def install(ctx: typer.Context, *, hooks: Hooks = None, change: ChangeOptions, passphrase: PassphraseOptions) -> None:
    """Renew certificates every day that are due.

    A systemd timer does it, where there is no systemd, cron. The passphrase of the authority's key becomes a credential
    that systemd decrypts for the renewal alone; before systemd 250, under cron and for an ordinary user, it is read
    from the --passphrase-file. No renewal stops containers: it then ends with "issued, not deployed" and exit code 4.
    Hooks share the service's sandbox; `systemctl edit dockertls-renew.service` gives them what they need besides.
    """
    from dockertls.cli.timing import install_timer

    install_timer(ctx.obj, tuple(hooks or ()), passphrase, change)


@app.command()
@takes(change=ChangeOptions)
def remove(ctx: typer.Context, *, change: ChangeOptions) -> None:
    """Take the timer away, and the credential with it."""
    from dockertls.cli.timing import remove_timer

    remove_timer(ctx.obj, change)


@app.command()
def status(ctx: typer.Context) -> None:
    """Show when certificates are renewed, and how it went last.

    Exit code 1 if there is no timer, if it does not run, or if the last renewal failed. Such a renewal stands in
    `systemctl --failed`, too, and `journalctl -u dockertls-renew` says why: exit code 4 is "issued, not deployed" or a
    host that was not ready, 5 a change that was taken back, 243 a credential that systemd could not decrypt.
    """
    from dockertls.cli.timing import show_timer

    show_timer(ctx.obj)


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="timer")
