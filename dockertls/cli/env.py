"""`dockertls env`: the shell's variables for an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def env(
    ctx: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="tcp://HOST:2376; default: this host's daemon.")
    ] = None,
    *,
    shell: Annotated[
        str | None, typer.Option(metavar="SHELL", help="bash, zsh, fish, powershell or cmd; default: yours.")
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Remove them instead.")] = False,
    docker_dir: Annotated[str | None, typer.Option(metavar="DIR", help="The client files; default: ~/.docker.")] = None,
) -> None:
    """Print the variables for your shell.

    Use it as: eval "$(dockertls env)"
    """
    from dockertls.cli.console import arguments, platform
    from dockertls.cli.endpoints import this_host
    from dockertls.client import shell as shells
    from dockertls.probe.endpoint import Endpoint

    session: Session = ctx.obj
    name = shell or shells.detect(session.environment.get("SHELL"), platform())
    where = Endpoint.parse(endpoint) if endpoint else this_host(session)
    folder = session.docker_dir(docker_dir, session.user())
    values = shells.unset() if unset else shells.variables(where.url, folder)
    session.console.result(shells.render(name, values).rstrip("\n"))
    session.console.result(shells.hint(name, ("dockertls", *arguments())).rstrip("\n"))
    session.console.document("env", {"shell": name, "variables": dict(values)})


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(env)
