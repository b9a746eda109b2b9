"""What every command costs before it does anything: `--help` and `--version` load nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from dockertls.cli.app import run
code = run(sys.argv[1:])
loaded = [name for name in sys.modules if name.partition(".")[0] in {"cryptography", "rich", "yaml", "idna"}]
print("LOADED", code, sorted(loaded))
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["bootstrap", "--help"], ["ca", "--help"]])
def test_help_and_version_load_no_cryptography_and_no_renderers(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.stdout.splitlines()[-1] == "LOADED 0 []", done.stdout
