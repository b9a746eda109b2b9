"""The environment that dockerd is started with, as far as files say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.daemon.packaging import DIALECTS, Packaging, Place
from dockertls.daemon.settings import Source
from dockertls.documents.env_file import EnvFile
from dockertls.errors import Refused
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.daemon.reading import Reading
    from dockertls.facts import HostFacts


def environment_files(facts: HostFacts, packaging: Packaging) -> Iterator[tuple[Path, EnvFile]]:
    """The environment files that dockerd's starter reads, those that are there and can be read, in its order."""
    for path in packaging.reads:
        file = facts.file(path)
        if file is None:
            continue
        try:
            yield path, EnvFile.decode(file.content, DIALECTS[packaging.init], str(path))
        except Refused:  # a fault of the packaging
            continue


def variables(reading: Reading) -> Mapping[str, Source]:
    """What systemd puts into dockerd's environment; of an init script nothing is known.

    A value that cannot be told is left out: it is a fault of its own where it matters.
    """
    if reading.packaging.init is not Init.SYSTEMD:
        return {}
    found = {name: Source(value, str(place)) for name, (value, place) in reading.packaging.assigned.items()}
    for path, file in reading.environment_files:
        for name in file.variables:
            try:
                found[name] = Source(file.get(name), str(Place(path, file.line(name), name)))
            except Refused:
                found.pop(name, None)
    return found
