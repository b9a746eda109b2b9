"""Files of YAML that people write for this program: text, lists and members, each with its line, and no more of YAML.

A scalar is the text that stands there: `no`, `010`, `12:30` and `2027-01-01` are not guessed at. Anchors, aliases,
tags, merge keys and a second document are refused as they are met, before anything is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from dockertls.documents.decoding import decoded
from dockertls.errors import Fault, attempt
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 * 1024
"""Bytes: thousands of lines, and a second of the parser's time at most."""
DEEPEST = 16
"""Lists and members within each other."""
BOM = "\ufeff"


@dataclass(frozen=True)
class Text:
    """A scalar, as it is written; without quotes, and with what their escapes stand for."""

    value: str
    line: int


@dataclass(frozen=True)
class Items:
    """A list."""

    values: tuple[Value, ...]
    line: int


@dataclass(frozen=True)
class Members:
    """Names, none of them twice, and their values, in order."""

    pairs: tuple[tuple[Text, Value], ...]
    line: int


@dataclass(frozen=True)
class Nothing:
    """Something that was refused, and stood here."""

    line: int


Value = Text | Items | Members | Nothing
"""A value, and the line on which it begins, from 1."""


@dataclass(frozen=True)
class Flaw:
    """What is wrong on a line, and what to do about it."""

    line: int
    message: str
    hint: str


@dataclass(frozen=True)
class Document:
    """What was read.

    Attributes:
        root: what stands at the top; where reading ended at a flaw, the members that end before it. None: nothing does.
        flaws: what is wrong with it as YAML.
    """

    root: Value | None
    flaws: tuple[Flaw, ...] = ()


def parse(content: bytes) -> Document:
    """Read a file.

    Args:
        content: all of its bytes: UTF-8, with a byte order mark or without.

    Returns:
        What it holds, with every flaw that can be told; it is never an error.
    """
    if len(content) > LARGEST:
        return Document(None, (Flaw(1, f"the file is larger than {LARGEST // 1024} KiB", "name the right file"),))
    text, faults = attempt(lambda: decoded(content, "the file"))
    if text is None:
        return Document(None, tuple(_undecoded(content, fault) for fault in faults))
    reading = _Reading()
    reading.run(text.removeprefix(BOM))
    return Document(reading.root or reading.before(), tuple(reading.flaws))


def _undecoded(content: bytes, fault: Fault) -> Flaw:
    sound = content.decode(errors="replace").partition("\ufffd")[0]
    return Flaw(sound.count("\n") + 1, "this is not UTF-8", fault.hint)


@dataclass
class _Open:
    """A list or members that are being read; of members, names and values take turns."""

    members: bool
    line: int
    values: list[Value] = field(default_factory=list)


class _Reading:
    """One pass over a text's events."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []
        self.root: Value | None = None
        self.open: list[_Open] = []
        self.documents = 0

    def run(self, text: str) -> None:
        """Read to the end, or to the flaw that leaves the rest without a meaning."""
        try:
            for event in _events(text):
                if not self.take(event):
                    return
        except _Malformed as error:
            self.flaws.append(error.flaw)

    def before(self) -> Members | None:
        """The members at the top that end before the flaw at which reading did; None: there are none."""
        if not self.open or not self.open[0].members:
            return None
        values, end = self.open[0].values, self.flaws[-1].line
        whole = values[: len(values) // 2 * 2]
        pairs = tuple(pair for pair in self.pairs(whole) if pair[1].line < end)
        return Members(pairs, self.open[0].line) if pairs else None

    def take(self, event: yaml.Event) -> bool:
        """Take one event; whether reading can go on."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                return self.begin(event, line)
            case yaml.AliasEvent():
                self.flaw(line, visible(f"*{event.anchor}: aliases are not taken"), "write out what it stands for")
                self.put(Nothing(line))
            case yaml.ScalarEvent():
                self.plain(event, line)
                self.scalar(event, line)
            case yaml.CollectionStartEvent():
                self.plain(event, line)
                return self.enter(isinstance(event, yaml.MappingStartEvent), line)
            case yaml.CollectionEndEvent():
                self.leave()
        return True

    def begin(self, event: yaml.DocumentStartEvent, line: int) -> bool:
        self.documents += 1
        if event.version or event.tags:
            self.flaw(line, "directives are not taken", "remove the lines that begin with %")
        if self.documents > 1:
            self.flaw(line, "a second document begins here", "make one of both, without --- between them")
        return self.documents == 1

    def plain(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> None:
        """Refuse what YAML knows beyond text, lists and members."""
        if event.anchor is not None:
            self.flaw(line, f"&{visible(event.anchor)}: anchors are not taken", "remove it")
        if event.tag is not None:
            self.flaw(line, f"{visible(event.tag)}: tags are not taken", "remove it, and write the value as text")

    def scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            self.flaw(line, "an escape that stands for no character", "retype the text")
            self.put(Nothing(line))
        elif self.open or event.value or event.style:
            self.put(Text(event.value, line))

    def enter(self, members: bool, line: int) -> bool:
        if len(self.open) == DEEPEST:
            self.flaw(line, f"nested deeper than {DEEPEST}", "nothing here needs it: flatten the value")
            return False
        self.open.append(_Open(members, line))
        return True

    def leave(self) -> None:
        done = self.open.pop()
        if done.members:
            self.put(Members(tuple(self.pairs(done.values)), done.line))
        else:
            self.put(Items(tuple(done.values), done.line))

    def pairs(self, values: list[Value]) -> Iterator[tuple[Text, Value]]:
        """Names and values; a name that is none, or is there already, is told and left out."""
        seen: dict[str, int] = {}
        for name, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(name, Text) or not name.value:
                if not isinstance(name, Nothing):
                    self.flaw(name.line, "a name must stand here", "write `name: value`")
            elif name.value == "<<":
                self.flaw(name.line, "<<: merge keys are not taken", "write out what is to be merged")
            elif name.value in seen:
                shown = f"{short(name.value)} stands here and on line {seen[name.value]}"
                self.flaw(name.line, shown, "keep one of them")
            else:
                seen[name.value] = name.line
                yield name, value

    def put(self, value: Value) -> None:
        if self.open:
            self.open[-1].values.append(value)
        else:
            self.root = value

    def flaw(self, line: int, message: str, hint: str) -> None:
        self.flaws.append(Flaw(line, message, hint))


class _Malformed(Exception):
    """It is no YAML."""

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(line, message, hint)


def _events(text: str) -> Iterator[yaml.Event]:
    """What the parser meets, one after the other: it keeps a list of what is open, and calls nothing by itself.

    Raises:
        _Malformed: where it is no YAML.
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Malformed(line, "a control character stands here", "remove it, or write it as an escape") from None
    try:
        while loader.check_event():
            yield loader.get_event()  # type: ignore[no-untyped-call]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = ", ".join(filter(None, (error.context, error.problem)))
        hint = "mend it here, or just before: indent by blanks alone, and put text with : # [ or { in quotes"
        raise _Malformed(line, f"this is not YAML: {visible(said)}", hint) from None
    except (ValueError, OverflowError):  # of an escape or a version that is no number of Python's
        raise _Malformed(loader.line + 1, "this is not YAML: a number out of range", "mend the escape") from None


def short(text: str) -> str:
    """Text that fits into a line of a message."""
    return visible(text if len(text) <= 40 else text[:37] + "...")  # noqa: PLR2004 - as said
