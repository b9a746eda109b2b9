"""Everybody whom a rotation is about: what he trusts and shows, as far as it is known; whom a phase locks out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.client.files import CA
from dockertls.escaping import visible
from dockertls.pki.elsewhere import elsewhere
from dockertls.pki.keys import certificates_in, fingerprint, load_certificates
from dockertls.pki.rotation import BOTH
from dockertls.pki.store import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from dockertls.cli.deploying import Survey
    from dockertls.cli.session import Session
    from dockertls.pki.elsewhere import Elsewhere
    from dockertls.pki.rotation import Phase, Rotation, Side
    from dockertls.pki.store import Generation, StoreState


@dataclass(frozen=True)
class Party:
    """A daemon or a client, and what is known of it.

    Attributes:
        role: "server" or "client"; "folder": files of this host that do not follow.
        name: its folder in the store; of a folder, its path.
        here: whether its files lie on this host, where they follow every phase.
        trusts: whom it trusts.
        shows: whose certificate it shows.
        confirmed: whether its holder was said to have what it is given credit for.
        fault: why it does not follow.
        known: whether any copy is known at all; one that is not is told, and not waited for.
    """

    role: str
    name: str
    here: bool
    trusts: tuple[Side, ...]
    shows: Side
    confirmed: bool = False
    fault: str = ""
    known: bool = True

    @property
    def key(self) -> str:
        """What a rotation calls it."""
        return f"{self.role} {self.name}"

    @property
    def called(self) -> frozenset[str]:
        """How it may be named on the command line."""
        return frozenset({self.name, self.key, f"{self.role}:{self.name}"})


@dataclass(frozen=True)
class Block:
    """Who would lose access, and why.

    Attributes:
        role: as of a party.
        name: as of a party.
        why: one line for people.
        mend: what gives him what he needs.
        then: what to type when he has it, or is not to be waited for.
    """

    role: str
    name: str
    why: str
    mend: str
    then: str

    @property
    def remedy(self) -> str:
        """What to do about it, in one line."""
        return f"{self.mend}; {self.then}"


def blocks(found: Iterable[Party], rotation: Rotation, phase: Phase) -> tuple[Block, ...]:
    """Who could not live with a phase: he does not trust what the other side shows, or is not trusted there.

    Args:
        found: everybody.
        rotation: knows who is not waited for.
        phase: where the rotation would go.
    """
    waited = (one for one in found if one.known and not one.here and rotation.waits_for(one.role, one.name))
    return tuple(block for one in waited if (block := _block(one, phase)))


def _block(party: Party, phase: Phase) -> Block | None:
    lock_out = f"--lock-out {party.name}"
    if party.role == "folder":
        why = f"its files do not follow: {party.fault}"
        then = f"then run it again (or do not wait: {lock_out})"
        return Block("folder", party.name, why, f"mend this: {party.fault}", then)
    other = "client" if party.role == "server" else "server"
    believes, is_believed = phase.shows(other) in party.trusts, party.shows in phase.trusts(other)
    if believes and is_believed:
        return None
    doubt, denied = "it does not trust what it would be shown", "what it shows would not be trusted any more"
    export = f"dockertls client export {party.name} --output FILE, and carry it over"
    mend = "carry its files over" if party.role == "server" else export
    then = f"then dockertls {party.role} confirm {party.name} (or do not wait: {lock_out})"
    return Block(party.role, party.name, denied if believes else doubt, mend, then)


def parties(session: Session, survey: Survey, old: Generation, new: Generation) -> tuple[Party, ...]:
    """Everybody who has a good certificate of the store, and every folder that does not follow."""
    store, sides = session.store, _Sides(old, new)
    here = _here(survey)
    unseen = (one.copy for one in survey.clients if one.copy.fault and (one.generation or not one.copy.certificate))
    found = [Party("folder", visible(copy.place), False, (), "old", fault=copy.fault) for copy in unseen]
    with store.near() as near:
        revocations, now = near.revocations(), session.started
        for role in FOLDERS:
            for name in near.names(role):
                every = reversed(tuple(near.readable(role, name)))  # a damaged one stops nobody else
                alive = [one for one in every if one.certificate.not_valid_after_utc > now]
                good = [one for one in alive if not revocations.of(one.certificate)]
                found += _party(near, role, name, sides, good, here=here.get((role, name)))
    return tuple(found)


@dataclass(frozen=True)
class _Sides:
    """The two authorities of a rotation."""

    old: Generation
    new: Generation

    def of(self, generation: Generation) -> Side:
        """Who issued a certificate; whoever is neither counts as the old one."""
        return "new" if generation.is_of(self.new.certificate) else "old"

    def among(self, fingerprints: Collection[str]) -> tuple[Side, ...]:
        """Which of them are trusted by whom trusts these."""
        anchors: dict[Side, bytes] = {"old": self.old.anchor_pem, "new": self.new.anchor_pem}
        return tuple(side for side in BOTH if fingerprint(load_certificates(anchors[side])[0]) in fingerprints)


def _party(
    store: StoreState, role: str, name: str, sides: _Sides, alive: Sequence[Generation], *, here: bytes | None
) -> Iterator[Party]:
    """Somebody, unless all that he ever had has ended or was revoked, or nobody ever had it.

    Args:
        store: whose certificates they are.
        role: his role.
        name: his name.
        sides: the two authorities.
        alive: his certificates that have not ended and were not revoked.
        here: whom he trusts on this host, in PEM; None: he is not here.
    """
    known = elsewhere(store, role, name)
    handed_out = known is not None or any(one.key_pem is None for one in alive)
    if here is not None and not (role == "client" and handed_out):
        trusts = sides.among(set(map(fingerprint, certificates_in(here))))
        yield from (Party(role, name, True, trusts, sides.of(one)) for one in alive[-1:])
    if alive and (handed_out or (role == "server" and here is None)):
        yield from _away(role, name, known, alive, sides)
    elif here is None:
        yield from (Party(role, name, False, (), sides.of(one), known=False) for one in alive[-1:])


def _away(role: str, name: str, known: Elsewhere | None, alive: Sequence[Generation], sides: _Sides) -> Iterator[Party]:
    """Somebody who is not here: what he was said to have, else all that he may have."""
    by_number = {one.path.name: one for one in alive}
    said = by_number.get(known.confirmed) if known else None
    handed = by_number.get(known.handed) if known and known.handed else alive[-1]
    if known and said:
        yield Party(role, name, False, sides.among(known.trusts), sides.of(said), confirmed=True)
    elif any(sides.of(one) == "old" for one in alive):
        yield Party(role, name, False, ("old",), "old")
    if handed != said and handed and sides.of(handed) == "new":  # he may use it by now
        yield Party(role, name, False, BOTH, "new")


def _here(survey: Survey) -> Mapping[tuple[str, str], bytes]:
    """Whom everybody trusts who is on this host: clients, and the daemon."""
    clients = {("client", one.name): copy.files[CA].content for copy, one in survey.ours if CA in copy.files}
    return clients | ({("server", survey.server.name): survey.daemon_ca} if survey.server else {})
