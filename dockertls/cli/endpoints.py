"""Which endpoints are to be checked, and with which files: as they are named, or as `daemons` finds them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dockertls.cli.daemons import Target, context_in_use, listener_of, paths
from dockertls.cli.files import mode_of, read_input
from dockertls.client import contexts, copies
from dockertls.client.judging import Held, Kept
from dockertls.errors import Fault, NotReady, Refused, attempt, refuse
from dockertls.escaping import visible
from dockertls.probe.endpoint import Endpoint, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.cli.daemons import MaterialOptions
    from dockertls.cli.session import Session
    from dockertls.client.copies import ClientCopy

MOST_FAULTS = 20
"""What is told of a list: of one that is none, most lines are no endpoints."""
LONGEST_FAULT = 200
"""Characters that one of them has."""


def this_host(session: Session) -> Endpoint:
    """Where this host's daemon listens with TLS, as its configuration says; port 2376 if it says nothing."""
    return listener_of(session) or Endpoint("127.0.0.1")


def targets(session: Session, named: Sequence[str], more: Sequence[Endpoint] = ()) -> tuple[Target, ...]:
    """What to check: what is named, else DOCKER_HOST, the current docker context, this host.

    Raises:
        Refused: with every fault of what is named; or if the context in use cannot be used.
    """
    if named or more:
        return tuple(map(Target, dict.fromkeys((*_parsed(named), *more))))
    docker_host = session.environment.get("DOCKER_HOST")
    if docker_host and session.host.runs:
        return (Target(Endpoint.parse(docker_host)),)
    return (context_in_use(session) or Target(this_host(session)),)


def _parsed(named: Sequence[str]) -> Iterator[Endpoint]:
    """Raises Refused with every fault."""
    read = [(text, *attempt(partial(Endpoint.parse, text))) for text in named]
    several = len(named) > 1
    faults = [
        Fault(f"{printable(text)}: {fault.message}" if several else fault.message, fault.hint)
        for text, _, found in read
        for fault in found
    ]
    refuse("the endpoints" if several else f"endpoint {printable(''.join(named))!r}", faults)
    yield from (endpoint for _, endpoint, _ in read if endpoint)


def user_contexts(session: Session) -> tuple[tuple[contexts.Context, ...], dict[str, ClientCopy]]:
    """Every docker context of the user, and the files of each, by its name. Raises NotReady, Refused."""
    folder = session.docker_dir(None, session.user())
    facts = session.facts("users", trees=copies.wanted([folder]), bears=True)
    held = {one.context: one for one in copies.client_copies(facts, [folder]) if one.context}
    return contexts.contexts(facts, folder), held


def listed(path: str) -> tuple[Endpoint, ...]:
    """The endpoints of a file, one a line; blank lines and what follows a # are passed over.

    Raises:
        Refused: with every line that is no endpoint, by its number; or if there is none.
    """
    text = read_input(path, "the list of endpoints").decode(errors="replace")
    lines = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    read = [(number, attempt(partial(Endpoint.parse, line))) for number, line in lines if line]
    faults = [Fault(f"line {number}: {_short(one.message)}", one.hint) for number, (_, found) in read for one in found]
    refuse(f"the list of endpoints {visible(path)}", faults, most=MOST_FAULTS)
    found = tuple(dict.fromkeys(endpoint for _, (endpoint, _) in read if endpoint))
    if not found:
        raise Refused(f"{visible(path)} names no endpoint", "write one a line, such as tcp://web1:2376")
    return found


def _short(message: str) -> str:
    """A message in which a whole line may stand, by its ends."""
    half = LONGEST_FAULT // 2
    return message if len(message) <= LONGEST_FAULT else f"{message[:half]} ... {message[-half:]}"


def kept(session: Session, target: Target, options: MaterialOptions) -> Kept:
    """The client's files for a target as they are; what is wrong with one is a finding of its own.

    Raises:
        Usage: --cert without --key, or the reverse.
        NotReady: if a file that was named cannot be read, or there is none at all.
    """
    found = Kept(*map(_held, paths(lambda: session, session.environment, target.folder, options)))
    given = (options.ca, options.cert, options.key)
    wrong = [one for one, named in zip(found.files, given, strict=True) if named and one.content is None]
    missing = wrong or ([found.ca] if all(one.content is None for one in found.files) else [])
    if missing:
        path, why = missing[0].path, missing[0].fault
        raise target.unread(path, f"the client file {path} cannot be read: {why}")
    return found


def _held(path: str) -> Held:
    try:
        return Held(visible(path), read_input(path, "the client file"), mode_of(path))
    except (NotReady, Refused) as error:
        return Held(visible(path), fault=error.message.rpartition(": ")[2])
