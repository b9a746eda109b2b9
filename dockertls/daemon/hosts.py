"""The hosts of dockerd, as it is told to listen and as a user asks for it (moby daemon/pkg/opts/hosts.go)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - the point of a remote API; Go listens on IPv6 with it too
DEFAULT_SOCKETS = frozenset({"unix://", "unix:///var/run/docker.sock", "unix:///run/docker.sock"})
"""Spellings of the socket that docker.socket holds as well."""

MAX_PORT = 65535


def is_tcp(host: str) -> bool:
    """Whether a host opens a port: `tcp://...`, or no scheme at all."""
    scheme, separator, _ = host.partition("://")
    return scheme == "tcp" if separator else bool(host)


def is_fd(host: str) -> bool:
    """Whether a host takes its listeners from systemd."""
    return host.startswith("fd://")


def has_port(host: str) -> bool:
    """Whether a tcp host names its port; without one dockerd takes 2375, the port of plain HTTP, with TLS too."""
    _, _, tail = host.removeprefix("tcp://").rpartition("]")
    return tail.partition(":")[2].isdigit()


def port_of(host: str) -> str:
    """The port of a tcp host that names one."""
    return host.rpartition(":")[2]


def stream(host: str) -> str:
    """A tcp host that names its port as systemd's ListenStream= writes it; every address is the port alone."""
    address, _, port = host.removeprefix("tcp://").rpartition(":")
    if _is_every(address):
        return port
    return f"{'127.0.0.1' if address == 'localhost' else address}:{port}"


def streamed(listen: str) -> str | None:
    """The tcp host for a ListenStream=; None: it opens no TCP port (systemd.socket(5))."""
    if "/" in listen or listen.startswith(("@", "vsock:")):
        return None
    return f"tcp://{listen}" if ":" in listen else f"tcp://{EVERY_ADDRESS}:{listen}"


def listen_hosts(listen: Sequence[str], port: int) -> tuple[str, ...]:
    """The tcp hosts for addresses that have no faults; none named: every address, of IPv4 and of IPv6.

    Args:
        listen: IPv4 and IPv6 addresses, an IPv6 one with or without brackets, or `localhost`.
        port: for all of them.
    """
    names = dict.fromkeys(_canonical(address) for address in listen or (EVERY_ADDRESS,))
    return tuple(f"tcp://{f'[{name}]' if ':' in name else name}:{port}" for name in names)


def listen_faults(listen: Sequence[str], port: int) -> tuple[Fault, ...]:
    """What is wrong with a port and with addresses to listen on."""
    faults = [fault for address in listen if (fault := _address_fault(address))]
    if not 1 <= port <= MAX_PORT:
        faults.append(Fault(f"port {port} is out of range", f"take one of 1 to {MAX_PORT}; Docker's with TLS is 2376"))
    every = [address for address in listen if _is_every(address)]
    if every and not faults and len({_canonical(address) for address in listen}) > 1:
        faults.append(
            Fault(
                f"{visible(every[0])} is every address, and another one is wanted beside it",
                "leave the other addresses out: dockerd cannot listen twice on one port",
            )
        )
    return tuple(faults)


def _canonical(address: str) -> str:
    """An address in its usual spelling, without brackets."""
    bare = _bare(address)
    return bare if bare == "localhost" else str(ipaddress.ip_address(bare))


def _bare(address: str) -> str:
    return address[1:-1] if address.startswith("[") and address.endswith("]") else address


def _is_every(address: str) -> bool:
    try:
        return ipaddress.ip_address(_bare(address)).is_unspecified
    except ValueError:
        return False


def _address_fault(address: str) -> Fault | None:
    shown = visible(address)
    hint = "name an address of this host, such as 192.0.2.7 or 2001:db8::7, or 0.0.0.0 for all of them"
    if "%" in address:
        return Fault(f"{shown} is a link-local address of one interface", "dockerd cannot take a zone; " + hint)
    try:
        _canonical(address)
    except ValueError:
        port = "; the port is an option of its own" if ":" in address else ""
        return Fault(f"{shown} is not an address to listen on", hint + port)
    return None
