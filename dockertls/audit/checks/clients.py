"""TABLE of checks of the clients' files on this host: whoever takes one is root on the daemon's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.audit.guarded import NOT_WRITTEN, STICKY
from dockertls.audit.model import Check, Fix
from dockertls.client.contexts import WITHOUT_CA, contexts
from dockertls.client.files import CA, CERT, KEY
from dockertls.client.flaws import Flaw, verdict
from dockertls.client.judging import Held, Kept, worth
from dockertls.errors import DockerTLSError
from dockertls.escaping import visible
from dockertls.facts import NotGathered, NotSeen
from dockertls.findings import Evidence, NotApplicable, Severity, Unknown
from dockertls.plan import Directory, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import PurePosixPath as Path

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.client.contexts import Context
    from dockertls.client.copies import ClientCopy
    from dockertls.findings import Verdict

_NONE = NotApplicable("there are no clients' files on this host")
_NOT_MINE = 0o077


def copies(judge: Callable[[Seen, ClientCopy], Iterator[Flaw]]) -> Judge:
    """Of every place that has a client's files; what could not be seen is unknown, if nothing else is wrong."""

    def judged(seen: Seen) -> Verdict:
        found = [copy for copy in seen.copies if copy.files]
        flaws: list[Flaw] = []
        faults = [*(copy.fault for copy in seen.copies if copy.fault), *_of_others(seen)]
        for copy in found:
            try:
                flaws += judge(seen, copy)
            except NotSeen as error:  # the flaws before it stay
                faults.append(visible(str(error)))
        if faults and not flaws:
            return Unknown(faults[0])
        if not found and not flaws:
            return _NONE
        return verdict(flaws, tuple(Evidence("file", copy.place, ", ".join(copy.files)) for copy in found))

    return judged


def _of_others(seen: Seen) -> tuple[str, ...]:
    """What an ordinary user cannot tell."""
    own = seen.reading.packaging.user  # of his own dockerd, his own clients are meant
    return ("what clients other users have here: only root sees it",) if seen.facts.asker and not own else ()


def _flaw(path: Path, seen: str, cause: str, remedy: str, *, fatal: bool = True) -> Flaw:
    shown = visible(str(path))
    return Flaw((Evidence("file", shown, seen),), f"{shown} {cause}", remedy.format(path=shown), fatal)


def _modes(seen: Seen, copy: ClientCopy) -> Iterator[Flaw]:
    """Bit by bit: 0600 and 0400 are fine, 0606 is not."""
    owner = _owner(seen, copy.docker_dir)
    for name, file in copy.files.items():
        path, mode = copy.folder / name, f"mode {file.mode:04o}"
        if name == KEY and file.mode & _NOT_MINE:
            yield _flaw(
                path, mode, "is open to others than its owner", "chmod 600 {path}; if others read it, revoke it"
            )
        elif file.mode & NOT_WRITTEN:
            yield _flaw(path, mode, "can be written by others", "chmod go-w {path}")
        if owner is not None and file.owner[0] not in {owner, 0}:
            yield _flaw(
                path, f"owner {file.owner[0]}", "belongs to somebody else", "chown it to the user whose home it is"
            )
    folder = seen.facts.looked_at(copy.folder)
    if isinstance(folder, Directory) and folder.mode & NOT_WRITTEN:
        yield _flaw(copy.folder, f"mode {folder.mode:04o}", "can be written by others", "chmod 700 {path}")


def _owner(seen: Seen, docker_dir: Path) -> int | None:
    """Whose home it is."""
    home = seen.facts.looked_at(docker_dir.parent)
    return home.owner[0] if isinstance(home, Directory) else None


def _worth(seen: Seen, copy: ClientCopy) -> Iterator[Flaw]:
    kept = Kept(*(_held(copy, name) for name in (CA, CERT, KEY)), known=seen.keys.get(copy.folder / KEY))
    expected = seen.expected
    yield from worth(kept, now=seen.facts.taken, warn=expected.warn, fail=expected.fail)


def _held(copy: ClientCopy, name: str) -> Held:
    path, file = visible(str(copy.folder / name)), copy.files.get(name)
    return Held(path, file.content, file.mode) if file else Held(path, fault="it is not there")


def _verifying(seen: Seen) -> Verdict:
    """Whether every docker context verifies the server that it goes to."""
    flaws: list[Flaw] = []
    good: list[Evidence] = []
    faults = [*_of_others(seen)]
    for folder in seen.docker_dirs:
        try:
            found = contexts(seen.facts, folder)
        except (NotSeen, NotGathered, DockerTLSError) as error:
            faults.append(visible(str(error)))
            continue
        faults += (visible(f"context {one.name}: {one.fault}") for one in found if one.fault)
        for one in (one for one in found if not one.fault):
            place, name = str(folder), f"context {visible(one.name)}"
            if one.host.startswith("tcp://") and (one.skip_tls_verify or not one.ca):
                why = _instead(one)
                evidence = (Evidence("context", visible(place), f"{name}: {visible(one.host)}", "verified"),)
                flaws.append(
                    Flaw(evidence, f"{name} in {visible(place)} {why}", "dockertls client install NAME --context", True)
                )
            elif one.host.startswith("tcp://"):
                good.append(Evidence("context", visible(place), f"{name}: {visible(one.host)}"))
    if faults and not flaws:
        return Unknown(faults[0])
    return verdict(flaws, tuple(good)) if flaws or good else NotApplicable("no docker context goes over TCP")


def _instead(context: Context) -> str:
    """What docker does with a context that does not verify the server; as of `dockertls.client.contexts.lack`."""
    if context.skip_tls_verify:
        return "is told not to verify the server"
    if context.cert or context.key:
        return WITHOUT_CA
    return "has no ca.pem: it goes without TLS"


def _ways(seen: Seen, copy: ClientCopy) -> Iterator[Flaw]:
    """Whoever can write a directory on the way can put files of his own there."""
    if isinstance(seen.facts.looked_at(copy.docker_dir), Link):
        yield _flaw(copy.docker_dir, "a link", "is a link: its end may change", "put the directory itself there")
    for parent in copy.docker_dir.parents:
        node = seen.facts.looked_at(parent)
        if isinstance(node, Directory) and node.mode & NOT_WRITTEN and not node.mode & STICKY:
            yield _flaw(parent, f"mode {node.mode:04o}", "can be written by others", "chmod go-w {path}")


TABLE: tuple[Check, ...] = (
    Check(
        "CLI-01", "Clients' keys are for their owners alone", Severity.HIGH, copies(_modes), fix=Fix.SAFE, of_host=True
    ),
    Check("CLI-02", "Clients' files are good", Severity.HIGH, copies(_worth), of_host=True),
    Check("CLI-03", "Clients verify the server", Severity.HIGH, _verifying, of_host=True),
    Check("CLI-04", "Nobody else can put files in a client's place", Severity.MEDIUM, copies(_ways), of_host=True),
)
"""In the order of the catalogue."""
