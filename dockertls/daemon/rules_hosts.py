"""Rules about where dockerd listens: ports, the local socket, and what systemd hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.daemon.environment import variables
from dockertls.daemon.hosts import DEFAULT_SOCKETS, has_port, is_fd, is_tcp, streamed
from dockertls.daemon.packaging import SERVICE, SOCKET
from dockertls.daemon.reading import hosts_of
from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.daemon.reading import Reading

OF_CLIENTS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS")
"""Variables that only clients read."""


def no_port(reading: Reading) -> Iterator[Fault]:
    """A tcp host without a port."""
    said = reading.both().get("hosts")
    for host in hosts_of(said):
        if said and is_tcp(host) and not has_port(host):
            yield Fault(
                f"{visible(host)} ({said.origin}) names no port: dockerd takes 2375, with TLS too",
                "write the port, 2376 with TLS",
            )


def no_hosts(reading: Reading) -> Iterator[Fault]:
    """TLS moves or drops the local socket where no host is named."""
    said = reading.both()
    switch = next((key for key in ("tlsverify", "tls") if key in said and said[key].value is not False), None)
    if switch and not hosts_of(said.get("hosts")):
        yield Fault(
            f"{switch} ({said[switch].origin}) without hosts: where dockerd then listens depends on its version",
            "name every host, the unix socket too",
        )


def stolen_socket(reading: Reading) -> Iterator[Fault]:
    """Systemd's own socket is made once more by dockerd."""
    said = reading.both().get("hosts")
    hosts = hosts_of(said)
    local = [host for host in hosts if host in DEFAULT_SOCKETS]
    if said and local and any(map(is_fd, hosts)):
        yield Fault(
            f"{local[0]} beside fd:// ({said.origin}): dockerd takes the socket from systemd and deletes it on stop",
            f"remove {local[0]}: fd:// is the same socket",
        )


def no_socket_unit(reading: Reading) -> Iterator[Fault]:
    """Listeners are taken that nobody hands over."""
    said = reading.both().get("hosts")
    found = reading.packaging
    if said and any(map(is_fd, hosts_of(said))) and not (found.socket or found.socket_lacking):
        why = f"{SOCKET} is masked" if found.socket_masked else f"there is no {SOCKET} in force"
        hint = f"run `systemctl unmask {SOCKET}`" if found.socket_masked else f"install {SOCKET}"
        yield Fault(
            f"fd:// ({said.origin}), but nothing hands sockets over: {why}",
            f"{hint}, or use unix:// instead of fd://",
        )


def required_socket(reading: Reading) -> Iterator[Fault]:
    """The service cannot start without a socket unit that is not there."""
    found = reading.packaging
    if found.socket_lacking:
        why = "masked" if found.socket_masked else "not there"
        yield Fault(
            f"{SERVICE} requires {SOCKET}, which is {why}: systemd does not start it",
            f"run `systemctl unmask {SOCKET}`" if found.socket_masked else f"install {SOCKET}, or drop the Requires=",
        )


def untaken_listener(reading: Reading) -> Iterator[Fault]:
    """Systemd listens on a port and dockerd is not told to take it: clients wait for ever."""
    if reading.packaging.faults or any(map(is_fd, hosts_of(reading.both().get("hosts")))):
        return
    for listen, place in reading.packaging.listens:
        if streamed(listen):
            yield Fault(
                f"{SOCKET} listens on {visible(listen)} ({place}), and dockerd does not take it: no host is fd://",
                "add fd:// to the hosts, or remove the ListenStream=",
            )


def variables_of_clients(reading: Reading) -> Iterator[Fault]:
    """Variables in dockerd's environment that make nothing listen."""
    found = variables(reading)
    for name in OF_CLIENTS:
        if name in found and found[name].value:
            yield Fault(
                f"{name} ({found[name].origin}) is a client's variable: dockerd does not read it",
                "tell dockerd where to listen by hosts, and remove the variable",
            )
