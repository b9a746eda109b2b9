"""TABLE of checks of the kernel's audit: whether it tells who changed what of Docker's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.audit.guarded import data_root, program, status_of
from dockertls.audit.model import Check, Fix, asked, cis
from dockertls.escaping import visible
from dockertls.facts import AUDIT_DIR, NotGathered, NotSeen
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockertls.audit.model import Judge
    from dockertls.audit.seen import Seen
    from dockertls.findings import Verdict

    Place = Callable[[Seen], Iterator[Path]]

RULES = AUDIT_DIR / "docker.rules"
"""Where the benchmark, and `harden`, put them."""
_LOAD = "load them: augenrules --load"


def at(path: str) -> Place:
    """A path that is the same everywhere."""
    return lambda _: iter((Path(path),))


def _program(name: str) -> Place:
    return lambda seen: program(seen, name)


def _data(seen: Seen) -> Iterator[Path]:
    yield data_root(seen)


def _folder(seen: Seen) -> Iterator[Path]:
    yield seen.reading.packaging.places.config.parent


def _config(seen: Seen) -> Iterator[Path]:
    yield seen.reading.config


def _unit(name: str) -> Place:
    def place(seen: Seen) -> Iterator[Path]:
        if seen.unstarted:
            raise NotSeen(seen.unstarted.reason)
        return (path for path in seen.reading.packaging.units if path.name == name)

    return place


def _tls(seen: Seen) -> Iterator[Path]:
    """The folder of the key, where it really lies."""
    key = seen.served.files.key
    if key is None and seen.unread:
        raise NotSeen(seen.unread.reason)
    return (seen.facts.place(path).parent for path in (key,) if path)


PLACES: tuple[tuple[str, str, str, Place], ...] = (
    ("AUD-01", "1.1.3", "dockerd", _program("dockerd")),
    ("AUD-02", "1.1.4", "containerd's state", at("/run/containerd")),
    ("AUD-03", "1.1.5", "Docker's data", _data),
    ("AUD-04", "1.1.6", "Docker's folder", _folder),
    ("AUD-05", "1.1.7", "docker.service", _unit("docker.service")),
    ("AUD-06", "1.1.8", "containerd's socket", at("/run/containerd/containerd.sock")),
    ("AUD-07", "1.1.9", "docker.socket", _unit("docker.socket")),
    ("AUD-08", "1.1.10", "/etc/default/docker", at("/etc/default/docker")),
    ("AUD-09", "1.1.11", "daemon.json", _config),
    ("AUD-10", "1.1.12", "containerd's configuration", at("/etc/containerd/config.toml")),
    ("AUD-11", "1.1.13", "/etc/sysconfig/docker", at("/etc/sysconfig/docker")),
    ("AUD-12", "1.1.14", "containerd", _program("containerd")),
    ("AUD-13", "1.1.15", "containerd-shim", at("/usr/bin/containerd-shim")),
    ("AUD-14", "1.1.16", "containerd-shim-runc-v1", at("/usr/bin/containerd-shim-runc-v1")),
    ("AUD-15", "1.1.17", "containerd-shim-runc-v2", at("/usr/bin/containerd-shim-runc-v2")),
    ("AUD-16", "1.1.18", "runc", _program("runc")),
    ("AUD-17", "", "the server's key", _tls),
)
"""Id, number in the CIS benchmark, what is watched, and where it lies."""


def watched(place: Place) -> Judge:
    """Whether changes of what lies there are told."""

    def judged(seen: Seen) -> Verdict:
        try:
            there = tuple(dict.fromkeys(path for path in place(seen) if status_of(seen, path) is not None))
        except NotGathered as error:
            return Unknown(visible(str(error)))
        if not there:
            return NotApplicable("it is not there")
        return _told(seen, there)

    return asked(judged)


def _told(seen: Seen, there: tuple[Path, ...]) -> Verdict:
    """By the kernel, else by the files that are loaded into it."""
    rules, reason = seen.rules
    missing = [path for path in there if not rules.tells_of(path)]
    source = "kernel" if not reason else "audit rules"
    evidence = tuple(
        Evidence(source, visible(str(path)), "not watched" if path in missing else "watched", "watched")
        for path in there
    )
    if reason and missing:
        return Unknown(reason)
    if reason:
        return Warned(evidence, f"it is watched by the files; whether by the kernel is not known: {reason}", _LOAD)
    if not missing:
        return Passed(evidence)
    cause = f"nobody is told who changes {visible(str(missing[0]))}"
    return Failed(evidence, cause, f"{rule_for(missing[0])} in {RULES}; {_LOAD}")


def rule_for(path: Path) -> str:
    """The rule that watches a path."""
    return f"-w {path} -p wa -k docker"


def paths(seen: Seen) -> Iterator[Path]:
    """What has to be seen from outside."""
    for _, _, _, place in PLACES:
        with suppress(NotSeen):
            yield from place(seen)


TABLE: tuple[Check, ...] = tuple(
    Check(
        id_, f"The kernel tells who changes {name}", Severity.LOW, watched(place),
        cis(number) if number else {}, Fix.OPT_IN,
    )
    for id_, number, name, place in PLACES
)  # fmt: skip
"""In the order of the catalogue."""
