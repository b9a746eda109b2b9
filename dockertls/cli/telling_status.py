"""`status` in each of its formats."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dockertls.cli.console import MANY, working_directory
from dockertls.cli.outputs import format_of
from dockertls.cli.surveying import survey
from dockertls.errors import DockerTLSError, Negative, NotReady, Usage
from dockertls.escaping import visible
from dockertls.pki.store import FOLDERS
from dockertls.plan import Directory, File
from dockertls.plan import shown as path_shown
from dockertls.report import metrics, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.cli.session import Session
    from dockertls.report.standing import Standing
    from dockertls.report.status import Survey


def tell(session: Session, form: str, output: str | None) -> int:
    """Look, and tell what was found.

    Returns:
        The exit code.

    Raises:
        Usage: no such format, or two things that do not go together.
        Denied: if the store may not be looked at.
    """
    wanted = format_of(session.console, form, FORMATS)
    if output is not None and form != "prometheus":
        raise Usage("--output is for --format prometheus", "give both, or send standard output to a file")
    return FORMATS[wanted](session, output)


def _code(found: Survey[Any]) -> int:
    return 0 if found.is_good else Negative.exit


def _in_tables(session: Session, _: str | None) -> int:
    found = survey(session, partial(status.shown, now=session.started))
    console = session.console
    if found.rotation:
        console.result(status.rotation_line(found.rotation))
    gone: dict[str, None] = {}
    for number, table in enumerate(status.tables(found)):
        if number or found.rotation:
            console.result()
        gone |= dict.fromkeys(console.table(table))
    if gone:
        console.say(f"left out, for the terminal is narrow: {', '.join(gone)}")
    if not found.lines:
        console.say(f"there are no certificates in {session.store_shown}; begin with `dockertls bootstrap`")
        return _code(found)
    console.say(status.summary(found))
    for remedy in status.remedies((*found.states, *(copy.state for line in found.lines for copy in line.copies))):
        console.say(f"  {remedy}")
    _warn(session, found)
    return _code(found)


def _warn(session: Session, found: Survey[Any]) -> None:
    for copy in found.unknown:
        session.console.warn(f"whether the copy in {copy.place} is current is not known: {copy.why}")


def _in_json(session: Session, _: str | None) -> int:
    store = session.store_shown

    def row(one: Standing) -> dict[str, object]:
        name = "" if one.entry.role == "ca" else visible(one.entry.name)
        place = (store, FOLDERS.get(one.entry.role, "ca"), name, one.entry.number)
        return status.row_json(one, "/".join(filter(None, place)), session.started)

    found = survey(session, row)
    console = replace(session.console, json=True)
    console.document("status", status.document(found), ok=found.is_good, dense=len(found.lines) > MANY)
    return _code(found)


def _for_nagios(session: Session, _: str | None) -> int:
    """A plugin has one line to say, whatever happens."""
    try:
        text, level = metrics.nagios(survey(session, metrics.trouble))
    except DockerTLSError as error:
        text, level = metrics.failed(error.message)
    session.console.result(text.rstrip("\n"))
    return level.value


def _for_prometheus(session: Session, output: str | None) -> int:
    found = survey(session, metrics.samples)
    text = metrics.prometheus(found)
    if output is None:
        session.console.result(text.rstrip("\n"))
    else:
        _put(session, session.host.beside(Path(working_directory() / output)), text)
    _warn(session, found)
    return _code(found)


def _put(session: Session, path: Path, text: str) -> None:
    """Give a whole file its name in one step: who reads it sees the old one or the new one. Raises NotReady."""
    host, folder = session.host, session.host.real(path.parent)
    if not isinstance(host.node(folder), Directory):
        raise NotReady(f"{path_shown(path.parent)} is not a directory", "make it first, or name another file")
    target, staged = folder / path.name, folder / f".{path.name}.dockertls"
    if not isinstance(host.node(target), File | None):
        raise NotReady(f"{path_shown(path)} is not a file", "name a file, or leave --output out")
    with host.hold(folder):
        host.discard(staged)
        host.make(staged, File(text.encode(errors="backslashreplace"), 0o644, host.self_owner))
        host.rename(staged, target)


FORMATS: Mapping[str, Callable[[Session, str | None], int]] = MappingProxyType(
    {"table": _in_tables, "json": _in_json, "nagios": _for_nagios, "prometheus": _for_prometheus}
)
