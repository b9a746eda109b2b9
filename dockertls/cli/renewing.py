"""Renew certificates, in one plan with every copy of them, and tell the deploy hooks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from dockertls.cli.deploying import Aim, Done, Work, carry_out, present
from dockertls.cli.files import runnable
from dockertls.cli.hooking import run_hooks, to_be_told
from dockertls.cli.issuing import issued_row
from dockertls.cli.signing import key_is_revoked
from dockertls.client.files import KEY
from dockertls.documents import duration
from dockertls.errors import DockerTLSError, Fault, Negative, NotReady, Usage, refuse
from dockertls.escaping import visible
from dockertls.pki import hooks
from dockertls.pki.issue import PUT_IN_ITS_PLACE
from dockertls.pki.names import client_name, folder, parse_name
from dockertls.pki.profiles import TABLE
from dockertls.pki.renewal import is_due, is_last, life_of, revoked_twin
from dockertls.pki.standby import has_ended
from dockertls.pki.store import FOLDERS
from dockertls.plan import Plan, shown
from dockertls.report import findings
from dockertls.report.certificates import generation_json, moment
from dockertls.report.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from dockertls.cli.decided import Restart
    from dockertls.cli.deploying import Survey
    from dockertls.cli.hooking import Ran
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Made, Signer
    from dockertls.pki.revocation import Revocations
    from dockertls.pki.store import Generation, StoreState

FEW = 5  # names that a title tells
OTHERS = 0o077


@dataclass(frozen=True)
class Renew:
    """What is to be renewed.

    Attributes:
        names: as typed; none: every one that is due.
        hooks: programs to run afterwards, absolute paths.
        every: whether those that are not due are renewed, too.
        within: how long before its end a certificate is due; None: when a third of its life is left.
        new_key: whether keys are made anew.
    """

    names: tuple[str, ...]
    hooks: tuple[str, ...]
    every: bool
    within: timedelta | None
    new_key: bool

    @classmethod
    def parse(
        cls, names: Sequence[str], programs: Sequence[str], *, every: bool, within: str | None, new_key: bool
    ) -> Renew:
        """From the command line; hooks are looked at before any work begins.

        Raises:
            Usage: --all with names, or a time that is none.
            NotReady: if a hook cannot be run.
        """
        if every and names:
            raise Usage("--all and a NAME do not go together", "leave one of them out")
        return cls(tuple(names), tuple(map(runnable, programs)), every, _time(within), new_key)

    @property
    def at_once(self) -> bool:
        """Whether certificates are renewed that are not due."""
        return self.every or (self.new_key and bool(self.names))

    def wants(self, generation: Generation, now: datetime) -> bool:
        """Whether a certificate is to be renewed now."""
        return self.at_once or is_due(generation.certificate, now, self.within)


def _time(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = duration.parse(text)
    if found is None:
        raise Usage(f"--within {visible(text)} is no time", duration.HOW)
    return found


@dataclass(frozen=True)
class Due:
    """A certificate that is to be renewed, and who signs its successor."""

    old: Generation
    authority: Generation


@dataclass(frozen=True)
class Skipped:
    """A certificate that is due and was not renewed, and why."""

    role: str
    name: str
    why: str


@dataclass(frozen=True)
class Ended:
    """A client whose certificate has ended, and when: access that was given for a time does not come back by itself."""

    role: str
    name: str
    at: str


@dataclass(frozen=True)
class Selected:
    """What is renewed, what should be and cannot, and what is left to its end."""

    due: tuple[Due, ...]
    skipped: tuple[Skipped, ...]
    ended: tuple[Ended, ...]


@dataclass(frozen=True)
class Unseen:
    """A place of this host that is left as it is, and why."""

    place: str
    why: str


@dataclass(frozen=True)
class Looked:
    """What a run found before it changed anything.

    Attributes:
        selected: what is renewed, and what is not.
        here: what this host has.
    """

    selected: Selected
    here: Survey

    @property
    def unseen(self) -> tuple[Unseen, ...]:
        """Places with client files that do not follow."""
        return tuple(_unseen(self.here))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of them, and of keys that others could read."""
        return (*(f"{one.place} is left as it is: {one.why}" for one in self.unseen), *_exposed(self.here))


def renew_certificates(session: Session, asked: Renew, signer: Signer, change: ChangeOptions, restart: Restart) -> None:
    """Renew, deploy, prove, and tell.

    Raises:
        NotReady: issued and not deployed, or a hook failed.
        typer.Exit: if a certificate is due and could not be renewed.
    """
    made: list[Made] = []
    looked: list[Looked] = []

    def successor(due: Due) -> Made:
        life = life_of(due.old.certificate, TABLE[due.old.role])
        return signer.renewed(due.old, due.authority, life=life, new_key=asked.new_key)

    def make(here: Survey) -> Work:
        looked[:] = [Looked(_select(session, asked), here)]
        with signer.many():
            made[:] = session.console.progress(looked[0].selected.due, successor, "renewing")
        return _work(session, asked, made)

    try:
        done = carry_out(session, make, change, restart)
    finally:  # a run that only looks ends there
        _warn(session, looked)
    if not session.host.runs:
        done = replace(done, pending=(*done.pending, *to_be_told(session, asked.hooks)))
    ran = () if done.stopped_by or not session.host.runs else run_hooks(session, asked.hooks)
    _tell(session, done, made, looked[0], ran)


# looking


def _unseen(here: Survey) -> Iterator[Unseen]:
    """Places that are, or may be, a client's of this store, and are left as they are."""
    for one in here.clients:
        copy, generation = one.copy, one.generation
        if copy.fault and (generation or copy.certificate is None):
            yield Unseen(copy.place, copy.fault)
        elif one.why:
            yield Unseen(copy.place, one.why)
        elif generation and not copy.is_pair:
            yield Unseen(copy.place, f"the key of client {generation.name} is not beside its certificate")


def _exposed(here: Survey) -> Iterator[str]:
    """Keys that more than their owner could read until now."""
    for copy, generation in here.ours:
        mode = copy.files[KEY].mode
        if mode & OTHERS:
            told = f"others could read the {KEY} in {copy.place} (mode {mode:04o}), and it is written 0600"
            yield f"{told}; if one of them has it: dockertls renew {generation.name} --new-key"


def _select(session: Session, asked: Renew) -> Selected:
    """What is due, what of it cannot be renewed, and what is left."""
    with session.store.near() as near:
        authorities = {role: near.authority(role) for role in FOLDERS}
        if not any(authorities.values()):
            hint = "make one: dockertls bootstrap, or dockertls ca init; or name another store with --store"
            raise NotReady(f"there is no authority in {session.store_shown}", hint)
        judge = partial(_judge, near, asked=asked, revocations=near.revocations(), now=session.started)
        found = [_tried(near, *one, lambda old: judge(old, authorities[old.role])) for one in _named(near, asked.names)]
    return Selected(
        tuple(one for one in found if isinstance(one, Due)),
        tuple(one for one in found if isinstance(one, Skipped)),
        tuple(one for one in found if isinstance(one, Ended)),
    )


def _tried(
    near: StoreState, role: str, name: str, judge: Callable[[Generation], Due | Skipped | Ended | None]
) -> Due | Skipped | Ended | None:
    """What becomes of a name; what goes wrong with one does not stop the others."""
    try:
        generation = near.current(role, name)
        return judge(generation) if generation else None
    except DockerTLSError as error:
        return Skipped(role, name, error.message)


def _judge(
    store: StoreState,
    old: Generation,
    authority: Generation | None,
    *,
    asked: Renew,
    revocations: Revocations,
    now: datetime,
) -> Due | Skipped | Ended | None:
    """What becomes of a certificate; None: it is not due, or was revoked and is left to its end.

    Raises:
        NotReady: it cannot be renewed.
    """
    if not asked.wants(old, now):
        return None
    if revocations.of(old.certificate):
        why = f"it was revoked: issue a new one: dockertls {old.role} issue {old.name}"
        return Skipped(old.role, old.name, why) if asked.names else None
    if old.role == "client" and has_ended(old, now) and not asked.names:
        return Ended(old.role, old.name, moment(old.certificate.not_valid_after_utc))
    _refuse_revoked_key(store, old, revocations)
    return Due(old, _able(old, authority, asked, now))


def _able(generation: Generation, authority: Generation | None, asked: Renew, now: datetime) -> Generation:
    """The authority, if it can make a successor, and one that lives longer. Raises NotReady if it cannot."""
    role, name = generation.role, generation.name
    if asked.new_key and generation.key_pem is None:
        raise NotReady(f"its key is elsewhere: make a request there: `dockertls {role} csr {name}`")
    if authority is None or authority.key_pem is None:
        words = f"`dockertls {role} csr {name}`"
        raise NotReady(f"the key of its authority is not here; make a request: {words}")
    if has_ended(authority, now):
        raise NotReady(f"its authority has ended; {PUT_IN_ITS_PLACE}")
    if is_last(generation.certificate, authority.certificate) and not asked.at_once:
        raise NotReady("it lives as long as its authority, which has to be replaced: `dockertls ca rotate`")
    return authority


def _refuse_revoked_key(store: StoreState, generation: Generation, revocations: Revocations) -> None:
    """Raises NotReady if a key that is elsewhere had another certificate that was revoked."""
    twin = None if generation.key_pem else revoked_twin(store, generation, revocations)
    if twin:
        raise NotReady("; ".join(key_is_revoked(generation, twin)))


def _named(store: StoreState, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Roles and folders of what was named; of everything if nothing was.

    Raises:
        Refused: with every name that cannot be one.
        NotReady: with every name that nobody has.
    """
    there = {role: store.names(role) for role in FOLDERS}
    if not names:
        yield from ((role, name) for role in FOLDERS for name in there[role])
        return
    wanted = {name: _folders(name) for name in names}
    found = {name: [one for one in places if one[1] in there[one[0]]] for name, places in wanted.items()}
    missing = ", ".join(visible(name) for name, places in found.items() if not places)
    if missing:
        raise NotReady(f"there is no certificate for {missing} in {shown(store.path)}", "see `dockertls status`")
    yield from dict.fromkeys(one for places in found.values() for one in places)


def _folders(name: str) -> list[tuple[str, str]]:
    """Where a name may lie, as a server's and as a client's. Raises Refused if it can be neither."""
    found: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for role, read in READERS.items():
        try:
            found.append((role, read(name)))
        except DockerTLSError as error:
            faults += error.faults
    if not found:
        refuse("name", faults)
    return found


READERS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"server": lambda text: folder(parse_name(text)), "client": client_name}
)
"""The folder of a name as typed, by the role."""


def _work(session: Session, asked: Renew, made: Sequence[Made]) -> Work:
    """What is stored, and what this host shall have; who is to be told is written down with it."""
    renewed = {(one.generation.role, one.generation.name): one.generation for one in made}
    stored = [one.plan for one in made]
    if asked.hooks and renewed:
        known = hooks.pending(session.store)
        stored.append(Plan("deploy hooks", (hooks.note(session.store, dict.fromkeys((*known, *renewed))),)))
    title = f"renew {', '.join(' '.join(one) for one in renewed)}" if len(renewed) < FEW else f"renew {len(renewed)}"
    return Work(
        title if renewed else "bring every copy up to date", Aim(present(session.store), renewed), tuple(stored)
    )


# telling


def _warn(session: Session, looked: Sequence[Looked]) -> None:
    for last in looked:
        console, selected = session.console, last.selected
        for skipped in selected.skipped:
            console.warn(f"{skipped.role} {skipped.name} was not renewed: {skipped.why}")
        for told in last.warnings:
            session.warn_once(told)
        if selected.ended:
            console.say(f"note: {_some(selected.ended)} ended and stays so; if it shall live: dockertls renew NAME")


def _some(ended: Sequence[Ended]) -> str:
    names = ", ".join(one.name for one in ended[:FEW])
    return f"client {names}" + (f" and {len(ended) - FEW} more" if len(ended) > FEW else "")


def _tell(session: Session, done: Done, made: Sequence[Made], looked: Looked, ran: Sequence[Ran]) -> None:
    """What was renewed, what was not and why, and what is still to be done."""
    console, failed = session.console, [one for one in ran if one.failure]
    selected = looked.selected
    if made:
        console.table(Table(("", "CERTIFICATE", "NAMES", "UNTIL", "FILES"), tuple(map(issued_row, made))))
    else:
        console.result("nothing is due" if not selected.skipped else "nothing was renewed")
    session.tell_pending(done.pending if not done.stopped_by else ())
    session.tell_undo(done.receipt)
    if done.stopped_by:
        raise NotReady(f"issued, not deployed: {done.stopped_by}", "when it suits: dockertls renew --restart always")
    if behind := _behind(session.store, looked.here):
        raise NotReady(f"issued, not deployed: {'; '.join(behind)}", "mend that, then run it again: dockertls renew")
    if failed:
        told = "; ".join(f"{one.program}: {one.failure}" for one in failed)
        raise NotReady(
            f"renewed and deployed, but a deploy hook failed: {told}", "the next `dockertls renew` runs it again"
        )
    console.document("renew", _document(session, done, made, looked, ran), ok=not selected.skipped)
    if selected.skipped:
        raise typer.Exit(Negative.exit)


def _behind(store: StoreState, here: Survey) -> list[str]:
    """Places that have not the certificate that is in use now, because they cannot be written."""
    now = ((copy, old, store.current("client", old.name)) for copy, old in here.stuck)
    return [f"{copy.place}: {copy.fault}" for copy, old, current in now if current and current.path != old.path]


def _document(
    session: Session, done: Done, made: Sequence[Made], looked: Looked, ran: Sequence[Ran]
) -> dict[str, object]:
    return {
        "changed": bool(done.receipt),
        "renewed": [generation_json(one.generation, session.started, new=True) for one in made],
        "skipped": [vars(one) for one in looked.selected.skipped],
        "ended": [vars(one) for one in looked.selected.ended],
        "unseen": [vars(one) for one in looked.unseen],
        "restarted": bool(done.findings),
        "pending": [list(command.argv) for command in done.pending],
        "hooks": [one.program for one in ran],
        "undo": done.receipt.undo if done.receipt else None,
        "findings": [findings.as_json(one) for one in done.findings],
    }
