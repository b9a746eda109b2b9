"""`dockertls api`: one request to Docker's remote API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def api(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT, DELETE or HEAD.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /containers/json.")],
    *,
    query: Annotated[list[str] | None, typer.Option(metavar="K=V", help="Part of the query, not encoded.")] = None,
    header: Annotated[list[str] | None, typer.Option(metavar="H", help="'Name: value'.")] = None,
    data: Annotated[str | None, typer.Option(metavar="TEXT", help="What is sent; JSON if no header is given.")] = None,
    data_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="What is sent; a tar if no header is given; - is stdin.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="ENDPOINT", help="tcp://HOST:2376 or unix:///PATH; default as for check.")
    ] = None,
    cert_path: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of ca.pem, cert.pem, key.pem.")] = None,
    ca: Annotated[str | None, typer.Option(metavar="FILE", help="The authorities to trust.")] = None,
    cert: Annotated[str | None, typer.Option(metavar="FILE", help="The client's certificate.")] = None,
    key: Annotated[str | None, typer.Option(metavar="FILE", help="The client's key.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds to connect and shake hands.")] = 5.0,
    wait: Annotated[float, typer.Option(min=0, help="Seconds for the answer to begin; 0: for ever.")] = 300.0,
) -> None:
    """Ask Docker's remote API over mutual TLS, or over the unix socket.

    The body of the answer goes to standard output as it comes. Exit code 1 if the API says that it failed.
    """
    from dockertls.cli.calling import Question, ask
    from dockertls.cli.endpoints import MaterialOptions

    session: Session = ctx.obj
    question = Question(method, path, query or (), header or (), data, data_file)
    ask(session, question, endpoint, MaterialOptions(cert_path, ca, cert, key), timeout=timeout, wait=wait)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(api)
