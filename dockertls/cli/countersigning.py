"""Sign a request whose key never left its host: its names are shown, and its extensions are not looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.cli.files import read_input
from dockertls.cli.issuing import leaf_request, refuse_twins
from dockertls.errors import Fault, NotReady, refuse
from dockertls.escaping import visible
from dockertls.pki.elsewhere import handed_out
from dockertls.pki.keys import key_fingerprint, kind_of
from dockertls.pki.names import display
from dockertls.pki.profiles import TABLE
from dockertls.pki.requests import judge_request, load_request
from dockertls.plan import Plan, shown
from dockertls.report.certificates import generation_json, moment, some_names

if TYPE_CHECKING:
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.outputs import Output
    from dockertls.cli.session import Session
    from dockertls.cli.signing import LeafRequest, Made, Signer
    from dockertls.pki.keys import PublicKey
    from dockertls.pki.requests import Asked
    from dockertls.pki.store import StoreState


@dataclass(frozen=True)
class Signing:
    """What is to be signed.

    Attributes:
        role: "server" or "client".
        source: the file with the request; "-" is standard input.
        names: what it shall be called by instead of what the request says; none: what the request says.
    """

    role: str
    source: str
    names: tuple[str, ...] = ()


def sign_request(session: Session, signer: Signer, wanted: Signing, output: Output, change: ChangeOptions) -> None:
    """Make a certificate for a key that is elsewhere.

    Raises:
        Refused: with everything that speaks against the request.
        NotReady: if there is no authority, or its key is not here.
    """
    source = visible(wanted.source)
    request = load_request(read_input(wanted.source, "the request"), name=source)
    asked = judge_request(request, TABLE[wanted.role], named=bool(wanted.names), name=source)
    leaf = leaf_request(wanted.role, wanted.names or asked.names)
    authority = session.store.authority(wanted.role)
    if authority is None:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    refuse_twins(session.store, [leaf])
    refuse(source, (*_owner_faults(session.store, asked.key, leaf), *_name_faults(session.store, leaf)))
    _show(session, asked, leaf)
    made: list[Made] = []

    def make() -> Plan:
        made[:] = [signer.countersigned(leaf, authority, asked.key)]
        return output.beside(
            _plan(session, made[0]), made[0].generation.cert_pem, "the certificate, to be carried over"
        )

    session.change(make, change, run=output.run)
    _tell(session, made[0], output)


def _owner_faults(store: StoreState, key: PublicKey, leaf: LeafRequest) -> tuple[Fault, ...]:
    """Whose key it is, if it is somebody else's of this store, or was revoked: one key has one holder, and one life."""
    own, revocations, holders = (leaf.role, leaf.folder), store.revocations(), store.holders(key)
    others = [one for one in holders if (one.role, one.name) != own]
    told = [f"its key is that of {one.title if one.name else 'the authority itself'}" for one in others]
    told += [f"a certificate of its key was revoked: {one.title}" for one in holders if revocations.of(one.certificate)]
    return tuple(Fault(one, "make a request with a new key") for one in dict.fromkeys(told))


def _name_faults(store: StoreState, leaf: LeafRequest) -> tuple[Fault, ...]:
    """Whether the name has a key here: one name has one holder.

    One that was revoked is used by nobody any more.
    """
    current = store.current(leaf.role, leaf.folder)
    if current is None or current.key_pem is None or store.revocations().of(current.certificate):
        return ()
    told = f"the key of {current.title} is here, and whoever uses it would be given no successor any more"
    other = f"--name OTHER --san {leaf.common_name}" if leaf.role == "server" else "--name OTHER"
    return (
        Fault(told, f"call it another one: {other}; the one here gets its own: dockertls renew {leaf.common_name}"),
    )


def _show(session: Session, asked: Asked, leaf: LeafRequest) -> None:
    """What the certificate will say, before it is asked whether it may."""
    console = session.console
    names = f", for {', '.join(map(display, leaf.names))}" if leaf.names else ""
    key = f"key {kind_of(asked.key)}, SHA-256 {key_fingerprint(asked.key)}"
    console.say(f"note: to be signed: {leaf.role} {leaf.common_name}{names}; {key}")
    for one in asked.left_out:
        console.say(f"note: it asks for {one}, and does not get it")


def _plan(session: Session, made: Made) -> Plan:
    """What was made, and that it is handed out to somebody elsewhere."""
    if not made.plan:
        return made.plan
    generation = made.generation
    handed = handed_out(session.store, generation, moment(session.started), bundle=False)
    return replace(made.plan, changes=(*made.plan.changes, handed))


def _tell(session: Session, made: Made, output: Output) -> None:
    console, generation = session.console, made.generation
    if output.to_stdout:
        console.raw(generation.cert_pem)
    else:
        certificate, place = generation.certificate, output.path or generation.path / "cert.pem"
        who = f"{generation.role} {generation.name}"
        console.result(f"{'signed' if made.plan else 'kept'}: {who}, {some_names(certificate) or 'no names'}")
        console.result(f"certificate: {shown(place)}")
    console.say(f"next: carry it to where its key is; there: dockertls {generation.role} accept NAME FILE")
    told = generation_json(generation, session.started, new=bool(made.plan))
    console.document("signed", {**told, "pem": generation.cert_pem.decode()})
