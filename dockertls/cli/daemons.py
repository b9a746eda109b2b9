"""Which daemon is meant, and with which files: the command line, DOCKER_HOST, the docker context, this host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockertls.cli.console import absolute
from dockertls.cli.files import read_input
from dockertls.errors import Fault, NotReady, Refused, Usage
from dockertls.escaping import visible
from dockertls.probe.endpoint import UNIX, Endpoint, UnixSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.cli.session import Session
    from dockertls.client.contexts import Context
    from dockertls.probe.observation import ClientMaterial

NAME_THEM = "name the client's files with --cert-path DIR, or --ca, --cert and --key"


@dataclass(frozen=True)
class MaterialOptions:
    """The client's files, as named on the command line."""

    cert_path: str | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Target:
    """One daemon.

    Attributes:
        endpoint: where it listens.
        folder: of the client files for it; None: the default one.
        lack: why that folder does not hold what it takes; None: it should.
    """

    endpoint: Endpoint
    folder: str | None = None
    lack: Fault | None = None

    def unread(self, path: str, reason: str) -> NotReady:
        """The error for one of its files that cannot be read, and why."""
        if self.lack and self.folder and path.startswith(f"{self.folder}/"):
            return NotReady(self.lack.message, self.lack.hint)
        return NotReady(reason, NAME_THEM)


@dataclass(frozen=True)
class ClientFiles:
    """The client's files as they were read, as of `ClientMaterial`; `names` are theirs: CA, certificate, key."""

    names: tuple[str, str, str]
    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)


def daemon(session: Callable[[], Session], variables: Mapping[str, str], named: str | None) -> Target | UnixSocket:
    """The one daemon to ask: what is named, else DOCKER_HOST, the current docker context, this host.

    Args:
        session: what it takes to look at this host, if that is needed.
        variables: the environment, as far as it counts.
        named: on the command line.

    Raises:
        Refused: if it is neither tcp:// nor unix://, or the context in use cannot be used: another daemon than the one
            that is meant must not be asked.
        NotReady: if nothing is named, and the host is a file tree.
    """
    text = variables.get("DOCKER_HOST") or None if named is None else named
    if text is not None:  # what is named by an empty variable is no other daemon than the one that is meant
        return UnixSocket.parse(text) if text.strip().startswith(UNIX) else Target(Endpoint.parse(text))
    here = session()
    if not here.host.runs:
        raise NotReady("a file tree has no daemon to ask", "name one with --endpoint tcp://HOST:2376")
    found = _in_use(here)
    if found is None:
        listener = listener_of(here)
        return Target(listener) if listener else UnixSocket.parse(UNIX)
    return UnixSocket.parse(found.host) if found.host.startswith(UNIX) else _of_context(here, found)


def listener_of(session: Session) -> Endpoint | None:
    """Where this host's daemon listens with TLS, as its configuration says; None: it says nothing."""
    from dockertls.daemon.control import listening

    port = listening(session.facts("daemon"))
    return Endpoint(*port) if port else None


def context_in_use(session: Session) -> Target | None:
    """The endpoint of the docker context in use; None: that is the default one, or one of a unix socket.

    Raises:
        Refused: if it cannot be used.
    """
    found = _in_use(session) if session.host.runs else None
    return None if found is None or found.host.startswith(UNIX) else _of_context(session, found)


def _in_use(session: Session) -> Context | None:
    """The docker context in use, with its fault if it is not there; None: it is the default one."""
    from dockertls.client import contexts

    folder = session.docker_dir(None, session.user())
    facts = session.facts("users", trees=contexts.wanted(folder))
    name = session.environment.get("DOCKER_CONTEXT") or contexts.current(facts, folder) or contexts.DEFAULT
    if name == contexts.DEFAULT:
        return None
    known = (one for one in contexts.contexts(facts, folder) if one.name == name)
    return next(known, contexts.Context(name, fault="there is none of that name"))


def _of_context(session: Session, found: Context) -> Target:
    """Raises Refused if it has no TCP endpoint."""
    if not found.host.startswith("tcp://"):
        why = found.fault or f"its endpoint is {found.host or 'none'}"
        message = f"the docker context {visible(found.name)} cannot be used: {visible(why)}"
        raise Refused(message, "name the daemon: tcp://HOST:2376")
    from dockertls.client import contexts

    folder = session.docker_dir(None, session.user())
    tls = contexts.tls_folder(folder, found.name)
    return Target(Endpoint.parse(found.host), str(tls), contexts.lack(found))


def paths(
    session: Callable[[], Session], variables: Mapping[str, str], folder: str | None, options: MaterialOptions
) -> tuple[str, str, str]:
    """Where ca.pem, cert.pem and key.pem lie; arguments as of `daemon`, and the folder for the target.

    Raises:
        Usage: --cert without --key, or the reverse.
    """
    if bool(options.cert) != bool(options.key):
        raise Usage("--cert and --key go together", "give both")
    place = options.cert_path or folder or variables.get("DOCKER_CERT_PATH") or None  # empty is unset, as for docker
    if place is None and not (options.ca and options.cert):
        place = _default(session())
    ca, cert, key = (
        given or absolute(place or "", name)
        for given, name in ((options.ca, "ca.pem"), (options.cert, "cert.pem"), (options.key, "key.pem"))
    )
    return ca, cert, key


def _default(session: Session) -> str:
    """~/.docker, or where that lies in a file tree."""
    folder = session.docker_dir(None, session.user())
    return str(folder) if session.host.runs else session.host.root.rstrip("/") + str(folder)


def read_files(names: tuple[str, str, str], target: Target) -> ClientFiles:
    """The client's files as they are, for a target.

    Raises:
        NotReady: if one cannot be read; says where files are expected.
    """
    ca, cert, key = names
    trusted = _read(ca, "the CA file", target)
    own, secret = (_read(one, "the client file", target) for one in (cert, key))
    return ClientFiles(names, trusted, own, secret)


def _read(name: str, what: str, target: Target) -> bytes:
    try:
        return read_input(name, what)
    except NotReady as error:
        raise target.unread(name, error.message) from None


def judged(files: ClientFiles) -> ClientMaterial:
    """The same files, once it is known that they are what they should be.

    Raises:
        Refused: if a file holds something else, or key and certificate are no pair.
    """
    from dockertls.pki.keys import load_certificates, load_private, matches
    from dockertls.probe.observation import ClientMaterial

    ca, cert, key = map(visible, files.names)
    load_certificates(files.ca, name=ca)
    certificate = load_certificates(files.cert, name=cert)[0]
    if not matches(certificate, load_private(files.key, name=key)):
        raise Refused(f"{key} is not the key of {cert}", "give the two that belong together")
    return ClientMaterial(files.ca, files.cert, files.key)
