"""Standard output and standard error, where it may be that nothing can be written: on a full disk, or closed."""

from __future__ import annotations

import os
import sys

from dockertls.errors import NotReady


def put(text: str) -> None:
    """Write it.

    Raises:
        BrokenPipeError: whoever read it went away.
        NotReady: it cannot be written, or is closed.
    """
    if sys.stdout is None:
        raise NotReady("standard output is closed", "open it: the result has nowhere to go")
    try:
        sys.stdout.write(text)
    except OSError as error:
        raise unwritable(error) from error


def flushed() -> None:
    """See what was written off; raises as `put`."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> OSError | NotReady:
    """What to raise; nothing more is written then, nor flushed at exit."""
    if isinstance(error, BrokenPipeError):
        return error
    sys.stdout = None
    message = f"standard output cannot be written: {error.strerror}"
    return NotReady(message, "is the disk full? dockertls history tells whether something was changed")


def hear() -> None:
    """Have a standard error: what is said to one that is closed is lost, and no failure."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - it stays open as long as the process
