"""What root runs every day, and the secrets that it reads: out of everybody else's reach."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.facts import HostFacts
from dockertls.plan import Directory, File, Link, Node
from dockertls.timer.safety import HOOK, PROGRAM, program_faults, secret_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

ANN = 1000
SAFE: dict[str, Node] = {
    "/": Directory(),
    "/opt": Directory(),
    "/opt/bin": Directory(),
    "/opt/bin/python": Link("/usr/bin/python3"),
    "/usr": Directory(),
    "/usr/bin": Directory(),
    "/usr/bin/python3": File(b"", 0o755),
}


def host(changed: Mapping[str, Node | None] | None = None) -> HostFacts:
    nodes = {**SAFE, **(changed or {})}
    links = {Path(path): Path(node.target) for path, node in nodes.items() if isinstance(node, Link)}
    return HostFacts(datetime.now(UTC), files={Path(path): node for path, node in nodes.items()}, links=links)


def complaints(facts: HostFacts, uid: int = 0) -> list[str]:
    return [fault.message for fault in program_faults(facts, Path("/opt/bin/python"), uid, PROGRAM)]


def test_what_is_roots_alone_is_safe() -> None:
    assert complaints(host()) == []


@pytest.mark.parametrize(
    ("path", "node"),
    [
        ("/opt", Directory(0o755, (ANN, ANN))),
        ("/opt/bin", Directory(0o777)),
        ("/opt", Directory(0o775, (0, 50))),
        ("/usr", Directory(0o757)),
        ("/usr/bin/python3", File(b"", 0o777)),
        ("/usr/bin/python3", File(b"", 0o755, (ANN, ANN))),
    ],
)
def test_a_place_on_the_way_that_others_write_is_named(path: str, node: Node) -> None:
    (told,) = complaints(host({path: node}))
    assert told.endswith(f"{path} is theirs to write")


@pytest.mark.parametrize(
    "node", [Directory(0o1777), Directory(0o1775, (0, 30000)), Directory(0o775)], ids=["sticky", "nix", "group root"]
)
def test_a_folder_in_which_nobody_replaces_what_is_roots_is_safe(node: Node) -> None:
    assert complaints(host({"/opt": node})) == []


def test_a_user_may_run_what_is_his_own() -> None:
    his = host({"/opt/bin": Directory(0o775, (ANN, ANN))})
    assert complaints(his, ANN) == []
    assert len(complaints(his)) == 1


@pytest.mark.parametrize("path", ["/tmp/x", "/var/tmp/x", "/run/x", "/root/.cache/uv/bin/python"])  # noqa: S108 - refused
def test_what_may_be_gone_tomorrow_is_refused(path: str) -> None:
    (fault,) = program_faults(host(), Path(path), 0, PROGRAM)
    assert "where nothing stays" in fault.message


def test_a_program_that_is_not_there_is_told() -> None:
    assert program_faults(host({"/opt/bin/hook": File(b"", 0o755)}), Path("/opt/bin/hook"), 0, HOOK) == ()
    (fault,) = program_faults(host({"/opt/bin": None}), Path("/opt/bin/hook"), 0, HOOK)
    assert fault.message == "the hook /opt/bin/hook is not there"


FOLDER: dict[str, Node] = {"/": Directory(), "/root": Directory(0o700)}
SECRET = Path("/root/passphrase")


def about(node: Node | None, folder: Node | None = None) -> list[str]:
    nodes = {**FOLDER, **({"/root": folder} if folder else {}), str(SECRET): node}
    facts = HostFacts(datetime.now(UTC), files={Path(path): one for path, one in nodes.items()})
    return [fault.message for fault in secret_faults(facts, SECRET, 0)]


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_of_roots_alone_may_be_read(mode: int) -> None:
    assert about(File(b"", mode)) == []


@pytest.mark.parametrize(
    ("node", "complaint"),
    [
        (None, "is not there"),
        (Directory(), "is not there"),
        (File(b"", 0o640), "is not root's alone"),
        (File(b"", 0o604), "is not root's alone"),
        (File(b"", 0o600, (ANN, ANN)), "is not root's alone"),
    ],
)
def test_a_secret_that_others_may_know_is_refused(node: Node | None, complaint: str) -> None:
    (told,) = about(node)
    assert complaint in told


def test_a_secret_that_others_may_replace_is_refused() -> None:
    (told,) = about(File(b"", 0o600), Directory(0o777))
    assert "can be replaced" in told
