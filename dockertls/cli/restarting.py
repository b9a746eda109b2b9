"""Changes that dockerd follows only after a restart: no container stops by surprise, nothing stays unproven."""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from dockertls.apply import apply
from dockertls.cli.console import is_root, user_id
from dockertls.cli.decided import PLAIN, Decided, Outcome, Restart, Terms, Trial
from dockertls.cli.session import MOST_ATTEMPTS
from dockertls.daemon.configure import live_restore
from dockertls.daemon.control import closes_listener, complaints, is_restart, log_command, restarts
from dockertls.daemon.effective import effective, open_to_all
from dockertls.daemon.hardening import kept_by_reload
from dockertls.daemon.packaging import SOCKET_DROP_IN, packaging
from dockertls.daemon.reading import read
from dockertls.daemon.rules import judged
from dockertls.errors import Denied, Drifted, Fault, NotReady, UndoFailed, Undone, refuse
from dockertls.escaping import visible
from dockertls.plan import Plan
from dockertls.undo import plan_undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockertls.apply import Run
    from dockertls.cli.live import Running
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.daemon.reading import Reading
    from dockertls.facts import HostFacts
    from dockertls.journal import Entry


_Decided = TypeVar("_Decided", bound=Decided)


def change_daemon(
    session: Session,
    decide: Callable[[], _Decided],
    options: ChangeOptions,
    restart: Restart,
    terms: Terms = PLAIN,
) -> Outcome[_Decided]:
    """Carry out a plan whose activation restarts dockerd, prove it live, and take it back if the proof fails.

    Args:
        session: this run.
        decide: makes the plan; asked again if containers had to be made safe first, or if another run was faster and
            nobody has consented to a certain plan.
        options: how to go about it.
        restart: what may happen to the daemon.
        terms: what else matters.

    Raises:
        As `Session.change`.
    """
    for _ in range(MOST_ATTEMPTS if options.yes else 0):
        with suppress(Drifted):
            return _change_daemon(session, decide, options, restart, terms)
    return _change_daemon(session, decide, options, restart, terms)


def _change_daemon(
    session: Session, decide: Callable[[], _Decided], options: ChangeOptions, restart: Restart, terms: Terms
) -> Outcome[_Decided]:
    if session.host.runs and not options.looks_only:
        _refuse_others(session)
    session.recover(options)
    decided, plan = _decide(session, decide, options, terms)
    seen = _containers(session, plan, restart)
    first = _keep_containers(session, seen)
    for note in decided.notes:
        session.console.say(f"note: {note}")
    stopped = seen.would_stop if seen and not first else ()
    if not session.consider(_naming(plan, stopped), options, first=first):
        return Outcome(decided, None)
    run = session.run(group=terms.group or secrets.token_hex(8))
    with _turn(session):
        earlier = apply(first, session.host, run, guards=_guards(session, plan, decided)) if first else None
        try:
            if earlier:
                decided, plan = _decide(session, decide, options, terms)
            return _follow(session, decided, plan, options, restart, run=run, whole=terms.whole)
        except UndoFailed:
            raise  # its journal comes first
        except BaseException:
            if earlier:  # not wanted for its own sake
                apply(earlier.plan.inverse(), session.host, replace(run, undoes=(earlier.id,)))
            raise


def _decide(
    session: Session, decide: Callable[[], _Decided], options: ChangeOptions, terms: Terms
) -> tuple[_Decided, Plan]:
    """What is decided, and what is to be done, once it is known that dockerd and its client can live with it.

    A run that only looks does not judge what it would sign: a stand-in did, which nobody trusts.

    Raises:
        Refused: with all that is wrong with the certificates.
    """
    decided = decide()
    plan = decided.plan or _not_followed_yet(session, decided, eager=terms.eager)
    signs = any(change.path.is_relative_to(session.store_path) for change in plan.changes)
    if plan and decided.endpoint and not (signs and options.looks_only):
        from dockertls.cli.guarding import preflight

        preflight(_after(session, plan), decided.endpoint, decided.material, session.started)
    return decided, plan


def _after(session: Session, plan: Plan) -> HostFacts:
    """The host as a plan would make it."""
    return session.facts("daemon", "certificates").after(plan.changes)


def _guards(session: Session, plan: Plan, decided: Decided | None = None) -> tuple[Callable[[], None], ...]:
    """What is asked before anything is changed: both sides of a handshake, where there will be one, and dockerd."""
    if not session.host.runs:
        return ()
    from dockertls.cli.guarding import shake_hands, validate

    after = _after(session, plan)

    def meet() -> None:
        if decided and decided.material and decided.endpoint:
            shake_hands(after, decided.endpoint, decided.material, session.started)

    return (meet, lambda: validate(after, session.host))


def _refuse_others(session: Session) -> None:
    """Only root changes the system's Docker, and only its user his own. Raises Denied."""
    owner = packaging(session.facts("daemon")).user
    if owner and owner.uid != user_id():
        name = visible(owner.name)
        raise Denied(f"this Docker is {name}'s own", f"run it as {name}, without sudo")
    if not owner and not is_root():
        raise Denied("this changes /etc/docker and restarts dockerd", "run it with sudo, or look first with --dry-run")


def _turn(session: Session) -> AbstractContextManager[None]:
    """From the look at the containers to the proof, no other run touches the daemon."""
    return session.host.lock("turn") if session.host.runs else nullcontext()


def _follow(
    session: Session, decided: _Decided, plan: Plan, options: ChangeOptions, restart: Restart, *, run: Run, whole: bool
) -> Outcome[_Decided]:
    """Carry out what was decided, with a restart and a proof where they may be."""
    reason = _why_not(session, restart, _containers(session, plan, restart), options)
    if reason and whole:
        raise NotReady(f"nothing was done: {reason}", "stop them yourself, or say --restart always")
    postpone = bool(reason) or restart is Restart.NEVER or not session.host.runs
    proof = _proof(session, decided) if (plan.activation or whole) and not postpone else None
    if postpone and not plan.changes:
        return Outcome(decided, None, (), plan.commands, reason)
    with _last_words(session):
        guards, run = _guards(session, plan, decided), replace(run, activate=not postpone)
        receipt = apply(plan, session.host, run, guards=guards, proof=proof)
    return Outcome(decided, receipt, proof.findings if proof else (), plan.commands if postpone else (), reason)


def _proof(session: Session, decided: Decided) -> Trial | None:
    from dockertls.cli.live import Others, Proof

    if not (decided.material and decided.endpoint and decided.server):
        return decided.trial
    others = Others(decided.accepted, decided.refused)
    return Proof(decided.endpoint, decided.material, session.started, decided.server.certificate, others)


@contextmanager
def _last_words(session: Session) -> Iterator[None]:
    """Add to a failure what dockerd itself said of it in its log."""
    try:
        yield
    except (Undone, UndoFailed) as error:
        command = log_command(session.facts("daemon"), session.started) if session.host.runs else None
        words = complaints(session.host.run(command).out) if command else ()
        raise type(error)(error.message, "\n".join((error.hint, *words))) from error


def _containers(session: Session, plan: Plan, restart: Restart) -> Running | None:
    """What the daemon runs, where the plan restarts it; None: nothing that a restart could stop is known.

    Containers survive only if the daemon that stops and the one that starts both know of live-restore.
    """
    if not restarts(plan) or not session.host.runs or restart is Restart.NEVER:
        return None
    from dockertls.cli.live import running

    facts = _after(session, plan)
    seen, said = running(facts), effective(facts).get("live-restore")
    lasting = said is not None and said.value is True
    return replace(seen, live_restore=seen.live_restore and lasting) if seen else None


def _naming(plan: Plan, stopped: Sequence[str]) -> Plan:
    """The plan as it is shown: what restarts dockerd names the containers that it stops."""
    told = f"; it stops {', '.join(map(visible, stopped))}" if stopped else ""
    commands = (replace(one, why=one.why + told) if is_restart(one) else one for one in plan.activation)
    return replace(plan, activation=tuple(commands))


def _keep_containers(session: Session, seen: Running | None) -> Plan:
    """What lets running containers survive the restart, where that is possible."""
    if seen is None or not seen.would_stop or seen.swarm:
        return Plan("")
    return live_restore(session.facts("daemon"))


def _not_followed_yet(session: Session, decided: Decided, *, eager: bool) -> Plan:
    """A restart, if the daemon does not follow files that are as they shall be: an earlier run stopped there."""
    if not (session.host.runs and decided.material and decided.endpoint and decided.server):
        return decided.plan
    from dockertls.cli.live import is_served, shown_certificate
    from dockertls.cli.showing import left_for_a_restart

    title = "restart dockerd: it does not follow its files yet"
    if not eager and shown_certificate(decided.endpoint, decided.material) in {None, decided.server.certificate}:
        return decided.plan
    if is_served(decided.endpoint, decided.material, decided.server.certificate):
        left = left_for_a_restart(session)
        if not left:
            return decided.plan
        title = f"{title} ({', '.join(left)})"
    return replace(decided.plan, title=title, activation=decided.restart)


def _why_not(session: Session, restart: Restart, seen: Running | None, options: ChangeOptions) -> str:
    """Why the daemon may not be restarted now; empty: it may."""
    if restart is not Restart.SAFE or seen is None or not seen.would_stop:
        return ""
    names = ", ".join(visible(name) for name in seen.would_stop)
    console = session.console
    if console.can_ask and (options.yes or console.confirm(f"A restart stops {names}. Restart now?")):
        return ""
    return f"a restart would stop {names}"


def undo_entries(
    session: Session,
    entries: Sequence[Entry],
    options: ChangeOptions,
    restart: Restart,
    later: Sequence[Entry] = (),
) -> bool:
    """Take entries of one group back, the newest first, each with its own activation.

    What kept containers running through a restart goes last, by a reload, when the restart is over. What came later
    goes with the newest as one: what was in use in between does not come back on the way.

    Args:
        session: this run.
        entries: oldest first.
        options: how to go about it.
        restart: what may happen to the daemon.
        later: entries after them, oldest first.

    Returns:
        Whether anything was done.

    Raises:
        NotReady: if the daemon may not be restarted now, or certificates would come back whose time is over; nothing is
            done then.
        Refused: if dockerd would not start afterwards; nothing is done then.
    """
    parts = _parts(entries, later)
    whole = plan_undo(session.host, (*entries, *later))
    _refuse_undo(session, whole, restart)
    seen = _containers(session, plan_undo(session.host, parts[-1]), restart)
    if not session.consider(_naming(whole, seen.would_stop if seen else ()), options):
        return False
    run, kept = session.run(group=secrets.token_hex(8)), _kept_by_reload(session, whole)
    with _turn(session):
        newest = plan_undo(session.host, parts[-1])
        if reason := _why_not(session, restart, _containers(session, newest, restart), options):
            raise NotReady(f"nothing was taken back: {reason}", "stop them yourself, or say --restart always")
        for part in reversed(parts):
            _undo(session, part, run, restart)
    if kept:
        session.console.say(
            f"note: a reload takes nothing away: dockerd keeps {', '.join(kept)} until its next restart"
        )
    return True


def _kept_by_reload(session: Session, plan: Plan) -> tuple[str, ...]:
    """The options that stay in the memory of a dockerd that is not restarted."""
    if restarts(plan) or not plan.activation or not session.host.runs:
        return ()
    facts = session.facts("daemon")
    return kept_by_reload(facts, facts.after(plan.changes))


def _undo(session: Session, part: Sequence[Entry], run: Run, restart: Restart) -> None:
    """Take entries back as one."""
    plan = plan_undo(session.host, part)
    activate = restart is not Restart.NEVER or not plan.activation  # what only changes ask for is not dockerd's
    guards = _guards(session, plan) if plan.activation else ()
    undoing = replace(run, undoes=tuple(one.id for one in part), activate=activate)
    with _last_words(session):
        apply(plan, session.host, undoing, guards=guards)


def _refuse_undo(session: Session, plan: Plan, restart: Restart) -> None:
    """Raise NotReady if the end would be worse than what there is."""
    if restart is Restart.NEVER and session.host.runs and closes_listener(plan):
        raise NotReady(
            "nothing was taken back: systemd would go on listening until docker.socket is restarted, without TLS",
            "say --restart always, or safe",
        )
    _refuse_bygone(session, plan)
    before = session.facts("daemon")
    after = before.after(plan.changes)
    _refuse_open(session, after)
    if restarts(plan) and restart is not Restart.NEVER and session.host.runs:
        _refuse_lost(before, after)


def _parts(entries: Sequence[Entry], later: Sequence[Entry]) -> tuple[tuple[Entry, ...], ...]:
    """What is taken back at once, the last part first.

    A reload stands by itself, where nothing else changed the same files: it may have kept containers running.
    """
    paths = Counter(path for entry in (*entries, *later) for path in {step.path for step in entry.steps})
    reloads = [one for one in later if one.activation and not any(map(is_restart, one.activation))]
    alone = [one for one in reloads if all(paths[step.path] == 1 for step in one.steps)]
    rest = (one for one in later if one not in alone)
    return (*((one,) for one in (*entries[:-1], *alone)), (entries[-1], *rest))


def _refuse_bygone(session: Session, plan: Plan) -> None:
    """Raises NotReady, naming each, if certificates would come back that are revoked, have ended, or are retired.

    While a rotation runs, none is touched: the store would not know how far this host is, nor who loses access.
    """
    from dockertls.pki.bygone import bygone, touched

    places = touched(plan, session.store) if session.store.rotation() else ()
    if places:
        raise NotReady(
            f"nothing was taken back: a rotation of the authority is under way, and this touches {', '.join(places)}",
            "go back with `dockertls ca rotate abort`, or end it with `dockertls ca rotate next`",
        )
    hint = "issue a new one, or take an earlier change back with all that came later: `dockertls undo ID --since`"
    faults = [Fault(line, hint) for line in bygone(plan, session.store, session.started)]
    if faults:
        told = "; ".join(fault.message for fault in faults)
        raise NotReady(f"nothing was taken back: {told}", hint, faults=faults)


def _refuse_lost(before: HostFacts, after: HostFacts) -> None:
    """Raises Refused, naming each fault, if dockerd would not start by what is wrong now and stays so.

    What comes back with the undo is as it was when it was changed; if dockerd does not take it, nor is it taken back.
    """
    now, then = _stopping(read(before)), _stopping(read(after))
    refuse("nothing was taken back, for dockerd would not start then", [fault for fault in then if fault in now])


def _stopping(reading: Reading) -> tuple[Fault, ...]:
    """What keeps dockerd from starting."""
    return (*reading.packaging.faults, *judged(reading, stops=True))


def _refuse_open(session: Session, after: HostFacts) -> None:
    """Tell of ports that would be open to everybody afterwards. Raises NotReady if one is of our own making."""
    for fault in open_to_all(after):
        session.console.warn(f"after this, {fault.message}")
        if after.file(SOCKET_DROP_IN):
            raise NotReady(f"nothing was taken back: {fault.message}", "undo what opened the port first: see history")


def refuse_pending(outcome: Outcome[_Decided]) -> None:
    """The end of a run that configured the daemon and could not restart it.

    Raises:
        NotReady: if that is so.
    """
    if outcome.stopped_by:
        commands = " && ".join(" ".join(command.argv) for command in outcome.pending if not command.tolerated)
        raise NotReady(
            f"configured, not restarted: {outcome.stopped_by}",
            f"when it suits: {commands} && dockertls check (or run this again with --restart always)",
        )
