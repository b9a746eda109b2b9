"""What an authority may issue for: read from people, written into it, and kept to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509

from dockertls.errors import Refused
from dockertls.pki.constraints import doubts, excluded, limits_hosts, parse_limits, permitted, told
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import generate
from dockertls.pki.names import parse_names
from dockertls.pki.paths import flaws, pickiness
from dockertls.pki.profiles import CA, CLIENT, SERVER

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = generate("ecdsa-p256")
LOOPBACK = ["localhost", "127.0.0.0/8", "::1/128"]


def authority(*texts: str, issuer: Issued | None = None, name: str = "CA") -> Issued:
    return issue(Request(CA, name, limits=parse_limits(texts)), generate("ecdsa-p256"), issuer, now=NOW, serial=1)


def server(issuer: Issued, *names: str) -> Issued:
    return issue(Request(SERVER, names[0], parse_names(names)), KEY, issuer, now=NOW, serial=2)


def refused(issuer: Issued, *names: str) -> list[str]:
    """What is outside, as the faults begin."""
    with pytest.raises(Refused) as caught:
        server(issuer, *names)
    return [fault.message.partition(" ")[0] for fault in caught.value.faults]


LIMITED = authority("example.org", "10.0.0.0/8")


def test_they_are_critical_and_loopback_is_kept() -> None:
    found = LIMITED.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    assert found.value.excluded_subtrees is None
    assert told(LIMITED.certificate) == ", ".join(["example.org", "10.0.0.0/8", *LOOPBACK])


def test_an_authority_without_them_may_issue_for_anything() -> None:
    free = authority().certificate
    assert (parse_limits([]), permitted(free), excluded(free), told(free)) == (None, (), (), "")
    server(authority(), "anywhere.example", "192.0.2.1")


def test_order_and_repetition_make_no_difference() -> None:
    assert parse_limits(["10.0.0.0/8", "example.org"]) == parse_limits(["EXAMPLE.org.", "example.org", "10.0.0.0/8"])
    assert parse_limits(["localhost", "::1"]) == parse_limits(["127.0.0.0/8"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.0.0.5", ip_network("10.0.0.5/32")),
        ("2001:db8::/32", ip_network("2001:db8::/32")),
        ("[2001:db8::5]", ip_network("2001:db8::5/128")),
        ("0.0.0.0/0", ip_network("0.0.0.0/0")),
        ("bücher.example", "xn--bcher-kva.example"),
        ("docker", "docker"),
    ],
)
def test_what_may_be_permitted(text: str, value: object) -> None:
    assert value in [name.value for name in permitted(authority(text).certificate)]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("*.example.org", "write example.org"),
        (".example.org", "write example.org"),
        ("10.1.2.3/8", "write 10.0.0.0/8"),
        ("2001:db8::1/32", "write 2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "as IPv4"),
        ("::ffff:10.0.0.5", "write 10.0.0.5"),
        ("10.0.0.0/33", "such as 10.0.0.0/8"),
        ("10.0.0.0/", "such as 10.0.0.0/8"),
        ("web1:2376", "no scheme, port or path"),
        ("tcp://web1", "no scheme, port or path"),
        ("ann@example.org", "no scheme, port or path"),
        ("fe80::1%eth0", "not a link-local one"),
        ("bü_.example", "letters, digits"),
        ("10.0.0.300", "four numbers"),
        ("", "such as web1.example.org"),
        ("a b", "by itself"),
        ("\x1b[31m", "letters, digits"),
    ],
)
def test_what_may_not_and_what_to_do(text: str, hint: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_limits([text])
    assert hint in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(Refused) as caught:
        parse_limits(["*.a", "example.org", "10.1.2.3/8", "b:80"])
    assert [fault.message.split('"')[1] for fault in caught.value.faults] == ["*.a", "10.1.2.3/8", "b:80"]


def test_what_lies_inside_is_issued_and_accepted() -> None:
    leaf = server(
        LIMITED, "web1.example.org", "example.org", "*.example.org", "10.255.0.1", "localhost", "127.0.0.1", "::1"
    )
    path = (leaf.certificate, LIMITED.certificate)
    assert (flaws(path), pickiness(path)) == ((), ())


def test_every_name_outside_is_told_and_what_is_permitted() -> None:
    outside = ("other.org", "web.example.org", "badexample.org", "11.0.0.1", "2001:db8::1")
    assert refused(LIMITED, *outside) == ["other.org", "badexample.org", "11.0.0.1", "2001:db8::1"]
    with pytest.raises(Refused) as caught:
        server(LIMITED, "other.org")
    assert "CN=CA" in caught.value.message
    assert "example.org, 10.0.0.0/8, localhost" in caught.value.hint


def test_where_only_names_are_given_addresses_are_limited_too() -> None:
    names = authority("example.org")
    assert refused(names, "web1.example.org", "10.0.0.1", "::2") == ["10.0.0.1", "::2"]
    server(names, "web1.example.org", "127.0.0.1", "::1", "localhost")


def test_where_only_addresses_are_given_names_are_limited_too() -> None:
    addresses = authority("10.0.0.0/8")
    assert refused(addresses, "web1.example.org", "10.0.0.1") == ["web1.example.org"]
    server(addresses, "10.0.0.1", "localhost")


def test_the_limits_of_every_authority_above_bind() -> None:
    wide, key = Request(replace(CA, path_length=1), "root", limits=parse_limits(["example.org"])), generate("ed25519")
    root = issue(wide, key, None, now=NOW, serial=1)
    between = authority(issuer=root, name="between")
    above = replace(between, chain=(root.certificate,))
    assert refused(above, "a.other.org") == ["a.other.org"]
    assert server(above, "a.example.org").chain == (between.certificate,), "the root is not sent"


def test_a_client_without_names_passes() -> None:
    leaf = issue(Request(CLIENT, "ann"), KEY, LIMITED, now=NOW, serial=2)
    assert leaf.certificate.subject.rfc4514_string() == "CN=ann"
    assert (flaws((leaf.certificate, LIMITED.certificate)), doubts("ann", [LIMITED.certificate])) == ((), "")


def test_addresses_alone_leave_no_common_name_that_would_be_taken_for_a_hosts() -> None:
    """OpenSSL and GnuTLS look at the common name where there is no DNS name."""
    leaf = server(LIMITED, "10.0.0.5").certificate
    assert leaf.subject.rdns == []
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
    assert server(LIMITED, "10.0.0.5", "localhost").certificate.subject.rdns
    assert server(authority(), "10.0.0.5").certificate.subject.rdns
    assert not limits_hosts([authority().certificate])


@pytest.mark.parametrize(
    ("name", "doubtful"), [("ann.smith", True), ("ann.example.org", False), ("ann@other.org", False)]
)
def test_a_client_with_the_name_of_a_host_outside_is_told_about(name: str, doubtful: bool) -> None:
    leaf = issue(Request(CLIENT, name), KEY, LIMITED, now=NOW, serial=2)
    path = (leaf.certificate, LIMITED.certificate)
    assert flaws(path) == ()
    assert bool(doubts(name, path[1:])) is doubtful
    assert [flaw.seen for flaw in pickiness(path)] == ([name] if doubtful else [])


def test_only_an_authority_is_limited() -> None:
    with pytest.raises(Refused, match="only an authority"):
        issue(Request(CLIENT, "ann", limits=parse_limits(["a"])), KEY, LIMITED, now=NOW, serial=2)


def test_foreign_limits_are_told() -> None:
    limits = x509.NameConstraints(None, [x509.DNSName("secret.example"), x509.IPAddress(ip_network("10.0.0.0/8"))])
    foreign = issue(Request(CA, "foreign", limits=limits), generate("ecdsa-p256"), None, now=NOW, serial=1)
    assert told(foreign.certificate) == "all but secret.example, 10.0.0.0/8"
    assert refused(foreign, "a.secret.example", "b.example", str(ip_address("10.0.0.1"))) == [
        "a.secret.example",
        "10.0.0.1",
    ]
