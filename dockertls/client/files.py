"""~/.docker/{ca,cert,key}.pem: the plan that puts a client's files there, and whose files it must not lose."""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import replace as changed
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.errors import Fault, NotReady, Refused
from dockertls.escaping import visible
from dockertls.facts import users
from dockertls.pki.keys import certificates_in, fingerprint, load_certificates, load_private, matches
from dockertls.pki.profiles import issued_by
from dockertls.plan import Change, Directory, File, Link, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import PurePosixPath as Path

    from cryptography import x509

    from dockertls.facts import HostFacts
    from dockertls.plan import Node, Owner

CA, CERT, KEY = "ca.pem", "cert.pem", "key.pem"
NAMES = (CA, CERT, KEY)
"""What every Docker client looks for below DOCKER_CERT_PATH (docker/cli, cli/flags/options.go)."""
WHY: Mapping[str, str] = MappingProxyType(
    {CA: "the authorities that the client trusts", CERT: "client certificate", KEY: "client key"}
)
KEEP_OR_REPLACE = (
    "give --replace (undo brings them back), another folder with --docker-dir, or make it a docker context of its own: "
    "--context NAME --endpoint tcp://HOST:2376"
)


@dataclass(frozen=True)
class ClientFiles:
    """A client's certificate and all that it needs to be used, in PEM.

    Attributes:
        ca: every authority that the client shall trust.
        cert: the client's certificate, and intermediate ones if there are any.
        key: its private key.
        stored: the client's folder of the store, which holds the same key as key.pem.
    """

    ca: bytes
    cert: bytes
    key: bytes = field(repr=False)
    stored: Path

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The bytes of each file, by its name."""
        return MappingProxyType({CA: self.ca, CERT: self.cert, KEY: self.key})

    def node(self, name: str, mode: int, owner: Owner) -> File:
        """One of the files as it shall lie on a host."""
        if name == KEY:
            return File(self.key, mode, owner, secret=True, stored=self.stored / KEY)
        return File(self.contents[name], mode, owner)


def wanted(folder: Path) -> tuple[Path, ...]:
    """What to hand to `gather` as trees; not the whole folder, which may hold plugins of any size."""
    return tuple(folder / name for name in NAMES)


def install(
    facts: HostFacts, files: ClientFiles, folder: Path, owner: Owner, *, replace: bool, known: Collection[str]
) -> Plan:
    """Put a client's files where every Docker client looks for them.

    Args:
        facts: with the row `users` and the trees `wanted(folder)`.
        files: what to put there.
        folder: such as /home/ann/.docker. It is made with mode 0700; one that is there keeps its mode.
        owner: of the files, and of directories that are made.
        replace: whether files of another authority may be replaced.
        known: fingerprints, as `pki.keys` writes them, of every authority of the store, past ones too; those in
            `files.ca` need not be named.

    Returns:
        The plan, empty where all is as it shall be.

    Raises:
        NotReady: the home is missing, a link is in the way, or files of another authority are and `replace` is not
            given; says who would lose access.
    """
    missing = missing_on_the_way(facts, folder, base_of(facts, folder))
    found = found_files(facts, folder)
    if not replace:
        keep(folder, foreign(found, files, known), KEEP_OR_REPLACE)
    made = tuple(Change(path, None, Directory(0o700, owner), "folder of client files") for path in missing)
    return Plan(f"client files in {folder}", made + placed(files, folder, owner, found, public=0o644))


def placed(
    files: ClientFiles, folder: Path, owner: Owner, found: Mapping[str, File], *, public: int
) -> tuple[Change, ...]:
    """The changes of the three files, next to each other.

    Args:
        files: what to put there.
        folder: where.
        owner: of each file.
        found: what is there now, by name.
        public: mode of ca.pem and cert.pem; the key's is always 0600.
    """
    return tuple(
        Change(
            folder / name,
            _before(files, name, found.get(name)),
            files.node(name, 0o600 if name == KEY else public, owner),
            WHY[name],
        )
        for name in NAMES
    )


def refreshed(files: ClientFiles, folder: Path, found: Mapping[str, File]) -> tuple[Change, ...]:
    """The changes of the three files where a client has them already: each keeps its owner and its mode.

    A key is never more open than 0600, whatever the last one was.

    Args:
        files: what to put there.
        folder: where.
        found: what is there now, by name.
    """
    default = File(b"", 0o600, found[KEY].owner)
    present = {name: found.get(name, default) for name in NAMES}
    modes = {name: one.mode & 0o600 if name == KEY else one.mode for name, one in present.items()}
    return tuple(
        Change(
            folder / name,
            _before(files, name, found.get(name)),
            files.node(name, modes[name], present[name].owner),
            WHY[name],
        )
        for name in NAMES
    )


def _before(files: ClientFiles, name: str, node: File | None) -> File | None:
    """What is replaced; never shown where it is, or may be, a secret."""
    if node is None:
        return None
    if node.content == files.contents[name]:
        after = files.node(name, node.mode, node.owner)
        return changed(node, secret=after.secret, stored=after.stored)
    return changed(node, secret=name == KEY or not certificates_in(node.content))


# the way there


def base_of(facts: HostFacts, folder: Path) -> Path:
    """What must be there already: the innermost home that holds `folder`, else its parent.

    The root directory counts as nobody's home. In a file tree it is enough that the tree is there: it may be made from
    nothing.
    """
    if not facts.runs:
        return type(folder)("/")
    homes = [user.home for user in users(facts) if len(user.home.parts) > 1 and folder.is_relative_to(user.home)]
    return max(homes, key=lambda home: len(home.parts), default=folder.parent)


def missing_on_the_way(facts: HostFacts, folder: Path, base: Path) -> tuple[Path, ...]:
    """Directories to make for `folder`, itself included, outermost first.

    Raises:
        NotReady: `base` is missing, something else stands where a directory is needed, or a link does: below `base`
            none is followed.
    """
    if not facts.is_directory(base):
        raise NotReady(
            f"{visible(str(base))} is not there, and is not for dockertls to make",
            "make it first, or name another folder with --docker-dir",
        )
    way = tuple(path for path in (*reversed(folder.parents), folder) if path.is_relative_to(base) and path != base)
    end = way_ends(facts, way)
    if end is None:
        return ()
    if isinstance(facts.node(end), Link):
        not_ready(str(folder), [_link_fault(end)])
    if isinstance(facts.node(end), File):
        raise NotReady(f"{visible(str(end))} is not a directory", "move it away, or name another folder")
    return way[way.index(end) :]


def way_ends(facts: HostFacts, way: Sequence[Path]) -> Path | None:
    """The first of nested paths that is no directory; None: all of them are."""
    return next((path for path in way if not isinstance(facts.node(path), Directory)), None)


def _link_fault(path: Path) -> Fault:
    return Fault(
        f"{visible(str(path))} is a link, and nothing is followed or replaced through one here",
        "remove the link, or name the folder that it leads to with --docker-dir",
    )


def found_files(facts: HostFacts, folder: Path) -> Mapping[str, File]:
    """Which of the three files are there, as regular files. Raises NotReady where one is anything else."""
    nodes = {name: facts.node(folder / name) for name in NAMES}
    not_ready(str(folder), [fault for name, node in nodes.items() for fault in in_the_way(folder / name, node)])
    return MappingProxyType({name: node for name, node in nodes.items() if isinstance(node, File)})


def in_the_way(path: Path, node: Node | None) -> tuple[Fault, ...]:
    """Why a file cannot be put at `path`: a link or a directory is there."""
    if isinstance(node, Link):
        return (_link_fault(path),)
    if isinstance(node, Directory):
        return (Fault(f"{visible(str(path))} is a directory", "move it away, or name another folder"),)
    return ()


def not_ready(where: str, faults: Sequence[Fault]) -> None:
    """Raise one NotReady that tells every fault, or return if there is none."""
    if faults:
        told = "; ".join(fault.message for fault in faults)
        raise NotReady(f"{visible(where)}: {told}", faults[0].hint, faults=faults)


# whose files they are


def keep(folder: Path, messages: Sequence[str], hint: str) -> None:
    """Raise NotReady if files that are there must be kept."""
    faults = [Fault(message, hint) for message in messages]
    not_ready(f"{folder} holds files that are not of this store's authority", faults)


def foreign(found: Mapping[str, File], files: ClientFiles, known: Collection[str]) -> tuple[str, ...]:
    """What is lost if `files` replace what is there: a message for each file that is not ours.

    Args:
        found: what is there, by name.
        files: what would replace it.
        known: fingerprints of authorities that are ours besides those in `files.ca`.
    """
    trusted = load_certificates(files.ca, name=CA)
    there = {name: certificates_in(node.content) for name, node in found.items() if name != KEY}
    ours = {fingerprint(authority) for authority in trusted} | set(known)
    pool = (*trusted, *there.get(CA, ()), *there.get(CERT, ())[1:])
    authorities = tuple(authority for authority in pool if fingerprint(authority) in ours)
    judges: tuple[tuple[str, Callable[[], str]], ...] = (
        (CA, lambda: _foreign_authority(there[CA], ours)),
        (CERT, lambda: _foreign_certificate(there[CERT], authorities)),
        (KEY, lambda: _foreign_key(found[KEY].content, there.get(CERT, ()))),
    )
    differing = {name for name, node in found.items() if node.content != files.contents[name]}
    return tuple(f"{name} {lost}" for name, judge in judges if name in differing and (lost := judge()))


def _foreign_authority(certificates: Sequence[x509.Certificate], ours: Collection[str]) -> str:
    if not certificates:
        return "holds no certificates that can be read"
    others = [authority for authority in certificates if fingerprint(authority) not in ours]
    if not others:
        return ""
    names = ", ".join(_subject(authority) for authority in others)
    return f"trusts {names}, whose servers could no longer be reached"


def _foreign_certificate(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> str:
    if not chain:
        return "holds no certificate that can be read"
    if _leads_to(chain, authorities):
        return ""
    return f"is {_subject(chain[0])}, issued by {_issuer(chain[0])}, who would lose access"


def _foreign_key(content: bytes, chain: Sequence[x509.Certificate]) -> str:
    """The key of the certificate that lies beside it shares that one's fate, whatever that is."""
    try:
        key = load_private(content, name=KEY)
    except Refused:
        return "holds no key that can be read"
    pair = chain and matches(chain[0], key)
    return "" if pair else "is the key of no certificate that lies beside it, and may be the only copy"


def _leads_to(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> bool:
    """Whether the first certificate is issued by one of the authorities, directly or through the rest of the chain."""
    leaf, rest = chain[0], list(chain[1:])
    while not any(issued_by(leaf, authority) for authority in authorities):
        issuer = next((certificate for certificate in rest if issued_by(leaf, certificate)), None)
        if issuer is None:
            return False
        rest.remove(issuer)
        leaf = issuer
    return True


def _subject(certificate: x509.Certificate) -> str:
    return _quoted(certificate.subject)


def _issuer(certificate: x509.Certificate) -> str:
    return _quoted(certificate.issuer)


def _quoted(name: x509.Name) -> str:
    text = name.rfc4514_string()
    return f'"{visible(text)}"' if text else "somebody without a name"
