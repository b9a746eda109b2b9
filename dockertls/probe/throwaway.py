"""A daemon for one rehearsal: a real dockerd in a folder of its own, reading and leaving nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dockertls.errors import NotReady
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE = 20.0  # seconds for dockerd to listen, and again to stop
ALOOF = (
    "--iptables=false",
    "--ip-forward=false",
    "--ip-masq=false",
    "--bridge=none",
    "--storage-driver=vfs",
)
"""What keeps a second dockerd from touching the host's network and the first one's data."""


@contextmanager
def folder() -> Iterator[Path]:
    """A private folder (mode 0700) that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="dockertls-rehearsal-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dockerd(program: Path, words: Sequence[str], place: Path, port: int) -> Iterator[str]:
    """Run a dockerd until the block ends.

    Args:
        program: the binary.
        words: hosts and TLS options, as they were written for it.
        place: where its data, its sockets and its configuration file lie.
        port: where it shall listen, to know when it does.

    Yields:
        What it says of its version.

    Raises:
        NotReady: if it does not start here; with the end of its log.
    """
    (place / "daemon.json").write_text("{}\n")
    own = [f"--config-file={place}/daemon.json", f"--data-root={place}/data", f"--exec-root={place}/exec"]
    own += [f"--pidfile={place}/pid", f"--host=unix://{place}/docker.sock"]
    environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "HOME": str(place)}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, *own, *ALOOF, *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    try:
        _wait(process, place, port)
        yield _version(program, environment)
    finally:
        _stop(process, place)


def _wait(process: subprocess.Popen[bytes], place: Path, port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    tail = (place / "log").read_text(errors="replace").strip().splitlines()[-3:]
    raise NotReady("dockerd does not start here", "\n".join(visible(line) for line in tail))


def _version(program: Path, environment: dict[str, str]) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, env=environment, check=False)
    return visible(done.stdout.decode(errors="replace").strip().split(",")[0])


def _stop(process: subprocess.Popen[bytes], place: Path) -> None:
    """Ask it to end, and its containerd with it; by their own process ids."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(OSError, ValueError):
        os.kill(int((place / "exec/containerd/containerd.pid").read_text()), signal.SIGTERM)
