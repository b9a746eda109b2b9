"""Who is still to be told of a renewal: written down with it, struck out when the deploy hooks have succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockertls.documents.own_file import read_back, regular, texts, written
from dockertls.plan import Change, File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dockertls.pki.store import StoreState

SCHEMA = "dockertls/hooks/1"
NAME = "hooks.json"
"""The file in the store's folder."""
_HINT = "remove it, and run your deploy hook by hand"


def pending(store: StoreState) -> tuple[tuple[str, str], ...]:
    """Roles and names of the renewed certificates of which the deploy hooks do not know yet.

    Raises:
        NotReady: if the file is damaged, or is none.
    """
    path = store.path / NAME
    file = regular(store.host.node(path), path, "run your deploy hook by hand")
    return read_back(file.content, SCHEMA, lambda data: tuple(_pairs(data)), path, _HINT) if file else ()


def _pairs(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Raises KeyError, ValueError or TypeError if they are none."""
    for one in data["renewed"]:
        role, name = texts(one)
        yield role, name


def note(store: StoreState, renewed: Iterable[tuple[str, str]]) -> Change:
    """The change that writes them down; none are left: that removes the file."""
    path, names = store.path / NAME, [list(one) for one in renewed]
    after = File(written(SCHEMA, {"renewed": names}), 0o600, store.host.self_owner) if names else None
    return Change(path, store.host.node(path), after, "renewals that the deploy hooks are to be told")
