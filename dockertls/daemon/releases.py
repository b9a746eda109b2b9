"""Releases of Docker: which one a dockerd is, and which of them know an option."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.options import Option
    from dockertls.facts import HostFacts

Release = tuple[int, ...]
"""Such as (20, 10, 24); a shorter one is the first of its line."""

_ANSWER = re.compile(r"\bversion (\d{1,9}(?:\.\d{1,9})+)(?!\d)")
_ONLY: Mapping[str, Release] = MappingProxyType({"dockerd-current": (1, 13)})
"""Names under which a single release was packaged: by RHEL 7 and CentOS 7."""


@lru_cache(maxsize=256)
def parse(text: str) -> Release:
    """A release from a text such as "23.0"."""
    return tuple(map(int, text.split(".")))


def told(answer: str) -> Release | None:
    """The release in what a dockerd says of its version; None: it is none that is understood."""
    found = _ANSWER.search(answer)
    return parse(found[1]) if found else None


def release_of(facts: HostFacts, program: str) -> Release | None:
    """Which release a dockerd is, by its own word; None: it was not asked, or said nothing that is understood.

    Args:
        facts: with the row "version", where that was gathered.
        program: its path.
    """
    path = Path(program)
    answer = facts.outputs.get((str(facts.place(path.parent) / path.name), "--version"))
    found = told(answer.out) if answer and answer.code == 0 else None
    return found or _ONLY.get(path.name)


def shown(release: Release) -> str:
    """A release for people."""
    return ".".join(map(str, release))


def since(option: Option, *, flag: bool) -> str:
    """The first release that knows an option, as a flag or as a key; empty: every release that is known of."""
    return (flag and option.flag_since) or option.since


def lacks(release: Release, option: Option, *, flag: bool) -> str:
    """Why a release does not know an option, as a flag or as a key; empty: it does."""
    if (first := since(option, flag=flag)) and release < parse(first):
        return f"Docker has it since {first}"
    if option.removed and release >= parse(option.removed):
        return f"it was removed in Docker {option.removed}"
    return ""
