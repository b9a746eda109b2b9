"""The environment that dockerd is started with, as far as files say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.daemon.packaging import Place
from dockertls.daemon.settings import Source
from dockertls.errors import Refused
from dockertls.platforms import Init

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.reading import Reading


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
