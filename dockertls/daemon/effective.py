"""What dockerd runs with and which file or flag says so, and what is wrong with that on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.daemon.reading import read
from dockertls.daemon.rules import judged
from dockertls.daemon.rules_tls import plaintext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.settings import Source
    from dockertls.errors import Fault
    from dockertls.facts import HostFacts


def effective(facts: HostFacts) -> Mapping[str, Source]:
    """What dockerd is told, by daemon.json key, and by whom. What nobody says is left out.

    Args:
        facts: gathered with the row "daemon".
    """
    return read(facts).both()


def problems(facts: HostFacts) -> tuple[Fault, ...]:
    """What is wrong with the configuration on disk: dockerd would not start, or it is not what it looks like.

    Args:
        facts: gathered with the row "daemon".
    """
    reading = read(facts)
    return judged(reading, stops=True) + judged(reading, stops=False)


def stopping(facts: HostFacts) -> tuple[Fault, ...]:
    """Of `problems`, those that keep dockerd from starting or let strangers in.

    Args:
        facts: gathered with the row "daemon".
    """
    return judged(read(facts), stops=True)


def open_to_all(facts: HostFacts) -> tuple[Fault, ...]:
    """The ports at which dockerd lets in whoever reaches them.

    Args:
        facts: gathered with the row "daemon".
    """
    return tuple(plaintext(read(facts)))
