"""The real docker, openssl, keytool and tar read what we write, and we read what docker writes."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate

from dockertls.client.contexts import context_id, contexts, current, install_context
from dockertls.client.contexts import wanted as wanted_by_contexts
from dockertls.client.export import bundle
from dockertls.client.files import ClientFiles
from dockertls.client.shell import render, variables
from dockertls.host import LocalHost
from dockertls.rows import gather

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.client.export import Format
    from dockertls.facts import HostFacts
    from dockertls.plan import Plan

pytestmark = pytest.mark.needs("openssl")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOCKER = PurePosixPath("/home/ann/.docker")
URL = "tcp://web1.example:2376"


def run(*argv: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    clean = {"PATH": os.environ["PATH"], "HOME": str(cwd), **(env or {})}
    done = subprocess.run(argv, cwd=cwd, input=stdin, env=clean, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ca.pem, cert.pem and key.pem by openssl."""
    folder = tmp_path_factory.mktemp("pems")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run("openssl", "req", "-x509", *new, "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem", cwd=folder)
    run("openssl", "req", *new, "-subj", "/CN=ann", "-keyout", "key.pem", "-out", "csr.pem", cwd=folder)
    signer = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial")
    run("openssl", "x509", "-req", "-in", "csr.pem", *signer, "-out", "cert.pem", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def files(pems: Path) -> ClientFiles:
    ca, cert, key = ((pems / f"{name}.pem").read_bytes() for name in ("ca", "cert", "key"))
    return ClientFiles(ca, cert, key, PurePosixPath("/store/clients/ann/0001"))


@dataclass(frozen=True)
class Machine:
    """A file tree with ann's home in it, and the docker CLI that works on it."""

    root: Path

    @property
    def docker_dir(self) -> Path:
        return self.root / DOCKER.relative_to("/")

    @property
    def host(self) -> LocalHost:
        return LocalHost(str(self.root))

    def facts(self) -> HostFacts:
        return gather(self.host, ("users",), trees=wanted_by_contexts(DOCKER), now=NOW)

    def docker(self, *argv: str) -> str:
        return run("docker", "--config", str(self.docker_dir), *argv, cwd=self.root)

    def plan(self, files: ClientFiles, *, name: str = "web1", url: str = URL) -> Plan:
        owner = self.host.self_owner
        return install_context(self.facts(), files, DOCKER, owner, name=name, endpoint_url=url, replace=False)

    def carry_out(self, plan: Plan) -> None:
        for change in plan.changes:
            assert change.after is not None
            staged = change.path.with_name(change.path.name + ".new")
            self.host.make(staged, change.after)
            self.host.rename(staged, change.path)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "home/ann").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(f"ann:x:{os.geteuid()}:{os.getegid()}::/home/ann:/bin/sh\n")
    return Machine(tmp_path)


def endpoint(pems: Path, url: str = URL) -> str:
    """The value of `docker context create --docker`, which is CSV."""
    line = io.StringIO()
    csv.writer(line).writerow([f"host={url}", *(f"{name}={pems / name}.pem" for name in ("ca", "cert", "key"))])
    return line.getvalue().strip()


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Mode and content of all below a folder."""
    return {
        str(path.relative_to(folder)): (
            stat.S_IMODE(path.stat().st_mode),
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.mark.needs("docker")
def test_docker_uses_a_context_of_ours(machine: Machine, files: ClientFiles) -> None:
    machine.carry_out(machine.plan(files))
    assert "web1" in machine.docker("context", "ls", "--format", "{{.Name}}").split()
    (seen,) = json.loads(machine.docker("context", "inspect", "web1"))
    assert seen["Endpoints"]["docker"] == {"Host": URL, "SkipTLSVerify": False}
    assert sorted(seen["TLSMaterial"]["docker"]) == ["ca.pem", "cert.pem", "key.pem"]
    errors = machine.docker("context", "ls", "--format", "{{.Error}}")
    assert errors.strip() == ""
    assert not machine.plan(files)


@pytest.mark.needs("docker")
@pytest.mark.parametrize("url", [URL, "tcp://[fe80::1%25eth0]:2376"])
def test_ours_is_byte_for_byte_what_docker_writes(
    machine: Machine, pems: Path, files: ClientFiles, tmp_path: Path, url: str
) -> None:
    machine.carry_out(machine.plan(files, name="web-1.a", url=url))
    theirs = tmp_path / "theirs"
    argv = ("docker", "--config", str(theirs), "context", "create", "web-1.a", "--docker", endpoint(pems, url))
    old = os.umask(0o022)
    try:
        run(*argv, cwd=tmp_path)
    finally:
        os.umask(old)
    assert tree(machine.docker_dir / "contexts") == tree(theirs / "contexts")


@pytest.mark.needs("docker")
def test_a_context_of_docker_is_read_and_updated(machine: Machine, pems: Path, files: ClientFiles) -> None:
    machine.docker_dir.mkdir()
    skip = f"{endpoint(pems, 'tcp://old:2376')},skip-tls-verify=true"
    machine.docker("context", "create", "web1", "--description", 'a <b> & "é"', "--docker", skip)
    machine.docker("context", "create", "plain", "--docker", "host=ssh://u@h")
    (plain, web1) = contexts(machine.facts(), DOCKER)
    assert (plain.name, plain.host, plain.ca, plain.fault) == ("plain", "ssh://u@h", None, "")
    assert (web1.name, web1.host, web1.skip_tls_verify, web1.fault) == ("web1", "tcp://old:2376", True, "")
    sums = run("sha256sum", "ca.pem", "cert.pem", "key.pem", cwd=pems)
    assert (web1.ca, web1.cert, web1.key) == tuple(line.split()[0] for line in sums.splitlines())

    plan = machine.plan(files)
    assert [change.path.name for change in plan.changes] == ["meta.json"]
    machine.carry_out(plan)
    (seen,) = json.loads(machine.docker("context", "inspect", "web1"))
    assert seen["Metadata"] == {"Description": 'a <b> & "é"'}
    assert seen["Endpoints"]["docker"] == {"Host": URL, "SkipTLSVerify": False}
    ours = machine.docker_dir / "contexts/meta" / context_id("web1") / "meta.json"
    before = ours.read_bytes()
    machine.docker("context", "update", "web1", "--docker", endpoint(pems))
    assert ours.read_bytes() == before


@pytest.mark.needs("docker")
def test_the_current_context_is_read_and_left_alone(machine: Machine, files: ClientFiles) -> None:
    machine.carry_out(machine.plan(files))
    assert current(machine.facts(), DOCKER) is None
    machine.docker("context", "use", "web1")
    assert current(machine.facts(), DOCKER) == "web1"
    machine.carry_out(machine.plan(files, name="web2"))
    assert machine.docker("context", "show").strip() == "web1"
    machine.docker("context", "use", "default")
    assert current(machine.facts(), DOCKER) is None


@pytest.mark.needs("docker")
def test_docker_refuses_and_takes_the_names_that_we_do(machine: Machine) -> None:
    from dockertls.client.contexts import NAME  # noqa: PLC0415 - used here only

    for name in ("ab", "A1_.+-", "a", "a b", "-ab", "é1", "a/b"):
        argv = ["docker", "--config", str(machine.docker_dir), "context", "create", "--docker", "host=tcp://h:1"]
        done = subprocess.run([*argv, "--", name], capture_output=True, check=False)
        assert (done.returncode == 0) is bool(NAME.fullmatch(name)), name


@pytest.mark.needs("docker")
def test_docker_takes_the_environment(machine: Machine, pems: Path) -> None:
    """From a folder whose name is as bad as it can be."""
    folder = machine.root / 'it\'s $HOME `x` "q"'
    shutil.copytree(pems, folder)
    ask = "docker version 2>&1 >/dev/null || true"
    said = run("sh", "-c", render("bash", variables("tcp://127.0.0.1:1", str(folder))) + ask, cwd=machine.root)
    assert "Cannot connect to the Docker daemon at tcp://127.0.0.1:1" in said
    (folder / "ca.pem").unlink()
    said = run("sh", "-c", render("bash", variables("tcp://127.0.0.1:1", str(folder))) + ask, cwd=machine.root)
    assert f"open {folder}/ca.pem: no such file" in said


def exported(files: ClientFiles, format: Format, passphrase: bytes | None = None) -> bytes:  # noqa: A002 - --format
    return bundle(files, format=format, name="ann b", endpoint_url=URL, passphrase=passphrase, now=NOW)


def test_tar_gives_closed_files(files: ClientFiles, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        run("tar", "-x", cwd=tmp_path, stdin=exported(files, "tar"))
    finally:
        os.umask(old)
    assert {name: mode for name, (mode, _) in tree(tmp_path).items()} == {
        "ann b": 0o700,
        **{f"ann b/{name}": 0o600 for name in ("ca.pem", "cert.pem", "key.pem", "README.txt")},
    }
    assert (tmp_path / "ann b/key.pem").read_bytes() == files.key
    assert (tmp_path / "ann b/key.pem").stat().st_mtime == NOW.timestamp()


@pytest.mark.needs("docker")
def test_the_readme_works_to_the_letter(files: ClientFiles, tmp_path: Path) -> None:
    archive = exported(files, "tar")
    (tmp_path / "ann b.tar").write_bytes(archive)
    run("tar", "-xf", "ann b.tar", cwd=tmp_path)
    text = (tmp_path / "ann b/README.txt").read_text()
    commands = [line.strip() for line in text.splitlines() if line.startswith("    ") and "version" not in line]
    assert len(commands) == 8
    run("sh", "-ec", "\n".join(commands), cwd=tmp_path)
    (seen,) = json.loads(run("docker", "context", "inspect", "docker-tls", cwd=tmp_path))
    assert seen["Endpoints"]["docker"]["Host"] == URL
    assert sorted(seen["TLSMaterial"]["docker"]) == ["ca.pem", "cert.pem", "key.pem"]


def test_openssl_reads_the_pkcs12(files: ClientFiles, tmp_path: Path) -> None:
    (tmp_path / "ann.p12").write_bytes(exported(files, "pkcs12", b"correct horse"))
    (tmp_path / "pass").write_text("correct horse\n")
    argv = ("openssl", "pkcs12", "-in", "ann.p12", "-passin", "file:pass", "-nodes")
    text = run(*argv, cwd=tmp_path)
    assert "friendlyName: ann b" in text
    assert text.count("BEGIN CERTIFICATE") == 2
    assert key_numbers(text.encode()) == key_numbers(files.key)
    leaf = run(*argv, "-clcerts", "-nokeys", cwd=tmp_path)
    assert certificate(leaf.encode()) == certificate(files.cert)
    shown = subprocess.run([*argv, "-info", "-noout"], cwd=tmp_path, capture_output=True, check=True).stderr.decode()
    assert shown.count("PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256") == 2
    assert "MAC: sha256," in shown


@pytest.mark.needs("keytool")
def test_keytool_reads_the_pkcs12(files: ClientFiles, tmp_path: Path) -> None:
    (tmp_path / "ann.p12").write_bytes(exported(files, "pkcs12", b"correct horse"))
    argv = ("keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", "ann.p12", "-storepass:env", "P")
    text = run(*argv, cwd=tmp_path, env={"P": "correct horse", "LC_ALL": "C"})
    assert "Alias name: ann b" in text
    assert "Entry type: PrivateKeyEntry" in text
    assert "Certificate chain length: 2" in text


def test_openssl_reads_the_pem(files: ClientFiles, tmp_path: Path) -> None:
    (tmp_path / "ann.pem").write_bytes(exported(files, "pem"))
    assert "CN = ann" in run("openssl", "x509", "-in", "ann.pem", "-noout", "-subject", cwd=tmp_path)
    public = run("openssl", "pkey", "-in", "ann.pem", "-pubout", cwd=tmp_path)
    assert public == run("openssl", "x509", "-in", "ann.pem", "-noout", "-pubkey", cwd=tmp_path)
    run("openssl", "crl2pkcs7", "-nocrl", "-certfile", "ann.pem", "-out", "ann.p7b", cwd=tmp_path)
    assert run("openssl", "pkcs7", "-in", "ann.p7b", "-print_certs", cwd=tmp_path).count("subject=") == 2


def key_numbers(pem: bytes) -> object:
    start = pem.index(b"-----BEGIN PRIVATE KEY")
    key = serialization.load_pem_private_key(pem[start:], None)
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def certificate(pem: bytes) -> object:
    return load_pem_x509_certificate(pem)
