"""Revoke certificates: record it, sign the list, take the copies of this host away, and say what that is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.cli.crls import Listing, as_json, listing, revoked_json
from dockertls.cli.folders import docker_dirs
from dockertls.client import copies as client_copies
from dockertls.client.removal import removal
from dockertls.errors import DockerTLSError, Fault, NotReady, refuse
from dockertls.escaping import visible
from dockertls.pki.keys import serial_of
from dockertls.pki.names import client_name, display, from_folder
from dockertls.pki.profiles import issued_by
from dockertls.pki.revocation import REASONS, RECORD, UNSPECIFIED, Revoked, parse_serial, record
from dockertls.pki.standby import every_authority
from dockertls.pki.store import FOLDERS
from dockertls.plan import Change, File, Plan, shown
from dockertls.report.certificates import moment
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Signer
    from dockertls.client.removal import Removal
    from dockertls.pki.store import Generation, StoreState
    from dockertls.plan import Node

READ_NONE: Mapping[str, str] = MappingProxyType(
    {
        "client": "dockerd reads no revocation list: whoever has a copy of {name}'s key is let in",
        "server": "docker's clients read no revocation list: whoever has a copy of {name}'s key is believed",
    }
)
"""What a revocation is worth with Docker, by the role of the certificate."""


@dataclass(frozen=True)
class Wish:
    """What is to be revoked, and why.

    Attributes:
        text: as it was typed.
        name: of a client; empty: it can be no name.
        serial: of one certificate; None: it can be no serial number.
        reason: one of `REASONS`.
    """

    text: str
    name: str
    serial: int | None
    reason: str


@dataclass(frozen=True)
class Decision:
    """A revocation, decided.

    Attributes:
        plan: what to do.
        revoked: each certificate with its entry.
        new: the entries that this run makes.
        ended: certificates of the name that have ended by themselves.
        lists: of the authorities.
        removal: copies that go.
        left_out: what is said of certificates that cannot be revoked here, one line each.
    """

    plan: Plan
    revoked: tuple[tuple[Generation, Revoked], ...]
    new: frozenset[Revoked]
    ended: tuple[Generation, ...]
    lists: tuple[Listing, ...]
    removal: Removal
    left_out: tuple[str, ...]


def parse_wish(text: str, reason: str | None) -> Wish:
    """Read what was typed.

    Raises:
        Refused: with every fault: neither a name nor a serial number, no reason of RFC 5280.
    """
    faults: list[Fault] = []
    known = {one.lower(): one for one in REASONS}
    why = known.get(reason.lower(), "") if reason is not None else UNSPECIFIED
    if not why:
        faults.append(Fault(f'"{visible(str(reason))}" is no reason', f"take one of: {', '.join(REASONS)}"))
    serial, name = parse_serial(text), ""
    try:
        name = client_name(text)
    except DockerTLSError as error:
        faults += [] if serial else [_no_serial(text)] if ":" in text else error.faults
    refuse("revocation", faults)
    return Wish(text, name, serial, why)


def _no_serial(text: str) -> Fault:
    return Fault(f'"{visible(text)}" is no serial number', "it is hexadecimal, in pairs with colons or without any")


def revoke(session: Session, signer: Signer, wish: Wish, change: ChangeOptions) -> None:
    """Revoke what is wished, and say what that is worth.

    Raises:
        NotReady: there is no such certificate.
    """
    decided: list[Decision] = []

    def make() -> Plan:
        decided[:] = [_decide(session, signer, wish)]
        for line in decided[0].left_out:
            session.warn_once(line)
        for line in decided[0].removal.losses:
            session.console.say(f"note: {line}")
        return decided[0].plan

    session.change(make, change)
    _tell(session, decided[0])


# deciding


def _decide(session: Session, signer: Signer, wish: Wish) -> Decision:
    """What is to be done; the records are looked at first, so that `apply` sees a run that was faster."""
    store, records = session.store, _records(session.store)
    unread: list[str] = []
    with replace(store, say=unread.append).near() as near:
        generations = _chosen(near, wish)
    found, added = _entries(session, wish, generations)
    issuers = _issuers(store, found)
    entries = {one: entry for one, entry in found.items() if one in issuers}
    new = added.intersection(entries.values())
    lists: list[Listing] = []
    changes: list[Change] = []
    for authority in dict.fromkeys(issuers.values()):
        own = tuple(entry for one, entry in entries.items() if issuers[one] == authority and entry in new)
        lists.append(listing(session, signer, authority, own))
        changes += _written(store, lists[-1], records[authority.path], own)
    gone = _removal(session, {one.certificate: one for one in entries})
    plan = Plan(f"revoke {_titled(generations)}", (*changes, *gone.changes))
    ended = tuple(one for one in generations if one not in found)
    strange = (f"{_strange(store, one)}: it is left out" for one in found if one not in issuers)
    return Decision(plan, tuple(entries.items()), new, ended, tuple(lists), gone, (*unread, *strange))


def _records(store: StoreState) -> Mapping[Path, Node | None]:
    """The record of each authority, as it lies in its folder."""
    return {one.path: store.host.node(one.path / RECORD) for one in every_authority(store)}


def _entries(
    session: Session, wish: Wish, generations: Sequence[Generation]
) -> tuple[Mapping[Generation, Revoked], frozenset[Revoked]]:
    """An entry for each certificate that was revoked or has not ended, and those among them that are new."""
    revocations, now = session.store.revocations(), session.started
    before = {one: found for one in generations if (found := revocations.of(one.certificate))}
    added = {
        one: Revoked(serial_of(one.certificate), f"{one.role} {one.name}", now.replace(microsecond=0), wish.reason)
        for one in generations
        if one not in before and one.certificate.not_valid_after_utc > now
    }
    return before | added, frozenset(added.values())


def _titled(generations: Sequence[Generation]) -> str:
    return ", ".join(dict.fromkeys(f"{one.role} {_name(one)}" for one in generations))


def _name(generation: Generation) -> str:
    """Whose it is, as a command takes it."""
    return display(from_folder(generation.name)) if generation.role == "server" else generation.name


def _chosen(store: StoreState, wish: Wish) -> tuple[Generation, ...]:
    """Every certificate of the client, else the one with the serial number.

    Raises:
        NotReady: there is none.
    """
    if wish.name and (numbers := store.numbers("client", wish.name)):
        found = tuple(store.readable("client", wish.name))[::-1]
        return found or (store.generation("client", wish.name, numbers[-1]),)
    if wish.serial is None:
        raise NotReady(f"there is no client {visible(wish.text)} in {shown(store.path)}", _no_client(store, wish.name))
    every = (one for role in FOLDERS for name in store.names(role) for one in store.readable(role, name))
    found = tuple(one for one in every if serial_of(one.certificate) == wish.serial)
    if not found:
        _refuse_authority(store, wish.serial)
        told = (
            f"neither a client nor a certificate with the serial number {visible(wish.text)} is in {shown(store.path)}"
        )
        raise NotReady(told, "see the names and numbers with `dockertls --json status`, in a copy with `inspect`")
    return found


def _no_client(store: StoreState, name: str) -> str:
    if name in store.names("server"):
        return "it is a server: revoke its certificate by the serial number, see `dockertls --json status`"
    return "see the names with `dockertls status`"


def _refuse_authority(store: StoreState, serial: int) -> None:
    if any(serial_of(one.certificate) == serial for one in every_authority(store)):
        raise NotReady("that is the authority itself, which nobody can revoke", "rotate it: dockertls ca rotate")


def _issuers(store: StoreState, generations: Iterable[Generation]) -> Mapping[Generation, Generation]:
    """The authority of each certificate, as far as it is here.

    Raises:
        NotReady: if there are certificates, and none was issued by an authority of this store.
    """
    authorities, every = every_authority(store), tuple(generations)
    pairs = ((one, authority) for one in every for authority in authorities)
    found = {one: authority for one, authority in pairs if issued_by(one.certificate, authority.certificate)}
    if every and not found:
        raise NotReady(_strange(store, every[0]), "revoke it where that authority is")
    return found


def _strange(store: StoreState, generation: Generation) -> str:
    return f"the authority of {shown(generation.path / 'cert.pem')} is not in {shown(store.path)}"


def _written(store: StoreState, one: Listing, before: Node | None, added: Sequence[Revoked]) -> Iterable[Change]:
    """The record, and the list that is signed from it."""
    if added:
        after = File(record(one.revoked), 0o600, store.host.self_owner)
        yield Change(one.authority.path / RECORD, before, after, "what is revoked")
    if one.change:
        yield one.change


def _removal(session: Session, gone: Mapping[x509.Certificate, Generation]) -> Removal:
    """Take the copies of this host out of every folder that may hold some."""
    folders = docker_dirs(session)
    return removal(session.facts(trees=client_copies.wanted(folders), bears=True), folders, gone)


# telling


def _tell(session: Session, decided: Decision) -> None:
    console = session.console
    console.table(_table(decided))
    for change in decided.removal.changes:
        console.result(f"removed: {shown(change.path)}")
    for one in decided.lists:
        if one.listed is not None and not one.unable:
            console.result(f"list: {shown(one.path)}")
    warnings = (*_unsigned(decided), *decided.removal.unseen, *_worth(session, decided))
    for line in warnings:
        console.warn(line)
    _say_next(session, decided)
    console.document("client-revoke", _document(decided, (*decided.left_out, *warnings)))


def _table(decided: Decision) -> Table:
    rows = [
        Row(("revoked" if entry in decided.new else "was revoked", entry.name, entry.hex, entry.moment, entry.reason))
        for _, entry in decided.revoked
    ]
    rows += [Row(("has ended", _titled([one]), f"{serial_of(one.certificate):x}", "", "")) for one in decided.ended]
    return Table(("", "CERTIFICATE", "SERIAL", "SINCE", "REASON"), tuple(rows))


def _unsigned(decided: Decision) -> Iterable[str]:
    """Lists that do not say it, and why."""
    for one in decided.lists:
        reasons = "; ".join(f"{fault.message} ({fault.hint})" for fault in one.unable)
        if reasons:
            yield f"it is recorded, but no list says it: {one.title}: {reasons}"


def _worth(session: Session, decided: Decision) -> Iterable[str]:
    """Plain words: who takes no notice of it, and until when."""
    trusted = [one.authority.certificate for one in decided.lists if session.store.trusts(one.authority)]
    for role, words in READ_NONE.items():
        live = [
            one
            for one, _ in decided.revoked
            if one.role == role and any(issued_by(one.certificate, authority) for authority in trusted)
        ]
        until = max((one.certificate.not_valid_after_utc for one in live), default=session.started)
        if until > session.started:
            ends = (
                f"until the authority is rotated (dockertls ca rotate), or the certificate expires at {moment(until)}"
            )
            yield f"{words.format(name=_name(live[0]))} {ends}"


def _say_next(session: Session, decided: Decision) -> None:
    for role, name in dict.fromkeys((one.role, _name(one)) for one, _ in decided.revoked):
        session.console.say(f"a new certificate: dockertls {role} issue {name}")


def _document(decided: Decision, warnings: Sequence[str]) -> dict[str, object]:
    """All of it, for programs."""
    return {
        "revoked": [
            revoked_json(entry)
            | {
                "new": entry in decided.new,
                "path": shown(one.path),
                "not_after": moment(one.certificate.not_valid_after_utc),
            }
            for one, entry in decided.revoked
        ],
        "ended": [shown(one.path) for one in decided.ended],
        "lists": [as_json(one) for one in decided.lists if one.listed is not None and not one.unable],
        "removed": [shown(change.path) for change in decided.removal.changes],
        "warnings": list(warnings),
    }
