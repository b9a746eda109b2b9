"""A request that waits for its answer: its key and itself, in the folder `pending` beside the generations of a name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockertls.errors import NotReady, Refused
from dockertls.pki.acceptance import Pair
from dockertls.pki.keys import load_private, private_pem, public_of
from dockertls.pki.requests import load_request, request_pem
from dockertls.pki.store import directories
from dockertls.plan import Change, File, Plan, shown

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.pki.store import StoreState

NAME, KEY, REQUEST = "pending", "key.pem", "request.pem"


@dataclass(frozen=True)
class Pending:
    """A request that waits.

    Attributes:
        path: its folder.
        pair: the request and its key.
        key_pem: the key as it lies there.
    """

    path: Path
    pair: Pair
    key_pem: bytes

    @property
    def request(self) -> bytes:
        """The request as PEM."""
        return request_pem(self.pair.request)


def pending(store: StoreState, role: str, name: str) -> Pending | None:
    """The request of a name that waits; None: there is none.

    Raises:
        NotReady: if a part of it is missing.
        Refused: if a part of it is damaged, or the two do not belong together.
    """
    path = store.place(role, name) / NAME
    if store.host.node(path) is None:
        return None
    key, request = (store.host.node(path / file) for file in (KEY, REQUEST))
    hint = f"remove the folder {shown(path)}, and make another request: dockertls {role} csr NAME"
    if not isinstance(key, File) or not isinstance(request, File):
        missing = path / (REQUEST if isinstance(key, File) else KEY)
        raise NotReady(f"{shown(missing)} is missing", hint)
    private = load_private(key.content, name=shown(path / KEY), validate=False)
    read = load_request(request.content, name=shown(path / REQUEST))
    if read.public_key() != public_of(private):
        raise Refused(f"{shown(path / KEY)} is not the key of {REQUEST} beside it", hint)
    return Pending(path, Pair(read, private), key.content)


def new_pending(store: StoreState, role: str, name: str, pair: Pair, old: Pending | None) -> Pending:
    """A request that shall wait; nothing is written yet. An old one is replaced, and its key kept as it lies there."""
    return Pending(store.place(role, name) / NAME, pair, old.key_pem if old else private_pem(pair.key))


def plan_pending(store: StoreState, role: str, name: str, new: Pending) -> Plan:
    """Let a request wait; what is in use of its name stays in use."""
    owner, path, why = store.host.self_owner, new.path, f"{role} {name}"
    before = store.host.node(path / REQUEST)
    asked = Change(path / REQUEST, before, File(new.request, 0o644, owner), f"request for {why}")
    key = File(new.key_pem, 0o600, owner, secret=True, stored=path / KEY)
    made = (
        *directories(store, path),
        Change(path / KEY, None, key, f"key of {why}"),
    )
    return Plan(f"request a certificate for {why}", (*(() if before else made), asked))


def answered(store: StoreState, waiting: Pending, kept: Path) -> tuple[Change, ...]:
    """The changes that remove a request that was answered.

    Args:
        store: where it waits.
        waiting: the request.
        kept: the folder where its key lies from now on.
    """
    key, request, folder = (store.host.node(waiting.path / file) for file in (KEY, REQUEST, ""))
    secret = replace(key, secret=True, stored=kept / KEY) if isinstance(key, File) else key
    why = "the request is answered"
    return (
        Change(waiting.path / KEY, secret, None, why),
        Change(waiting.path / REQUEST, request, None, why),
        Change(waiting.path, folder, None, why),
    )
