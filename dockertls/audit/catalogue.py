"""TABLE: all checks, and what they say of a host."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.checks import audit_rules, clients, configuration, daemon, files, host, material, network, release
from dockertls.audit.model import Area, Check, Fix, asked, cis
from dockertls.audit.repairs import mended
from dockertls.findings import Evidence, Failed, NotApplicable, Passed, Severity, Unknown, Warned
from dockertls.report.audited import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dockertls.audit.seen import Seen
    from dockertls.findings import Finding, Verdict

_OVER_TCP = tuple(
    check
    for check in (*network.TABLE, *material.TABLE)
    if check.id <= "NET-07" or "TLS-01" <= check.id <= "TLS-07" or check.id == "TLS-12"
)
"""What says whether TLS guards a port: who is let in, and whether the certificates are good."""


def _over_tcp(seen: Seen) -> Verdict:
    """What the benchmark asks in one question, by the checks that answer it."""
    found = {check.id: check.verdict(seen) for check in _OVER_TCP}
    for kind, word in ((Failed, "failed"), (Unknown, "unknown")):
        ids = ", ".join(id_ for id_, verdict in found.items() if isinstance(verdict, kind))
        if ids and kind is Failed:
            evidence = (Evidence("checks", ids, word, "passed"),)
            return Failed(evidence, f"{ids} failed: see there", f"dockertls audit --only {ids.partition(',')[0]}")
        if ids:
            return Unknown(f"{ids} could not be told: see there")
    if all(isinstance(verdict, NotApplicable) for id_, verdict in found.items() if id_ != "NET-02"):
        return NotApplicable("it listens on no TCP port, and is told nothing of TLS")
    return Passed((Evidence("checks", ", ".join(found), "none failed"),))


ROLLED_UP = Check("DMN-07", "TLS guards every TCP port", Severity.CRITICAL, asked(_over_tcp), cis("2.7", "2.8"))

_ROOMS = (network, material, clients, configuration, daemon, release, files, host, audit_rules)
_AREAS = tuple(Area)


def _place(check: Check) -> tuple[int, str]:
    return _AREAS.index(check.area), check.id


TABLE: tuple[Check, ...] = tuple(sorted((ROLLED_UP, *(check for room in _ROOMS for check in room.TABLE)), key=_place))
"""By area and id."""

BY_ID: Mapping[str, Check] = MappingProxyType({check.id: check for check in TABLE})


HARDEN: Mapping[Fix, str] = MappingProxyType(
    {
        Fix.SAFE: "`dockertls harden --only {id}` does it",
        Fix.OPT_IN: "`dockertls harden --opt-in {id}` does it, and may break workloads",
    }
)
"""Who mends it, for people."""


def told(check: Check, seen: Seen) -> Finding:
    """What a check says, and who mends what is wrong."""
    found = check.ask(seen)
    if not isinstance(found.verdict, Failed | Warned) or check.fix is Fix.ADVICE or not mended(check.id, seen):
        return found
    remedy = f"{found.verdict.remedy}; {HARDEN[check.fix].format(id=check.id)}"
    return replace(found, verdict=replace(found.verdict, remedy=remedy))


def judged(seen: Sequence[Seen], checks: Collection[Check] = TABLE) -> Iterator[Result]:
    """What checks say, in the order of the catalogue: of every dockerd, or once of the host.

    Args:
        seen: what `dockertls.audit.gathered.seen` makes of what was gathered.
        checks: those to be asked.
    """
    for check in checks:
        for one in seen[:1] if check.of_host else seen:
            name = "" if check.of_host else one.name
            yield Result(told(check, one), check.area.value, name, check.references)
