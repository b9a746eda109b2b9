"""Mend what an audit found, as one change: planned from the checks that failed, proven live, judged again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockertls.audit.catalogue import BY_ID, TABLE
from dockertls.audit.checks.audit_rules import RULES
from dockertls.audit.gathered import seen
from dockertls.audit.model import Fix
from dockertls.audit.repairs import Repair, mended
from dockertls.cli.auditing import audited, known, policy_of
from dockertls.cli.gathering import gather_host
from dockertls.cli.restarting import change_daemon, refuse_pending
from dockertls.daemon.hardening import harden
from dockertls.daemon.running import restart_changes
from dockertls.daemon.settings import EMPTY, Settings
from dockertls.errors import NotReady, Usage
from dockertls.findings import Failed, Passed, Severity, Unknown, Warned
from dockertls.plan import Change, File
from dockertls.report.findings import word
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dockertls.audit.gathered import Gathered
    from dockertls.audit.model import Check
    from dockertls.audit.policy import Policy
    from dockertls.audit.seen import Seen
    from dockertls.cli.decided import Outcome, Restart
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.findings import Finding
    from dockertls.plan import Command, Plan
    from dockertls.report.audited import Audit

START_PATIENCE = 30.0  # seconds: until dockerd answers again
DECISIVE = ("NET-01", "NET-03", "NET-04", "NET-07", "NET-08")
"""Checks that must be no worse than before."""
ATTEMPTS = 3  # a busy host can miss a time limit
OF_THE_BRIDGE = frozenset({"icc", "ip"})


@dataclass(frozen=True)
class Wish:
    """What is to be mended.

    Attributes:
        only: these checks alone; none: all.
        opt_in: checks whose remedy may break workloads, and is wanted all the same.
        policy: a file; None: the host's own, if there is one.
        timeout: seconds for each question.
    """

    only: frozenset[str]
    opt_in: frozenset[str]
    policy: str | None
    timeout: float

    @classmethod
    def parse(cls, only: Sequence[str], opt_in: Sequence[str], policy: str | None, timeout: float) -> Wish:
        """From the command line.

        Raises:
            Usage: if a check is none, or nothing can be done about it.
        """
        wanted, extra = frozenset(map(known, only)), frozenset(map(known, opt_in))
        for id_ in sorted(wanted | extra):
            if BY_ID[id_].fix is Fix.ADVICE:
                raise Usage(
                    f"{id_} is not mended by harden: what to do is told, and yours to do",
                    f"dockertls audit --only {id_}",
                )
        for id_ in sorted(wanted - extra):
            if BY_ID[id_].fix is Fix.OPT_IN:
                raise Usage(f"what {id_} asks may break workloads", f"if it is wanted: --opt-in {id_}")
        return cls(wanted, extra, policy, timeout)

    def takes(self, check: Check) -> bool:
        """Whether a check is to be mended."""
        if check.fix is Fix.OPT_IN:
            return check.id in self.opt_in
        return check.fix is Fix.SAFE and (not self.only or check.id in self.only)


@dataclass
class Trial:
    """Whether dockerd answers afterwards, has what it was given, and lets in nobody more than before.

    Attributes:
        session: of this run.
        before: what was judged before.
        policy: of the host.
        timeout: seconds for each question.
        after: what is judged afterwards.
        findings: nothing that a client sees.
    """

    session: Session
    before: Audit
    policy: Policy
    timeout: float
    after: Audit | None = None
    findings: tuple[Finding, ...] = field(default=())

    def __call__(self) -> None:
        """Wait for dockerd, and judge again.

        Raises:
            NotReady: if it does not answer, or a port is open to more than before.
        """
        worse: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            self.after, _ = audited(self._answering(), self.policy)
            if not (worse := tuple(_worse(self.before, self.after))):
                return
        raise NotReady(f"after the change, {'; '.join(worse)}", "see dockertls audit")

    def _answering(self) -> Gathered:
        end = time.monotonic() + START_PATIENCE
        while True:
            found = gather_host(self.session, timeout=self.timeout)
            own = seen(found, self.policy.expected)[0]
            if own.process and own.answers.info:
                return found
            if time.monotonic() > end:
                why = own.answers.fault if own.process else own.running.idle or "no dockerd runs"
                raise NotReady(f"dockerd does not answer: {why}", "its log says why")
            time.sleep(0.2)


def _worse(before: Audit, after: Audit) -> Iterator[str]:
    """What says who is let in, and failed newly, or held before and cannot be told any more."""
    earlier = {(one.finding.id, one.daemon): one.finding.verdict for one in before.results}
    for one in after.results:
        now, then = one.finding.verdict, earlier.get((one.finding.id, one.daemon))
        if one.finding.id not in DECISIVE or isinstance(then, Failed):
            continue
        if isinstance(now, Failed):
            yield f"{one.finding.id} fails: {now.cause}"
        elif isinstance(now, Unknown) and isinstance(then, Passed):
            yield f"{one.finding.id} cannot be told: {now.reason}"


@dataclass(frozen=True)
class Hardened:
    """What is to be mended, decided; see `decided.Decided`.

    Attributes:
        plan: what to do.
        before: what was judged.
        mended: the checks that are mended.
        trial: the proof; None: no dockerd runs that could prove anything.
        notes: what the user should know, one line each.
        endpoint: of certificates nothing changes, here and in the rest.
    """

    plan: Plan
    before: Audit
    mended: tuple[str, ...]
    trial: Trial | None
    notes: tuple[str, ...] = ()
    endpoint: None = None
    material: None = None
    refused: None = None
    accepted: None = None
    server: None = None
    restart: tuple[Command, ...] = ()


def harden_host(session: Session, wish: Wish, change: ChangeOptions, restart: Restart) -> None:
    """Mend, prove, judge again, and show what it was and what it is."""
    outcome = change_daemon(session, lambda: _decide(session, wish), change, restart)
    _tell(session, wish, outcome)


def _decide(session: Session, wish: Wish) -> Hardened:
    policy = policy_of(session, wish.policy)
    found = gather_host(session, timeout=wish.timeout)
    before, _ = audited(found, policy)
    own, *others = seen(found, policy.expected)
    if not (own.is_own and own.reading.packaging.installed):
        raise NotReady("no Docker is set up by the files of this host", "install it, or look first: dockertls audit")
    due = [check.id for check in TABLE if wish.takes(check) and _is_due(before, check, own)]
    repairs = {id_: mended(id_, own) or Repair() for id_ in due}
    settings = EMPTY
    for one in repairs.values():
        settings |= one.settings
    kept = () if restart_changes(own.reading, own.running)[0] else tuple(_in_files(own, settings))
    settings = Settings({key: one for key, one in settings.sources.items() if key not in kept})
    plan = harden(own.facts, settings, more=tuple(_changes(own, repairs.values())), swarm=own.answers.swarm)
    if own.facts.runs and not own.process:
        plan = replace(plan, activation=())
    trial = Trial(session, before, policy, wish.timeout) if own.process else None
    mending = tuple(id_ for id_, one in repairs.items() if one != Repair())
    return Hardened(plan, before, mending, trial, tuple(_notes(repairs, others, kept)))


def _changes(own: Seen, repairs: Collection[Repair]) -> Iterator[Change]:
    """Of files, and the rules of the kernel's audit."""
    yield from (change for one in repairs for change in one.changes)
    lines = dict.fromkeys(line for one in repairs for line in one.rules)
    before = own.facts.files.get(RULES)
    text = before.content.decode(errors="replace") if isinstance(before, File) else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if missing:
        after = File((text + "".join(f"{line}\n" for line in missing)).encode(), 0o640)
        yield Change(RULES, before, after, "the kernel tells who changes it; load them: augenrules --load")


def _is_due(before: Audit, check: Check, own: Seen) -> bool:
    """Whether a check did not pass for the dockerd that the host's files start, and is not let be."""
    return any(
        isinstance(one.finding.verdict, Failed | Warned) and one.waiver is None
        for one in before.results
        if one.finding.id == check.id and one.daemon in {"", own.name}
    )


def _in_files(own: Seen, settings: Settings) -> Iterator[str]:
    """The options that files give as they should be: who runs by them and does otherwise has a reason."""
    for key, value in settings.items():
        told = own.reading.both().get(key)
        if (told.value if told else None) == value:
            yield key


def _notes(repairs: Mapping[str, Repair], others: Sequence[Seen], kept: Sequence[str]) -> Iterator[str]:
    for key in kept:
        why = (
            "it leaves its bridge as it is while containers run" if key in OF_THE_BRIDGE else "see CFG-08 of the audit"
        )
        yield f"{key} is set, and dockerd does otherwise: {why}"
    for id_, one in repairs.items():
        if one == Repair():
            yield f"{id_} is not mended: what is wrong there is yours to decide (dockertls audit --only {id_})"
    for other in others:
        yield f"{other.name} is left as it is: no file of this host starts it"


def _tell(session: Session, wish: Wish, outcome: Outcome[Hardened]) -> None:
    """What was done, and each check that was mended before and after."""
    console, decided, receipt = session.console, outcome.decided, outcome.receipt
    after = _after(session, wish, decided) if receipt and session.host.runs else None
    console.result(f"done: {decided.plan.title}" if receipt else "nothing to do")
    rows = _rows(decided, after) if receipt else ()
    if rows:
        console.table(Table(("CHECK", "WHAT SHOULD HOLD", "BEFORE", "AFTER"), tuple(Row(row) for row in rows)))
    left = [one for one in (after or decided.before).results if one.fails(Severity.LOW)]
    if left:
        failing = "1 check fails" if len(left) == 1 else f"{len(left)} checks fail"
        console.say(f"{failing} still: dockertls audit; what may break workloads takes --opt-in ID")
    session.tell_pending(outcome.pending)
    session.tell_undo(receipt)
    refuse_pending(outcome)
    console.document(
        "harden",
        {
            "changed": bool(receipt),
            "undo": receipt.undo if receipt else None,
            "pending": [list(command.argv) for command in outcome.pending],
            "checks": [{"id": id_, "title": title, "before": was, "after": now} for id_, title, was, now in rows],
            "failed_still": sorted({one.finding.id for one in left}),
        },
    )


def _after(session: Session, wish: Wish, decided: Hardened) -> Audit:
    """What is judged now: by the proof, if there was one and all of it is in force."""
    if decided.trial and decided.trial.after:
        return decided.trial.after
    return audited(gather_host(session, timeout=wish.timeout), policy_of(session, wish.policy))[0]


def _rows(decided: Hardened, after: Audit | None) -> tuple[tuple[str, str, str, str], ...]:
    later = {(one.finding.id, one.daemon): word(one.finding.verdict) for one in after.results} if after else {}
    found = [one for one in decided.before.results if one.finding.id in decided.mended]
    return tuple(
        (one.finding.id, one.finding.title, word(one.finding.verdict), later.get((one.finding.id, one.daemon), ""))
        for one in found
        if isinstance(one.finding.verdict, Failed | Warned)
    )
