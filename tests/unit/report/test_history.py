from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.journal import history
from dockertls.plan import Change, Directory, File, Plan
from dockertls.report.history import table
from dockertls.undo import plan_undo, undoable

STORE = Path("/srv/store")
RUN = Run(datetime(2026, 11, 23, tzinfo=UTC), "ann", append_only=(STORE,))


def test_what_lies_in_the_store_stays_and_so_do_the_folders_on_the_way_there(tmp_path: DiskPath) -> None:
    host = LocalHost(str(tmp_path))
    folders = tuple(Change(path, None, Directory(), "store") for path in (STORE.parent, STORE))
    apply(Plan("store", (*folders, Change(STORE / "x", None, File(b"1"), "x"))), host, RUN)
    apply(Plan("file", (Change(Path("/f"), None, File(b"1"), "f"),)), host, RUN)
    assert [entry.id for entry in undoable(history(host))] == [2]
    apply(plan_undo(host, undoable(history(host))), host, replace(RUN, undoes=(2,)))
    assert host.node(STORE / "x") == File(b"1")
    assert [row.cells[-1] for row in table(history(host)).rows] == ["stays", "undone", "undoes 2"]
