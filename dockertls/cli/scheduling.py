"""Decide how certificates are renewed on a host while nobody is there."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.cli.console import program, program_files
from dockertls.cli.files import runnable
from dockertls.errors import Fault, NotReady, Refused
from dockertls.escaping import visible
from dockertls.facts import CRON_PIDS
from dockertls.pki.keys import load_private
from dockertls.plan import ROOT, File, is_beside, shown
from dockertls.timer import plans, safety, state
from dockertls.timer.cron import Cron
from dockertls.timer.job import CREDENTIAL_FILE, DECRYPT, ENCRYPT, Job
from dockertls.timer.plans import SYSTEM, Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.cli.session import Session
    from dockertls.cli.signing import Signer
    from dockertls.facts import HostFacts
    from dockertls.pki.store import Generation
    from dockertls.plan import Plan
    from dockertls.timer.units import Units

WAYS_OUT = (
    "name a file that nobody else can read, with --passphrase-file; or set the timer up on a host with systemd 250 or "
    "later, which keeps the passphrase encrypted"
)
LINGER = Path("/var/lib/systemd/linger")


@dataclass(frozen=True)
class Timer:
    """Renewals as they are to be set up.

    Attributes:
        plan: what does it.
        by: what runs them.
        job: what is run.
        when: for people.
        notes: what the user should know, one line each.
    """

    plan: Plan
    by: Units | Cron
    job: Job
    when: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Scene:
    """What a decision is made from: who asks, what is known of the host, and whose keys are to be opened."""

    session: Session
    places: Places
    facts: HostFacts
    mine: tuple[Path, ...]
    signer: Signer
    authorities: tuple[Generation, ...]

    @property
    def uid(self) -> int:
        """Who will run the renewals."""
        return self.places.owner[0]


def places_of(session: Session) -> Places:
    """Where renewals of whoever asks are set up: root's, in a tree the tree's, else the user's own."""
    user, (uid, _) = session.user(), session.host.self_owner
    return Places.of_user(user.home, user.owner) if uid and session.host.runs else SYSTEM


def timer_plan(session: Session, signer: Signer, authorities: Sequence[Generation], hooks: Sequence[str] = ()) -> Timer:
    """Decide how certificates of a store are to be renewed on this host.

    Args:
        session: this run.
        signer: who knows the passphrase.
        authorities: whose keys the renewals have to open; see `StoreState.signing`.
        hooks: programs that they are to run, as typed.

    Raises:
        NotReady: with all that stands against it.
    """
    scene = _Scene(session, *_look(session, bare=(paths := _hooks(session, hooks))), signer, tuple(authorities))
    by = plans.chosen(scene.facts, scene.places)
    if by is None:
        hint = f"install a cron, or have this run once a day: dockertls --store {session.store_shown} renew --yes"
        raise NotReady("neither systemd nor cron runs anything on this host every day", hint)
    opener, reason = _opener(scene, by)
    job = Job(program(), session.store_path, opener, paths)
    _refuse([*_faults(scene, job), *(_secret_faults(scene, job, reason) if reason else ())])
    plan = plans.install(scene.facts, scene.places, by, job, _credential(scene) if job.credential else None)
    return Timer(_tried(scene, by, plan, job), by, job, plans.when(scene.facts, by), tuple(_notes(scene, by)))


def can_be_offered(session: Session) -> bool:
    """Whether renewals are not set up yet, and can be without a question more than a yes."""
    places, facts, mine = _look(session)
    by = plans.chosen(facts, places)
    if by is None or state.renewals(facts, places).by or plans.opened_by(facts, by, None)[1]:
        return False
    return not any(safety.program_faults(facts, path, places.owner[0], safety.PROGRAM) for path in mine)


def _look(
    session: Session, *, also: Sequence[Path] = (), bare: Sequence[Path] = ()
) -> tuple[Places, HostFacts, tuple[Path, ...]]:
    """Where renewals are set up, what is known of the host, and what runs when this program does."""
    places, mine = places_of(session), tuple(Path(path) for path in program_files())
    paths = (*places.wanted, LINGER / session.user().name, *also)
    return places, session.facts("timer", trees=places.folders, also=paths, bare=(*mine, *bare)), mine


def _opener(scene: _Scene, by: Units | Cron) -> tuple[str | Path | None, str]:
    """What opens the keys, and why only a file can, if that is so."""
    if not any(map(scene.signer.is_encrypted, scene.authorities)):
        return None, ""
    named = scene.signer.passphrase_file
    return plans.opened_by(scene.facts, by, scene.session.inside(named) if named else None)


def _hooks(session: Session, named: Sequence[str]) -> tuple[Path, ...]:
    """Programs by their absolute paths; on a running host they are looked for as `renew` does."""
    return tuple(Path(runnable(one)) if session.host.runs else session.inside(one) for one in named)


# what stands against it


def _refuse(faults: Sequence[Fault]) -> None:
    """Raise one NotReady with every fault, or return if there is none."""
    if len(faults) == 1:
        raise NotReady(faults[0].message, faults[0].hint, faults=faults)
    if faults:
        told = f"renewals cannot be set up: {len(faults)} things stand against it"
        raise NotReady(told, "mend each of them, and run it again", faults=faults)


def _faults(scene: _Scene, job: Job) -> Iterator[Fault]:
    """What stands against that which would be run, and against the places where it would be written."""
    facts, places, session = scene.facts, scene.places, scene.session
    for path in scene.mine if facts.runs else ():
        yield from safety.program_faults(facts, path, scene.uid, safety.PROGRAM)
    for path in job.hooks:
        yield from safety.program_faults(facts, path, scene.uid, safety.HOOK)
    for word in job.words():
        if not word.isprintable():
            yield Fault(f"{visible(word)} cannot stand in a unit or in a line of cron", "give it another name")
    if is_beside(session.store_path):
        told = f"{session.store_shown} does not lie in the file tree: the host itself would not find it"
        yield Fault(told, "leave --store out, or run this on the host")
    yield from plans.in_the_way(facts, places)
    if places.units.user and not state.answers(facts, user=True):
        yield Fault("there is no systemd of your own to ask", "log in as this user; `su` and `sudo` are not enough")


def _secret_faults(scene: _Scene, job: Job, reason: str) -> tuple[Fault, ...]:
    """What stands against a passphrase that is read from a file every day, which it has to be for this reason."""
    if job.passphrase is None:
        return (Fault(f"the authority's key is encrypted, nobody can be asked, and {reason}", WAYS_OUT),)
    path = Path(job.passphrase)
    facts = scene.session.facts(also=(path,))
    file, found = facts.file(path), safety.secret_faults(facts, path, scene.uid)
    if found or file is None or scene.session.store.current("ca") is None:
        return found
    if opens(scene.authorities, file.content.split(b"\n", 1)[0].removesuffix(b"\r")):
        return ()
    hint = "write the passphrase into its first line"
    return (Fault(f"the passphrase file {shown(path)} does not open the authority's key", hint),)


# the credential


def _credential(scene: _Scene) -> File:
    """The one that is there, if it opens the key; else a new one, for this host alone.

    systemd encrypts it with a key of the host's own, which it makes when it is first asked to.
    """
    session, present = scene.session, scene.session.host.node(CREDENTIAL_FILE)
    if isinstance(present, File) and credential_opens(session, scene.authorities):
        return File(present.content, 0o600, ROOT, secret=True)
    secrets = [scene.signer.passphrase_of(one) for one in scene.authorities if scene.signer.is_encrypted(one)]
    secret = secrets[0]
    if secret is None:
        return File(b"a run that only looks", 0o600, ROOT, secret=True)
    answer = session.host.run(ENCRYPT, given=secret)
    if answer.code or not answer.out:
        raise NotReady("systemd could not encrypt the passphrase for this host", visible(answer.err.strip()))
    return File(answer.out.encode(), 0o600, ROOT, secret=True)


def credential_opens(session: Session, authorities: Sequence[Generation]) -> bool:
    """Whether the credential that is there opens the keys; nothing of what is in it is told."""
    answer = session.host.run(DECRYPT)
    try:
        return answer.code == 0 and opens(authorities, base64.b64decode(answer.out.strip()))
    except binascii.Error:
        return False


def opens(authorities: Sequence[Generation], secret: bytes) -> bool:
    """Whether a passphrase opens the key of each authority."""
    try:
        for one in authorities:
            load_private(one.key_pem or b"", secret)
    except Refused:
        return False
    return True


# what is done, and what is told


def _tried(scene: _Scene, by: Units | Cron, plan: Plan, job: Job) -> Plan:
    """The plan, once the program has been tried; where it is empty, what makes a timer run that does not."""
    if plan:
        return replace(plan, guards=(job.trial,))
    if isinstance(by, Cron) or not scene.facts.runs:
        return plan
    found = state.by_systemd(scene.facts, by)
    return plans.waking(by) if found.stale or found.active is False else plan


def _notes(scene: _Scene, by: Units | Cron) -> Iterator[str]:
    """What is to be done yet, or to be known."""
    facts, name = scene.facts, scene.session.user().name
    if not facts.runs:
        if missing := [shown(path) for path in scene.mine if facts.node(path) is None]:
            yield f"the file tree lacks {', '.join(missing)}: install dockertls there"
    elif isinstance(by, Cron):
        running = facts.output(*CRON_PIDS)
        if running is None or running.code:
            yield "no cron runs: start it, and have it started with the host"
    elif by.user and facts.node(LINGER / name) is None:
        yield f"the timer runs while you are logged in: `loginctl enable-linger {name}` makes it run always"
