"""TABLE of the packagings of Docker: what starts dockerd, and where its flags, daemon.json and PEM files are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath as Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_DIR = Path("/etc/docker")
DAEMON_JSON = DOCKER_DIR / "daemon.json"
SERVICE = "docker.service"
HOME = Path("~")
"""Stands in a row for the home of the user whose daemon it is."""


def at_home(path: Path, home: Path) -> Path:
    """A path of a row with the home in it."""
    return home / path.relative_to(HOME) if path.is_relative_to(HOME) else path


class Init(Enum):
    """What starts dockerd."""

    SYSTEMD = "systemd"
    OPENRC = "openrc"
    SYSV = "sysv"
    NONE = "none"


RESTART: Mapping[Init, tuple[str, ...]] = MappingProxyType(
    {
        Init.SYSTEMD: ("systemctl", "restart", SERVICE),
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
        command: dockerd's command line as packaged, written as in a unit; of a script, what it comes to.
        environment: the file that gives the command line's variable its value; None: there is none.
        variable: the variable of that file; empty: there is none.
        reads: every EnvironmentFile= of its unit, written as there; none: `environment` alone, which may be missing.
        aliases: other names of it on the command line.
        signs: texts that its init script holds, to know it by.
        os_ids: the ID= of os-release where it is at home, to tell it from a packaging with the same unit.
        mark: what this package alone puts on a host, to tell it from another with the same unit.
        unit: the name of its systemd unit.
        wrapper: what the unit starts instead of dockerd; what it gives to dockerd is not ours to change.
        rootless: dockerd is an ordinary user's own, and so is its unit.
        daemon_json: where its dockerd looks for daemon.json.
        pem_dir: the folder on the host for authority, certificate and key.
        told_dir: the same folder as dockerd names it.
        restarted_by: what restarts it, where that is not what restarts every dockerd of its `init`.
        caveat: what its administrator must know of its TLS.
    """

    id: str
    title: str
    init: Init
    command: str
    environment: Path | None = None
    variable: str = ""
    reads: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    os_ids: tuple[str, ...] = ()
    mark: Path | None = None
    unit: str = SERVICE
    wrapper: str = ""
    rootless: bool = False
    daemon_json: Path = DAEMON_JSON
    pem_dir: Path = DOCKER_DIR
    told_dir: Path = DOCKER_DIR
    restarted_by: tuple[str, ...] = ()
    caveat: str = ""

    @property
    def restart(self) -> tuple[str, ...]:
        """What restarts its dockerd."""
        return self.restarted_by or RESTART[self.init]

    @property
    def environment_files(self) -> tuple[str, ...]:
        """Every EnvironmentFile= of its unit, written as there."""
        return self.reads or ((f"-{self.environment}",) if self.environment else ())


UPSTREAM = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
"""The command line of Docker's own unit, which several distributions ship as it is."""

SNAP_DATA = Path("/var/snap/docker/current")

TABLE: tuple[Platform, ...] = (
    Platform(
        id="docker-ce",
        title="Docker's own packages, docker-ce (deb)",
        init=Init.SYSTEMD,
        command=UPSTREAM,
        aliases=("docker-ce-deb",),
        os_ids=("debian", "ubuntu", "raspbian"),
    ),
    Platform(
        id="docker-ce-rpm",
        title="Docker's own packages, docker-ce (rpm)",
        init=Init.SYSTEMD,
        command=UPSTREAM,
        os_ids=("fedora", "rhel", "centos", "sles"),
    ),
    Platform(
        id="debian",
        title="Debian, docker.io",
        init=Init.SYSTEMD,
        command="/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS",
        environment=Path("/etc/default/docker"),
        variable="DOCKER_OPTS",
        os_ids=("debian",),
    ),
    Platform(
        id="ubuntu",
        title="Ubuntu, docker.io",
        init=Init.SYSTEMD,
        command=UPSTREAM,
        os_ids=("ubuntu",),
        mark=Path("/usr/share/docker.io"),
    ),
    Platform(
        id="fedora",
        title="Fedora, moby-engine",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd --host=fd:// --exec-opt native.cgroupdriver=systemd $OPTIONS",
        environment=Path("/etc/sysconfig/docker"),
        variable="OPTIONS",
        aliases=("moby-engine",),
        os_ids=("fedora",),
    ),
    Platform(
        id="rhel7",
        title="RHEL and CentOS 7, docker 1.13",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd-current --add-runtime docker-runc=/usr/libexec/docker/docker-runc-current"
        " --default-runtime=docker-runc --exec-opt native.cgroupdriver=systemd"
        " --userland-proxy-path=/usr/libexec/docker/docker-proxy-current"
        " --init-path=/usr/libexec/docker/docker-init-current --seccomp-profile=/etc/docker/seccomp.json"
        " $OPTIONS $DOCKER_STORAGE_OPTIONS $DOCKER_NETWORK_OPTIONS $ADD_REGISTRY $BLOCK_REGISTRY $INSECURE_REGISTRY"
        " $REGISTRIES",
        environment=Path("/etc/sysconfig/docker"),
        variable="OPTIONS",
        reads=(
            "-/run/containers/registries.conf",
            "-/etc/sysconfig/docker",
            "-/etc/sysconfig/docker-storage",
            "-/etc/sysconfig/docker-network",
        ),
        aliases=("centos7",),
        os_ids=("rhel", "centos"),
        caveat="docker 1.13 lets in clients of every authority that the system trusts, beside those of tlscacert",
    ),
    Platform(
        id="amazon",
        title="Amazon Linux 2 and 2023, docker",
        init=Init.SYSTEMD,
        command=f"{UPSTREAM} $OPTIONS $DOCKER_STORAGE_OPTIONS $DOCKER_ADD_RUNTIMES",
        environment=Path("/etc/sysconfig/docker"),
        variable="OPTIONS",
        reads=("-/etc/sysconfig/docker", "-/etc/sysconfig/docker-storage", "-/run/docker/runtimes.env"),
        aliases=("amazon2", "amazon2023"),
        os_ids=("amzn",),
    ),
    Platform(
        id="opensuse",
        title="openSUSE and SUSE Linux Enterprise, docker",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd --add-runtime oci=/usr/sbin/docker-runc $DOCKER_NETWORK_OPTIONS $DOCKER_OPTS",
        environment=Path("/etc/sysconfig/docker"),
        variable="DOCKER_OPTS",
        reads=("/etc/sysconfig/docker",),
        aliases=("sles", "suse"),
        os_ids=("opensuse", "suse", "sles"),
    ),
    Platform(
        id="openeuler",
        title="openEuler, moby",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd -H fd:// $OPTIONS",
        environment=Path("/etc/sysconfig/docker"),
        variable="OPTIONS",
        os_ids=("openEuler",),
    ),
    Platform(
        id="azurelinux",
        title="Azure Linux, moby-engine",
        init=Init.SYSTEMD,
        command=f"{UPSTREAM} --exec-opt native.cgroupdriver=systemd",
        aliases=("mariner",),
        os_ids=("azurelinux", "mariner"),
    ),
    Platform(
        id="arch",
        title="Arch Linux, docker",
        init=Init.SYSTEMD,
        command=UPSTREAM,
        os_ids=("arch",),
    ),
    Platform(
        id="gentoo-systemd",
        title="Gentoo, docker with systemd",
        init=Init.SYSTEMD,
        command=UPSTREAM,
        os_ids=("gentoo",),
    ),
    Platform(
        id="gentoo",
        title="Gentoo, docker with OpenRC",
        init=Init.OPENRC,
        command="/usr/bin/dockerd -p /run/docker.pid $DOCKER_OPTS",
        environment=Path("/etc/conf.d/docker"),
        variable="DOCKER_OPTS",
        aliases=("gentoo-openrc",),
        signs=("start_stop_daemon_args", '-p \\"${pidfile}\\"', "DOCKER_OPTS"),
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
    Platform(
        id="sysv-redhat",
        title="Red Hat's init script, where systemd does not run",
        init=Init.SYSV,
        command="/usr/bin/dockerd $other_args",
        environment=Path("/etc/sysconfig/docker"),
        variable="other_args",
        signs=("/etc/sysconfig/", "$other_args"),
    ),
    Platform(
        id="snap",
        title="the docker snap",
        init=Init.SYSTEMD,
        command="/snap/docker/current/bin/dockerd --group docker --exec-root=/run/snap.docker"
        " --data-root=/var/snap/docker/common/var-lib-docker --pidfile=/run/snap.docker/docker.pid"
        f" --config-file={SNAP_DATA}/config/daemon.json",
        unit="snap.docker.dockerd.service",
        wrapper="/usr/bin/snap run docker.dockerd",
        daemon_json=SNAP_DATA / "config/daemon.json",
        pem_dir=SNAP_DATA / "etc/docker",
        restarted_by=("snap", "restart", "docker"),
    ),
    Platform(
        id="rootless",
        title="rootless Docker, of an ordinary user",
        init=Init.SYSTEMD,
        command="/usr/bin/dockerd",
        wrapper="/usr/bin/dockerd-rootless.sh",
        rootless=True,
        daemon_json=HOME / ".config/docker/daemon.json",
        pem_dir=HOME / ".config/docker",
        told_dir=HOME / ".config/docker",
        restarted_by=("systemctl", "--user", "restart", SERVICE),
    ),
)

BY_NAME: Mapping[str, Platform] = MappingProxyType(
    {name: row for row in TABLE for name in (row.id, *row.aliases)},
)
