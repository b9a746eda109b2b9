"""Real hosts on one machine: systemd-nspawn boots systemd and dockerd on an overlay of the machine's own file system.

A host lives in namespaces of its own, its mounts and its network included, so all of it is gone when its processes are.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds, on a busy machine; a host is up in two
CGROUPS = Path("/sys/fs/cgroup")
NETWORKS = range(1, 250)
PREFIX = "dockertls-lab-"
IMAGE = "lab:test"
LASTING = ("/usr/bin/sleep", "3600")

FORGOTTEN = ("etc/docker", "etc/dockertls", "var/lib/dockertls", "root/.docker", "etc/systemd/system/docker.service.d")
"""What of the machine's own state no host shall see."""

APART = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
"""What starts a host: all of it is killed when this is, and this when the tests are."""

MASKED = (
    "docker-registry.service",
    "apparmor.service",
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "man-db.timer",
    "postgresql.service",
    "remote-fs.target",
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
)
"""Units that hosts do not want; those that the machine does not have do no harm."""

WRITABLE_CGROUPS = """[Unit]
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for one in /sys/fs/cgroup/*; do mount -o remount,rw,bind $one || true; done'

[Install]
WantedBy=sysinit.target
"""

START = """set -e
for folder in {cgroups}; do echo $$ >$folder/cgroup.procs; done
mount -t tmpfs tmpfs {work}
cd {work}
mkdir upper overlay root docker containerd
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=overlay root
(cd root && rm -rf {forgotten})
cp -a {files}/. root
exec systemd-nspawn {options}
"""


@dataclass(frozen=True)
class Lab:
    """A host that is up.

    Attributes:
        name: its host name.
        leader: the process id of its systemd, as the machine counts.
        address: of its own, which the machine reaches.
    """

    name: str
    leader: int
    address: str

    def argv(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs a command inside, as root with a login's environment."""
        variables = {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(REPOSITORY),
            "SHELL": "/bin/bash",
            "TERM": "dumb",
            **(environment or {}),
        }
        enter = ["nsenter", "--target", str(self.leader), "--all", "--wdns=/root", "--"]
        return [*enter, "env", "-i", *(f"{key}={value}" for key, value in variables.items()), *command]

    def run(
        self, *command: str, environment: Mapping[str, str] | None = None, given: bytes | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and wait for it; off any terminal."""
        done = subprocess.run(
            self.argv(command, environment), input=given or b"", capture_output=True, check=False, timeout=180
        )
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return subprocess.CompletedProcess(command, done.returncode, out, err)

    def output(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """What a command that must succeed says."""
        done = self.run(*command, environment=environment)
        assert done.returncode == 0, f"{shlex.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def shell(self, script: str, environment: Mapping[str, str] | None = None) -> str:
        """What a script that must succeed says."""
        return self.output("bash", "-euc", script, environment=environment)

    def start(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Run a command inside and do not wait for it."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.argv(command, environment), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
        )

    def dockertls(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the program that is tested, from its source."""
        return self.run(*PROGRAM, *arguments, environment=environment)

    def path(self, path: str) -> Path:
        """A path of the host as the machine sees it; links in it that are absolute lead to the machine's own."""
        return Path(f"/proc/{self.leader}/root") / path.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file there."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def main_pid(self) -> str:
        """The process id of the host's dockerd."""
        return self.output("systemctl", "show", "--property=MainPID", "--value", "docker")

    def image(self) -> None:
        """Give the host's docker an image that holds `sleep` and nothing else."""
        program = LASTING[0]
        libraries = f"ldd {program} | grep -o '/[^ ]*'"
        self.shell(f"tar -chf - {program} $({libraries}) 2>/dev/null | docker import - {IMAGE}")

    def container(self, name: str) -> str:
        """Start a container that runs on until somebody ends it, and tell its process id."""
        self.output("docker", "run", "--detach", "--stop-signal=KILL", f"--name={name}", IMAGE, *LASTING)
        return self.container_pid(name)

    def container_pid(self, name: str) -> str:
        """The process id of a container; 0 if it does not run."""
        return self.output("docker", "inspect", "--format", "{{.State.Pid}}", name)


PROGRAM = (sys.executable, "-m", "dockertls")
JOURNALS = ("/var/lib/dockertls/journal.json", "/var/lib/dockertls/journal.activating.json")
KILLED = -9  # how a program ends that killed itself


def until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until something is true. Raises TimeoutError."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


@contextmanager
def host(name: str, files: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """Boot a host; all of it is gone afterwards, whatever happens.

    Args:
        name: its host name.
        files: path -> content, laid over the machine's own file system before the host boots.
    """
    with contextlib.ExitStack() as stack:
        _sweep()
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-")))
        cgroups = tuple(stack.enter_context(_cgroup(folder)) for folder in _cgroup_folders(work.name))
        (work / "mount").mkdir()
        _lay_out(work / "files", name, files or {})
        log = stack.enter_context((work / "log").open("w+b"))
        process = _boot(work, name, cgroups, log.fileno())
        stack.callback(_end, process)
        try:
            until(lambda: _leader(process), "no host came up")
            leader = _leader(process)
            assert leader is not None
            lab = Lab(name, leader, stack.enter_context(_network(leader)))
            until(lambda: _is_up(lab), "the host did not come up")
        except (TimeoutError, AssertionError) as error:
            log.seek(0)
            raise RuntimeError(log.read().decode(errors="replace")) from error
        yield lab


def _sweep() -> None:
    """Remove the empty folders that tests left which were killed; their hosts are gone."""
    for work in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not Path("/proc", work.name.removeprefix(PREFIX).partition("-")[0]).exists():
            for folder in _cgroup_folders(work.name):
                _removed(folder)
            shutil.rmtree(work, ignore_errors=True)


def _lay_out(folder: Path, name: str, files: Mapping[str, str]) -> None:
    """The files of a host that are not the machine's."""
    units = folder / "etc/systemd/system"
    wanted = units / "sysinit.target.wants"
    wanted.mkdir(parents=True)
    for unit in MASKED:
        (units / unit).symlink_to("/dev/null")
    (wanted / "lab-cgroups.service").symlink_to("../lab-cgroups.service")
    own = {
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {name}.example.net {name}\n",
        "/etc/machine-id": "",
        "/etc/systemd/system/lab-cgroups.service": WRITABLE_CGROUPS,
    }
    for path, content in {**own, **files}.items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (folder / "etc/docker").mkdir(exist_ok=True)
    _as_usual(folder)


def _as_usual(folder: Path) -> None:
    """Modes of directories as on every host, whatever the umask: they are laid over the machine's own."""
    for path in (folder, *(one for one in folder.rglob("*") if not one.is_symlink())):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _boot(work: Path, name: str, cgroups: Sequence[Path], log: int) -> subprocess.Popen[bytes]:
    """Start systemd-nspawn in a mount namespace of its own; it dies with this process."""
    options = [
        "--quiet",
        "--boot",
        "--directory=root",
        f"--machine={name}",
        "--register=no",
        "--keep-unit",
        "--private-network",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--capability=all",
        "--system-call-filter=add_key keyctl bpf",
        "--console=pipe",
        f"--bind={work}/mount/docker:/var/lib/docker",
        f"--bind={work}/mount/containerd:/var/lib/containerd",
        *(f"--bind-ro={path}" for path in _hidden()),
    ]
    script = START.format(
        cgroups=" ".join(map(str, cgroups)),
        work=work / "mount",
        files=work / "files",
        forgotten=" ".join(FORGOTTEN),
        options=shlex.join(options),
    )
    return subprocess.Popen(
        ["setpriv", "--pdeathsig=KILL", *APART, "sh", "-c", script],
        env={**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _hidden() -> tuple[Path, ...]:
    """What the program needs and an overlay of / does not show: other file systems, and below /tmp and /run."""
    device = Path("/").stat().st_dev
    needed = dict.fromkeys((REPOSITORY, Path(sys.prefix), Path(sys.base_prefix)))
    return tuple(
        path for path in needed if path.stat().st_dev != device or {"tmp", "run"} & set(path.resolve().parts[1:2])
    )


def _leader(process: subprocess.Popen[bytes]) -> int | None:
    """The host's first process, once it is systemd: the child of systemd-nspawn, which is that of unshare."""
    if process.poll() is not None:
        raise TimeoutError(f"systemd-nspawn ended with exit code {process.returncode}")
    leaders = [child for spawner in _children(process.pid) for child in _children(spawner)]
    return next((child for child in leaders if _name_of(child) == "systemd"), None)


def _children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def _name_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def _is_up(lab: Lab) -> bool:
    state = lab.run("systemctl", "is-system-running").stdout.strip()
    return state in {"running", "degraded"}


@contextmanager
def _network(leader: int) -> Iterator[str]:
    """A cable between the machine and a host; its number is free because the kernel gave it the name."""
    for number in NETWORKS:
        here = f"dtlslab{number}"
        cable = ["ip", "link", "add", here, "type", "veth", "peer", "name", "host0", "netns", str(leader)]
        if subprocess.run(cable, capture_output=True, check=False).returncode == 0:
            break
    else:
        raise RuntimeError("no cable could be laid")
    inside = ["nsenter", "--target", str(leader), "--net", "ip"]
    try:
        for command in (
            ["ip", "address", "add", f"10.78.{number}.1/24", "dev", here],
            ["ip", "link", "set", here, "up"],
            [*inside, "address", "add", f"10.78.{number}.2/24", "dev", "host0"],
            [*inside, "link", "set", "host0", "up"],
            [*inside, "route", "add", "default", "via", f"10.78.{number}.1"],
        ):
            subprocess.run(command, check=True, capture_output=True)
        yield f"10.78.{number}.2"
    finally:
        subprocess.run(["ip", "link", "delete", here], capture_output=True, check=False)


def _cgroup_folders(name: str) -> tuple[Path, ...]:
    """A folder for a host in each hierarchy, below that of this process, or hosts would share theirs."""
    folders: list[Path] = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, place = line.split(":", 2)
        mount = CGROUPS / controllers.removeprefix("name=")
        if not controllers and (CGROUPS / "unified").is_dir():
            mount = CGROUPS / "unified"
        folder = mount / place.lstrip("/")
        if (folder / "cgroup.procs").exists():
            folders.append(folder / name)
    return tuple(folders)


@contextmanager
def _cgroup(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    for setting in ("cpuset.cpus", "cpuset.mems"):  # a new folder has none, and lets no process in
        if (folder / setting).exists() and (folder.parent / setting).exists():
            (folder / setting).write_text((folder.parent / setting).read_text())
    try:
        yield folder
    finally:
        until(lambda: _removed(folder), f"{folder} is still in use", 10)


def _removed(folder: Path) -> bool:
    """Remove a folder of a cgroup hierarchy with all below it, which is empty of processes by now."""
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            Path(path).rmdir()
    return not folder.exists()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a host at once: the kernel kills all that is in its process namespace."""
    for spawner in _children(process.pid):  # before its parent, who then does not leave it behind
        os.kill(spawner, signal.SIGKILL)
    try:
        process.wait(10)
    finally:
        process.kill()


__all__ = ["IMAGE", "PROGRAM", "Lab", "host", "until"]
