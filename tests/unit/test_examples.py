from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_library_example_says_what_it_wants() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples/library.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "usage: python examples/library.py DIR\n"


def test_the_library_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples/library.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Passed") == 6
    assert "PRIVATE KEY" not in done.stdout
    assert (tmp_path / "etc/dockertls/clients/ann/current/key.pem").stat().st_mode & 0o777 == 0o600


def test_every_example_is_known_to_a_test() -> None:
    known = {"library.py", "client.py", "unattended.sh", "connect.md", "api"}  # api has a test of its own for each
    assert {path.name for path in (REPOSITORY / "examples").iterdir()} == known
