"""`dockertls check`: is the live endpoint secure, and do my certificates work?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import a_number

if TYPE_CHECKING:
    from dockertls.cli.session import Session


def check(
    ctx: typer.Context,
    endpoints: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENDPOINT", help="tcp://HOST:2376; default: DOCKER_HOST, context, this host."),
    ] = None,
    *,
    cert_path: Annotated[str | None, typer.Option(metavar="DIR", help="Folder of ca.pem, cert.pem, key.pem.")] = None,
    ca: Annotated[str | None, typer.Option(metavar="FILE", help="The authorities to trust.")] = None,
    cert: Annotated[str | None, typer.Option(metavar="FILE", help="The client's certificate.")] = None,
    key: Annotated[str | None, typer.Option(metavar="FILE", help="The client's key.")] = None,
    warn_days: Annotated[int, typer.Option(min=0, help="Warn of a certificate that ends within this.")] = 30,
    fail_days: Annotated[int, typer.Option(min=0, help="Fail for one that ends within this.")] = 7,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=600, callback=a_number, help="Seconds for each endpoint.")
    ] = 5.0,
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Endpoints, one a line; - is standard input.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=1000, help="Endpoints at the same time.")] = 250,
    passive: Annotated[
        bool, typer.Option("--passive", help="Only the handshakes that the client itself would make.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, on a terminal, until Ctrl-C.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="What could not be told is a failure.")] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, nagios or prometheus.")
    ] = "table",
    explain: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Explain an error message instead; - is stdin.")
    ] = None,
) -> None:
    """Tell whether a live endpoint is secure.

    Looks at it with TLS 1.2 and 1.3, as its client, as nobody and as strangers, and without TLS. Nothing is changed;
    GET /_ping and GET /version are all that is asked.
    """
    from dockertls.cli.checking import Terms, Wanted, check_all, explain_text, watch_all
    from dockertls.cli.daemons import MaterialOptions

    session: Session = ctx.obj
    if explain is not None:
        explain_text(session, explain)
        return
    terms = Terms(warn_days, fail_days, timeout, strict, passive, jobs, form)
    wanted = Wanted(endpoints or (), source, MaterialOptions(cert_path, ca, cert, key))
    (watch_all if watch else check_all)(session, wanted, terms)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(check)
