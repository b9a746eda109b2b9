"""Which dockerd it is: whether its line is kept up, and whether authorization plugins hold in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.audit.checks.release import OF_DOCKER, TABLE
from dockertls.audit.releases import AS_OF, BYPASSES, KEPT, LINES, line_of
from dockertls.audit.seen import Answers, Seen
from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.reading import read
from dockertls.daemon.releases import parse, shown
from dockertls.daemon.running import running
from dockertls.findings import Failed, Passed, Unknown, Verdict, Warned
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.documents.json_file import Json

JSON = Path("/etc/docker/daemon.json")
AUTHORIZATION, KEPT_UP = (check.judge for check in TABLE)
PLUGIN = {"authorization-plugins": ["p"]}
FLAG = "--authorization-plugin=p"


@dataclass(frozen=True)
class Host:
    """A host with a Docker of some release."""

    release: str = ""
    builder: str | None = OF_DOCKER
    platform: str = "docker-ce"
    flags: str = ""
    keys: Mapping[str, object] = field(default_factory=dict)
    day: date = AS_OF

    def seen(self) -> Seen:
        config = {JSON: json.dumps(self.keys)} if self.keys else {}
        files = packaged_files(BY_NAME[self.platform], self.flags) if self.platform else {Path("/etc/passwd"): ""}
        facts = replace(from_files(files | config), taken=datetime.combine(self.day, time(12), UTC))
        reading = read(facts)
        version: dict[str, Json] = {"Version": self.release} if self.release else {}
        if version and self.builder is not None:
            version["Platform"] = {"Name": self.builder}
        answers = Answers(version=version)
        return Seen(reading, running(reading), answers=answers)


@pytest.mark.parametrize(
    ("host", "verdict", "cause"),
    [
        (Host("29.10.1"), Passed, ""),
        (Host("29.0.0"), Passed, ""),
        (Host("29.99.0"), Passed, ""),
        (Host("30.0.0"), Unknown, "Docker 30.0.0 is newer than what this dockertls knows of"),
        (Host("29.10.1", day=AS_OF + KEPT), Passed, ""),
        (Host("29.10.1", day=AS_OF + KEPT + timedelta(days=1)), Unknown, "whether Docker 29.10.1 is still kept up"),
        (Host("28.5.2"), Failed, "Docker 28.5.2 is not kept up since 2026-05-13"),
        (Host("28.5.2", day=date(2026, 5, 13)), Passed, ""),
        (Host("28.5.2", day=date(2030, 1, 1)), Failed, "Docker 28.5.2 is not kept up since 2026-05-13"),
        (Host("28.5.2+dfsg4", builder=""), Warned, "unless by whoever packaged it"),
        (Host("26.1.5"), Failed, "Docker 26.1.5 is not kept up since 2025-02-17"),
        (Host("26.0.2"), Failed, "Docker 26.0.2 is not kept up since 2024-06-08"),
        (Host("20.10.24+dfsg1", builder=""), Warned, "Docker 20.10.24 is not kept up since 2023-12-10"),
        (Host("20.10.24", builder=None, platform="debian"), Warned, "Docker 20.10.24 is not kept up since 2023-12-10"),
        (Host("20.10.24", builder=None), Failed, "Docker 20.10.24 is not kept up since 2023-12-10"),
        (Host("1.13.1", builder=None, platform="rhel7"), Warned, "Docker 1.13.1 is not kept up since 2019-08-22"),
        (Host("25.0.16", builder=""), Passed, ""),
        (Host("25.0.16"), Failed, "Docker makes no packages of 25.0 any more"),
        (Host("25.0.16", builder="", day=date(2026, 12, 5)), Warned, "Docker 25.0.16 is not kept up since 2026-12-04"),
        (Host(), Unknown, "which release dockerd is"),
        (Host(platform=""), Unknown, "there is no Docker here that is set up"),
    ],
)
def test_whether_a_release_is_kept_up(host: Host, verdict: type[Verdict], cause: str) -> None:
    found = KEPT_UP(host.seen())
    assert isinstance(found, verdict)
    assert cause in said(found)


def said(verdict: Verdict) -> str:
    if isinstance(verdict, Failed | Warned):
        assert verdict.remedy
        return verdict.cause
    return verdict.reason if isinstance(verdict, Unknown) else ""


@pytest.mark.parametrize(
    ("host", "verdict", "cause"),
    [
        (Host("29.10.1"), Warned, "whoever is let in may do everything"),
        (Host("29.1.0", keys=PLUGIN), Failed, "by a body that is too large (CVE-2026-34040)"),
        (Host("29.3.0", keys=PLUGIN), Failed, "by a body that is too large (CVE-2026-34040)"),
        (Host("29.3.1", keys=PLUGIN), Warned, "since Docker 29.2.0 plugins do not see gRPC"),
        (Host("28.5.2", keys=PLUGIN), Failed, "by a body that is too large (CVE-2026-34040)"),
        (Host("25.0.16", keys=PLUGIN), Passed, ""),
        (Host("25.0.15", keys=PLUGIN), Failed, "Docker 25.0.15 lets callers past the plugin by a body"),
        (
            Host("20.10.24", keys=PLUGIN),
            Failed,
            "by an empty body (CVE-2024-41110), a body that is too large (CVE-2026",
        ),
        (Host("28.5.2+dfsg4", builder="", keys=PLUGIN), Unknown, "this package of Docker 28.5.2 has CVE-2026-34040"),
        (Host("20.10.24", None, "debian", keys=PLUGIN), Unknown, "has CVE-2024-41110, CVE-2026-34040"),
        (Host("25.0.16", "", "debian", FLAG), Failed, "switched off without a word when dockerd is told to reload"),
        (Host("28.5.2", "", "debian", FLAG), Failed, "switched off without a word when dockerd is told to reload"),
        (Host(keys=PLUGIN), Unknown, "which release dockerd is"),
        (Host(platform=""), Unknown, "there is no Docker here that is set up"),
    ],
)
def test_whether_a_plugin_holds(host: Host, verdict: type[Verdict], cause: str) -> None:
    found = AUTHORIZATION(host.seen())
    assert isinstance(found, verdict), found
    assert cause in said(found)


def test_a_plugin_that_the_api_alone_tells_of_is_not_taken_for_a_flag() -> None:
    seen = Host("25.0.16").seen()
    answers = replace(seen.answers, info={"Plugins": {"Authorization": ["p"]}})
    assert isinstance(AUTHORIZATION(replace(seen, answers=answers)), Passed)


@pytest.mark.parametrize(
    ("id_", "open_in", "mended_in"),
    [
        ("CVE-2024-41110", "18.9.9 20.10.27 23.0.14 24.0.9 25.0.5 26.1.4 27.1.0", "23.0.15 26.1.5 27.1.1 28.0.0"),
        ("CVE-2026-34040", "20.10.24 23.0.18 25.0.15 26.1.5 27.5.1 28.5.2 29.3.0", "25.0.16 29.3.1 29.10.1 30.0.0"),
    ],
)  # fmt: skip
def test_which_releases_have_a_bypass(id_: str, open_in: str, mended_in: str) -> None:
    bypass = next(one for one in BYPASSES if one.id == id_)
    assert [one for one in open_in.split() if not bypass.open_in(parse(one))] == []
    assert [one for one in mended_in.split() if bypass.open_in(parse(one))] == []


def test_lines_are_in_order_and_each_release_is_in_its_own() -> None:
    firsts = [parse(line.first) for line in LINES]
    assert firsts == sorted(set(firsts))
    for line, first in zip(LINES, firsts, strict=True):
        assert line_of((*first, 99)) == line, shown(first)


def test_only_the_newest_line_has_no_end() -> None:
    assert [line.first for line in LINES if line.until is None] == [LINES[-1].first]
