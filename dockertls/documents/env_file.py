"""/etc/sysconfig/docker, /etc/default/docker, /etc/conf.d/docker: edited without loss, in their reader's dialect."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from dockertls.documents import shell_env, systemd_env
from dockertls.documents.assignments import NAME, Assignment, Reading, Style
from dockertls.documents.decoding import decoded
from dockertls.documents.words import Dialect, Word, join, split, words
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Dialect", "EnvFile", "Word", "join", "split", "words"]

_SAFE = re.compile(r"[A-Za-z0-9_./:=,@%+-]*")
"""Values that every reader takes as they are, without quotes."""
_ESCAPED = re.compile(r'(["\\`$])')
_REST_OF_LINE = MappingProxyType(
    {
        Dialect.SYSTEMD: re.compile(r"[ \t]*(?:\r\n|\n|\r|\Z)"),
        Dialect.SHELL: re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)"),
    }
)
_NEWLINES = MappingProxyType({Dialect.SYSTEMD: "\n\r", Dialect.SHELL: "\n"})
_BROKEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef]")
_PLAINLY = 'write the value out plainly, as {}="..."'


@dataclass(frozen=True)
class EnvFile:
    """A file of variables, edited without loss.

    Attributes:
        text: the whole file, to the byte.
        dialect: who reads it.
        name: what errors call it, such as its path.
        readings: the file as its reader takes it; two where versions of systemd differ, the newer one first.
    """

    text: str
    dialect: Dialect
    name: str = field(compare=False)
    readings: tuple[Reading, ...] = field(compare=False, repr=False)

    @classmethod
    def decode(cls, content: bytes, dialect: Dialect, name: str) -> EnvFile:
        """Parse a file's bytes.

        Raises:
            Refused: if they are not UTF-8, or as for `parse`.
        """
        return cls.parse(decoded(content, name), dialect, name=name)

    @classmethod
    def parse(cls, text: str, dialect: Dialect, *, name: str) -> EnvFile:
        """Parse a file.

        Args:
            text: the file.
            dialect: who reads it.
            name: what errors call it, such as its path.

        Raises:
            Refused: for NUL, and for quotes and blocks that are never closed.
        """
        bad = [char for char in "\0" if char in text] or [char for char in text if "\ud800" <= char <= "\udfff"]
        if bad:
            line = text.count("\n", 0, text.index(bad[0])) + 1
            refuse(visible(name), [Fault(f"line {line} holds {visible(bad[0])}", "remove it")])
        readings = tuple(_readings(text, dialect))
        refuse(visible(name), readings[0].faults)
        return cls(text, dialect, name, readings)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that are assigned, in the order of their first assignment."""
        return tuple(dict.fromkeys(item.name for item in self.readings[0].assignments))

    @property
    def ignored(self) -> tuple[tuple[int, str], ...]:
        """Line and text of what looks like an assignment and is none, such as `export X=1` to systemd."""
        return self.readings[0].ignored

    def get(self, variable: str) -> str | None:
        """The value that the reader will see; None: the file does not set the variable.

        Raises:
            Refused: if it cannot be told, with the line and what to do.
        """
        found = self._in_force(variable)
        return None if found is None else found.value

    def line(self, variable: str) -> int:
        """The line of the last assignment, from 1; 0: there is none."""
        return next((item.line for item in reversed(self.readings[0].assignments) if item.name == variable), 0)

    def set(self, variable: str, value: str) -> EnvFile:
        """The file with this value of the variable: in the assignment in force, or in a new one.

        The same value gives the same file. A new assignment stands after a commented example of it, or at the end.

        Raises:
            Refused: if the present value cannot be told, or no spelling holds the new one.
        """
        found = self._in_force(variable)
        if found is not None and found.value == value:
            return self
        if not NAME.fullmatch(variable) or _is_broken(value):
            self._refuse(f"{visible(variable)}={visible(value)} cannot be set", "leave out control characters")
        texts = self._added(variable, value) if found is None else self._edited(found, value)
        new = next(filter(None, (self._with(text, variable, value) for text in texts)), None)
        if new is None:
            where = f"line {found.line}" if found else "the end of the file"
            hint = f'write {variable}="..." there by hand'
            self._refuse(f"{where} cannot be given {visible(variable)}={visible(value)} safely", hint)
        return new

    def without(self, variable: str) -> EnvFile:
        """The file without any assignment of the variable.

        Raises:
            Refused: if its value cannot be told, or the assignments cannot be taken out alone.
        """
        if self._in_force(variable) is None:
            return self
        text = self.text
        for item in reversed([item for item in self.readings[0].assignments if item.name == variable]):
            text = _removed(text, item.start, item.last, self.dialect)
        new = self._with(text, variable, None)
        if new is None:
            self._refuse(f"{visible(variable)} cannot be taken out alone", "remove it by hand")
        return new

    def _in_force(self, variable: str) -> Assignment | None:
        """The assignment whose value the reader takes."""
        found = [self._last(reading, variable) for reading in self.readings]
        values = {(item.start, item.value) if item else None for item in found}
        if len(values) > 1:
            lines = [item.line for item in found if item]
            message = f"{visible(variable)}, line {min(lines)}: a comment before it ends in a backslash, which hides"
            self._refuse(f"{message} the next line from systemd before v254", "remove that backslash")
        return found[0]

    def _last(self, reading: Reading, variable: str) -> Assignment | None:
        found = [item for item in reading.assignments if item.name == variable]
        last = found[-1] if found else None
        at = last.start if last else -1
        if last and last.obstacle:
            self._refuse(f"line {last.line}: {last.obstacle}", _PLAINLY.format(variable))
        for touch in reading.touches:
            if touch.ends and at > touch.start:
                self._refuse(f"line {touch.line}: {touch.what} may end the file there", "move it to the end")
            if not touch.ends and touch.start > at and (touch.names is None or variable in touch.names):
                self._refuse(f"line {touch.line}: {touch.what} may set {visible(variable)}", _PLAINLY.format(variable))
        return last

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise Refused(f"{visible(self.name)}: {message}", hint, faults=[Fault(message, hint)])

    def _with(self, text: str, variable: str, value: str | None) -> EnvFile | None:
        """The file of this text, if its variable has the value and every other one is as it was."""
        try:
            new = EnvFile.parse(text, self.dialect, name=self.name)
            same = new.get(variable) == value and _others(new.readings, variable) == _others(self.readings, variable)
        except Refused:
            return None
        return new if same else None

    def _edited(self, found: Assignment, value: str) -> Iterator[str]:
        """Texts that may hold the new value, the one nearest to the old spelling first."""
        old = found.value
        if found.style is not Style.MIXED:
            yield from self._spliced(found, value)
        bare = _SAFE.fullmatch(old) is None and self.dialect is Dialect.SYSTEMD
        for style in dict.fromkeys((found.style, Style.DOUBLE, Style.SINGLE)):
            spelled = _spelled(value, style, bare=bare)
            if spelled is not None:
                quote = _QUOTES[style]
                yield self.text[: found.first] + quote + spelled + quote + self.text[found.last :]

    def _spliced(self, found: Assignment, value: str) -> Iterator[str]:
        """Only the characters that differ are spelled anew, so line breaks and escapes of the others stay."""
        old, chars = found.value, found.chars
        head = _common(old, value)
        tail = _common(old[head:][::-1], value[head:][::-1])
        bare = _SAFE.fullmatch(old) is None and self.dialect is Dialect.SYSTEMD
        spelled = _spelled(value[head : len(value) - tail], found.style, bare=bare)
        if spelled is None:
            return
        inner = found.first + len(_QUOTES[found.style])
        gone = chars[head : len(chars) - tail]
        before = chars[head - 1].end if head else inner
        start, end = (gone[0].start, gone[-1].end) if gone else (before, before)
        yield self.text[:start] + spelled + self.text[end:]

    def _added(self, variable: str, value: str) -> Iterator[str]:
        """Texts with a new assignment: after its commented example, at the end."""
        windows = "\r\n" in self.text and self.dialect is Dialect.SYSTEMD
        newline = "\r\n" if windows else "\n"
        line = f'{variable}="{_spelled(value, Style.DOUBLE, bare=False)}"'
        example = re.compile(rf"[#;][#; \t]*(?:export[ \t]+)?{variable}[ \t]*=")
        ends = [end for start, end in self.readings[0].comments if example.match(self.text, start, end)]
        for end in (*ends[-1:], len(self.text)):
            at = end + len(newline) if self.text.startswith(newline, end) else end
            ended = at == 0 or self.text[at - 1] in _NEWLINES[self.dialect]
            yield self.text[:at] + (line + newline if ended else newline + line) + self.text[at:]


_QUOTES = MappingProxyType({Style.BARE: "", Style.SINGLE: "'", Style.DOUBLE: '"', Style.MIXED: ""})


def _others(readings: tuple[Reading, ...], variable: str) -> list[list[tuple[str, str, str]]]:
    """What is said of every other variable."""
    return [
        [(item.name, item.value, item.obstacle) for item in reading.assignments if item.name != variable]
        for reading in readings
    ]


def _readings(text: str, dialect: Dialect) -> Iterator[Reading]:
    if dialect is Dialect.SHELL:
        yield shell_env.read(text)
        return
    newer = systemd_env.read(text, swallowing=False)
    yield newer
    yield systemd_env.read(text, swallowing=True) if "\\" in text else newer  # only a backslash swallows


def _is_broken(value: str) -> bool:
    """Whether it holds what no value may: systemd drops the variable, or the whole file (utf8.c, env-util.c)."""
    return bool(_BROKEN.search(value)) or any(ord(char) & 0xFFFE == 0xFFFE for char in value)  # noqa: PLR2004 - U+xFFFE


def _spelled(piece: str, style: Style, *, bare: bool) -> str | None:
    """A piece of a value as it is written between quotes of this style; None: they cannot hold it.

    Args:
        piece: of the value.
        style: of the quotes.
        bare: whether blanks and signs may stand without quotes.
    """
    if style is Style.DOUBLE:
        return _ESCAPED.sub(r"\\\1", piece)
    if style is Style.SINGLE:
        return None if "'" in piece else piece
    if style is Style.BARE and (_SAFE.fullmatch(piece) or (bare and not re.search(r"[\n\r\\]", piece))):
        return piece
    return None


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _removed(text: str, start: int, end: int, dialect: Dialect) -> str:
    """The text without a statement; without its line, if it is the only one there."""
    begin = max(text.rfind(newline, 0, start) for newline in _NEWLINES[dialect]) + 1
    rest = _REST_OF_LINE[dialect].match(text, end)
    if text[begin:start].strip(" \t") == "" and rest:
        if rest.end() == len(text) and not rest.group().endswith(tuple(_NEWLINES[dialect])):
            begin -= 2 if dialect is Dialect.SYSTEMD and text.endswith("\r\n", 0, begin) else min(begin, 1)
        return text[:begin] + text[rest.end() :]
    following = re.compile(r"[ \t]*;(?!;)[ \t]*|[ \t]+").match(text, end)
    if following and not rest:
        return text[:start] + text[following.end() :]
    before = re.compile(r"[ \t]*;?[ \t]*\Z").search(text, 0, start)
    return text[: before.start() if before else start] + text[end:]
