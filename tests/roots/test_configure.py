"""Small recorded /etc trees of real packagings, each with the diff that `configure` is to make of it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from dockertls.daemon.configure import Style, Wanted, configure
from dockertls.facts import gather
from dockertls.host import LocalHost

HERE = Path(__file__).parent
DOCKER = PurePosixPath("/etc/docker")
CASES = sorted(HERE.glob("*/configure-*.diff"))


def recorded(packaging: str, tmp_path: Path) -> LocalHost:
    """A copy of a recorded tree: a checkout's modes and owners are not the packaging's."""
    root = tmp_path / packaging
    shutil.copytree(HERE / packaging / "tree", root, symlinks=True)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return LocalHost(root=str(root))


def test_there_is_a_case_for_every_tree() -> None:
    assert {case.parent for case in CASES} == {tree.parent for tree in HERE.glob("*/tree")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_configure_makes_this_diff(case: Path, tmp_path: Path) -> None:
    style = Style(case.stem.removeprefix("configure-"))
    wanted = Wanted(DOCKER / "ca.pem", DOCKER / "server-cert.pem", DOCKER / "server-key.pem", style=style)
    facts = gather(recorded(case.parent.name, tmp_path), ("daemon",), now=datetime(2026, 1, 1, tzinfo=UTC))
    found = configure(facts, wanted)
    assert f"{found.style.value}: {found.why}\n{found.plan.diff()}" == case.read_text()
