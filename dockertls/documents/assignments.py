"""What a reader of an environment file finds in it, with the place of every character of a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertls.errors import Fault

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Style(Enum):
    """How a value is quoted."""

    BARE = "without quotes"
    SINGLE = "in single quotes"
    DOUBLE = "in double quotes"
    MIXED = "in several pieces"


@dataclass(frozen=True)
class Char:
    """One character of a value, and where it is spelled: `text[start:end]`."""

    char: str
    start: int
    end: int


@dataclass(frozen=True)
class Assignment:
    """One assignment to a variable.

    Attributes:
        name: the variable.
        line: where it stands, from 1.
        obstacle: why its value cannot be told; empty: it can.
        start: where the statement begins that goes when the assignment goes.
        first: where the value begins, quotes included.
        last: where the value ends, quotes included.
        style: how it is quoted.
        chars: the value.
    """

    name: str
    line: int
    obstacle: str
    start: int
    first: int
    last: int
    style: Style
    chars: tuple[Char, ...]

    @cached_property
    def value(self) -> str:
        """What the reader takes it for, if there is no obstacle."""
        return "".join(char.char for char in self.chars)


@dataclass(frozen=True)
class Touch:
    """Something besides an assignment that may change variables.

    Attributes:
        start: where it takes effect.
        line: where it stands.
        names: the variables; None: it may be any.
        what: names it in errors.
        ends: it may end the reading of the file, so that what follows is not in force.
    """

    start: int
    line: int
    names: frozenset[str] | None
    what: str
    ends: bool = False


@dataclass(frozen=True)
class Reading:
    """A file as its reader takes it.

    Attributes:
        assignments: in order.
        touches: what else may change variables.
        ignored: line and text of what looks like an assignment and is none to this reader.
        comments: start and end of each.
        faults: why the reader would not take the file as it is meant.
    """

    assignments: tuple[Assignment, ...]
    touches: tuple[Touch, ...] = ()
    ignored: tuple[tuple[int, str], ...] = ()
    comments: tuple[tuple[int, int], ...] = ()
    faults: tuple[Fault, ...] = ()
