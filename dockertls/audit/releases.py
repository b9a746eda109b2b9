"""TABLES of Docker's releases: which lines are kept up until when, and which let callers past authorization plugins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dockertls.daemon.releases import parse

if TYPE_CHECKING:
    from dockertls.daemon.releases import Release

AS_OF = date(2026, 11, 24)
"""When the tables were true: docker/cli 29.10.1 was tagged that day and was the newest (pkg.go.dev)."""
KEPT = timedelta(days=183)
"""How long afterwards it is still said of a line that it is kept up: a major release comes about twice in that time."""


@dataclass(frozen=True)
class Line:
    """A line of releases, such as all of 26.1.

    Attributes:
        first: its first release; it goes on until that of the next row.
        until: the last day on which Moby keeps it up; None: none is known.
        by_docker: whether Docker makes packages of it (docker-ce), as long as it is kept up.
    """

    first: str
    until: date | None
    by_docker: bool = True


# Moby says which branches it keeps up in project/BRANCHES-AND-TAGS.md, without a day for most of them: then it is the
# day on which that page was changed, or what endoflife.date (products/docker-engine.md, of March 2026) made of it.
LINES: tuple[Line, ...] = (
    Line("0.1", date(2019, 8, 22)),  # endoflife.date: 18.09, and all before it earlier
    Line("19.03", date(2021, 1, 8)),  # endoflife.date
    Line("20.10", date(2023, 12, 10)),  # endoflife.date, its issue 3006; Moby: "older than 23.0: unmaintained"
    Line("23.0", date(2025, 5, 19), by_docker=False),  # moby#51018; no docker-ce any more: moby discussion 47328
    Line("24.0", date(2024, 6, 8)),  # endoflife.date#5554, by the milestones that Moby closed
    Line("25.0", date(2026, 12, 4), by_docker=False),  # moby#51660; distributors: Amazon and Mirantis
    Line("26.0", date(2024, 6, 8)),  # endoflife.date#5554: "reached EOL in favour of 26.1"
    Line("26.1", date(2025, 2, 17)),  # moby commit 2fc90096bf, by endoflife.date#6828
    Line("27", date(2025, 5, 3)),  # moby#49910
    Line("28", date(2026, 5, 13)),  # moby#52625: "it is not actually being maintained"
    Line("29", None),  # moby#52625: maintained until after docker-30.x; distributors: Docker and Microsoft
)
"""In the order of their releases."""
NEWEST = LINES[-1]


def line_of(release: Release) -> Line | None:
    """The line of a release; None: it is newer than the table."""
    if release[0] > parse(NEWEST.first)[0]:
        return None
    return next((line for line in reversed(LINES) if parse(line.first) <= release), LINES[0])


@dataclass(frozen=True)
class Bypass:
    """A way past authorization plugins.

    Attributes:
        id: of the vulnerability.
        how: what a caller does, in few words.
        mended: the first release without it, of each line that has one.
    """

    id: str
    how: str
    mended: tuple[str, ...]

    def open_in(self, release: Release) -> bool:
        """Whether a release has it, as Moby made it."""
        first = tuple(parse(one) for one in self.mended)
        same = [one for one in first if one[0] == release[0]]
        return release < (max(same) if same else max(first))


BYPASSES: tuple[Bypass, ...] = (
    # GHSA-v23v-6jw2-98fq; of 20.10 and 24.0 there is no release with the change
    Bypass("CVE-2024-41110", "an empty body", ("23.0.15", "25.0.6", "26.1.5", "27.1.1")),
    # GHSA-x744-4wpc-v9h2; it is on the branch of 28.x, and in no release of it
    Bypass("CVE-2026-34040", "a body that is too large", ("25.0.16", "29.3.1")),
)
UNSEEN_SINCE = "29.2.0"
"""From here on dockerd answers gRPC before it asks a plugin (moby#50744): tried with 29.7.2, over the local socket and
over a socket of systemd's, with a plugin that denies everything; dockerd's own tcp listener takes no gRPC."""
