"""Every certificate of a store that is in use, one after the other: what is damaged is told, and the rest goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockertls.errors import DockerTLSError, Fault, NotReady
from dockertls.pki.elsewhere import NAME as ELSEWHERE
from dockertls.pki.elsewhere import Elsewhere
from dockertls.pki.keys import key_kind, load_certificates
from dockertls.pki.quickly import load_quickly
from dockertls.pki.store import FOLDERS
from dockertls.plan import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cryptography import x509

    from dockertls.pki.store import StoreState
    from dockertls.ways import Folder

CURRENT, CERT, KEY = "current", "cert.pem", "key.pem"
_END = b"-----END CERTIFICATE-----"
RESTORE = "restore it from a backup, or issue a new certificate"


@dataclass(frozen=True, slots=True)
class Entry:
    """A certificate in use, as the store has it.

    Attributes:
        role: "ca", "server" or "client".
        name: its folder's name; of an authority the generation, such as "0001", and of those above it "0001/1".
        number: the generation in use; empty: that cannot be told.
        certificate: it; None: it cannot be read.
        kind: of its key, as in `pki.keys.KINDS`.
        has_key: whether its key lies beside it.
        elsewhere: what is known of copies on other machines; None: nothing.
        fault: what is wrong with it in the store.
    """

    role: str
    name: str
    number: str = ""
    certificate: x509.Certificate | None = None
    kind: str = ""
    has_key: bool = False
    elsewhere: Elsewhere | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class _Reader:
    """Reads certificates as `load_certificates` does; what follows a leaf is read once for all that have the same."""

    known: set[bytes] = field(default_factory=lambda: {b""})

    def leaf(self, pem: bytes, folder: Folder) -> tuple[x509.Certificate, str]:
        """The first certificate of a file, and the kind of its key. Raises Refused if one cannot be read."""
        head, end, above = pem.partition(_END)
        above = above.strip()
        if above in self.known and (quick := load_quickly(head + end)):
            return quick
        leaf, *_ = load_certificates(pem, name=shown(folder.place / CERT))
        self.known.add(above)
        return leaf, key_kind(leaf)


def leaves(store: StoreState) -> Iterator[Entry]:
    """The certificate in use of every server and every client, by name.

    Raises:
        Denied: if the store may not be looked at.
    """
    reader = _Reader()
    for role, place in FOLDERS.items():
        with store.host.folder(store.path / place) as folder:
            for name in folder.names() if folder else ():
                if folder and not name.startswith(".") and (entry := _leaf(reader, folder, role, name)):
                    yield entry


def _leaf(reader: _Reader, folder: Folder, role: str, name: str) -> Entry | None:
    try:
        inside = folder.enter(name)
        if inside is None:
            return None
        with inside:
            return _in_use(reader, inside, role, name)
    except DockerTLSError as error:
        return Entry(role, name, fault=Fault(error.message, error.hint))


def _in_use(reader: _Reader, folder: Folder, role: str, name: str) -> Entry | None:
    """What a folder's link says is in use; None: nothing was ever issued for it. Raises NotReady, Refused."""
    number = _current(folder)
    if number is None:
        return None
    with _generation(folder, number) as generation:
        certificate, kind = reader.leaf(_certificate(generation), generation)
        has_key = generation.has_file(KEY)
    return Entry(role, name, number, certificate, kind, has_key, _elsewhere(folder))


def _current(folder: Folder) -> str | None:
    """The generation that a folder's link names; None: there is none at all. Raises NotReady."""
    number = folder.target(CURRENT)
    if number is not None and number.isdigit():
        return number
    names = folder.names()
    if CURRENT not in names and not any(one.isdigit() for one in names):
        return None
    what = "is not a link to a generation" if CURRENT in names else "is missing"
    hint = f"renew it, or let it name a folder of {shown(folder.place)}"
    raise NotReady(f"{shown(folder.place / CURRENT)} {what}", hint)


def _generation(folder: Folder, number: str) -> Folder:
    found = folder.enter(number)
    if found is None:
        raise _missing(folder, number)
    return found


def _certificate(generation: Folder) -> bytes:
    pem = generation.content(CERT)
    if pem is None:
        raise _missing(generation, CERT)
    return pem


def _missing(folder: Folder, name: str) -> NotReady:
    return NotReady(f"{shown(folder.place / name)} is missing", RESTORE)


def _elsewhere(folder: Folder) -> Elsewhere | None:
    content = folder.content(ELSEWHERE)
    return None if content is None else Elsewhere.parse(content, folder.place / ELSEWHERE)


# authorities


@dataclass(frozen=True)
class Authorities:
    """Every authority that the store ever had.

    Attributes:
        entries: each generation, and the certificates above it.
        signs: the generation that signs; empty: that cannot be told, or there is none.
        fault: why it cannot be told.
    """

    entries: Mapping[str, tuple[Entry, ...]]
    signs: str = ""
    fault: Fault | None = None

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """All of them that can be read."""
        return tuple(one.certificate for chain in self.entries.values() for one in chain if one.certificate)


def authorities(store: StoreState) -> Authorities:
    """Look at every authority. Raises Denied if the store may not be looked at."""
    with store.host.folder(store.place("ca")) as folder:
        if folder is None:
            return Authorities({})
        found = {number: tuple(_chain(folder, number)) for number in folder.names() if number.isdigit()}
        try:
            signs = _current(folder) or ""
            if signs and signs not in found:
                raise _missing(folder, signs)
            return Authorities(found, signs)
        except NotReady as error:
            return Authorities(found, fault=Fault(error.message, error.hint))


def _chain(folder: Folder, number: str) -> Iterator[Entry]:
    """An authority, and those above it."""
    try:
        with _generation(folder, number) as inside:
            chain = load_certificates(_certificate(inside), name=shown(inside.place / CERT))
            has_key = inside.has_file(KEY)
    except DockerTLSError as error:
        yield Entry("ca", number, number, fault=Fault(error.message, error.hint))
        return
    for step, one in enumerate(chain):
        name = f"{number}/{step}" if step else number
        yield Entry("ca", name, number, one, key_kind(one), has_key=has_key and not step)
