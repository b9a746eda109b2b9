"""Write down that somebody on another machine has the files that he is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.cli.installing import stored
from dockertls.errors import NotReady
from dockertls.pki.elsewhere import Elsewhere, elsewhere, note
from dockertls.pki.keys import fingerprint
from dockertls.plan import Plan

if TYPE_CHECKING:
    from dockertls.cli.options import ChangeOptions
    from dockertls.cli.session import Session


def confirm(session: Session, role: str, name: str, change: ChangeOptions) -> None:
    """Take somebody's word that a copy elsewhere is the one in use now, and trusts whom it shall trust now.

    Raises:
        NotReady: if there is no such certificate, or a client's was never handed out.
    """

    def make() -> Plan:
        store, current = session.store, stored(session, role, name)
        known = elsewhere(store, role, current.name)
        if known is None and role == "client" and current.key_pem is not None:
            raise NotReady(
                f"no copy of client {current.name} was handed out",
                "nobody waits for it; `dockertls client export` hands one out",
            )
        trusted = [fingerprint(one) for one in store.trusted(role)]
        told = (known or Elsewhere()).confirming(current, trusted)
        return Plan(f"{role} {current.name} has its files", (note(store, role, current.name, told),))

    receipt = session.change(make, change)
    session.console.result(f"{'noted' if receipt else 'known already'}: {role} {name} has the files in use now")
    session.console.document(f"{role}-confirm", {"changed": bool(receipt), "name": name})
