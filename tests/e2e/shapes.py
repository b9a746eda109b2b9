"""Hosts of the shapes that packagings have: units with their real command lines, adapted to the dockerd at hand."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.lab import Lab

NAME = "alpha.example.net"
PHRASE = "/opt/lab/passphrase"
BOOTSTRAP = ("bootstrap", NAME, "--passphrase-file", PHRASE, "--yes")
SOCKET = "unix:///var/run/docker.sock"
TLS_FLAGS = (
    "--tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/etc/docker/server-cert.pem "
    "--tlskey=/etc/docker/server-key.pem"
)
DEFAULT = "/etc/default/docker"
SYSCONFIG = "/etc/sysconfig/docker"
JSON = "/etc/docker/daemon.json"
SERVICE = "/etc/systemd/system/docker.service"
SOCKET_UNIT = "/etc/systemd/system/docker.socket"
DROP_IN = "/etc/systemd/system/docker.service.d/zz-dockertls.conf"
GUARD = "/usr/local/lib/systemd/system/docker.service.d/zz-dockertls-guard.conf"
LISTENER = "/etc/systemd/system/docker.socket.d/zz-dockertls.conf"

UNIT = """[Unit]
After=network-online.target docker.socket containerd.service
Wants=network-online.target containerd.service
Requires=docker.socket

[Service]
Type=notify
{lines}
ExecReload=/bin/kill -s HUP $MAINPID
LimitNOFILE=1048576
TasksMax=infinity
TimeoutStartSec=0
Delegate=yes
KillMode=process
Restart=on-failure
StartLimitBurst=3
StartLimitInterval=60s

[Install]
WantedBy=multi-user.target
"""

OPTIONS = """# /etc/sysconfig/docker

# Modify these options if you want to change the way the docker daemon runs
OPTIONS="--selinux-enabled=false \\
  --log-driver=json-file \\
  --live-restore \\
  --default-ulimit nofile=1024:1024 \\
"
# what comes after it
OTHER='kept as it is'
"""


@dataclass(frozen=True)
class Shape:
    """How a packaging starts dockerd.

    Attributes:
        lines: of its [Service] section; none: Debian's own package, as it is installed.
        files: what else it has: path -> content.
        requires: whether the service requires docker.socket; if not, there is none.
    """

    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    requires: bool = True

    @property
    def laid_out(self) -> dict[str, str]:
        """All its files."""
        if not self.lines:
            return dict(self.files)
        unit = UNIT.format(lines="\n".join(self.lines))
        if self.requires:
            return {SERVICE: unit, **self.files}
        return {SERVICE: unit.replace("Requires=docker.socket\n", ""), SOCKET_UNIT: "", **self.files}


SEPARATE = "--containerd /run/containerd/containerd.sock"
RUNTIME = "--add-runtime oci=/usr/sbin/runc"
CONTAINERD = "--containerd=/run/containerd/containerd.sock"
SHAPES = {
    "debian": Shape(),
    "docker-ce": Shape((f"ExecStart=/usr/sbin/dockerd -H fd:// {CONTAINERD}",)),
    "fedora": Shape(
        (
            f"EnvironmentFile=-{SYSCONFIG}",
            "ExecStart=/usr/sbin/dockerd --host=fd:// --exec-opt native.cgroupdriver=cgroupfs $OPTIONS",
        ),
        {SYSCONFIG: OPTIONS},
    ),
    "amazon": Shape(
        (
            f"EnvironmentFile=-{SYSCONFIG}",
            f"EnvironmentFile=-{SYSCONFIG}-storage",
            "EnvironmentFile=-/run/docker/runtimes.env",
            f"ExecStart=/usr/sbin/dockerd -H fd:// {CONTAINERD} $OPTIONS $DOCKER_STORAGE_OPTIONS $DOCKER_ADD_RUNTIMES",
        ),
        {
            SYSCONFIG: 'DAEMON_MAXFILES=1048576\nOPTIONS="--default-ulimit nofile=1024:4096"\n',
            f"{SYSCONFIG}-storage": 'DOCKER_STORAGE_OPTIONS=""\n',
        },
    ),
    "opensuse": Shape(
        (
            f"EnvironmentFile={SYSCONFIG}",
            f"ExecStart=/usr/sbin/dockerd {SEPARATE} {RUNTIME} $DOCKER_NETWORK_OPTIONS $DOCKER_OPTS",
        ),
        {SYSCONFIG: 'DOCKER_OPTS=""\nDOCKER_NETWORK_OPTIONS=""\n'},
        requires=False,
    ),
}
"""By the packaging's name."""

SNAPSHOT = """
import hashlib, json, os, stat
found = {}
for top in ("/etc", "/home", "/root/.docker", "/usr/local/lib/systemd"):
    for folder, folders, files in os.walk(top):
        if folder == "/etc":
            folders.remove("dockertls") if "dockertls" in folders else None
        for name in [".", *folders, *files]:
            path = os.path.normpath(os.path.join(folder, name))
            status = os.lstat(path)
            content = os.readlink(path) if stat.S_ISLNK(status.st_mode) else ""
            if stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[path] = [oct(status.st_mode), status.st_uid, status.st_gid, content]
print(json.dumps(found))
"""
"""Every node of /etc, ~/.docker and the local units: kind, mode, owner, content; not the store, which stays."""


def snapshot(lab: Lab) -> dict[str, object]:
    found: dict[str, object] = json.loads(lab.output(sys.executable, "-c", SNAPSHOT))
    return found


def command_line(lab: Lab) -> str:
    return lab.shell(f"tr '\\0' ' ' </proc/{lab.main_pid()}/cmdline")


def answers(lab: Lab) -> bool:
    """Whether the local socket does."""
    return lab.run("docker", "--host", SOCKET, "version").returncode == 0


def prepared(lab: Lab) -> Lab:
    lab.write(PHRASE, "correct horse battery staple\n", 0o600)
    lab.image()
    return lab
