"""A policy as it is written: YAML, judged as a whole, so that every fault is told at once with its line."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from dockertls.audit.policy import Policy
from dockertls.audit.seen import Expected
from dockertls.documents import duration, yaml_file
from dockertls.documents.yaml_file import Flaw, Items, Members, Nothing, Text, short
from dockertls.errors import Fault, Refused, refuse
from dockertls.escaping import visible
from dockertls.findings import SEVERITIES
from dockertls.report.audited import Waiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import timedelta

    from dockertls.audit.policy import Waived
    from dockertls.documents.yaml_file import Value
    from dockertls.findings import Severity

T = TypeVar("T")

SCHEMA = "dockertls/policy/1"
"""What the file may call itself."""
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "schema": SCHEMA,
        "docker-group": "[ann, bob]",
        "severity": "{DMN-02: high}",
        "waive": "[{check: DMN-09, reason: why, until: 2027-03-01}]",
        "expiry": "{warn: 30d, fail: 7d}",
        "keys": "{rsa: 3072}",
        "files": "cis-strict",
    }
)
"""What may stand in a policy, and what it looks like."""
FILES = MappingProxyType({"normal": False, "cis-strict": True})
WEAKEST, STRONGEST = 2048, 8192
"""Bits of RSA keys: whoever wants to let weaker ones be waives the check; Go takes no stronger ones."""
MOST = 100
"""Faults that are told: nobody mends more at a time."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BITS = re.compile(r"[1-9][0-9]{0,5}")
_USER = re.compile(r"[^\s:,]+")
_ID = re.compile(r"-([0-9])$")
_LONGEST = 40
"""Characters of a word that may be another one misspelt."""


def read(content: bytes, name: str, known: Collection[str]) -> Policy:
    """See `dockertls.audit.policy.parse`."""
    document = yaml_file.parse(content)
    reading = _Reading(known, list(document.flaws))
    found = Policy() if document.root is None else reading.policy(document.root)
    _refuse(name, reading.flaws)
    return found


def _refuse(name: str, flaws: Iterable[Flaw]) -> None:
    """Raise one error with every fault, or return if there is none."""
    told = [
        Fault(f"{visible(name)}:{flaw.line}: {flaw.message}", flaw.hint) for flaw in sorted(flaws, key=lambda f: f.line)
    ]
    if len(told) > MOST:
        told = [*told[:MOST], Fault(f"{visible(name)}: {len(told) - MOST} faults more", "mend these first")]
    if len(told) == 1:
        raise Refused(told[0].message, told[0].hint, faults=told)
    refuse(visible(name), told)


class _Reading:
    """One pass over a policy, with everything that is wrong with it."""

    def __init__(self, known: Collection[str], flaws: list[Flaw]) -> None:
        self.known = sorted(known)
        self.flaws = flaws

    def policy(self, root: Value) -> Policy:
        """All that it says; of no use if there are flaws."""
        given = self.members(root, "a policy", EXAMPLES, "write `name: value`, such as: docker-group: [ann, bob]")
        self.one_of(given.get("schema"), "schema", {SCHEMA: True}, default=True)
        warn, fail = self.expiry(given.get("expiry"))
        expected = Expected(
            self.group(given.get("docker-group")),
            warn,
            fail,
            self.rsa(given.get("keys")),
            self.one_of(given.get("files"), "files", FILES, default=False),
        )
        severities, waivers = self.severities(given.get("severity")), self.waivers(given.get("waive"))
        return Policy(expected, MappingProxyType(severities), MappingProxyType(waivers))

    def group(self, value: Value | None) -> frozenset[str] | None:
        if value is None:
            return None
        found: set[str] = set()
        for one in self.items(value, "docker-group"):
            user = self.text(one, "a member of docker-group", "write the name of a user")
            if user and not _USER.fullmatch(user.value):
                self.flaw(user.line, f"docker-group: {short(user.value)} is no name of a user", "a name to an item")
            elif user:
                found.add(user.value)
        return frozenset(found)

    def severities(self, value: Value | None) -> dict[str, Severity]:
        found: dict[str, Severity] = {}
        for check, one in self.pairs(value, "severity", f"such as: {EXAMPLES['severity']}"):
            self.check(check)
            if severity := self.one_of(one, f"severity of {short(check.value)}", SEVERITIES, default=None):
                found[check.value] = severity
        return found

    def expiry(self, value: Value | None) -> tuple[timedelta, timedelta]:
        given = self.inner(value, "expiry", ("warn", "fail"))
        warn = self.time(given.get("warn"), "warn", Expected.warn)
        fail = self.time(given.get("fail"), "fail", Expected.fail)
        if value and fail > warn:
            self.flaw(value.line, "expiry: it fails before it warns", "name both, and a longer time for warn")
        return warn, fail

    def time(self, value: Value | None, name: str, default: timedelta) -> timedelta:
        text = self.text(value, f"expiry {name}", duration.HOW) if value else None
        if text is None:
            return default
        found = duration.parse(text.value)
        if found is None:
            self.flaw(text.line, f"expiry {name}: {short(text.value)} is no time", duration.HOW)
        return default if found is None else found

    def rsa(self, value: Value | None) -> int:
        given = self.inner(value, "keys", ("rsa",))
        text = self.text(given["rsa"], "keys rsa", "write bits, such as 3072") if "rsa" in given else None
        if text is None:
            return Expected.least_rsa
        if _BITS.fullmatch(text.value) and WEAKEST <= int(text.value) <= STRONGEST:
            return int(text.value)
        hint = f"write {WEAKEST} to {STRONGEST}; to let a weaker key be, waive the check that fails"
        self.flaw(text.line, f"keys rsa: {short(text.value)} is no length that keys should have", hint)
        return Expected.least_rsa

    def waivers(self, value: Value | None) -> dict[Waived, Waiver]:
        found: dict[Waived, Waiver] = {}
        lines: dict[Waived, int] = {}
        for one in self.items(value, "waive") if value else ():
            key, waiver = self.waiver(one)
            if key in lines:
                self.flaw(one.line, f"{key[0]} is waived here and on line {lines[key]}", "keep one of them")
            if key:
                lines[key] = one.line
            if key and waiver:
                found[key] = waiver
        return found

    def waiver(self, value: Value) -> tuple[Waived | None, Waiver | None]:
        given = self.members(value, "a waiver", ("check", "daemon", "reason", "until"), f"such as {EXAMPLES['waive']}")
        if not isinstance(value, Members):
            return None, None
        check = self.needed(given, value, "check", "name the check that is let be, by its id")
        reason = self.needed(given, value, "reason", "say why it is let be, for whoever reads this in a year")
        until = self.needed(given, value, "until", "say until when, that day included: 2027-03-01")
        daemon = self.text(given["daemon"], "daemon", "name its unit, or remove it") if "daemon" in given else None
        if daemon and not daemon.value.strip():
            self.flaw(daemon.line, "daemon: nothing stands here", "name its unit, such as docker.service, or remove it")
        if check:
            self.check(check)
        key = (check.value, daemon.value.strip() if daemon else "") if check else None
        day = self.day(until) if until else None
        return key, Waiver(" ".join(reason.value.split()), day) if reason and day else None

    def needed(self, given: Mapping[str, Value], where: Members, name: str, hint: str) -> Text | None:
        """A member that a waiver has to have, and that has to say something."""
        if name not in given:
            if not any(text.value == name for text, _ in where.pairs):
                self.flaw(where.line, f"a waiver without {name}", hint)
            return None
        text = self.text(given[name], name, hint)
        if text and not text.value.strip():
            self.flaw(text.line, f"{name}: nothing stands here", hint)
            return None
        return text

    def day(self, text: Text) -> date | None:
        try:
            if _DAY.fullmatch(text.value):
                return date.fromisoformat(text.value)
        except ValueError:  # a month 13, or the 30th of February
            pass
        self.flaw(text.line, f"until: {short(text.value)} is no day", "write year, month and day: 2027-03-01")
        return None

    def check(self, text: Text) -> None:
        """Judge the id of a check."""
        if text.value not in self.known:
            near = self.near(_ID.sub(r"-0\1", text.value.upper().replace("_", "-")), self.known)
            self.flaw(
                text.line, f"{short(text.value)} is no check", near or "name it as the audit does, such as DMN-02"
            )

    def near(self, word: str, among: Collection[str]) -> str:
        """A hint, where a word is nearly one that is known."""
        if len(word) > _LONGEST or len(self.flaws) > MOST:  # nobody is told; and looking takes its time
            return ""
        found = get_close_matches(word, among, 1)
        return f"did you mean {found[0]}?" if found else ""

    def one_of(self, value: Value | None, what: str, among: Mapping[str, T], *, default: T) -> T:
        """What a word of a table stands for."""
        hint = f"one of: {', '.join(among)}"
        text = self.text(value, what, hint) if value else None
        if text is None:
            return default
        if text.value in among:
            return among[text.value]
        near = self.near(text.value.lower(), among)
        self.flaw(text.line, f"{what}: {short(text.value)} is not known", near or hint)
        return default

    def inner(self, value: Value | None, what: str, names: Collection[str]) -> dict[str, Value]:
        return self.members(value, what, names, f"such as {EXAMPLES[what]}") if value else {}

    def members(self, value: Value, what: str, names: Collection[str], hint: str) -> dict[str, Value]:
        """The values by their names; those that are not known are told."""
        found: dict[str, Value] = {}
        for name, one in self.pairs(value, what, hint):
            if name.value in names:
                found[name.value] = one
            else:
                near = self.near(name.value.lower().replace("_", "-"), names)
                said = f"{what} has no {short(name.value)}"
                self.flaw(name.line, said, near or f"it may have {', '.join(names)}")
        return found

    def pairs(self, value: Value | None, what: str, hint: str) -> tuple[tuple[Text, Value], ...]:
        if isinstance(value, Members):
            return value.pairs
        if value and not isinstance(value, Nothing):
            self.flaw(value.line, f"{what}: names and values must stand here", hint)
        return ()

    def items(self, value: Value, what: str) -> tuple[Value, ...]:
        if isinstance(value, Items):
            return value.values
        if not isinstance(value, Nothing):
            self.flaw(value.line, f"{what}: a list must stand here", f"such as {EXAMPLES[what]}; [] if it is empty")
        return ()

    def text(self, value: Value, what: str, hint: str) -> Text | None:
        if isinstance(value, Text):
            return value
        if not isinstance(value, Nothing):
            self.flaw(value.line, f"{what}: text must stand here", hint)
        return None

    def flaw(self, line: int, message: str, hint: str) -> None:
        self.flaws.append(Flaw(line, message, hint))
