from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

from dockertls.daemon.hostnames import ALWAYS, own_names
from dockertls.daemon.model import from_files
from dockertls.host import Output

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.5/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 2001:db8::5/64 scope global dynamic mngtmpaddr \\       valid_lft 86387sec
2: eth0    inet6 2001:db8::dead:beef/64 scope global temporary dynamic \\       valid_lft 86387sec
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever
3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever
4: kvm    inet 198.51.100.1/24 scope global kvm\\       valid_lft forever
7: veth1@if6    inet 203.0.113.9/24 scope global veth1\\       valid_lft forever
"""
INTERFACES = {"lo": (), "eth0": ("device",), "docker0": ("bridge",), "kvm": ("bridge",), "veth1": ()}


def host(name: str, hosts: str = "", addresses: str = ADDRESSES) -> HostFacts:
    tree = from_files({Path("/proc/sys/kernel/hostname"): f"{name}\n", Path("/etc/hosts"): hosts})
    listed = {Path("/sys/class/net") / interface: names for interface, names in INTERFACES.items()}
    outputs: dict[tuple[str, ...], Output | None] = {("ip", "-o", "address"): Output(0, addresses, "")}
    return replace(tree, runs=True, names={**tree.names, **listed}, outputs=outputs)


def test_names_come_first_and_the_loopback_last() -> None:
    found = own_names(host("web1", "127.0.1.1 web1.example.com web1\n"))
    assert found.names == ("web1.example.com", "web1", "192.0.2.5", "2001:db8::5", *ALWAYS)


def test_addresses_that_are_not_the_hosts_for_good_are_left_out_and_told() -> None:
    found = own_names(host("web1"))
    assert found.left_out == (
        "2001:db8::dead:beef (eth0, temporary)",
        "172.17.0.1 (docker0, a bridge)",
        "198.51.100.1 (kvm, a bridge)",
        "203.0.113.9 (veth1, virtual)",
    )


def test_a_full_host_name_gives_both() -> None:
    assert own_names(host("WEB1.example.com.")).names[:2] == ("web1.example.com", "web1")


def test_localhost_and_localdomain_are_nobodys_name() -> None:
    assert own_names(host("localhost", addresses="")).names == ALWAYS
    assert own_names(host("web1", "127.0.1.1 web1.localdomain web1\n", "")).names == ("web1", *ALWAYS)


def test_a_file_tree_is_asked_by_its_files_alone() -> None:
    tree = from_files({Path("/etc/hostname"): "image\n"})
    tree = replace(tree, files={**tree.files, Path("/etc/hosts"): None}, outputs={("ip", "-o", "address"): None})
    assert own_names(tree).names == ("image", *ALWAYS)


def test_comments_of_hosts_name_nobody() -> None:
    assert own_names(host("web1", "# 127.0.1.1 web1.example.com web1\n", "")).names == ("web1", *ALWAYS)
