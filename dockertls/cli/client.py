"""`dockertls client`: certificates for who may use the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import (
    ChangeOptions,
    IssuedName,
    KeyOptions,
    KindOptions,
    LifeOptions,
    OutputOptions,
    PassphraseOptions,
    RequestFile,
    RequestName,
    SignedFile,
    takes,
)

if TYPE_CHECKING:
    from dockertls.cli.session import Session

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Certificates for people and programs.")


@app.command()
@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions)
def issue(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="People or programs; a certificate each.")],
    *,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Issue a client certificate; whoever holds it and its key is root on the host."""
    from dockertls.cli.issuing import client_requests, issue_all
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    signer = Signer(session, keys, passphrase, change)
    issue_all(session, signer, client_requests(names), change)


@app.command()
@takes(kind=KindOptions, output=OutputOptions, change=ChangeOptions)
def csr(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A person or program.")],
    *,
    kind: KindOptions,
    output: OutputOptions,
    change: ChangeOptions,
) -> None:
    """Make a key, and a request for an authority whose key is elsewhere."""
    from dockertls.cli.issuing import leaf_request
    from dockertls.cli.outputs import Output
    from dockertls.cli.requesting import request_certificate

    session: Session = ctx.obj
    request_certificate(session, leaf_request("client", [name]), kind.key, Output(session, output), change)


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

    accept_certificate(ctx.obj, leaf_request("client", [name]), file, change)


@app.command()
@takes(life=LifeOptions, output=OutputOptions, change=ChangeOptions, passphrase=PassphraseOptions)
def sign(
    ctx: typer.Context,
    csr: RequestFile,
    *,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who it is, instead of what the request says.")
    ] = None,
    life: LifeOptions,
    output: OutputOptions,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Sign a client's request: its key never left its host; only its key and its name are taken."""
    from dockertls.cli.countersigning import Signing, sign_request
    from dockertls.cli.outputs import Output
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    signer = Signer(session, KeyOptions(days=life.days), passphrase, change)
    wanted = Signing("client", csr, () if name is None else (name,))
    sign_request(session, signer, wanted, Output(session, output), change)


@app.command()
@takes(change=ChangeOptions)
def install(
    ctx: typer.Context,
    name: IssuedName,
    *,
    docker_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where to put the files; default: ~/.docker.")
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="CONTEXT", help="Make it a docker context instead.")] = None,
    endpoint: Annotated[str | None, typer.Option(metavar="URL", help="The context's daemon: tcp://HOST:2376.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace files of another authority.")] = False,
    change: ChangeOptions,
) -> None:
    """Put a client's files in ~/.docker, or make a docker context of them."""
    from dockertls.cli.installing import ClientPlace, install_client

    place = ClientPlace(docker_dir, context, endpoint, replace)
    install_client(ctx.obj, name, place, change)


@app.command()
def export(
    ctx: typer.Context,
    name: IssuedName,
    *,
    output: Annotated[
        str, typer.Option(metavar="FILE", help="Where to write it, with mode 0600; - is standard output.")
    ],
    form: Annotated[str, typer.Option("--format", help="tar, pkcs12 or pem.")] = "tar",
    endpoint: Annotated[str | None, typer.Option(metavar="URL", help="The daemon, for the bundle's README.")] = None,
    passphrase_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="For pkcs12: its first line is the bundle's passphrase.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write what to carry to another machine: certificate, key and authority in one file."""
    from dockertls.cli.exporting import Export, export_client

    export_client(ctx.obj, name, Export(output, form, endpoint, passphrase_file, force))


@app.command()
@takes(change=ChangeOptions)
def confirm(
    ctx: typer.Context,
    name: IssuedName,
    *,
    change: ChangeOptions,
) -> None:
    """Say that the copy on another machine has the files in use now; a rotation waits for it."""
    from dockertls.cli.confirming import confirm as carry_out

    carry_out(ctx.obj, "client", name, change)


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def revoke(
    ctx: typer.Context,
    which: Annotated[
        str, typer.Argument(metavar="NAME|SERIAL", help="A client, or the serial number of one certificate, in hex.")
    ],
    *,
    reason: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why, as RFC 5280 calls it: keyCompromise, superseded, ...")
    ] = None,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Revoke certificates: never installed again, gone from this host, on the authority's list.

    dockerd reads no such list: it lets them in until the authority is rotated, or until they end.
    """
    from dockertls.cli.options import KeyOptions
    from dockertls.cli.revoking import parse_wish, revoke
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    revoke(session, Signer(session, KeyOptions(), passphrase, change), parse_wish(which, reason), change)


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="client")
