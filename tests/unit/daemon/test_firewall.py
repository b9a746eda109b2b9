from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.firewall import firewall_notes
from dockertls.daemon.model import from_files
from dockertls.host import Output

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

ASKED = ("systemctl", "is-active", "firewalld", "ufw", "nftables")
UFW = Path("/etc/ufw/ufw.conf")


def host(states: str, ufw: str | None = None) -> HostFacts:
    tree = from_files({} if ufw is None else {UFW: ufw})
    files = tree.files if ufw is not None else {UFW: None}
    return replace(tree, files=files, outputs={ASKED: Output(3, states, "")})


@pytest.mark.parametrize(
    ("states", "ufw", "named"),
    [
        ("active\ninactive\ninactive\n", None, ["firewalld"]),
        ("inactive\ninactive\nactive\n", None, ["nftables"]),
        ("inactive\nactive\ninactive\n", "ENABLED=yes\n", ["ufw"]),
        ("inactive\nactive\ninactive\n", "# ENABLED=yes\nENABLED=no\n", []),
        ("active\nactive\ninactive\n", "ENABLED=yes\n", ["firewalld", "ufw"]),
        ("inactive\ninactive\ninactive\n", None, []),
        ("", "LOGLEVEL=low\nENABLED=yes\n", ["ufw"]),
    ],
)
def test_active_firewalls_are_named_with_the_command(states: str, ufw: str | None, named: list[str]) -> None:
    notes = firewall_notes(host(states, ufw), 2377)
    assert [note.split()[0] for note in notes] == named
    assert all("2377" in note and "192.0.2.0/24" in note for note in notes)
