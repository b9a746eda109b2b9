"""Bad input gets a clear error, the exit code of the contract, and loses nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import random_serial_number

from dockertls.apply import Run, apply
from dockertls.host import LocalHost
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import generate, private_pem
from dockertls.pki.profiles import TABLE
from dockertls.pki.store import StoreState, new_generation, plan_authority
from tests.e2e.openssl import P256, Signer
from tests.e2e.program import Place, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.program import Ran


def refused(place: Place, code: int, *words: object, told: str = "", **how: object) -> Ran:
    """Run a command that must fail, say what to do, and leave everything as it was."""
    before = place.untouched
    ran = place.run(*words, **how)
    assert ran.code == code, ran
    assert ran.out == "", "a failure is told on stderr"
    head, *rest = ran.err.splitlines()
    while head.startswith("note: "):
        head, *rest = rest
    assert head.startswith("dockertls: "), ran
    assert rest, "what to do next"
    assert all(line.startswith("  ") for line in rest), ran
    assert told in ran.err, ran
    assert "\x1b" not in ran.err
    assert place.untouched == before
    return ran


# names

NAMES = (
    "../../etc",
    "a b",
    "-x",
    "a" * 300,
    "a\nb",
    "a\tb",
    "\x1b[31mred",
    "*.*.x",
    "10.0.0.256",
    "",
    ".",
    "..",
    "a/b",
)
OPTIONS = ("--yes", "--no-passphrase")


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
def test_a_bad_server_name_is_refused(house: Place, name: str) -> None:
    refused(house, 3, "server", "issue", "--yes", "--", name)
    refused(house, 3, "server", "issue", "web9", "--yes", f"--san={name}")
    refused(house, 3, "bootstrap", *OPTIONS, "--", name)
    refused(house, 3, "server", "install", "--yes", "--", name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "10.0.0.256"], ids=lambda name: repr(name[:12]))
def test_a_bad_client_name_is_refused(house: Place, name: str) -> None:
    refused(house, 3, "client", "issue", "--yes", "--", name)
    refused(house, 3, "client", "export", "--output=x", "--", name)
    refused(house, 3, "bootstrap", "web1", "--yes", f"--client={name}")


def test_every_bad_name_is_told_at_once(house: Place) -> None:
    ran = house.run("--json", "server", "issue", "--yes", "a b", "good", "10.0.0.256", "*.*.x")
    assert [fault["message"].split(":")[0] for fault in ran.document["error"]["faults"]] == [
        '"a b"', '"10.0.0.256"', '"*.*.x"',
    ]  # fmt: skip


def test_what_looks_like_an_option_is_taken_for_one(house: Place) -> None:
    refused(house, 2, "server", "issue", "-x", told="No such option")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "99999999999999999999"])
def test_a_port_out_of_range_is_refused(house: Place, port: str) -> None:
    refused(house, 3, "bootstrap", "web1", "--yes", f"--port={port}", told="1 to 65535")
    refused(house, 3, "daemon", "configure", "--server", "web1", "--yes", f"--port={port}")
    refused(house, 3, "daemon", "snippet", "--platform", "fedora", f"--port={port}")
    refused(house, 3, "check", f"tcp://localhost:{port}")
    refused(house, 3, "env", f"tcp://localhost:{port}")


def test_a_port_that_is_no_number_is_wrong_usage(house: Place) -> None:
    refused(house, 2, "bootstrap", "--port", "abc", "--yes")
    refused(house, 3, "check", "tcp://localhost:abc")


@pytest.mark.parametrize("address", ["300.1.1.1", "example.org:1", "a b", "", "unix:///x", "10.0.0.0/8"])
def test_a_bad_address_to_listen_on_is_refused(house: Place, address: str) -> None:
    refused(house, 3, "bootstrap", "web1", "--yes", f"--listen={address}")


@pytest.mark.parametrize(
    "endpoint", ["", "unix:///var/run/docker.sock", "https://h", "tcp://", "tcp://a b", "[::1", "-"]
)
def test_a_bad_endpoint_is_refused(house: Place, endpoint: str) -> None:
    refused(house, 3, "check", "--", endpoint)


# the store


def test_a_store_cannot_lie_in_a_file(fresh: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for store in (tmp_path / "file", tmp_path / "file/store", tmp_path / "file/a/b"):
        place = Place(fresh.root, ("--store", str(store)))
        refused(place, 4, "ca", "init", *OPTIONS, told=str(tmp_path / "file"))
        refused(place, 4, "bootstrap", "web1", *OPTIONS)
        assert place.run("status").code in {0, 4}
    assert (tmp_path / "file").read_text() == "x"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.needs("root")
def test_a_full_disk_leaves_the_store_as_it_was(fresh: Place, small: Path) -> None:
    place = Place(fresh.root, ("--store", str(small / "store")))
    (small / "filler").write_bytes(b"x" * (63 << 10))
    refused(place, 4, "ca", "init", *OPTIONS, told="No space left")
    assert {path.name for path in small.iterdir()} == {"filler"}
    (small / "filler").write_bytes(b"x" * (32 << 10))
    place.done("ca", "init", *OPTIONS)
    (small / "filler").write_bytes(b"x" * (32 << 10) + bytes(os.statvfs(small).f_bfree * 4096 - 8192))
    stored = sorted(small.rglob("*"))
    refused(place, 4, "client", "issue", "--yes", *(f"c{number}" for number in range(20)), told="No space left")
    assert sorted(small.rglob("*")) == stored
    (small / "filler").unlink()
    place.done("client", "issue", "--yes", "c1")


@pytest.mark.needs("root")
def test_a_full_disk_leaves_the_host_as_it_was(house: Place, small: Path) -> None:
    place = Place(small / "root")
    shutil.copytree(house.root / "etc/default", small / "root/etc/default")
    shutil.copytree(house.root / "lib", small / "root/lib")
    shutil.copytree(house.root / "usr", small / "root/usr")
    (small / "filler").write_bytes(bytes(os.statvfs(small).f_bfree * 4096 - 12288))
    before = place.untouched
    ran = place.run("bootstrap", "web1", *OPTIONS)
    assert ran.code in {4, 5}, ran
    assert "No space left" in ran.err
    assert place.untouched == before


def _swap_key(place: Place) -> None:
    shutil.copy(place.store / "clients/ann/current/key.pem", place.store / "ca/0001/key.pem")


def _write(path: str, content: bytes) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        (place.root / path).write_bytes(content)

    return spoil


def _remove(path: str) -> Callable[[Place], None]:
    return lambda place: (place.root / path).unlink()


def _truncate(path: str) -> Callable[[Place], None]:
    return lambda place: os.truncate(place.root / path, 100)


def _folder(path: str) -> Callable[[Place], None]:
    def spoil(place: Place) -> None:
        (place.root / path).unlink()
        (place.root / path).mkdir()

    return spoil


CA, LEAF = "etc/dockertls/ca/0001", "etc/dockertls/servers/web1/0001"
STORES: dict[str, tuple[Callable[[Place], None], tuple[str, ...], int, str]] = {
    "foreign CA key": (_swap_key, ("server", "issue", "web9"), 3, "is not the key of"),
    "CA key cut off": (_truncate(f"{CA}/key.pem"), ("server", "issue", "web9"), 3, "ca/0001/key.pem is cut off"),
    "CA key empty": (_truncate(f"{CA}/key.pem"), ("bootstrap", "web9"), 3, "ca/0001/key.pem"),
    "CA key binary": (_write(f"{CA}/key.pem", bytes(range(256))), ("server", "issue", "web9"), 3, "ca/0001/key.pem"),
    "CA key gone": (_remove(f"{CA}/key.pem"), ("server", "issue", "web9"), 4, "key is not in"),
    "CA key a folder": (_folder(f"{CA}/key.pem"), ("server", "issue", "web9"), 4, "key.pem"),
    "CA certificate cut off": (_truncate(f"{CA}/cert.pem"), ("ca", "show"), 3, "ca/0001/cert.pem"),
    "CA certificate empty": (_write(f"{CA}/cert.pem", b" "), ("server", "issue", "web9"), 3, "ca/0001/cert.pem"),
    "CA certificate binary": (_write(f"{CA}/cert.pem", b"\0\xff" * 99), ("ca", "show"), 3, "ca/0001/cert.pem"),
    "CA certificate gone": (_remove(f"{CA}/cert.pem"), ("bootstrap", "web9"), 4, "cert.pem is missing"),
    "trust damaged": (_write("etc/dockertls/ca/trust.pem", b"xx"), ("client", "install", "ann"), 3, "trust.pem"),
    "trust gone": (_remove("etc/dockertls/ca/trust.pem"), ("client", "export", "ann", "--output=/x/y"), 4, "trust.pem"),
    "leaf binary": (_write(f"{LEAF}/cert.pem", b"\0\xff" * 99), ("bootstrap", "web1"), 3, "web1/0001/cert.pem"),
    "leaf cut off": (_truncate(f"{LEAF}/cert.pem"), ("server", "install", "web1"), 3, "web1/0001/cert.pem"),
    "leaf key cut off": (_truncate(f"{LEAF}/key.pem"), ("server", "install", "web1"), 3, "web1/0001/key.pem"),
    "leaf key gone": (_remove(f"{LEAF}/key.pem"), ("server", "install", "web1"), 4, "key.pem is missing"),
    "broken link": (_folder("etc/dockertls/ca/current"), ("ca", "show"), 4, "current"),
    "DER": (_write(f"{CA}/cert.pem", b"\x30\x82\x01\x00" + b"x" * 256), ("ca", "show"), 3, "binary (DER)"),
}  # fmt: skip


@pytest.mark.parametrize("name", STORES)
def test_a_damaged_store_is_named_and_left_alone(secured: Place, name: str) -> None:
    spoil, words, code, told = STORES[name]
    spoil(secured)
    changes = words[0] != "ca" and "export" not in words
    refused(secured, code, *words, *(("--yes",) if changes else ()), told=told)


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 99, b"-----BEGIN CERTIFICATE-----\nMII", b"hello\n"])
@pytest.mark.parametrize("path", ["root/.docker/ca.pem", "root/.docker/cert.pem", "root/.docker/key.pem"])
def test_client_files_that_cannot_be_read_are_kept_unless_replaced(secured: Place, path: str, content: bytes) -> None:
    (secured.root / path).write_bytes(content)
    refused(secured, 4, "bootstrap", "web1", "--client=ann", "--yes", told=Path(path).name)
    secured.done("client", "install", "ann", "--yes", "--replace")
    assert secured.done("bootstrap", "web1", "--client=ann", "--check").code == 0
    secured.done("undo", "--yes")
    assert (secured.root / path).read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 99, b"-----BEGIN CERTIFICATE-----\nMII", b"hello\n"])
@pytest.mark.parametrize("name", ["ca.pem", "server-cert.pem", "server-key.pem"])
def test_server_files_that_cannot_be_read_are_kept_unless_replaced(fresh: Place, name: str, content: bytes) -> None:
    place = fresh.put(f"etc/docker/{name}", content)
    refused(fresh, 4, "bootstrap", "web1", *OPTIONS, told=name)
    fresh.done("bootstrap", "web1", *OPTIONS, "--replace")
    fresh.done("undo", "--yes")
    assert place.read_bytes() == content


def test_files_of_another_authority_are_kept_unless_replaced(fresh: Place, house: Place) -> None:
    for folder in ("etc/docker", "root/.docker"):
        shutil.copytree(house.root / folder, fresh.root / folder, symlinks=True)
    ran = refused(fresh, 4, "bootstrap", "web1", *OPTIONS, told="--replace")
    assert "dockertls CA" in ran.err, "who would lose access"
    before = fresh.untouched
    fresh.done("bootstrap", "web1", *OPTIONS, "--replace")
    fresh.done("undo", "--yes")
    assert {path: node for path, node in fresh.untouched.items() if "etc/dockertls" not in path} == before


def test_an_authority_that_has_ended_signs_nothing(fresh: Place) -> None:
    host, then = LocalHost(str(fresh.root)), datetime.now(UTC) - timedelta(days=400)
    store, key = StoreState(host, PurePosixPath("/etc/dockertls")), generate("ecdsa-p256")
    request = Request(TABLE["ca"], "old", lifetime=timedelta(days=365))
    issued = issue(request, key, None, now=then, serial=random_serial_number())
    apply(plan_authority(store, new_generation(store, "ca", "", issued, private_pem(key))), host, Run(then))
    for words in (("server", "issue", "web1"), ("client", "issue", "ann"), ("bootstrap", "web1")):
        refused(fresh, 3, *words, "--yes", told="the authority has ended at")
        refused(fresh, 3, *words, "--dry-run", told="the authority has ended at")
    refused(fresh, 4, "ca", "init", "--yes", "--no-passphrase", told="ended at")
    status = fresh.run("--json", "status")
    assert (status.code, status.document["data"]["authorities"][0]["state"]) == (1, "expired")


# the host's files

DAEMON_JSON = {
    "comment": b'{\n  // mine\n  "debug": true\n}\n',
    "duplicate": b'{"debug": true, "debug": false}\n',
    "list": b'["debug"]\n',
    "not UTF-8": b'{"debug": "\xff"}\n',
    "cut off": b'{"debug": tr',
    "trailing comma": b'{"debug": true,}\n',
}


@pytest.mark.parametrize("name", DAEMON_JSON)
def test_a_daemon_json_that_docker_would_not_read_is_refused(fresh: Place, name: str) -> None:
    fresh.put("etc/docker/daemon.json", DAEMON_JSON[name])
    for style in ("auto", "json"):
        refused(fresh, 3, "bootstrap", "web1", *OPTIONS, "--style", style, told="daemon.json")


ENVIRONMENTS: dict[str, tuple[str, bytes]] = {
    "command": ("alpine", b'DOCKER_OPTS="$(cat /etc/opts)"\n'),
    "backquotes": ("debian", b"DOCKER_OPTS=`cat /etc/opts`\n"),
    "unclosed": ("alpine", b'DOCKER_OPTS="--debug\n'),
    "unclosed single": ("sysv-debian", b"DOCKER_OPTS='--debug\n"),
    "not UTF-8": ("debian", b'DOCKER_OPTS="--label=\xff"\n'),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_file_that_cannot_be_kept_is_refused(tmp_path: Path, name: str) -> None:
    packaging, content = ENVIRONMENTS[name]
    place = Place.recorded(packaging, tmp_path / "root")
    path = "etc/conf.d/docker" if packaging == "alpine" else "etc/default/docker"
    place.put(path, content)
    before = place.untouched
    ran = place.run("bootstrap", "web1", *OPTIONS)
    if ran.code:
        assert ran.code == 3, ran
        assert path in ran.err
        assert place.untouched == before
    else:  # the file is read another way, or not at all: what was there must still be there
        assert content.rstrip() in (place.root / path).read_bytes()


KEPT: dict[str, tuple[str, bytes]] = {
    "continuation": ("debian", b'DOCKER_OPTS="--debug \\\n  --label=a"\n'),
    "continuation in sh": ("alpine", b'DOCKER_OPTS="--debug \\\n  --label=a"\n'),
    "export": ("sysv-debian", b'export DOCKER_OPTS="--debug --label=a"\n'),
    "comment": ("alpine", b'# mine: "unclosed\nDOCKER_OPTS="--debug --label=a" # $(not run)\n'),
    "no newline at the end": ("debian", b"DOCKER_OPTS='--debug --label=a'"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_an_environment_file_says_is_kept(tmp_path: Path, name: str) -> None:
    packaging, content = KEPT[name]
    place = Place.recorded(packaging, tmp_path / "root")
    path = place.put("etc/conf.d/docker" if packaging == "alpine" else "etc/default/docker", content)
    place.done("bootstrap", "web1", *OPTIONS)
    options = place.done("--json", "daemon", "show").document["data"]["options"]
    assert (options["debug"]["value"], options["labels"]["value"]) == (True, ["a"])
    assert options["tlsverify"]["value"] is True
    assert place.done("bootstrap", "web1", "--check").out.strip() == "nothing to do"
    place.done("undo", "--yes")
    assert path.read_bytes() == content


def test_an_etc_docker_that_is_a_link_works(fresh: Place) -> None:
    (fresh.root / "srv/docker").mkdir(parents=True)
    (fresh.root / "etc/docker").symlink_to("/srv/docker")
    before = fresh.untouched
    fresh.done("bootstrap", "web1", *OPTIONS)
    assert b"CERTIFICATE" in (fresh.root / "srv/docker/server-cert.pem").read_bytes()
    assert (fresh.root / "etc/docker").readlink() == Path("/srv/docker")
    assert fresh.done("bootstrap", "web1", "--check").out.strip() == "nothing to do"
    fresh.done("undo", "--yes")
    assert {path: node for path, node in fresh.untouched.items() if "etc/dockertls" not in path} == before


@pytest.mark.parametrize("target", ["/nowhere", "docker", "/etc/default/docker"])
def test_an_etc_docker_that_leads_nowhere_is_refused(fresh: Place, target: str) -> None:
    (fresh.root / "etc/docker").symlink_to(target)
    refused(fresh, 4, "bootstrap", "web1", *OPTIONS, told="/etc/docker")


@pytest.mark.parametrize("path", ["root/.docker", "root/.docker/key.pem"])
def test_nothing_in_a_home_is_followed_through_a_link(fresh: Place, path: str) -> None:
    (fresh.root / path).parent.mkdir(parents=True)
    (fresh.root / path).symlink_to("/etc/victim")
    fresh.put("etc/victim" if path.endswith("key.pem") else "etc/victim/file", b"mine")
    refused(fresh, 4, "bootstrap", "web1", *OPTIONS, told="link")


def test_a_host_without_docker_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "root/etc").mkdir(parents=True)
    place = Place(tmp_path / "root")
    refused(place, 4, "daemon", "show", told="no Docker")


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "nothing", tmp_path / "file"):
        ran = started("--root", root, "status")
        assert ran.code == 4
        assert str(root) in ran.err


# permission

UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.mark.needs("root", "setpriv")
def test_without_permission_nothing_is_done_and_sudo_is_named(house: Place, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder != Path("/tmp"):  # noqa: S108 - pytest's own folders in it are closed to others
            folder.chmod(0o755)
    place = house.copied(tmp_path / "root")
    before = place.snapshot
    for words in (
        ("status",), ("ca", "show"), ("bootstrap", "web1", "--yes"), ("client", "issue", "bob", "--yes"),
        ("client", "install", "ann", "--yes"), ("undo", "--yes"), ("daemon", "configure", "--server=web1", "--yes"),
    ):  # fmt: skip
        ran = place.started("--json", *words, prefix=UNPRIVILEGED)
        assert (ran.code, ran.document["error"]["kind"]) == (4, "denied"), ran
        assert "sudo" in ran.document["error"]["hint"]
    assert place.snapshot == before


@pytest.mark.needs("root", "setpriv")
def test_an_ordinary_user_works_in_a_tree_of_his_own(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder != Path("/tmp"):  # noqa: S108 - pytest's own folders in it are closed to others
            folder.chmod(0o755)
    place = Place.recorded("debian", tmp_path / "root")
    for path in (place.root, *place.root.rglob("*")):
        os.chown(path, 65534, 65534)
    ran = place.started("bootstrap", "web1", *OPTIONS, prefix=UNPRIVILEGED)
    assert ran.code == 0, ran
    assert (place.root / "root/.docker/key.pem").stat().st_mode & 0o777 == 0o600
    assert place.started("bootstrap", "web1", "--check", prefix=UNPRIVILEGED).code == 0
    assert place.started("undo", "--yes", prefix=UNPRIVILEGED).code == 0


# endpoints


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port on which every caller gets the same treatment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=treat, args=(caller,), daemon=True).start()

        def treat(caller: socket.socket) -> None:
            with caller, suppress(OSError):
                behave(caller)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _silent(caller: socket.socket) -> None:
    while caller.recv(4096):
        pass


def _garbage(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"\x15\xff\x00garbage\r\n\x1b[31m" * 50)


def _plain(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _closes(caller: socket.socket) -> None:
    caller.recv(1)


@pytest.mark.parametrize("behave", [_silent, _garbage, _plain, _closes], ids=lambda one: one.__name__[1:])
def test_an_endpoint_that_is_no_docker_is_not_secure(house: Place, behave: Callable[[socket.socket], None]) -> None:
    with server(behave) as port:
        ran = house.started("--json", "check", "--timeout", "0.5", f"tcp://127.0.0.1:{port}")
    assert ran.code in {1, 7}, ran
    (report,) = ran.document["data"]["endpoints"]
    failed = [finding for finding in report["findings"] if finding["verdict"] == "failed"]
    assert failed
    assert all(finding["cause"] and finding["remedy"] for finding in failed)
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "tcp://does-not-exist.invalid:2376", "tcp://[::1]:1"])
def test_an_endpoint_that_cannot_be_reached_is_7(house: Place, endpoint: str) -> None:
    ran = house.run("check", "--timeout", "1", endpoint)
    assert ran.code == 7, ran
    assert "reachable" in ran.out


CLIENT_FILES = {"empty": b"", "binary": b"\0\xff" * 99, "cut off": b"-----BEGIN CERTIFICATE-----\nMII", "text": b"hi\n"}


@pytest.mark.parametrize("name", CLIENT_FILES)
@pytest.mark.parametrize("file", ["ca.pem", "cert.pem", "key.pem"])
def test_check_with_bad_client_files_names_the_file(secured: Place, file: str, name: str) -> None:
    (secured.root / "root/.docker" / file).write_bytes(CLIENT_FILES[name])
    _files_fail(secured, file)


def test_check_with_a_key_of_another_certificate_says_so(secured: Place) -> None:
    shutil.copy(secured.store / "servers/web1/current/key.pem", secured.root / "root/.docker/key.pem")
    _files_fail(secured, "key.pem")


def _files_fail(place: Place, file: str) -> None:
    """The endpoint is judged all the same."""
    ran = place.run("--json", "check", "tcp://127.0.0.1:1")
    assert ran.code == 1, ran
    found = {one["id"]: one for one in ran.document["data"]["endpoints"][0]["findings"]}
    assert found["client-files"]["verdict"] == "failed"
    assert file in found["client-files"]["cause"]
    assert found["reachable"]["verdict"] == "failed"
    assert "Traceback" not in ran.err


def test_check_without_client_files_says_where_they_are_expected(fresh: Place) -> None:
    refused(fresh, 4, "check", "tcp://127.0.0.1:1", told="--cert-path")


# files to look at


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 99, b"hello\n", b"-----BEGIN CERTIFICATE-----\nMII"])
def test_inspect_of_something_else_says_what_it_reads(house: Place, content: bytes) -> None:
    refused(house, 3, "inspect", "-", stdin=content)


@pytest.mark.needs("openssl")
def test_inspect_of_a_serial_number_that_is_not_positive_has_no_word_from_a_library(tmp_path: Path) -> None:
    odd = Signer.root(tmp_path, "odd", *P256, "-set_serial", "-5")
    for words in (("inspect", odd.cert), ("--json", "inspect", odd.cert)):
        ran = started("--root", tmp_path, *words)
        assert (ran.code, ran.err) == (1, "")  # it is of no use: newer releases of Go do not read it
        assert "-5" in ran.out


def test_inspect_of_what_cannot_be_read(house: Place, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing", "/proc/self/mem", "\x1b[31m"):
        refused(house, 4, "inspect", path)
    refused(house, 3, "inspect", "/dev/zero", told="larger than")


# the journal and the history


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\0", b'{"schema": "dockertls/journal/9"}', b"[1]"])
def test_a_journal_that_cannot_be_read_is_named(secured: Place, content: bytes) -> None:
    secured.put("var/lib/dockertls/history/000009.json", content)
    for words in (("history",), ("undo", "--yes")):
        refused(secured, 4, *words, told="000009.json")
    (secured.root / "var/lib/dockertls/history/000009.json").unlink()
    secured.put("var/lib/dockertls/journal.json", content)
    refused(secured, 4, "client", "issue", "bob", "--yes", told="journal.json")
