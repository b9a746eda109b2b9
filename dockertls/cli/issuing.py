"""Issue one certificate or many, in one plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.cli.signing import LeafRequest
from dockertls.errors import DockerTLSError, Fault, NotReady, Usage, attempt, refuse
from dockertls.pki.constraints import doubts, parse_limits
from dockertls.pki.keys import load_certificates
from dockertls.pki.names import client_name, display, folder, parse_names, twins, warnings
from dockertls.plan import Plan, combined, shown
from dockertls.report.certificates import details, generation_json, some_names
from dockertls.report.tables import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.cli.signing import Made, Signer
    from dockertls.pki.store import Generation, StoreState


def server_requests(names: Sequence[str], san: Sequence[str]) -> tuple[LeafRequest, ...]:
    """A request for each name; with --san, one for all of them.

    Raises:
        Refused: with every fault of every name.
        Usage: if there are several names and --san.
    """
    if san and len(names) > 1:
        raise Usage("--san goes with one NAME", "issue the certificates one by one")
    every = parse_names([*names, *san])
    groups = [every] if san else [(name,) for name in every]
    return tuple(LeafRequest("server", folder(group[0]), display(group[0]), tuple(group)) for group in groups)


def client_requests(names: Sequence[str]) -> tuple[LeafRequest, ...]:
    """A request for each name. Raises Refused with every fault."""
    good: list[str] = []
    faults: list[Fault] = []
    for name in names:
        try:
            good.append(client_name(name))
        except DockerTLSError as error:
            faults += error.faults or [Fault(error.message, error.hint)]
    refuse("client names", faults)
    return tuple(LeafRequest("client", name, name) for name in dict.fromkeys(good))


def leaf_request(role: str, names: Sequence[str]) -> LeafRequest:
    """The request for one certificate: of a server by all its names, of a client by the first. Raises as those two."""
    return client_requests(names[:1])[0] if role == "client" else server_requests(names[:1], names[1:])[0]


def refuse_twins(store: StoreState, requests: Sequence[LeafRequest]) -> None:
    """Raise Refused with every client whose name differs from that of another one in case alone."""
    clients = [one.folder for one in requests if one.role == "client"]
    refuse("client names", [*twins(clients, store.names("client") if clients else ())])


def issue_all(session: Session, signer: Signer, requests: Sequence[LeafRequest], change: ChangeOptions) -> None:
    """Issue them and tell what was made.

    Raises:
        NotReady: if there is no authority.
    """
    role = requests[0].role
    authority = session.store.authority(role)
    if authority is None:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    refuse_twins(session.store, requests)
    made: list[Made] = []

    def make() -> Plan:
        with signer.many():
            made[:] = session.console.progress(requests, lambda one: signer.leaf_asked_for(authority, one), "issuing")
        title = (
            f"issue {requests[0].role} {requests[0].folder}"
            if len(requests) == 1
            else f"issue {len(requests)} certificates"
        )
        return combined(title, [one.plan for one in made])

    session.change(make, change)
    rows = tuple(issued_row(one) for one in made)
    session.console.table(Table(("", "CERTIFICATE", "NAMES", "UNTIL", "FILES"), rows))
    for warning in warnings([name for one in requests for name in one.names]):
        session.console.warn(warning)
    for doubt in _doubts(requests, authority):
        session.console.warn(doubt)
    session.console.say(f"next: dockertls {role} install {requests[0].folder}")
    session.console.document(
        "issued", [generation_json(one.generation, session.started, new=bool(one.plan)) for one in made]
    )


def _doubts(requests: Sequence[LeafRequest], authority: Generation) -> Iterator[str]:
    """What is to be known of those who have no other name, under an authority that is limited."""
    above = load_certificates(authority.cert_pem)
    found = (doubts(one.common_name, above) for one in requests if not one.names)
    return filter(None, found)


def issued_row(made: Made) -> Row:
    """What was made, on a line: under "", CERTIFICATE, NAMES, UNTIL and FILES."""
    generation = made.generation
    certificate = generation.certificate
    name, until = f"{generation.role} {generation.name}", f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    done = "made" if made.plan else "kept"
    return Row((done, name, some_names(certificate), until, shown(generation.path)))


def make_authority(
    session: Session, signer: Signer, name: str | None, permit: Sequence[str], change: ChangeOptions
) -> None:
    """Make the store's authority and tell of it.

    Raises:
        Refused: with every fault of its name and of what it shall be limited to.
        NotReady: if the store has another one.
    """
    common_name, wrong = attempt(lambda: client_name(name) if name is not None else None)
    limits, faults = attempt(lambda: parse_limits(permit))
    refuse("authority", [*wrong, *faults])
    made: list[Made] = []

    def make() -> Plan:
        made[:] = [signer.authority_asked_for(common_name, limits)]
        return made[0].plan

    session.change(make, change)
    generation = made[0].generation
    session.console.table(details(generation.certificate, session.started))
    session.console.say("keep a copy, without its key no certificate can be renewed: dockertls ca export --output FILE")
    session.console.say("next: dockertls server issue NAME, dockertls client issue NAME")
    session.console.document("ca", generation_json(generation, session.started, new=bool(made[0].plan)))
