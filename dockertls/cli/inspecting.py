"""Look into a file or at an endpoint, and report what was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer
from cryptography.x509 import load_der_x509_certificate

from dockertls.cli.console import PassphraseSource
from dockertls.cli.files import is_there, read_input
from dockertls.errors import NotReady, Refused, Unreachable, Usage, attempt
from dockertls.escaping import visible
from dockertls.pki.fitness import Role
from dockertls.pki.keys import readable
from dockertls.pki.parts import Damaged, Part, Sealed, is_sealed, opened, parts_in
from dockertls.pki.profiles import MALFORMED
from dockertls.probe.case import no_dockerd
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.handshake import look
from dockertls.probe.observation import ClientMaterial, Outcome
from dockertls.probe.remedies import explain, of_errno
from dockertls.report import findings
from dockertls.report.inspect import Terms, inspected, public_pem
from dockertls.report.things import Thing, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from dockertls.cli.options import OpeningOptions
    from dockertls.cli.session import Session
    from dockertls.probe.observation import Handshake, Version
    from dockertls.report.inspect import Inspection

PURPOSES: Mapping[str, Role] = MappingProxyType({"server": Role.SERVER, "client": Role.CLIENT, "ca": Role.AUTHORITY})
ENDINGS = (".pem", ".crt", ".cer", ".cert", ".der", ".key", ".csr", ".req", ".crl", ".p12", ".pfx", ".p7b", ".txt")
"""How names of files end, and no domain of the DNS: nobody is asked for such a host."""
VERSIONS: tuple[Version, ...] = ("TLSv1.3", "TLSv1.2")
STDIN = "-"


@dataclass(frozen=True)
class Wanted:
    """What to look at and how: as on the command line; `timeout` in seconds."""

    target: str
    purpose: str | None
    pem: bool
    timeout: float
    opening: OpeningOptions


@dataclass(frozen=True)
class Seen:
    """What was found.

    Attributes:
        parts: in their order, none of them sealed.
        endpoint: where they were seen, and how the look ended; None: in a file.
        host: by which name the server was called.
    """

    parts: tuple[Part, ...]
    endpoint: Thing | None = None
    host: str = ""


def inspect_target(session: Session, wanted: Wanted) -> None:
    """Report what a file holds or an endpoint shows.

    Raises:
        typer.Exit: with 1 if something of it is of no use as it is.
    """
    role = _role(wanted.purpose)
    endpoint = _endpoint(wanted.target)
    seen = _of_endpoint(session, endpoint, wanted) if endpoint else _of_file(session, wanted)
    first = role or (Role.SERVER if endpoint else None)
    found = inspected(seen.parts, Terms(session.started, first, (seen.host,) if seen.host else ()))
    if wanted.pem and not any(map(public_pem, seen.parts)):
        raise Refused(f"{visible(wanted.target)} holds nothing that is public", "inspect shows it without --pem")
    if wanted.pem and not session.console.json:
        _print_pem(session, seen.parts, found)
    else:
        _tell(session, seen, found, pem=wanted.pem)
    raise typer.Exit(0 if found.ok else 1)


def _role(purpose: str | None) -> Role | None:
    if purpose is not None and purpose not in PURPOSES:
        raise Usage(f"--for {visible(purpose)} is not known", f"take one of: {', '.join(PURPOSES)}")
    return PURPOSES[purpose] if purpose else None


def _endpoint(target: str) -> Endpoint | None:
    """The endpoint that is meant; None: a file is, or standard input.

    What is there is a file. What is not there is an endpoint if it is written as one, or could be a host's name.

    Raises:
        NotReady: if it can be neither.
        Refused: if it is written as an endpoint, and is none.
    """
    if target == STDIN or is_there(target):
        return None
    if "://" in target:
        return Endpoint.parse(target)
    found, faults = attempt(lambda: Endpoint.parse(target))
    if found is None or target.lower().endswith(ENDINGS):
        reason = f": {faults[0].message}" if faults and "/" not in target else ""
        hint = "look at the path; an endpoint is written tcp://HOST:2376"
        raise NotReady(f"{visible(target)}: no such file, and not an endpoint{reason}", hint)
    return found


def _of_file(session: Session, wanted: Wanted) -> Seen:
    name = "standard input" if wanted.target == STDIN else visible(wanted.target)
    parts = parts_in(read_input(wanted.target, "the file"), name)
    return Seen(_opened(session, parts, wanted, name))


def _opened(session: Session, parts: tuple[Part, ...], wanted: Wanted, name: str) -> tuple[Part, ...]:
    """The same, opened with the passphrase if one is given or needed: an encrypted key is told of without.

    Raises:
        NotReady: if there is a PKCS#12, no passphrase and nobody to ask.
        Refused: if the passphrase does not open what there is.
    """
    ways = wanted.opening.passphrase_file, wanted.opening.passphrase_fd, wanted.opening.passphrase_command
    if wanted.target == STDIN == wanted.opening.passphrase_file:
        raise Usage("only one of file and passphrase can come from standard input", "name the other one")
    packed = any(isinstance(part.value, Sealed) for part in parts)
    what = f"{'the PKCS#12' if packed else 'the key in'} {name}"
    source = PassphraseSource(*ways, what=what).checked({})  # the variable's is of the authority's key
    if packed or (source.is_given and any(map(is_sealed, parts))):
        return opened(parts, source.read(session.console, new=False), name)
    return parts


def _of_endpoint(session: Session, endpoint: Endpoint, wanted: Wanted) -> Seen:
    """What an endpoint shows to somebody without a certificate, however it goes on then.

    Raises:
        Unreachable: if it shows nothing.
    """
    if endpoint.note:
        session.console.say(f"note: {endpoint.note}")
    looks: list[Handshake] = []
    for version in VERSIONS:
        looks.append(look(endpoint, ClientMaterial(b""), version=version, timeout=wanted.timeout))
        if looks[-1].chain:
            chain = tuple(Part(_certificate(der), "TLS") for der in looks[-1].chain)
            return Seen(chain, _told(endpoint, version, looks[-1]), endpoint.name)
    raise _unreachable(endpoint, wanted.target, looks)


def _certificate(der: bytes) -> Certificate | Damaged:
    try:
        return readable(partial(load_der_x509_certificate, der))
    except MALFORMED as error:
        return Damaged("certificate", visible(str(error)))


def _told(endpoint: Endpoint, version: Version, seen: Handshake) -> Thing:
    """The endpoint itself."""
    ended = f"{seen.outcome.value} ({seen.alert})" if seen.alert else seen.outcome.value
    return listed(
        "endpoint",
        {"endpoint": endpoint.url, "address": seen.address, "protocol": version, "without_certificate": ended},
    )


def _unreachable(endpoint: Endpoint, target: str, looks: Sequence[Handshake]) -> Unreachable:
    """The error for an endpoint that showed nothing; the first look tells why, unless it was about the version."""
    told = next((one for one in looks if one.outcome is not Outcome.HANDSHAKE_REFUSED), looks[-1])
    foreign = no_dockerd(looks)
    if foreign:
        cause, remedy = foreign
        return Unreachable(f"{endpoint.url} shows no certificate: {cause}", remedy)
    reason = visible(told.reason or told.alert or told.outcome.value)
    known = of_errno(told.errno or 0) or explain(told.reason) or explain(told.outcome.value)
    sure = f"{endpoint.url} shows no certificate"
    message = sure if ":" in target else f"{visible(target)}: no such file, and not an endpoint that answers"
    cause = f": {known.cause} ({reason})" if known else f": {reason}"
    return Unreachable(message + cause, known.remedy if known else "see what listens there: ss -ltn")


def _print_pem(session: Session, parts: Sequence[Part], found: Inspection) -> None:
    """What is public, and nothing else on standard output; what is wrong is told beside it."""
    session.console.raw(b"".join(map(public_pem, parts)))
    for thing in (thing for thing in found.all if thing.is_unfit):
        for finding in thing.findings:
            told = findings.as_json(finding)
            session.console.warn(f"{thing.kind} {thing.number}: {told['cause']}")


def _tell(session: Session, seen: Seen, found: Inspection, *, pem: bool) -> None:
    console = session.console
    shown = (seen.endpoint, *found.all) if seen.endpoint else found.all
    many = Counter(thing.kind for thing in shown)
    for place, thing in enumerate(shown):
        number = f" {thing.number}" if many[thing.kind] > 1 else ""
        console.result(("\n" if place else "") + thing.kind + number)
        console.table(thing.table)
    texts = [public_pem(part).decode() for part in seen.parts] if pem else []
    data = [thing.document for thing in shown]
    for one, text in zip(data[len(shown) - len(found.all) :], texts, strict=False):
        one.update({"pem": text} if text else {})
    console.document("inspect", data, ok=found.ok)
