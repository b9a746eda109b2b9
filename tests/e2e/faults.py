"""What the operating system may refuse, and file systems that do."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PAGE = 4096
ERRORS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "fchmod": ("EPERM", "EIO"),
        "fchown": ("EPERM",),
        "fsetxattr": ("EACCES", "ENOSPC"),  # EPERM is what a label meets that nobody enforces: it is let go
        "fsync": ("EIO", "ENOSPC"),
        "mkdirat": ("ENOSPC", "EROFS"),
        "openat": ("ENOSPC", "EROFS", "EPERM"),
        "renameat": ("ENOSPC", "EIO", "EROFS", "EPERM"),
        "symlinkat": ("ENOSPC", "EROFS"),
        "unlinkat": ("EIO", "EPERM"),
        "vfork": ("EAGAIN",),
        "write": ("ENOSPC", "EIO"),
    }
)
"""Errors of each system call that a change makes; a call that is not here fails the test that meets it."""
LASTING: Mapping[str, str] = MappingProxyType(
    {"fsync": "EIO", "mkdirat": "ENOSPC", "renameat": "EROFS", "symlinkat": "ENOSPC", "unlinkat": "EROFS"}
)
"""What a disk that dies, fills up or turns read-only refuses from then on."""
SAID: Mapping[str, str] = MappingProxyType(
    {
        "EACCES": "Permission denied",
        "EIO": "Input/output error",
        "ENOSPC": "No space left on device",
        "EPERM": "Operation not permitted",
        "EROFS": "Read-only file system",
    }
)


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Let all that is in a folder lie on a file system of its own; it is gone from there afterwards."""
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"mode={aside.stat().st_mode & 0o7777:o}", "none", folder], check=True
    )
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
        aside.rename(folder)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


@contextmanager
def filling(folder: Path, what: str, room: int) -> Iterator[None]:
    """A file system as `mounted`, with little room left on it.

    Args:
        folder: what lies there.
        what: "size" or "nr_inodes".
        room: how many pages or inodes are left.
    """
    with mounted(folder):
        status = os.statvfs(folder)
        inodes, pages = status.f_files - status.f_ffree, status.f_blocks - status.f_bfree
        enough = inodes + room if what == "nr_inodes" else (pages + room) * PAGE
        remount(folder, f"{what}={enough}")
        yield
