"""The table of packagings: each row is all it takes."""

from __future__ import annotations

import pytest

from dockertls.daemon.flags import parse
from dockertls.documents.unit_file import command_line
from dockertls.platforms import BY_NAME, HOME, RESTART, TABLE, Init, Platform


def test_no_name_stands_twice() -> None:
    names = [name for row in TABLE for name in (row.id, *row.aliases)]
    assert len(names) == len(set(names)) == len(BY_NAME)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("docker-ce-deb", "docker-ce"),
        ("moby-engine", "fedora"),
        ("centos7", "rhel7"),
        ("amazon2", "amazon"),
        ("amazon2023", "amazon"),
        ("sles", "opensuse"),
        ("mariner", "azurelinux"),
        ("gentoo-openrc", "gentoo"),
    ],
)
def test_other_names(alias: str, name: str) -> None:
    assert BY_NAME[alias].id == name


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_a_row_is_consistent(row: Platform) -> None:
    assert (row.environment is None) == (not row.variable)
    program, *arguments = command_line(row.command).words
    assert program.startswith("/")
    assert program.rpartition("/")[2].startswith("dockerd")
    assert (f"${row.variable}" in arguments) == bool(row.variable)
    assert not parse([word for word in arguments if not word.startswith("$")]).faults
    assert {f"-{row.environment}", str(row.environment)} & {*row.environment_files, "None"}
    assert row.rootless == row.daemon_json.is_relative_to(HOME)
    assert bool(row.wrapper) == bool(row.restarted_by)


@pytest.mark.parametrize("row", [row for row in TABLE if row.init is Init.SYSTEMD], ids=lambda row: row.id)
def test_only_what_os_release_or_a_mark_tells_apart_has_the_same_unit(row: Platform) -> None:
    same = [other for other in TABLE if (other.command, other.wrapper) == (row.command, row.wrapper)]
    assert all(other.os_ids for other in same) or len(same) == 1
    homes = [name for other in same if other.mark is None for name in other.os_ids]
    assert len(homes) == len(set(homes))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_init_script_is_known_by_its_signs(row: Platform) -> None:
    assert bool(row.signs) == (row.init in {Init.OPENRC, Init.SYSV})


@pytest.mark.parametrize("init", Init)
def test_every_init_says_how_dockerd_is_restarted(init: Init) -> None:
    assert bool(RESTART[init]) == (init is not Init.NONE)
