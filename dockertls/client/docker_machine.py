"""What a retired docker-machine left: an authority, one client, and a server certificate for each of its machines."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from cryptography import x509

from dockertls.errors import DockerTLSError, Fault, attempt, refuse
from dockertls.escaping import visible
from dockertls.findings import Failed
from dockertls.pki.adoption import authority_faults, authority_notes
from dockertls.pki.keys import load_certificates, matches
from dockertls.pki.names import folder, parse_name
from dockertls.pki.profiles import Purpose, extension
from dockertls.pki.requests import common_names
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from dockertls.pki.keys import PrivateKey

CA, CA_KEY, CERT, KEY = (f"certs/{name}.pem" for name in ("ca", "ca-key", "cert", "key"))
MACHINES = "machines"
SERVER_CERT, SERVER_KEY, CONFIG = "server.pem", "server-key.pem", "config.json"
CLIENT_NAME = "docker-machine"
"""The store's name for the one client of all machines: its certificate names nobody."""

_MOVE_AWAY = "make it again with docker-machine (regenerate-certs), or move that folder away: nothing was imported"
_ANONYMOUS = (
    "docker-machine's certificates have no common name: authorization plugins see a user without a name; those of "
    "another authority have one (dockertls ca rotate)"
)
_UNIDENTIFIED = (
    "docker-machine's certificates have no key identifiers: Python 3.13 and later refuse them; those of "
    "another authority have them (dockertls ca rotate)"
)


@dataclass(frozen=True)
class Leaf:
    """A certificate and its key.

    Attributes:
        role: "server" or "client".
        name: its folder's name in the store.
        certificate: the certificate.
        key: its private key.
        address: of a machine; empty: not known.
    """

    role: str
    name: str
    certificate: x509.Certificate
    key: PrivateKey
    address: str = ""


@dataclass(frozen=True)
class Left:
    """All that was left.

    Attributes:
        authority: its certificate.
        key: its private key; None: it is not there.
        leaves: the client and the machines' servers.
        notes: what the user should know, one line each.
    """

    authority: x509.Certificate
    key: PrivateKey | None
    leaves: tuple[Leaf, ...]
    notes: tuple[str, ...]


def wanted(machines: Sequence[str]) -> tuple[str, ...]:
    """The files to look at, as paths below docker-machine's folder.

    Args:
        machines: the names in the folder `MACHINES`.
    """
    of_machines = (f"{MACHINES}/{name}/{file}" for name in machines for file in (SERVER_CERT, SERVER_KEY, CONFIG))
    return (CA, CA_KEY, CERT, KEY, *of_machines)


def judge(
    files: Mapping[str, bytes], machines: Sequence[str], opened: Callable[[bytes, str], PrivateKey], now: datetime
) -> Left:
    """Read what was left and judge it.

    Args:
        files: the content of those of `wanted` that are there.
        machines: the names in the folder `MACHINES`.
        opened: reads a private key; its second argument is what messages call it.
        now: with a time zone.

    Raises:
        Refused: with everything that cannot be read, or does not belong together.
    """
    authority, faults = attempt(lambda: load_certificates(files.get(CA, b""), name=CA)[0])
    key, more = attempt(lambda: opened(files[CA_KEY], CA_KEY)) if CA_KEY in files else (None, ())
    looks = [_look(files, place, authority, opened, now) for place in _places(files, machines)]
    leaves = tuple(look.leaf for look in looks if look.leaf)
    own = authority_faults((authority,), key, now) if authority else ()
    refuse(
        "what docker-machine left",
        (*faults, *more, *own, *(fault for look in looks for fault in look.faults), *_same_names(leaves)),
    )
    root = cast("x509.Certificate", authority)  # else it was refused
    notes = (*authority_notes((root,)), *(note for look in looks for note in look.notes), *_notes(root, leaves))
    return Left(root, key, leaves, notes)


@dataclass(frozen=True)
class _Place:
    """Where a certificate should be: its folder, for messages, and the two files."""

    role: str
    name: str
    folder: str
    cert: str
    key: str
    address: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class _Look:
    """What was found at a place."""

    leaf: Leaf | None
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def _places(files: Mapping[str, bytes], machines: Sequence[str]) -> Iterator[_Place]:
    yield _Place("client", CLIENT_NAME, "certs", CERT, KEY)
    for machine in machines:
        place = f"{MACHINES}/{machine}"
        address = _address(files.get(f"{place}/{CONFIG}", b""))
        name = next(filter(None, map(_folder_of, (machine, address))), "")
        hint = "give the folder the name that clients call the machine by"
        faults = () if name else (Fault(f"{visible(place)}: a server cannot be called so, and has no address", hint),)
        yield _Place("server", name, place, f"{place}/{SERVER_CERT}", f"{place}/{SERVER_KEY}", address, faults)


def _address(config: bytes) -> str:
    """Where a machine is reached, as its config.json says; empty: it does not, and it is not needed."""
    try:
        found = json.loads(config)["Driver"]["IPAddress"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def _folder_of(text: str) -> str:
    """A server's folder by one of its names; empty: no server is called so."""
    try:
        return folder(parse_name(text))
    except DockerTLSError:
        return ""


def _look(
    files: Mapping[str, bytes],
    place: _Place,
    authority: x509.Certificate | None,
    opened: Callable[[bytes, str], PrivateKey],
    now: datetime,
) -> _Look:
    if place.cert not in files and place.key not in files:
        return _Look(None, notes=(f"{visible(place.folder)}: it has no certificate, and was left out",))
    certificate, faults = attempt(lambda: load_certificates(files.get(place.cert, b""), name=visible(place.cert))[0])
    key, more = attempt(lambda: opened(files.get(place.key, b""), visible(place.key)))
    faults = (*place.faults, *faults, *more)
    if certificate is None or key is None:
        return _Look(None, faults)
    leaf = Leaf(place.role, place.name, certificate, key, place.address)
    findings = _findings(leaf, authority, now)
    told = [f"{visible(place.folder)}: {cause}" for id_, cause in findings.items() if id_ != "expiry"]
    if not matches(certificate, key):
        told.append(f"{visible(place.key)} is not the key of {visible(place.cert)}")
    notes = (f"{visible(place.folder)}: {findings['expiry']}",) if "expiry" in findings else ()
    return _Look(leaf, (*faults, *(Fault(one, _MOVE_AWAY) for one in told)), notes)


def _findings(leaf: Leaf, authority: x509.Certificate | None, now: datetime) -> dict[str, str]:
    """Why a certificate fails, by the finding's id; that it has ended is one of them, and is what renewal is for."""
    purpose = Purpose.SERVER if leaf.role == "server" else Purpose.CLIENT
    roots = (authority,) if authority else ()
    found = verify(leaf.certificate, (), roots, now=now, purpose=purpose, fail=timedelta())
    return {one.id: one.verdict.cause for one in found if isinstance(one.verdict, Failed)}


def _same_names(leaves: Sequence[Leaf]) -> Iterator[Fault]:
    for (role, name), count in Counter((leaf.role, leaf.name) for leaf in leaves).items():
        if name and count > 1:
            yield Fault(f"{count} machines would be the {role} {name}", "give one of the folders another name")


def _notes(authority: x509.Certificate, leaves: Sequence[Leaf]) -> Iterator[str]:
    certificates = [authority, *(leaf.certificate for leaf in leaves)]
    if any(not common_names(one.subject) for one in certificates):
        yield _ANONYMOUS
    if any(extension(leaf.certificate, x509.AuthorityKeyIdentifier) is None for leaf in leaves):
        yield _UNIDENTIFIED
