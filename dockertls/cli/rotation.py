"""`dockertls ca rotate`: go from phase to phase, and tell where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.cli.deploying import look_around
from dockertls.cli.parties import blocks, parties
from dockertls.cli.rotating import at_once, on_the_way_back
from dockertls.errors import NotReady, Usage
from dockertls.escaping import visible
from dockertls.pki.rotation import FIRST, LAST, LAST_WAY_BACK, PHASES, Phase
from dockertls.report import findings
from dockertls.report.certificates import generation_json, subject
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.cli.deploying import Done
    from dockertls.cli.parties import Party
    from dockertls.cli.rotating import Rotate, Rotator
    from dockertls.cli.session import Session
    from dockertls.pki.rotation import Rotation
    from dockertls.pki.store import Generation

ACTIONS = ("start", "next", "status", "abort")


def rotate(session: Session, rotator: Rotator, action: str | None, asked: Rotate, *, now: bool) -> None:
    """Carry out what was asked for.

    Raises:
        Usage: if it makes no sense.
    """
    if action not in {None, *ACTIONS}:
        raise Usage(f"{visible(str(action))} is not known", f"take one of: {', '.join(ACTIONS)}")
    if action and (now or asked.compromised):
        raise Usage(f"--now and --compromised go without {action}", "leave one of them out")
    if action in {None, "status"} and not (now or asked.compromised):
        show_status(session)
        return
    rotator.settle()
    old = session.store.current("ca")
    done, phase = _go(session, rotator, action, asked, now=now)
    _tell(session, old, done, phase)


def _go(
    session: Session, rotator: Rotator, action: str | None, asked: Rotate, *, now: bool
) -> tuple[Sequence[Done], Phase]:
    """What was done, and the phase that was reached."""
    if asked.compromised:
        return _emergency(session, rotator, asked), LAST
    if now:
        return _all(session, rotator, asked), LAST
    if action == "start":
        return [rotator.start(asked)], FIRST
    if action == "next":
        phase = PHASES[rotator.under_way().phase + 1]
        return [rotator.move(asked, phase)], phase
    return _abort(rotator, asked), PHASES[0]


def _all(session: Session, rotator: Rotator, asked: Rotate) -> Sequence[Done]:
    """Every phase that is left, one after the other, each proven; refused at once if somebody would have to wait."""
    rotator.refuse_again(asked)
    rotation = session.store.rotation()
    ahead = PHASES[(rotation.phase if rotation else 0) + 1 :]
    rotator.refuse_blocked(asked, ahead, at_once)
    session.console.say("\n".join(f"{phase.number}. {phase.title}" for phase in ahead))
    done: list[Done] = []
    for phase in ahead:
        done.append(rotator.start(asked) if phase is FIRST else rotator.move(asked, phase))
        session.console.say(f"done: {phase.number}. {phase.title}")
        rotator.consented()
    return done


def _abort(rotator: Rotator, asked: Rotate) -> Sequence[Done]:
    """Back to the old authority, the way that was come."""
    rotation = rotator.under_way()
    if rotation.phase > LAST_WAY_BACK:
        raise NotReady("the old authority has been dropped already", "go on: dockertls ca rotate next")
    back = tuple(reversed(PHASES[: rotation.phase]))
    rotator.refuse_blocked(asked, back, on_the_way_back)
    done: list[Done] = []
    for phase in back:
        done.append(rotator.move(asked, phase))
        rotator.consented()
    return done


def _emergency(session: Session, rotator: Rotator, asked: Rotate) -> Sequence[Done]:
    """Straight to the end: whoever is not here loses access now."""
    rotator.refuse_again(asked)
    lost = rotator.lost(asked)
    names = ", ".join(f"{one.role} {one.name}" for one in lost)
    session.console.warn(f"at once lose access: {names}" if lost else "nobody elsewhere is known to lose access")
    done = rotator.start(asked, LAST)
    for one in lost:
        session.console.say(f"then for {one.role} {one.name}: {one.mend}")
    return [done]


def _tell(session: Session, old: Generation | None, done: Sequence[Done], phase: Phase) -> None:
    """What was reached, from which authority, and what comes next."""
    console, last = session.console, done[-1]
    reached = "aborted: all is as it was before" if phase is PHASES[0] else phase.title
    console.result(f"phase {phase.number} of {LAST.number}: {reached}")
    if console.verbose and last.findings:
        console.table(findings.table(last.findings))
    session.tell_pending(dict.fromkeys(command for one in done for command in one.pending))
    if phase is LAST and old:
        _tell_end(session, old, last)
    elif phase is not PHASES[0]:
        console.say("next: dockertls ca rotate status, dockertls ca rotate next")
    console.document(
        "ca-rotate",
        {
            "phase": phase.number,
            "changed": any(one.receipt for one in done),
            "old_refused": True if phase is LAST and last.findings and last.work.refused else None,
            "findings": [findings.as_json(one) for one in last.findings],
        },
    )


def _tell_end(session: Session, old: Generation, last: Done) -> None:
    """What the end of a rotation is worth, and what becomes of the authority that was left."""
    if last.findings and last.work.refused is None:
        session.console.warn(
            "that clients of the old authority are refused was not tried: none of them has its key here"
        )
    place = f"{session.store_shown}/ca/{old.path.name}"
    session.console.say(
        f"nobody here trusts the old authority any more; its key may be destroyed: shred -u {place}/key.pem\n"
        "leave cert.pem and revoked.json there: they tell what must not come back"
    )


# status


def show_status(session: Session) -> None:
    """Phase, who trusts and shows what, and what comes next."""
    rotation, console = session.store.rotation(), session.console
    if rotation is None:
        console.result("no rotation is under way; begin one with `dockertls ca rotate start`, or `--now`")
        console.document("ca-rotation", {"phase": 0, "parties": []})
        return
    store = session.store
    old, new = (store.generation("ca", "", number) for number in (rotation.old, rotation.new))
    found = parties(session, look_around(session), old, new)
    ahead = PHASES[rotation.phase + 1]
    waiting = blocks(found, rotation, ahead)
    console.result(f"from {subject(old.certificate)} to {subject(new.certificate)}")
    console.result(f"phase {rotation.phase} of {LAST.number}: {rotation.row.title}")
    console.table(_table(found, rotation))
    console.result(f"next: {ahead.title}" + ("; restarts dockerd" if ahead.restarts else ""))
    for block in waiting:
        console.result(f"  waits for {block.role} {block.name}: {block.why}\n    {block.remedy}")
    console.document(
        "ca-rotation",
        {
            "phase": rotation.phase,
            "title": rotation.row.title,
            "old": generation_json(old, session.started),
            "new": generation_json(new, session.started),
            "parties": [vars(one) | {"trusts": list(one.trusts)} for one in found],
            "next": {"phase": ahead.number, "title": ahead.title, "waits_for": [vars(one) for one in waiting]},
        },
    )


def _table(found: Sequence[Party], rotation: Rotation) -> Table:
    rows = (
        Row(
            (
                one.role,
                one.name,
                "here" if one.here else "elsewhere" if one.known else "nowhere",
                " and ".join(one.trusts) or "?",
                one.shows,
                _remark(one, rotation),
            )
        )
        for one in found
    )
    return Table(("ROLE", "NAME", "WHERE", "TRUSTS", "SHOWS", ""), tuple(rows))


def _remark(one: Party, rotation: Rotation) -> str:
    if one.fault:
        return one.fault
    if not rotation.waits_for(one.role, one.name):
        return "locked out"
    if not one.known:
        return "no copy of it is known"
    return "" if one.here else ("confirmed" if one.confirmed else "not confirmed")
