"""`dockertls inspect` of what openssl makes, and of servers that let nobody in."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.openssl import CLIENT, P256, RSA, SERVER, Signer, openssl
from tests.e2e.program import command, dockertls, started
from tests.e2e.terminal import in_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.program import Ran

pytestmark = pytest.mark.needs("openssl")
NAMED = f"{SERVER}subjectAltName=DNS:localhost,IP:127.0.0.1\n"
PASSPHRASE = "a passphrase"  # noqa: S105 - of files that are made here


@dataclass(frozen=True)
class Works:
    """What an administrator has: a root, an authority below it, a server with its key, and a client."""

    folder: Path
    root: Signer
    middle: Signer

    def leaf(self, name: str, extensions: str, *how: object) -> Path:
        """NAME.pem, and beside it NAME.key and NAME.csr."""
        csr, key = self.folder / f"{name}.csr", self.folder / f"{name}.key"
        openssl("req", "-new", *P256, "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={name}")
        return self.middle.sign(csr, extensions, self.folder / f"{name}.pem", *how)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Works:
    folder = tmp_path_factory.mktemp("works")
    root = Signer.root(folder, "root", *P256)
    made = Works(folder, root, root.below("middle"))
    made.leaf("web1", NAMED)
    made.leaf("ann", CLIENT)
    return made


def inspected(*words: object, code: int = 0, **how: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as `dockertls`
    ran = dockertls("--json", "inspect", *words, **how)
    assert (ran.code, ran.err) == (code, "")
    found: list[dict[str, Any]] = ran.document["data"]
    return found


def causes(thing: dict[str, Any]) -> str:
    return "; ".join(fault["cause"] for fault in thing["faults"])


def content(*paths: Path) -> bytes:
    return b"".join(path.read_bytes() for path in paths)


def refused(ran: Ran, code: int, told: str) -> None:
    assert (ran.code, ran.out) == (code, ""), ran
    assert told in ran.err
    assert len(ran.err.splitlines()) == 2, "what happened, and what to do"
    assert ran.err.isprintable() or set(filter(lambda char: not char.isprintable(), ran.err)) == {"\n"}


def test_a_chain_with_its_key_as_dockerd_is_given_it(works: Works) -> None:
    stdin = content(works.folder / "web1.pem", works.middle.cert, works.folder / "web1.key")
    server, middle, key, chain = inspected("-", stdin=stdin)
    assert [server["for"], middle["for"], key["certificates"]] == ["server", "authority", [1]]
    assert server["names"] == ["localhost", "127.0.0.1"]
    assert (chain["kind"], chain["certificates"], chain["in_order"]) == ("chain", [1, 2], True)
    assert server["spki_sha256"] == key["spki_sha256"]
    assert not any(thing["faults"] for thing in (server, middle, key, chain))
    ran = dockertls("inspect", "-", stdin=stdin)
    assert "leads to" in ran.out
    assert "PRIVATE" not in ran.out
    told = openssl("x509", "-in", works.folder / "web1.pem", "-noout", "-fingerprint", "-sha256", "-serial")
    assert server["fingerprint_sha256"] in told
    assert server["serial"].upper() in told


def test_chains_and_pairs_that_are_wrong(works: Works) -> None:
    web1, middle, root = works.folder / "web1.pem", works.middle.cert, works.root.cert
    assert "a root is sent along" in causes(inspected("-", stdin=content(web1, middle, root))[-1])
    assert "a link is missing" in causes(inspected("-", stdin=content(web1, root), code=1)[-1])
    assert "docker takes the first" in causes(inspected("-", stdin=content(root, middle, web1), code=1)[-1])
    swapped = inspected("-", stdin=content(web1, works.folder / "ann.key"), code=1)
    assert "does not match" in causes(swapped[1])


def test_another_purpose_is_asked_for(works: Works) -> None:
    web1 = works.folder / "web1.pem"
    assert "not for clientAuth" in causes(inspected(web1, "--for", "client", code=1)[0])
    assert inspected(web1, "--for", "server")[0]["judged_as"] == "server"
    assert "not marked as an authority" in causes(inspected(web1, "--for", "ca", code=1)[0])
    assert "no subject alternative names" in causes(inspected(works.folder / "ann.pem", "--for", "server", code=1)[0])
    assert dockertls("inspect", web1, "--for", "nothing").code == 2


@pytest.mark.parametrize(
    ("extensions", "how", "code", "told"),
    [
        (NAMED, ("-days", "-1"), 1, "has ended"),
        (NAMED, ("-days", "9"), 0, "in 8 days"),
        (SERVER, (), 1, "no subject alternative names"),
        (f"{NAMED}1.2.3.4=critical,ASN1:NULL\n", (), 1, "unhandled critical extension"),
        (NAMED.replace("serverAuth", "serverAuth,clientAuth"), (), 0, "may be used as clientAuth as well"),
        (NAMED.replace("authorityKeyIdentifier=keyid\n", "authorityKeyIdentifier=none\n"), (), 0, "Authority Key"),
        (NAMED, ("-set_serial", "-5", "-days", "99"), 1, "serial number is negative"),
        (NAMED, ("-sha1", "-days", "99"), 1, "sha1 signatures are refused"),
    ],
)
def test_faults_of_what_openssl_signs(
    works: Works, extensions: str, how: tuple[str, ...], code: int, told: str
) -> None:
    path = works.leaf("bad", extensions, *how)
    assert told in causes(inspected(path, code=code)[0])
    ran = dockertls("inspect", path)
    assert ran.code == code
    assert told in ran.out
    assert "what to do" in ran.out
    assert ran.err == ""


def test_the_authority_of_the_classical_recipe_is_warned_of(tmp_path: Path) -> None:
    made = tmp_path / "ca.pem"
    openssl("req", "-x509", *RSA, "-nodes", "-keyout", tmp_path / "k", "-out", made, "-subj", "/CN=ca", "-days", 365)
    assert "does not include key usage extension" in causes(inspected(made)[0])
    short = ("-newkey", "rsa:1024")
    openssl("req", "-x509", *short, "-nodes", "-keyout", tmp_path / "k", "-out", made, "-subj", "/CN=ca", "-days", 365)
    assert "its key is too short" in causes(inspected(made, code=1)[0])


KEYS: dict[str, tuple[str, ...]] = {
    "PKCS#8": ("pkcs8", "-topk8", "-nocrypt"),
    "PKCS#8 in DER": ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
    "PKCS#8, encrypted": ("pkcs8", "-topk8", "-passout", f"pass:{PASSPHRASE}"),
    "PKCS#8, encrypted, in DER": ("pkcs8", "-topk8", "-passout", f"pass:{PASSPHRASE}", "-outform", "DER"),
    "SEC1": ("ec",),
    "SEC1 in DER": ("ec", "-outform", "DER"),
    "SEC1, encrypted": ("ec", "-aes256", "-passout", f"pass:{PASSPHRASE}"),
}


@pytest.mark.parametrize("way", KEYS)
def test_keys(works: Works, tmp_path: Path, way: str) -> None:
    openssl(*KEYS[way], "-in", works.folder / "web1.key", "-out", tmp_path / "key")
    (key,) = inspected(tmp_path / "key")
    assert (key["syntax"], key["encrypted"]) == (way.split(" ", maxsplit=1)[0].strip(","), "encrypted" in way)
    (certificate,) = inspected(works.folder / "web1.pem")
    (tmp_path / "secret").write_text(PASSPHRASE)
    (opened,) = inspected(tmp_path / "key", "--passphrase-file", tmp_path / "secret")
    assert opened["spki_sha256"] == certificate["spki_sha256"]
    assert ("spki_sha256" in key) is ("encrypted" not in way)
    if "encrypted" in way:
        wrong = dockertls("inspect", tmp_path / "key", "--passphrase-command", "echo wrong")
        refused(wrong, 3, "does not open")


def test_requests_lists_and_public_keys(works: Works, tmp_path: Path) -> None:
    (request,) = inspected(works.folder / "web1.csr")
    assert (request["subject"], request["signature"]) == ("CN=web1", "good")
    assert "no subject alternative names" in causes(inspected(works.folder / "web1.csr", "--for", "server", code=1)[0])
    openssl("pkey", "-in", works.folder / "web1.key", "-pubout", "-out", tmp_path / "public.pem")
    (public,) = inspected(tmp_path / "public.pem")
    assert public["spki_sha256"] == request["spki_sha256"]


def test_a_list_that_openssl_signed(works: Works, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("")
    config = tmp_path / "ca.cnf"
    config.write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={tmp_path}/index\ncrlnumber={tmp_path}/number\ndefault_md=sha256\n"
        f"certificate={works.middle.cert}\nprivate_key={works.middle.key}\ndefault_crl_days=9\n"
    )
    (tmp_path / "number").write_text("0A\n")
    openssl("ca", "-config", config, "-revoke", works.folder / "ann.pem", "-crl_reason", "keyCompromise")
    openssl("ca", "-config", config, "-gencrl", "-out", tmp_path / "crl.pem")
    openssl("crl", "-in", tmp_path / "crl.pem", "-outform", "DER", "-out", tmp_path / "crl.der")
    (ann,) = inspected(works.folder / "ann.pem")
    for path in (tmp_path / "crl.pem", tmp_path / "crl.der"):
        (listed,) = inspected(path)
        assert (listed["issuer"], listed["list_number"]) == ("CN=middle,O=Acme", 10)
        assert listed["revoked"] == [ann["serial"]]
        assert listed["entries"][0]["reason"] == "keyCompromise"


@pytest.fixture
def bundle(works: Works, tmp_path: Path) -> Path:
    path, pair = tmp_path / "web1.p12", ("-in", works.folder / "web1.pem", "-inkey", works.folder / "web1.key")
    openssl("pkcs12", "-export", *pair, "-certfile", works.middle.cert, "-out", path, "-passout", f"pass:{PASSPHRASE}")
    return path


def test_a_pkcs12_wants_its_passphrase_and_no_other(bundle: Path, tmp_path: Path) -> None:
    refused(dockertls("inspect", bundle), 4, "the passphrase of the PKCS#12")
    refused(dockertls("inspect", "-", stdin=bundle.read_bytes()), 4, "the passphrase of the PKCS#12")
    refused(dockertls("inspect", bundle, "--passphrase-command", "echo wrong"), 3, "does not open")
    (tmp_path / "secret").write_text(f"{PASSPHRASE}\n")
    whole, server, _, key, chain = inspected(bundle, "--passphrase-file", tmp_path / "secret")
    assert (whole["kind"], whole["certificates"], whole["private_key"]) == ("pkcs12", 2, True)
    assert (server["names"], key["certificates"], chain["faults"]) == (["localhost", "127.0.0.1"], [1], [])
    by_handle = dockertls("inspect", bundle, "--passphrase-fd", "0", stdin=PASSPHRASE.encode())
    assert by_handle.code == 0
    twice = dockertls("inspect", "-", "--passphrase-file", "-", stdin=bundle.read_bytes())
    assert twice.code == 2
    variable = dockertls("inspect", bundle, env={"DOCKERTLS_PASSPHRASE_FILE": str(tmp_path / "secret")})
    assert variable.code == 4, "that is the one of the authority's key"


def test_a_pkcs12_is_asked_for_on_a_terminal(bundle: Path, tmp_path: Path) -> None:
    code, seen = in_a_terminal(command("inspect", bundle), tmp_path)
    assert code == 0, seen
    assert "<answered>" in seen
    assert "localhost, 127.0.0.1" in seen


@pytest.mark.parametrize("how", [("-legacy",), ("-passout", "pass:")])
def test_a_pkcs12_of_the_old_kind_and_one_without_a_passphrase(
    works: Works, tmp_path: Path, how: tuple[str, ...]
) -> None:
    path, pair = tmp_path / "web1.p12", ("-in", works.folder / "web1.pem", "-inkey", works.folder / "web1.key")
    openssl("pkcs12", "-export", *pair, "-out", path, "-passout", f"pass:{PASSPHRASE}", *how)
    opening = () if "pass:" in how else ("--passphrase-command", f"echo '{PASSPHRASE}'")
    whole, *_ = inspected(path, *opening)
    assert whole["passphrase"] is (how == ("-legacy",))
    if how == ("-legacy",):
        assert "-legacy" in dockertls("inspect", path, "--passphrase-command", "echo wrong").err


def test_pem_is_what_openssl_would_print_and_never_a_key(works: Works, bundle: Path) -> None:
    web1, middle = works.folder / "web1.pem", works.middle.cert
    text = b"# ours\n" + content(web1, works.folder / "web1.key").replace(b"\n", b"\r\n") + content(middle)
    ran = dockertls("inspect", "-", "--pem", stdin=text)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (content(web1, middle)).decode()
    packed = dockertls("inspect", bundle, "--pem", "--passphrase-command", f"echo '{PASSPHRASE}'")
    assert (packed.code, packed.out) == (0, content(web1, middle).decode())
    (document,) = inspected(works.folder / "web1.csr", "--pem")
    assert document["pem"] == (works.folder / "web1.csr").read_text()
    refused(dockertls("inspect", works.folder / "web1.key", "--pem"), 3, "nothing that is public")


def test_pem_of_what_is_damaged_is_the_rest_and_says_so(works: Works) -> None:
    pem = content(works.root.cert)
    ran = dockertls("inspect", "-", "--pem", stdin=pem + pem[:80] + pem[120:])
    assert (ran.code, ran.out) == (1, pem.decode())
    assert "damaged 1: it cannot be read" in ran.err


def test_blocks_that_docker_passes_over(works: Works, tmp_path: Path) -> None:
    pem = content(works.root.cert)
    marked, trusted = tmp_path / "marked.pem", tmp_path / "trusted.pem"
    marked.write_bytes(b"\xef\xbb\xbf" + pem)
    openssl("x509", "-in", works.root.cert, "-trustout", "-addtrust", "serverAuth", "-out", trusted)
    for path, told in ((marked, "byte order mark"), (trusted, "only OpenSSL reads")):
        assert told in causes(inspected(path, code=1)[0])
        clean = dockertls("inspect", path, "--pem")
        assert (clean.code, clean.out) == (1, pem.decode())
    glued = inspected("-", stdin=pem.rstrip() + content(works.middle.cert), code=1)
    assert ["line break" in causes(thing) for thing in glued] == [True, True, False]


# endpoints


@contextlib.contextmanager
def serving(works: Works, *how: object, address: str = "127.0.0.1") -> Iterator[str]:
    """The port of a server of openssl's that shows web1 and its authority."""
    process = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"{address}:0", "-cert", works.folder / "web1.pem",
         "-key", works.folder / "web1.key", "-cert_chain", works.middle.cert, "-CAfile", works.root.cert,
         *map(str, how)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.match(rb"ACCEPT \S*:([0-9]+)", line):
                yield found[1].decode()
                return
        pytest.fail("openssl s_server did not start")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("version", ["-tls1_3", "-tls1_2"])
def test_what_a_server_shows_that_lets_nobody_in(works: Works, version: str) -> None:
    with serving(works, version, "-Verify", 1, "-verify_return_error") as port:
        endpoint, server, middle, chain = inspected(f"tcp://127.0.0.1:{port}")
        assert endpoint["protocol"] == {"-tls1_3": "TLSv1.3", "-tls1_2": "TLSv1.2"}[version]
        assert "refused" in endpoint["without_certificate"]
        assert (server["judged_as"], server["faults"]) == ("server", [])
        assert middle["subject"] == "CN=middle,O=Acme"
        assert (chain["certificates"], chain["missing"]) == ([1, 2], ["CN=root,O=Acme"])
        pem = dockertls("inspect", f"127.0.0.1:{port}", "--pem")
        assert (pem.code, pem.out) == (0, content(works.folder / "web1.pem", works.middle.cert).decode())


def test_the_name_that_is_used_counts(works: Works) -> None:
    with serving(works, address="127.0.0.2") as port:
        assert "not for 127.0.0.2" in causes(inspected(f"tcp://127.0.0.2:{port}", code=1)[1])
    with serving(works) as port:
        ran = dockertls("inspect", f"localhost:{port}")
        assert ran.code == 0
        assert ran.out.startswith("endpoint\n")


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_what_is_neither_a_file_nor_an_endpoint(closed_port: int, tmp_path: Path) -> None:
    nobody = dockertls("inspect", f"tcp://127.0.0.1:{closed_port}")
    refused(nobody, 7, "nothing listens on that port")
    assert "systemctl status docker" in nobody.err
    both = dockertls("inspect", "nobody.invalid", "--timeout", "5")
    refused(both, 7, "nobody.invalid: no such file, and not an endpoint that answers")
    for text in ("nothere.pem", "no/such/file", "a b", "\x1b[31m", "x" * 5000, "web1:99999"):
        refused(dockertls("inspect", text, cwd=tmp_path), 4, "no such file, and not an endpoint")
    refused(dockertls("inspect", "https://web1"), 3, "https://")


def test_a_file_that_is_there_is_a_file_whatever_its_name(works: Works, tmp_path: Path) -> None:
    for name in ("web1:2376", "localhost"):
        (tmp_path / name).write_bytes(content(works.folder / "web1.pem"))
        assert inspected(name, cwd=tmp_path)[0]["kind"] == "certificate"


def test_a_server_that_speaks_no_tls(closed_port: int) -> None:
    with socket.create_server(("127.0.0.1", closed_port)) as listener:
        silent = dockertls("inspect", f"tcp://127.0.0.1:{closed_port}", "--timeout", "0.3")
        refused(silent, 7, "no answer in time")
        assert listener.fileno() >= 0


# hostile files


HOSTILE = {
    "noise": os.urandom(4 * 1024 * 1024),
    "noise in PEM": b"-----BEGIN CERTIFICATE-----\n" + b"QUJD" * 1_000_000 + b"\n-----END CERTIFICATE-----\n",
    "beginnings": b"-----BEGIN CERTIFICATE-----\n" * 140_000,
    "depth": b"\x30\x80" * 2_000_000,
    "depth with lengths": b"\x30\x84\x00\x20\x00\x00" * 500_000,
    "depth in PKCS#12": b"\x30\x80\x02\x01\x03\x30\x80" + b"\x24\x80" * 2_000_000,
    "one label": b"-----BEGIN " + b"A" * 4_000_000,
    "zeros": bytes(4 * 1024 * 1024),
    "too much": bytes(4 * 1024 * 1024 + 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_ends_in_one_line(name: str) -> None:
    ran = started("inspect", "-", stdin=HOSTILE[name])
    assert ran.code in {3, 4}
    assert len(ran.err) < 500
    refused(ran, ran.code, "standard input" if name != "too much" else "larger than 4 MiB")


def test_a_long_chain_and_odd_names_are_shown_and_drive_no_terminal(tmp_path: Path) -> None:
    key, made = tmp_path / "key.pem", tmp_path / "odd.pem"
    names = "subjectAltName=DNS:a\x1b]0;x\x07b,DNS:web1"
    subject = "/CN=we\x1b[31mb1/O=\u202e\x07"
    openssl("req", "-x509", *P256, "-nodes", "-utf8", "-keyout", key, "-out", made, "-subj", subject, "-addext", names)
    many = content(made) * (200_000 // made.stat().st_size)
    ran = dockertls("inspect", "-", stdin=many)
    assert ran.code == 0
    assert set(filter(lambda char: not char.isprintable(), ran.out + ran.err)) == {"\n"}
    assert "we\\x1b[31mb1" in ran.out
    assert len(inspected("-", stdin=many)) > 200
