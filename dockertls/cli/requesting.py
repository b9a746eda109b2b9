"""Certificates whose authority is elsewhere: make a request, and take what was signed for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockertls.cli.files import read_input
from dockertls.cli.issuing import refuse_twins
from dockertls.errors import NotReady
from dockertls.escaping import visible
from dockertls.pki.acceptance import Pair, accept
from dockertls.pki.issue import Issued, Request, subject_name
from dockertls.pki.keys import DEFAULT_KIND, generate, kind_of, load_certificates
from dockertls.pki.names import display
from dockertls.pki.pending import Pending, answered, new_pending, pending, plan_pending
from dockertls.pki.profiles import TABLE
from dockertls.pki.requests import make_request, names_asked
from dockertls.pki.store import Generation, new_generation, plan_generation
from dockertls.plan import Plan, shown
from dockertls.report.certificates import details, generation_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.outputs import Output
    from dockertls.cli.session import Session
    from dockertls.cli.signing import LeafRequest


def request_certificate(
    session: Session, wanted: LeafRequest, kind: str | None, output: Output, change: ChangeOptions
) -> None:
    """Make a key and a request for it; what is in use of that name stays in use.

    Raises:
        NotReady: if a request with another kind of key waits already.
        Refused: if the name is mixed up with another one.
    """
    refuse_twins(session.store, [wanted])
    made: list[Pending] = []

    def make() -> Plan:
        waiting = pending(session.store, wanted.role, wanted.folder)
        new = _request(session, wanted, kind, waiting)
        made[:] = [new]
        plan = plan_pending(session.store, wanted.role, wanted.folder, new)
        return output.beside(plan, new.request, "the request, to be signed")

    receipt = session.change(make, change, run=output.run)
    told, place = made[0], output.path or made[0].path / "request.pem"
    if output.to_stdout:
        session.console.raw(told.request)
    else:
        session.console.result(f"{'request' if receipt else 'request, as it was'}: {shown(place)}")
    session.console.say(f"next: have it signed, then dockertls {wanted.role} accept {wanted.common_name} FILE")
    session.console.document("request", _request_json(wanted, told, new=bool(receipt)))


def _request(session: Session, wanted: LeafRequest, kind: str | None, waiting: Pending | None) -> Pending:
    """The request that shall wait: the one that does if it asks for the same, else a new one with the same key."""
    asked = Request(TABLE[wanted.role], wanted.common_name, tuple(wanted.names))
    if waiting is None:
        with session.console.working("making a key"):
            key = generate(kind or DEFAULT_KIND)
        return new_pending(session.store, wanted.role, wanted.folder, Pair(make_request(asked, key), key), None)
    key, request = waiting.pair.key, waiting.pair.request
    if kind not in {None, kind_of(key)}:
        raise NotReady(
            f"a request with a key of kind {kind_of(key)} waits in {shown(waiting.path)}",
            f"leave --key out; or remove that folder, if nobody is to sign it: rm -r {shown(waiting.path)}",
        )
    if set(names_asked(request)) == set(wanted.names) and request.subject == subject_name(asked):
        return waiting
    return new_pending(session.store, wanted.role, wanted.folder, Pair(make_request(asked, key), key), waiting)


def _request_json(wanted: LeafRequest, told: Pending, *, new: bool) -> dict[str, object]:
    return {
        "role": wanted.role,
        "name": wanted.folder,
        "path": shown(told.path),
        "names": [display(name) for name in names_asked(told.pair.request)],
        "key": kind_of(told.pair.key),
        "new": new,
        "pem": told.request.decode(),
    }


def accept_certificate(session: Session, wanted: LeafRequest, source: str, change: ChangeOptions) -> None:
    """Take the certificate that was signed for a request, and use it from now on.

    Args:
        session: this run.
        wanted: whose request it was.
        source: the file with the certificate, and intermediate ones in any order.
        change: how to go about it.

    Raises:
        Refused: with everything that speaks against the certificate.
        NotReady: if no request waits, or the store does not know the authority.
    """
    certificates = load_certificates(read_input(source, "the certificate"), name=visible(source))
    made: list[Generation] = []
    notes: list[str] = []

    def make() -> Plan:
        waiting = pending(session.store, wanted.role, wanted.folder)
        if waiting is None:
            made[:] = [_accepted_before(session, wanted, certificates)]
            return Plan("")
        taken = accept(
            certificates, waiting.pair, _authority(session, wanted),
            purpose=TABLE[wanted.role].purposes[0], now=session.started, name=visible(source),
        )  # fmt: skip
        notes[:] = taken.notes
        issued = Issued(taken.path[0], taken.path[1:])
        made[:] = [new_generation(session.store, wanted.role, wanted.folder, issued, waiting.key_pem)]
        plan = plan_generation(session.store, made[0])
        gone = answered(session.store, waiting, made[0].path)
        return replace(plan, changes=(*plan.changes, *gone))

    receipt = session.change(make, change)
    session.console.table(details(made[0].certificate, session.started))
    for note in notes:
        session.console.warn(note)
    session.console.say(f"next: dockertls {wanted.role} install {wanted.common_name}")
    session.console.document("accepted", generation_json(made[0], session.started, new=bool(receipt)))


def _accepted_before(session: Session, wanted: LeafRequest, certificates: Sequence[x509.Certificate]) -> Generation:
    """The certificate in use, if it is the one that is handed over again. Raises NotReady if it is not."""
    current = session.store.current(wanted.role, wanted.folder)
    if current is None or current.certificate not in certificates:
        raise NotReady(
            f"no request waits for {wanted.role} {wanted.common_name}",
            f"make one with `dockertls {wanted.role} csr {wanted.common_name}`",
        )
    return current


def _authority(session: Session, wanted: LeafRequest) -> tuple[x509.Certificate, ...]:
    """The store's authority for a role and those above it. Raises NotReady if there is none."""
    authority = session.store.authority(wanted.role)
    if authority is None:
        raise NotReady(
            f"there is no authority in {session.store_shown}",
            "import the one that signs, without its key: dockertls ca import CERT",
        )
    return load_certificates(authority.cert_pem, name=shown(authority.path / "cert.pem"))
