"""Small recorded trees of packagings, and what `configure` makes of each: `python -m tests.roots` writes it anew."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dockertls.daemon import certificates
from dockertls.daemon.configure import Style, Wanted, configure
from dockertls.daemon.packaging import packaging
from dockertls.documents.passwd import parse_passwd
from dockertls.errors import Refused
from dockertls.host import LocalHost
from dockertls.rows import gather

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

HERE = Path(__file__).parent
NAMES = sorted(tree.parent.name for tree in HERE.glob("*/tree"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def planted(name: str, root: Path) -> Path:
    """Copy a recorded tree to `root`: a checkout's modes and owners are not the packaging's."""
    shutil.copytree(HERE / name / "tree", root, symlinks=True)
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    passwd = root / "etc/passwd"
    for user in parse_passwd(passwd.read_text()) if passwd.exists() and os.geteuid() == 0 else ():
        home = root / str(user.home).lstrip("/")
        for path in (home, *home.rglob("*")) if user.home.parts[1] == "home" else ():
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return root


def looked_at(name: str, root: Path) -> HostFacts:
    """What is known of a recorded tree."""
    return gather(LocalHost(root=str(planted(name, root))), ("daemon",), now=NOW)


def configured(facts: HostFacts, style: Style) -> str:
    """What `configure` decides for a recorded tree, and its diff. Raises Refused where the style is not honoured."""
    places = packaging(facts).places
    ca, cert, key = (places.told_dir / name for name in certificates.MODES)
    found = configure(facts, Wanted(ca, cert, key, style=style))
    return f"{found.style.value}: {found.why}\n{found.plan.diff()}"


def expected(name: str, style: Style) -> Path:
    """The file that holds the expected diff; there is none where the style is not honoured."""
    return HERE / name / f"configure-{style.value}.diff"


def write_anew(name: str, root: Path) -> None:
    """Write the expected diffs of a tree as they are made now: read each of them before it is kept."""
    facts = looked_at(name, root)
    for style in Style:
        try:
            expected(name, style).write_text(configured(facts, style))
        except Refused:
            expected(name, style).unlink(missing_ok=True)
