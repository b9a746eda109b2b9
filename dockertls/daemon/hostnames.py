"""The names and addresses by which clients know this host."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.facts import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

    from dockertls.facts import HostFacts

ALWAYS = ("localhost", "127.0.0.1", "::1")
"""What every server certificate is good for: the host itself."""

VIRTUAL = ("docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "podman")
"""Beginnings of interface names that container and virtual machine software makes."""


@dataclass(frozen=True)
class OwnNames:
    """What a host is called.

    Attributes:
        names: host names first, then addresses, then ALWAYS; as text.
        left_out: addresses that are not the host's for good, and why, such as "172.17.0.1 (docker0, a bridge)".
    """

    names: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Address:
    interface: str
    ip: IPv4Address | IPv6Address
    words: frozenset[str]


def own_names(facts: HostFacts) -> OwnNames:
    """A host's FQDN, short name and stable addresses.

    Args:
        facts: gathered with the row "names".
    """
    kept: list[str] = []
    left_out: list[str] = []
    for address in _addresses(facts):
        reason = _why_not(address, facts)
        if reason is None:
            kept.append(str(address.ip))
        elif reason:
            left_out.append(f"{address.ip} ({address.interface}, {reason})")
    names = dict.fromkeys((*_host_names(facts), *kept, *ALWAYS))
    return OwnNames(tuple(names), tuple(left_out))


def _host_names(facts: HostFacts) -> Iterator[str]:
    """The fully qualified name if the host's own files have one, and the short one."""
    name = _text(facts, "/proc/sys/kernel/hostname" if facts.runs else "/etc/hostname").strip().rstrip(".").lower()
    if name in {"", "localhost", "(none)"}:
        return
    if "." not in name:
        yield from _qualified(facts, name)
    yield name
    yield name.partition(".")[0]


def _qualified(facts: HostFacts, short: str) -> Iterator[str]:
    """The full name that /etc/hosts gives to a short one (hosts(5))."""
    for line in _text(facts, "/etc/hosts").splitlines():
        names = [name.lower() for name in line.partition("#")[0].split()[1:]]
        if short in names:
            yield from (name for name in names if name.startswith(f"{short}.") and "localdomain" not in name)


def _text(facts: HostFacts, path: str) -> str:
    file = facts.file(Path(path))
    return file.content.decode(errors="replace") if file else ""


def _addresses(facts: HostFacts) -> Iterator[_Address]:
    """Lines of `ip -o address`, such as `2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0`."""
    output = facts.output(*ADDRESSES)
    for line in output.out.splitlines() if output else ():
        words = line.split()
        if len(words) > 3 and words[2] in {"inet", "inet6"}:  # noqa: PLR2004 - index, interface, family, address
            try:
                ip = ip_interface(words[3]).ip
            except ValueError:
                continue
            yield _Address(words[1].partition("@")[0], ip, frozenset(words[4:]))


def _why_not(address: _Address, facts: HostFacts) -> str | None:
    """Why an address is not the host's for good; empty: it goes without saying; None: it is."""
    if address.ip.is_loopback or address.ip.is_link_local:
        return ""
    if address.words & {"temporary", "deprecated", "tentative", "dadfailed"}:
        return "temporary"
    if "bridge" in facts.listed(Path("/sys/class/net") / address.interface):
        return "a bridge"
    return "virtual" if address.interface.startswith(VIRTUAL) else None
