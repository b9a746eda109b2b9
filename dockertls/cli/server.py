"""`dockertls server`: certificates for dockerd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import (
    ChangeOptions,
    IssuedName,
    KeyOptions,
    KindOptions,
    LifeOptions,
    MoreNames,
    OutputOptions,
    PassphraseOptions,
    RequestFile,
    RequestName,
    RestartOptions,
    SignedFile,
    takes,
)

if TYPE_CHECKING:
    from dockertls.cli.session import Session

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Certificates for the daemon.")


@app.command()
@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions)
def issue(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Host names or addresses; a certificate each.")],
    *,
    san: MoreNames = None,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Issue a server certificate; it serves as a server's and as nothing else."""
    from dockertls.cli.issuing import issue_all, server_requests
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    signer = Signer(session, keys, passphrase, change)
    issue_all(session, signer, server_requests(names, san or ()), change)


@app.command()
@takes(kind=KindOptions, output=OutputOptions, change=ChangeOptions)
def csr(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A host name or address.")],
    *,
    san: MoreNames = None,
    kind: KindOptions,
    output: OutputOptions,
    change: ChangeOptions,
) -> None:
    """Make a key, and a request for an authority whose key is elsewhere."""
    from dockertls.cli.issuing import leaf_request
    from dockertls.cli.outputs import Output
    from dockertls.cli.requesting import request_certificate

    session: Session = ctx.obj
    wanted = leaf_request("server", [name, *(san or ())])
    request_certificate(session, wanted, kind.key, Output(session, output), change)


@app.command()
@takes(change=ChangeOptions)
def accept(
    ctx: typer.Context,
    name: RequestName,
    file: SignedFile,
    *,
    change: ChangeOptions,
) -> None:
    """Take the certificate that was signed for a request, if it is what was asked for."""
    from dockertls.cli.issuing import leaf_request
    from dockertls.cli.requesting import accept_certificate

    accept_certificate(ctx.obj, leaf_request("server", [name]), file, change)


@app.command()
@takes(life=LifeOptions, output=OutputOptions, change=ChangeOptions, passphrase=PassphraseOptions)
def sign(
    ctx: typer.Context,
    csr: RequestFile,
    *,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name, with --san for more, instead of the request's.")
    ] = None,
    san: Annotated[list[str] | None, typer.Option(metavar="NAME", help="A name or address, as --name.")] = None,
    life: LifeOptions,
    output: OutputOptions,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Sign a server's request: its key never left its host; only its key and its names are taken."""
    from dockertls.cli.countersigning import Signing, sign_request
    from dockertls.cli.outputs import Output
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    signer = Signer(session, KeyOptions(days=life.days), passphrase, change)
    wanted = Signing("server", csr, (*([] if name is None else [name]), *(san or ())))
    sign_request(session, signer, wanted, Output(session, output), change)


@app.command()
@takes(change=ChangeOptions, restarts=RestartOptions)
def install(
    ctx: typer.Context,
    name: IssuedName,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace certificates of another authority.")] = False,
    change: ChangeOptions,
    restarts: RestartOptions,
) -> None:
    """Put a server's certificate where dockerd reads it, restart dockerd, and prove that it is served."""
    from dockertls.cli.decided import Restart
    from dockertls.cli.installing import install_server

    install_server(ctx.obj, name, change, Restart.parse(restarts.restart), replace_foreign=replace)


@app.command()
@takes(change=ChangeOptions)
def confirm(
    ctx: typer.Context,
    name: IssuedName,
    *,
    change: ChangeOptions,
) -> None:
    """Say that a daemon on another machine has the files in use now; a rotation waits for it."""
    from dockertls.cli.confirming import confirm as carry_out

    carry_out(ctx.obj, "server", name, change)


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="server")
