"""Rotate the authority: each phase is one plan for the store and this host, proven before it counts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from dockertls.cli.decided import Restart, Terms
from dockertls.cli.deploying import Aim, Done, Survey, Work, carry_out, host_plan, look_around, present
from dockertls.cli.parties import blocks, parties
from dockertls.cli.signing import LeafRequest, Made
from dockertls.errors import Fault, NotReady, Refused, Usage, refuse
from dockertls.escaping import visible
from dockertls.pki.keys import certificate_pem
from dockertls.pki.profiles import BACKDATE, TABLE
from dockertls.pki.renewal import is_due, is_last, life_of
from dockertls.pki.rotation import FIRST, LAST, PHASES, Phase, Rotation
from dockertls.pki.store import FOLDERS, plan_next_authority, plan_rotation, plan_use
from dockertls.probe.observation import ClientMaterial
from dockertls.report.certificates import moment, subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.parties import Block, Party
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Signer
    from dockertls.pki.store import Generation, StoreState
    from dockertls.plan import Plan

A_MOMENT = timedelta(hours=1)
PROBE = LeafRequest("client", "dockertls-probe", "dockertls probe")
"""A client of the new authority, made to prove that it is let in, and thrown away."""


@dataclass(frozen=True)
class Rotate:
    """How the authority is to be rotated.

    Attributes:
        name: the new authority's common name; None: one like no other's.
        locked_out: those who are not waited for, as typed.
        compromised: whether the old key is in somebody else's hands.
    """

    name: str | None = None
    locked_out: tuple[str, ...] = ()
    compromised: bool = False


class Rotator:
    """Takes one store and its host from phase to phase."""

    def __init__(self, session: Session, signer: Signer, change: ChangeOptions, restart: Restart) -> None:
        self._session, self._signer, self._change, self._restart = session, signer, change, restart
        self._group = secrets.token_hex(8)
        self._new: Generation | None = None

    @property
    def _store(self) -> StoreState:
        return self._session.store

    def settle(self) -> None:
        """Take back what a killed run left: only then it is known how far the rotation is. Raises as `recover`."""
        self._session.recover(self._change)

    def start(self, asked: Rotate, phase: Phase = FIRST) -> Done:
        """Make the new authority, and go to a phase at once: the first one, or the last in an emergency.

        Raises:
            NotReady: if a rotation is under way, or there is no authority.
        """
        found = self._store.rotation()
        if found and not asked.compromised:
            raise NotReady("a rotation is under way already", "go on with `dockertls ca rotate next`, or abort it")
        return self._go(found, self._begun(asked), asked, phase)

    def _begun(self, asked: Rotate) -> Rotation:
        """A rotation to a new authority, which is made in memory."""
        old = self._store.current("ca")
        if old is None:
            raise NotReady(f"there is no authority in {self._session.store_shown}", "make one: dockertls ca init")
        if asked.name and asked.name == subject(old.certificate):
            raise Refused("the new authority would have the name of the old one", "leave --name out, or give another")
        self._new = self._new or self._signer.next_authority(asked.name)
        return Rotation(old.path.name, self._new.path.name, 1, moment(self._session.started), asked.compromised)

    def move(self, asked: Rotate, phase: Phase) -> Done:
        """Go to another phase of the rotation under way.

        Raises:
            NotReady: with everybody who would lose access, or if another run was faster and a phase would be left out.
        """
        found = self.under_way()
        if abs(phase.number - found.phase) > 1:
            raise _overtaken()
        return self._go(found, found, asked, phase)

    def under_way(self) -> Rotation:
        """The rotation under way. Raises NotReady if there is none."""
        rotation = self._store.rotation()
        if rotation is None:
            raise NotReady("no rotation is under way", "begin one with `dockertls ca rotate start`")
        return rotation

    def refuse_blocked(self, asked: Rotate, ahead: Sequence[Phase], told: Callable[[Block], Block]) -> None:
        """Look at phases to come at once.

        Args:
            asked: who is not waited for.
            ahead: the phases.
            told: what is to be done about each who would lose access.

        Raises:
            NotReady: with everybody who would lose access in one of them.
        """
        rotation = self._store.rotation() or self._begun(asked)
        found = self._parties(rotation)
        rotation = _locking_out(rotation, asked, found)
        blocked = dict.fromkeys(block for phase in ahead for block in blocks(found, rotation, phase))
        refuse_blocked([told(block) for block in blocked])

    def lost(self, asked: Rotate) -> tuple[Block, ...]:
        """Who loses access if everything but a new authority is dropped now."""
        rotation = self._begun(asked)
        return blocks(self._parties(rotation), rotation, LAST)

    def refuse_again(self, asked: Rotate) -> None:
        """Raises NotReady if the authority was replaced a moment ago: the same command run twice is seldom meant."""
        current = self._store.current("ca")
        if current is None or current.number == 1 or asked.name or self._store.rotation():
            return
        made = current.certificate.not_valid_before_utc + BACKDATE
        if self._session.started - made < A_MOMENT:
            told = f"the authority in use was made at {moment(made)} by a rotation"
            raise NotReady(told, "if it is to be replaced as well, give the next one a name: --name CN")

    def consented(self) -> None:
        """Nobody is asked again in this run."""
        self._change = replace(self._change, yes=True)

    def _go(self, found: Rotation | None, rotation: Rotation, asked: Rotate, phase: Phase) -> Done:
        here = look_around(self._session)
        everybody = parties(self._session, here, *self._sides(rotation))
        rotation = _locking_out(rotation, asked, everybody)
        if self._restart is Restart.NEVER:
            raise Usage("a rotation has to restart dockerd", "say --restart safe, or always")
        if not rotation.compromised:
            refuse_blocked(blocks(everybody, rotation, phase))
            self._catch_up(here)
        work = partial(self._work, found, rotation, phase)
        return carry_out(self._session, work, self._change, self._restart, self._terms)

    @property
    def _terms(self) -> Terms:
        return Terms(eager=True, whole=True, group=self._group)

    def _catch_up(self, here: Survey) -> None:
        """Bring this host to the phase that was reached: if it left that one out, its clients would be refused."""

        def work(_: Survey) -> Work:
            # Later than the look at the host: what another run does in between is drift then, never taken back.
            return Work("bring every copy up to date", Aim(present(self._store)))

        if self._store.rotation() and host_plan(self._session, here, work(here).aim):
            carry_out(self._session, work, self._change, self._restart, self._terms)

    def _parties(self, rotation: Rotation) -> tuple[Party, ...]:
        """Everybody whom the rotation is about."""
        return parties(self._session, look_around(self._session), *self._sides(rotation))

    def _sides(self, rotation: Rotation) -> tuple[Generation, Generation]:
        """The old authority and the new one."""
        old = self._store.generation("ca", "", rotation.old)
        return old, self._new or self._store.generation("ca", "", rotation.new)

    # what a phase is made of

    def _work(self, found: Rotation | None, rotation: Rotation, phase: Phase, here: Survey) -> Work:
        """The store and this host in a phase.

        Args:
            found: how far the rotation was when it was decided to go there; None: none was under way.
            rotation: the same, or the one that begins.
            phase: where it goes.
            here: what this host has.

        Raises:
            NotReady: if another run was faster: a phase must not be left out, nor a second authority be begun.
        """
        if self._store.rotation() != found:
            raise _overtaken()
        old, new = self._sides(rotation)
        sides = {"old": old, "new": new}
        before = [one for one in self._store.trusted() if certificate_pem([one]) != new.anchor_pem]
        anchors = {"old": certificate_pem(before), "new": new.anchor_pem}
        trusts = {role: b"".join(anchors[side] for side in phase.trusts(role)) for role in FOLDERS}
        with self._signer.many():
            left = self._to_move(rotation, phase, sides, here)
            moved = [self._leaf(one, sides[phase.shows(one.role)], rotation) for one in left]
        made = {(one.generation.role, one.generation.name): one.generation for one in moved}
        begun = (plan_next_authority(self._store, new),) if found is None or found.new != rotation.new else ()
        return Work(
            f"rotate the authority: {phase.title}",
            Aim(trusts, made),
            (*begun, *self._of_authority(rotation, phase, new, trusts["server"]), *(one.plan for one in moved)),
            self._client_of(old, new.anchor_pem) if phase is LAST else None,
            self._probe(new, trusts["client"]) if phase is FIRST else None,
        )

    def _of_authority(self, rotation: Rotation, phase: Phase, new: Generation, trust: bytes) -> Iterator[Plan]:
        """The authority's own folder: at the end who signs, who is trusted, and how far it is."""
        if phase is LAST:
            yield plan_use(self._store, new)
        running = phase not in {PHASES[0], LAST}
        yield plan_rotation(self._store, rotation.at(phase) if running else None, trust)

    def _to_move(
        self, rotation: Rotation, phase: Phase, sides: dict[str, Generation], here: Survey
    ) -> Iterator[Generation]:
        """Certificates in use that the other authority signed; of those that ended, only what lies on this host.

        What is revoked, and who is locked out, stays behind: that is what shuts them out.
        """
        with self._store.near() as near:
            for role in FOLDERS:
                authority = sides[phase.shows(role)].certificate
                for name in near.names(role):
                    one = near.current(role, name)
                    if one is None or here.revocations.of(one.certificate) or not rotation.waits_for(role, name):
                        continue
                    if not one.is_of(authority) and self._matters(one, here):
                        yield one

    def _matters(self, generation: Generation, here: Survey) -> bool:
        installed = (*(one for _, one in here.ours), *((here.server,) if here.server else ()))
        own = (generation.role, generation.name) in {(one.role, one.name) for one in installed}
        return own or generation.certificate.not_valid_after_utc > self._session.started

    def _leaf(self, present: Generation, authority: Generation, rotation: Rotation) -> Made:
        """The certificate of a name by another authority: an earlier one that is not due, else a new one.

        Who had the old authority's key may have had those that lay beside it: in an emergency all of them are new.
        """
        for one in self._store.readable(present.role, present.name):
            good = one.is_good(authority.certificate, present.names, self._session.started)
            if good and not is_due(one.certificate, self._session.started) and not self._signer.is_revoked(one):
                return Made(one, plan_use(self._store, one))
        every = self._store.readable("ca")
        issuer = next((ca for ca in every if present.is_of(ca.certificate)), authority)
        last = is_last(present.certificate, issuer.certificate)
        life = None if last else life_of(present.certificate, TABLE[present.role])
        return self._signer.renewed(present, authority, life=life, new_key=rotation.compromised)

    # proofs

    def _client_of(self, authority: Generation, trust: bytes) -> ClientMaterial | None:
        """A client of an authority that has its key here; None: there is none."""
        for name in self._store.names("client"):
            for one in self._store.readable("client", name):
                if one.is_good(authority.certificate, (), self._session.started):
                    return ClientMaterial(trust, one.cert_pem, one.key_pem)
        return None

    def _probe(self, new: Generation, trust: bytes) -> ClientMaterial | None:
        """A client of the new authority, where its key is at hand."""
        if new is not self._new:
            return None
        made = self._signer.leaf(PROBE, new).generation
        return ClientMaterial(trust, made.cert_pem, made.key_pem)


def _locking_out(rotation: Rotation, asked: Rotate, everybody: Sequence[Party]) -> Rotation:
    """The rotation that does not wait for these. Raises Refused with every name that is nobody's, or of several."""
    away = dict.fromkeys(one for one in everybody if not one.here)
    found = {text: tuple({one.key: None for one in away if text in one.called}) for text in asked.locked_out}
    refuse("--lock-out", [_nobody(text, keys) for text, keys in found.items() if len(keys) != 1])
    keys = (key for every in found.values() for key in every)
    return replace(rotation, locked_out=tuple(dict.fromkeys((*rotation.locked_out, *keys))))


def _nobody(text: str, keys: Sequence[str]) -> Fault:
    """What is wrong with a name that is to be locked out."""
    if keys:
        several = " or ".join(f"--lock-out {key.replace(' ', ':', 1)}" for key in keys)
        return Fault(f"{visible(text)} is {' and '.join(keys)}", f"say which: {several}")
    return Fault(f"nobody elsewhere is called {visible(text)}", "see `dockertls ca rotate status`")


def _overtaken() -> NotReady:
    return NotReady("another run changed how far the rotation is", "see `dockertls ca rotate status`")


def at_once(block: Block) -> Block:
    """Whoever has to be waited for is waited for phase by phase."""
    return replace(block, mend="dockertls ca rotate start", then=f"it waits (or do not: --lock-out {block.name})")


def on_the_way_back(block: Block) -> Block:
    """Who may have files of the new authority can be given the old ones only when all others have gone back."""
    give = "carry its files over again"
    if block.role == "client":
        give = f"dockertls client export {block.name} --output FILE, and carry it over again"
    return replace(block, mend=f"dockertls ca rotate abort --lock-out {block.name}", then=f"then {give}")


def refuse_blocked(found: Sequence[Block]) -> None:
    """Raise NotReady with everybody who would lose access, or return if nobody would."""
    if found:
        names = ", ".join(f"{one.role} {one.name}" for one in found)
        faults = [Fault(f"{one.role} {one.name}: {one.why}", one.remedy) for one in found]
        hint = "\n".join(dict.fromkeys(one.remedy for one in found))
        raise NotReady(f"nothing was done: {names} would lose access", hint, faults=faults)
