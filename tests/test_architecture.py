"""The house's two tables: who may import whom, and which files are doors to the world."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent / "dockertls"

LAYERS = (
    {"errors", "escaping", "masking"},
    {"plan", "findings"},
    {"platforms", "documents"},
    {"ways"},
    {"host"},
    {"pki", "apply", "facts", "rows", "look", "journal", "undo", "copies"},
    {"daemon", "client", "probe", "report", "timer"},
    {"audit"},
    {"cli"},
)
"""From the ground up: a module imports from lower layers, and from its own room."""

DOORS = {
    "host",
    "ways",
    "probe.api",
    "probe.handshake",
    "probe.kit",
    "probe.meeting",
    "probe.request",
    "probe.standin",
    "probe.throwaway",
    "probe.wire",
    "cli.console",
    "cli.growing",
    "cli.files",
    "cli.stdout",
}
"""The only modules that reach the operating system."""

CLOSED = {"os", "subprocess", "socket", "ssl", "fcntl", "tempfile", "http", "socketserver", "shutil", "pwd"}
CALLS = {"open", "print", "input", "now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes"}

ONE_ROOM = {
    "apply": {"journal"},
    "undo": {"journal"},
    "copies": {"facts"},
    "facts": {"look"},
    "rows": {"facts", "look"},
}
"""Files of one room: journal and undo were split off apply for its length, look and rows off facts."""

MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name not in {"__init__.py", "__main__.py"})


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def in_memory(call: ast.Name | ast.Attribute) -> bool:
    """tarfile.open with a buffer opens no file."""
    return isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "tarfile"


def layer(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_down(path: Path) -> None:
    room = name_of(path).partition(".")[0]
    own = layer(room)
    wanted = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("dockertls.")}
    rooms = set().union(*LAYERS)
    wrong = {other for other in wanted & rooms if other != room and layer(other) >= own} - ONE_ROOM.get(room, set())
    assert not wrong, f"{room} imports {wrong}"


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path) not in DOORS], ids=name_of)
def test_only_doors_reach_the_world(path: Path) -> None:
    tree = ast.parse(path.read_text())
    reached = {name.partition(".")[0] for name in imports(tree)} & CLOSED
    assert not reached, f"it imports {reached}"
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and not in_memory(node.func)
    }
    from_console = {"now"} if "dockertls.cli.console.now" in set(imports(tree)) else set()
    assert not (called & CALLS) - from_console


def test_every_module_has_a_layer() -> None:
    assert {name_of(path).partition(".")[0] for path in MODULES} <= set().union(*LAYERS)


def test_every_door_is_there() -> None:
    assert {name_of(path) for path in MODULES} >= DOORS
