"""Hosts as dockerd takes them and addresses as users give them."""

from __future__ import annotations

import pytest

from dockertls.daemon.hosts import has_port, is_tcp, listen_faults, listen_hosts


@pytest.mark.parametrize(
    ("listen", "hosts"),
    [
        ((), ("tcp://0.0.0.0:2376",)),
        (("192.0.2.7",), ("tcp://192.0.2.7:2376",)),
        (("2001:db8::7",), ("tcp://[2001:db8::7]:2376",)),
        (("[2001:DB8:0::7]",), ("tcp://[2001:db8::7]:2376",)),
        (("::",), ("tcp://[::]:2376",)),
        (("localhost", "192.0.2.7", "192.0.2.7"), ("tcp://localhost:2376", "tcp://192.0.2.7:2376")),
    ],
)
def test_addresses_become_hosts_with_a_port(listen: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    assert not listen_faults(listen, 2376)
    assert listen_hosts(listen, 2376) == hosts
    assert all(map(has_port, hosts))


@pytest.mark.parametrize(
    "address",
    ["", "300.1.1.1", "web1", "192.0.2.7:2376", "tcp://192.0.2.7", "fe80::1%eth0", "[::1", "10.0.0.0/8", " ::1"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    (fault,) = listen_faults((address,), 2376)
    assert fault.hint


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    assert "out of range" in listen_faults((), port)[0].message


@pytest.mark.parametrize("listen", [("0.0.0.0", "192.0.2.7"), ("::", "0.0.0.0"), ("::1", "[::]")])  # noqa: S104 - under test
def test_every_address_leaves_no_room_for_another(listen: tuple[str, ...]) -> None:
    assert "every address" in listen_faults(listen, 2376)[0].message


def test_all_faults_are_told_at_once() -> None:
    assert len(listen_faults(("x", "y"), 0)) == 3


@pytest.mark.parametrize(
    ("host", "tcp", "port"),
    [
        ("tcp://0.0.0.0:2376", True, True),
        ("tcp://0.0.0.0", True, False),
        ("tcp://[::1]:2376", True, True),
        ("tcp://[::1]", True, False),
        ("tcp://", True, False),
        ("tcp://:2376", True, True),
        ("192.0.2.7:2376", True, True),
        ("192.0.2.7", True, False),
        ("unix:///x", False, False),
        ("fd://", False, False),
        ("", False, False),
    ],
)
def test_hosts_are_told_apart(host: str, *, tcp: bool, port: bool) -> None:
    assert is_tcp(host) is tcp
    assert has_port(host) is port or not tcp
