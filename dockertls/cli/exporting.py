"""Write a client's bundle, to carry it to another machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, cast

from dockertls.apply import apply
from dockertls.cli.console import PassphraseSource, working_directory
from dockertls.cli.installing import stored
from dockertls.cli.outputs import file_change
from dockertls.client.export import FORMATS, Format, bundle
from dockertls.client.files import ClientFiles
from dockertls.errors import Usage
from dockertls.escaping import visible
from dockertls.pki.elsewhere import handed_out
from dockertls.plan import File, Plan, shown
from dockertls.report.certificates import moment

if TYPE_CHECKING:
    from dockertls.cli.session import Session
    from dockertls.host import LocalHost


@dataclass(frozen=True)
class Export:
    """What is to be written, and where."""

    output: str
    form: str
    endpoint: str | None
    passphrase_file: str | None
    force: bool


def export_client(session: Session, name: str, wanted: Export) -> None:
    """Write the bundle with mode 0600 from its first byte.

    Raises:
        Usage: no such format, or both --json and the bundle to standard output.
        NotReady: there is no such client, or a file is in the way.
    """
    if wanted.form not in FORMATS:
        raise Usage(f"--format {visible(wanted.form)} is not known", f"take one of: {', '.join(FORMATS)}")
    if wanted.output == "-" and session.console.json:
        raise Usage("--json and --output - both take standard output", "write to a file, or leave --json out")
    client = stored(session, "client", name)
    files = ClientFiles(session.store.trust_pem("client"), *client.pair, client.path)
    content = bundle(
        files,
        format=cast("Format", wanted.form),
        name=client.name,
        endpoint_url=wanted.endpoint,
        passphrase=_passphrase(session, wanted),
        now=session.started,
    )
    host, handed = session.host, Plan("", (handed_out(session.store, client, moment(session.started)),))
    if wanted.output == "-":
        apply(handed, host, session.run())
        session.console.raw(content)
        return
    path = host.beside(Path(working_directory() / wanted.output))
    run = session.run()  # the file is the user's own, to carry away: no undo looks for it
    written = _plan(host, path, content, force=wanted.force)
    apply(written + handed, host, replace(run, append_only=(*run.append_only, path)))
    session.console.result(
        f"written: {shown(path)} (mode 0600; it holds a private key: delete it when it is carried over)"
    )
    session.console.document("export", {"path": shown(path), "format": wanted.form})


def _passphrase(session: Session, wanted: Export) -> bytes | None:
    if wanted.form != "pkcs12":
        return None
    if wanted.passphrase_file:
        return PassphraseSource(file=wanted.passphrase_file).read(session.console, new=True)
    return session.console.ask_secret(
        "new passphrase for the bundle", twice=True, instead="give it with --passphrase-file"
    )


def _plan(host: LocalHost, path: Path, content: bytes, *, force: bool) -> Plan:
    bundle_file = File(content, 0o600, host.self_owner, secret=True)
    change = file_change(host, path, bundle_file, "what a client needs", force=force)
    return Plan(f"export to {shown(path)}", (change,))
