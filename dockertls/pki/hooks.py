"""Who is still to be told of a renewal: written down with it, struck out when the deploy hooks have succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.documents.own_file import read_back, written
from dockertls.plan import Change, File

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockertls.pki.store import StoreState

SCHEMA = "dockertls/hooks/1"
NAME = "hooks.json"
"""The file in the store's folder."""


def pending(store: StoreState) -> tuple[tuple[str, str], ...]:
    """Roles and names of the renewed certificates of which the deploy hooks do not know yet.

    Raises:
        NotReady: if the file is damaged.
    """
    path = store.path / NAME
    node = store.host.node(path)
    if not isinstance(node, File):
        return ()
    hint = "remove it, and run your deploy hook by hand"
    return read_back(
        node.content, SCHEMA, lambda data: tuple((role, name) for role, name in data["renewed"]), path, hint
    )


def note(store: StoreState, renewed: Iterable[tuple[str, str]]) -> Change:
    """The change that writes them down; none are left: that removes the file."""
    path, names = store.path / NAME, [list(one) for one in renewed]
    after = File(written(SCHEMA, {"renewed": names}), 0o600, store.host.self_owner) if names else None
    return Change(path, store.host.node(path), after, "renewals that the deploy hooks are to be told")
