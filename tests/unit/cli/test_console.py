"""What a terminal shows, on a real pseudo terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from dockertls.cli.console import Console
from dockertls.errors import Fault, NotReady

if TYPE_CHECKING:
    import pytest

SHOW = """
from dockertls.cli.console import Console
from dockertls.report.tables import Row, Table
Console().table(Table(("SHA-256", "[bold]"), (Row(("17:AB:CD:A7", "[red]x[/red] :smile:")),)))
"""


def on_a_terminal(script: str, **variables: str) -> str:
    leader, follower = pty.openpty()
    try:
        env = {**os.environ, "TERM": "dumb", **variables}
        subprocess.run([sys.executable, "-c", script], stdout=follower, check=True, env=env)
        return os.read(leader, 4096).decode()
    finally:
        os.close(leader)
        os.close(follower)


def test_what_is_shown_is_what_it_is_and_no_markup_and_no_emoji() -> None:
    shown = on_a_terminal(SHOW)
    assert "17:AB:CD:A7" in shown
    assert "[red]x[/red] :smile:" in shown


TELL = """
from dockertls.cli.console import Console
Console().tell("  chain: a word and another, and a-word-that-is-not-broken-at-its-hyphens")
Console().tell("short")
"""


def test_what_is_folded_goes_on_further_in() -> None:
    shown = on_a_terminal(TELL, COLUMNS="30").splitlines()
    assert shown == [
        "  chain: a word and another,",
        "    and",
        "    a-word-that-is-not-broken-at-its-hyphens",
        "short",
    ]


def test_in_a_pipe_nothing_is_folded(capsys: pytest.CaptureFixture[str]) -> None:
    Console().tell("word " * 100)
    assert capsys.readouterr().out == "word " * 100 + "\n"


def test_what_was_said_of_each_fault_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault("web1", "mend it"), Fault("web2", "mend it")]
    assert Console().fail(NotReady("no", "mend it\nrun it again", faults=faults)) == 4
    assert capsys.readouterr().err == "dockertls: no\n  - web1\n    mend it\n  - web2\n    mend it\n  run it again\n"
    Console().fail(NotReady("no", "mend it", faults=faults[:1]))
    assert capsys.readouterr().err == "dockertls: no\n  mend it\n"
