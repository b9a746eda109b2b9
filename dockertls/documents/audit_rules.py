"""Rules of the kernel's audit, as `auditctl -l` tells them and files hold them (auditctl(8)); read, never written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WATCH, SEPARATE = "-w", ","
_ALONE = frozenset({"-D", "-i", "-c", "-l", "-s", "-v", "-R", "-t", "-q"})
"""Options of a line that make no rule."""
_WRITING = frozenset({"all", "open", "openat", "openat2", "creat", "truncate", "rename", "renameat", "renameat2"})
"""System calls with which files are changed: what names none of them tells of no change."""
_ANY_USER = frozenset({"auid", "loginuid"})
_UNSET = frozenset({"unset", "-1", "4294967295"})
_WIDE = frozenset({"arch", "perm", "key", "path", "dir", "filetype"})
"""Fields that do not make a watch tell less of changes than it seems to."""
_OPERATORS = (">=", "<=", "!=", "&=", "=", ">", "<", "&")


class Form(Enum):
    """How a rule names what it is about."""

    WATCH = "-w"
    """A file, or a directory and all below it."""
    PATH = "path"
    """A file; of a directory itself alone."""
    DIR = "dir"
    """A directory and all below it."""
    NOTHING = ""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        text: as it stands there.
        action: "always" or "never".
        filter: the list that it is in, such as "exit".
        form: how it names a path.
        path: what it is about; None: no path.
        permissions: letters of what is told, of r, w, x and a; None: not said.
        calls: the system calls that it is about; none: all.
        narrow: it asks for more than a path: a user, a program, an outcome.
    """

    text: str
    action: str
    filter: str
    form: Form = Form.NOTHING
    path: Path | None = None
    permissions: frozenset[str] | None = None
    calls: frozenset[str] = frozenset()
    narrow: bool = False

    @property
    def of_writes(self) -> bool:
        """Whether it is about changes, whoever makes them."""
        if self.permissions is not None:
            return "w" in self.permissions
        return not self.calls or bool(self.calls & _WRITING)

    def decides(self, path: Path) -> bool:
        """Whether it says, for everybody, that changes of a path are told, or that they are not."""
        if self.narrow or self.filter not in {"exit", "task"}:
            return False
        if self.action == "never":
            return self.covers(path) if self.path else not self.calls
        return self.action == "always" and self.filter == "exit" and self.of_writes and self.covers(path)

    def covers(self, path: Path) -> bool:
        """Whether it is about a path."""
        if self.path is None or self.form is Form.PATH:
            return path == self.path
        return path.is_relative_to(self.path)


@dataclass(frozen=True)
class Rules:
    """Rules in the order in which the kernel asks them: the first that fits decides.

    Attributes:
        rules: all of them.
        off: the files switch auditing off.
    """

    rules: tuple[Rule, ...] = ()
    off: bool = False

    def tells_of(self, path: Path) -> bool:
        """Whether changes of a path are told: a folder that is watched covers what is below it, not the reverse."""
        if self.off:
            return False
        decisive = (rule for rule in self.rules if rule.decides(path))
        return next((rule.action == "always" for rule in decisive), False)


def parse(text: str) -> Rules:
    """The rules that lines come to; what is no rule and no command is passed over."""
    rules: list[Rule] = []
    off = False
    for line in text.splitlines():
        words = line.split()
        if not words or not words[0].startswith("-"):
            continue
        found = _options(words)
        if "-D" in words:
            rules = []
        elif "-W" in found:
            gone = Path(found["-W"][-1])
            rules = [rule for rule in rules if not (rule.form is Form.WATCH and rule.path == gone)]
        elif "-e" in found:
            off = found["-e"][-1] == "0"
        elif "-d" in found:
            removed = _rule(found | {"-a": found["-d"]}, "")
            rules = [rule for rule in rules if _same(rule) != _same(removed)]
        elif found.keys() & {"-a", "-A", WATCH}:
            rule = _rule(found, " ".join(words))
            rules = [rule, *rules] if "-A" in found else [*rules, rule]
    return Rules(tuple(rules), off)


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    """What follows each option; one that stands alone has nothing."""
    found: dict[str, list[str]] = {}
    for option, value in zip(words, (*words[1:], ""), strict=True):
        if option.startswith("-") and option not in _ALONE:
            found.setdefault(option, []).append(value)
    return found


def _same(rule: Rule) -> tuple[object, ...]:
    return rule.action, rule.filter, rule.form, rule.path, rule.permissions, rule.calls, rule.narrow


def _rule(found: dict[str, list[str]], text: str) -> Rule:
    parts = next((found[option][-1].split(SEPARATE) for option in ("-a", "-A") if option in found), ["always", "exit"])
    action = next((part for part in parts if part in {"always", "never", "possible"}), "")
    fields = [_field(value) for value in found.get("-F", [])]
    named = {name: value for name, operator, value in fields if operator == "="}
    permissions = next(iter(found.get("-p", [])), named.get("perm"))
    form, path = _path(found, named)
    return Rule(
        text,
        action,
        next((part for part in parts if part != action), ""),
        form,
        path,
        None if permissions is None else frozenset(permissions),
        frozenset(call for value in found.get("-S", []) for call in value.split(SEPARATE)) - {"all"},
        "-C" in found or any(map(_narrows, fields)),
    )


def _path(found: dict[str, list[str]], named: dict[str, str]) -> tuple[Form, Path | None]:
    if WATCH in found:
        return Form.WATCH, Path(found[WATCH][-1])
    form = next((form for form in (Form.PATH, Form.DIR) if form.value in named), Form.NOTHING)
    return form, Path(named[form.value]) if form is not Form.NOTHING else None


def _field(text: str) -> tuple[str, str, str]:
    """Name, operator and value of a field."""
    operators = (operator for operator in _OPERATORS if operator in text)
    operator = min(operators, key=lambda one: (text.index(one), -len(one)), default="=")
    name, _, value = text.partition(operator)
    return name, operator, value


def _narrows(field: tuple[str, str, str]) -> bool:
    """Whether a field leaves somebody out who matters; people are asked for as auid>=1000 and auid!=unset."""
    name, operator, value = field
    people = name in _ANY_USER and (operator in {">=", ">"} or (operator == "!=" and value in _UNSET))
    return not (people or (name in _WIDE and operator == "="))
