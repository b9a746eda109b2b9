"""Where the benchmark runs: dockertls as a user installs it, beside its run-time dependencies and nothing else.

The development environment would not do: what a test tool brings in is imported by others if it is there, and an
editable install is compiled anew by every process where bytecode may not be written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / ".venv-bench"
PYTHON = FOLDER / "bin/python"
DOCKERTLS = FOLDER / "bin/dockertls"

CLEAN = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith(("PYTHON", "DOCKER", "OPENSSL")) and key not in {"VIRTUAL_ENV", "SUDO_USER"}
}
"""The environment of everything that is measured: nothing of ours steers Python, openssl or dockertls."""


def install() -> None:
    """Make the environment anew, with this tree in it, compiled."""
    _quietly(sys.executable, "-m", "venv", "--clear", str(FOLDER))
    (FOLDER / ".gitignore").write_text("*\n")
    _quietly(str(PYTHON), "-m", "pip", "install", "--quiet", str(PROJECT))


def _quietly(*argv: str) -> None:
    subprocess.run(argv, env=CLEAN, check=True, stdout=sys.stderr)


def run(argv: list[str], folder: Path) -> None:
    """Run what is measured; its output goes nowhere. Raises CalledProcessError if it fails."""
    subprocess.run(argv, cwd=folder, env=CLEAN, check=True, capture_output=True)


def most_memory(argv: list[str], folder: Path) -> float:
    """The most memory that a program holds at once, in megabytes."""
    process = subprocess.Popen(argv, cwd=folder, env=CLEAN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, argv)
    return used.ru_maxrss / 1024


def answer(argv: list[str]) -> str:
    """What a program says, in one line."""
    return subprocess.run(argv, env=CLEAN, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for all that is made, gone when it is left and not before.

    ext4 passes over what was deleted within the last minutes when it looks for a free inode: who deletes a thousand
    files and makes a thousand beside them waits ten times as long for each.
    """
    with TemporaryDirectory(prefix="work-", dir=FOLDER) as name:
        yield Path(name)


def fresh(folder: Path) -> Path:
    """An empty folder."""
    return Path(mkdtemp(dir=folder))
