from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from dockertls.errors import Refused
from dockertls.probe.endpoint import Endpoint


@pytest.mark.parametrize(
    ("text", "host", "port", "url"),
    [
        ("tcp://web1:2376", "web1", 2376, "tcp://web1:2376"),
        ("tcp://web1:2375", "web1", 2375, "tcp://web1:2375"),
        ("TCP://Web1.Example.ORG:2376/", "web1.example.org", 2376, "tcp://web1.example.org:2376"),
        ("web1", "web1", 2376, "tcp://web1:2376"),
        ("my_host.lan:4243", "my_host.lan", 4243, "tcp://my_host.lan:4243"),
        (" web1.\n", "web1", 2376, "tcp://web1:2376"),
        ("10.0.0.5", "10.0.0.5", 2376, "tcp://10.0.0.5:2376"),
        ("[::1]:2376", "::1", 2376, "tcp://[::1]:2376"),
        ("tcp://[0:0:0:0:0:0:0:1]", "::1", 2376, "tcp://[::1]:2376"),
        ("::1", "::1", 2376, "tcp://[::1]:2376"),
        ("tcp://[fe80::1%eth0]:1", "fe80::1%eth0", 1, "tcp://[fe80::1%eth0]:1"),
        ("b\u00fccher.example:65535", "xn--bcher-kva.example", 65535, "tcp://xn--bcher-kva.example:65535"),
    ],
)
def test_what_is_an_endpoint(text: str, host: str, port: int, url: str) -> None:
    endpoint = Endpoint.parse(text)
    assert (endpoint.host, endpoint.port, endpoint.url) == (host, port, url)
    assert Endpoint.parse(endpoint.url) == endpoint


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("", "it is empty", "tcp://HOST:2376"),
        ("   ", "it is empty", "tcp://HOST:2376"),
        ("http://web1:2376", "http://", "tcp://HOST:2376"),
        ("https://web1", "https://", "tcp://HOST:2376"),
        ("unix:///run/docker.sock", "unix://", "no TLS"),
        ("ssh://root@web1", "ssh://", "needs no certificates"),
        ("npipe:////./pipe/docker", "npipe://", "no TLS"),
        ("gopher://web1", "gopher://", "tcp://HOST:2376"),
        ("tcp://", "names no host", "tcp://HOST:2376"),
        ("tcp://:2376", "names no host", "tcp://HOST:2376"),
        ("web1:0", "'0' is not a port", "1 to 65535"),
        ("web1:99999", "'99999' is not a port", "1 to 65535"),
        ("web1:", "'' is not a port", "1 to 65535"),
        ("web1:+2376", "'+2376' is not a port", "1 to 65535"),
        ("[::1]2376", "']2376' is not a port", "1 to 65535"),
        ("web1:\u0662", "is not a port", "1 to 65535"),
        ("[::1", "not closed", "[::1]:2376"),
        ("[web1]:2376", "not an IPv6 address", "HOST:2376"),
        ("a:b:c", "not an IPv6 address", "[ADDRESS]:2376"),
        ("tcp://web1:2376/v1.41", "a path", "ends with its port"),
        ("tcp://me@web1:2376", "a user name", "certificate says who you are"),
        ("/run/docker.sock", "a path", "unix:///var/run/docker.sock"),
        ("web\x1b[31m1", "control character", "tcp://HOST:2376"),
        ("web 1", "control character or a space", "tcp://HOST:2376"),
        ("10.0.0.300", "looks like an IPv4 address", "0 to 255"),
        ("-web", "not a host name", "letters"),
        ("a..b", "not a host name", "letters"),
        ("x" * 64, "not a host name", "letters"),
        (".".join(["x" * 60] * 5), "not a host name", "letters"),
        ("*.example.org", "not a host name", "letters"),
    ],
)
def test_what_is_none_says_what_to_write(text: str, told: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        Endpoint.parse(text)
    faults = refused.value.faults
    assert any(told in fault.message and hint in fault.hint for fault in faults), faults
    assert "\x1b" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        Endpoint.parse("tcp://me@-web:0/v1")
    assert len(refused.value.faults) == 4


@pytest.mark.parametrize("text", ["tcp://me:geheim@web1:2376", "me:geheim@web1", "ssh://me:geheim@web1"])
def test_a_password_is_not_repeated(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Endpoint.parse(text)
    assert len(refused.value.faults) == 1, "an address with a user name is no IPv6 address"
    assert "me:...@web1" in str(refused.value)
    assert "geheim" not in f"{refused.value} {refused.value.faults}"


def test_a_missing_port_is_2376_and_that_is_told_where_docker_takes_another() -> None:
    endpoint = Endpoint.parse("tcp://web1")
    assert endpoint.port == 2376
    assert "2375" in endpoint.note
    assert endpoint == Endpoint("web1")
    assert Endpoint.parse("web1").note == ""
    assert Endpoint.parse("tcp://web1:2376").note == ""


def test_a_port_that_is_read_as_part_of_an_address_is_told() -> None:
    endpoint = Endpoint.parse("fe80::1:2376")
    assert (endpoint.host, endpoint.port) == ("fe80::1:2376", 2376)
    assert "brackets" in endpoint.note


def test_the_address_has_no_zone() -> None:
    assert Endpoint.parse("[fe80::1%eth0]").address == IPv6Address("fe80::1")
    assert Endpoint.parse("10.0.0.5").address == IPv4Address("10.0.0.5")
    assert Endpoint.parse("web1").address is None
