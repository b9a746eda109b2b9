"""Rules about the files that configure dockerd: read by nobody, read otherwise than written, or open to others."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.releases import parse, shown
from dockertls.daemon.variables import KNOWN_VARIABLES
from dockertls.documents.env_file import Dialect, EnvFile
from dockertls.documents.json_file import BOM
from dockertls.documents.unit_file import UnitFile, command_line, merged
from dockertls.errors import Fault, Refused
from dockertls.escaping import visible
from dockertls.facts import ENVIRONMENT_FILES, UNIT_DIRS, is_dockerd
from dockertls.plan import Directory, File, Link
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.daemon.reading import Reading
    from dockertls.facts import HostFacts
    from dockertls.plan import Owner

OTHERS, GROUP = 0o002, 0o020
"""Bits of a mode that let somebody else write."""
TOLERANT = "23.0"
"""The first release that reads an empty daemon.json, and one with a byte order mark."""
SNAP = "docker.dockerd"
"""What `snap run` calls its dockerd."""
_EXPORT = re.compile(r"export[ \t]+([A-Za-z_][A-Za-z0-9_]*)=")
_REFERENCE = re.compile(r"\$(?:[A-Za-z_]|\{[A-Za-z_])")


def unread_environment(reading: Reading) -> Iterator[Fault]:
    """Environment files of other packagings, or of another init system."""
    found = reading.packaging
    if found.faults or found.init is Init.NONE:
        return
    for path in ENVIRONMENT_FILES:
        file = reading.facts.file(path)
        if file is None or path in found.reads or path in map(reading.facts.place, found.reads):
            continue
        if names := _set_in(file):
            yield Fault(
                f"{path} sets {names}, and {found.start} does not read it",
                "set it where dockerd's starter reads it, and remove it here",
            )


def _set_in(file: File) -> str:
    """What a file that nobody reads would set, for people."""
    try:
        read = EnvFile.decode(file.content, Dialect.SYSTEMD, "")
    except Refused:
        return "something"
    exported = [match[1] for _, text in read.ignored if (match := _EXPORT.match(text))]
    return ", ".join(dict.fromkeys((*read.variables, *exported)))


def unused_variables(reading: Reading) -> Iterator[Fault]:
    """Variables that a file sets for the command line, which does not use them."""
    if reading.packaging.faults:
        return
    used = " ".join(part.written for part in reading.packaging.parts)
    for path, file in reading.environment_files:
        for name in KNOWN_VARIABLES:
            if name in file.variables and not re.search(rf"\${{?{name}\b", used) and _value(file, name) != "":
                yield Fault(
                    f"{path}:{file.line(name)} {name} is set, and {reading.packaging.start} does not use it",
                    "add it to the command line, or set its options elsewhere",
                )


def _value(file: EnvFile, name: str) -> str | None:
    try:
        return file.get(name)
    except Refused:
        return None


def repeated_variables(reading: Reading) -> Iterator[Fault]:
    """A variable that one file assigns twice; in a script that may be meant, where each builds on the one before."""
    for path, file in reading.environment_files:
        plain = sorted((item.name, item.line) for item in file.readings[0].assignments if not item.obstacle)
        for name, group in groupby(plain, key=lambda item: item[0]):
            lines = [line for _, line in group]
            if len(lines) > 1:
                told = ", ".join(map(str, lines[:-1]))
                yield Fault(
                    f"{path}: {name} is set on line {told} and again on line {lines[-1]}, which counts",
                    f"remove line {told}",
                )


def exported_variables(reading: Reading) -> Iterator[Fault]:
    """To systemd, `export X=1` sets a variable called "export X", which nobody can use."""
    for path, file in reading.environment_files:
        for line, text in file.ignored:
            if match := _EXPORT.match(text):
                yield Fault(
                    f"{path}:{line}: systemd knows no `export`, so {match[1]} is not set here", "remove the word export"
                )


def unexpanded_references(reading: Reading) -> Iterator[Fault]:
    """A value that is built from another variable, as only a shell does."""
    if reading.packaging.init is not Init.SYSTEMD:
        return
    for part in reading.packaging.parts:
        words = [word for word in part.words if part.place != reading.packaging.start and _REFERENCE.search(word)]
        if words:
            yield Fault(
                f"{part.place}: systemd puts nothing in place of {visible(words[0])}: dockerd gets it as it is written",
                "write the value out",
            )


def unread_daemon_json(reading: Reading) -> Iterator[Fault]:
    """A daemon.json in the usual place, and a dockerd that reads another one."""
    usual = reading.packaging.places.config
    if reading.config != usual and reading.facts.file(usual) is not None:
        said = reading.by_flags()["config-file"].origin
        yield Fault(
            f"{usual} is there, and dockerd reads {visible(str(reading.config))} ({said}) instead",
            "put its settings there, and remove it",
        )


def of_older_json(reading: Reading) -> Iterator[Fault]:
    """Releases before 23.0 read no empty file and no byte order mark (moby: first tag of both is v23.0.0)."""
    if reading.release is not None and reading.release < parse(TOLERANT):
        for what, hint in _of_newer_json(reading):
            yield Fault(f"{what}: Docker {shown(reading.release)} does not start with it", hint)


def json_of_some_releases(reading: Reading) -> tuple[str, ...]:
    """What cannot be told of the file where the release is not known."""
    found = _of_newer_json(reading) if reading.release is None else ()
    return tuple(f"{what}: whether this dockerd starts with it" for what, _ in found)


def _of_newer_json(reading: Reading) -> Iterator[tuple[str, str]]:
    """What of the file only newer releases read, and what to do about it."""
    name, text = visible(str(reading.config)), reading.document.text if reading.document else "{}"
    if not text.strip():
        yield f"{name} is empty", "write {} into it, or remove it"
    if text.startswith(BOM):
        yield f"{name} begins with a byte order mark", "save it without one"


def dangling_link(reading: Reading) -> Iterator[Fault]:
    """daemon.json is a link that leads nowhere: dockerd takes that for no file."""
    link = reading.facts.looked_at(reading.config)
    if isinstance(link, Link) and reading.facts.file(reading.config) is None:
        yield Fault(
            f"{visible(str(reading.config))} is a link to {visible(link.target)}, and no file is there",
            "put the file there, or remove the link",
        )


def writable_by_others(reading: Reading) -> Iterator[Fault]:
    """Whoever can write what configures dockerd, or a directory on the way to it, is root."""
    seen: set[Path] = set()
    for path in (*reading.packaging.units, *reading.packaging.reads, reading.config):
        for place in _way(reading.facts, path):
            if place not in seen:
                seen.add(place)
                yield from _open_to_others(reading.facts, place, reading.packaging.places.owner)


def _way(facts: HostFacts, path: Path) -> Iterator[Path]:
    """Every place on the way to what a path names, and the path itself; links are followed."""
    for step in (*reversed(path.parents), path):
        yield step
        if (end := facts.place(step)) != step:
            yield from _way(facts, end)


def _open_to_others(facts: HostFacts, place: Path, owner: Owner) -> Iterator[Fault]:
    node = facts.looked_at(place)  # what nobody looked at is a fault, or an unknown, of its own
    if not isinstance(node, File | Directory):
        return
    what = "whoever that is can tell dockerd anything, and so is root"
    if node.owner[0] not in {0, owner[0]}:
        yield Fault(f"{visible(str(place))} belongs to user {node.owner[0]}: {what}", f"run `chown root: {place}`")
    elif node.mode & OTHERS or (node.mode & GROUP and node.owner[1]):
        who = "everybody" if node.mode & OTHERS else f"group {node.owner[1]}"
        yield Fault(
            f"{visible(str(place))} can be written by {who} (mode {node.mode:04o}): {what}", f"run `chmod go-w {place}`"
        )


def other_units(reading: Reading) -> Iterator[Fault]:
    """A second unit that starts a dockerd; both want the same socket, pidfile and data."""
    if reading.packaging.init is not Init.SYSTEMD:
        return
    service = reading.packaging.service
    for path in _other_units(reading.facts, service):
        yield Fault(f"{path} starts a dockerd too, beside {service}", "keep one of them, or give each its own places")


def _other_units(facts: HostFacts, service: str) -> Iterator[Path]:
    names = {
        name: folder / name
        for folder in reversed(UNIT_DIRS)
        for name in facts.listed(folder)
        if "docker" in name and name.endswith(".service")
    }
    for name, path in names.items():
        if (
            name != service
            and facts.place(path).name == name
            and (file := facts.file(path))
            and _starts_dockerd(file, path)
        ):
            yield path


def _starts_dockerd(file: File, path: Path) -> bool:
    try:
        lines = merged([UnitFile.decode(file.content, str(path))]).get_all("Service", "ExecStart")
        commands = [command_line(line.value).words for line in lines]
    except Refused:
        return False
    return any(is_dockerd(Path(words[0]).name) or SNAP in words for words in commands)
