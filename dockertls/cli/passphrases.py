"""Change the passphrase of the authority's key, or do without one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from dockertls.cli.console import PassphraseSource
from dockertls.errors import Fault, NotReady, Usage, attempt, refuse
from dockertls.pki.keys import is_encrypted, sealed_anew
from dockertls.pki.store import KEY_ELSEWHERE
from dockertls.plan import Change, File, Plan, shown
from dockertls.timer.plans import SYSTEM

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.cli.options import ChangeOptions, NewPassphraseOptions, PassphraseOptions
    from dockertls.cli.session import Session
    from dockertls.pki.store import StoreState


@dataclass(frozen=True)
class Passphrases:
    """The one that opens the keys and the one that shall, each asked for once and only if it is needed."""

    session: Session
    given: PassphraseOptions
    wanted: NewPassphraseOptions

    def __post_init__(self) -> None:
        if self.given.no_passphrase and any(value is not None for value in vars(self.wanted).values()):
            raise Usage("--no-passphrase and a new passphrase exclude each other", "give one of them")

    @cached_property
    def old(self) -> bytes:
        """What opens the keys now. Raises as `PassphraseSource.read`."""
        return self.session.passphrase_source(self.given).read(self.session.console, new=False)

    @cached_property
    def new(self) -> bytes | None:
        """What shall open them; None: they shall not be encrypted. Raises as `PassphraseSource.read`."""
        if self.given.no_passphrase:
            return None
        ways = self.wanted.new_passphrase_file, self.wanted.new_passphrase_fd, self.wanted.new_passphrase_command
        source = PassphraseSource(*ways, options="--new-passphrase")
        return source.checked({}).read(self.session.console, new=True)


def change_passphrase(session: Session, passphrases: Passphrases, change: ChangeOptions) -> None:
    """Encrypt every key of an authority that is here anew: they are opened together.

    Raises:
        NotReady: if there is none.
        Refused: if the passphrase does not open a key that signs.
    """
    receipt = session.change(lambda: _plan(session, passphrases), change)
    held = _held(session.store)
    session.console.result(f"{'done' if receipt else 'kept'}: {', '.join(map(shown, held))}")
    if receipt:
        session.console.say("copies that were exported before open with the old passphrase still")
    if receipt and session.host.node(SYSTEM.units.service) is not None:
        session.console.warn("the timer's credential holds the old passphrase: make it again, dockertls timer install")
    keys = [{"path": shown(path), "encrypted": is_encrypted(node.content)} for path, node in held.items()]
    session.console.document("ca-passphrase", {"changed": bool(receipt), "keys": keys})


def _plan(session: Session, passphrases: Passphrases) -> Plan:
    held, signing = _held(session.store), {one.path.name for one in session.store.signing()}
    if not held:
        raise NotReady(f"no key of an authority is in {session.store_shown}", KEY_ELSEWHERE)
    old = passphrases.old if any(is_encrypted(node.content) for node in held.values()) else None
    new, changes = passphrases.new, list[Change]()
    faults: list[Fault] = []
    for path, node in held.items():
        sealed, wrong = attempt(partial(sealed_anew, node.content, old, new, name=shown(path)))
        if path.parent.name in signing:
            faults += wrong
        elif wrong:
            session.warn_once(f"left as it is: {wrong[0].message}")
        if sealed and sealed != node.content:
            changes.append(_change(path, node, sealed))
    refuse("passphrase", faults)
    return Plan("new passphrase of the authority", tuple(changes))


def _change(path: Path, node: File, sealed: bytes) -> Change:
    what = "under a new passphrase" if is_encrypted(sealed) else "not encrypted: who reads it is the authority"
    after = File(sealed, 0o600, node.owner, secret=True, stored=path)
    return Change(path, node, after, f"key of authority {path.parent.name}, {what}")


def _held(store: StoreState) -> dict[Path, File]:
    """Every key of an authority that is here, by its path."""
    paths = (store.place("ca") / number / "key.pem" for number in store.numbers("ca", ""))
    return {path: node for path in paths if isinstance(node := store.host.node(path), File)}
