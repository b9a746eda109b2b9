"""Environment files as systemd reads them (src/basic/env-file.c, parse_env_file_internal)."""

from __future__ import annotations

import re

from dockertls.documents.assignments import NAME, Assignment, Char, Reading, Style
from dockertls.errors import Fault

BLANKS = " \t\n\r"
NEWLINES = "\n\r"
COMMENTS = "#;"
ESCAPED = '"\\`$'
"""What a backslash in double quotes escapes; before anything else it stays."""
_REST_OF_LINE = re.compile(r"[^\n\r]*")
_REST_WITH_ESCAPED = re.compile(r"(?:[^\\\n\r]+|\\.)*\\?", re.DOTALL)


def read(text: str, *, swallowing: bool) -> Reading:
    """Read an environment file.

    Args:
        text: the file.
        swallowing: a comment that ends in a backslash takes the next line with it, as before v254.
    """
    reader = _Reader(text, swallowing=swallowing)
    at = 0
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
        else:
            at = reader.comment(at) if text[at] in COMMENTS else reader.assignment(at)
    return Reading(tuple(reader.assignments), (), tuple(reader.ignored), tuple(reader.comments), tuple(reader.faults))


class _Reader:
    """One pass over a text; every method takes where to begin and returns where it stopped."""

    def __init__(self, text: str, *, swallowing: bool) -> None:
        self.text = text
        self.swallowing = swallowing
        self.assignments: list[Assignment] = []
        self.ignored: list[tuple[int, str]] = []
        self.comments: list[tuple[int, int]] = []
        self.faults: list[Fault] = []
        self.chars: list[Char] = []
        self.styles: list[Style] = []

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def push(self, char: str, start: int, end: int) -> None:
        self.chars.append(Char(char, start, end))

    def comment(self, start: int) -> int:
        found = (_REST_WITH_ESCAPED if self.swallowing else _REST_OF_LINE).match(self.text, start)
        at = found.end() if found else start
        self.comments.append((start, at))
        return at

    def assignment(self, start: int) -> int:
        """An assignment, or a line that is none."""
        at = start + 1  # env-file.c takes whatever begins a line for the name, even an =
        while at < len(self.text) and self.text[at] not in NEWLINES and self.text[at] != "=":
            at += 1
        head = self.text[start:at]
        if self.text[at : at + 1] != "=":
            self.ignored.append((self.line(start), head.rstrip()))
            return at
        self.chars, self.styles = [], []
        name = head.rstrip(BLANKS)
        first, last, end = self.value(at + 1)
        style = self.styles[0] if len(self.styles) == 1 else Style.MIXED if self.styles else Style.BARE
        if NAME.fullmatch(name):
            found = Assignment(name, self.line(start), "", start, first, last, style, tuple(self.chars))
            self.assignments.append(found)
        else:
            self.ignored.append((self.line(start), self.text[start:last].splitlines()[0]))
        return end

    def value(self, at: int) -> tuple[int, int, int]:
        """Where the value begins and ends, and where reading goes on."""
        first = last = None
        while at < len(self.text) and self.text[at] not in NEWLINES:
            if self.text[at] in BLANKS:
                at += 1
                continue
            first = at if first is None else first
            if self.text[at] == "'":
                at = last = self.single(at)
            elif self.text[at] == '"':
                at = last = self.double(at)
            else:
                last, at = self.bare(at)
        return (at, at, at) if first is None or last is None else (first, last, at)

    def single(self, start: int) -> int:
        end = self.text.find("'", start + 1)
        if end < 0:
            return self.unclosed(start)
        for at in range(start + 1, end):
            self.push(self.text[at], at, at + 1)
        self.styles.append(Style.SINGLE)
        return end + 1

    def double(self, start: int) -> int:
        at = start + 1
        while at < len(self.text) and self.text[at] != '"':
            char, following = self.text[at], self.text[at + 1 : at + 2]
            if char != "\\":
                self.push(char, at, at + 1)
                at += 1
                continue
            if following and following in ESCAPED:
                self.push(following, at, at + 2)
            elif following != "\n":
                self.push(char, at, at + 1)
                self.push(following, at + 1, at + 2)
            at += 2
        self.styles.append(Style.DOUBLE)
        return at + 1 if at < len(self.text) else self.unclosed(start)

    def unclosed(self, start: int) -> int:
        message = f"line {self.line(start)}: the quote {self.text[start]} that is opened here is never closed"
        self.faults.append(Fault(message, "close it"))
        return len(self.text)

    def bare(self, at: int) -> tuple[int, int]:
        """Up to the newline: where the value ends, and the line; blanks at its end are not part of it."""
        blank = None
        while at < len(self.text) and self.text[at] not in NEWLINES:
            char, following = self.text[at], self.text[at + 1 : at + 2]
            if char == "\\":
                blank = None
                if following and following not in NEWLINES:
                    self.push(following, at, at + 2)
                at = min(at + 2, len(self.text))
                continue
            blank = None if char not in BLANKS else len(self.chars) if blank is None else blank
            self.push(char, at, at + 1)
            at += 1
        self.styles.append(Style.BARE)
        if blank is None:
            return at, at
        last = self.chars[blank].start
        del self.chars[blank:]
        return last, at
