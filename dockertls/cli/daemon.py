"""`dockertls daemon`: dockerd's configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from dockertls.cli.options import ChangeOptions, RestartOptions, takes

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The daemon's configuration.")

Listen = Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Listen here only; default: every address.")]
Port = Annotated[int, typer.Option(help="The TCP port.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Another option of dockerd.")]


@app.command()
def show(ctx: typer.Context) -> None:
    """Show what dockerd is told, and which file or flag says so."""
    from dockertls.cli.showing import show_daemon

    show_daemon(ctx.obj)


@app.command()
@takes(change=ChangeOptions, restarts=RestartOptions)
def configure(
    ctx: typer.Context,
    *,
    server: Annotated[str, typer.Option(metavar="NAME", help="The server's certificate to use.")],
    port: Port = 2376,
    listen: Listen = None,
    style: Annotated[str, typer.Option(help="auto, socket, env, json or drop-in.")] = "auto",
    settings: Settings = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace certificates of another authority.")] = False,
    change: ChangeOptions,
    restarts: RestartOptions,
) -> None:
    """Make dockerd listen with TLS and ask every client for a certificate."""
    from dockertls.cli.configuring import Configure, configure_daemon
    from dockertls.cli.decided import Restart
    from dockertls.cli.preparing import parse_style

    wanted = Configure(server, port, tuple(listen or ()), parse_style(style), tuple(settings or ()), replace)
    configure_daemon(ctx.obj, wanted, change, Restart.parse(restarts.restart))


@app.command()
def snippet(
    ctx: typer.Context,
    *,
    platform: Annotated[str, typer.Option(metavar="NAME", help="The other host's packaging, such as fedora.")],
    port: Port = 2376,
    listen: Listen = None,
    style: Annotated[str, typer.Option(help="auto, socket, env, json or drop-in.")] = "auto",
    settings: Settings = None,
    existing: Annotated[
        str, typer.Option(metavar="VALUE", help="What the packaging's variable holds there already; it is kept.")
    ] = "",
) -> None:
    """Print the files that configure another host's dockerd; paths are those of `bootstrap`."""
    from dockertls.cli.configuring import Snippet, print_snippet
    from dockertls.cli.preparing import parse_style

    asked = Snippet(platform, port, tuple(listen or ()), parse_style(style), tuple(settings or ()), existing)
    print_snippet(ctx.obj, asked)


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="daemon")
