"""`dockertls rehearse`: all of bootstrap in a throwaway folder, and a real mutual handshake."""

from __future__ import annotations

from typing import Annotated

import typer


def rehearse(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="What clients call the host; default: all its own.")
    ] = None,
    *,
    key: Annotated[str, typer.Option("--key", metavar="KIND", help="As for bootstrap.")] = "ecdsa-p256",
) -> None:
    """Try bootstrap in a throwaway folder.

    All of it, with a real mutual handshake on a loopback port: with dockerd where one is installed and you are root,
    else with a stand-in. Touches nothing else.
    """
    from dockertls.cli.rehearsing import rehearse_all

    rehearse_all(ctx.obj, tuple(names or ()), key)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(rehearse)
