"""What a retired docker-machine left is taken over, and its hosts are rotated away from its authority."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.errors import Unreachable
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.standin import stand_in
from tests.e2e.openssl import openssl, verdict
from tests.e2e.test_bad_input import refused
from tests.e2e.test_imported import PLAIN, twice
from tests.unit.probe.asking import ask

if TYPE_CHECKING:
    from tests.e2e.program import Place

pytestmark = pytest.mark.needs("openssl")


USAGE = "keyUsage=digitalSignature,keyEncipherment,keyAgreement"
CA_CONFIG = f"""
[req]
distinguished_name=dn
prompt=no
x509_extensions=ca
[dn]
O=ann
[ca]
basicConstraints=critical,CA:TRUE
{USAGE},keyCertSign
subjectKeyIdentifier=none
"""
NO_IDENTIFIERS = "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"


def machine_tree(tree: Path) -> Path:
    """As docker-machine 0.16 wrote it: an organization and no common name, no key identifiers, PKCS#1 of 2048 bits."""
    certs, web1 = tree / "certs", tree / "machines/web1"
    for place in (certs, web1):
        place.mkdir(parents=True)
    config = tree / "ca.cnf"
    config.write_text(CA_CONFIG)
    _key(certs / "ca-key.pem")
    words = ("-config", config, "-key", certs / "ca-key.pem", "-days", 1080)
    openssl("req", "-x509", "-new", *words, "-out", certs / "ca.pem")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    _machine_leaf(certs / "cert.pem", certs / "key.pem", certs, "O=ann.<bootstrap>", "extendedKeyUsage=clientAuth")
    of_server = f"extendedKeyUsage=serverAuth\n{USAGE}\n{names}"
    _machine_leaf(web1 / "server.pem", web1 / "server-key.pem", certs, "O=ann.web1", of_server)
    (web1 / "config.json").write_text('{"Driver": {"IPAddress": "127.0.0.1", "MachineName": "web1"}}')
    return tree


def _machine_leaf(cert: Path, key: Path, ca: Path, subject: str, text: str) -> None:
    csr, extensions = cert.with_suffix(".csr"), cert.with_suffix(".ext")
    _key(key)
    openssl("req", "-new", "-key", key, "-subj", f"/{subject}", "-out", csr)
    extensions.write_text(f"{text}\n{NO_IDENTIFIERS}")
    signer = ("-CA", ca / "ca.pem", "-CAkey", ca / "ca-key.pem", "-CAcreateserial", "-CAserial", ca / "serial")
    openssl("x509", "-req", "-in", csr, *signer, "-extfile", extensions, "-days", 1080, "-out", cert)


def _key(path: Path) -> None:
    openssl("genrsa", "-traditional", "-out", path, "2048")
    path.chmod(0o600)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return machine_tree(tmp_path_factory.mktemp("docker") / "machine")


def test_what_a_docker_machine_left_is_taken_over_checked_and_used(fresh: Place, machine: Path) -> None:
    ran = twice(fresh, "ca", "import", "--docker-machine", machine, "--no-passphrase")
    told = ran.document["data"]
    names = [(one["role"], one["name"]) for one in told["certificates"]]
    assert names == [("client", "docker-machine"), ("server", "web1")]
    assert "dockertls check tcp://127.0.0.1:2376, dockertls ca rotate start" in ran.err
    for text in ("no common name", "no key identifiers", "Missing Subject Key Identifier"):
        assert any(text in note for note in told["notes"]), told["notes"]
    store, kept = fresh.store, machine / "certs/ca.pem"
    assert (store / "ca/trust.pem").read_text() == kept.read_text() == (store / "ca/0001/cert.pem").read_text()
    for path in store.rglob("key.pem"):
        assert path.stat().st_mode & 0o777 == 0o600
    told = fresh.done("--json", "status").document["data"]
    assert [(row["role"], row["name"]) for row in (*told["authorities"], *told["certificates"])] == [
        ("ca", ""),
        ("server", "web1"),
        ("client", "docker-machine"),
    ]
    assert fresh.done("status").out
    fresh.done("client", "install", "docker-machine", "--yes")
    pair = [(machine / f"machines/web1/{name}.pem").read_bytes() for name in ("server", "server-key")]
    with stand_in(kept.read_bytes(), *pair) as endpoint:
        check = fresh.run("--json", "check", endpoint.url)
    findings = {one["id"]: one["verdict"] for one in check.document["data"]["endpoints"][0]["findings"]}
    assert {one for one, verdict in findings.items() if verdict == "failed"} == set(), findings


class Machine:
    """A host elsewhere: it has what was carried over last, and a client of this host calls it."""

    def __init__(self, place: Place) -> None:
        self._store, self._client = place.store, place.root / "root/.docker"
        self.carry()

    def carry(self) -> None:
        """Its files are carried over."""
        files = ("ca/trust.pem", "servers/web1/current/cert.pem", "servers/web1/current/key.pem")
        self._ca, self._cert, self._key = ((self._store / name).read_bytes() for name in files)

    def lets_in(self, client: ClientMaterial | None = None) -> bool:
        shown = client or ClientMaterial(
            *((self._client / f"{name}.pem").read_bytes() for name in ("ca", "cert", "key"))
        )
        with stand_in(self._ca, self._cert, self._key) as endpoint, suppress(Unreachable):
            return ask(endpoint, shown, timeout=10)[0] == 200
        return False


def test_its_hosts_are_rotated_away(fresh: Place, machine: Path) -> None:
    fresh.done("ca", "import", "--docker-machine", machine, *PLAIN)
    fresh.done("client", "install", "docker-machine", "--yes")
    web1 = Machine(fresh)
    assert web1.lets_in()
    fresh.done("ca", "rotate", "start", *PLAIN)
    waited = 0
    for _ in range(4):
        assert web1.lets_in(), "before its files were carried over"
        ran = fresh.run("ca", "rotate", "next", *PLAIN)
        waited += ran.code == 4
        assert ran.code == 0 or "server web1 would lose access" in ran.err
        assert web1.lets_in(), "whether or not it had to be waited for"
        web1.carry()
        assert web1.lets_in()
        fresh.done("server", "confirm", "web1", "--yes")
        if ran.code:
            fresh.done("ca", "rotate", "next", *PLAIN)
    assert waited, "it was not asked for at all"
    assert web1.lets_in()
    web1.carry()
    assert web1.lets_in()
    old = [(machine / f"certs/{name}.pem").read_bytes() for name in ("cert", "key")]
    assert not web1.lets_in(ClientMaterial((fresh.store / "ca/trust.pem").read_bytes(), *old))
    assert "no rotation is under way" in fresh.run("ca", "rotate", "next", *PLAIN).err
    assert fresh.run("status").code == 0


def test_its_certificates_are_issued_anew_with_names(fresh: Place, machine: Path, tmp_path: Path) -> None:
    fresh.done("ca", "import", "--docker-machine", machine, *PLAIN)
    fresh.done("server", "issue", "web1", "--san", "127.0.0.1", "--yes")
    leaf = fresh.store / "servers/web1/0002/cert.pem"
    text = openssl("x509", "-in", leaf, "-noout", "-subject", "-ext", "authorityKeyIdentifier")
    assert "CN = web1" in text
    assert verdict("-purpose", "sslserver", "-CAfile", machine / "certs/ca.pem", leaf) == "OK"
    link = tmp_path / "link"
    link.symlink_to(machine)
    for place in (machine, link):
        assert "nothing to do" in fresh.done("ca", "import", "--docker-machine", place, *PLAIN).err
    assert (fresh.store / "servers/web1/current").readlink() == Path("0002")


def test_nothing_of_a_docker_machine_is_half_imported(fresh: Place, machine: Path, tmp_path: Path) -> None:
    tree = tmp_path / "machine"
    shutil.copytree(machine, tree)
    (tree / "machines/web1/server-key.pem").write_text("xx")
    (tree / "certs/key.pem").write_bytes(b"")
    words = ("ca", "import", "--docker-machine", tree, *PLAIN)
    ran = fresh.run("--json", *words)
    messages = [fault["message"] for fault in ran.document["error"]["faults"]]
    assert messages == ["certs/key.pem is empty", "machines/web1/server-key.pem is not PEM"]
    refused(fresh, 3, *words)
    assert not fresh.store.exists()
    refused(
        fresh,
        4,
        "ca",
        "import",
        "--docker-machine",
        tmp_path / "nothing",
        *PLAIN,
        told="not a folder of docker-machine",
    )


def test_what_a_user_of_another_house_has_is_left_to_him(secured: Place, machine: Path) -> None:
    refused(secured, 4, "ca", "import", "--docker-machine", machine, *PLAIN, told="has an authority already")
