"""`dockertls history` and `dockertls undo`: what was done to this host, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockertls.cli.options import ChangeOptions, RestartOptions, takes

if TYPE_CHECKING:
    from dockertls.cli.session import Session
    from dockertls.journal import Entry


def history(ctx: typer.Context) -> None:
    """List what was done to this host."""
    from dockertls.journal import history as read
    from dockertls.report.history import as_json, table
    from dockertls.undo import undoable

    session: Session = ctx.obj
    entries = read(session.host)
    can = {entry.id for entry in undoable(entries)}
    if not entries:
        session.console.say("nothing has been done here")
    else:
        session.console.table(table(entries))
    session.console.document("history", [as_json(entry, can=entry.id in can) for entry in entries])


@takes(change=ChangeOptions, restarts=RestartOptions)
def undo(
    ctx: typer.Context,
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="A number of `dockertls history`; default: the newest.")
    ] = None,
    *,
    since: Annotated[bool, typer.Option("--since", help="With all that came later, as one.")] = False,
    change: ChangeOptions,
    restarts: RestartOptions,
) -> None:
    """Take a change back.

    Every file as it was before, and dockerd restarted. The certificates' store stays.
    """
    from dockertls.cli.decided import Restart
    from dockertls.cli.restarting import undo_entries
    from dockertls.journal import history as read
    from dockertls.undo import undoable, with_group

    session: Session = ctx.obj
    mode = Restart.parse(restarts.restart)
    session.recover(change)
    entries = read(session.host)
    can = undoable(entries)
    group = with_group(_chosen(entries, number), can)
    later = tuple(entry for entry in can if since and entry.id > group[-1].id)
    changed = undo_entries(session, group, change, mode, later)
    done = (*group, *later)
    session.console.result(f"taken back: {', '.join(entry.title for entry in done)}")
    session.console.document("undo", {"undone": [entry.id for entry in done], "changed": changed})


def _chosen(entries: tuple[Entry, ...], number: int | None) -> Entry:
    """The entry of that number, or the newest that can be taken back.

    Raises:
        NotReady: if it cannot be taken back, or there is none.
    """
    from dockertls.errors import NotReady
    from dockertls.undo import undoable

    candidates = [entry for entry in undoable(entries) if number in {None, entry.id}]
    if candidates:
        return candidates[-1]
    if number is None:
        raise NotReady("there is nothing to take back", "see `dockertls history`")
    known = any(entry.id == number for entry in entries)
    reason = "is undone already, is an undo itself, or stays" if known else "is not in the history"
    raise NotReady(f"{number} {reason}", "see `dockertls history`")


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(history)
    app.command()(undo)
