"""Carry the whole authority away in one file, bring it back, and let its key be elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.cli.console import working_directory
from dockertls.cli.files import read_input
from dockertls.cli.outputs import STDOUT, file_change
from dockertls.errors import Fault, NotReady, Usage, attempt, refuse
from dockertls.escaping import visible
from dockertls.pki.backup import Backup, backup_of, is_backup, pack, plan_restore, unpack
from dockertls.pki.keys import is_encrypted, load_private, matches, public_of, sealed_anew
from dockertls.plan import Change, File, Plan, shown
from dockertls.report.certificates import generation_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dockertls.cli.options import ChangeOptions, PassphraseOptions
    from dockertls.cli.session import Session
    from dockertls.pki.keys import PrivateKey

NOT_THE_KEY = "export the authority again: dockertls ca export --output FILE"


@dataclass(frozen=True)
class Passphrase:
    """What opens the keys, or shall open those that are exported; asked for once and only if it is needed."""

    session: Session
    given: PassphraseOptions
    new: bool = False

    @cached_property
    def value(self) -> bytes:
        """The passphrase. Raises as `PassphraseSource.read`."""
        return self.session.passphrase_source(self.given).read(self.session.console, new=self.new)


# export


@dataclass(frozen=True)
class Export:
    """Where an authority is exported to; `force`: over a file that is there."""

    output: str
    force: bool


def export_authority(session: Session, wanted: Export, given: PassphraseOptions, change: ChangeOptions) -> None:
    """Write all of the authority into one file, and read it back.

    Raises:
        NotReady: if there is none, or another file is in the way.
        Refused: if the store's authority is damaged.
        Usage: if both the file and a document go to standard output.
    """
    if wanted.output == STDOUT and session.console.json:
        raise Usage("--json and --output - both take standard output", "write to a file, or leave --json out")
    passphrase = Passphrase(session, given, new=True)
    if wanted.output == STDOUT:
        session.console.raw(pack(_sealed(backup_of(session.store), passphrase)))
        return
    path = session.host.beside(Path(working_directory() / wanted.output))
    made: list[Backup] = []

    def make() -> Plan:
        plan, backup = _export(session, path, passphrase, force=wanted.force)
        made[:] = [backup]
        return plan

    def proof() -> None:
        _read_back(session, path, made[0])

    run = session.run()  # the file is the user's own, to carry away: no undo looks for it
    receipt = session.change(make, change, proof=proof, run=replace(run, append_only=(*run.append_only, path)))
    session.console.result(f"{'exported and read back' if receipt else 'kept'}: {shown(path)} (mode 0600)")
    if not made[0].keys:
        session.console.warn("no key is in it: this store has none")
    session.console.say("keep it, and the passphrase, where this machine's thieves and disks do not reach")
    told = {"changed": bool(receipt), "path": shown(path), "keys": sorted(made[0].keys)}
    session.console.document("ca-export", told)


def _export(session: Session, path: Path, passphrase: Passphrase, *, force: bool) -> tuple[Plan, Backup]:
    """What writes the file, and what is in it; nothing if the file has it already."""
    host, backup = session.host, backup_of(session.store)
    before = host.node(path)
    if isinstance(before, File) and _holds(before.content, backup, passphrase):
        return Plan(""), unpack(before.content)
    sealed = _sealed(backup, passphrase)
    after = File(pack(sealed), 0o600, host.self_owner, secret=True)
    change = file_change(host, path, after, "all of the authority", force=force)
    return Plan("export the authority", (change,)), sealed


def _sealed(backup: Backup, passphrase: Passphrase) -> Backup:
    """With every key encrypted, unless that is not wanted: an encrypted one stays as it is."""
    plain = {f"{number}/key.pem": pem for number, pem in backup.keys.items() if not is_encrypted(pem)}
    if not plain or passphrase.given.no_passphrase:
        return backup
    sealed = {path: sealed_anew(pem, None, passphrase.value, name=path) for path, pem in plain.items()}
    return replace(backup, files={**backup.files, **sealed})


def _holds(content: bytes, backup: Backup, passphrase: Passphrase) -> bool:
    """Whether a file is an export of just this authority, each key as it is here or under the passphrase."""
    held = attempt(partial(unpack, content))[0]
    if held is None or (held.current, held.files.keys()) != (backup.current, backup.files.keys()):
        return False
    differ = {path for path in held.files if held.files[path] != backup.files[path]}
    keys = {f"{number}/key.pem" for number, pem in backup.keys.items() if not is_encrypted(pem)}
    if not differ:
        return not keys or passphrase.given.no_passphrase
    return (
        differ <= keys
        and not passphrase.given.no_passphrase
        and all(attempt(partial(_same_key, held.files[path], backup.files[path], passphrase))[0] for path in differ)
    )


def _same_key(sealed: bytes, plain: bytes, passphrase: Passphrase) -> bool:
    """Whether an encrypted key is a plain one. Raises Refused if the passphrase does not open it."""
    one = load_private(sealed, passphrase.value if is_encrypted(sealed) else None, validate=False)
    return public_of(one) == public_of(load_private(plain, validate=False))


def _read_back(session: Session, path: Path, wanted: Backup) -> None:
    node = session.host.node(path)
    if not isinstance(node, File) or unpack(node.content, name=shown(path)) != wanted:
        raise NotReady(f"{shown(path)} does not hold what was written to it", "write it to another disk")


# restore


def is_export(file: str) -> bool:
    """Whether a file that the user named is an exported authority; standard input is none. Raises as `read_input`."""
    return file != STDOUT and is_backup(read_input(file, "the authority's certificate"))


def restore_authority(session: Session, file: str, change: ChangeOptions) -> None:
    """Bring an exported authority back.

    Raises:
        NotReady: if the store has another one.
        Refused: with everything that is wrong with the file.
    """
    backup = _read(file)
    receipt = session.change(lambda: plan_restore(session.store, backup), change)
    current = session.store.generation("ca", "", backup.current)
    session.console.result(f"{'restored' if receipt else 'kept'}: {shown(current.path)}")
    if current.key_pem is None:
        session.console.warn(f"its key is not in {visible(file)}: this store signs nothing")
    session.console.document("ca", generation_json(current, session.started, new=bool(receipt)))


# detach


def detach_authority(session: Session, export: str, given: PassphraseOptions, change: ChangeOptions) -> None:
    """Take the authority's keys off this host, once they were found in an export.

    Raises:
        NotReady: if there is no authority, or a rotation is under way.
        Refused: with every key that is not in the export.
        Usage: if the export is no file that can be read again.
    """
    if export == STDOUT:
        raise Usage("--export wants a file, which is read twice", "name the file that `dockertls ca export` wrote")
    passphrase, kept = Passphrase(session, given), list[Backup]()

    def make() -> Plan:
        held = _held(session)
        kept[:] = [_read(export)] if held else []
        return _detachment(session, held, export, kept, passphrase)

    def proof() -> None:
        if [_read(export)] != kept:
            raise NotReady(f"{visible(export)} is not what it was", "keep it where nobody writes over it")

    receipt = session.change(make, change, proof=proof)
    session.console.result(f"no key of an authority is in {session.store_shown}")
    if receipt:
        session.console.say(f"carry {visible(export)} away: it is the key, and `dockertls ca import` brings it back")
    session.console.say("until then, what is to be signed is asked for: dockertls server|client csr NAME")
    session.console.document("ca-detach", {"changed": bool(receipt)})


def _held(session: Session) -> dict[Path, File]:
    """Every key of an authority that is here, by its path.

    Raises:
        NotReady: if there is no authority, or its keys are needed.
    """
    store = session.store
    if store.current("ca") is None:
        raise NotReady(f"there is no authority in {session.store_shown}", "make one with `dockertls ca init`")
    if store.rotation():
        raise NotReady("a rotation is under way, and needs both keys", "end it first: dockertls ca rotate")
    paths = (store.place("ca") / number / "key.pem" for number in store.numbers("ca", ""))
    return {path: node for path in paths if isinstance(node := store.host.node(path), File)}


def _read(export: str) -> Backup:
    return unpack(read_input(export, "the export"), name=visible(export))


def _detachment(
    session: Session, held: Mapping[Path, File], export: str, kept: Sequence[Backup], passphrase: Passphrase
) -> Plan:
    faults = (fault for path, node in held.items() for fault in _unkept(session, path, node, kept[0], passphrase))
    refuse(visible(export), [*dict.fromkeys(faults)])
    why = f"key of authority, gone from here for good: it is in {visible(export)}"
    changes = (Change(path, replace(node, secret=True), None, why) for path, node in held.items())
    return Plan("detach the authority", tuple(changes))


def _unkept(session: Session, path: Path, node: File, kept: Backup, passphrase: Passphrase) -> Iterator[Fault]:
    """Why a key that is here cannot be said to be in an export: it is the same file there, or opens as the same key."""
    number = path.parent.name
    exported = kept.keys.get(number)
    if exported is None:
        yield Fault(f"the key of authority {number} is not in it", NOT_THE_KEY)
    elif exported != node.content:
        key, faults = attempt(partial(_opened, exported, passphrase, number))
        yield from faults
        here = session.store.whole("ca", "", number)
        if key and not (here and matches(here.certificate, key)):
            yield Fault(f"it holds another key for authority {number}", NOT_THE_KEY)


def _opened(pem: bytes, passphrase: Passphrase, number: str) -> PrivateKey:
    known = passphrase.value if is_encrypted(pem) else None
    return load_private(pem, known, name=f"the key of authority {number} in the export", validate=False)
