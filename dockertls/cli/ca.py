"""`dockertls ca`: the authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The authority that signs the certificates.")


@app.command()
@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions)
def init(
    ctx: typer.Context,
    *,
    name: Annotated[
        str | None, typer.Option(metavar="CN", help="Its common name; default: one like no other's.")
    ] = None,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Make an authority; its key is encrypted unless --no-passphrase."""
    from dockertls.cli.issuing import make_authority
    from dockertls.cli.signing import Signer

    make_authority(ctx.obj, Signer(ctx.obj, keys, passphrase, change), name, change)


@app.command()
def show(
    ctx: typer.Context,
    *,
    pem: Annotated[bool, typer.Option("--pem", help="The certificate in PEM.")] = False,
) -> None:
    """Show the authority's certificate."""
    from dockertls.errors import NotReady
    from dockertls.report.certificates import details, generation_json

    session: Session = ctx.obj
    current = session.store.current("ca")
    if current is None:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    if pem and not session.console.json:
        session.console.raw(current.cert_pem)
        return
    session.console.table(details(current.certificate, session.started))
    session.console.document("ca", {**generation_json(current, session.started), "pem": current.cert_pem.decode()})


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="ca")
