"""Where there is no systemd: files that some cron runs once a day."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.timer.job import PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "dockertls"  # without a dot: cron and run-parts pass over others
HOURS = 4
"""Hosts begin between midnight and then, each at its own minute."""
COMMENT = (
    "# By dockertls: renews certificates that are due; see `dockertls timer status`.\n"
    "# It says nothing where nothing is due: cron mails what it says, and its failures.\n"
)


@dataclass(frozen=True)
class Cron:
    """A folder of files that a cron runs.

    Attributes:
        id: its name.
        folder: where it looks.
        mode: of a file there.
        head: what stands before the command; `{hour}` and `{minute}` are those of the host.
        percent: how a percent sign is written there.
        told: when it runs, for people; `{hour}` and `{minute}` as above.
    """

    id: str
    folder: Path
    mode: int
    head: str
    percent: str
    told: str

    @property
    def file(self) -> Path:
        """The file of our own."""
        return self.folder / NAME

    def text(self, words: Sequence[str], seed: str) -> str:
        """The file.

        Args:
            words: what it runs.
            seed: as for `moment`.
        """
        hour, minute = moment(seed)
        line = shlex.join(words).replace("%", self.percent)
        return f"{self.head.format(comment=COMMENT, path=PATH, hour=hour, minute=minute)}{line}\n"

    def when(self, seed: str) -> str:
        """When it runs, for people."""
        hour, minute = moment(seed)
        return self.told.format(hour=hour, minute=minute)

    def words(self, text: str) -> tuple[str, ...]:
        """What a file of ours runs; none if somebody made something else of it."""
        *_, line = text.rstrip("\n").split("\n")
        _, _, command = line.partition(f"{self.head.split()[-1]} ")
        try:
            return tuple(shlex.split(command.replace(self.percent, "%")))
        except ValueError:
            return ()


def moment(seed: str) -> tuple[int, int]:
    """Hour and minute of a host: another one on each, and always the same on one.

    Args:
        seed: what tells hosts apart, such as the machine's id; it cannot be read off the time.
    """
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4])
    return divmod(number % (HOURS * 60), 60)


TABLE: tuple[Cron, ...] = (
    Cron(
        "cron.d",
        Path("/etc/cron.d"),
        0o644,
        "{comment}SHELL=/bin/sh\nPATH={path}\n{minute} {hour} * * * root ",
        "\\%",  # a bare one ends the line (crontab(5))
        "every day at {hour:02}:{minute:02}, the host's own time",
    ),
    Cron(
        "periodic",
        Path("/etc/periodic/daily"),
        0o755,
        "#!/bin/sh\n{comment}PATH={path}\nexport PATH\nexec ",
        "%",
        "every day, when cron runs what is in /etc/periodic/daily",
    ),
)
"""Those that are known, the better first."""
