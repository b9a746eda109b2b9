"""Standard output, where it may be that nothing can be written: on a full disk, or closed."""

from __future__ import annotations

import sys

from dockertls.errors import NotReady


def put(text: str) -> None:
    """Write it.

    Raises:
        BrokenPipeError: whoever read it went away.
        NotReady: it cannot be written.
    """
    try:
        sys.stdout.write(text)
    except OSError as error:
        raise unwritable(error) from error


def flushed() -> None:
    """See what was written off; raises as `put`."""
    try:
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
