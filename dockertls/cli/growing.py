"""Standard output for a document that is written while it grows: no interrupt falls into the midst of a write."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockertls.cli.stdout import flushed, unwritable

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WHOLE = 4096  # bytes, PIPE_BUF: so many go into a pipe at once, or wait until they do


class Growing:
    """What is still to be written is kept: Python's own files lose it where an interrupt comes amid a write."""

    def __init__(self) -> None:
        self._left = bytearray()

    def put(self, text: str) -> None:
        """Write it, and what an interrupt left over before it."""
        self._left += text.encode()
        flushed()
        out = sys.stdout.fileno()
        while self._left:
            select.select([], [out], [])  # who does not read can be waited for, and the wait interrupted
            with held_back():
                del self._left[: self._written(out)]

    def _written(self, out: int) -> int:
        try:
            return os.write(out, self._left[:WHOLE])
        except OSError as error:
            raise unwritable(error) from error


@contextmanager
def held_back() -> Iterator[None]:
    """Let no interrupt come before the block ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
