"""What a check of endpoints found, in the words of Nagios and of Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.escaping import visible
from dockertls.findings import Failed, Passed, Severity, Unknown, Warned
from dockertls.report.findings import summary, word
from dockertls.report.metrics import WORST_FIRST, Labels, Metric, failed, plain, written
from dockertls.report.standing import Level
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockertls.findings import Finding, Verdict

VERDICT = Metric("check_verdict", "The verdict of a check of an endpoint: 1 for the one that it is.")
FAILED_CHECKS = Metric("check_failed", "How many checks of an endpoint failed.")
NOT_AFTER = Metric("check_certificate_not_after_seconds", "When the certificate that is served ends, Unix time.")
TAKEN = Metric("check_seconds", "When all of this was looked at, Unix time.")
COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "red", Level.UNKNOWN: "yellow"}
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


def troubles(one: Checked) -> tuple[str, ...]:
    """What is wrong with an endpoint, in a line each."""
    gone = any(finding.id == "reachable" and isinstance(finding.verdict, Failed) for finding in one.findings)
    wrong = [finding for finding in one.findings if level(finding.verdict, finding.severity) is not Level.OK]
    if gone:  # that nothing else could be told goes without saying
        wrong = [finding for finding in wrong if not isinstance(finding.verdict, Unknown)]
    return tuple(f"{one.url} {finding.id}: {word(finding.verdict)}: {_why(finding.verdict)}" for finding in wrong)


def overview(every: Sequence[Checked]) -> Table:
    """A line for each endpoint: how it is, and what is wrong."""
    return Table(("ENDPOINT", "STATE", "WHAT IS WRONG"), tuple(map(_overview, every)))


def _overview(one: Checked) -> Row:
    state = worst(one.findings)
    wrong = "; ".join(line.removeprefix(one.url).strip() for line in troubles(one))
    return Row((one.url, state.name, wrong or summary(one.findings)), COLOURS[state])


def _why(verdict: Verdict) -> str:
    match verdict:
        case Failed(_, cause, _) | Warned(_, cause, _):
            return cause
        case Passed():
            return ""
    return verdict.reason


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
    counts = ", ".join(f"{levels[one]} {one.name.lower()}" for one in WORST_FIRST if levels.get(one))
    left = "U" if days_left is None else str(days_left)
    numbers = " ".join(f"{one.name.lower()}={levels.get(one, 0)};;;0;{total}" for one in WORST_FIRST)
    first = f"{state.name} - {total} endpoint{'s' if total > 1 else ''}: {counts} | days_left={left} {numbers}\n"
    return first + "".join(f"{plain(visible(line))}\n" for line in details), state
