"""systemd units and drop-ins: read as systemd's conf-parser.c reads them; only drop-ins of our own are ever written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.documents.decoding import decoded
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BLANKS = " \t\n\r"
COMMENTS = ("#", ";")
PREFIXES = "@-:+!"
"""What systemd knows before the program of a command line; `!!` counts as two. `|` (v258) is not known here."""

_LINE_END = re.compile(r"\r\n|\n\r|\n|\r")
_SPECIFIER = re.compile(r"%(.?)", re.DOTALL)
_SAFE_WORD = re.compile(r"[A-Za-z0-9_./:=,@^+~-]+")
_SIMPLE = MappingProxyType({
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " ",
    "\\": "\\", '"': '"', "'": "'",
})  # fmt: skip
_NUMBERED = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})")
_WRITTEN = MappingProxyType({"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


@dataclass(frozen=True)
class Assignment:
    """One `Key=value` of a unit.

    Attributes:
        section: without brackets.
        key: without blanks.
        value: continuation lines joined by a blank; quotes, escapes and specifiers as they are written.
        line: where it begins, from 1.
        origin: the name of the file it stands in.
    """

    section: str
    key: str
    value: str
    line: int
    origin: str = ""


@dataclass(frozen=True)
class UnitFile:
    """A unit file or drop-in.

    Attributes:
        text: the whole file.
        name: what errors and origins call it, such as its path.
        assignments: in their order; what stands before the first section is ignored, as systemd does.
    """

    text: str
    name: str
    assignments: tuple[Assignment, ...]

    @classmethod
    def decode(cls, content: bytes, name: str) -> UnitFile:
        """Parse a file's bytes.

        Raises:
            Refused: if they are not UTF-8, or as for `parse`.
        """
        return cls.parse(decoded(content, name), name=name)

    @classmethod
    def parse(cls, text: str, *, name: str) -> UnitFile:
        """Parse a unit.

        Raises:
            Refused: if a section's header is broken or the text holds a NUL; systemd would not load the unit.
        """
        section, faults, found = "", [], []
        if "\0" in text:
            faults.append(Fault("it holds a NUL character", "remove it"))
        for line, logical in _logical_lines(text.removeprefix("\ufeff")):
            if logical.startswith("["):
                section = logical[1:-1]
                if not logical.endswith("]"):
                    faults.append(Fault(f"line {line}: {visible(logical)} is no section header", "close it with ]"))
                continue
            key, equals, value = logical.partition("=")
            if section and equals and key.strip(BLANKS):
                found.append(Assignment(section, key.strip(BLANKS), value.strip(BLANKS), line, name))
        refuse(visible(name), faults)
        return cls(text, name, tuple(found))


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines with their continuations joined, stripped, with the number of the line where each begins."""
    lines: list[tuple[int, str]] = []
    pending, begun = "", 0
    for number, line in enumerate(_LINE_END.split(text), 1):
        if line.lstrip(BLANKS).startswith(COMMENTS):
            continue
        begun = begun or number
        joined = pending + line
        if _escapes_its_end(joined):
            pending = joined[:-1] + " "
            continue
        lines.append((begun, joined.strip(BLANKS)))
        pending, begun = "", 0
    if pending:
        lines.append((begun, pending.strip(BLANKS)))
    return [(number, line) for number, line in lines if line]


def _escapes_its_end(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


@dataclass(frozen=True)
class MergedUnit:
    """A unit with its drop-ins, in the order in which systemd reads them.

    Attributes:
        assignments: of all of them.
        names: of the files.
    """

    assignments: tuple[Assignment, ...]
    names: tuple[str, ...] = ()

    def get_all(self, section: str, key: str) -> tuple[Assignment, ...]:
        """What is in force of a list, such as ExecStart: an empty assignment takes back all before it."""
        found: list[Assignment] = []
        for item in self.assignments:
            if (item.section, item.key) == (section, key):
                found = [*found, item] if item.value else []
        return tuple(found)

    def last(self, section: str, key: str) -> Assignment | None:
        """What is in force of a setting that has one value: the last assignment, empty or not."""
        found = [item for item in self.assignments if (item.section, item.key) == (section, key)]
        return found[-1] if found else None


def merged(units: Sequence[UnitFile]) -> MergedUnit:
    """A unit and its drop-ins as one.

    Args:
        units: the unit first, then its drop-ins in the order of their names, whichever folder each is in.
    """
    assignments = (item for unit in units for item in unit.assignments)
    return MergedUnit(tuple(assignments), tuple(unit.name for unit in units))


@dataclass(frozen=True)
class CommandLine:
    """A command line of a unit.

    Attributes:
        prefixes: what stands before the program, such as `-` or `@`; with `@`, the second word is argv[0].
        words: the program and its arguments, without quotes; `$VAR`, `${VAR}`, `$$` and `%` specifiers as they are.
        specifiers: the `%` specifiers in it, such as `%i`; `%%` is none.
    """

    prefixes: str
    words: tuple[str, ...]
    specifiers: tuple[str, ...]


def command_line(value: str) -> CommandLine:
    """Split the value of ExecStart= and its like (systemd's config_parse_exec and extract-word.c).

    Raises:
        Refused: for an open quote, several commands, no program, or escapes that give no UTF-8.
    """
    words = _words(value)
    prefixes, program = _prefixes(words[0]) if words else ("", "")
    if not program:
        _refuse(value, "no program is named", "name the program, such as /usr/bin/dockerd")
    words = (program, *words[1:])
    specifiers = [f"%{found}" for word in words for found in _SPECIFIER.findall(word) if found != "%"]
    return CommandLine(prefixes, words, tuple(specifiers))


def _refuse(value: str, message: str, hint: str) -> None:
    refuse("command line", [Fault(f"{message}: {visible(value)}", hint)])


def _prefixes(word: str) -> tuple[str, str]:
    """The prefixes and the rest of the first word; each counts once, `+`, `!` and `!!` exclude each other."""
    taken = ""
    for char in word:
        privileged = taken.replace("-", "").replace("@", "").replace(":", "")
        if char not in PREFIXES or (char in "-@:" and char in taken):
            break
        if char in "+!" and (privileged + char) not in {"+", "!", "!!"}:
            break
        taken += char
    return taken, word[len(taken) :]


def _words(value: str) -> tuple[str, ...]:
    words: list[str] = []
    at = 0
    while (at := _skip_blanks(value, at)) < len(value):
        if words and _stands_alone(value, at, ";"):
            _refuse(value, "several commands in one line", "split it: one command a line")
        if words and _stands_alone(value, at, "\\;"):
            words.append(";")
            at += 2
            continue
        word, at = _word(value, at)
        words.append(word)
    return tuple(words)


def _skip_blanks(value: str, at: int) -> int:
    while at < len(value) and value[at] in BLANKS:
        at += 1
    return at


def _stands_alone(value: str, at: int, what: str) -> bool:
    end = at + len(what)
    return value.startswith(what, at) and (end == len(value) or value[end] in BLANKS)


def _word(value: str, at: int) -> tuple[str, int]:
    """The word that begins here, and where it ends; an unknown escape keeps its backslash."""
    word, quote = bytearray(), ""
    while at < len(value) and (quote or value[at] not in BLANKS):
        char = value[at]
        if char == "\\":
            piece, at = _escape(value, at + 1)
            word += piece
            continue
        if quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            word += char.encode(errors="surrogatepass")
        at += 1
    if quote:
        _refuse(value, f"the quote {quote} is never closed", "close it")
    return _decoded(word, value), at


def _decoded(word: bytearray, value: str) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        _refuse(value, "it holds what is not UTF-8", "write the character itself")
        raise


def _escape(value: str, at: int) -> tuple[bytes, int]:
    """What the escape after the backslash stands for, and where it ends (escape.c, cunescape_one)."""
    simple = _SIMPLE.get(value[at : at + 1])
    if simple is not None:
        return simple.encode(), at + 1
    found = _NUMBERED.match(value, at)
    if found is None:
        return b"\\" + value[at : at + 1].encode(errors="surrogatepass"), at + 1
    number = int(found[1] or found[2] or found[3] or found[4], 8 if found[4] else 16)
    try:
        piece = bytes([number]) if found[1] or found[4] else chr(number).encode()
    except (ValueError, OverflowError):
        piece = b""
    return (piece, found.end()) if number and piece else (b"\\" + value[at].encode(), at + 1)


def quote(word: str) -> str:
    """Write one argument for a command line of a unit, so that the program gets exactly this word.

    Specifiers and variables are escaped too: the word is taken as it is.

    Raises:
        Refused: for characters that cannot stand in an argument.
    """
    if "\0" in word or any("\ud800" <= char <= "\udfff" for char in word):
        _refuse(word, "no argument can hold this", "leave out NUL and broken characters")
    if _SAFE_WORD.fullmatch(word):
        return word
    return '"' + "".join(_written(char) for char in word) + '"'


def _written(char: str) -> str:
    return _WRITTEN.get(char) or (
        char if char.isprintable() or char > "\xff" else "".join(f"\\x{byte:02x}" for byte in char.encode())
    )


def render_drop_in(sections: Mapping[str, Sequence[tuple[str, str]]], comment: str = "") -> str:
    """Write a drop-in.

    Args:
        sections: section -> its keys and values, in order; values are written as they are (see `quote`).
        comment: lines for whoever reads it.

    Raises:
        Refused: if a name or value would be read otherwise than it is given.
    """
    pairs = [(section, key, value) for section, items in sections.items() for key, value in items]
    faults = [
        Fault(f"[{visible(section)}] {visible(key)}={visible(value)} cannot stand in a unit", "write it on one line")
        for section, key, value in pairs
        if not _is_plain(section, key, value)
    ]
    refuse("drop-in", faults)
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    bodies = [
        f"[{section}]\n" + "".join(f"{key}={value}\n" for key, value in items) for section, items in sections.items()
    ]
    return head + "\n".join(bodies)


def _is_plain(section: str, key: str, value: str) -> bool:
    text = f"[{section}]\n{key}={value}\n"
    try:
        read = UnitFile.parse(text, name="").assignments
    except Refused:
        return False
    return read == (Assignment(section, key, value, 2),)
