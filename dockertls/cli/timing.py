"""Set renewals up, take them away, and tell how they went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from dockertls.cli.options import KeyOptions
from dockertls.cli.scheduling import Timer, credential_opens, places_of, timer_plan
from dockertls.cli.signing import Signer
from dockertls.errors import NotReady
from dockertls.escaping import visible
from dockertls.plan import File, shown
from dockertls.report.daemon import moment
from dockertls.report.tables import Row, Table
from dockertls.timer import plans
from dockertls.timer.job import CREDENTIAL_FILE, HANDED_OVER, passphrase_word
from dockertls.timer.state import NEVER, renewals
from dockertls.timer.units import SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockertls.apply import Receipt
    from dockertls.cli.options import ChangeOptions, PassphraseOptions
    from dockertls.cli.session import Session
    from dockertls.pki.store import Generation
    from dockertls.plan import Plan
    from dockertls.timer.state import Renewals

DOES_NOT_OPEN = "does not open the authority's key: run `dockertls timer install` again"


def install_timer(session: Session, hooks: Sequence[str], passphrase: PassphraseOptions, change: ChangeOptions) -> None:
    """Set renewals up, and say what runs them and where the passphrase lies."""
    signer = Signer(session, KeyOptions(), passphrase, change)
    decided: list[Timer] = []

    def make() -> Plan:
        decided[:] = [timer_plan(session, signer, _authorities(session), hooks)]
        return decided[0].plan

    receipt = session.change(make, change)
    timer = decided[0]
    for note in timer.notes:
        session.console.say(f"note: {note}")
    session.console.result(f"{'set up' if receipt else 'kept'}: certificates that are due are renewed {timer.when}")
    if place := _place(timer.job.words()):
        session.console.result(f"the passphrase lies in {place}")
    _tell(session, receipt, "timer-install", {"when": timer.when, "passphrase": place, "notes": list(timer.notes)})


def _authorities(session: Session) -> tuple[Generation, ...]:
    """Those that the renewals will sign with. Raises NotReady if there are none, or a key is not here."""
    found = session.store.signing()
    if not found:
        raise NotReady(f"there is no authority in {session.store_shown}", "begin with `dockertls bootstrap`")
    missing = [shown(one.path) for one in found if one.key_pem is None]
    if missing:
        told = f"the authority's key is not in {', '.join(missing)}: nothing can be renewed here by itself"
        raise NotReady(told, "set the timer up where the key is")
    return found


def _place(words: Sequence[str]) -> str | None:
    """Where the passphrase lies that a job reads; None: it needs none."""
    word = passphrase_word(words)
    return str(CREDENTIAL_FILE) if word == HANDED_OVER else word


def _tell(session: Session, receipt: Receipt | None, kind: str, more: dict[str, object]) -> None:
    """How to take it back, and the document."""
    session.tell_undo(receipt)
    files = [shown(change.path) for change in receipt.plan.changes] if receipt else []
    session.console.document(
        kind, {"changed": bool(receipt), "undo": receipt.undo if receipt else None, "files": files, **more}
    )


def remove_timer(session: Session, change: ChangeOptions) -> None:
    """Take renewals away, and what was made for them."""

    def make() -> Plan:
        places = places_of(session)
        return plans.remove(session.facts("timer", trees=places.folders, also=places.wanted), places)

    receipt = session.change(make, change)
    session.console.result("removed: nothing is renewed by itself" if receipt else "not set up")
    _tell(session, receipt, "timer-remove", {})


# looking


@dataclass(frozen=True)
class _Seen:
    """Renewals, and whether what opens the authority's key does; None: nobody can say, or nothing has to."""

    renewals: Renewals
    opens: bool | None

    @property
    def good(self) -> bool:
        """Whether nothing is known against them."""
        return self.renewals.good and self.opens is not False


def show_timer(session: Session) -> None:
    """When certificates are renewed, and how it went last. Exit code 1 if that is not as it should be."""
    seen = _see(session)
    session.console.table(_table(seen))
    session.console.document("timer", _as_json(seen), ok=seen.good)
    raise typer.Exit(int(not seen.good))


def _see(session: Session) -> _Seen:
    places = places_of(session)
    facts = session.facts("timer", trees=places.folders, also=places.wanted)
    found = renewals(facts, places)
    handed = passphrase_word(found.words) == HANDED_OVER and session.host.runs
    tries = handed and isinstance(facts.node(CREDENTIAL_FILE), File)
    return _Seen(found, credential_opens(session, session.store.signing()) if tries else None)


def _table(seen: _Seen) -> Table:
    """A line for each thing that is known."""
    found = seen.renewals
    if not found.by:
        return Table((), (Row(("renewals", "not set up: `dockertls timer install` does it"), "yellow"),))
    running = "; it does not run" if found.active is False else ""
    place = _place(found.words)
    lines = (
        ("renewals", f"by {found.by}, {shown(found.files[0])}{running}", "" if found.active is not False else "red"),
        ("next", moment(found.next) or found.told or "not known", ""),
        ("last", moment(found.last) or ("never" if found.result == NEVER else "not known"), ""),
        ("result", _result(found), "red" if found.failed else ""),
        ("runs", visible(" ".join(found.words)) or "nothing that can be read", ""),
        ("passphrase", _opened(place, seen.opens), "red" if seen.opens is False else ""),
    )
    return Table((), tuple(Row((head, text), style) for head, text, style in lines))


def _opened(place: str | None, opens: bool | None) -> str:
    if place is None:
        return "none is needed"
    return f"{visible(place)} {DOES_NOT_OPEN}" if opens is False else f"in {visible(place)}"


def _result(found: Renewals) -> str:
    """How the last renewal ended, and where more of it is told."""
    if not found.failed:
        return found.result
    code = "" if found.exit is None else f" {found.exit}"
    return f"failed: {found.result}{code}; see `journalctl -u {SERVICE}`"


def _as_json(seen: _Seen) -> dict[str, object]:
    found = seen.renewals
    return {
        "installed": bool(found.by),
        "by": found.by or None,
        "active": found.active,
        "next": moment(found.next),
        "when": found.told or None,
        "last": moment(found.last),
        "result": found.result if found.by else None,
        "exit": found.exit,
        "files": [shown(path) for path in found.files],
        "command": list(found.words),
        "passphrase": _place(found.words),
        "passphrase_opens": seen.opens,
    }
