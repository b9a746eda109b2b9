"""`dockertls ca`: the authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import (
    ChangeOptions,
    KeyOptions,
    NewPassphraseOptions,
    PassphraseOptions,
    RestartOptions,
    takes,
)

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
    permit: Annotated[
        list[str] | None,
        typer.Option(
            "--permit",
            metavar="NAME|CIDR",
            help="It may issue for this host and all below it, or this network, alone; may be repeated.",
        ),
    ] = None,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Make an authority; its key is encrypted unless --no-passphrase."""
    from dockertls.cli.issuing import make_authority
    from dockertls.cli.signing import Signer

    make_authority(ctx.obj, Signer(ctx.obj, keys, passphrase, change), name, permit or (), change)


@app.command(name="import")
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def import_(
    ctx: typer.Context,
    cert: Annotated[
        str | None,
        typer.Argument(
            metavar="CERT", help="Its certificate, and those above it; or what `ca export` wrote. - is standard input."
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Its key; without it, this store makes requests.")
    ] = None,
    *,
    chain: Annotated[
        str | None, typer.Option(metavar="FILE", help="The certificates above it, up to the root, in any order.")
    ] = None,
    docker_machine: Annotated[
        str | None, typer.Option(metavar="DIR", help="What a docker-machine left: ~/.docker/machine, as a rule.")
    ] = None,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Take over an authority that was made elsewhere, or bring back one that was exported."""
    from dockertls.cli.importing import Files, KeyCare, import_authority, import_docker_machine
    from dockertls.cli.safekeeping import is_export, restore_authority
    from dockertls.errors import Usage

    care = KeyCare(ctx.obj, passphrase, change)
    if docker_machine is not None and not (cert or key or chain):
        import_docker_machine(ctx.obj, docker_machine, care, change)
    elif cert is not None and docker_machine is None and not (key or chain) and is_export(cert):
        restore_authority(ctx.obj, cert, change)
    elif cert is not None and docker_machine is None:
        import_authority(ctx.obj, Files(cert, key, chain), care, change)
    else:
        raise Usage("either CERT or --docker-machine is needed", "dockertls ca import CERT [KEY] [--chain FILE]")


@app.command()
@takes(change=ChangeOptions, keys=KeyOptions, passphrase=PassphraseOptions, restarts=RestartOptions)
def rotate(
    ctx: typer.Context,
    action: Annotated[str | None, typer.Argument(metavar="[start|next|status|abort]", help="Default: status.")] = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="All phases at once, if all clients are here.")] = False,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Drop the old authority at once; says who loses access.")
    ] = False,
    lock_out: Annotated[
        list[str] | None, typer.Option("--lock-out", metavar="NAME", help="Do not wait for this one; may be repeated.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="CN", help="The new authority's common name; default: one like no other's.")
    ] = None,
    change: ChangeOptions,
    keys: KeyOptions,
    passphrase: PassphraseOptions,
    restarts: RestartOptions,
) -> None:
    """Replace the authority without refusing anybody: trust both, issue anew, drop the old one.

    Each phase is proven by a live handshake, and taken back if that fails. A phase that would lock somebody out is
    refused with his name.
    """
    from dockertls.cli.decided import Restart
    from dockertls.cli.rotating import Rotate, Rotator
    from dockertls.cli.rotation import rotate as carry_out
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    rotator = Rotator(session, Signer(session, keys, passphrase, change), change, Restart.parse(restarts.restart))
    carry_out(session, rotator, action, Rotate(name, tuple(lock_out or ()), compromised), now=now)


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions, new=NewPassphraseOptions)
def passphrase(
    ctx: typer.Context, *, change: ChangeOptions, passphrase: PassphraseOptions, new: NewPassphraseOptions
) -> None:
    """Change the passphrase of the authority's key; --no-passphrase does without one."""
    from dockertls.cli.passphrases import Passphrases, change_passphrase

    change_passphrase(ctx.obj, Passphrases(ctx.obj, passphrase, new), change)


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def export(
    ctx: typer.Context,
    *,
    output: Annotated[str, typer.Option("--output", metavar="FILE", help="Where to write it; - is standard output.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Write the whole authority into one file, for a safe or another machine.

    Its key goes as it is if it is encrypted; else it is encrypted on the way, unless --no-passphrase.
    """
    from dockertls.cli.safekeeping import Export, export_authority

    export_authority(ctx.obj, Export(output, force), passphrase, change)


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def detach(
    ctx: typer.Context,
    *,
    export: Annotated[str, typer.Option("--export", metavar="FILE", help="What `dockertls ca export` wrote.")],
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Take the authority's key off this host, once it was found in an export; undo does not bring it back."""
    from dockertls.cli.safekeeping import detach_authority

    detach_authority(ctx.obj, export, passphrase, change)


@app.command()
def show(
    ctx: typer.Context,
    *,
    pem: Annotated[bool, typer.Option("--pem", help="The certificate in PEM.")] = False,
) -> None:
    """Show the authority's certificate."""
    from dockertls.errors import NotReady
    from dockertls.pki.store import KEY_ELSEWHERE
    from dockertls.report.certificates import details, generation_json

    session: Session = ctx.obj
    current = session.store.current("ca")
    if current is None:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    if pem and not session.console.json:
        session.console.raw(current.cert_pem)
        return
    session.console.table(details(current.certificate, session.started))
    if current.key_pem is None:
        session.console.say(f"its key is not here: {KEY_ELSEWHERE}")
    told = {"pem": current.cert_pem.decode(), "key_here": current.key_pem is not None}
    session.console.document("ca", generation_json(current, session.started) | told)


@app.command()
@takes(change=ChangeOptions, passphrase=PassphraseOptions)
def crl(
    ctx: typer.Context,
    *,
    pem: Annotated[bool, typer.Option("--pem", help="The list in PEM.")] = False,
    change: ChangeOptions,
    passphrase: PassphraseOptions,
) -> None:
    """Show the list of what is revoked; it is signed again where its end is near."""
    from dockertls.cli.crls import renew_lists
    from dockertls.cli.options import KeyOptions
    from dockertls.cli.signing import Signer

    session: Session = ctx.obj
    renew_lists(session, Signer(session, KeyOptions(), passphrase, change), change, pem=pem)


def register(program: typer.Typer) -> None:
    """Add the commands to the program."""
    program.add_typer(app, name="ca")
