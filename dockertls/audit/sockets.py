"""What a dockerd listens on, by the kernel's own tables (proc(5): /proc/net/tcp, tcp6 and unix)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from dockertls.facts import PROC
from dockertls.plan import File, Link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import PurePosixPath as Path

    from dockertls.facts import HostFacts

SYSTEMD = 1
_LISTENS, _ACCEPTS = "0A", 0x10000
"""TCP_LISTEN, and the flag of a unix socket that takes connections (__SO_ACCEPTCON)."""
_TCP_FIELDS, _UNIX_FIELDS = 10, 8
_LOCAL, _STATE, _TCP_INODE = 1, 3, 9
_FLAGS, _UNIX_INODE, _PATH = 3, 6, 7
_SOCKET = "socket:["


@dataclass(frozen=True)
class Listener:
    """A TCP socket that takes connections."""

    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"  # noqa: PLR2004 - of IP

    @property
    def host(self) -> str:
        """By what name it is reached from the host itself."""
        if not self.address.is_unspecified:
            return str(self.address)
        return "127.0.0.1" if isinstance(self.address, IPv4Address) else "localhost"


@dataclass(frozen=True)
class Listening:
    """What a process listens on.

    Attributes:
        tcp: its TCP sockets.
        unix: the paths of its unix sockets.
        unknown: why that cannot be told; empty: it can.
    """

    tcp: tuple[Listener, ...] = ()
    unix: tuple[str, ...] = ()
    unknown: str = ""


def listening(facts: HostFacts, pid: int) -> Listening:
    """What a process listens on.

    Args:
        facts: gathered with the row "sockets".
        pid: a dockerd that was found, or systemd, which holds sockets for one.
    """
    folder, tables = PROC / str(pid) / "fd", PROC / str(pid) / "net"
    unseen = (why for path, why in facts.unseen.items() if path.parent in {folder, tables})
    if reason := next(unseen, ""):
        return Listening(unknown=reason)
    if folder not in facts.names or not isinstance(facts.files.get(tables / "tcp"), File):
        return Listening(unknown=f"the sockets of process {pid} were not seen")
    held = set(_inodes(facts, folder))
    try:
        found = [one for name in ("tcp", "tcp6") for line in _lines(facts, tables / name) for one in _tcp(line, held)]
        local = [one for line in _lines(facts, tables / "unix") for one in _unix(line, held)]
    except (ValueError, struct.error):
        return Listening(unknown=f"what is in {tables} is not as the kernel writes it")
    return Listening(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(local)))


def _inodes(facts: HostFacts, folder: Path) -> Iterator[str]:
    for name in facts.names[folder]:
        node = facts.files.get(folder / name)
        if isinstance(node, Link) and node.target.startswith(_SOCKET):
            yield node.target.removeprefix(_SOCKET).rstrip("]")


def _lines(facts: HostFacts, table: Path) -> list[str]:
    node = facts.files.get(table)
    return node.content.decode(errors="replace").splitlines()[1:] if isinstance(node, File) else []


def takes_connections(line: str) -> bool:
    """Whether a line of one of the tables is about a socket that listens."""
    fields = line.split(maxsplit=_PATH)
    if len(fields) > _STATE and ":" in fields[_LOCAL]:
        return fields[_STATE] == _LISTENS
    return len(fields) >= _UNIX_FIELDS and bool(int(fields[_FLAGS], 16) & _ACCEPTS)


def _tcp(line: str, held: set[str]) -> Iterator[Listener]:
    fields = line.split()
    if len(fields) >= _TCP_FIELDS and takes_connections(line) and fields[_TCP_INODE] in held:
        address, _, port = fields[_LOCAL].partition(":")
        yield Listener(_address(bytes.fromhex(address)), int(port, 16))


def _address(raw: bytes) -> IPv4Address | IPv6Address:
    """The kernel prints words of 32 bits in the order of the machine; what is written here is that of x86 and ARM."""
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    packed = struct.pack(f">{len(words)}I", *words)
    if len(words) == 1:
        return IPv4Address(packed)
    found = IPv6Address(packed)
    return found.ipv4_mapped or found


def _unix(line: str, held: set[str]) -> Iterator[str]:
    fields = line.split(maxsplit=_PATH)
    if len(fields) >= _UNIX_FIELDS and takes_connections(line) and fields[_UNIX_INODE] in held:
        yield fields[_PATH]
