"""A daemon that runs by its files: what restarts it, and where it listens with TLS."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockertls.daemon.hosts import has_port
from dockertls.daemon.packaging import SOCKET, SOCKET_DROP_IN, packaging
from dockertls.daemon.reading import read
from dockertls.escaping import visible
from dockertls.plan import Command
from dockertls.platforms import RESTART, SERVICE, TABLE, Init

if TYPE_CHECKING:
    from datetime import datetime

    from dockertls.daemon.packaging import Packaging
    from dockertls.facts import HostFacts
    from dockertls.plan import Plan

LOOPBACK = "127.0.0.1"
HARMLESS = re.compile(r"\blevel=(debug|info|warning)\b|\bhttp: TLS handshake error from ")
"""Lines that say nothing of a failure; the live check comes as a stranger, too, and is refused."""
MOST_COMPLAINTS = 3  # lines


RELOAD = Command(("systemctl", "daemon-reload"), "a unit file changed")
WHY = "dockerd reads its TLS files and its hosts only when it starts"
WITH_SOCKET = ("systemctl", "restart", SOCKET, SERVICE)
"""Both in one transaction: restarted alone, the socket would stop the service and leave it so."""
RESTARTS = frozenset({*RESTART.values(), *(row.restart for row in TABLE), WITH_SOCKET})

CLOSE_LISTENER = (
    RELOAD,
    Command(("systemctl", "stop", SERVICE, SOCKET), "systemd stops listening before TLS is taken away"),
)


def restart_commands(facts: HostFacts, *, units_changed: bool = False, socket: bool = False) -> tuple[Command, ...]:
    """What makes dockerd follow its files; none where nobody knows how.

    Args:
        facts: gathered with the row "daemon".
        units_changed: a unit file or a drop-in changed.
        socket: docker.socket is to follow its files, too.
    """
    found = packaging(facts)
    if found.init is Init.NONE:
        return ()
    restart = Command(WITH_SOCKET if socket else found.restart, WHY)
    if found.init is not Init.SYSTEMD:
        return (restart,)
    names = (found.service, *((SOCKET,) if found.socket else ()))
    # three starts within a minute, and systemd refuses the next one
    forget = Command(systemctl(found, "reset-failed", *names), "forget earlier failures", tolerated=True)
    return (*((daemon_reload(found),) if units_changed else ()), forget, restart)


def daemon_reload(found: Packaging) -> Command:
    """What makes a daemon's systemd read its units again."""
    return Command(systemctl(found, "daemon-reload"), RELOAD.why)


def systemctl(found: Packaging, *words: str) -> tuple[str, ...]:
    """A command line for the systemd that starts a daemon: the system's, or its user's own."""
    return ("systemctl", *(("--user",) if found.user else ()), *words)


def follow_commands(facts: HostFacts) -> tuple[Command, ...]:
    """What makes dockerd follow all its files, whichever of them changed and whenever.

    Args:
        facts: gathered with the row "daemon".
    """
    return restart_commands(facts, units_changed=True, socket=facts.file(SOCKET_DROP_IN) is not None)


def restarts(plan: Plan) -> bool:
    """Whether a plan stops or restarts dockerd."""
    return any(map(is_restart, plan.commands))


def closes_listener(plan: Plan) -> bool:
    """Whether a plan has systemd stop listening for dockerd, which it must not put off."""
    return any(CLOSE_LISTENER[-1] in change.then for change in plan.changes)


def is_restart(command: Command) -> bool:
    """Whether a command restarts dockerd."""
    return command.argv in RESTARTS


def log_command(facts: HostFacts, since: datetime) -> Command | None:
    """What shows dockerd's log; None where it is kept nowhere that is known.

    Args:
        facts: gathered with the row "daemon".
        since: the time of its first line, UTC.
    """
    found = packaging(facts)
    if found.init is not Init.SYSTEMD:
        return None
    options = ("--since", f"@{int(since.timestamp())}", "--output", "json", "--no-pager")
    if found.user:
        return Command(("journalctl", *options, "--user-unit", found.service), "why dockerd did not start")
    # --unit misses what systemd's own helper processes say: they are gone before journald can tell their unit
    systemd = (word for unit in (found.service, SOCKET) for word in ("+", "_UID=0", f"UNIT={unit}"))
    return Command(("journalctl", *options, f"_SYSTEMD_UNIT={found.service}", *systemd), "why dockerd did not start")


def complaints(log: str) -> tuple[str, ...]:
    """The last lines of the log that tell of a failure; each once.

    Args:
        log: what the command of `log_command` answered, an entry a line.
    """
    said = dict.fromkeys(text for line in log.splitlines() if (text := _complaint(line)))
    return tuple(said)[-MOST_COMPLAINTS:]


def _complaint(line: str) -> str:
    """What an entry of the log says against a start; empty: nothing, or nothing that can be read."""
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    who, text = str(entry.get("SYSLOG_IDENTIFIER")), str(entry.get("MESSAGE"))
    harmless = HARMLESS.search(text) if who != "systemd" else not text.startswith(f"{SOCKET}: Failed to create")
    return "" if harmless or not text.strip() else visible(f"{'dockerd' if 'dockerd' in who else 'systemd'}: {text}")


def listening(facts: HostFacts) -> tuple[str, int] | None:
    """Address and port at which this host's daemon is told to listen with TLS, as seen from the host itself.

    Args:
        facts: gathered with the row "daemon".

    Returns:
        None if it is told no port, or no TLS.
    """
    reading = read(facts)
    if "tlsverify" not in reading.both():
        return None
    tcp = [host for host, _ in reading.reached() if has_port(host)]
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
