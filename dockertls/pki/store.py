"""The store: a folder that is its own database, read as it is needed, and the plans that add to it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509

from dockertls.documents.own_file import regular
from dockertls.errors import Denied, NotReady, Refused
from dockertls.pki import standby
from dockertls.pki.issue import Issued
from dockertls.pki.keys import certificate_pem, fingerprint, is_encrypted, load_certificates, load_private, matches
from dockertls.pki.names import likely_folders
from dockertls.pki.paths import paths
from dockertls.pki.profiles import extension, issued_by
from dockertls.pki.revocation import RECORD, Revocations, Revoked, parse_record
from dockertls.pki.rotation import FROM_BACKUP, Rotation
from dockertls.pki.rotation import NAME as ROTATION
from dockertls.plan import Change, Directory, File, Link, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import PurePosixPath as Path

    from dockertls.host import Host
    from dockertls.pki.keys import PublicKey

FOLDERS = {"server": "servers", "client": "clients"}
"""Where the certificates of each role lie, a folder a name."""

_STORE = "the store"
LONGEST = 255  # bytes of a file's name
TRUST = "trust.pem"
"""The file in the folder `ca` with every authority that daemons trust."""
KEY_ELSEWHERE = (
    "have a request signed where it is: dockertls server|client csr NAME; if it was here, restore key.pem from a backup"
)


@dataclass(frozen=True)
class Generation:
    """One certificate and its key, as they lie in the store.

    Attributes:
        role: "ca", "server" or "client".
        name: its folder's name, by what it was issued for; empty for the authority.
        path: its folder.
        cert_pem: the certificate and its chain, leaf first.
        key_pem: its private key; None: the key is not here.
    """

    role: str
    name: str
    path: Path
    cert_pem: bytes
    key_pem: bytes | None

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return int(self.path.name)

    @property
    def title(self) -> str:
        """What it is, for people."""
        return "authority" if self.role == "ca" else f"{self.role} {self.name}"

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate. Raises Refused if the file holds none."""
        return load_certificates(self.cert_pem, name=shown(self.path / "cert.pem"))[0]

    @property
    def pair(self) -> tuple[bytes, bytes]:
        """Certificate and key, in PEM.

        Raises:
            NotReady: if the key is not here.
            Refused: if one of them is damaged, or they do not belong together.
        """
        if self.key_pem is None:
            raise NotReady(
                f"{shown(self.path / 'key.pem')} is missing: the key of {self.role} {self.name} is elsewhere, or lost",
                "use the certificate where its key is; if the key was here, restore it from a backup; "
                f"or make another: dockertls {self.role} issue {self.name}",
            )
        key = shown(self.path / "key.pem")
        if not matches(self.certificate, load_private(self.key_pem, name=key, validate=False)):
            raise Refused(f"{key} is not the key of cert.pem beside it", "restore the pair from a backup")
        return self.cert_pem, self.key_pem

    @property
    def anchor_pem(self) -> bytes:
        """Of an authority: the certificate that is trusted for its sake, itself or the root above it."""
        return certificate_pem(load_certificates(self.cert_pem, name=shown(self.path / "cert.pem"))[-1:])

    @property
    def names(self) -> tuple[x509.GeneralName, ...]:
        """Its subject alternative names."""
        found = extension(self.certificate, x509.SubjectAlternativeName)
        return tuple(found) if found else ()

    def is_good(self, authority: x509.Certificate, names: Iterable[x509.GeneralName], now: datetime) -> bool:
        """Whether it can be used as it is, here: its key is here too.

        Args:
            authority: whose it shall be, directly or by the intermediate ones beside it.
            names: what it shall be good for.
            now: when.
        """
        return self.key_pem is not None and self.is_valid(authority, names, now)

    def is_valid(self, authority: x509.Certificate, names: Iterable[x509.GeneralName], now: datetime) -> bool:
        """As `is_good`, wherever its key is."""
        valid = self.certificate.not_valid_before_utc <= now < self.certificate.not_valid_after_utc
        return valid and set(names) <= set(self.names) and self.is_of(authority)

    def is_of(self, authority: x509.Certificate) -> bool:
        """Whether an authority issued it, itself or by the intermediate ones beside it."""
        return issued_by(self.certificate, authority) or bool(paths(self.certificate, self._above, (authority,)))

    @property
    def _above(self) -> tuple[x509.Certificate, ...]:
        return load_certificates(self.cert_pem, name=shown(self.path / "cert.pem"))[1:]


@dataclass(frozen=True)
class StoreState:
    """What a store holds; every answer is read from the folder when it is asked for.

    Attributes:
        host: the way to it.
        path: the folder.
        now: to tell what has ended; None: nothing has.
        say: told where something else is used than what is said to be in use.
    """

    host: Host
    path: Path
    now: datetime | None = None
    say: Callable[[str], None] = field(default=lambda _: None, compare=False, repr=False)

    @contextmanager
    def near(self) -> Iterator[StoreState]:
        """The same store, to look at many of its folders."""
        with self.host.near() as host:
            yield replace(self, host=host)

    def names(self, role: str) -> tuple[str, ...]:
        """Folder names of a role, sorted."""
        return tuple(name for name in self.host.names(self.path / FOLDERS[role]) if not name.startswith("."))

    def place(self, role: str, name: str = "") -> Path:
        """The folder of a role and of a name as `pki.names.folder` spells it, whether it is there or not."""
        return self.path / "ca" if role == "ca" else self.path / FOLDERS[role] / name

    def current(self, role: str, name: str = "") -> Generation | None:
        """The generation in use; None: there is none.

        Where the link that says which is missing or leads to one that is broken or has ended, another one is taken
        that is good, and it is said: see `standby`.

        Raises:
            NotReady: if the link is none, or no generation can be read.
        """
        place = self.place(role, name)
        link = self.host.node(place / "current")
        if not isinstance(link, Link | None) or (link and not link.target.isdigit()):
            raise NotReady(
                f"{shown(place / 'current')} is not a link to a generation", f"let it name a folder of {shown(place)}"
            )
        named = self.whole(role, name, link.target) if link else None
        if named and (role == "ca" or not standby.has_ended(named, self.now)):
            return named
        return standby.instead(self, role, name, link, named)

    def whole(self, role: str, name: str, number: str) -> Generation | None:
        """A generation by its number; None: its certificate is missing or damaged. Raises Denied."""
        try:
            generation = self.generation(role, name, number)
            _ = generation.certificate
        except Denied:
            raise
        except (NotReady, Refused):
            return None
        return generation

    def _generation(self, role: str, name: str, path: Path) -> Generation:
        cert, key = (self.host.node(path / file) for file in ("cert.pem", "key.pem"))
        if not isinstance(cert, File):
            raise NotReady(
                f"{shown(path / 'cert.pem')} is missing", "restore it from a backup, or issue a new certificate"
            )
        return Generation(role, name, path, cert.content, key.content if isinstance(key, File) else None)

    def rotation(self) -> Rotation | None:
        """The rotation under way; None: there is none. Raises NotReady if its file is damaged, or is none."""
        path = self.path / "ca" / ROTATION
        file = regular(self.host.node(path), path, FROM_BACKUP)
        return Rotation.parse(file.content, path) if file else None

    def authority(self, role: str) -> Generation | None:
        """Who signs for a server or client now: while a rotation runs, they may have different ones.

        Raises:
            NotReady: if its certificate, or the link to it, is missing.
        """
        rotation = self.rotation()
        if rotation is None:
            return self.current("ca")
        return self.generation("ca", "", rotation.number(rotation.row.shows(role)))

    def signing(self) -> tuple[Generation, ...]:
        """The authorities in use: who signs when no rotation runs, and who signs for each role now. Raises likewise."""
        found = (self.current("ca"), *map(self.authority, FOLDERS))
        return tuple(dict.fromkeys(one for one in found if one))

    def generation(self, role: str, name: str, number: str) -> Generation:
        """A generation by its number, such as "0001". Raises NotReady if its certificate is missing."""
        return self._generation(role, name, self.place(role, name) / number)

    def readable(self, role: str, name: str = "") -> Iterator[Generation]:
        """Every generation of a name that can be read, newest first; of the others it is said. Raises Denied."""
        for number in reversed(self.numbers(role, name)):
            if found := self.whole(role, name, number):
                yield found
            else:
                self.say_left_out(role, name, number)

    def say_left_out(self, role: str, name: str, number: str) -> None:
        """Say that a generation is as if it were not there."""
        self.say(f"{shown(self.place(role, name) / number)} is left out: its cert.pem is missing or damaged")

    def numbers(self, role: str, name: str = "") -> tuple[str, ...]:
        """The generations of a name, such as "0001", oldest first."""
        return tuple(entry for entry in self.host.names(self.place(role, name)) if entry.isdigit())

    def whose(self, role: str, certificate: x509.Certificate) -> Generation | None:
        """The generation that a certificate is, wherever it was found; None: it is not of this store.

        It is looked for under the names that it has, and under every name only if it has no common name.
        """
        likely = likely_folders(role, certificate)
        names = filter(_can_be_there, likely) if likely else self.names(role)
        return next((found for name in names if (found := self._same(role, name, certificate))), None)

    def _same(self, role: str, name: str, certificate: x509.Certificate) -> Generation | None:
        return next((one for one in self.readable(role, name) if one.certificate == certificate), None)

    def revoked(self, authority: Generation) -> tuple[Revoked, ...]:
        """What was revoked of an authority. Raises Refused if the record is damaged, NotReady if it is none."""
        path = authority.path / RECORD
        file = regular(self.host.node(path), path, FROM_BACKUP)
        return parse_record(file.content, path) if file else ()

    def revocations(self) -> Revocations:
        """What was revoked of every authority; each record is read once. Raises as `revoked`."""
        every = ((authority, self.revoked(authority)) for authority in standby.every_authority(self))
        return Revocations({authority.certificate: revoked for authority, revoked in every if revoked})

    def trusts(self, authority: Generation) -> bool:
        """Whether daemons or clients trust an authority. Raises as `trust_pem`."""
        anchors = load_certificates(authority.anchor_pem)
        return any(anchor in self.trusted(role) for role in FOLDERS for anchor in anchors)

    def holders(self, key: PublicKey) -> tuple[Generation, ...]:
        """Every generation of any role and name whose certificate is for a key."""
        with self.near() as near:
            return tuple(one for one in near.every_generation() if matches(one.certificate, key))

    def every_generation(self) -> Iterator[Generation]:
        """All that was ever made, or taken, of any role and name. Raises NotReady if a certificate is missing."""
        leaves = ((role, name) for role in FOLDERS for name in self.names(role))
        for role, name in (("ca", ""), *leaves):
            yield from (self.generation(role, name, number) for number in self.numbers(role, name))

    def trust_pem(self, role: str = "server") -> bytes:
        """Every authority that a role trusts now, as PEM; empty: there is none.

        Clients and daemons differ only at the end of a rotation.

        Raises:
            NotReady: if there is an authority, and the file is missing.
            Refused: if it is damaged.
        """
        rotation = self.rotation()
        if rotation and rotation.row.trusts(role) != rotation.row.daemons_trust:
            return self.generation("ca", "", rotation.new).anchor_pem
        bundle = self.path / "ca" / TRUST
        node = self.host.node(bundle)
        if isinstance(node, File):
            load_certificates(node.content, name=shown(bundle))
            return node.content
        if not self.numbers("ca", ""):
            return b""
        raise NotReady(
            f"{shown(bundle)} is missing",
            f"restore it from a backup, or copy {shown(self.place('ca'))}/current/cert.pem",
        )

    def trusted(self, role: str = "server") -> tuple[x509.Certificate, ...]:
        """Every authority that a role trusts now. Raises as `trust_pem`."""
        pem = self.trust_pem(role)
        return load_certificates(pem) if pem else ()

    def authorities(self) -> frozenset[str]:
        """Fingerprints of every authority that was ever made here."""
        place = self.path / "ca"
        nodes = (self.host.node(place / name / "cert.pem") for name in self.host.names(place) if name.isdigit())
        pems = [node.content for node in nodes if isinstance(node, File)]
        return frozenset(fingerprint(one) for pem in pems for one in load_certificates(pem, name=shown(place)))

    def issuer(self, passphrase: Callable[[], bytes | None], generation: Generation | None = None) -> Issued:
        """An authority with its key, ready to sign.

        Args:
            passphrase: asked only if the key is encrypted.
            generation: the authority; None: the one in use.

        Raises:
            NotReady: if there is no authority, or its key is not here.
            Refused: if the passphrase is wrong, or key and certificate are no pair.
        """
        generation = generation or self.current("ca")
        if generation is None:
            raise NotReady(f"there is no authority in {shown(self.path)}", "make one with `dockertls ca init`")
        if generation.key_pem is None:
            raise NotReady(f"the authority's key is not in {shown(generation.path)}", KEY_ELSEWHERE)
        return _pair(generation, generation.key_pem, passphrase)


def _can_be_there(name: str) -> bool:
    """Whether a folder of the store can be called so: what a certificate says may be anything."""
    return name.isprintable() and not name.startswith(".") and "/" not in name and 0 < len(name.encode()) <= LONGEST


def _pair(generation: Generation, key_pem: bytes, passphrase: Callable[[], bytes | None]) -> Issued:
    name = shown(generation.path / "key.pem")
    key = load_private(key_pem, passphrase() if is_encrypted(key_pem) else None, name=name)
    certificate, *chain = load_certificates(generation.cert_pem, name=shown(generation.path / "cert.pem"))
    if not matches(certificate, key):
        raise Refused(
            f"{name} is not the key of {shown(generation.path / 'cert.pem')}",
            "restore the pair from a backup; nothing was signed",
        )
    return Issued(certificate, tuple(chain), key)


def next_number(store: StoreState, role: str, name: str) -> int:
    """The number of the next generation of a name.

    Who decides by the generation in use whether a new one is needed asks for the number first: if another run is
    faster, either its generation is seen, or the number is taken and `apply` refuses the plan as drifted.
    """
    return max((int(entry) for entry in store.host.names(store.place(role, name)) if entry.isdigit()), default=0) + 1


def new_generation(
    store: StoreState, role: str, name: str, issued: Issued, key_pem: bytes | None, *, number: int | None = None
) -> Generation:
    """What has been issued as the next generation of its name; nothing is written yet.

    Args:
        store: where it will lie.
        role: "ca", "server" or "client".
        name: its folder's name; empty for the authority.
        issued: certificate and chain.
        key_pem: the private key; an authority's is encrypted unless the user wants it otherwise. None: it is not here.
        number: as `next_number` gave it; None: it is asked for now.
    """
    path = store.place(role, name) / f"{number or next_number(store, role, name):04}"
    return Generation(role, name, path, certificate_pem([issued.certificate, *issued.chain]), key_pem)


def plan_generation(store: StoreState, generation: Generation) -> Plan:
    """Add a generation and make it the one in use: a new folder with both files, then one link."""
    owner, path, why = store.host.self_owner, generation.path, generation.title
    files = {"cert.pem": File(generation.cert_pem, 0o644, owner)}
    if generation.key_pem is not None:
        files["key.pem"] = File(generation.key_pem, 0o600, owner, secret=True, stored=path / "key.pem")
    changes = [*directories(store, path.parent)]
    link = path.with_name("current")
    present = None if changes else store.host.node(link)
    changes.append(Change(path, None, Directory(0o700, owner), _STORE))
    changes += [Change(path / file, None, node, f"{file[:-4]} of {why}") for file, node in files.items()]
    changes.append(Change(link, present, Link(path.name), f"{why}: the generation in use"))
    return Plan(f"certificate of {why}", tuple(changes))


def plan_authority(store: StoreState, generation: Generation) -> Plan:
    """Put a new authority into the store, and trust it and nothing else.

    Raises:
        NotReady: if the store has an authority.
    """
    if store.current("ca"):
        raise NotReady(f"{shown(store.path)} has an authority already", "see it with `dockertls ca show`")
    bundle = store.path / "ca" / TRUST
    trusted = File(generation.anchor_pem, 0o644, store.host.self_owner)
    trust = Change(bundle, store.host.node(bundle), trusted, "every authority that is trusted")
    return Plan("new authority", (*plan_generation(store, generation).changes, trust))


def plan_next_authority(store: StoreState, generation: Generation) -> Plan:
    """Add an authority beside the one in use; nobody trusts it yet, and it signs nothing."""
    added = plan_generation(store, generation)
    return Plan("next authority", tuple(change for change in added.changes if change.path.name != "current"))


def plan_use(store: StoreState, generation: Generation) -> Plan:
    """Make another generation of a name the one in use."""
    link, why = generation.path.with_name("current"), f"{generation.title}: the generation in use"
    return Plan(f"use {generation.title}", (Change(link, store.host.node(link), Link(generation.path.name), why),))


def plan_rotation(store: StoreState, rotation: Rotation | None, trust: bytes) -> Plan:
    """Write down how far a rotation is, or that none runs any more; and who is trusted."""
    folder, owner = store.path / "ca", store.host.self_owner
    after = File(rotation.text, 0o600, owner) if rotation else None
    noted = Change(folder / ROTATION, store.host.node(folder / ROTATION), after, "how far the rotation is")
    file = File(trust, 0o644, owner)
    trusted = Change(folder / TRUST, store.host.node(folder / TRUST), file, "every authority that is trusted")
    # Where several hosts share a store, what a killed run has put there stays: nobody is trusted without a rotation.
    return Plan("rotation", (noted, trusted) if rotation else (trusted, noted))


def directories(store: StoreState, path: Path) -> Sequence[Change]:
    """What is missing on the way to `path`, itself included: private from the store's own folder on.

    Raises:
        NotReady: if a file is in the way.
    """
    missing: list[Path] = []
    while (node := store.host.node(path)) is None:
        missing.append(path)
        path = path.parent
    if isinstance(node, File):
        raise NotReady(f"{shown(path)} is a file, the store must be a folder", "name another folder with --store")
    owner, depth = store.host.self_owner, len(store.path.parts)
    return [
        Change(place, None, Directory(0o700 if len(place.parts) >= depth else 0o755, owner), _STORE)
        for place in reversed(missing)
    ]
