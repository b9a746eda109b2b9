"""The certificates of a store in each format, as others read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dockertls.errors import Fault
from dockertls.pki.inventory import Entry
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import generate
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, SERVER
from dockertls.pki.rotation import Rotation
from dockertls.report import metrics, status
from dockertls.report.standing import CURRENT, MISSING, PENDING, STALE, UNKNOWN, Copy, Level, Standing, State, standing

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROOT = issue(Request(CA, "root"), generate("ed25519"), None, now=NOW, serial=5)
LEAF = issue(Request(SERVER, "web1", parse_names(["web1"])), generate("ed25519"), ROOT, now=NOW, serial=6).certificate
AUTHORITY = Entry("ca", "0001", "0001", ROOT.certificate, "ed25519", has_key=True)
WEB1 = Entry("server", "web1", "0001", LEAF, "ed25519", has_key=True)
LOST = Entry("server", "web2", fault=Fault("web2/current is missing", "mend it"))
ODD = 'a"b\\c\nd|e'


def copy(state: State, place: str = "/etc/docker", kind: str = "disk") -> Copy:
    return Copy(kind, place, state, "why")


def surveyed(
    shape: Callable[[Standing], T],
    *rows: tuple[Entry, tuple[Copy, ...]],
    now: datetime = NOW,
    **more: Any,  # noqa: ANN401 - fields of Survey
) -> status.Survey[T]:
    judged = [(entry, standing(entry, copies, now), copies) for entry, copies in rows]
    ends = [entry.certificate.not_valid_after_utc if entry.certificate else None for entry, _ in rows]
    lines = [
        status.Line(shape(one), one.state, end, copies) for (_, one, copies), end in zip(judged, ends, strict=True)
    ]
    above = sum(entry.role == "ca" for entry, _ in rows)
    return status.Survey(now, tuple(lines[:above]), tuple(lines[above:]), **more)


ROWS = ((AUTHORITY, ()), (WEB1, (copy(CURRENT), copy(PENDING, "tcp://h:2376", "served"))), (LOST, ()))


# Prometheus


def parsed(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """As Prometheus's own library reads it."""
    families = text_string_to_metric_families(text)
    found = {family.name: family for family in families}
    assert all(family.type == "gauge" and family.documentation.endswith(".") for family in found.values())
    return {
        name.removeprefix("dockertls_"): {tuple(one.labels.values()): one.value for one in family.samples}
        for name, family in found.items()
    }


def test_prometheus_reads_every_certificate_and_copy() -> None:
    found = parsed(metrics.prometheus(surveyed(metrics.samples, *ROWS)))
    assert found["certificate_not_after_seconds"] == {
        ("ca", "0001"): ROOT.certificate.not_valid_after_utc.timestamp(),
        ("server", "web1"): LEAF.not_valid_after_utc.timestamp(),
    }
    assert found["certificate_not_before_seconds"]["server", "web1"] == LEAF.not_valid_before_utc.timestamp()
    assert found["certificate_due"] == {("ca", "0001"): 0, ("server", "web1"): 0}
    assert found["certificate_broken"] == {("ca", "0001"): 0, ("server", "web1"): 0, ("server", "web2"): 1}
    held = {labels for labels, value in found["copy_state"].items() if value}
    assert held == {
        ("server", "web1", "disk", "/etc/docker", "current"),
        ("server", "web1", "served", "tcp://h:2376", "restart-pending"),
    }
    assert (found["rotation_phase"], found["status_seconds"]) == ({(): 0}, {(): NOW.timestamp()})


@pytest.mark.parametrize(("days", "due"), [(0, 0), (300, 1), (400, 1)])
def test_prometheus_is_told_what_is_due(days: int, due: int) -> None:
    survey = surveyed(metrics.samples, (WEB1, ()), now=NOW + timedelta(days=days))
    assert parsed(metrics.prometheus(survey))["certificate_due"] == {("server", "web1"): due}


def test_names_of_any_kind_are_escaped_and_told_once() -> None:
    rotation = Rotation("0001", "0002", 2, "2026-11-23")
    odd = (WEB1, (copy(STALE, ODD), copy(CURRENT, ODD)))
    survey = surveyed(metrics.samples, odd, strays=(copy(MISSING, ODD),), rotation=rotation)
    text = metrics.prometheus(survey)
    found = parsed(text)
    held = {labels[3:]: value for labels, value in found["copy_state"].items() if value}
    assert held == {(ODD, "stale"): 1, (ODD, "missing"): 1}
    assert found["rotation_phase"] == {(): 2}
    names = [line.partition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(names) == len(set(names))


# Nagios


@pytest.mark.parametrize(
    ("copies", "days", "strays", "level"),
    [
        ((CURRENT,), 0, (), Level.OK),
        ((CURRENT,), 300, (), Level.WARNING),
        ((PENDING,), 0, (), Level.WARNING),
        ((UNKNOWN,), 0, (), Level.UNKNOWN),
        ((UNKNOWN,), 300, (), Level.WARNING),
        ((STALE, UNKNOWN), 0, (), Level.CRITICAL),
        ((CURRENT,), 0, (MISSING,), Level.CRITICAL),
        ((CURRENT,), 400, (), Level.CRITICAL),
    ],
)
def test_nagios_is_told_the_worst(
    copies: tuple[State, ...], days: int, strays: tuple[State, ...], level: Level
) -> None:
    now = NOW + timedelta(days=days)
    survey = surveyed(metrics.trouble, (WEB1, tuple(map(copy, copies))), now=now, strays=tuple(map(copy, strays)))
    text, found = metrics.nagios(survey)
    assert found is level
    assert text.startswith(f"{level.name} - ")
    assert f"| days_left={(LEAF.not_valid_after_utc - now).days} certificates=1;;;0" in text.splitlines()[0]


def test_nagios_takes_nothing_else_for_performance_data_and_sees_the_worst_first() -> None:
    many = tuple(copy(PENDING, f"{ODD}{number}") for number in range(40))
    text, _ = metrics.nagios(surveyed(metrics.trouble, (WEB1, many), (LOST, ())))
    first, second, *rest = text.splitlines()
    assert (text.count("|"), first.count("|")) == (1, 1)
    assert second == "server web2: broken: web2/current is missing"
    assert (len(rest), rest[-1]) == (metrics.MOST_DETAILS, "... and 21 more")


def test_without_certificates_nagios_is_told_that_nothing_is_known() -> None:
    assert metrics.nagios(surveyed(metrics.trouble)) == ("UNKNOWN - there are no certificates\n", Level.UNKNOWN)
    assert metrics.failed("a|b\n") == ("UNKNOWN - a/b\\n\n", Level.UNKNOWN)


# people and programs


def test_authorities_certificates_and_copies_are_tables_of_their_own() -> None:
    survey = surveyed(lambda one: status.shown(one, NOW), *ROWS, strays=(copy(MISSING, "/opt/.docker"),))
    above, below, copies = status.tables(survey)
    assert [row.cells[:2] for row in above.rows] == [("0001 root", "good")]
    assert [dict(zip(below.heads, row.cells, strict=True)) for row in below.rows[:1]] == [
        {
            "ROLE": "server", "NAME": "web1", "STATE": "restart-pending", "DAYS": "397", "EXPIRES": "2027-12-25",
            "ISSUED": "2026-11-22", "KEY": "ed25519", "NAMES": "web1", "ISSUER": "root",
        }
    ]  # fmt: skip
    assert [row.cells for row in copies.rows] == [
        ("server web1", "/etc/docker", "current", "why"),
        ("server web1", "tcp://h:2376", "restart-pending", "why"),
        ("server web2", "the store", "broken", "web2/current is missing; mend it"),
        ("-", "/opt/.docker", "missing", "why"),
    ]
    assert [above.heads[number] for number in above.spare] == ["ISSUED", "ISSUER", "KEY"]
    assert "NAMES" not in below.without(below.spare).heads
    assert status.summary(survey) == "3 certificates: 1 broken, 1 missing, 1 restart-pending"
    assert not survey.is_good


def test_what_is_not_known_is_not_good_news_and_no_failure() -> None:
    survey = surveyed(metrics.trouble, (WEB1, (copy(UNKNOWN),)), strays=(copy(UNKNOWN, "/x"),))
    assert survey.is_good
    assert [one.place for one in survey.unknown] == ["/etc/docker", "/x"]


def test_remedies_are_told_once_the_worst_first() -> None:
    told = status.remedies([PENDING, CURRENT, STALE, PENDING])
    assert [line.partition(":")[0] for line in told] == ["stale", "restart-pending"]


def test_a_rotation_is_one_line() -> None:
    line = status.rotation_line(Rotation("0001", "0002", 2, "2026-11-23"))
    assert line.startswith("rotation: phase 2 of 5, ")
    assert line.endswith("see dockertls ca rotate status")
