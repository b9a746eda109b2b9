"""A command on a terminal of its own, and somebody who answers what it asks."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = (
    (re.compile(rb"new passphrase for the authority's key: $"), b"a passphrase\n"),
    (re.compile(rb"passphrase of the authority's key: $"), b"a passphrase\n"),
    (re.compile(rb"passphrase of the PKCS#12 [^\r\n]*: $"), b"a passphrase\n"),
    (re.compile(rb"once more: $"), b"a passphrase\n"),
    (re.compile(rb"\[y/N\] $"), b"y\n"),
)
PATIENCE = 240.0  # seconds for all that it does


def in_a_terminal(argv: list[str], folder: Path) -> tuple[int, str]:
    """Run a command on a terminal of its own and answer what it asks."""
    master, slave = pty.openpty()
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, cwd=folder, start_new_session=True)
    os.close(slave)
    seen, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the terminal is closed: nobody is left on the other side
                break
            seen += piece
            answer = next((text for pattern, text in ANSWERS if pattern.search(seen)), None)
            if answer:
                os.write(master, answer)
                seen += b"<answered>"
        elif process.poll() is not None:
            break
    process.kill()
    os.close(master)
    return process.wait(), seen.decode(errors="replace")
