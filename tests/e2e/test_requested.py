"""Requests, and what is signed for them: between two stores, and between a store and openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import recover
from dockertls.host import LocalHost
from dockertls.pki.keys import KINDS, load_certificates, load_private, matches
from tests.e2e.openssl import AUTHORITY, CLIENT, P256, RSA, SERVER, Signer, openssl, verdict
from tests.e2e.program import Place, program
from tests.e2e.scenarios import copied, everywhere, some
from tests.e2e.strace import killed, traced
from tests.e2e.test_bad_input import refused
from tests.e2e.test_imported import twice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.strace import Point

pytestmark = pytest.mark.needs("openssl")

WAITS = "servers/web1/pending"
NAMES = "subjectAltName=DNS:web1,IP:10.0.0.5\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, an intermediate authority below it, and a stranger."""
    made = tmp_path_factory.mktemp("openssl")
    root = Signer.root(made, "root", *P256)
    root.below("middle")
    root.below("sister")
    Signer.root(made, "other", *RSA)
    return made


@pytest.fixture
def keyless(fresh: Place, folder: Path) -> Place:
    """A host whose authority is kept elsewhere."""
    fresh.done("ca", "import", folder / "middle.pem", "--chain", folder / "root.pem", "--yes")
    return fresh


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A host with an authority and its key, a server and a client; only to be looked at."""
    place = Place.recorded("debian", tmp_path_factory.mktemp("office") / "root")
    place.done("ca", "init", "--no-passphrase", "--yes")
    place.done("server", "issue", "taken", "--yes")
    return place


@pytest.fixture
def signs(office: Place, tmp_path: Path) -> Place:
    """The same, to be changed."""
    return office.copied(tmp_path / "office")


def request(place: Place, *words: object) -> Path:
    """Let a request wait; where it is."""
    ran = place.done("--json", *words, "--yes").document["data"]
    return place.root / str(ran["path"]).lstrip("/") / "request.pem"


# requests of ours


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_a_request_of_any_kind_of_key(fresh: Place, kind: str) -> None:
    csr = request(fresh, "server", "csr", "web1", "--san", "10.0.0.5", "--san", "bücher.example", "--key", kind)
    text = openssl("req", "-in", csr, "-verify", "-noout", "-text")
    assert "Subject: CN = web1" in text
    assert "DNS:web1, IP Address:10.0.0.5, DNS:xn--bcher-kva.example" in text
    assert "TLS Web Server Authentication" in text
    assert openssl("req", "-in", csr, "-noout", "-pubkey") == openssl(
        "pkey", "-in", csr.with_name("key.pem"), "-pubout"
    )


def test_a_request_is_made_once(fresh: Place) -> None:
    for words in (("server", "csr", "web1", "--san", "10.0.0.5"), ("client", "csr", "ann", "--key", "ed25519")):
        twice(fresh, *words)
    place = fresh.store / WAITS
    modes = {path.name: path.stat().st_mode & 0o777 for path in (place, *place.iterdir())}
    assert modes == {"pending": 0o700, "key.pem": 0o600, "request.pem": 0o644}
    assert "there are no certificates" in fresh.done("status").err, "what waits is none yet"


def test_a_request_for_other_names_has_the_same_key(fresh: Place) -> None:
    csr = request(fresh, "server", "csr", "web1")
    before, key = csr.read_bytes(), (csr.with_name("key.pem")).read_bytes()
    twice(fresh, "server", "csr", "web1", "--san", "web1.example")
    assert "DNS:web1, DNS:web1.example" in openssl("req", "-in", csr, "-noout", "-text")
    assert csr.read_bytes() != before
    assert csr.with_name("key.pem").read_bytes() == key
    refused(fresh, 4, "server", "csr", "web1", "--key", "rsa-2048", "--yes", told="a key of kind ecdsa-p256 waits in")


def test_a_request_is_handed_out_as_asked(fresh: Place, tmp_path: Path) -> None:
    out = tmp_path / "web1.csr"
    twice(fresh, "server", "csr", "web1", "--output", out)
    assert out.read_bytes() == (fresh.store / WAITS / "request.pem").read_bytes()
    assert out.stat().st_mode & 0o777 == 0o644
    printed = fresh.done("server", "csr", "web1", "--output", "-", "--yes")
    assert printed.out == out.read_text()
    out.write_text("something else")
    words = ("server", "csr", "web1", "--yes", "--output")
    refused(fresh, 4, *words, out, told="is there already")
    refused(fresh, 4, *words, tmp_path / "no/where", told="name a folder that exists")
    assert fresh.run("--json", *words, "-").document["error"]["kind"] == "usage"
    fresh.done(*words, out, "--force")
    assert out.read_text() == printed.out


@pytest.mark.parametrize("name", ["", "a b", "../x", "10.0.0.256"])
def test_a_request_for_a_bad_name_is_refused(fresh: Place, name: str) -> None:
    refused(fresh, 3, "server", "csr", "--yes", "--", name)
    refused(fresh, 3, "server", "csr", "web1", "--yes", f"--san={name}")
    refused(fresh, 3, "server", "accept", "--yes", "--", name, "/dev/null")
    if name != "10.0.0.256":
        refused(fresh, 3, "client", "csr", "--yes", "--", name)


# what is accepted


def signed(folder: Path, csr: Path, extensions: str, *how: object, by: str = "middle") -> Path:
    return Signer(folder, by).sign(csr, extensions, csr.parents[5] / "signed.pem", *how)


def test_what_openssl_signed_is_accepted_and_used(keyless: Place, folder: Path) -> None:
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    answer = signed(folder, csr, SERVER + NAMES)
    key = csr.with_name("key.pem").read_bytes()
    twice(keyless, "server", "accept", "web1", answer)
    made = keyless.store / "servers/web1"
    assert {path.name for path in made.iterdir()} == {"0001", "current"}
    assert (made / "0001/key.pem").read_bytes() == key
    leaf, above = load_certificates((made / "0001/cert.pem").read_bytes())
    assert matches(leaf, load_private(key))
    assert above == load_certificates((folder / "middle.pem").read_bytes())[0]
    chain = ("-CAfile", folder / "root.pem", "-untrusted", made / "0001/cert.pem", made / "0001/cert.pem")
    assert verdict("-x509_strict", "-purpose", "sslserver", *chain) == "OK"
    csr = request(keyless, "client", "csr", "ann")
    twice(keyless, "client", "accept", "ann", signed(folder, csr, CLIENT))


def test_bootstrap_says_what_to_have_signed_and_then_uses_it(keyless: Place, folder: Path) -> None:
    words = ("bootstrap", "web1", "--client", "ann", "--yes")
    command = "server csr web1 --san localhost --san 127.0.0.1 --san ::1"
    refused(keyless, 4, *words, told=f"dockertls {command};")
    csr = request(keyless, *command.split())
    names = "subjectAltName=DNS:web1,DNS:localhost,IP:127.0.0.1,IP:::1\n"
    keyless.done("server", "accept", "web1", signed(folder, csr, SERVER + names), "--yes")
    refused(keyless, 4, *words, told="dockertls client csr ann;")
    csr = request(keyless, "client", "csr", "ann")
    keyless.done("client", "accept", "ann", signed(folder, csr, CLIENT), "--yes")
    assert "export DOCKER_HOST" in keyless.done(*words).out
    assert keyless.done(*words[:-1], "--check").out.strip() == "nothing to do"


def test_openssl_ca_signs_a_request_as_a_company_does(keyless: Place, folder: Path, tmp_path: Path) -> None:
    """Its extensions are copied from the request, as `copy_extensions = copy` has it."""
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    (tmp_path / "index").touch()
    config = tmp_path / "ca.cnf"
    config.write_text(
        f"[ca]\ndefault_ca=it\n[it]\ndatabase={tmp_path}/index\nrand_serial=yes\nnew_certs_dir={tmp_path}\n"
        "default_md=sha256\npolicy=any\ncopy_extensions=copy\nx509_extensions=more\nunique_subject=no\n"
        "[any]\ncommonName=supplied\n[more]\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    middle, out = Signer(folder, "middle"), tmp_path / "out.pem"
    words = ("-config", config, "-batch", "-notext", "-days", 90, "-cert", middle.cert, "-keyfile", middle.key)
    openssl("ca", *words, "-in", csr, "-out", out)
    keyless.done("server", "accept", "web1", "-", "--yes", stdin=out.read_bytes())
    assert (keyless.store / "servers/web1/current/key.pem").exists()


def test_what_is_in_use_stays_in_use_while_a_request_waits(keyless: Place, folder: Path) -> None:
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    keyless.done("server", "accept", "web1", signed(folder, csr, SERVER + NAMES), "--yes")
    keyless.done("server", "install", "web1", "--yes")
    store = keyless.store / "servers/web1"
    before = [(store / "current" / name).read_bytes() for name in ("cert.pem", "key.pem")]
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5", "--key", "rsa-2048")
    assert [(store / "current" / name).read_bytes() for name in ("cert.pem", "key.pem")] == before
    assert keyless.done("server", "install", "web1", "--check").out.strip() == "nothing to do"
    keyless.done("server", "accept", "web1", signed(folder, csr, SERVER + NAMES), "--yes")
    assert (store / "current").readlink() == Path("0002")
    assert (store / "0001/key.pem").read_bytes() == before[1]
    assert keyless.run("server", "install", "web1", "--check").code == 1


def test_the_root_alone_is_known_and_the_intermediate_comes_with_the_answer(fresh: Place, folder: Path) -> None:
    fresh.done("ca", "import", folder / "root.pem", "--yes")
    csr = request(fresh, "server", "csr", "web1", "--san", "10.0.0.5")
    answer = signed(folder, csr, SERVER + NAMES)
    refused(fresh, 3, "server", "accept", "web1", answer, "--yes", told="neither trusted nor sent along")
    pems = (Signer(folder, "root").cert, Signer(folder, "middle").cert, answer)
    whole = b"".join(path.read_bytes() for path in pems)
    fresh.done("server", "accept", "web1", "-", "--yes", stdin=whole)
    held = load_certificates((fresh.store / "servers/web1/current/cert.pem").read_bytes())
    assert [one.subject.rfc4514_string() for one in held] == ["CN=web1", "CN=middle,O=Acme"]
    csr = request(fresh, "client", "csr", "ann")
    whole = b"".join(path.read_bytes() for path in (signed(folder, csr, CLIENT), *pems[:2]))
    fresh.done("client", "accept", "ann", "-", "--yes", stdin=whole)
    fresh.done("client", "install", "ann", "--yes")


WRONG: dict[str, tuple[str, str, tuple[object, ...], str]] = {
    "purpose": (CLIENT + NAMES, "middle", (), "for clientAuth, not for serverAuth"),
    "names": (f"{SERVER}subjectAltName=DNS:web1\n", "middle", (), "it has no addresses"),
    "no names": (SERVER, "middle", (), "it has no subject alternative names"),
    "ended": (SERVER + NAMES, "middle", ("-days", "-1"), "it has ended at"),
    "another authority": (SERVER + NAMES, "other", (), "its issuer is neither trusted nor sent along"),
    "an authority": (AUTHORITY + NAMES, "middle", (), "it is an authority's certificate"),
    "SHA-1": (SERVER + NAMES, "middle", ("-days", "9", "-sha1"), "sha1 signatures are refused"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_is_wrong_is_refused(keyless: Place, folder: Path, name: str) -> None:
    extensions, by, how, told = WRONG[name]
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    answer = signed(folder, csr, extensions, *how, by=by)
    refused(keyless, 3, "server", "accept", "web1", answer, "--yes", told=told)
    refused(keyless, 3, "server", "accept", "web1", answer, "--check", told=told)


def test_everything_against_an_answer_is_told_at_once(keyless: Place, folder: Path) -> None:
    request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    another = request(keyless, "client", "csr", "eve")
    answer = signed(folder, another, CLIENT, "-days", "-1", by="other")
    ran = keyless.run("--json", "server", "accept", "web1", answer, "--yes")
    messages = [fault["message"] for fault in ran.document["error"]["faults"]]
    for text in (
        "for another key",
        "no subject alternative names",
        "not for serverAuth",
        "has ended",
        "neither trusted",
    ):
        assert any(text in message for message in messages), messages


def test_an_authority_under_the_same_root_is_not_the_stores(keyless: Place, folder: Path) -> None:
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    answer = signed(folder, csr, SERVER + NAMES, by="sister").read_bytes() + Signer(folder, "sister").cert.read_bytes()
    told = "issued by CN=sister,O=Acme, not by the store's authority CN=middle,O=Acme"
    refused(keyless, 3, "server", "accept", "web1", "-", "--yes", told=told, stdin=answer)


def test_a_client_has_the_name_that_was_asked_for(keyless: Place, folder: Path) -> None:
    csr = request(keyless, "client", "csr", "ann")
    openssl("req", "-new", "-key", csr.with_name("key.pem"), "-subj", "/CN=root", "-out", csr.parents[5] / "other.csr")
    answer = Signer(folder, "middle").sign(csr.parents[5] / "other.csr", CLIENT, csr.parents[5] / "signed.pem")
    refused(keyless, 3, "client", "accept", "ann", answer, "--yes", told="it is for root, not for ann")


NOTHING: dict[str, tuple[tuple[object, ...], int, str]] = {
    "no request": (("server", "accept", "web2", "{root}"), 4, "no request waits for server web2"),
    "no file": (("server", "accept", "web1", "/nonexistent"), 4, "No such file"),
    "no certificate": (("server", "accept", "web1", "/dev/null"), 3, "is empty"),
    "a key": (("server", "accept", "web1", "{key}"), 3, "holds a private key, not a certificate"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_cannot_be_accepted_is_explained(keyless: Place, folder: Path, name: str) -> None:
    words, code, told = NOTHING[name]
    request(keyless, "server", "csr", "web1")
    files = {"{root}": folder / "root.pem", "{key}": folder / "root.key"}
    refused(keyless, code, *(files.get(str(word), word) for word in words), "--yes", told=told)


def test_without_an_authority_nothing_is_accepted(fresh: Place, folder: Path) -> None:
    csr = request(fresh, "server", "csr", "web1", "--san", "10.0.0.5")
    answer = signed(folder, csr, SERVER + NAMES)
    refused(fresh, 4, "server", "accept", "web1", answer, "--yes", told="dockertls ca import CERT")
    fresh.done("ca", "import", folder / "middle.pem", "--chain", folder / "root.pem", "--yes")
    fresh.done("server", "accept", "web1", answer, "--yes")


# what is signed


def asked(place: Path, subject: str, *extensions: str, kind: tuple[str, ...] = P256) -> Path:
    """A request as somebody makes it with openssl; its key lies beside it."""
    csr = place / "asked.csr"
    more = [word for extension in extensions for word in ("-addext", extension)]
    openssl(
        "req", "-new", "-utf8", *kind, "-nodes", "-keyout", place / "asked.key", "-out", csr, "-subj", subject, *more
    )
    return csr


SAN = "subjectAltName=DNS:Web9.example,DNS:web9,IP:10.0.0.9"


def test_a_request_of_openssl_is_signed_and_nothing_of_it_but_key_and_names_is_taken(
    signs: Place, tmp_path: Path
) -> None:
    greedy = ("basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign", "extendedKeyUsage=clientAuth,serverAuth")
    csr = asked(tmp_path, "/C=XX/CN=web9", SAN, *greedy)
    shown = signs.run("server", "sign", csr)
    assert shown.code == 4, "nobody said yes"
    assert "server web9, for web9, web9.example, 10.0.0.9; key ecdsa-p256" in shown.err, "in the order of its folder"
    for text in ("to be an authority (CA:TRUE)", "KeyUsage", "ExtendedKeyUsage"):
        assert text in shown.err
    twice(signs, "server", "sign", csr)
    made = signs.store / "servers/web9/0001"
    assert {path.name for path in made.iterdir()} == {"cert.pem"}, "the key is elsewhere"
    text = openssl("x509", "-in", made / "cert.pem", "-noout", "-text")
    assert "CA:FALSE" in text
    assert "TLS Web Server Authentication\n" in text
    assert "TLS Web Client Authentication" not in text
    assert "Subject: CN = web9\n" in text
    assert "DNS:web9, DNS:web9.example, IP Address:10.0.0.9" in text
    ca = signs.store / "ca/trust.pem"
    assert verdict("-x509_strict", "-purpose", "sslserver", "-CAfile", ca, made / "cert.pem") == "OK"
    assert "OK" not in verdict("-purpose", "sslclient", "-CAfile", ca, made / "cert.pem")
    assert openssl("x509", "-in", made / "cert.pem", "-noout", "-pubkey") == openssl(
        "pkey", "-in", tmp_path / "asked.key", "-pubout"
    )
    refused(signs, 4, "server", "install", "web9", "--yes", told="the key of server web9 is elsewhere")


def test_a_client_is_signed_by_its_common_name(signs: Place, tmp_path: Path) -> None:
    csr, out = asked(tmp_path, "/CN=Zoë@laptop", kind=RSA), tmp_path / "zoe.pem"
    twice(signs, "client", "sign", csr, "--output", out, "--days", "90")
    assert out.read_bytes() == (signs.store / "clients/Zoë@laptop/0001/cert.pem").read_bytes()
    assert out.stat().st_mode & 0o777 == 0o644
    assert verdict("-x509_strict", "-purpose", "sslclient", "-CAfile", signs.store / "ca/trust.pem", out) == "OK"
    printed = signs.done("client", "sign", csr, "--days", "90", "--yes", "--output", "-").out
    assert printed == out.read_text()
    refused(signs, 4, "client", "export", "Zoë@laptop", "--output", tmp_path / "x", told="elsewhere")
    refused(signs, 4, "client", "install", "Zoë@laptop", "--yes", told="elsewhere")
    told = signs.done("--json", "client", "sign", csr, "--days", "90", "--yes").document["data"]
    assert (told["new"], told["pem"]) == (False, printed)


def test_names_may_be_given_instead_of_those_that_are_asked_for(signs: Place, tmp_path: Path) -> None:
    csr = asked(tmp_path, "/CN=whatever", "subjectAltName=DNS:*.com,email:x@y")
    ran = signs.done("server", "sign", csr, "--name", "web9", "--san", "10.0.0.9", "--yes")
    assert "it asks for the name *.com, and does not get it" in ran.err
    text = openssl("x509", "-in", signs.store / "servers/web9/0001/cert.pem", "-noout", "-ext", "subjectAltName")
    assert text.split("\n")[1].strip() == "DNS:web9, IP Address:10.0.0.9"
    other = tmp_path / "other"
    other.mkdir()
    signs.done("client", "sign", asked(other, "/O=Acme"), "--name", "ann", "--yes")
    assert (signs.store / "clients/ann/0001/cert.pem").exists()


def _forged(place: Path) -> Path:
    csr = asked(place, "/CN=web9", SAN)
    der = openssl_bytes("req", "-in", csr, "-outform", "DER").replace(b"Web9.", b"evil.", 1)
    csr.write_bytes(openssl_bytes("req", "-inform", "DER", stdin=der))
    return csr


def openssl_bytes(*words: object, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, words)], input=stdin, capture_output=True, check=True).stdout


BAD: dict[str, tuple[Callable[[Path], object], tuple[object, ...], int, str]] = {
    "forged": (_forged, (), 3, "it is not signed with its own key"),
    "short key": (lambda at: asked(at, "/CN=x", SAN, kind=("-newkey", "rsa:1024")), (), 3, "its key is too short"),
    "odd curve": (
        lambda at: asked(at, "/CN=x", SAN, kind=("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")), (), 3,
        "of a kind that docker cannot use",
    ),
    "no names": (lambda at: asked(at, "/CN=web9"), (), 3, "its common name, web9, is not one"),
    "odd names": (lambda at: asked(at, "/CN=x", "subjectAltName=email:a@b,DNS:a b"), (), 3, "2 faults"),
    "bad name given": (lambda at: asked(at, "/CN=x", SAN), ("--name", "a b"), 3, "a space"),
    "too long a life": (lambda at: asked(at, "/CN=x", SAN), ("--days", "9999"), 3, "a life of 9999 days"),
    "no request": (lambda _: "/dev/null", (), 3, "holds no certificate request"),
    "no file": (lambda _: "/nonexistent", (), 4, "No such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_request_that_is_wrong_is_not_signed(office: Place, tmp_path: Path, name: str) -> None:
    make, words, code, told = BAD[name]
    refused(office, code, "server", "sign", make(tmp_path), *words, "--yes", told=told)


OWNED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a server's": ("servers/taken/0001/key.pem", ("server", "--name", "web9"), "its key is that of server taken"),
    "a server's, for a client": ("servers/taken/0001/key.pem", ("client", "--name", "ann"), "that of server taken"),
    "the authority's": ("ca/0001/key.pem", ("server", "--name", "web9"), "its key is that of the authority itself"),
}


@pytest.mark.parametrize("name", OWNED)
def test_a_key_that_has_another_holder_is_not_signed(office: Place, tmp_path: Path, name: str) -> None:
    key, (role, *words), told = OWNED[name]
    csr = tmp_path / "asked.csr"
    openssl("req", "-new", "-key", office.store / key, "-subj", "/CN=x", "-out", csr)
    refused(office, 3, role, "sign", csr, *words, "--yes", told=told)


def test_an_encrypted_key_is_asked_for_only_where_something_is_signed(fresh: Place, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("correct horse\n")
    fresh.done("ca", "init", "--yes", "--passphrase-file", secret)
    csr = asked(tmp_path, "/CN=web9", SAN)
    refused(fresh, 4, "server", "sign", csr, "--yes", told="--passphrase-file")
    assert fresh.run("server", "sign", csr, "--check").code == 1
    fresh.done("server", "sign", csr, "--yes", "--passphrase-file", secret)
    assert "nothing to do" in fresh.done("server", "sign", csr, "--yes").err


def test_a_name_whose_key_is_here_is_not_taken_over_but_its_host_gets_another(signs: Place, tmp_path: Path) -> None:
    csr = asked(tmp_path, "/CN=taken", "subjectAltName=DNS:taken")
    told = "another one: --name OTHER --san taken"
    refused(signs, 3, "server", "sign", csr, "--yes", told=told)
    assert (signs.store / "servers/taken/current").readlink() == Path("0001")
    signs.done("server", "sign", csr, "--name", "other", "--san", "taken", "--yes")
    text = openssl("x509", "-in", signs.store / "servers/other/0001/cert.pem", "-noout", "-ext", "subjectAltName")
    assert "DNS:taken" in text


def test_a_key_whose_certificate_was_revoked_is_not_signed_again(signs: Place, tmp_path: Path) -> None:
    csr = asked(tmp_path, "/CN=ann")
    signs.done("client", "sign", csr, "--yes")
    signs.done("client", "revoke", "ann", "--reason", "keyCompromise", "--yes")
    for words in ((), ("--name", "ann2")):
        refused(
            signs, 3, "client", "sign", csr, *words, "--yes", told="a certificate of its key was revoked: client ann"
        )


def test_two_stores_one_signs_and_the_other_has_the_key(signs: Place, fresh: Place, tmp_path: Path) -> None:
    """All of it, as it is done where the authority lies in a safe."""
    csr, answer = tmp_path / "web9.csr", tmp_path / "web9.pem"
    fresh.done("server", "csr", "web9", "--san", "10.0.0.9", "--output", csr, "--yes")
    assert "does not get it" not in signs.done("server", "sign", csr, "--output", answer, "--yes").err
    ca = signs.done("ca", "show", "--pem").out.encode()
    fresh.done("ca", "import", "-", "--yes", stdin=ca)
    fresh.done("server", "accept", "web9", answer, "--yes")
    fresh.done("server", "install", "web9", "--yes")
    installed = load_certificates((fresh.root / "etc/docker/server-cert.pem").read_bytes())
    assert installed == load_certificates(answer.read_bytes())
    ran = signs.run("undo", "--yes")
    assert ran.code == 4, "what was signed stays signed"
    assert answer.exists()


@pytest.mark.needs("root", "strace")
def test_an_answer_is_taken_whole_or_not_at_all_and_no_key_is_lost(
    keyless: Place, folder: Path, tmp_path: Path, every: int
) -> None:
    csr = request(keyless, "server", "csr", "web1", "--san", "10.0.0.5")
    answer, key = signed(folder, csr, SERVER + NAMES), csr.with_name("key.pem").read_bytes()
    words = ("server", "accept", "web1", answer, "--yes")
    for name in ("first", "undisturbed"):  # what is imported late, is before calls are counted
        with copied(keyless, name) as place:
            points = traced(program(*place.words, *words), place.root).points

    def killed_at(point: Point) -> None:
        with copied(keyless, f"killed-{point.at}") as place:
            killed(program(*place.words, *words), place.root, point)
            recover(LocalHost(str(place.root)))
            made, waits = place.store / "servers/web1/0001/key.pem", place.store / WAITS / "key.pem"
            assert [path.read_bytes() for path in (made, waits) if path.exists()] == [key], "in one place of the two"
            place.done(*words)
            assert (made.read_bytes(), waits.parent.exists()) == (key, False)
            assert (place.store / "servers/web1/current").readlink() == Path("0001")

    everywhere(killed_at, some(points, every), tmp_path)
