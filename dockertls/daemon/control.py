"""A daemon that runs by its files: what restarts it, and where it listens with TLS."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockertls.daemon.effective import effective
from dockertls.daemon.hosts import has_port, is_tcp
from dockertls.daemon.packaging import SERVICE, SOCKET, packaging
from dockertls.daemon.rules import hosts_of
from dockertls.plan import Command, visible
from dockertls.platforms import RESTART, Init

if TYPE_CHECKING:
    from datetime import datetime

    from dockertls.facts import HostFacts

LOOPBACK = "127.0.0.1"
HARMLESS = re.compile(r"\blevel=(debug|info|warning)\b")
MOST_COMPLAINTS = 3  # lines


def restart_commands(facts: HostFacts, *, units_changed: bool = False) -> tuple[Command, ...]:
    """What makes dockerd follow its files; none where nobody knows how.

    Args:
        facts: gathered with the row "daemon".
        units_changed: a unit file or a drop-in changed.
    """
    init = packaging(facts).init
    if init is Init.NONE:
        return ()
    restart = Command(RESTART[init], "dockerd reads its TLS files and its hosts only when it starts")
    if init is not Init.SYSTEMD:
        return (restart,)
    reload = Command(("systemctl", "daemon-reload"), "a unit file changed")
    # three starts within a minute, and systemd refuses the next one
    forget = Command(("systemctl", "reset-failed", SERVICE, SOCKET), "forget earlier failures", tolerated=True)
    return (*((reload,) if units_changed else ()), forget, restart)


def log_command(facts: HostFacts, since: datetime) -> Command | None:
    """What shows dockerd's log; None where it is kept nowhere that is known.

    Args:
        facts: gathered with the row "daemon".
        since: the time of its first line, UTC.
    """
    if packaging(facts).init is not Init.SYSTEMD:
        return None
    lines = ("--unit", SERVICE, "--identifier", "dockerd", "--since", f"@{int(since.timestamp())}")
    return Command(("journalctl", *lines, "--output", "cat", "--no-pager"), "why dockerd did not start")


def complaints(log: str) -> tuple[str, ...]:
    """The last lines of dockerd's log that tell of a failure; each once."""
    lines = dict.fromkeys(line for line in log.splitlines() if line.strip() and not HARMLESS.search(line))
    return tuple(f"dockerd: {visible(line)}" for line in lines)[-MOST_COMPLAINTS:]


def listening(facts: HostFacts) -> tuple[str, int] | None:
    """Address and port at which this host's daemon is told to listen with TLS, as seen from the host itself.

    Args:
        facts: gathered with the row "daemon".

    Returns:
        None if it is told no port, or no TLS.
    """
    said = effective(facts)
    if "tlsverify" not in said:
        return None
    tcp = [host for host in hosts_of(said.get("hosts")) if is_tcp(host) and has_port(host)]
    if not tcp:
        return None
    address, _, port = tcp[0].removeprefix("tcp://").rpartition(":")
    return _reachable(address.strip("[]")), int(port)


def _reachable(address: str) -> str:
    """An address to connect to: whoever listens on every address listens on the loopback."""
    try:
        return LOOPBACK if not address or ip_address(address).is_unspecified else address
    except ValueError:
        return address
