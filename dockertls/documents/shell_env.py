"""Environment files as sh sources them (POSIX XCU 2): which assignments surely take place, and what cannot be told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.documents.assignments import NAME, Assignment, Reading, Style, Touch
from dockertls.documents.shell_lexer import BREAKS, EXPANSION, Lexer, Word
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dockertls.errors import Fault

_OPERATOR = re.compile(r"<<-|;;&|;;|;&|&&|\|\||<<|<&|>&|>>|<>|>\||[;&|<>()]")
_OPENING = frozenset({"if", "while", "until", "for", "select", "case", "{"})
_LOOPS = frozenset({"while", "until", "for", "select"})
_CLOSING: Mapping[str, Collection[str]] = MappingProxyType(
    {"fi": {"if"}, "done": _LOOPS, "}": {"{"}, "esac": {"case"}, ")": {"("}}
)
_INNER: Mapping[str, Collection[str]] = MappingProxyType({"then": {"if"}, "else": {"if"}, "elif": {"if"}, "do": _LOOPS})
_RESERVED = _OPENING | _CLOSING.keys() - {")"} | _INNER.keys() | {"!", "function"}
_SETS = frozenset(
    {"unset", "read", "readonly", "local", "declare", "typeset", "getopts", "let", "mapfile", "readarray", "export"}
)
_RUNS = frozenset({"eval", ".", "source", "command", "builtin", "alias"})
_ENDS = frozenset({"exit", "return", "exec"})
_DEFAULT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*):?=")
_ARITHMETIC = re.compile(r"\$\(\((.*?)\)\)", re.DOTALL)
_NEXT = MappingProxyType({"subject": "in", "in": "pattern"})
"""What follows which in the head of `case SUBJECT in PATTERN)`."""
_CONDITION = "it is assigned under a condition"


def read(text: str) -> Reading:
    """Read an environment file."""
    reader = _Reader(text)
    reader.run()
    return Reading(
        tuple(reader.assignments), tuple(reader.touches), (), tuple(reader.comments), tuple(reader.faults[:1])
    )


@dataclass(frozen=True)
class _Block:
    """An open block: `if`, `{`, `(` ..."""

    word: str
    at: int
    is_function: bool


class _Reader(Lexer):
    """One pass over a text, from `at` on."""

    def __init__(self, text: str, at: int = 0, depth: int = 0, faults: list[Fault] | None = None) -> None:
        super().__init__(text, at, depth, [] if faults is None else faults)
        self.assignments: list[Assignment] = []
        self.touches: list[Touch] = []
        self.comments: list[tuple[int, int]] = []
        self.open: list[_Block] = []
        self.words: list[Word] = []
        self.before = ";"
        self.bodies: list[tuple[str, bool]] = []
        self.functions: set[str] = set()
        self.expected = ""
        self.is_function = False
        self.is_redirected = False
        self.is_closed = False

    # reading

    def run(self, *, nested: bool = False) -> None:
        """Read commands to the end, or to the `)` of a substitution."""
        begun = self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in " \t":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif char == "\n":
                self.newline()
            elif char == "#":
                self.comment()
            elif char == ")" and nested and not self.open:
                self.flush(";")
                self.at += 1
                return
            elif char in BREAKS:
                self.operator()
            else:
                self.take(self.word())
        self.flush(";")
        if nested:
            self.unclosed(begun - 2, "$(")
        elif self.open and not self.faults:
            self.unclosed(self.open[-1].at, self.open[-1].word)

    def comment(self) -> None:
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        self.comments.append((self.at, end))
        self.at = end

    def newline(self) -> None:
        self.flush("\n")
        self.at += 1
        for ending, stripped in self.bodies:
            self.here_document(ending, stripped=stripped)
        self.bodies.clear()

    def here_document(self, ending: str, *, stripped: bool) -> None:
        start = self.at
        while self.at < len(self.text):
            end = self.text.find("\n", self.at)
            end = len(self.text) if end < 0 else end
            line = self.text[self.at : end]
            self.at = min(end + 1, len(self.text))
            if (line.lstrip("\t") if stripped else line) == ending:
                break
        self.expanded(start, self.at)

    def operator(self) -> None:
        found = _OPERATOR.match(self.text, self.at)
        sign = found.group() if found else self.text[self.at]
        start, self.at = self.at, self.at + len(sign)
        if sign[0] in "<>":
            self.is_redirected = True
            self.expected = sign if sign in {"<<", "<<-"} else "target"
        elif self.expected == "pattern":
            self.expected = "" if sign == ")" else "pattern"
        elif sign == "(":
            self.parenthesis(start)
        elif sign == ")":
            self.flush(";")
            self.close(")", start)
        elif sign in {";", "&", "&&", "||", "|"} and not (self.words or self.is_closed or self.is_redirected):
            self.fault(start, f"no command stands before {sign}", "remove it: sh stops reading the file there")
        else:
            self.flush(sign)
            if sign.startswith((";;", ";&")) and self.open and self.open[-1].word == "case":
                self.expected = "pattern"

    def parenthesis(self, start: int) -> None:
        """A subshell, or the `()` of a function."""
        empty = re.compile(r"[ \t]*\)").match(self.text, self.at)
        if not self.words:
            self.enter("(", start)
        elif len(self.words) == 1 and empty:
            self.functions.add(self.words.pop().text)
            self.at, self.is_function, self.before = empty.end(), True, ";"
        else:
            self.fault(start, "( cannot stand here in sh", "write plain assignments: sh has no lists")

    def substitution(self) -> None:
        inner = _Reader(self.text, self.at + 2, self.depth, self.faults)
        inner.run(nested=True)
        self.at = inner.at

    # structure

    def take(self, word: Word) -> None:
        """Put a word where it belongs: a redirection, a head of a block, a command."""
        expected, self.expected = self.expected, ""
        plain = word.text if word.is_plain else ""
        if expected in {"<<", "<<-"}:
            self.bodies.append((word.text, expected == "<<-"))
        elif expected == "pattern":
            self.expected = "" if plain == "esac" else "pattern"
            if plain == "esac":
                self.close("esac", word.start)
        elif expected in _NEXT:
            self.expected = _NEXT[expected]
        elif expected == "loop":
            self.touch(word.start, {word.text}, "a loop")
        elif expected == "target":
            self.expanded(word.start, word.end)
        elif expected == "function":
            self.functions.add(word.text)
        elif not self.words and plain in _RESERVED:
            self.reserved(plain, word.start)
        elif self.is_function:
            self.fault(word.start, "a function whose body is no block", "write { ...; }")
        else:
            self.words.append(word)

    def reserved(self, word: str, at: int) -> None:
        if word in _OPENING:
            self.enter(word, at)
            self.expected = {"case": "subject", "for": "loop", "select": "loop"}.get(word, "")
        elif word in _CLOSING:
            self.close(word, at)
        elif word in _INNER and (not self.open or self.open[-1].word not in _INNER[word]):
            self.fault(at, f"{word} stands outside of its block", "remove it: sh stops reading the file there")
        elif word == "function":
            self.expected, self.is_function = "function", True
        self.before = ";" if word != "!" else self.before

    def enter(self, word: str, at: int) -> None:
        self.open.append(_Block(word, at, self.is_function))
        self.is_function = False
        self.before = ";"

    def close(self, word: str, at: int) -> None:
        if self.open and self.open[-1].word in _CLOSING[word]:
            self.open.pop()
            self.before, self.is_closed = ";", True
        else:
            self.fault(at, f"{word} closes nothing", "remove it, or add what it shall close")

    def flush(self, after: str) -> None:
        """A command ends here."""
        words, self.words = self.words, []
        if words:
            self.command(words, after)
        if words or after != "\n" or self.before not in {"&&", "||", "|"}:
            self.before = ";" if after == "\n" else after
        self.is_redirected = self.is_closed = False
        if self.expected in {"target", "<<", "<<-", "loop", "function"}:
            self.expected = ""

    # meaning

    def command(self, words: list[Word], after: str) -> None:
        """Note what a command does to variables."""
        for word in words:
            self.expanded(word.start, word.end)
        count = next((at for at, word in enumerate(words) if word.equals() < 0), len(words))
        alone = self.before in {";", "&"} and after in {";", "\n"}
        certain = alone and not self.open and not self.is_redirected
        if count == len(words):
            for word in words:
                self.assign(word, word.start, "" if certain else _CONDITION)
        elif words[0].text == "export" and words[0].is_plain:
            self.export(words, certain=certain)
        else:
            self.touch(words[0].start, {word.text[: word.equals()] for word in words[:count]}, "a command")
            self.effect(words[count], words[count + 1 :])

    def expanded(self, start: int, end: int) -> None:
        """Note the variables that expansions assign: `${X:=1}`, `$((X += 1))`."""
        raw = self.text[start:end]
        names = {*_DEFAULT.findall(raw), *NAME.findall(" ".join(_ARITHMETIC.findall(raw)))}
        self.touch(start, names, "an expansion")

    def export(self, words: list[Word], *, certain: bool) -> None:
        arguments = words[1:]
        for word in arguments:
            if word.equals() < 0:
                raw = self.text[word.start : word.end]
                if not NAME.fullmatch(raw):
                    self.touch(word.start, None if word.obstacle else set(NAME.findall(raw)), "export")
                    self.touch(word.start, None, "export", ends=True)
                continue
            expands = any(b and c.char in "*?[{" for c, b in zip(word.chars, word.bare, strict=True))
            obstacle = EXPANSION if expands else "" if certain else _CONDITION
            self.assign(word, words[0].start if len(arguments) == 1 else word.start, obstacle)

    def assign(self, word: Word, start: int, obstacle: str) -> None:
        at = word.equals()
        name, first = word.text[:at], word.chars[at].end
        chars, bare = word.chars[at + 1 :], word.bare[at + 1 :]
        if any(is_bare and char.char == "~" for char, is_bare in zip(chars, bare, strict=True)):
            obstacle = obstacle or EXPANSION
        obstacle = obstacle or word.obstacle
        quotes = [style for style, begun, ended in word.quotes if (begun, ended) == (first, word.end)]
        style = quotes[0] if quotes else Style.MIXED if word.quotes else Style.BARE
        found = Assignment(name, self.line(word.start), obstacle, start, first, word.end, style, tuple(chars))
        self.assignments.append(found)
        if self.in_function():
            self.touch(word.start, {name}, "a function")

    def effect(self, program: Word, arguments: list[Word]) -> None:
        """What a command other than an assignment may do."""
        name = program.text
        raw = " ".join(self.text[word.start : word.end] for word in arguments)
        if program.obstacle or (name in _RUNS and not (name == "command" and raw.startswith(("-v ", "-V ")))):
            self.touch(program.start, None, visible(self.text[program.start : program.end]))
        elif name in _SETS or (name == "printf" and raw.startswith("-v")):
            self.touch(program.start, set(NAME.findall(raw)), name, lasting=name == "readonly")
        if name in _ENDS or name in self.functions:
            self.touch(program.start, None, visible(name), ends=not self.in_function())

    def in_function(self) -> bool:
        return any(block.is_function for block in self.open)

    def touch(self, at: int, names: set[str] | None, what: str, *, ends: bool = False, lasting: bool = False) -> None:
        """Note an effect; that of a function, and of readonly, may come at any time."""
        if names is not None and not names:
            return
        start = len(self.text) if lasting or self.in_function() else at
        self.touches.append(Touch(start, self.line(at), None if names is None else frozenset(names), what, ends))
