"""The table of packagings: each row is all it takes."""

from __future__ import annotations

import pytest

from dockertls.daemon.flags import parse
from dockertls.documents.unit_file import command_line
from dockertls.platforms import BY_NAME, RESTART, TABLE, Init, Platform


def test_no_name_stands_twice() -> None:
    names = [name for row in TABLE for name in (row.id, *row.aliases)]
    assert len(names) == len(set(names)) == len(BY_NAME)


def test_ubuntu_is_debian() -> None:
    assert BY_NAME["ubuntu"] is BY_NAME["debian"]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_row_is_consistent(row: Platform) -> None:
    assert (row.environment is None) == (not row.variable)
    program, *arguments = command_line(row.command).words
    assert program.startswith("/")
    assert program.endswith("/dockerd")
    assert (f"${row.variable}" in arguments) == bool(row.variable)
    assert not parse([word for word in arguments if not word.startswith("$")]).faults


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_init_script_is_known_by_its_signs(row: Platform) -> None:
    assert bool(row.signs) == (row.init in {Init.OPENRC, Init.SYSV})


@pytest.mark.parametrize("init", Init)
def test_every_init_says_how_dockerd_is_restarted(init: Init) -> None:
    assert bool(RESTART[init]) == (init is not Init.NONE)
