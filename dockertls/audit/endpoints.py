"""Where a dockerd is to be asked, and which of the ports that it holds are its API's."""

from __future__ import annotations

from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.audit.sockets import Listener, listening
from dockertls.daemon.hosts import DEFAULT_SOCKETS, is_fd, is_tcp, port_of
from dockertls.daemon.reading import hosts_of
from dockertls.errors import Refused
from dockertls.facts import PROC
from dockertls.plan import Link
from dockertls.probe.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.audit.seen import Answers
    from dockertls.daemon.reading import Reading
    from dockertls.daemon.running import Process
    from dockertls.facts import HostFacts

LOCAL_SOCKET = Path("/var/run/docker.sock")
_OTHERWISE_USED = ("metrics-addr", "network-diagnostic-port")
_SWARM = frozenset({2377, 7946})
_DOCKERS = frozenset({2375, 2376})


def sockets(reading: Reading) -> tuple[Path, ...]:
    """The unix sockets at which a dockerd is told to answer.

    Args:
        reading: of what is said to it.
    """
    hosts = hosts_of(reading.both().get("hosts"))
    listens = [listen for listen, _ in reading.packaging.listens] if reading.packaging.socket else [str(LOCAL_SOCKET)]
    handed = [Path(listen) for listen in listens if listen.startswith("/")]
    found = [path for host in hosts for path in ([_path(host)] if _is_unix(host) else handed if is_fd(host) else [])]
    if not hosts:
        found = [_path(reading.packaging.local)]
    return tuple(dict.fromkeys(found))


def _is_unix(host: str) -> bool:
    return host.startswith("unix://")


def _path(host: str) -> Path:
    return LOCAL_SOCKET if host in DEFAULT_SOCKETS else Path(host.removeprefix("unix://"))


def to_look_at(reading: Reading, process: Process, answers: Answers) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    """The endpoints of a dockerd that runs, by the kernel's tables, else by what it is told; and what was left out.

    A newer dockerd holds the ports that its containers publish: those are the containers', and nobody looks at them.

    Args:
        reading: of what is said to it.
        process: the one that runs.
        answers: of its API.
    """
    held = listening(reading.facts, process.pid)
    if reading.packaging.user or held.unknown:
        return _told(reading)
    if _is_elsewhere(reading.facts, process):
        return (), ("it has a network of its own, which cannot be reached from here",)
    ports = {int(port) for host, _ in reading.opened() if (port := port_of(host)).isdigit()} | _DOCKERS
    other = _other_ports(reading, answers)
    mine = [one for one in held.tcp if one.port in ports or one.port not in other]
    if answers.info:
        return tuple(map(_endpoint, mine)), ()
    doubtful = [one for one in mine if one.port not in ports]
    why = tuple(f"{one}: whether a container publishes it is not known ({answers.fault})" for one in doubtful)
    return tuple(_endpoint(one) for one in mine if one not in doubtful), why


def _endpoint(listener: Listener) -> Endpoint:
    return Endpoint(listener.host, listener.port)


def _is_elsewhere(facts: HostFacts, process: Process) -> bool:
    """Whether a process is in another network than the one who looks; what cannot be told is no reason not to look."""
    mine, its = (facts.files.get(PROC / pid / "ns/net") for pid in ("self", str(process.pid)))
    return isinstance(mine, Link) and isinstance(its, Link) and mine.target != its.target


def _other_ports(reading: Reading, answers: Answers) -> frozenset[int]:
    """Ports that are not the API's."""
    said = reading.both()
    given = (str(said[key].value).rpartition(":")[2] for key in _OTHERWISE_USED if key in said)
    return frozenset(
        {int(one) for one in given if one.isdigit()} | answers.published | (_SWARM if answers.swarm else set())
    )


def _told(reading: Reading) -> tuple[tuple[Endpoint, ...], tuple[str, ...]]:
    found, faults = dict[Endpoint, None](), list[str]()
    for host in _hosts(reading):
        try:
            found[_local(Endpoint.parse(host))] = None
        except Refused as error:
            faults.append(error.message)
    return tuple(found), tuple(faults)


def _hosts(reading: Reading) -> Iterator[str]:
    return (host for host, _ in reading.reached() if is_tcp(host))


def _local(endpoint: Endpoint) -> Endpoint:
    """The same for one who is on the host itself."""
    address = endpoint.address
    return Endpoint(Listener(address, endpoint.port).host, endpoint.port) if address else endpoint
