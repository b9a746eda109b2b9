"""`check` in each of its formats, told while it runs."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from dockertls.cli.console import body_of
from dockertls.cli.growing import Growing
from dockertls.cli.outputs import format_of
from dockertls.errors import DockerTLSError, Interrupted, Told
from dockertls.escaping import visible
from dockertls.findings import Unknown
from dockertls.report import check, findings
from dockertls.report.metrics import MOST_DETAILS, WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dockertls.cli.console import Console
    from dockertls.cli.session import Session
    from dockertls.report.check import Checked
    from dockertls.report.metrics import Labels, Metric
    from dockertls.report.standing import Level

DAY = 86400  # seconds


class Form(Protocol):
    """One format."""

    def begin(self) -> None:
        """Before the first endpoint."""

    def one(self, checked: Checked) -> None:
        """What one endpoint came to."""

    def end(self, tally: Tally) -> int:
        """After the last one. Returns the exit code."""


@dataclass
class Tally:
    """What all endpoints came to so far.

    Attributes:
        form: how it is told.
        codes: exit codes, and how many endpoints have them.
        levels: what they mean to who is on call, and to how many that applies.
        unknown: how many endpoints have something that could not be told.
        code: of the process, once all is told.
    """

    form: Form
    codes: Counter[int] = field(default_factory=Counter)
    levels: Counter[Level] = field(default_factory=Counter)
    unknown: int = 0
    code: int = 0

    @property
    def worst(self) -> int:
        """The worst exit code: failed before unreachable."""
        return findings.worst_code(self.codes.keys())

    def one(self, checked: Checked) -> None:
        """Count an endpoint and tell of it."""
        self.codes[checked.code] += 1
        self.levels[check.worst(checked.findings)] += 1
        self.unknown += any(isinstance(one.verdict, Unknown) for one in checked.findings)
        self.form.one(checked)


@contextmanager
def teller(session: Session, form: str, total: int) -> Iterator[Tally]:
    """Tell of endpoints as they come; the summary follows at the end.

    Raises:
        Usage: no such format, or two things that do not go together.
        Told: not all endpoints were looked at, and the document says so.
    """
    tally = Tally(FORMS[format_of(session.console, form, FORMS)](session, total))
    try:
        tally.form.begin()
        yield tally
    except (DockerTLSError, KeyboardInterrupt) as error:
        if not isinstance(tally.form, InJson) or sys.stdout is None:
            raise
        raise Told(tally.form.cut(tally, error)) from error
    tally.code = tally.form.end(tally)


@dataclass(frozen=True)
class InTables:
    """For people: a table for one endpoint; for several a line each, and what is wrong with it below."""

    session: Session
    total: int

    @property
    def _console(self) -> Console:
        return self.session.console

    def begin(self) -> None:
        """Nothing."""

    def one(self, checked: Checked) -> None:
        """Its table, or its line."""
        if checked.note:
            self._console.say(f"note: {checked.note}")
        if self.total > 1 and not self._console.verbose:
            self._line(checked)
            return
        self._console.tell(checked.url)
        self._console.table(findings.table(checked.findings, verbose=self._console.verbose))
        for line in findings.remedies(checked.findings):
            self._console.tell(f"  {line}")
        self._console.tell(findings.summary(checked.findings))

    def _line(self, checked: Checked) -> None:
        self._console.tell(f"{checked.url}: {findings.summary(checked.findings)}")
        first, rest = check.troubles(checked)[:1], check.troubles(checked)[1:]
        for finding in first:
            self._console.tell(f"  {visible(check.in_a_line(finding))}")
        for line in findings.remedies(first):
            self._console.tell(f"    {line}")
        if rest:
            self._console.tell(f"  {check.and_more(rest)} (dockertls -v tells all)")

    def end(self, tally: Tally) -> int:
        """The sum of all."""
        if self.total > 1:
            words = {0: "good", findings.FAILED: "with a failure", 7: "not reached"}
            told = (f"{count} {words[code]}" for code, count in sorted(tally.codes.items()))
            self._console.tell(f"{self.total} endpoints: {', '.join(told)}")
        if tally.unknown:
            where = f" of {tally.unknown} endpoint{'s' if tally.unknown > 1 else ''}" if self.total > 1 else ""
            self._console.warn(f"not everything{where} could be told; --strict makes that a failure")
        return tally.worst


@dataclass(frozen=True)
class InJson:
    """One document, of which the list of endpoints is written while it grows."""

    session: Session
    total: int
    written: list[int] = field(default_factory=list)
    out: Growing = field(default_factory=Growing)

    def begin(self) -> None:
        """Its head."""
        self.out.put('{"schema": "dockertls/check/1", "data": {"endpoints": [')

    def one(self, checked: Checked) -> None:
        """An item of the list."""
        item = {
            "endpoint": checked.url,
            "exit": checked.code,
            "note": checked.note,
            "findings": [findings.as_json(one) for one in checked.findings],
        }
        comma = ",\n" if self.written else "\n"
        self.written.append(checked.code)
        self.out.put(comma + json.dumps(item, ensure_ascii=False))

    def end(self, tally: Tally) -> int:
        """Its tail."""
        self._tail(tally, ok=tally.worst == 0)
        return tally.worst

    def cut(self, tally: Tally, error: BaseException) -> int:
        """Its tail where not all endpoints were looked at."""
        known = (
            error
            if isinstance(error, DockerTLSError)
            else Interrupted("interrupted", "not all endpoints were looked at")
        )
        self._tail(tally, ok=False, error=body_of(known))
        return known.exit

    def _tail(self, tally: Tally, *, ok: bool, **more: object) -> None:
        summary = {"endpoints": self.total, "looked_at": len(self.written)}
        summary |= {"good": tally.codes[0], "failed": tally.codes[findings.FAILED], "unreachable": tally.codes[7]}
        rest = json.dumps({"ok": ok} | more, ensure_ascii=False).removeprefix("{")
        self.out.put(f'\n], "summary": {json.dumps(summary)}}}, {rest}\n')


@dataclass(frozen=True)
class ForNagios:
    """A plugin: one line for the verdict, some for what is wrong."""

    session: Session
    total: int
    details: list[tuple[int, str, int, str]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def begin(self) -> None:
        """Nothing."""

    def one(self, checked: Checked) -> None:
        """Count it."""
        rank = WORST_FIRST.index(check.worst(checked.findings))
        self.details.extend((rank, checked.url, place, line) for place, line in enumerate(self._lines(checked)))
        self.details.sort()
        del self.details[MOST_DETAILS:]
        self.ends[:] = sorted([*self.ends, *filter(None, [checked.not_after])])[:1]

    def _lines(self, checked: Checked) -> Iterator[str]:
        """What is wrong with an endpoint: all of it for one alone, else the worst of it."""
        wrong = check.troubles(checked)
        told = wrong if self.total == 1 else wrong[:1]
        more = check.and_more(wrong[len(told) :])
        for finding in told:
            yield f"{checked.url} {check.in_a_line(finding)}{more and f'; {more}'}"

    def end(self, tally: Tally) -> int:
        """All of it."""
        now = int(self.session.started.timestamp())
        left = (self.ends[0] - now) // DAY if self.ends else None
        text, state = check.nagios(tally.levels, [line for *_, line in self.details], left)
        self.session.console.result(text.rstrip("\n"))
        return state.value


@dataclass(frozen=True)
class ForPrometheus:
    """The text format, for node_exporter's textfile collector."""

    session: Session
    total: int
    series: defaultdict[Metric, dict[Labels, int]] = field(default_factory=lambda: defaultdict(dict))

    def begin(self) -> None:
        """Nothing."""

    def one(self, checked: Checked) -> None:
        """Keep its samples: those of one metric have to stand together."""
        for metric, labels, value in check.samples(checked):
            self.series[metric].setdefault(labels, value)

    def end(self, tally: Tally) -> int:
        """All of it."""
        text = check.prometheus(self.series, int(self.session.started.timestamp()))
        self.session.console.result(text.rstrip("\n"))
        return tally.worst


FORMS: Mapping[str, type[InTables | InJson | ForNagios | ForPrometheus]] = MappingProxyType(
    {"table": InTables, "json": InJson, "nagios": ForNagios, "prometheus": ForPrometheus}
)
