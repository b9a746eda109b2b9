"""What a dockerd listens on by the kernel's tables, and which of it is looked at."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, Any

import pytest

from dockertls.audit.endpoints import sockets, to_look_at
from dockertls.audit.gathered import dockerds
from dockertls.audit.loaded import parse
from dockertls.audit.mounts import Mount, mounts
from dockertls.audit.seen import Answers
from dockertls.audit.sockets import Listener, listening
from dockertls.plan import File, Link
from tests.cases.auditing import base, pid
from tests.unit.audit.test_saved import written

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0"


def line(address: str, inode: int, state: str = "0A") -> str:
    return f"   0: {address} 00000000:0000 {state} {REST} {inode} 1 0 100 0 0 10 0\n"


def facts(tcp: str = "", tcp6: str = "", unix: str = "", held: tuple[int, ...] = (1, 2, 3)) -> HostFacts:
    proc = Path("/proc/7")
    tables = {"tcp": HEAD + tcp, "tcp6": HEAD + tcp6, "unix": "Num RefCount Protocol Flags Type St Inode Path\n" + unix}
    found = parse(written(base()), "").facts
    files: dict[Path, Any] = {proc / "net" / name: File(text.encode()) for name, text in tables.items()}
    files |= {proc / "fd" / str(at): Link(f"socket:[{inode}]") for at, inode in enumerate(held)}
    names = {proc / "fd": tuple(str(at) for at in range(len(held)))}
    return replace(found, files={**found.files, **files}, names={**found.names, **names})


@pytest.mark.parametrize(
    ("tcp", "tcp6", "told"),
    [
        (line("0100007F:0948", 1), "", "127.0.0.1:2376"),
        (line("00000000:0947", 2), "", "0.0.0.0:2375"),
        ("", line("00000000000000000000000000000000:0948", 3), "[::]:2376"),
        ("", line("B80D0120000000000000000001000000:0948", 1), "[2001:db8::1]:2376"),
        ("", line("0000000000000000FFFF00000200000A:0948", 1), "10.0.0.2:2376"),
        (line("0100007F:0948", 9), "", ""),  # somebody else's
        (line("0100007F:0948", 1, "01"), "", ""),  # a connection
        ("odd\n\n", "", ""),
    ],
)
def test_tcp(tcp: str, tcp6: str, told: str) -> None:
    assert ", ".join(map(str, listening(facts(tcp, tcp6), 7).tcp)) == told


def test_unix() -> None:
    rows = (
        "0000: 00000002 00000000 00010000 0001 01 1 /run/docker.sock\n"
        "0000: 00000003 00000000 00000000 0001 03 2 /run/connected.sock\n"
        "0000: 00000002 00000000 00010000 0001 01 9 /run/another.sock\n"
        "0000: 00000002 00000000 00010000 0001 01 3\n"
    )
    assert listening(facts(unix=rows), 7).unix == ("/run/docker.sock",)


def test_what_was_not_seen_is_unknown() -> None:
    assert "process 8" in listening(facts(), 8).unknown
    hidden = replace(facts(), names={}, unseen={Path("/proc/7/fd/*"): "only root sees it"})
    assert listening(hidden, 7).unknown == "only root sees it"


@pytest.mark.parametrize(
    ("address", "host"),
    [("0.0.0.0", "127.0.0.1"), ("::", "localhost"), ("10.0.0.2", "10.0.0.2")],  # noqa: S104 - nothing is bound
)
def test_how_it_is_reached_from_the_host_itself(address: str, host: str) -> None:
    assert Listener(ip_address(address), 2376).host == host


# which of it is looked at


def looked_at(tcp: str, answers: Answers, **more: Any) -> tuple[list[str], tuple[str, ...]]:  # noqa: ANN401 - as facts
    """Endpoints and what was left out, of the recorded dockerd with other listeners."""
    data = base()
    process = pid(data)
    data["files"][f"/proc/{process}/net/tcp"]["text"] = HEAD + tcp
    data["files"][f"/proc/{process}/net/tcp6"]["text"] = HEAD
    data["files"][f"/proc/{process}/fd/901"] = {"kind": "link", "target": "socket:[1]"}
    data["names"][f"/proc/{process}/fd"].append("901")
    data["files"] |= more
    reading, found = dockerds(parse(written(data), "").facts)[1][0]
    assert found is not None
    endpoints, untried = to_look_at(reading, found, answers)
    return [one.url for one in endpoints], untried


KNOWN = Answers({"ID": "x"}, fault="")


def test_a_port_of_the_daemons_is_looked_at() -> None:
    assert looked_at(line("0100007F:0948", 1), KNOWN) == (["tcp://127.0.0.1:2376"], ())


def test_a_port_that_nobody_told_of_is_looked_at() -> None:
    assert looked_at(line("0100007F:1F90", 1), KNOWN) == (["tcp://127.0.0.1:8080"], ())


def test_a_port_that_a_container_publishes_is_the_containers() -> None:
    assert looked_at(line("00000000:1F90", 1), replace(KNOWN, published=frozenset({8080}))) == ([], ())


def test_where_that_is_not_known_it_is_left_alone_and_told() -> None:
    urls, untried = looked_at(line("00000000:1F90", 1), Answers())
    assert urls == []
    assert untried == ("0.0.0.0:8080: whether a container publishes it is not known (the API was not asked)",)
    assert looked_at(line("00000000:0947", 1), Answers())[0] == ["tcp://127.0.0.1:2375"], (
        "Docker's own port is no doubt"
    )


def test_ports_of_a_swarm_are_not_the_apis() -> None:
    swarm = replace(KNOWN, info={"ID": "x", "Swarm": {"LocalNodeState": "active"}})
    assert looked_at(line("00000000:1F0A", 1), swarm) == ([], ())


def test_a_dockerd_in_another_network_is_not_reached() -> None:
    process = pid(base())
    other = {f"/proc/{process}/ns/net": {"kind": "link", "target": "net:[7]"}}
    urls, untried = looked_at(line("0100007F:0948", 1), KNOWN, **other)
    assert (urls, untried) == ([], ("it has a network of its own, which cannot be reached from here",))


def test_local_sockets_are_those_of_systemd() -> None:
    reading, _ = dockerds(parse(written(base()), "").facts)[1][0]
    assert sockets(reading) == (Path("/run/docker.sock"),)


def test_mounts() -> None:
    text = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 /a\\040b /var/lib/my\\134docker rw - ext4 /dev/b rw\nodd\n"
    found = replace(facts(), files={Path("/proc/self/mountinfo"): File(text.encode())})
    assert mounts(found) == (Mount("8:1", "/", "/"), Mount("8:2", "/a b", "/var/lib/my\\docker"))
    assert mounts(replace(facts(), files={})) is None
