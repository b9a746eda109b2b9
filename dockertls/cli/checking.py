"""Look at endpoints and report what was found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from dockertls.cli.endpoints import material, targets
from dockertls.cli.live import judge
from dockertls.errors import Negative
from dockertls.probe.remedies import explain
from dockertls.report import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.cli.endpoints import MaterialOptions, Target
    from dockertls.cli.session import Session
    from dockertls.findings import Finding
    from dockertls.probe.observation import ClientMaterial

AT_ONCE = 4  # endpoints; each look has threads of its own
FAILED = 1


@dataclass(frozen=True)
class Terms:
    """How to judge: days before the end of a certificate, seconds for each look, and whether unknown is a failure."""

    warn_days: int
    fail_days: int
    timeout: float
    strict: bool


def check_all(session: Session, named: Sequence[str], options: MaterialOptions, terms: Terms) -> None:
    """Check every endpoint and report.

    Raises:
        typer.Exit: with the worst exit code of all of them.
    """
    wanted = targets(session, named)
    clients = [material(session, target, options) for target in wanted]

    def one(pair: tuple[Target, ClientMaterial]) -> tuple[Finding, ...]:
        warn, fail = timedelta(days=terms.warn_days), timedelta(days=terms.fail_days)
        return judge(pair[0].endpoint, pair[1], session.started, timeout=terms.timeout, warn=warn, fail=fail)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(one, zip(wanted, clients, strict=True)))
    codes = [findings.exit_code(found, strict=terms.strict) for found in results]
    code = FAILED if FAILED in codes else max(codes)
    for target, found in zip(wanted, results, strict=True):
        _show(session, target, found)
    reports = [
        {"endpoint": target.endpoint.url, "findings": [findings.as_json(one) for one in found]}
        for target, found in zip(wanted, results, strict=True)
    ]
    session.console.document("check", {"endpoints": reports}, ok=code == 0)
    raise typer.Exit(code)


def _show(session: Session, target: Target, found: Sequence[Finding]) -> None:
    console = session.console
    if target.endpoint.note:
        console.say(f"note: {target.endpoint.note}")
    console.result(target.endpoint.url)
    console.table(findings.table(found, verbose=console.verbose))
    for line in findings.remedies(found):
        console.result(f"  {line}")
    console.result(findings.summary(found))


def explain_text(session: Session, text: str) -> None:
    """Name cause and remedy of an error message.

    Raises:
        Negative: if none is known.
    """
    found = explain(text)
    if found is None:
        raise Negative("this message is not known", "paste it whole, as the client or dockerd's log has it")
    session.console.result(f"cause:  {found.cause}\nremedy: {found.remedy}")
    session.console.document("explain", {"id": found.id, "cause": found.cause, "remedy": found.remedy})
