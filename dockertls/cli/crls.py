"""The lists of what is revoked: one an authority, signed again in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.errors import Fault, NotReady
from dockertls.escaping import visible
from dockertls.pki.revocation import LIST, crl, is_current, load_crl, number_of, unable
from dockertls.plan import Change, File, Plan, shown
from dockertls.report.certificates import moment, subject
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Signer
    from dockertls.pki.revocation import Revoked
    from dockertls.pki.store import Generation


@dataclass(frozen=True)
class Listing:
    """The list of one authority.

    Attributes:
        authority: who signs it.
        revoked: what is revoked of it.
        listed: the list as it will lie there; None: there is none.
        change: what puts it there; None: it is there, or cannot be signed.
        unable: why it cannot be signed although it should be; none if that is not so.
    """

    authority: Generation
    revoked: tuple[Revoked, ...]
    listed: x509.CertificateRevocationList | None
    change: Change | None = None
    unable: tuple[Fault, ...] = ()

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.authority.path / LIST

    @property
    def title(self) -> str:
        """The authority's name, for people."""
        return f"authority {subject(self.authority.certificate)}"

    @property
    def pem(self) -> bytes:
        """The list; empty: there is none."""
        return self.listed.public_bytes(Encoding.PEM) if self.listed is not None else b""


def listing(session: Session, signer: Signer, authority: Generation, added: tuple[Revoked, ...] = ()) -> Listing:
    """The list that says what is revoked: the one that is there, or a new one if that is another or its end is near.

    Args:
        session: this run.
        signer: signs it.
        authority: whose it is.
        added: what it shall say besides what is recorded.

    Raises:
        Refused: if the list that is there or the record is damaged, or the passphrase is wrong.
    """
    before, certificate = session.host.node(authority.path / LIST), authority.certificate
    revoked = (*session.store.revoked(authority), *added)  # after the list: if another run is faster, `apply` sees it
    found = Listing(authority, revoked, None)
    if isinstance(before, File):
        found = replace(found, listed=load_crl(before.content, shown(found.path)))
    if found.listed is not None and is_current(found.listed, certificate, revoked, session.started):
        return found
    faults = tuple(unable(certificate, session.started, has_key=authority.key_pem is not None))
    if not faults and not session.store.trusts(authority):
        faults = (Fault("the authority is trusted no more", "its certificates are refused without a list"),)
    if faults:
        return replace(found, unable=faults)
    number = number_of(found.listed) + 1
    listed = crl(revoked, signer.issuer(authority), now=session.started, number=number)
    found = replace(found, listed=listed)
    after = File(found.pem, 0o644, session.host.self_owner)
    return replace(found, change=Change(found.path, before, after, f"list {number} of what is revoked"))


def renew_lists(session: Session, signer: Signer, change: ChangeOptions, *, pem: bool) -> None:
    """Sign the list of each authority that signs now, where it is due, and show it.

    Raises:
        NotReady: if there is no authority, or none of them can sign a list.
    """
    made: list[Listing] = []

    def make() -> Plan:
        made[:] = [listing(session, signer, one) for one in _authorities(session)]
        _refuse_unable(made)
        return Plan("lists of what is revoked", tuple(one.change for one in made if one.change))

    session.change(make, change)
    for one in made:
        for fault in one.unable:
            session.console.warn(f"{one.title}: no new list: {fault.message}; {fault.hint}")
    if pem and not session.console.json:
        session.console.raw(b"".join(one.pem for one in made))
        return
    for one in made:
        session.console.table(_table(one))
    session.console.document("crl", [as_json(one, pem=True) for one in made if one.listed is not None])


def _refuse_unable(made: Sequence[Listing]) -> None:
    """Raises NotReady with every reason, if there is nobody who can sign."""
    if all(one.unable for one in made):
        faults = [Fault(f"{one.title}: {fault.message}", fault.hint) for one in made for fault in one.unable]
        raise NotReady(f"no list can be signed: {faults[0].message}", faults[0].hint, faults=faults)


def _authorities(session: Session) -> tuple[Generation, ...]:
    """Who signs for anybody now; while a rotation runs, both."""
    every = session.store.signing()
    if not every:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    return every


def as_json(one: Listing, *, pem: bool = False) -> dict[str, object]:
    """A list that is there, for programs."""
    listed = one.listed
    until = listed.next_update_utc if listed is not None else None
    return {
        "authority": subject(one.authority.certificate),
        "path": shown(one.path),
        "number": number_of(listed),
        "issued": moment(listed.last_update_utc) if listed is not None else None,
        "next_update": moment(until) if until else None,
        "new": one.change is not None,
        "revoked": [revoked_json(each) for each in one.revoked],
    } | ({"pem": one.pem.decode()} if pem else {})


def revoked_json(one: Revoked) -> dict[str, object]:
    """A revocation, for programs."""
    return {"serial": one.hex, "name": one.name, "at": one.moment, "reason": one.reason}


def _table(one: Listing) -> Table:
    """A list and what it says, for people."""
    told = as_json(one)
    lines = {key.replace("_", " "): str(told[key]) for key in ("authority", "path", "number", "issued", "next_update")}
    lines["revoked"] = str(len(one.revoked)) if one.revoked else "nothing"
    rows = [Row((f"  {key}", value)) for key, value in lines.items()]
    rows += [Row(("", line)) for line in _lines(one.revoked)]
    return Table((), tuple(rows))


def _lines(revoked: Sequence[Revoked]) -> list[str]:
    return [f"{one.hex}  {visible(one.name)}  {one.moment}  {one.reason}" for one in revoked]
