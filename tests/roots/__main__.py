"""Write the expected diffs of every recorded tree anew, as root; `git diff` then shows what changed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.roots.recorded import NAMES, write_anew

with tempfile.TemporaryDirectory() as scratch:
    for name in sys.argv[1:] or NAMES:
        write_anew(name, Path(scratch) / name)
