"""What a house has decided of its hosts: who may use the socket, how bad what is, and what is let be until when."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.seen import Expected
from dockertls.escaping import visible
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from dockertls.findings import Severity, Verdict
    from dockertls.report.audited import Result, Waiver

Waived = tuple[str, str]
"""What a waiver is for: a check, and the dockerd for which it holds; empty: every one, and the host itself."""


@dataclass(frozen=True)
class Policy:
    """What a policy says; as it is made here, that of who has none.

    Attributes:
        expected: of a host, by checks that cannot know it.
        severities: those that are not the catalogue's, by check.
        waivers: what is let be, in the order of the file.
    """

    expected: Expected = field(default_factory=Expected)
    severities: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    waivers: Mapping[Waived, Waiver] = field(default_factory=lambda: MappingProxyType({}))

    def waived(self, result: Result) -> Waived | None:
        """Which waiver is for a result: the one that names its dockerd before the one for all; None: none is."""
        keys = ((result.finding.id, result.daemon), (result.finding.id, ""))
        return next((key for key in keys if key in self.waivers), None)


@dataclass(frozen=True)
class Applied:
    """What a policy made of an audit's results.

    Attributes:
        results: the same, in the same order, with the policy's severities and waivers.
        notes: what is to be said of the policy itself; a line each, none of it a failure.
    """

    results: tuple[Result, ...]
    notes: tuple[str, ...]


def parse(content: bytes, name: str, known: Collection[str]) -> Policy:
    """Read a policy.

    Args:
        content: the file: YAML, at most 64 KiB. An empty one is the policy of who has none.
        name: of the file, for the errors.
        known: ids of all checks.

    Raises:
        Refused: with every fault that can be told, each of which begins with "NAME:LINE: ".
    """
    from dockertls.audit import policy_file  # noqa: PLC0415 - PyYAML loads slowly, and is for those who have a policy

    return policy_file.read(content, name, known)


def apply(policy: Policy, results: Sequence[Result], today: date) -> Applied:
    """What a policy makes of an audit's results.

    A waiver counts until the end of its last day (UTC). After that, what it was for has failed, even if it was a
    warning. What it could not be told of, or holds, stays as it is.
    """
    changed = tuple(_changed(policy, result, today) for result in results)
    return Applied(changed, tuple(_notes(policy, results, today)))


def _changed(policy: Policy, result: Result, today: date) -> Result:
    found = result.finding
    result = replace(result, finding=replace(found, severity=policy.severities.get(found.id, found.severity)))
    key = policy.waived(result)
    if key is None or isinstance(found.verdict, Passed | NotApplicable):
        return result
    waiver = policy.waivers[key]
    if waiver.until >= today:
        return replace(result, waiver=waiver)
    return replace(result, finding=replace(result.finding, verdict=_after(waiver, found.verdict)))


def _after(waiver: Waiver, verdict: Verdict) -> Verdict:
    """What becomes of a verdict when the waiver that was for it has ended."""
    if not isinstance(verdict, Failed | Warned):
        return verdict
    cause = f"{verdict.cause}; the waiver ended {waiver.until}: {visible(waiver.reason)}"
    return Failed(verdict.evidence, cause, f"{verdict.remedy}; or waive it anew, until another day")


def _notes(policy: Policy, results: Sequence[Result], today: date) -> Iterator[str]:
    asked = {result.finding.id for result in results}
    for key, waiver in policy.waivers.items():
        found = [result.finding.verdict for result in results if policy.waived(result) == key]
        if note := _note(key, found, asked, ended=waiver.until < today):
            yield note


def _note(key: Waived, found: Sequence[Verdict], asked: Collection[str], *, ended: bool) -> str:
    """What is to be said of a waiver; empty: nothing is."""
    check, daemon = key
    who = f"the waiver of {check}" + (f" for {visible(daemon)}" if daemon else "")
    kinds = {type(verdict) for verdict in found}
    if check in asked and not found:
        return f"{who} is for nothing that was judged: remove it, or correct its daemon"
    if Passed in kinds and kinds <= {Passed, NotApplicable}:
        return f"{who} is no longer needed, the check passes: remove it"
    if ended and Unknown in kinds:
        return f"{who} has ended, and what it was for could not be told"
    return ""
