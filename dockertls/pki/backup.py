"""A whole authority in one file, for a safe or for another machine: the store's folder `ca` and what it should hold.

The file is a tar of plain files. Their SHA-256 sums stand in a manifest, which comes first: what was damaged on the way
is found. Who can change the file on purpose can change its sums too.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dockertls.documents.own_file import written
from dockertls.errors import DockerTLSError, Fault, NotReady, Refused, attempt, refuse
from dockertls.escaping import visible
from dockertls.pki.keys import is_encrypted, load_certificates, load_private, matches
from dockertls.pki.store import TRUST, directories
from dockertls.plan import Change, Directory, File, Link, Plan, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.pki.store import StoreState
    from dockertls.plan import Node

FOLDER = "dockertls-authority/"
MANIFEST = f"{FOLDER}manifest.json"
SCHEMA = "dockertls/authority-export/1"
KEY, CERTIFICATE = "key.pem", "cert.pem"
PUBLIC = frozenset({CERTIFICATE, TRUST, "crl.pem"})
"""What everybody may read; the rest of the folder is its owner's alone."""

_NUMBER = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(rf"(?:{_NUMBER.pattern}/)?(?!(?:[0-9]+|current)$)[A-Za-z0-9_][A-Za-z0-9_.+@-]{{0,63}}")
"""What lies in the folder, or in the folder of a generation: it leads nowhere else."""
_AGAIN = "take another copy of it, or export the authority again"


@dataclass(frozen=True)
class Backup:
    """What the folder `ca` of a store holds.

    Attributes:
        current: the generation in use, such as "0001".
        files: content by the path in the folder, such as "0001/cert.pem".
    """

    current: str
    files: Mapping[str, bytes]

    @property
    def keys(self) -> Mapping[str, bytes]:
        """Private keys, by the generation."""
        found = (path.partition("/") for path in self.files)
        return {number: self.files[f"{number}/{KEY}"] for number, _, name in found if name == KEY}


# writing


def backup_of(store: StoreState) -> Backup:
    """All of a store's authority; what a killed run left is left out.

    Raises:
        NotReady: if there is no authority, or something lies beside it that is none of its files.
        Refused: with everything that would be missing when it is restored.
    """
    current = store.current("ca")
    if current is None:
        raise NotReady(f"there is no authority in {shown(store.path)}", "make one with `dockertls ca init`")
    backup = Backup(current.path.name, dict(_files(store)))
    strange = [path for path in backup.files if not _NAME.fullmatch(path)]
    if strange:
        told = ", ".join(map(visible, strange))
        raise NotReady(f"{shown(store.place('ca'))} holds what is no part of an authority: {told}", "move it away")
    refuse(shown(store.place("ca")), [*_faults(backup)])
    return backup


def _files(store: StoreState) -> Iterator[tuple[str, bytes]]:
    folder = store.place("ca")
    for entry in _visible(store, folder):
        inside = _visible(store, folder / entry) if entry.isdigit() else ()
        for path in (entry, *(f"{entry}/{name}" for name in inside)):
            node = store.host.node(folder / path)
            if isinstance(node, File):
                yield path, node.content


def _visible(store: StoreState, folder: Path) -> Iterator[str]:
    return (name for name in store.host.names(folder) if not name.startswith("."))


def pack(backup: Backup) -> bytes:
    """The file; the same bytes for the same authority. Its mode must be 0600."""
    sums = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(backup.files.items())}
    manifest = written(SCHEMA, {"current": backup.current, "sha256": sums})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in ((MANIFEST, manifest), *((FOLDER + path, backup.files[path]) for path in sums)):
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = 0o600, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


# reading


def is_backup(content: bytes) -> bool:
    """Whether a file is one of these, by how it begins."""
    return content.startswith(MANIFEST.encode() + b"\0")


def unpack(content: bytes, *, name: str = "the export") -> Backup:
    """Read it back.

    Args:
        content: the file.
        name: what messages call it.

    Raises:
        Refused: with everything that is wrong with it.
    """
    if not is_backup(content):
        hint = "give a file that `dockertls ca export` wrote"
        raise Refused(f"{name} is no authority that was exported", hint)
    members, broken = attempt(partial(_members, content, name))
    if members is None:
        raise Refused(broken[0].message, broken[0].hint, faults=broken)
    faults = [*_member_faults(members)]
    files = {path.removeprefix(FOLDER): held for path, held in members if held is not None}
    manifest, unread = attempt(partial(_manifest, files.pop(MANIFEST.removeprefix(FOLDER), b""), name))
    if manifest is None:
        raise Refused(unread[0].message, unread[0].hint, faults=(*faults, *unread))
    current, sums = manifest
    faults += _sum_faults(files, sums)
    backup = Backup(current, files)
    refuse(name, faults or [*_faults(backup)])
    return backup


_Members = tuple[tuple[str, bytes | None], ...]
"""Names and contents; None: it is no plain file."""


def _members(content: bytes, name: str) -> _Members:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            return tuple((one.name, _content(tar, one, len(content))) for one in tar)
    except (tarfile.TarError, ValueError, OverflowError, EOFError, OSError) as error:
        raise Refused(f"{name} is cut off or damaged: {visible(str(error))}", _AGAIN) from error


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo, most: int) -> bytes | None:
    """The content of a plain file; a sparse one could be larger than the whole archive."""
    plain = entry.type == tarfile.REGTYPE and not entry.issparse() and entry.size <= most
    file = tar.extractfile(entry) if plain else None
    return file.read() if file else None


def _member_faults(members: _Members) -> Iterator[Fault]:
    for path, times in Counter(path for path, _ in members).items():
        if times > 1:
            yield Fault(f"{visible(path)} is in it {times} times", _AGAIN)
    for path, held in members:
        inside = path.startswith(FOLDER) and _NAME.fullmatch(path.removeprefix(FOLDER))
        if not inside:
            yield Fault(f"{visible(path)} would lead out of the authority's folder", "do not use this file")
        elif held is None:
            yield Fault(f"{visible(path)} is no plain file", "do not use this file")


def _manifest(content: bytes, name: str) -> tuple[str, Mapping[str, str]]:
    """The generation in use, and the sum of every file."""
    try:
        data = json.loads(content)
        schema, current, sums = data["schema"], data["current"], data["sha256"]
        known = isinstance(sums, dict) and bool(_NUMBER.fullmatch(current))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(f"the manifest of {name} cannot be read", _AGAIN) from error
    if schema != SCHEMA or not known:
        raise Refused(f"{name} was written by another version of dockertls", "restore it with that one")
    return current, sums


def _sum_faults(files: Mapping[str, bytes], sums: Mapping[str, str]) -> Iterator[Fault]:
    for path in sorted({*files, *sums}):
        if path not in files:
            yield Fault(f"{visible(path)} is missing", _AGAIN)
        elif path not in sums:
            yield Fault(f"{visible(path)} is not in the manifest", "do not use this file")
        elif hashlib.sha256(files[path]).hexdigest() != sums[path]:
            yield Fault(f"{visible(path)} is not what was exported", _AGAIN)


def _faults(backup: Backup) -> Iterator[Fault]:
    """What would be missing, or be of no use, when it is restored."""
    for path in (f"{backup.current}/{CERTIFICATE}", TRUST):
        if path not in backup.files:
            yield Fault(f"{path} is missing", "restore it from a backup of the store")
            continue
        yield from attempt(partial(load_certificates, backup.files[path], name=path))[1]
    for number, key in backup.keys.items():
        if not is_encrypted(key):
            yield from _pair_faults(f"{number}/{KEY}", key, backup.files.get(f"{number}/{CERTIFICATE}"))


def _pair_faults(path: str, key: bytes, certificate: bytes | None) -> Iterable[Fault]:
    """What can be said without a passphrase."""
    read, faults = attempt(partial(load_private, key, name=path, validate=False))
    if read is None or certificate is None:
        return faults
    try:
        good = matches(load_certificates(certificate)[0], read)
    except DockerTLSError:
        good = True  # of a certificate that cannot be read nothing depends but itself
    return () if good else (Fault(f"{path} is not the key of the certificate beside it", "restore it from a backup"),)


# restoring


def plan_restore(store: StoreState, backup: Backup) -> Plan:
    """Put an authority into a store that has none, or has the same one and lacks some of it, such as its key.

    Raises:
        NotReady: if the store has another authority, or another state of this one.
    """
    folder, owner = store.place("ca"), store.host.self_owner
    other = [*_other(store, backup)]
    if other:
        told = ", ".join(visible(one) for one in other)
        raise NotReady(
            f"{shown(store.path)} has an authority that is not just the one of the export: {told}",
            "restore it into a store of its own: dockertls --store DIR",
        )
    generations = sorted({path.partition("/")[0] for path in backup.files if "/" in path})
    nodes: dict[str, Node] = {number: Directory(0o700, owner) for number in generations}
    nodes |= {path: _node(store, path, content) for path, content in sorted(backup.files.items())}
    nodes["current"] = Link(backup.current)
    missing = {path: node for path, node in nodes.items() if store.host.node(folder / path) is None}
    restored = (Change(folder / path, None, node, "authority, as it was exported") for path, node in missing.items())
    return Plan("restore the authority", (*directories(store, folder), *restored))


def _other(store: StoreState, backup: Backup) -> Iterator[str]:
    """What lies in the store's folder and is not as it was exported."""
    folder = store.place("ca")
    present = dict(_files(store))
    yield from (path for path, content in present.items() if backup.files.get(path) != content)
    if store.host.node(folder / "current") not in (None, Link(backup.current)):
        yield "current"


def _node(store: StoreState, path: str, content: bytes) -> File:
    name, owner = path.rpartition("/")[2], store.host.self_owner
    if name == KEY:
        return File(content, 0o600, owner, secret=True, stored=store.place("ca") / path)
    return File(content, 0o644 if name in PUBLIC else 0o600, owner)
