"""Files and programs that the user names: read whole, or while they are used."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, cast

from dockertls.errors import NotReady, Refused
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

LARGEST_INPUT = 4 * 1024 * 1024  # bytes
BLOCK = 64 * 1024  # bytes that are read at once


def read_input(path: str, what: str, largest: int = LARGEST_INPUT) -> bytes:
    """A file that the user named; "-" is standard input.

    Args:
        path: as it was named.
        what: it is, for messages.
        largest: bytes that are read at most.

    Raises:
        NotReady: if it cannot be read.
        Refused: if it is too large.
    """
    _refuse_closed(path)
    try:
        if path == "-":
            content = sys.stdin.buffer.read(largest + 1)
        else:
            with _file(path) as file:
                content = file.read(largest + 1)
    except (OSError, ValueError) as error:
        raise unreadable(path, what, error) from error
    if len(content) > largest:
        raise Refused(f"{what} {visible(path)} is larger than {largest >> 20} MiB", "is it the right file?")
    return content


def _refuse_closed(path: str) -> None:
    """Raises NotReady if that is meant, and closed."""
    if path == "-" and sys.stdin is None:
        raise NotReady("standard input is closed", "name a file, or open it")


def _file(path: str) -> BufferedReader:
    return open(path, "rb")  # noqa: PTH123 - pathlib takes longer to load than a file to read


def mode_of(path: str) -> int | None:
    """The permission bits of a file that the user named; None: it has none, or they cannot be seen."""
    try:
        return None if path == "-" else stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 - as above
    except (OSError, ValueError):
        return None


def is_there(path: str) -> bool:
    """Whether a path that the user named leads to anything, be it a link into nowhere."""
    return os.path.lexists(path)


def unreadable(path: str, what: str, error: OSError | ValueError) -> NotReady:
    """The error for a file that the user named."""
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return NotReady(f"{what} {visible(path)} cannot be read: {reason}", "look at the path and its mode")


def runnable(program: str) -> str:
    """The absolute path of a program that the user named, with or without a folder.

    Raises:
        NotReady: if it cannot be run, or others than its owner could put another one in its place.
    """
    import shutil
    from pathlib import Path

    found = shutil.which(program)
    if found is None:
        raise NotReady(f"{visible(program)} is no program that can be run", "look at its path and its mode")
    path = Path(found).resolve()
    if path.stat().st_mode & stat.S_IWOTH:
        raise NotReady(f"everybody may write {visible(str(path))}", f"chmod o-w {visible(str(path))}")
    return str(path)


@contextmanager
def opened(path: str, what: str) -> Iterator[tuple[Iterator[bytes], int | None]]:
    """A file that the user named, of any size; "-" is standard input.

    Yields:
        What reads it part by part, and its size; None: that is known at its end.

    Raises:
        NotReady: if it cannot be read; also while it is.
    """
    _refuse_closed(path)
    with ExitStack() as stack:
        try:
            file = cast("BufferedReader", sys.stdin.buffer) if path == "-" else stack.enter_context(_file(path))
            status = os.fstat(file.fileno())
            size = status.st_size - file.tell() if stat.S_ISREG(status.st_mode) else 0
        except (OSError, ValueError) as error:
            raise unreadable(path, what, error) from error
        known = size if size > 0 else None  # what is made as it is read, in /proc, says 0
        yield _parts(file, known, f"{what} {visible(path)}"), known


def _parts(file: BufferedReader, size: int | None, what: str) -> Iterator[bytes]:
    done = 0
    while size is None or done < size:
        try:
            part = file.read1(BLOCK if size is None else min(BLOCK, size - done))
        except OSError as error:
            raise NotReady(f"{what} cannot be read: {error.strerror}", "look at the disk that it lies on") from error
        if not part and size is not None:
            raise NotReady(f"{what} became shorter while it was read", "run it again when nobody writes to it")
        if not part:
            return
        done += len(part)
        yield part
