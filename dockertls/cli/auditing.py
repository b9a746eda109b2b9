"""Judge a host, or what was gathered of one, and tell what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import typer

from dockertls import __version__
from dockertls.apply import apply as apply_plan
from dockertls.audit.catalogue import BY_ID, TABLE, judged
from dockertls.audit.gathered import seen
from dockertls.audit.loaded import LARGEST, SCHEMA, parse
from dockertls.audit.policy import Policy, apply
from dockertls.audit.policy import parse as parse_policy
from dockertls.audit.saved import document
from dockertls.cli.files import read_input
from dockertls.cli.gathering import gather_host
from dockertls.cli.outputs import Output, file_change, format_of
from dockertls.errors import Negative, Usage
from dockertls.escaping import visible
from dockertls.facts import STORE, NotSeen
from dockertls.findings import SEVERITIES
from dockertls.plan import File, Plan, shown
from dockertls.report.audit_table import drawn, pieces
from dockertls.report.audited import Audit
from dockertls.report.baseline import against
from dockertls.report.baseline import read as read_baseline
from dockertls.report.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.audit.gathered import Gathered
    from dockertls.audit.model import Check
    from dockertls.cli.options import OutputOptions
    from dockertls.cli.session import Session
    from dockertls.findings import Severity
    from dockertls.report.audited import Result
    from dockertls.report.baseline import Baseline

POLICY = STORE / "policy.yaml"


@dataclass(frozen=True)
class Scope:
    """Which checks are asked, in the order of the catalogue."""

    checks: tuple[Check, ...]

    @classmethod
    def parse(cls, only: Sequence[str], skip: Sequence[str]) -> Scope:
        """From ids on the command line.

        Raises:
            Usage: if there is no such check, or none is left.
        """
        wanted = {known(id_) for id_ in only} or BY_ID.keys()
        left = wanted - {known(id_) for id_ in skip}
        if not left:
            raise Usage("no check is left", "name fewer with --skip")
        return cls(tuple(check for check in TABLE if check.id in left))


def known(id_: str) -> str:
    """The id of a check, whatever its case. Raises Usage if there is none of that id."""
    wanted = id_.upper()
    if wanted in BY_ID:
        return wanted
    near = get_close_matches(wanted, BY_ID, 1)
    raise Usage(
        f"there is no check {visible(id_)}", f"did you mean {near[0]}?" if near else "dockertls audit lists them all"
    )


@dataclass(frozen=True)
class Terms:
    """How to judge, and what to tell.

    Attributes:
        facts: what is judged, as a file; None: this host.
        policy: a file; None: the host's own, if there is one.
        baseline: an earlier report.
        fail_on: failures from here upwards make the answer no.
        least: what is told, from here upwards.
        timeout: seconds for each question.
        form: of the report.
        strict: what could not be told is a failure.
    """

    facts: str | None
    policy: str | None
    baseline: str | None
    fail_on: Severity
    least: Severity
    timeout: float
    form: str
    strict: bool


def severity_of(option: str, text: str) -> Severity:
    """A severity by its name. Raises Usage if it is none."""
    if text.lower() not in SEVERITIES:
        raise Usage(f"{option} {visible(text)} is no severity", f"take one of: {', '.join(reversed(SEVERITIES))}")
    return SEVERITIES[text.lower()]


def gathered(session: Session, terms: Terms) -> Gathered:
    """What is judged: of a file, or of this host.

    Raises:
        NotReady: if the file cannot be read.
        Refused: if it is not what `dockertls facts` writes.
    """
    if terms.facts is None:
        return gather_host(session, timeout=terms.timeout)
    return parse(read_input(terms.facts, "the facts", LARGEST), terms.facts)


def policy_of(session: Session, named: str | None) -> Policy:
    """The policy that is named, else the host's own, else that of who has none.

    Raises:
        NotReady: if it cannot be read.
        Refused: with all that is wrong with it.
    """
    if named is not None:
        return parse_policy(read_input(named, "the policy"), named, BY_ID)
    try:
        file = session.facts(also=(POLICY,), bears=True).file(POLICY)
    except NotSeen as error:
        session.warn_once(f"whether there is a policy is not known: {error}")
        return Policy()
    return parse_policy(file.content, str(POLICY), BY_ID) if file else Policy()


def audited(found: Gathered, policy: Policy, checks: Sequence[Check] = TABLE) -> tuple[Audit, tuple[str, ...]]:
    """What checks and policy say of a host, and what is to be said of the policy."""
    results = tuple(judged(seen(found, policy.expected), checks))
    applied = apply(policy, results, found.facts.taken.date())
    return Audit(found.host, found.facts.taken, applied.results, __version__), applied.notes


def audit_host(session: Session, scope: Scope, terms: Terms) -> None:
    """Judge and tell.

    Raises:
        typer.Exit: 1 if a check failed that is not let be.
    """
    console = session.console
    form = format_of(console, terms.form, FORMATS)
    policy = policy_of(session, terms.policy)
    earlier = baseline_of(terms.baseline)
    audit, notes = audited(gathered(session, terms), policy, scope.checks)
    audit = replace(against(audit, earlier) if earlier else audit, fail_on=terms.fail_on, strict=terms.strict)
    for note in notes:
        console.warn(note)
    shown = tuple(one for one in audit.results if _is_shown(one, terms.least))
    less = tuple(one for one in audit.results if not _is_shown(one, terms.least))
    audit = replace(audit, results=shown, left_out=less)
    if form == "table":
        _in_pieces(session, audit)
    else:
        console.raw(FORMATS[form](audit).encode())
    raise typer.Exit(Negative.exit if audit.failed else 0)


def baseline_of(named: str | None) -> Baseline | None:
    """The earlier audit that is named; None: none is.

    Raises:
        NotReady: if it cannot be read.
        Refused: if it is none.
    """
    return None if named is None else read_baseline(read_input(named, "the baseline", LARGEST), named)


def _is_shown(one: Result, least: Severity) -> bool:
    return one.finding.severity.value >= least.value


def _in_pieces(session: Session, audit: Audit) -> None:
    """Lines and tables, as a terminal wants them."""
    for piece in pieces(audit, verbose=session.console.verbose):
        if not isinstance(piece, str):
            session.console.table(piece)
            continue
        for line in drawn(piece, session.console.columns or len(piece) + 1):
            session.console.result(line)


def write_facts(session: Session, options: OutputOptions, timeout: float) -> None:
    """Write what was gathered, to a file or to standard output.

    Raises:
        NotReady: if another file is there.
    """
    import json

    found = gather_host(session, timeout=timeout)
    content = json.dumps({"schema": SCHEMA, "ok": True, "data": document(found)}, indent=1).encode() + b"\n"
    path = Output(session, options).path
    if path is None:
        session.console.raw(content)
        return
    node = File(content, 0o600, session.host.self_owner)
    change = file_change(session.host, path, node, "facts of this host", force=options.force)
    run = session.run()
    apply_plan(Plan("write facts", (change,)), session.host, replace(run, append_only=(*run.append_only, path)))
    daemons = "1 dockerd" if len(found.asked) == 1 else f"{len(found.asked)} dockerds"
    session.console.result(f"{len(found.facts.files)} files and {daemons}: {shown(path)}")
    session.console.document("facts-written", {"output": shown(path)})
