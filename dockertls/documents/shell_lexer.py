"""Words of sh (POSIX XCU 2.2, 2.6): quotes removed, expansions skipped and marked, every character with its place."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from dockertls.documents.assignments import NAME, Char, Style
from dockertls.errors import Fault
from dockertls.escaping import visible

DEEPEST = 50
"""Substitutions within each other."""

BREAKS = " \t\n;&|<>()"
"""What ends a word."""
EXPANSION = "its value needs something that only a shell can work out"


@dataclass
class Word:
    """A word: its characters without quotes, where quotes and expansions begin, and why its value cannot be told."""

    start: int
    end: int = 0
    chars: list[Char] = field(default_factory=list)
    bare: list[bool] = field(default_factory=list)
    quotes: list[tuple[Style, int, int]] = field(default_factory=list)
    holes: list[int] = field(default_factory=list)
    obstacle: str = ""

    @property
    def text(self) -> str:
        """Its characters, quotes removed."""
        return "".join(char.char for char in self.chars)

    @property
    def is_plain(self) -> bool:
        """Whether nothing of it is quoted, escaped or expanded."""
        return all(self.bare) and not self.quotes and not self.obstacle

    def equals(self) -> int:
        """Where the = of an assignment stands among the characters; -1: it is none."""
        at = next((at for at, char in enumerate(self.chars) if char.char == "="), -1)
        if at < 1 or not all(self.bare[: at + 1]) or not NAME.fullmatch(self.text[:at]):
            return -1
        return -1 if any(hole < self.chars[at].start for hole in self.holes) else at


class Lexer(ABC):
    """Reads words of a text, from `at` on."""

    def __init__(self, text: str, at: int, depth: int, faults: list[Fault]) -> None:
        self.text = text
        self.at = at
        self.depth = depth
        self.faults = faults

    @abstractmethod
    def substitution(self) -> None:
        """Skip `$(...)`."""

    def line(self, at: int) -> int:
        """The number of the line, from 1."""
        return self.text.count("\n", 0, at) + 1

    def unclosed(self, at: int, what: str) -> None:
        """Note that something has no end."""
        self.fault(at, f"{visible(what)} that is opened here is never closed", "close it")

    def fault(self, at: int, message: str, hint: str) -> None:
        """Note a fault, after which nothing can be told."""
        self.faults.append(Fault(f"line {self.line(at)}: {message}", hint))
        self.at = len(self.text)

    def word(self) -> Word:
        """The word that begins here."""
        word = Word(self.at)
        while self.at < len(self.text) and self.text[self.at] not in BREAKS:
            char = self.text[self.at]
            if char == "\\":
                self.escape(word)
            elif char == "'":
                self.single(word)
            elif char == '"':
                self.double(word)
            elif char in "$`":
                self.expansion(word, quoted=False)
            else:
                self.push(word, char, 1, bare=True)
        word.end = self.at
        return word

    def push(self, word: Word, char: str, width: int, *, bare: bool = False) -> None:
        """Add a character that is spelled by the next `width` ones."""
        word.chars.append(Char(char, self.at, self.at + width))
        word.bare.append(bare)
        self.at += width

    def escape(self, word: Word) -> None:
        """A backslash without quotes."""
        following = self.text[self.at + 1 : self.at + 2]
        if following == "\n":
            self.at += 2
        elif following:
            self.push(word, following, 2)
        else:
            word.obstacle = EXPANSION
            self.at += 1

    def single(self, word: Word) -> None:
        """A piece in single quotes."""
        start, end = self.at, self.text.find("'", self.at + 1)
        word.holes.append(start)
        if end < 0:
            self.unclosed(start, "'")
            return
        self.at += 1
        while self.at < end:
            self.push(word, self.text[self.at], 1)
        self.at += 1
        word.quotes.append((Style.SINGLE, start, self.at))

    def double(self, word: Word) -> None:
        """A piece in double quotes."""
        start = self.at
        word.holes.append(start)
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            char, following = self.text[self.at], self.text[self.at + 1 : self.at + 2]
            if char == "\\" and following == "\n":
                self.at += 2
            elif char == "\\" and following and following in '"\\$`':
                self.push(word, following, 2)
            elif char in "$`":
                self.expansion(word, quoted=True)
            else:
                self.push(word, char, 1)
        if self.at >= len(self.text):
            self.unclosed(start, '"')
            return
        self.at += 1
        word.quotes.append((Style.DOUBLE, start, self.at))

    def expansion(self, word: Word, *, quoted: bool) -> None:
        """What begins with `$` or a backtick: it is skipped, and the word's value cannot be told."""
        start, following = self.at, self.text[self.at + 1 : self.at + 2]
        literal = not re.match(r"[A-Za-z0-9_@*#?$!({\\-]", following) and (quoted or following not in {"'", '"'})
        escapes_other = following == "\\" and not self.text.startswith("\\\n", self.at + 1)
        if self.text[start] == "$" and (literal or escapes_other):
            self.push(word, "$", 1, bare=not quoted)
            return
        word.obstacle = EXPANSION
        word.holes.append(start)
        self.depth += 1
        if self.depth > DEEPEST:
            self.fault(start, f"substitutions nested deeper than {DEEPEST}", "write plain values")
        elif self.text[start] == "`":
            self.backticks()
        elif self.text.startswith("$((", start):
            self.arithmetic()
        elif following == "(":
            self.substitution()
        elif following == "{":
            self.braces(quoted=quoted)
        else:
            self.at += 1 if following in {"'", '"', "\\"} else 2
        self.depth -= 1

    def backticks(self) -> None:
        """Skip a command in backticks."""
        found = re.compile(r"`(?:[^`\\]|\\.)*`", re.DOTALL).match(self.text, self.at)
        if found is None:
            self.unclosed(self.at, "`")
        else:
            self.at = found.end()

    def arithmetic(self) -> None:
        """Skip `$((...))`."""
        start, level = self.at, 0
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            level += {"(": 1, ")": -1}.get(char, 0)
            if char in "$`":
                self.expansion(Word(self.at), quoted=True)
                continue
            self.at += 1
            if level == 0:
                return
        self.unclosed(start, "$((")

    def braces(self, *, quoted: bool) -> None:
        """Skip `${...}`."""
        start, inner = self.at, Word(self.at)
        self.at += 2
        while self.at < len(self.text) and self.text[self.at] != "}":
            char = self.text[self.at]
            if char == "\\":
                self.at += 2
            elif char == "'" and not quoted:
                self.single(inner)
            elif char == '"':
                self.double(inner)
            elif char in "$`":
                self.expansion(inner, quoted=quoted)
            else:
                self.at += 1
        if self.at >= len(self.text):
            self.unclosed(start, "${")
        self.at += 1
