"""The state of certificates as Prometheus reads it (text format 0.0.4), and as Nagios does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dockertls.escaping import visible
from dockertls.report.standing import DUE, EXPIRED, OF_COPIES, RANK, Level
from dockertls.report.status import summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockertls.report.standing import Copy, Standing, State
    from dockertls.report.status import Survey

T = TypeVar("T")
Labels = tuple[tuple[str, str], ...]

MOST_DETAILS = 20  # lines: Nagios cuts off what is longer than 4 KiB
WORST_FIRST = (Level.CRITICAL, Level.WARNING, Level.UNKNOWN, Level.OK)


@dataclass(frozen=True)
class Metric:
    """A metric by its name, without the prefix, and what it says."""

    name: str
    help: str


NOT_AFTER = Metric("certificate_not_after_seconds", "When the certificate ends, Unix time.")
NOT_BEFORE = Metric("certificate_not_before_seconds", "When the certificate begins, Unix time.")
IS_DUE = Metric("certificate_due", "Whether it is time to renew the certificate, or it has ended.")
IS_BROKEN = Metric("certificate_broken", "Whether the store's files of the certificate are damaged.")
COPY = Metric("copy_state", "1 for the state that a copy of a certificate is in, 0 for every other one.")
PHASE = Metric("rotation_phase", "The phase of the rotation that is under way; 0: none is.")
TAKEN = Metric("status_seconds", "When all of this was looked at, Unix time.")
METRICS = (NOT_AFTER, NOT_BEFORE, IS_DUE, IS_BROKEN, COPY, PHASE, TAKEN)
"""Every metric, in the order of the file; a gauge each."""

Sample = tuple[Metric, Labels, int]


def samples(one: Standing) -> tuple[Sample, ...]:
    """What is said of a certificate and its copies."""
    entry, certificate = one.entry, one.entry.certificate
    labels: Labels = (("role", entry.role), ("name", entry.name))
    found: list[Sample] = [(IS_BROKEN, labels, int(certificate is None))]
    if certificate:
        found.append((NOT_AFTER, labels, int(certificate.not_valid_after_utc.timestamp())))
        found.append((NOT_BEFORE, labels, int(certificate.not_valid_before_utc.timestamp())))
        found.append((IS_DUE, labels, int(one.own in {DUE, EXPIRED})))
    return (*found, *_copies(one.copies, labels))


def _copies(copies: Iterable[Copy], labels: Labels) -> Iterator[Sample]:
    for copy in copies:
        place = (*labels, ("kind", copy.kind), ("place", copy.place))
        for state in OF_COPIES:
            yield COPY, (*place, ("state", state.word)), int(copy.state.word == state.word)


def prometheus(found: Survey[tuple[Sample, ...]]) -> str:
    """The whole file. A series that were there twice would make Prometheus refuse all of it: the first one counts."""
    every = [sample for line in found.lines for sample in line.kept]
    every += _copies(found.strays, (("role", ""), ("name", "")))
    every += [(PHASE, (), found.rotation.phase if found.rotation else 0), (TAKEN, (), int(found.taken.timestamp()))]
    series: dict[Metric, dict[Labels, int]] = {metric: {} for metric in METRICS}
    for metric, labels, value in every:
        series[metric].setdefault(labels, value)
    return written(series)


def written(series: Mapping[Metric, Mapping[Labels, int]]) -> str:
    """Metrics that have a value, in their order."""
    return "".join(line for metric, values in series.items() for line in _metric(metric, values))


def _metric(metric: Metric, values: Mapping[Labels, int]) -> Iterator[str]:
    if not values:
        return
    name = f"dockertls_{metric.name}"
    yield f"# HELP {name} {metric.help}\n# TYPE {name} gauge\n"
    for labels, value in values.items():
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        yield f"{name}{{{told}}} {value}\n" if told else f"{name} {value}\n"


def _escaped(text: str) -> str:
    r"""A label's value: backslash, quote and line feed are escaped."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


# Nagios


def level(states: Iterable[State]) -> Level:
    """The worst of all, as monitoring-plugins rank them: what is known to be wrong before what is not known."""
    found = {state.level for state in states}
    return next((one for one in WORST_FIRST if one in found), Level.OK)


Trouble = tuple[int, str]
"""The rank of a state, and what is said of it."""


def trouble(one: Standing) -> tuple[Trouble, ...]:
    """What is wrong with a certificate, in a line each."""
    title, fault = f"{one.entry.role} {one.entry.name}", one.entry.fault
    why = f": {fault.message}" if fault else ""
    own = () if one.own.level is Level.OK else ((RANK[one.own], f"{title}: {one.own.word}{why}"),)
    return (*own, *_troubles(one.copies, title))


def _troubles(copies: Iterable[Copy], title: str) -> Iterator[Trouble]:
    for copy in copies:
        if copy.state.level is not Level.OK:
            yield RANK[copy.state], f"{title} in {copy.place}: {copy.state.word}: {copy.why}"


def nagios(found: Survey[tuple[Trouble, ...]]) -> tuple[str, Level]:
    """The output of a plugin, and what its exit code says.

    The first line holds the verdict and the performance data, those that follow what is wrong, the worst first.
    """
    every = sorted([one for line in found.lines for one in line.kept] + list(_troubles(found.strays, "a copy")))
    if not (found.lines or every):
        return failed("there are no certificates")
    worst = level([*found.states, *(copy.state for copy in found.unknown)])
    left = "U" if found.days_left is None else str(found.days_left)
    counts = f"certificates={len(found.lines)};;;0 troubles={len(every)};;;0"
    first = f"{worst.name} - {plain(summary(found))} | days_left={left} {counts}\n"
    more = [f"... and {len(every) - MOST_DETAILS} more"] if len(every) > MOST_DETAILS else []
    details = (*(text for _, text in every[:MOST_DETAILS]), *more)
    return first + "".join(f"{plain(line)}\n" for line in details), worst


def failed(reason: str) -> tuple[str, Level]:
    """The output of a plugin that could not look, and what its exit code says."""
    return f"{Level.UNKNOWN.name} - {plain(reason)}\n", Level.UNKNOWN


def plain(text: str) -> str:
    """Text in which nothing begins performance data."""
    return visible(text).replace("|", "/")
