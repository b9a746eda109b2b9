"""What a terminal is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockertls.report.audit_table import LEAST, document, pieces
from dockertls.report.tables import Table
from tests.unit.report.audits import BRIDGE, CONFINED, KEYS, PORT, SOCKET, USUAL, audit, failed, hostile, result


def lines(*, verbose: bool = False) -> list[str]:
    return document(USUAL, verbose=verbose).splitlines()


def test_it_begins_with_host_time_and_score_and_ends_with_the_counts() -> None:
    assert lines()[0] == "web1.example.org, 2026-11-26T18:04:05Z, dockertls 0.1.0"
    assert lines()[1].startswith("score: 33 of 100: the share that passed of 9 checks that could be judged, each")
    assert lines()[-2:] == [
        "2 failed, 1 warned, 1 unknown, 1 waived, 1 known, 1 not applicable, 4 passed,",
        "against the baseline before.json",
    ]


def test_areas_hold_the_worst_first_and_what_passed_as_a_count() -> None:
    found = lines()
    start = found.index("How dockerd runs containers")
    assert found[start + 1 : start + 8] == [
        "failed   medium    DMN-02  containers on the default bridge reach each other on",
        "                           every port",
        "warned   medium    DMN-13  json-file keeps all that containers say, until the",
        "                           disk is full",
        "unknown  high      DMN-19  whether SELinux or AppArmor confines containers: the",
        "                           API was not asked",
        "1 known, 1 not applicable, 2 passed",
    ]
    assert "Files and sockets: 1 waived, 1 passed" in found


def test_verbose_has_a_line_for_each_check_and_its_evidence() -> None:
    found = " ".join(" ".join(lines(verbose=True)).split())
    assert all(one.finding.id in found for one in USUAL.results)
    assert "/etc/docker/daemon.json:3: true (expected: false)" in found
    assert "FS-01 holds; /etc/docker/tls: 0700 root" in found


def test_what_is_waived_has_a_line_with_its_end() -> None:
    found = lines()
    assert found[found.index("Waived") + 1] == "  FS-03 until 2027-03-31: a lab that goes away"
    assert "Waived" not in document(audit(BRIDGE))


def test_a_remedy_is_told_once_for_all_checks_and_daemons_the_worst_first() -> None:
    other = replace(BRIDGE, daemon="other.service")
    same = result("NET-09", failed(remedy="set it: dockertls daemon configure --set icc=false"))
    found = document(audit(BRIDGE, other, same, replace(SOCKET, waiver=None), PORT)).splitlines()
    start = found.index("What to do")
    assert found[start + 1 : start + 3] == [
        "  FS-03: mend it",
        "  NET-09, DMN-02: set it: dockertls daemon configure --set icc=false",
    ]
    assert "What to do" not in document(audit(KEYS, SOCKET, CONFINED))


def test_of_several_daemons_each_line_names_its_own() -> None:
    found = document(audit(BRIDGE, replace(BRIDGE, daemon="other.service"), replace(SOCKET, waiver=None)))
    assert "failed  medium    DMN-02  docker.service  containers on" in found
    assert "failed  medium    DMN-02  other.service   containers on" in found
    assert "failed  critical  FS-03   host            everybody may" in found
    assert "docker.service" not in document(audit(BRIDGE))


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_asked_for(width: int, verbose: bool) -> None:
    assert max(map(len, document(USUAL, verbose=verbose, width=width).splitlines())) <= max(width, 34 + LEAST)


def test_not_even_hostile_text_is() -> None:
    assert max(map(len, document(hostile()).splitlines())) <= 80


@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_text_drives_no_terminal(verbose: bool) -> None:
    found = list(pieces(hostile(), verbose=verbose))
    cells = [cell for one in found if isinstance(one, Table) for row in one.rows for cell in row.cells]
    assert cells
    assert all(text.isprintable() for text in (*cells, *(one for one in found if isinstance(one, str))))
    assert document(hostile(), verbose=verbose).replace("\n", "").isprintable()


def test_columns_stand_in_line_from_area_to_area() -> None:
    tables = [one for one in pieces(USUAL, verbose=True) if isinstance(one, Table)]
    widths = {tuple(len(cell) for cell in row.cells[:-1]) for one in tables for row in one.rows}
    assert len(tables) == 3
    assert widths == {(14, 8, 6)}


def test_what_is_let_be_is_dim_and_what_is_open_has_its_colour() -> None:
    rows = [row for one in pieces(USUAL, verbose=True) if isinstance(one, Table) for row in one.rows]
    assert {(row.cells[0].strip(), row.style) for row in rows} == {
        ("failed", "red"), ("warned", "yellow"), ("unknown", "yellow"), ("waived", "dim"), ("known", "dim"),
        ("not-applicable", "dim"), ("passed", "dim"),
    }  # fmt: skip


def test_an_audit_of_nothing_says_so() -> None:
    assert document(audit(host="")).splitlines()[-1] == "nothing was checked"
