"""The units that renew certificates: a service that can do no more than it must, and the timer that starts it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.documents.unit_file import quote, render_drop_in
from dockertls.facts import RENEWAL, SYSTEMCTL_VERSION
from dockertls.plan import Command
from dockertls.timer.job import CREDENTIAL, CREDENTIAL_FILE, HANDED_OVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath as Path

    from dockertls.facts import HostFacts

TIMER, SERVICE = RENEWAL
WANTS = "timers.target.wants"
WITH_CREDENTIALS = 250
"""The first systemd that keeps credentials encrypted (its NEWS)."""

COMMENT = "By dockertls: `dockertls timer install` writes this file anew, and `dockertls timer remove` takes it away."
CAPABILITIES = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_SYS_PTRACE"
"""To write files of root and of users, and to see with what options dockerd runs."""
_ANSWER = re.compile(r"systemd (\d+)")


@dataclass(frozen=True)
class Setting:
    """A line of a unit.

    Attributes:
        key, value: as systemd reads them.
        since: the first systemd that knows it; 0: every one that is known of.
        system: it is for the system's own units: a user's systemd may not do it.
    """

    key: str
    value: str
    since: int = 0
    system: bool = False


SANDBOX: tuple[Setting, ...] = (
    Setting("UMask", "0077"),
    Setting("NoNewPrivileges", "yes", 187),
    Setting("CapabilityBoundingSet", CAPABILITIES, system=True),
    Setting("ProtectSystem", "yes", 214, system=True),
    Setting("ReadWritePaths", "-/usr/local/lib/systemd", 231, system=True),
    Setting("PrivateTmp", "yes", system=True),
    Setting("PrivateDevices", "yes", 209, system=True),
    Setting("ProtectKernelTunables", "yes", 232, system=True),
    Setting("ProtectKernelModules", "yes", 232, system=True),
    Setting("ProtectKernelLogs", "yes", 244, system=True),
    Setting("ProtectControlGroups", "yes", 232, system=True),
    Setting("ProtectClock", "yes", 245, system=True),
    Setting("ProtectHostname", "yes", 242, system=True),
    Setting("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK", 211),
    Setting("RestrictNamespaces", "yes", 233),
    Setting("RestrictRealtime", "yes", 231),
    Setting("RestrictSUIDSGID", "yes", 242),
    Setting("LockPersonality", "yes", 235),
    Setting("MemoryDenyWriteExecute", "yes", 231),
    Setting("SystemCallArchitectures", "native", 209),
    Setting("SystemCallFilter", "@system-service", 239),
    Setting("SystemCallErrorNumber", "EPERM", 209),
)
"""What the renewal does without. It keeps /etc, /var and homes to write, systemctl to call, and the network.

/usr/local/lib/systemd is left open for a change that was killed there and has to be taken back.
"""

SCHEDULE: tuple[Setting, ...] = (
    Setting("OnCalendar", "daily", 197),
    Setting("RandomizedDelaySec", "4h", 229),
    Setting("FixedRandomDelay", "yes", 247),
    Setting("Persistent", "yes", 212),
)
"""Once a day, each host at another time and that always at the same; what a host slept through is made up for."""

PATIENCE = "1h"
"""After that a renewal is ended, which takes back what it has half done: the next day tries again."""


@dataclass(frozen=True)
class Units:
    """Where the units lie, and for which systemd they are.

    Attributes:
        folder: where they lie.
        version: of that systemd; None: it is not known, and whatever it does not know it passes over.
        user: it is a user's own.
    """

    folder: Path
    version: int | None = None
    user: bool = False

    @property
    def service(self) -> Path:
        """The file of the service."""
        return self.folder / SERVICE

    @property
    def timer(self) -> Path:
        """The file of the timer."""
        return self.folder / TIMER

    @property
    def link(self) -> Path:
        """What makes systemd start the timer when it starts itself: what `systemctl enable` makes."""
        return self.folder / WANTS / TIMER

    @property
    def has_credentials(self) -> bool:
        """Whether this systemd keeps credentials encrypted."""
        return not self.user and self.version is not None and self.version >= WITH_CREDENTIALS

    def command(self, why: str, *words: str, tolerated: bool = False) -> Command:
        """A command for this systemd."""
        return Command(("systemctl", *(("--user",) if self.user else ()), *words), why, tolerated)

    @property
    def reload(self) -> Command:
        """What makes systemd read its units."""
        return self.command("a unit file changed", "daemon-reload")

    @property
    def start(self) -> Command:
        """What makes the timer run, or run by a new schedule."""
        return self.command("the timer runs from now on", "restart", TIMER)

    @property
    def stop(self) -> Command:
        """What ends the timer."""
        return self.command("the timer runs no more", "stop", TIMER, tolerated=True)

    @property
    def forget(self) -> Command:
        """What takes a failure of the last renewal off the list of those units that failed."""
        return self.command("how the last renewal ended is forgotten", "reset-failed", SERVICE, tolerated=True)

    def service_text(self, words: Sequence[str], *, credential: bool = False) -> str:
        """The service.

        Args:
            words: what it runs; each is taken literally, but HANDED_OVER.
            credential: whether systemd is to decrypt the passphrase for it.

        Raises:
            Refused: if a word cannot stand in a unit.
        """
        line = " ".join(word if word == HANDED_OVER else quote(word) for word in words)
        loaded = [("LoadCredentialEncrypted", f"{CREDENTIAL}:{CREDENTIAL_FILE}")] if credential else []
        run = [("Type", "oneshot"), *loaded, ("ExecStart", line), ("TimeoutStartSec", PATIENCE)]
        about = [("Description", "Renew the TLS certificates of Docker that are due"), ("After", "docker.service")]
        return render_drop_in({"Unit": about, "Service": [*run, *self._known(SANDBOX)]}, COMMENT)

    def timer_text(self) -> str:
        """The timer."""
        about = [("Description", "Look every day whether TLS certificates of Docker are due")]
        wanted = [("WantedBy", "timers.target")]
        return render_drop_in({"Unit": about, "Timer": self._known(SCHEDULE), "Install": wanted}, COMMENT)

    def _known(self, settings: Sequence[Setting]) -> list[tuple[str, str]]:
        """The lines that this systemd knows and may follow."""
        allowed = (one for one in settings if not (one.system and self.user))
        return [(one.key, one.value) for one in allowed if self.version is None or one.since <= self.version]


def version(facts: HostFacts) -> int | None:
    """Which systemd a host has; None: it was not asked, or said nothing that is understood.

    Args:
        facts: gathered with the row "timer".
    """
    answer = facts.outputs.get(SYSTEMCTL_VERSION)
    found = _ANSWER.match(answer.out) if answer and answer.code == 0 else None
    return int(found[1]) if found else None
