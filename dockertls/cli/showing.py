"""Show what dockerd is told and by whom, the dockerd that runs beside it, and what is wrong."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon import redaction
from dockertls.daemon.packaging import SOCKET
from dockertls.daemon.reading import read
from dockertls.daemon.recognition import recognise
from dockertls.daemon.releases import shown
from dockertls.daemon.rules import problems
from dockertls.daemon.rules_options import of_some_releases
from dockertls.daemon.running import Running, pid_file, read_at_start, restart_changes, running
from dockertls.errors import NotReady
from dockertls.escaping import visible
from dockertls.facts import NotSeen
from dockertls.platforms import Init
from dockertls.report import daemon as report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dockertls.cli.session import Session
    from dockertls.daemon.reading import Reading
    from dockertls.daemon.recognition import Recognition
    from dockertls.daemon.rules import Problem
    from dockertls.daemon.running import Difference, Process


LOCAL_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class Shown:
    """All that `daemon show` has to say."""

    taken: Recognition
    reading: Reading
    running: Running
    differences: tuple[Difference, ...]
    problems: tuple[Problem, ...]
    unknown: tuple[str, ...]


def show_daemon(session: Session) -> None:
    """A line an option; then what runs, what a restart would change, and what is wrong.

    Raises:
        NotReady: if there is no Docker, or the host does not let us see how it is started.
    """
    try:
        told = _look(session)
    except NotSeen as error:
        raise NotReady(f"how dockerd is started cannot be told: {error}", "run it with sudo") from error
    if not told.reading.packaging.installed:
        raise NotReady(
            "there is no Docker on this host", "install it (docker.io, moby-engine, docker-ce), then run again"
        )
    _print(session, told)
    session.console.document("daemon", _document(told))


def left_for_a_restart(session: Session) -> tuple[str, ...]:
    """What a restart of the dockerd that runs would change: options, variables, files, units, each by its name."""
    differences, _ = restart_changes(*_beside(session))
    return tuple(one.what for one in differences)


def _look(session: Session) -> Shown:
    """Look at all that is shown. Raises NotSeen."""
    reading, here = _beside(session)
    differences, untold = restart_changes(reading, here)
    wrong, unseen = problems(reading)
    unknown = (*reading.unknown, *_release(reading), *of_some_releases(reading), *unseen, *here.unknown, *untold)
    return Shown(recognise(reading.facts), reading, here, differences, wrong, tuple(dict.fromkeys(unknown)))


def _beside(session: Session) -> tuple[Reading, Running]:
    """What dockerd is told and what runs; a second look is at what the first one names. Raises NotSeen."""
    first = read(session.facts("daemon", bears=True))
    facts = session.facts(
        "daemon", "version", "running",
        also=tuple(_named(first)), dates=(*read_at_start(first), pid_file(first)), bears=True,
    )  # fmt: skip
    reading = read(facts)
    here = running(reading)
    if here.others and not here.own and reading.packaging.init is not Init.SYSTEMD:
        here = running(reading, peer=_peer(reading))
    return reading, here


def _named(reading: Reading) -> Iterator[Path]:
    """Files that the first look names: to be looked at, unless they are patterns that systemd fills in."""
    for path in (reading.config, *reading.packaging.unseen, pid_file(reading)):
        if path.is_absolute() and not set("%*?[") & set(str(path)):
            yield path


def _peer(reading: Reading) -> int | None:
    """Who answers on the local socket; never asked of systemd, whose socket starts dockerd at a question."""
    from dockertls.probe.api import peer

    named = reading.packaging.local.removeprefix("unix://")
    return peer(Path(named) if named else LOCAL_SOCKET, timeout=1)


def _release(reading: Reading) -> tuple[str, ...]:
    if reading.release is not None or not reading.packaging.executable:
        return ()
    why = "it was not asked" if reading.facts.runs else "this is a file tree"
    return (f"which release {visible(reading.packaging.executable)} is: {why}",)


# for people


def _print(session: Session, told: Shown) -> None:
    console, reading = session.console, told.reading
    for line in _head(told.taken, reading):
        console.result(line)
    rows = tuple(_options(reading))
    if rows:
        console.table(report.options(rows))
    elif not (reading.packaging.faults or reading.faults):
        console.result("nobody tells dockerd anything: it goes by its defaults")
    for table in report.lists(_said(told)):
        console.table(table)


def _head(taken: Recognition, reading: Reading) -> Iterator[str]:
    """What is shown, before what it is told."""
    found = reading.packaging
    yield f"packaging: {taken.title} ({taken.how})"
    yield f"started by {found.init.value}: {found.start}"
    if reading.release:
        yield f"release: {shown(reading.release)} ({visible(found.executable)})"


def _said(told: Shown) -> dict[str, Iterable[tuple[str, ...]]]:
    """What is said below the options, each thing under its head."""
    return {
        "listens": ((f"{SOCKET} on {visible(one)}", str(place)) for one, place in told.reading.packaging.listens),
        "runs": _running(told.running),
        "on restart": map(_difference, told.differences),
        "problem": ((one.fault.message, one.fault.hint) for one in told.problems),
        "not told": ((line,) for line in told.unknown),
    }


def _options(reading: Reading) -> Iterator[tuple[str, object, str]]:
    """Key, value and place; of what grows with each flag, each flag."""
    for key, said in reading.both().items():
        flags = [item for item in reading.flags.of(key) if item.option and item.option.kind.repeats]
        if not flags:
            yield key, redaction.value(key, said.value), said.origin
            continue
        if key in reading.file:
            yield key, redaction.value(key, reading.file[key].value), reading.file[key].origin
        for item in flags:
            yield key, redaction.value(key, item.read()), str(reading.origin(item))


def _running(here: Running) -> Iterator[tuple[str, ...]]:
    if here.own:
        found = here.own.variables_of_clients
        told = [f"with {', '.join(found)} in its environment"] if found else []
        yield f"{_process(here.own)}, {here.told_by}", visible(shlex.join(here.own.shown)), *told
    elif here.idle:
        yield (f"nothing: {here.idle}",)
    for other in here.others:
        place = ", in a container" if other.in_container else f", of {visible(other.unit)}" if other.unit else ""
        yield f"another dockerd: {_process(other)}{place}", visible(shlex.join(other.shown))


def _process(one: Process) -> str:
    since = report.moment(one.started)
    return f"process {one.pid}{f' since {since}' if since else ''}"


def _difference(one: Difference) -> tuple[str, str]:
    if one.runs is None and one.would is None:
        return one.what, one.why
    return f"{one.what}: {visible(report.change(one.runs, one.would))}", one.why


# for programs


def _document(told: Shown) -> dict[str, object]:
    taken, reading, here = told.taken, told.reading, told.running
    return {
        "packaging": {"id": taken.id, "title": taken.title, "how": taken.how},
        "init": reading.packaging.init.value,
        "start": str(reading.packaging.start),
        "release": shown(reading.release) if reading.release else None,
        "options": {
            key: {"value": redaction.value(key, one.value), "origin": one.origin} for key, one in reading.both().items()
        },
        "listens": [{"value": listen, "origin": str(place)} for listen, place in reading.packaging.listens],
        "running": {**_process_json(here.own), "told_by": here.told_by} if here.own else None,
        "others": [_process_json(one) for one in here.others],
        "restart_would_change": [
            {"what": one.what, "why": one.why, "runs_with": one.runs, "would_run_with": one.would}
            for one in told.differences
        ],
        "problems": [
            {"rule": one.rule.id, "stops": one.rule.stops, "message": one.fault.message, "hint": one.fault.hint}
            for one in told.problems
        ],
        "unknown": list(told.unknown),
    }


def _process_json(one: Process) -> dict[str, object]:
    return {
        "pid": one.pid,
        "since": report.moment(one.started),
        "arguments": list(one.shown),
        "unit": one.unit or None,
        "in_container": one.in_container,
        "variables_of_clients": list(one.variables_of_clients),
    }
