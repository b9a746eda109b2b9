from __future__ import annotations

import subprocess
import sys
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509

from dockertls.errors import Refused
from dockertls.pki.names import client_name, display, folder, from_folder, parse_name, parse_names, twins, warnings


def dns(text: str) -> x509.DNSName:
    return x509.DNSName(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("web1.example.org", dns("web1.example.org")),
        ("Web1.Example.ORG.", dns("web1.example.org")),
        ("localhost", dns("localhost")),
        ("build_01", dns("build_01")),
        ("r3---sn.example", dns("r3---sn.example")),
        ("3com.example", dns("3com.example")),
        ("*.x.y", dns("*.x.y")),
        ("*.local", dns("*.local")),
        ("bücher.example", dns("xn--bcher-kva.example")),
        ("BÜCHER.example", dns("xn--bcher-kva.example")),
        ("*.bücher.example", dns("*.xn--bcher-kva.example")),
        ("faß.de", dns("xn--fa-hia.de")),
        ("例え。テスト", dns("xn--r8jz45g.xn--zckzah")),
        ("x" * 63, dns("x" * 63)),
        ("10.0.0.5", x509.IPAddress(ip_address("10.0.0.5"))),
        ("::1", x509.IPAddress(ip_address("::1"))),
        ("[::1]", x509.IPAddress(ip_address("::1"))),
        ("2001:DB8:0:0::5", x509.IPAddress(ip_address("2001:db8::5"))),
    ],
)
def test_names_are_read(text: str, name: x509.GeneralName) -> None:
    assert parse_name(text) == name


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "empty", "10.0.0.5"),
        (".", "empty", "10.0.0.5"),
        ("a b", "space", "by itself"),
        (" web1", "space", "by itself"),
        ("web1\n", "line break", "by itself"),
        ("web1\0", "control character", "letters"),
        ("web1\x1b[2J", "control character", "letters"),
        ("web1\u202egro", "control character", "letters"),
        ("tcp://h:2376", "URL", "host alone"),
        ("https://h", "URL", "host alone"),
        ("h:2376", "port", "host alone"),
        ("h:", "port", "host alone"),
        ("[::1]:2376", "port", "host alone"),
        ("10.0.0.5:2376", "port", "host alone"),
        ("h/v1.41", "path", "host alone"),
        ("../../etc", "path", "host alone"),
        ("C:\\certs", "path", "host alone"),
        ("10.0.0.0/8", "network", "each address"),
        ("2001:db8::/32", "network", "each address"),
        ("me@example.org", "e-mail", "host alone"),
        ("fe80::1%eth0", "zone", "link-local"),
        ("[fe80::1%eth0]", "zone", "link-local"),
        ("::ffff:10.0.0.5", "in the form of IPv6", "write 10.0.0.5"),
        ("[::ffff:a00:5]", "in the form of IPv6", "write 10.0.0.5"),
        ("2001:db8::xyz", "not an IPv6 address", "2001:db8::5"),
        ("[10.0.0.5]", "not an IPv6 address", "2001:db8::5"),
        ("-x", "dash", "letters"),
        ("--help", "dash", "letters"),
        ("10.0.0.256", "looks like an IPv4 address", "0 to 255"),
        ("10.0.0", "looks like an IPv4 address", "0 to 255"),
        ("010.0.0.1", "looks like an IPv4 address", "leading zeros"),
        ("web.1", "looks like an IPv4 address", "no number"),
        ("１０.0.0.256", "looks like an IPv4 address", "0 to 255"),  # noqa: RUF001 - full-width digits are the case
        ("web-.example", '"web-" cannot be part', "letters"),
        ("web..example", "empty part", "single dots"),
        ("we!b.example", '"we!b" cannot be part', "letters"),
        ("x" * 64, "64 characters", "letters"),
        (".".join(["x" * 59] * 5), "299 characters", "at most 253"),
        ("*", "whole first part", "*.example.org"),
        ("*.*.x", "whole first part", "*.example.org"),
        ("a*.x", "whole first part", "*.example.org"),
        ("x.*", "whole first part", "*.example.org"),
        ("_wildcard.example.org", "the store keeps", "another name"),
        ("☃.example", "internationalised", "letters"),
    ],
)
def test_bad_names_are_refused_with_a_hint(text: str, message: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_name(text)
    assert [message in fault.message for fault in refused.value.faults] == [True]
    assert hint in refused.value.faults[0].hint
    assert refused.value.message.isprintable()


def test_every_fault_of_every_name_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        parse_names(["ok.example", "tcp://h", "-a-.b!." + "x" * 64, "10.0.0.256"])
    assert len(refused.value.faults) == 3
    with pytest.raises(Refused) as refused:
        parse_name("a!.b?." + "x" * 64)
    assert len(refused.value.faults) == 3


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(Refused) as refused:
        parse_name("y" * 100_000)
    assert len(refused.value.message) < 250


def test_duplicates_are_left_out_and_the_order_is_kept() -> None:
    names = parse_names(["b.example", "10.0.0.5", "B.example.", "a.example", "10.0.0.5"])
    assert [display(name) for name in names] == ["b.example", "10.0.0.5", "a.example"]


def test_names_of_foreign_certificates_are_shown_safely() -> None:
    assert display(x509.DNSName("a\x1b[2J")) == "a\\x1b[2J"
    assert display(x509.RFC822Name("me@example.org")) == "email:me@example.org"
    assert display(x509.UniformResourceIdentifier("spiffe://x")) == "URI:spiffe://x"
    assert display(x509.IPAddress(ip_network("10.0.0.0/8"))) == "10.0.0.0/8"
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    assert display(x509.DirectoryName(who)) == "directory:CN=x"
    assert display(x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")) == "other:1.2.3"
    assert display(x509.RegisteredID(x509.ObjectIdentifier("1.2.3")))


def test_doubtful_names_are_warned_of() -> None:
    texts = warnings(parse_names(["web1.example", "10.0.0.5", "a_b.example", "*.example.org", "*.local", "::"]))
    assert [text.partition(": ")[0] for text in texts] == ["a_b.example", "*.example.org", "*.local", "*.local", "::"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web1.example.org", "web1.example.org"),
        ("*.example.org", "_wildcard.example.org"),
        ("10.0.0.5", "10.0.0.5"),
        ("::1", "++1"),
        ("2001:db8::5", "2001+db8++5"),
    ],
)
def test_a_folder_is_named_so_that_the_name_can_be_read_back(text: str, expected: str) -> None:
    name = parse_name(text)
    assert folder(name) == expected
    assert from_folder(expected) == name


@pytest.mark.parametrize("name", [x509.DNSName(".."), x509.DNSName("a/b"), x509.DNSName(""), x509.RFC822Name("a@b")])
def test_no_folder_for_what_no_server_is_called(name: x509.GeneralName) -> None:
    with pytest.raises(Refused):
        folder(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("alice", "alice"),
        ("ci+build@example.org", "ci+build@example.org"),
        ("_x", "_x"),
        ("Zoe\u0308", "Zoë"),
        ("李雷", "李雷"),
        ("a" * 64, "a" * 64),
        ("काशी", "काशी"),
    ],
)
def test_client_names_are_read(text: str, name: str) -> None:
    assert client_name(text) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a b", "space cannot"),
        ("a/b", "/ cannot"),
        ("a\0", "\\x00 cannot"),
        ("a\n", "cannot"),
        ("a\u202eb", "\\u202e cannot"),
        ("a\udc80", "\\udc80 cannot"),
        ("-a", "begins with -"),
        (".a", "begins with ."),
        ("..", "begins with ."),
        ("\u0308a", "begins with"),
        ("a" * 65, "65 bytes"),
        ("李" * 22, "66 bytes"),
        ("a=b,c", "= ,"),
    ],
)
def test_bad_client_names_are_refused(text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        client_name(text)
    assert message in " ".join(fault.message for fault in refused.value.faults)
    assert refused.value.message.isprintable()


def test_idna_is_loaded_for_those_who_need_it_only() -> None:
    code = (
        "import sys; from dockertls.pki.names import parse_name; parse_name('a.example'); print('idna' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("wanted", "there", "told"),
    [
        (["Ann"], ["ann"], ["Ann"]),
        (["ann"], ["ann"], []),
        (["Ann", "ann", "bob"], [], ["ann"]),
        (["ann"], ["ann", "Ann"], []),
        (["ANN"], ["ann", "Ann"], ["ANN"]),
        (["STRASSE", "\u00c9va"], ["stra\u00dfe", "\u00e9va"], ["STRASSE", "\u00c9va"]),
        (["ann2"], ["ann"], []),
    ],
)
def test_names_that_differ_in_case_alone(wanted: list[str], there: list[str], told: list[str]) -> None:
    assert [fault.message.split('"')[1] for fault in twins(wanted, there)] == told
