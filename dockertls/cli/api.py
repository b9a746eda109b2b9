"""`dockertls api`: one request to Docker's remote API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def api(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT, HEAD or DELETE.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /containers/json or /v1.41/info.")],
    *,
    query: Annotated[
        list[str] | None, typer.Option(metavar="K=V", help="A parameter; it is encoded. More than once for more.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="'NAME: VALUE'", help="A header. More than once for more.")
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="TEXT", help="A body; JSON unless a header says else.")] = None,
    data_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A file as the body; a tar unless a header says else; - is stdin."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="ENDPOINT",
            help="tcp://HOST:2376 or unix:///run/docker.sock; default: DOCKER_HOST, context, this host.",
        ),
    ] = None,
    cert_path: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of ca.pem, cert.pem, key.pem.")] = None,
    ca: Annotated[str | None, typer.Option(metavar="FILE", help="The authorities to trust.")] = None,
    cert: Annotated[str | None, typer.Option(metavar="FILE", help="The client's certificate.")] = None,
    key: Annotated[str | None, typer.Option(metavar="FILE", help="The client's key.")] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=86400, help="Seconds to connect, and again until an answer begins.")
    ] = 60.0,
) -> None:
    """Ask Docker's remote API one thing, over mutual TLS or the unix socket.

    The answer's body goes to standard output as it comes. An error of the API is exit code 1, with its message. What
    `attach` and `exec` say is had, and they take no input.
    """
    from dockertls.cli.calling import Call, Caller, carry_out
    from dockertls.cli.daemons import MaterialOptions

    session: Session = ctx.obj
    files = MaterialOptions(cert_path, ca, cert, key)
    variables = session.environment if session.host.runs else {}
    call = Call(method, path, data, data_file, header or (), query or (), endpoint, files, timeout)
    carry_out(call, Caller(session.console, variables, lambda: session))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(api)
