"""TABLE of the packagings of Docker: what starts dockerd, and where its flags and its daemon.json are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DAEMON_JSON = Path("/etc/docker/daemon.json")


class Init(Enum):
    """What starts dockerd."""

    SYSTEMD = "systemd"
    OPENRC = "openrc"
    SYSV = "sysv"
    NONE = "none"


RESTART: Mapping[Init, tuple[str, ...]] = MappingProxyType(
    {
        Init.SYSTEMD: ("systemctl", "restart", "docker.service"),
        Init.OPENRC: ("rc-service", "docker", "restart"),
        Init.SYSV: ("service", "docker", "restart"),
        Init.NONE: (),
    }
)
"""What restarts dockerd, by what starts it; no words: nothing that is known."""


@dataclass(frozen=True)
class Platform:
    """One packaging of Docker.

    Attributes:
        id: its name on the command line.
        title: for people.
        init: what starts dockerd; a shell reads the environment file unless it is systemd.
        command: dockerd's command line as packaged, written as in a unit; of an init script, what it comes to.
        environment: the file that gives the command line's variable its value; None: there is none.
        variable: the variable of that file; empty: there is none.
        aliases: other names of it on the command line.
        signs: texts that its init script holds, to know it by.
        daemon_json: where its dockerd looks for daemon.json.
    """

    id: str
    title: str
    init: Init
    command: str
    environment: Path | None = None
    variable: str = ""
    aliases: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    daemon_json: Path = DAEMON_JSON

    @property
    def restart(self) -> tuple[str, ...]:
        """What restarts its dockerd."""
        return RESTART[self.init]


TABLE: tuple[Platform, ...] = (
    Platform(
        id="debian",
        title="Debian and Ubuntu, docker.io",
        init=Init.SYSTEMD,
        command="/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS",
        environment=Path("/etc/default/docker"),
        variable="DOCKER_OPTS",
        aliases=("ubuntu",),
    ),
    Platform(
        id="fedora",
        title="Fedora, moby-engine",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd --host=fd:// --exec-opt native.cgroupdriver=systemd $OPTIONS",
        environment=Path("/etc/sysconfig/docker"),
        variable="OPTIONS",
    ),
    Platform(
        id="docker-ce",
        title="Docker's own packages, docker-ce",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock",
    ),
    Platform(
        id="alpine",
        title="Alpine Linux, docker with OpenRC",
        init=Init.OPENRC,
        command="/usr/bin/dockerd $DOCKER_OPTS",
        environment=Path("/etc/conf.d/docker"),
        variable="DOCKER_OPTS",
        signs=("supervise-daemon", "DOCKER_OPTS"),
    ),
    Platform(
        id="sysv-debian",
        title="Debian's init script, where systemd does not run",
        init=Init.SYSV,
        command="/usr/sbin/dockerd -p /var/run/docker.pid $DOCKER_OPTS",
        environment=Path("/etc/default/docker"),
        variable="DOCKER_OPTS",
        signs=("start-stop-daemon", "/etc/default/", "DOCKER_OPTS"),
    ),
)

BY_NAME: Mapping[str, Platform] = MappingProxyType(
    {name: row for row in TABLE for name in (row.id, *row.aliases)},
)
