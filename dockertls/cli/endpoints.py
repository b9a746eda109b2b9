"""Which endpoint is meant, and with which files: the command line, DOCKER_HOST, the docker context, this host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.cli.console import read_input, working_directory
from dockertls.client import contexts
from dockertls.daemon.control import listening
from dockertls.errors import NotReady, Refused, Usage
from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.plan import visible
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.cli.session import Session


@dataclass(frozen=True)
class MaterialOptions:
    """The client's files, as named on the command line."""

    cert_path: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Target:
    """An endpoint and the folder of the client files for it; None: the default one."""

    endpoint: Endpoint
    folder: str | None = None


def this_host(session: Session) -> Endpoint:
    """Where this host's daemon listens with TLS, as its configuration says; port 2376 if it says nothing."""
    port = listening(session.facts("daemon"))
    return Endpoint(*port) if port else Endpoint("127.0.0.1")


def targets(session: Session, named: Sequence[str]) -> tuple[Target, ...]:
    """What to check: what is named, else DOCKER_HOST, the current docker context, this host."""
    if named:
        return tuple(Target(Endpoint.parse(text)) for text in named)
    docker_host = session.environment.get("DOCKER_HOST")
    if docker_host and session.host.runs:
        return (Target(Endpoint.parse(docker_host)),)
    context = _context(session)
    return (context,) if context else (Target(this_host(session)),)


def _context(session: Session) -> Target | None:
    """The docker context in use, if it is one with a TCP endpoint."""
    if not session.host.runs:
        return None
    folder = session.docker_dir(None, session.user())
    facts = session.facts("users", trees=contexts.wanted(folder))
    name = session.environment.get("DOCKER_CONTEXT") or contexts.current(facts, folder)
    found = next((one for one in contexts.contexts(facts, folder) if one.name == name), None)
    if found is None or not found.host.startswith("tcp://"):
        return None
    return Target(Endpoint.parse(found.host), str(folder / "contexts/tls" / contexts.context_id(found.name) / "docker"))


def material(session: Session, target: Target, options: MaterialOptions) -> ClientMaterial:
    """The client's files for a target.

    Raises:
        Usage: --cert without --key, or the reverse.
        NotReady: if a file cannot be read; says where files are expected.
        Refused: if a file holds something else, or key and certificate are no pair.
    """
    if bool(options.cert) != bool(options.key):
        raise Usage("--cert and --key go together", "give both")
    folder = options.cert_path or target.folder or session.environment.get("DOCKER_CERT_PATH") or _default(session)
    ca, cert, key = (
        given or str(working_directory() / folder / name)
        for given, name in ((options.ca, "ca.pem"), (options.cert, "cert.pem"), (options.key, "key.pem"))
    )
    try:
        trusted = read_input(ca, "the CA file")
        own, secret = (read_input(one, "the client file") for one in (cert, key))
    except NotReady as error:
        raise NotReady(
            error.message, "name the client's files with --cert-path DIR, or --ca, --cert and --key"
        ) from None
    load_certificates(trusted, name=visible(ca))
    certificate = load_certificates(own, name=visible(cert))[0]
    if not matches(certificate, load_private(secret, name=visible(key))):
        raise Refused(f"{visible(key)} is not the key of {visible(cert)}", "give the two that belong together")
    return ClientMaterial(trusted, own, secret)


def _default(session: Session) -> str:
    """~/.docker, or where that lies in a file tree."""
    folder = session.docker_dir(None, session.user())
    return str(folder) if session.host.runs else session.host.root.rstrip("/") + str(folder)
