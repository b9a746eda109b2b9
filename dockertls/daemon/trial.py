"""A configuration that is not in place yet, as dockerd itself can be asked about it: `dockerd --validate`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.flags import parse
from dockertls.daemon.options import BY_FLAG
from dockertls.daemon.reading import MATERIAL, read
from dockertls.daemon.releases import lacks, told
from dockertls.documents.unit_file import command_line
from dockertls.facts import NotGathered
from dockertls.plan import Command, Directory, File

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.reading import Reading
    from dockertls.facts import HostFacts
    from dockertls.plan import Node

HARMFUL = "userns-remap"
"""Asked about this option, dockerd makes a user and gives it ranges of ids: it is left out."""


@dataclass(frozen=True)
class Trial:
    """A question to dockerd.

    Attributes:
        nodes: what has to lie there while it is asked, in the order in which it is made.
        version: tells which dockerd it is.
        question: succeeds if dockerd takes the configuration.
        places: where each of the files lies or will lie, by where it lies for the trial.
    """

    nodes: Mapping[Path, Node]
    version: Command
    question: Command
    places: Mapping[Path, Path]

    def told(self, answer: str) -> str:
        """What dockerd says, of the files' own places."""
        for here, place in self.places.items():
            answer = answer.replace(str(here), str(place))
        return answer


def trial(after: HostFacts, folder: Path) -> Trial | None:
    """How dockerd is asked whether it would start on a host.

    It is asked as its unit would start it, with copies of the files that it would read; files that are not known here
    lie in their places already.

    Args:
        after: the host as it will be, with the rows "daemon" and "certificates".
        folder: where the copies go; nothing may be there.

    Returns:
        None if it is not known what starts dockerd, or if a wrapper does: outside of it, dockerd says something else.
    """
    reading = read(after)
    if not reading.packaging.program or reading.packaging.wrapped:
        return None
    material = _material(after, reading)
    copies = {key: folder / f"{key}.pem" for key in material}
    nodes: dict[Path, Node] = {folder: Directory(0o700)}
    nodes |= {copies[key]: File(file.content, 0o600, secret=True) for key, (_, file) in material.items()}
    places = {copies[key]: path for key, (path, _) in material.items()}
    words, config = _words(reading, copies), _config(after, reading, copies)
    if config is not None:
        place = folder / "daemon.json"
        nodes[place], places[place] = File(config, 0o600), reading.config
        words = (f"--config-file={place}", *_without(words, "config-file"))
    program = command_line(reading.packaging.program).words[0]
    version = Command((program, "--version"), "which dockerd this is")
    question = Command((program, "--validate", *words), "whether dockerd takes the configuration")
    return Trial(nodes, version, question, places)


def can_validate(version: str) -> bool:
    """Whether a dockerd knows --validate.

    Args:
        version: what it says of its version, such as "Docker version 26.1.5, build 411e817".
    """
    release = told(version)
    return release is not None and not lacks(release, BY_FLAG["validate"], flag=True)


def _material(after: HostFacts, reading: Reading) -> dict[str, tuple[Path, File]]:
    """The files that dockerd is told and that are known, by option."""
    found: dict[str, tuple[Path, File]] = {}
    said = reading.both()
    for key in MATERIAL:
        path = Path(str(said[key].value)) if key in said else None
        with suppress(NotGathered):
            if path and (file := after.file(path)):
                found[key] = path, file
    return found


def _config(after: HostFacts, reading: Reading, copies: Mapping[str, Path]) -> bytes | None:
    """What daemon.json shall say for the trial; None: it is not known what the real one says."""
    try:
        file = after.file(reading.config)
    except NotGathered:
        return None
    if file is None:
        return b"{}\n"
    if reading.document is None:
        return file.content
    document = reading.document.without(HARMFUL)
    for key, copy in copies.items():
        if key in document.keys:
            document = document.set(key, str(copy))
    return document.text.encode()


def _words(reading: Reading, copies: Mapping[str, Path]) -> tuple[str, ...]:
    moved = {item: item.written(str(copies[item.key])) for item in reading.flags.of(*copies)}
    return _without(reading.flags.replaced(moved), HARMFUL)


def _without(words: tuple[str, ...], key: str) -> tuple[str, ...]:
    flags = parse(words)
    return flags.without(flags.of(key))
