"""Certificates before judges that are not ours: OpenSSL, GnuTLS, and Python's ssl at its strictest."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dockertls.findings import Failed, NotApplicable, Passed
from dockertls.pki.issue import Issued, Request, ca_name, issue
from dockertls.pki.keys import (
    KINDS,
    PrivateKey,
    certificate_pem,
    fingerprint,
    generate,
    key_fingerprint,
    kind_of,
    load_certificates,
    load_private,
    private_pem,
)
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, CLIENT, SERVER, Purpose
from dockertls.pki.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)
NAMES = ("web1.example.org", "localhost", "*.wild.example.org", "bücher.example", "a_b.example.org", "10.0.0.5", "::1")
HOSTS = ("web1.example.org", "WEB1.example.org", "localhost", "x.wild.example.org", "xn--bcher-kva.example")
ADDRESSES = ("10.0.0.5", "::1")
STRANGERS = ("web2.example.org", "wild.example.org", "x.y.wild.example.org", "xweb1.example.org")

PAIRS = [(kind, "ecdsa-p256") for kind in KINDS] + [("ecdsa-p256", kind) for kind in KINDS if kind != "ecdsa-p256"]
"""The kinds of the authority's and of the leaves' keys."""


@cache
def key(kind: str, who: str) -> PrivateKey:  # noqa: ARG001 - each role has its own key
    return generate(kind)


@dataclass(frozen=True)
class Pki:
    """An authority, a server and a client, in memory and on disk."""

    folder: Path
    authority: Issued
    server: Issued
    client: Issued

    def file(self, role: str, part: str) -> str:
        return str(self.folder / f"{role}-{part}.pem")

    @property
    def ca_file(self) -> str:
        return self.file("ca", "cert")


def write(folder: Path, role: str, issued: Issued) -> None:
    assert issued.key is not None
    (folder / f"{role}-cert.pem").write_bytes(certificate_pem((issued.certificate, *issued.chain)))
    (folder / f"{role}-key.pem").write_bytes(private_pem(issued.key))


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def pki(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pki:
    signing, signed = request.param
    authority = issue(Request(CA, ca_name(NOW, signing)), key(signing, "ca"), None, now=NOW, serial=(1 << 159) - 1)
    names = parse_names(NAMES)
    server = issue(Request(SERVER, NAMES[0], names), key(signed, "server"), authority, now=NOW, serial=1 << 158)
    client = issue(Request(CLIENT, "Zoë"), key(signed, "client"), authority, now=NOW, serial=1)
    folder = tmp_path_factory.mktemp("pki")
    for role, issued in (("ca", authority), ("server", server), ("client", client)):
        write(folder, role, issued)
    return Pki(folder, authority, server, client)


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, capture_output=True, text=True)


def openssl_verify(pki: Pki, role: str, purpose: str, *options: str) -> str:
    """OpenSSL's verdict: `OK`, or its errors."""
    argv = ("openssl", "verify", "-x509_strict", "-purpose", purpose, *options, "-CAfile", pki.ca_file)
    ran = run(*argv, pki.file(role, "cert"))
    return "OK" if ran.returncode == 0 else ran.stderr


@pytest.mark.needs("openssl")
def test_openssl_at_its_strictest_accepts_each_certificate_for_its_purpose_alone(pki: Pki) -> None:
    assert openssl_verify(pki, "server", "sslserver") == "OK"
    assert openssl_verify(pki, "client", "sslclient") == "OK"
    assert openssl_verify(pki, "ca", "any") == "OK"
    for role, purpose in (("server", "sslclient"), ("client", "sslserver")):
        assert "error 26" in openssl_verify(pki, role, purpose)  # X509_V_ERR_INVALID_PURPOSE


@pytest.mark.needs("openssl")
def test_openssl_accepts_the_servers_names_and_no_others(pki: Pki) -> None:
    for host in HOSTS:
        assert openssl_verify(pki, "server", "sslserver", "-verify_hostname", host) == "OK"
    for address in ADDRESSES:
        assert openssl_verify(pki, "server", "sslserver", "-verify_ip", address) == "OK"
    for host in STRANGERS:
        assert "hostname mismatch" in openssl_verify(pki, "server", "sslserver", "-verify_hostname", host)
    assert "IP address mismatch" in openssl_verify(pki, "server", "sslserver", "-verify_ip", "10.0.0.6")


@pytest.mark.needs("openssl")
def test_openssl_and_we_agree_on_the_ends_of_life(pki: Pki) -> None:
    for role, issued, purpose in (("server", pki.server, Purpose.SERVER), ("client", pki.client, Purpose.CLIENT)):
        leaf, roots = issued.certificate, (pki.authority.certificate,)
        start, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
        for moment in (start - 1, start, end - 1, end + 1):
            ours = verify(leaf, (), roots, now=datetime.fromtimestamp(moment, UTC), purpose=purpose)
            alive = not isinstance(next(one for one in ours if one.id == "expiry").verdict, Failed)
            theirs = openssl_verify(pki, role, f"ssl{role}", "-attime", str(int(moment)))
            assert (theirs == "OK") is (start <= moment <= end)
            assert alive is (start <= moment < end - 7 * 86400)


def test_our_own_verdict_is_that_all_is_well(pki: Pki) -> None:
    roots = (pki.authority.certificate,)
    for issued, purpose in ((pki.server, Purpose.SERVER), (pki.client, Purpose.CLIENT)):
        names = (*HOSTS, *ADDRESSES) if purpose is Purpose.SERVER else ()
        found = verify(issued.certificate, issued.chain, roots, now=NOW, purpose=purpose, names=names)
        assert [one.id for one in found if not isinstance(one.verdict, Passed | NotApplicable)] == []


def context(pki: Pki, side: int, role: str, version: ssl.TLSVersion) -> ssl.SSLContext:
    """As Python 3.13 makes them, and pinned to one version of TLS."""
    made = ssl.SSLContext(side)
    made.load_verify_locations(pki.ca_file)
    made.load_cert_chain(pki.file(role, "cert"), pki.file(role, "key"))
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.verify_mode = ssl.CERT_REQUIRED
    made.minimum_version = made.maximum_version = version
    return made


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bytes:
    """Shake hands in memory, and send a word each way.

    Returns:
        The client's certificate as the server saw it, DER.

    Raises:
        ssl.SSLError: if either side refuses the other.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=host)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    open_ends = {here, there}
    for _ in range(10):
        for end in tuple(open_ends):
            try:
                end.do_handshake()
                open_ends.discard(end)
            except ssl.SSLWantReadError:
                pass
    assert not open_ends
    here.write(b"ping")
    assert there.read(4) == b"ping"
    there.write(b"pong")
    assert here.read(4) == b"pong"
    shown = there.getpeercert(binary_form=True)
    assert shown is not None
    return shown


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_mutual_handshake_at_pythons_strictest(pki: Pki, version: ssl.TLSVersion) -> None:
    client = context(pki, ssl.PROTOCOL_TLS_CLIENT, "client", version)
    server = context(pki, ssl.PROTOCOL_TLS_SERVER, "server", version)
    for host in (*HOSTS, *ADDRESSES):
        assert shake_hands(client, server, host) == pki.client.certificate.public_bytes(Encoding.DER)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(client, server, STRANGERS[0])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_neither_side_passes_with_the_others_certificate(pki: Pki, version: ssl.TLSVersion) -> None:
    client = context(pki, ssl.PROTOCOL_TLS_CLIENT, "client", version)
    server = context(pki, ssl.PROTOCOL_TLS_SERVER, "server", version)
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shake_hands(context(pki, ssl.PROTOCOL_TLS_CLIENT, "server", version), server, "localhost")
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        shake_hands(client, context(pki, ssl.PROTOCOL_TLS_SERVER, "client", version), "localhost")


@pytest.mark.needs("gnutls")
def test_gnutls_verifies_both_leaves_and_no_strangers(pki: Pki) -> None:
    for role, use in (("server", "1.3.6.1.5.5.7.3.1"), ("client", "1.3.6.1.5.5.7.3.2")):
        argv = ("certtool", "--verify", f"--load-ca-certificate={pki.ca_file}", f"--infile={pki.file(role, 'cert')}")
        assert "Chain verification output: Verified." in run(*argv, f"--verify-purpose={use}").stdout
    hosts = [
        run(*argv[:-1], f"--infile={pki.file('server', 'cert')}", f"--verify-hostname={host}") for host in HOSTS[:3]
    ]
    assert [ran.returncode for ran in hosts] == [0, 0, 0]
    wrong = run(*argv[:-1], f"--infile={pki.file('server', 'cert')}", f"--verify-hostname={STRANGERS[0]}")
    assert wrong.returncode != 0


@pytest.mark.needs("openssl")
def test_a_long_name_leaves_a_critical_san_and_an_empty_subject_that_everybody_reads(tmp_path: Path) -> None:
    authority = issue(Request(CA, ca_name(NOW, "long")), key("ecdsa-p256", "ca"), None, now=NOW, serial=1)
    host = f"{'x' * 60}.{'y' * 60}.example.org"
    leaf = issue(Request(SERVER, host, parse_names([host])), key("ecdsa-p256", "server"), authority, now=NOW, serial=2)
    for role, issued in (("ca", authority), ("server", leaf), ("client", leaf)):
        write(tmp_path, role, issued)
    assert openssl_verify(Pki(tmp_path, authority, leaf, leaf), "server", "sslserver", "-verify_hostname", host) == "OK"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_an_encrypted_key_and_names_600000_rounds(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private_pem(key(kind, "ca"), "pässword".encode()))
    opened = run("openssl", "pkey", "-in", str(path), "-passin", "pass:pässword")
    assert opened.stdout.encode() == private_pem(key(kind, "ca"))
    structure = run("openssl", "asn1parse", "-in", str(path)).stdout
    assert "INTEGER           :0927C0" in structure
    assert [word for word in ("PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc") if word not in structure] == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("option", ["-aes256", "-traditional -aes128", "-scrypt"])
def test_keys_that_openssl_encrypted_are_read(option: str, tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.pem", tmp_path / "key.pem"
    plain.write_bytes(private_pem(key("ecdsa-p256", "ca")))
    secret = ("-out", str(path), "-passout", "pass:x")
    if option == "-scrypt":
        made = run("openssl", "pkcs8", "-topk8", "-scrypt", "-in", str(plain), *secret)
    else:
        made = run("openssl", "pkey", *option.split(), "-in", str(plain), *secret)
    assert made.returncode == 0
    assert private_pem(load_private(path.read_bytes(), b"x")) == plain.read_bytes()


@pytest.mark.needs("openssl")
def test_openssl_prints_the_same_fingerprint_and_its_files_are_read(pki: Pki, tmp_path: Path) -> None:
    printed = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", pki.ca_file).stdout
    assert printed.strip().partition("=")[2] == fingerprint(pki.authority.certificate)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(run("openssl", "x509", "-text", "-in", pki.ca_file).stdout)
    assert load_certificates(bundle.read_bytes()) == (pki.authority.certificate,)
    assert pki.server.key is not None
    assert key_fingerprint(pki.server.key) == key_fingerprint(pki.server.certificate.public_key())
    assert kind_of(pki.server.key) == kind_of(pki.server.certificate.public_key())
