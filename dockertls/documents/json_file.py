"""daemon.json, ~/.docker/config.json: edited without loss, member by member of the top object."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from types import MappingProxyType

from dockertls.documents.decoding import decoded
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A value as JSON knows it."""

DEEPEST = 100
"""Objects and lists within each other. No file of Docker's comes near; Python's own parser gives up at a thousand."""

BOM = "\ufeff"
_LONGEST_INT = 4000
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*(?:.|\n)*?(?:\*/|\Z))
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*"?)
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
    | (?P<word>[\w.+-]+)
    | (?P<mark>[{}\[\],:])
    | (?P<other>.)""",
    re.VERBOSE,
)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_CLOSING = MappingProxyType({"{": "}", "[": "]"})


@dataclass(frozen=True)
class Member:
    """A member of the top object: its name, and where name and value stand in the text."""

    key: str
    start: int
    value: int
    end: int


@dataclass(frozen=True)
class JsonFile:
    """A JSON document whose top is an object, edited without loss.

    A text of nothing but blanks is a document without members: dockerd takes it for no settings.

    Attributes:
        text: the whole document, to the byte.
        name: what errors call it.
        members: those of the top object, in order.
        bare: the text before the first member was put in, which comes back when the last one goes.
    """

    text: str
    name: str = field(compare=False)
    members: tuple[Member, ...] = field(compare=False, repr=False)
    bare: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def decode(cls, content: bytes, name: str) -> JsonFile:
        """Parse a file's bytes.

        Raises:
            Refused: if they are not UTF-8, or as for `parse`.
        """
        return cls.parse(decoded(content, name), name=name)

    @classmethod
    def parse(cls, text: str, *, name: str) -> JsonFile:
        """Parse a document.

        Args:
            text: the document; a byte order mark before it is kept.
            name: what errors call it, such as its path.

        Raises:
            Refused: with every fault that can be told, each with line and column.
        """
        reading = _Reading(text)
        reading.run()
        refuse(visible(name), reading.faults)
        return cls(text, name, tuple(reading.members))

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the members, in order."""
        return tuple(member.key for member in self.members)

    def get(self, key: str) -> Json | None:
        """The value of a member; None: it is null, or not there (see `keys`)."""
        member = self._member(key)
        return None if member is None else _value(self.text[member.value : member.end])

    def line(self, key: str) -> int:
        """The line on which a member's name stands, from 1; 0: there is no such member."""
        member = self._member(key)
        return 0 if member is None else _line(self.text, member.start)

    def set(self, key: str, value: Json) -> JsonFile:
        """The document with this value: in the member's place, or as the last member.

        An equal value gives an equal document.

        Raises:
            Refused: if JSON cannot say the value.
        """
        member = self._member(key)
        if member is None:
            return self._added(key, value)
        old = self.text[member.value : member.end]
        if _canonical(value) == _canonical(_value(old)):
            return self
        self._check(key, value)
        flat = not _is_multiline(self.text) or (old[:1] in _CLOSING and "\n" not in old)
        return self._edited(member.value, member.end, self._rendered(value, self._margin(member), flat=flat))

    def without(self, key: str) -> JsonFile:
        """The document without this member; a document that has none is returned as it is."""
        member = self._member(key)
        if member is None:
            return self
        at = self.members.index(member)
        if len(self.members) == 1:
            if self.bare is not None:
                return JsonFile.parse(self.bare, name=self.name)
            return self._edited(self.text.index("{") + 1, self.text.rindex("}"), "")
        if at == 0:
            return self._edited(member.start, self.members[1].start, "")
        return self._edited(self.members[at - 1].end, member.end, "")

    def _member(self, key: str) -> Member | None:
        return next((member for member in self.members if member.key == key), None)

    def _edited(self, start: int, end: int, text: str) -> JsonFile:
        new = JsonFile.parse(self.text[:start] + text + self.text[end:], name=self.name)
        return JsonFile(new.text, new.name, new.members, self.bare)

    def _added(self, key: str, value: Json) -> JsonFile:
        self._check(key, value)
        if not self.members:
            return self._first(key, value)
        last = self.members[-1]
        previous = self.members[-2].end if len(self.members) > 1 else self.text.index("{")
        gap = self.text[previous : last.start].lstrip(" \t\r\n").lstrip("{,")
        newline = _newline(self.text)
        if "\n" in gap:
            gap = newline + gap.rpartition("\n")[2]
        elif not gap and self._colon().endswith(" "):
            gap = " "
        flat = "\n" not in gap
        name = json.dumps(key, ensure_ascii=not _encodes(key))
        rendered = self._rendered(value, self._margin(last), flat=flat)
        return self._edited(last.end, last.end, f",{gap}{name}{self._colon()}{rendered}")

    def _first(self, key: str, value: Json) -> JsonFile:
        newline = _newline(self.text)
        name = json.dumps(key, ensure_ascii=not _encodes(key))
        body = f"{{{newline}  {name}: {self._rendered(value, '  ', flat=False)}{newline}}}"
        if self.text.strip(BOM + " \t\r\n"):
            new = self.text[: self.text.index("{")] + body + self.text[self.text.rindex("}") + 1 :]
        else:
            new = (BOM if self.text.startswith(BOM) else "") + body + newline
        parsed = JsonFile.parse(new, name=self.name)
        return JsonFile(parsed.text, parsed.name, parsed.members, self.text)

    def _colon(self) -> str:
        """What stands between a name and its value in this file, such as `: `."""
        if not self.members:
            return ": "
        member = self.members[-1]
        found = _STRING.match(self.text, member.start)
        colon = self.text[found.end() if found else member.start : member.value]
        return colon if "\n" not in colon else ": "

    def _margin(self, member: Member) -> str:
        """The indentation of the line on which a member stands."""
        head = self.text[self.text.rfind("\n", 0, member.start) + 1 : member.start]
        return head[: len(head) - len(head.lstrip(" \t"))]

    def _rendered(self, value: Json, margin: str, *, flat: bool) -> str:
        colon = self._colon() if flat else ": "
        separators = (", " if colon.endswith(" ") else ",", colon) if flat else (",", ": ")
        indent = None if flat else (margin or "  ")
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators)
        if not _encodes(text):
            text = json.dumps(value, allow_nan=False, indent=indent, separators=separators)
        return text if flat else text.replace("\n", _newline(self.text) + margin)

    def _check(self, key: str, value: Json) -> None:
        try:
            _value(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError):
            message = f"{visible(self.name)}: {visible(key)}: the new value is nothing that JSON can say"
            raise Refused(message, "give text, numbers, true, false, lists or objects") from None


def as_taken(content: bytes) -> dict[str, Json]:
    """What dockerd takes from a document that `parse` refuses for a name that stands twice: the last one counts.

    Nothing, if dockerd would refuse it too.
    """
    try:
        value = json.loads(content.decode().removeprefix(BOM), parse_int=_integer, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _no_json(word: str) -> Json:
    """NaN and Infinity, which Python's parser knows and JSON does not."""
    raise ValueError(word)


class _Reading:
    """One pass over a text: the members of its top object, and everything that is wrong with it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.faults: list[Fault] = []
        self.members: list[Member] = []
        self.open: list[tuple[str, int]] = []
        self.expected = "value"
        self.comma = 0
        self.key: tuple[str, int] = ("", 0)
        self.value = 0

    def run(self) -> None:
        """Read to the end, or to the fault after which nothing more can be told."""
        start = len(BOM) if self.text.startswith(BOM) else 0
        if not self.text[start:].strip(" \t\r\n"):
            return
        for found in _TOKEN.finditer(self.text, start):
            kind, sign = found.lastgroup, found.group()
            if kind == "space":
                continue
            if kind == "comment":
                self.fault(
                    found.start(),
                    f"comment {_short(sign)}",
                    "remove it: JSON and dockerd know no comments",
                )
            elif not self.take(kind or "other", sign, found.start()):
                return
        if self.expected != "end":
            where = self.open[-1] if self.open else ("text", start)
            what = f"the {where[0]} that is opened here is never closed" if self.open else "there is no JSON object"
            self.fault(where[1], what, f"add the missing {_CLOSING.get(where[0], '{}')}")

    def take(self, kind: str, sign: str, at: int) -> bool:
        """Take one token; whether reading can go on."""
        if kind == "mark" and sign in "}]":
            return self.close(sign, at)
        if self.expected in {"comma", "colon", "end"}:
            return self.separate(sign, at)
        if self.expected == "key":
            return self.name(kind, sign, at)
        if kind == "mark" and sign in "{[":
            return self.enter(sign, at)
        if kind in {"mark", "other"}:
            return self.fault(at, f"unexpected {_short(sign)}", "write a value here")
        self.scalar(kind, sign, at)
        self.begin(at)
        return self.done(at + len(sign))

    def begin(self, at: int) -> None:
        if len(self.open) == 1:
            self.value = at

    def enter(self, sign: str, at: int) -> bool:
        self.begin(at)
        if not self.open and sign == "[":
            return self.fault(at, "a list stands at the top", "write an object: {...}")
        if len(self.open) == DEEPEST:
            return self.fault(at, f"nested deeper than {DEEPEST}", "no setting of Docker needs it: flatten the value")
        self.open.append((sign, at))
        self.expected, self.comma = "key" if sign == "{" else "value", -1
        return True

    def close(self, sign: str, at: int) -> bool:
        if not self.open or _CLOSING[self.open[-1][0]] != sign:
            return self.fault(at, f"unexpected {sign}", "remove it, or close what is open first")
        if self.expected in {"key", "value"} and self.comma >= 0:
            self.fault(self.comma, "trailing comma", "remove the comma after the last member: dockerd refuses it")
        elif self.expected in {"colon", "value"} and self.open[-1][0] == "{":
            return self.fault(at, "a name without a value", "add `: value`")
        self.open.pop()
        return self.done(at + 1)

    def separate(self, sign: str, at: int) -> bool:
        if self.expected == "end":
            return self.fault(at, f"{_short(sign)} after the end of the object", "remove what follows the last }")
        wanted = ":" if self.expected == "colon" else ","
        if sign != wanted:
            return self.fault(at, f"{_short(sign)} where a {wanted!r} must stand", f"add the missing {wanted!r}")
        in_object = self.open[-1][0] == "{"
        self.comma = at if wanted == "," else -1
        self.expected = "key" if wanted == "," and in_object else "value"
        return True

    def name(self, kind: str, sign: str, at: int) -> bool:
        if kind != "string":
            return self.fault(at, f"{_short(sign)} where a name must stand", 'write the name in quotes: "name": value')
        self.scalar(kind, sign, at)
        self.expected = "colon"
        if len(self.open) == 1 and _STRING.fullmatch(sign):
            self.key = (str(json.loads(sign)), at)
            twin = next((member for member in self.members if member.key == self.key[0]), None)
            if twin:
                before = _line(self.text, twin.start)
                hint = "keep one of them: dockerd silently takes the last"
                self.fault(at, f"{_short(sign)} stands here and on line {before}", hint)
        return True

    def scalar(self, kind: str, sign: str, at: int) -> None:
        """Judge a string, number or word."""
        if not self.open:
            self.fault(at, f"{_short(sign)} stands at the top", "write an object: {...}")
        if kind == "string" and not _STRING.fullmatch(sign):
            hint = "close the quote on the same line; write a backslash as \\\\ and control characters as escapes"
            self.fault(at, f"{_short(sign)} is no JSON string", hint)
        elif kind == "string" and not _encodes(sign):
            self.fault(at, f"{_short(sign)} cannot be written as UTF-8", "retype the text")
        elif kind == "word" and sign not in {"true", "false", "null"}:
            hint = "write a finite number" if sign.strip("+-") in {"NaN", "Infinity"} else "put text in quotes"
            self.fault(at, f"{_short(sign)} is no JSON value", hint)

    def done(self, end: int) -> bool:
        """A value ends here."""
        if len(self.open) == 1:
            self.members.append(Member(self.key[0], self.key[1], self.value, end))
        self.expected = "comma" if self.open else "end"
        return True

    def fault(self, at: int, message: str, hint: str) -> bool:
        """Note a fault; False, so that a caller may return it to stop."""
        line = _line(self.text, at)
        column = at - self.text.rfind("\n", 0, at)
        if line == 1 and self.text.startswith(BOM):
            column -= 1
        self.faults.append(Fault(f"line {line}, column {column}: {message}", hint))
        return False


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _newline(text: str) -> str:
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def _is_multiline(text: str) -> bool:
    return "\n" in text.strip(BOM + " \t\r\n")


def _short(sign: str) -> str:
    return visible(sign if len(sign) <= 30 else sign[:27] + "...")  # noqa: PLR2004 - fits into one line


def _encodes(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _integer(digits: str) -> int | float:
    """Python refuses to read integers of more than some 4300 digits."""
    return int(digits) if len(digits) < _LONGEST_INT else float(digits)


def _value(text: str) -> Json:
    value: Json = json.loads(text, parse_int=_integer)
    return value


def _canonical(value: Json) -> str | None:
    """A text that is equal exactly for equal values; 1, 1.0 and true are three. None: JSON cannot say the value."""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
