"""An authority that openssl made is taken over, signs as it did, and is trusted by everybody who trusted it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.envelope import ROUNDS
from dockertls.pki.keys import kdf_rounds, load_certificates, load_private, matches
from dockertls.probe.standin import stand_in
from dockertls.probe.throwaway import dockerd, free_port
from dockertls.probe.throwaway import folder as folder_of_its_own
from tests.e2e.openssl import AUTHORITY, P256, RSA, SERVER, Signer, openssl, verdict
from tests.e2e.program import Place, Ran
from tests.e2e.test_bad_input import refused

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.needs("openssl")

PLAIN = ("--no-passphrase", "--yes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Authorities of every kind, and a passphrase."""
    made = tmp_path_factory.mktemp("openssl")
    (made / "secret").write_text("correct horse\n")
    Signer.root(made, "rsa", *RSA)
    root = Signer.root(made, "root", *P256)
    root.below("middle")
    Signer.root(made, "other", *P256)
    return made


def twice(place: Place, *words: object) -> Ran:
    """Run what changes something: it looks first, asks, does it, and then has nothing to do."""
    before = place.snapshot
    assert place.done(*words, "--dry-run").out.strip()
    document = place.run("--json", *words, "--check")
    assert document.code == 1, document
    assert document.document["data"]["changes"]
    asked = place.run(*words)
    assert asked.code == 4
    assert "--yes" in asked.err
    assert place.snapshot == before, "it only looked"
    done = place.done("--json", *words, "--yes")
    assert done.document
    after = place.snapshot
    assert place.done(*words, "--check").out.strip() == "nothing to do"
    place.done(*words, "--yes")
    assert place.snapshot == after
    return done


# every form of a key

FORMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "PKCS#1": ("rsa", ("rsa", "-traditional")),
    "PKCS#8": ("rsa", ("pkcs8", "-topk8", "-nocrypt")),
    "SEC 1": ("root", ("ec",)),
    "SEC 1 with parameters": ("root", ("ec", "-param_enc", "named_curve")),
    "encrypted PKCS#1": ("rsa", ("rsa", "-traditional", "-aes256")),
    "encrypted PKCS#1 of old": ("rsa", ("rsa", "-traditional", "-des3")),
    "encrypted SEC 1": ("root", ("ec", "-aes128")),
    "encrypted PKCS#8": ("root", ("pkcs8", "-topk8", "-v2", "aes-256-cbc")),
    "encrypted PKCS#8 of old": ("root", ("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES")),
    "encrypted PKCS#8 by scrypt": ("root", ("pkcs8", "-topk8", "-scrypt", "-scrypt_N", "1024")),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_key_of_any_form_is_taken_and_encrypted_anew(fresh: Place, folder: Path, tmp_path: Path, form: str) -> None:
    name, how = FORMS[form]
    key, secret = tmp_path / "key", folder / "secret"
    openssl(*how, "-in", folder / f"{name}.key", "-passout", f"file:{secret}", "-out", key)
    ran = fresh.done("--json", "ca", "import", folder / f"{name}.pem", key, "--passphrase-file", secret, "--yes")
    assert ran.document["data"]["authority"]["key_here"] is True
    kept = (fresh.store / "ca/0001/key.pem").read_bytes()
    assert kdf_rounds(kept) == ROUNDS
    assert matches(load_certificates((folder / f"{name}.pem").read_bytes())[0], load_private(kept, b"correct horse"))
    assert "correct horse" not in ran.out + ran.err
    fresh.done("client", "issue", "ann", "--yes", "--passphrase-file", secret)
    leaf = fresh.store / "clients/ann/0001/cert.pem"
    assert verdict("-x509_strict", "-purpose", "sslclient", "-CAfile", folder / f"{name}.pem", leaf) == "OK"
    again = fresh.done("ca", "import", folder / f"{name}.pem", key, "--yes")
    assert "nothing to do" in again.err, "and no passphrase is asked for"


def test_a_plain_key_gets_a_passphrase_or_is_kept_plain(fresh: Place, folder: Path, tmp_path: Path) -> None:
    words = ("ca", "import", folder / "root.pem", folder / "root.key")
    refused(fresh, 4, *words, "--yes", told="--no-passphrase")
    twice(fresh, *words, "--no-passphrase")
    assert (fresh.store / "ca/0001/key.pem").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    other = Place.recorded("debian", tmp_path / "other")
    other.done(*words, "--yes", "--passphrase-file", folder / "secret")
    assert kdf_rounds((other.store / "ca/0001/key.pem").read_bytes()) == ROUNDS


@pytest.mark.parametrize("days", [1, 36500])
def test_whatever_its_life_a_look_shows_what_it_would_sign(fresh: Place, tmp_path: Path, days: int) -> None:
    made = Signer.root(tmp_path, "aged", *P256, days=days)
    fresh.done("ca", "import", made.cert, made.key, "--passphrase-command", "echo secret", "--yes")
    assert "create" in fresh.done("server", "issue", "web1", "--dry-run").out
    fresh.done("server", "issue", "web1", "--passphrase-command", "echo secret", "--yes")
    assert fresh.done("server", "issue", "web1", "--check").out.strip() == "nothing to do"


# an intermediate one


def middle(place: Place, folder: Path) -> None:
    place.done("ca", "import", folder / "middle.pem", folder / "middle.key", "--chain", folder / "root.pem", *PLAIN)


def test_an_intermediate_one_is_renewed_from_and_rotated_away(fresh: Place, folder: Path) -> None:
    middle(fresh, folder)
    fresh.done("bootstrap", "web1", "--yes")
    etc, own = fresh.root / "etc/docker/tls/current", fresh.root / "root/.docker"
    fresh.done("renew", "--all", "--yes")
    assert (etc / "server-cert.pem").read_text().count("BEGIN CERTIFICATE") == 2
    for words in (("start", *PLAIN), *(("next", "--yes"),) * 4):
        fresh.done("ca", "rotate", *words)
        for ca, pem, purpose in (
            (own / "ca.pem", etc / "server-cert.pem", "sslserver"),
            (etc / "ca.pem", own / "cert.pem", "sslclient"),
        ):
            assert verdict("-purpose", purpose, "-CAfile", ca, "-untrusted", pem, pem) == "OK"
    assert (own / "ca.pem").read_bytes() == (fresh.store / "ca/0002/cert.pem").read_bytes()


def test_an_intermediate_authority_is_sent_along_and_its_root_is_trusted(fresh: Place, folder: Path) -> None:
    chain = ("--chain", folder / "root.pem")
    twice(fresh, "ca", "import", folder / "middle.pem", folder / "middle.key", *chain, "--no-passphrase")
    ca, root = fresh.store / "ca", (folder / "root.pem").read_bytes()
    assert load_certificates((ca / "trust.pem").read_bytes()) == load_certificates(root)
    fresh.done("server", "issue", "web1", "--yes")
    fresh.done("client", "issue", "ann", "--yes")
    for role, name, purpose in (("servers", "web1", "sslserver"), ("clients", "ann", "sslclient")):
        cert = fresh.store / role / name / "current/cert.pem"
        leaf, above = load_certificates(cert.read_bytes())
        assert [above] == list(load_certificates((folder / "middle.pem").read_bytes()))
        assert leaf.issuer == above.subject
        strict = ("-x509_strict", "-purpose", purpose, "-CAfile", ca / "trust.pem")
        assert verdict(*strict, "-untrusted", cert, cert) == "OK"
        assert "unable to get" in verdict(*strict, folder / "middle.pem", cert)


@pytest.mark.needs("gnutls")
def test_gnutls_follows_the_chain_as_it_is_sent(fresh: Place, folder: Path, tmp_path: Path) -> None:
    middle(fresh, folder)
    fresh.done("server", "issue", "web1", "--yes")
    whole = tmp_path / "whole.pem"
    whole.write_bytes((fresh.store / "servers/web1/current/cert.pem").read_bytes())
    words = ("--verify", "--load-ca-certificate", fresh.store / "ca/trust.pem", "--infile", whole)
    argv = ["certtool", *map(str, words), "--verify-hostname", "web1"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chain_may_stand_in_the_certificates_file_in_any_order(fresh: Place, folder: Path, tmp_path: Path) -> None:
    deep = Signer(folder, "middle").below("deep")
    chain = tmp_path / "chain.pem"
    pems = [(folder / f"{name}.pem").read_bytes() for name in ("root", "other", "middle")]
    chain.write_bytes(deep.cert.read_bytes() + b"some text\n" + b"".join(pems))
    ran = fresh.done("ca", "import", chain, deep.key, *PLAIN)
    assert "not taken, for it is not above the authority: CN=other,O=Acme" in ran.err
    held = load_certificates((fresh.store / "ca/0001/cert.pem").read_bytes())
    assert [one.subject.rfc4514_string().split(",")[0] for one in held] == ["CN=deep", "CN=middle", "CN=root"]
    fresh.done("client", "issue", "ann", "--yes")
    leaf = fresh.store / "clients/ann/0001/cert.pem"
    assert len(load_certificates(leaf.read_bytes())) == 3
    assert verdict("-x509_strict", "-CAfile", folder / "root.pem", "-untrusted", leaf, leaf) == "OK"


def test_files_of_the_same_authority_are_known_as_its_own(fresh: Place, folder: Path) -> None:
    """Even as plain files, as somebody may have put them there by hand."""
    middle(fresh, folder)
    fresh.done("bootstrap", "web1", "--client", "ann", "--yes")
    docker = fresh.root / "etc/docker"
    for name in ("ca.pem", "server-cert.pem", "server-key.pem"):
        content = (docker / name).read_bytes()
        (docker / name).unlink()
        (docker / name).write_bytes(content)
    fresh.done("bootstrap", "web1", "--client", "ann", "--yes")
    assert (docker / "server-cert.pem").is_symlink()
    assert fresh.done("bootstrap", "web1", "--client", "ann", "--check").out.strip() == "nothing to do"


def test_everybody_lets_each_other_in_through_an_intermediate_authority(fresh: Place, folder: Path) -> None:
    middle(fresh, folder)
    fresh.done("server", "issue", "localhost", "--san", "127.0.0.1", "--yes")
    fresh.done("client", "issue", "ann", "--yes")
    fresh.done("client", "install", "ann", "--yes")
    pair = [(fresh.store / f"servers/localhost/current/{name}.pem").read_bytes() for name in ("cert", "key")]
    with stand_in((fresh.store / "ca/trust.pem").read_bytes(), *pair) as endpoint:
        ran = fresh.run("--json", "check", endpoint.url)
    findings = {one["id"]: one["verdict"] for one in ran.document["data"]["endpoints"][0]["findings"]}
    assert ran.code == 0, findings
    assert (findings["chain"], findings["api"], findings["client-required"]) == ("passed",) * 3


@pytest.mark.needs("dockerd", "curl")
def test_a_real_dockerd_and_curl_follow_the_chain(fresh: Place, folder: Path) -> None:
    middle(fresh, folder)
    fresh.done("server", "issue", "localhost", "--san", "127.0.0.1", "--yes")
    fresh.done("client", "issue", "ann", "--yes")
    ca, server, client = (
        fresh.store / path for path in ("ca/trust.pem", "servers/localhost/current", "clients/ann/current")
    )
    port, program = free_port(), shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin")
    assert program
    tls = ("--tlsverify", f"--tlscacert={ca}", f"--tlscert={server}/cert.pem", f"--tlskey={server}/key.pem")
    with folder_of_its_own() as place, dockerd(Path(program), (f"--host=tcp://127.0.0.1:{port}", *tls), place, port):
        own = ("--cacert", ca, "--cert", client / "cert.pem", "--key", client / "key.pem")
        assert curl(*own, f"https://localhost:{port}/_ping") == "OK"
        assert curl(*own[:2], f"https://localhost:{port}/_ping").startswith("curl ")


def curl(*words: object) -> str:
    argv = ["curl", "-sS", "--max-time", "20", "--noproxy", "*", *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"curl {done.returncode}: {done.stderr}"


# without its key


def test_an_authority_whose_key_is_elsewhere_signs_nothing_here(fresh: Place, folder: Path) -> None:
    ran = twice(fresh, "ca", "import", folder / "root.pem")
    assert ran.document["data"]["authority"]["key_here"] is False
    assert not (fresh.store / "ca/0001/key.pem").exists()
    for words in (("server", "issue", "web1"), ("client", "issue", "ann"), ("bootstrap", "web1")):
        for how in ("--yes", "--dry-run"):
            refused(fresh, 4, *words, how, told=" csr ")
    twice(fresh, "ca", "import", folder / "root.pem", folder / "root.key", "--no-passphrase")
    fresh.done("server", "issue", "web1", "--yes")


# what is refused


def test_a_store_that_has_another_authority_keeps_it(secured: Place, folder: Path) -> None:
    refused(
        secured, 4, "ca", "import", folder / "root.pem", folder / "root.key", *PLAIN, told="has an authority already"
    )


def _server(folder: Path) -> tuple[object, ...]:
    made = Signer(folder, "root").below("leaf", SERVER)
    return made.cert, made.key


def _ended(folder: Path) -> tuple[object, ...]:
    made, csr = Signer(folder, "ended"), folder / "ended.csr"
    openssl("req", "-new", *P256, "-nodes", "-keyout", made.key, "-out", csr, "-subj", "/CN=ended")
    Signer(folder, "root").sign(csr, AUTHORITY, made.cert, "-days", "-1")
    return made.cert, made.key, "--chain", folder / "root.pem"


def _short(folder: Path) -> tuple[object, ...]:
    made = Signer.root(folder, "short", "-newkey", "rsa:1024")
    return made.cert, made.key


BAD: dict[str, tuple[Callable[[Path], tuple[object, ...]], int, str]] = {
    "a server's certificate": (_server, 3, "not marked as an authority"),
    "ended": (_ended, 3, "it has ended at"),
    "short key": (_short, 3, "its key is too short"),
    "no root": (lambda made: (made / "middle.pem", made / "middle.key"), 3, "the certificate of CN=root,O=Acme"),
    "another key": (lambda made: (made / "root.pem", made / "other.key"), 3, "the key is not that of the certificate"),
    "swapped": (lambda made: (made / "root.key", made / "root.pem"), 3, "are two files swapped?"),
    "no such file": (lambda made: (made / "nothing.pem",), 4, "No such file"),
    "a folder": (lambda made: (made,), 4, "Is a directory"),
    "no certificate": (lambda _: ("/dev/null",), 3, "is empty"),
    "standard input twice": (lambda _: ("-", "-"), 2, "only one file"),
    "nothing": (lambda _: (), 2, "either CERT or --docker-machine"),
    "both": (lambda made: (made / "root.pem", "--docker-machine", made), 2, "either CERT or --docker-machine"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_authority_is_refused(fresh: Place, folder: Path, name: str) -> None:
    words, code, told = BAD[name]
    refused(fresh, code, "ca", "import", *words(folder), *PLAIN, told=told)


def test_every_fault_of_every_file_is_told_at_once(fresh: Place, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "chain").write_text("no PEM")
    cert, _ = _server(folder)
    words = (cert, folder / "rsa.pem", "--chain", tmp_path / "chain")
    ran = fresh.run("--json", "ca", "import", *words, *PLAIN)
    messages = [fault["message"] for fault in ran.document["error"]["faults"]]
    assert ran.code == 3
    for text in ("is not PEM", "holds a certificate, not a private key", "is missing", "not marked as an authority"):
        assert any(text in message for message in messages), messages


def test_a_wrong_passphrase_opens_nothing(fresh: Place, folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    openssl("pkcs8", "-topk8", "-in", folder / "root.key", "-passout", f"file:{folder / 'secret'}", "-out", key)
    words = ("ca", "import", folder / "root.pem", key)
    wrong = ("--passphrase-command", "echo battery staple")
    refused(fresh, 3, *words, *wrong, "--yes", told="the passphrase does not open")
    refused(fresh, 4, *words, "--yes", told="--passphrase-file")


def test_a_key_beside_the_certificate_is_not_taken_unasked(fresh: Place, folder: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes((folder / "root.pem").read_bytes() + (folder / "root.key").read_bytes())
    ran = fresh.done("ca", "import", both, "--yes")
    assert "holds a private key too, which was not taken" in ran.err
    assert b"PRIVATE" not in (fresh.store / "ca/0001/cert.pem").read_bytes()
    fresh.done("ca", "import", both, both, *PLAIN)
    assert (fresh.store / "ca/0001/key.pem").exists()
