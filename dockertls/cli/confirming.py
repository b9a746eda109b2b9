"""Write down that somebody on another machine has the files that he is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.cli.installing import stored
from dockertls.errors import NotReady
from dockertls.pki.elsewhere import Elsewhere, elsewhere, note
from dockertls.pki.keys import fingerprint
from dockertls.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session
    from dockertls.pki.store import Generation


def confirm(session: Session, role: str, name: str, change: ChangeOptions) -> None:
    """Take somebody's word that a copy elsewhere is the one in use now, and trusts whom it shall trust now.

    Raises:
        NotReady: if there is no such certificate, or a client's was never handed out.
    """

    def make() -> Plan:
        store, current = session.store, stored(session, role, name)
        known = elsewhere(store, role, current.name)
        told = (known or Elsewhere()).confirming(current, _trusted(session, current, known))
        return Plan(f"{role} {current.name} has its files", (note(store, role, current.name, told),))

    receipt = session.change(make, change)
    session.console.result(f"{'noted' if receipt else 'known already'}: {role} {name} has the files in use now")
    session.console.document(f"{role}-confirm", {"changed": bool(receipt), "name": name})


def _trusted(session: Session, current: Generation, known: Elsewhere | None) -> Sequence[str]:
    """Whom its holder trusts: what went out with a client's bundle; else he was given what is trusted now.

    Raises:
        NotReady: if what is in use now was never handed out.
    """
    if current.role == "server" or current.key_pem is None:
        return [fingerprint(one) for one in session.store.trusted(current.role)]
    if known is None or known.handed != current.path.name:
        told = "no copy" if known is None else "the certificate that is in use now"
        raise NotReady(
            f"{told} of client {current.name} was handed out",
            f"`dockertls client export {current.name} --output FILE` hands it out",
        )
    return known.carried or [fingerprint(one) for one in session.store.trusted("client")]
