"""Bootstrap a host that does not exist, start a daemon on what was written, and check it as any other."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import typer

from dockertls.apply import apply
from dockertls.cli.console import is_root
from dockertls.cli.live import judge
from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
from dockertls.cli.preparing import Wish, prepare
from dockertls.cli.signing import Signer
from dockertls.daemon.flags import render
from dockertls.daemon.hostnames import ALWAYS, own_names
from dockertls.daemon.model import packaged_files
from dockertls.daemon.reading import MATERIAL, read
from dockertls.daemon.wanted import Style
from dockertls.documents.passwd import User
from dockertls.errors import NotReady
from dockertls.facts import STORE
from dockertls.findings import Finding, NotApplicable
from dockertls.host import LocalHost
from dockertls.pki.keys import load_certificates
from dockertls.plan import Change, Directory, File, Plan
from dockertls.platforms import BY_NAME
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.standin import stand_in
from dockertls.probe.throwaway import dockerd, folder, free_port
from dockertls.report import findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path as DiskPath

    from dockertls.cli.preparing import Prepared
    from dockertls.cli.session import Session
    from dockertls.documents.json_file import Json
    from dockertls.probe.endpoint import Endpoint

DOCKERD = "Docker version"  # how dockerd tells who it is
ROOT_USER = User("root", 0, 0, Path("/root"))


def rehearse_all(session: Session, names: tuple[str, ...], key: str) -> None:
    """Bootstrap in a throwaway tree, and judge the daemon that runs by it.

    Raises:
        typer.Exit: with the exit code of the check.
    """
    names = names or own_names(session.facts("names")).names[: -len(ALWAYS)] or ALWAYS[:1]
    with folder() as place:
        host = LocalHost(str(place / "host"))
        (place / "host").mkdir()
        stage = replace(session, host=host, store_path=STORE, environment={})
        apply(_empty_host(host), host, stage.run())
        prepared = _bootstrap(stage, names, key)
        with _daemon(session, stage, prepared, place) as (who, endpoint):
            found = _judged(endpoint, prepared, session.started)
    found = found if who.startswith(DOCKERD) else tuple(map(_without_names, found))
    console = session.console
    console.result(f"rehearsed with {who}, in a throwaway folder; nothing is left of it")
    console.table(findings.table(found, verbose=console.verbose))
    for line in findings.remedies(found):
        console.tell(f"  {line}")
    console.result(findings.summary(found))
    console.say("next: sudo dockertls bootstrap, which does the same on this host; --dry-run shows what would change")
    code = findings.exit_code(found)
    document = {"with": who, "findings": [findings.as_json(one) for one in found]}
    console.document("rehearse", document, ok=code == 0)
    raise typer.Exit(code)


def _judged(endpoint: Endpoint, prepared: Prepared, now: datetime) -> tuple[Finding, ...]:
    cert, key = prepared.server.pair
    server = ClientMaterial(prepared.material.ca, cert, key)
    return judge(endpoint, prepared.material, now, current=load_certificates(cert)[0], server=server)


def _without_names(finding: Finding) -> Finding:
    """Python has no way to let a server name its authorities, as dockerd does."""
    if finding.id != "accepted-authorities":
        return finding
    return replace(finding, verdict=NotApplicable("the stand-in cannot name them; dockerd does"))


def _empty_host(host: LocalHost) -> Plan:
    """A host on which a docker.io is installed and nothing else."""
    owner, files = host.self_owner, packaged_files(BY_NAME["debian"])
    parents = {parent for path in files for parent in path.parents if parent.name} | {Path("/etc"), Path("/root")}
    made = [Change(path, None, Directory(0o755, owner), "rehearsal") for path in sorted(parents)]
    made += [Change(path, None, File(text.encode(), 0o644, owner), "rehearsal") for path, text in files.items()]
    return Plan("a host to rehearse on", tuple(made))


def _bootstrap(stage: Session, names: tuple[str, ...], key: str) -> Prepared:
    change, keys, passphrase = ChangeOptions(yes=True), KeyOptions(key), PassphraseOptions(no_passphrase=True)
    wish = Wish(names, "client", free_port(), ("127.0.0.1",), Style.AUTO, replace=False)
    signer = Signer(stage, keys, passphrase, change)
    prepared = prepare(stage, wish, signer, ROOT_USER, Path("/root/.docker"))
    apply(prepared.plan, stage.host, stage.run())
    return prepared


@contextmanager
def _daemon(session: Session, stage: Session, prepared: Prepared, place: DiskPath) -> Iterator[tuple[str, Endpoint]]:
    """A real dockerd where one is installed and may be run, else the stand-in."""
    program = session.facts("daemon").program("dockerd")
    reason = "none is installed" if program is None else "it needs root"
    if program is not None and is_root():
        try:
            with dockerd(type(place)(program), _words(stage, place), place, prepared.endpoint.port) as version:
                yield version, prepared.endpoint
        except NotReady as error:
            reason = f"{error.message}: {error.hint}"
        else:
            return
    server = prepared.server
    with stand_in(prepared.material.ca, *server.pair) as endpoint:
        yield f"a stand-in for dockerd ({reason})", endpoint


def _words(stage: Session, place: DiskPath) -> tuple[str, ...]:
    """What was written for dockerd, read back as it would read it, with the paths of the tree."""
    reading = read(stage.facts("daemon"))
    said, hosts = reading.both(), [host for host, _ in reading.opened()]
    material = {key: f"{place}/host{said[key].value}" for key in MATERIAL}
    options: dict[str, Json] = {"hosts": list(hosts), "tlsverify": said["tlsverify"].value, **material}
    return tuple(word for key, value in options.items() for word in render(key, value))
