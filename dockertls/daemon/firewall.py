"""Which firewall is active, and what opens a port in it to chosen addresses; none is ever changed from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertls.facts import HostFacts


@dataclass(frozen=True)
class Firewall:
    """One kind of firewall.

    Attributes:
        unit: its systemd unit.
        command: what opens a port to one network; `{port}` and `{source}` are to be filled in.
    """

    unit: str
    command: str


TABLE: tuple[Firewall, ...] = (
    Firewall(
        "firewalld",
        "firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address={source} port port={port} "
        "protocol=tcp accept' && firewall-cmd --reload",
    ),
    Firewall("ufw", "ufw allow proto tcp from {source} to any port {port}"),
    Firewall("nftables", "nft add rule inet filter input ip saddr {source} tcp dport {port} accept"),
)

EXAMPLE = "192.0.2.0/24"
"""A network of documentation (RFC 5737): the reader puts his own in its place."""


def firewall_notes(facts: HostFacts, port: int) -> tuple[str, ...]:
    """A line for each active firewall: its name, and the command that lets clients in.

    Args:
        facts: gathered with the row "firewall".
        port: where dockerd listens.
    """
    return tuple(
        f"{one.unit} is active: to let clients in, {one.command.format(port=port, source=EXAMPLE)}"
        for one in TABLE
        if is_active(facts, one.unit)
    )


def is_active(facts: HostFacts, unit: str) -> bool:
    """By systemd; without it, ufw by its own configuration."""
    units = [one.unit for one in TABLE]
    output = facts.output("systemctl", "is-active", *units)
    states = dict(zip(units, output.out.splitlines(), strict=False)) if output else {}
    if unit == "ufw" and states.get(unit) in {None, "active"}:
        file = facts.file(Path("/etc/ufw/ufw.conf"))  # the unit is active on hosts where ufw itself is switched off
        return file is not None and b"\nENABLED=yes" in b"\n" + file.content
    return states.get(unit) == "active"
