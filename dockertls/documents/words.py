"""How the value of a variable becomes arguments of a program: systemd's splitting of `$VAR`, and sh's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import Fault, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Dialect(Enum):
    """Who reads an environment file."""

    SYSTEMD = "systemd"
    """EnvironmentFile=, and `$VAR` as a word of ExecStart=."""
    SHELL = "shell"
    """Sourced by sh, and `${VAR}` without quotes in a script: OpenRC, SysV."""


@dataclass(frozen=True)
class Word:
    """An argument, and where it is spelled: `value[start:end]`."""

    text: str
    start: int
    end: int


_SYSTEMD_BLANKS = " \t\n\r"
_SAFE = re.compile(r"[^\s\"'\\]+")
_SHELL_WORD = re.compile(r"[^ \t\n]+")
_EXPANDS = re.compile(r"(?:(?!://).)*?[*?\[]", re.DOTALL)
"""A word that sh may replace by file names. After `scheme://` no file is found: `tcp://[::1]:2376` stays itself."""


def words(value: str, dialect: Dialect) -> tuple[Word, ...]:
    """The arguments that a value becomes, each with its place, so that one can be replaced and the others kept.

    Raises:
        Refused: if it cannot be told: an open quote (systemd), or a pattern that file names may replace (sh).
    """
    return _SPLITTING[dialect](value)


def split(value: str, dialect: Dialect) -> tuple[str, ...]:
    """The arguments that a value becomes.

    Raises:
        Refused: as for `words`.
    """
    return tuple(word.text for word in words(value, dialect))


def join(arguments: Sequence[str], dialect: Dialect) -> str:
    """The value that becomes these arguments.

    Raises:
        Refused: with every argument that this reader cannot be given.
    """
    refuse("arguments", [fault for argument in arguments for fault in _FAULTS[dialect](argument)])
    return " ".join(argument if dialect is Dialect.SHELL else _quoted(argument) for argument in arguments)


def _systemd_words(value: str) -> tuple[Word, ...]:
    """As extract_first_word does with EXTRACT_UNQUOTE: a backslash, quoted or not, makes the next character literal."""
    found: list[Word] = []
    at = 0
    while at < len(value):
        if value[at] in _SYSTEMD_BLANKS:
            at += 1
            continue
        text, end = _systemd_word(value, at)
        found.append(Word(text, at, end))
        at = end
    return tuple(found)


def _systemd_word(value: str, at: int) -> tuple[str, int]:
    text, quote = "", ""
    while at < len(value) and (quote or value[at] not in _SYSTEMD_BLANKS):
        char = value[at]
        if char == "\\":
            text += value[at + 1 : at + 2]
            at += 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            text += char
        at += 1
    if quote or at > len(value):
        hint = "close it" if quote else "write it twice, or remove it"
        refuse("value", [Fault(f"{quote or 'a backslash'} ends nowhere: {visible(value)}", hint)])
    return text, at


def _shell_words(value: str) -> tuple[Word, ...]:
    found = [Word(match.group(), match.start(), match.end()) for match in _SHELL_WORD.finditer(value)]
    hint = "name each value without * ? ["
    faults = [Fault(f"sh puts file names in place of {visible(w.text)}", hint) for w in found if _EXPANDS.match(w.text)]
    refuse("value", faults)
    return tuple(found)


def _quoted(argument: str) -> str:
    if _SAFE.fullmatch(argument):
        return argument
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _systemd_faults(argument: str) -> list[Fault]:
    return [Fault(f"{visible(argument)}: an argument cannot hold NUL", "remove it")] if "\0" in argument else []


def _shell_faults(argument: str) -> list[Fault]:
    if argument and not re.search(r"[\s\"'\\\0]", argument) and not _EXPANDS.match(argument):
        return []
    hint = "leave out blanks, quotes, backslashes and * ? [, or set the option in daemon.json"
    return [Fault(f"{visible(argument) or 'an empty argument'} cannot be handed on by an init script", hint)]


_SPLITTING: Mapping[Dialect, Callable[[str], tuple[Word, ...]]] = MappingProxyType(
    {Dialect.SYSTEMD: _systemd_words, Dialect.SHELL: _shell_words}
)
_FAULTS: Mapping[Dialect, Callable[[str], list[Fault]]] = MappingProxyType(
    {Dialect.SYSTEMD: _systemd_faults, Dialect.SHELL: _shell_faults}
)
