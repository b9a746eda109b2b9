"""Which endpoint is meant, and with which files: the command line, DOCKER_HOST, the docker context, this host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dockertls.cli.console import mode_of, read_input, working_directory
from dockertls.client import contexts, copies
from dockertls.client.judging import Held, Kept
from dockertls.daemon.control import listening
from dockertls.errors import Fault, NotReady, Refused, Usage, attempt, refuse
from dockertls.pki.keys import load_certificates, load_private, matches
from dockertls.plan import visible
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.cli.session import Session
    from dockertls.client.copies import ClientCopy


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
    """An endpoint and the folder of the client files for it; None: the default one."""

    endpoint: Endpoint
    folder: str | None = None


def this_host(session: Session) -> Endpoint:
    """Where this host's daemon listens with TLS, as its configuration says; port 2376 if it says nothing."""
    port = listening(session.facts("daemon"))
    return Endpoint(*port) if port else Endpoint("127.0.0.1")


def targets(session: Session, named: Sequence[str], more: Sequence[Endpoint] = ()) -> tuple[Target, ...]:
    """What to check: what is named, else DOCKER_HOST, the current docker context, this host.

    Raises:
        Refused: with every fault of what is named.
    """
    if named or more:
        return tuple(map(Target, dict.fromkeys((*_parsed(named), *more))))
    docker_host = session.environment.get("DOCKER_HOST")
    if docker_host and session.host.runs:
        return (Target(Endpoint.parse(docker_host)),)
    context = _context(session)
    return (context,) if context else (Target(this_host(session)),)


def _parsed(named: Sequence[str]) -> Iterator[Endpoint]:
    """Raises Refused with every fault."""
    read = [(text, *attempt(partial(Endpoint.parse, text))) for text in named]
    several = len(named) > 1
    faults = [
        Fault(f"{visible(text)}: {fault.message}" if several else fault.message, fault.hint)
        for text, _, found in read
        for fault in found
    ]
    refuse("the endpoints" if several else f"endpoint {visible(''.join(named))!r}", faults)
    yield from (endpoint for _, endpoint, _ in read if endpoint)


def user_contexts(session: Session) -> tuple[tuple[contexts.Context, ...], dict[str, ClientCopy]]:
    """Every docker context of the user, and the files of each, by its name. Raises NotReady, Refused."""
    folder = session.docker_dir(None, session.user())
    facts = session.facts("users", trees=copies.wanted([folder]), bears=True)
    held = {one.context: one for one in copies.client_copies(facts, [folder]) if one.context}
    return contexts.contexts(facts, folder), held


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


def listed(path: str) -> tuple[Endpoint, ...]:
    """The endpoints of a file, one a line; blank lines and what follows a # are passed over.

    Raises:
        Refused: with every line that is no endpoint, by its number; or if there is none.
    """
    text = read_input(path, "the list of endpoints").decode(errors="replace")
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    read = [(number, attempt(partial(Endpoint.parse, line))) for number, line in lines if line]
    faults = [Fault(f"line {number}: {one.message}", one.hint) for number, (_, found) in read for one in found]
    refuse(f"the list of endpoints {visible(path)}", faults)
    found = tuple(dict.fromkeys(endpoint for _, (endpoint, _) in read if endpoint))
    if not found:
        raise Refused(f"{visible(path)} names no endpoint", "write one a line, such as tcp://web1:2376")
    return found


def kept(session: Session, target: Target, options: MaterialOptions) -> Kept:
    """The client's files for a target as they are; what is wrong with one is a finding of its own.

    Raises:
        Usage: --cert without --key, or the reverse.
        NotReady: if a file that was named cannot be read, or there is none at all.
    """
    found = Kept(*map(_held, _paths(session, target, options)))
    given = (options.ca, options.cert, options.key)
    wrong = [one for one, named in zip(found.files, given, strict=True) if named and one.content is None]
    missing = wrong or ([found.ca] if all(one.content is None for one in found.files) else [])
    if missing:
        raise NotReady(f"the client file {missing[0].path} cannot be read: {missing[0].fault}", NAME_THEM)
    return found


def _paths(session: Session, target: Target, options: MaterialOptions) -> Iterator[str]:
    """Where ca.pem, cert.pem and key.pem lie. Raises Usage: --cert without --key, or the reverse."""
    if bool(options.cert) != bool(options.key):
        raise Usage("--cert and --key go together", "give both")
    folder = options.cert_path or target.folder or session.environment.get("DOCKER_CERT_PATH") or _default(session)
    for given, name in ((options.ca, "ca.pem"), (options.cert, "cert.pem"), (options.key, "key.pem")):
        yield given or str(working_directory() / folder / name)


def _held(path: str) -> Held:
    try:
        return Held(visible(path), read_input(path, "the client file"), mode_of(path))
    except (NotReady, Refused) as error:
        return Held(visible(path), fault=error.message.rpartition(": ")[2])


def material(session: Session, target: Target, options: MaterialOptions) -> ClientMaterial:
    """The client's files for a target.

    Raises:
        Usage: --cert without --key, or the reverse.
        NotReady: if a file cannot be read; says where files are expected.
        Refused: if a file holds something else, or key and certificate are no pair.
    """
    ca, cert, key = _paths(session, target, options)
    try:
        trusted = read_input(ca, "the CA file")
        own, secret = (read_input(one, "the client file") for one in (cert, key))
    except NotReady as error:
        raise NotReady(error.message, NAME_THEM) from None
    load_certificates(trusted, name=visible(ca))
    certificate = load_certificates(own, name=visible(cert))[0]
    if not matches(certificate, load_private(secret, name=visible(key))):
        raise Refused(f"{visible(key)} is not the key of {visible(cert)}", "give the two that belong together")
    return ClientMaterial(trusted, own, secret)


def _default(session: Session) -> str:
    """~/.docker, or where that lies in a file tree."""
    folder = session.docker_dir(None, session.user())
    return str(folder) if session.host.runs else session.host.root.rstrip("/") + str(folder)
