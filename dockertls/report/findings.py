"""Findings as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from dockertls.escaping import visible
from dockertls.findings import Failed, Finding, NotApplicable, Passed, Unknown, Warned
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dockertls.findings import Evidence, Verdict

FAILED = 1
LONG = 60  # characters: said twice, they hide what else there is
WORDS = {Passed: "passed", Failed: "failed", Warned: "warned", Unknown: "unknown", NotApplicable: "not-applicable"}
STYLES = {Passed: "green", Failed: "red", Warned: "yellow", Unknown: "yellow", NotApplicable: "dim"}


def word(verdict: Verdict) -> str:
    """A verdict as the contract spells it."""
    return WORDS[type(verdict)]


def why(verdict: Verdict) -> str:
    """The cause, or why it cannot be told or makes no sense; empty: it passed."""
    return _advice(verdict)[0] or ""


def as_json(finding: Finding) -> dict[str, object]:
    """One finding, in the contract's shape."""
    verdict = finding.verdict
    cause, remedy = _advice(verdict)
    return {
        "id": finding.id,
        "title": finding.title,
        "severity": finding.severity.name.lower(),
        "verdict": word(verdict),
        "evidence": [] if isinstance(verdict, Unknown | NotApplicable) else [_evidence(e) for e in verdict.evidence],
        "cause": cause,
        "remedy": remedy,
    }


def _advice(verdict: Verdict) -> tuple[str | None, str | None]:
    match verdict:
        case Passed():
            return None, None
        case Failed(_, cause, remedy) | Warned(_, cause, remedy):
            return cause, remedy
        case Unknown(reason) | NotApplicable(reason):
            return reason, None
        case _:
            assert_never(verdict)


def _evidence(evidence: Evidence) -> dict[str, str]:
    return {
        "source": evidence.source,
        "place": evidence.place,
        "seen": evidence.seen,
        "expected": evidence.expected,
    }


def table(findings: Sequence[Finding], *, verbose: bool = False) -> Table:
    """One line a finding: verdict, id, and what was seen or why it did not pass; a long reason only once."""
    texts = [_told(finding.verdict, verbose=verbose) for finding in findings]
    if not verbose:
        texts = list(_once(findings, texts))
    return Table(("VERDICT", "CHECK", "WHAT WAS SEEN"), tuple(map(_row, findings, texts)))


def _once(findings: Sequence[Finding], texts: Sequence[str]) -> Iterator[str]:
    """What is said of each, with the name of the finding in its place where it was said of another one."""
    said: dict[str, str] = {}
    for finding, text in zip(findings, texts, strict=True):
        first = said.setdefault(text, finding.id) if len(text) > LONG else finding.id
        yield text if first == finding.id else f"see {first}"


def _row(finding: Finding, text: str) -> Row:
    style = STYLES[type(finding.verdict)] if not isinstance(finding.verdict, Passed) else ""
    return Row((word(finding.verdict), finding.id, text), style)


def _told(verdict: Verdict, *, verbose: bool) -> str:
    if not isinstance(verdict, Passed):
        return visible(why(verdict))
    shown = verdict.evidence if verbose else verdict.evidence[:2]
    return "; ".join(dict.fromkeys(visible(item.seen) for item in shown))


def remedies(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What to do about the findings that did not pass, one line each, the same only once."""
    names: dict[str, dict[str, None]] = {}
    for finding in findings:
        if isinstance(finding.verdict, Failed | Warned):
            names.setdefault(visible(finding.verdict.remedy), {})[finding.id] = None
    return tuple(f"{', '.join(those)}: {remedy}" for remedy, those in names.items())


def summary(findings: Sequence[Finding]) -> str:
    """How many of each, such as "10 passed, 1 failed"."""
    words = [word(finding.verdict) for finding in findings]
    return ", ".join(f"{words.count(name)} {name.replace('-', ' ')}" for name in WORDS.values() if name in words)


def exit_code(findings: Sequence[Finding], *, strict: bool = False) -> int:
    """The contract's exit code: 1 a failed finding, 7 nothing reached, 0 else; unknown is 1 only if strict."""
    failed = {finding.id for finding in findings if isinstance(finding.verdict, Failed)}
    if failed:
        return 7 if "reachable" in failed and failed <= {"reachable", "api"} else 1
    return int(strict and any(isinstance(finding.verdict, Unknown) for finding in findings))


def worst_code(codes: Collection[int]) -> int:
    """Of several endpoints: failed before not reached."""
    return FAILED if FAILED in codes else max(codes, default=0)
