"""What a check of endpoints found, in the words of Nagios and of Prometheus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.escaping import visible
from dockertls.findings import Failed, Severity, Unknown, Warned
from dockertls.report.findings import summary, why, word
from dockertls.report.metrics import WORST_FIRST, Labels, Metric, failed, plain, written
from dockertls.report.standing import Level
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dockertls.findings import Finding, Verdict

VERDICT = Metric("check_verdict", "The verdict of a check of an endpoint: 1 for the one that it is.")
FAILED_CHECKS = Metric("check_failed", "How many checks of an endpoint failed.")
NOT_AFTER = Metric("check_certificate_not_after_seconds", "When the certificate that is served ends, Unix time.")
TAKEN = Metric("check_seconds", "When all of this was looked at, Unix time.")
COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "red", Level.UNKNOWN: "yellow"}
MOST_SAID = 70  # characters in an overview: with name and state, two lines of 80 columns
METRICS = (VERDICT, FAILED_CHECKS, NOT_AFTER, TAKEN)


@dataclass(frozen=True)
class Checked:
    """One endpoint.

    Attributes:
        url: as `tcp://HOST:PORT`.
        findings: all of them.
        code: the exit code that they make.
        note: how the endpoint was read, where that needs a word.
        not_after: when the certificate that is served ends, Unix time; None: none was seen.
    """

    url: str
    findings: tuple[Finding, ...]
    code: int = 0
    note: str = ""
    not_after: int | None = None


def not_after(chain: Sequence[bytes]) -> int | None:
    """When the first certificate of a chain (DER) ends, Unix time; None: there is none that can be read."""
    try:
        return int(x509.load_der_x509_certificate(chain[0]).not_valid_after_utc.timestamp())
    except (ValueError, IndexError):
        return None


def samples(one: Checked) -> Iterator[tuple[Metric, Labels, int]]:
    """What is said of an endpoint."""
    own: Labels = (("endpoint", one.url),)
    for finding in one.findings:
        labels = (*own, ("check", finding.id), ("severity", finding.severity.name.lower()))
        yield VERDICT, (*labels, ("verdict", word(finding.verdict))), 1
    yield FAILED_CHECKS, own, sum(isinstance(finding.verdict, Failed) for finding in one.findings)
    if one.not_after is not None:
        yield NOT_AFTER, own, one.not_after


def prometheus(series: Mapping[Metric, Mapping[Labels, int]], taken: int) -> str:
    """The whole file, from the samples of every endpoint."""
    return written({metric: series.get(metric, {}) for metric in METRICS} | {TAKEN: {(): taken}})


def level(verdict: Verdict, severity: Severity) -> Level:
    """What a finding means to who is on call: a failure of less than high severity can wait for the morning."""
    match verdict:
        case Failed():
            return Level.CRITICAL if severity.value >= Severity.HIGH.value else Level.WARNING
        case Warned():
            return Level.WARNING
        case Unknown():
            return Level.UNKNOWN
        case _:
            return Level.OK


def worst(findings: Sequence[Finding]) -> Level:
    """The worst of all, what is known to be wrong before what is not known."""
    found = {level(one.verdict, one.severity) for one in findings}
    return next(one for one in WORST_FIRST if one in found or one is Level.OK)


def troubles(one: Checked) -> tuple[Finding, ...]:
    """What is wrong with an endpoint, the worst first; not what could not be told because of something else of it."""
    ranks = {finding.id: WORST_FIRST.index(level(finding.verdict, finding.severity)) for finding in one.findings}
    wrong = {name for name, rank in ranks.items() if WORST_FIRST[rank] is not Level.OK}
    told = [finding for finding in one.findings if finding.id in wrong and not _goes_without_saying(finding, wrong)]
    return tuple(sorted(told, key=lambda finding: ranks[finding.id]))


def _goes_without_saying(finding: Finding, wrong: Collection[str]) -> bool:
    return isinstance(finding.verdict, Unknown) and bool({"reachable", finding.verdict.follows} & set(wrong))


def in_a_line(finding: Finding) -> str:
    """One thing that is wrong."""
    return f"{finding.id}: {word(finding.verdict)}: {why(finding.verdict)}"


def and_more(rest: Sequence[Finding]) -> str:
    """What is wrong besides, by name; empty: nothing."""
    return f"and {len(rest)} more: {', '.join(finding.id for finding in rest)}" if rest else ""


def overview(every: Sequence[Checked]) -> tuple[str, Table]:
    """The sum of all endpoints, and a line or two for each, the worst first: how it is, and what is wrong first."""
    states = {one.url: worst(one.findings) for one in every}
    ordered = sorted(every, key=lambda one: (WORST_FIRST.index(states[one.url]), one.url))
    rows = tuple(Row((one.url, states[one.url].name, _first(one)), COLOURS[states[one.url]]) for one in ordered)
    return counted(Counter(states.values())), Table(("ENDPOINT", "STATE", "WHAT IS WRONG"), rows)


def _first(one: Checked) -> str:
    wrong = troubles(one)
    if not wrong:
        return summary(one.findings)
    said = shorten(f"{wrong[0].id}: {why(wrong[0].verdict)}", MOST_SAID, placeholder=" ...")
    return said + (f"; and {len(wrong) - 1} more" if len(wrong) > 1 else "")


def counted(levels: Mapping[Level, int]) -> str:
    """How many endpoints are how, such as "3 endpoints: 1 critical, 2 ok"."""
    total = sum(levels.values())
    counts = ", ".join(f"{levels[one]} {one.name.lower()}" for one in WORST_FIRST if levels.get(one))
    return f"{total} endpoint{'s' if total > 1 else ''}: {counts}"


def nagios(levels: Mapping[Level, int], details: Sequence[str], days_left: int | None) -> tuple[str, Level]:
    """The output of a plugin, and what its exit code says (Monitoring Plugins' guidelines).

    Args:
        levels: how many endpoints are how.
        details: what is wrong, the first ones of it.
        days_left: of the certificate that ends first; None: none was seen.
    """
    total = sum(levels.values())
    if not total:
        return failed("no endpoint was looked at")
    state = next(one for one in WORST_FIRST if levels.get(one))
    left = "U" if days_left is None else str(days_left)
    numbers = " ".join(f"{one.name.lower()}={levels.get(one, 0)};;;0;{total}" for one in WORST_FIRST)
    first = f"{state.name} - {counted(levels)} | days_left={left} {numbers}\n"
    return first + "".join(f"{plain(visible(line))}\n" for line in details), state
