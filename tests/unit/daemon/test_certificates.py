"""The server's files: a generation and a link, and other people's files kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.daemon.certificates import ServerFiles, install
from dockertls.daemon.places import SYSTEM
from dockertls.errors import NotReady
from dockertls.host import LocalHost
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import certificate_pem, fingerprint, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA, SERVER
from dockertls.plan import File, Link
from dockertls.rows import gather

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def authority(name: str) -> Issued:
    return issue(Request(CA, name), generate("ecdsa-p256"), None, now=NOW, serial=7)


OURS, THEIRS = authority("ours"), authority("theirs")
KNOWN = frozenset({fingerprint(OURS.certificate)})
KEY = private_pem(generate("ecdsa-p256"))


def served(by: Issued, serial: int) -> bytes:
    request = Request(SERVER, "web1", parse_names(["web1"]))
    return certificate_pem([issue(request, generate("ecdsa-p256"), by, now=NOW, serial=serial).certificate])


FIRST, SECOND = served(OURS, 8), served(OURS, 9)
FILES = ServerFiles(certificate_pem([OURS.certificate]), FIRST, KEY, Path("/etc/dockertls/servers/web1/0001"))


@pytest.fixture
def host(tmp_path: DiskPath) -> LocalHost:
    (tmp_path / "etc/docker").mkdir(parents=True)
    return LocalHost(str(tmp_path))


def facts(host: LocalHost) -> HostFacts:
    return gather(host, ["certificates"], now=NOW)


def put(host: LocalHost, files: ServerFiles, *, replace_foreign: bool = False) -> bool:
    plan = install(facts(host), files, SYSTEM, replace_foreign=replace_foreign, known=KNOWN)
    apply(plan, host, Run(NOW))
    return bool(plan)


def read(host: LocalHost, name: str) -> bytes:
    node = host.node(host.real(Path("/etc/docker") / name))
    assert isinstance(node, File)
    return node.content


def test_all_three_change_by_one_link(host: LocalHost) -> None:
    assert put(host, FILES)
    assert host.node(Path("/etc/docker/tls/current")) == Link("0001")
    assert host.node(Path("/etc/docker/server-key.pem")) == Link("tls/current/server-key.pem")
    newer = replace(FILES, cert=SECOND)
    plan = install(facts(host), newer, SYSTEM, replace_foreign=False, known=KNOWN)
    assert [change.path.name for change in plan.changes][-1] == "current"
    apply(plan, host, Run(NOW))
    assert host.node(Path("/etc/docker/tls/current")) == Link("0002")
    assert read(host, "server-cert.pem") == SECOND


def test_a_second_time_there_is_nothing_to_do(host: LocalHost) -> None:
    assert put(host, FILES)
    assert not put(host, FILES)


def test_a_mode_that_was_widened_is_mended_by_a_new_generation(host: LocalHost) -> None:
    put(host, FILES)
    DiskPath(host.root, "etc/docker/tls/0001/server-key.pem").chmod(0o644)
    assert put(host, FILES)
    key = host.node(host.real(Path("/etc/docker/server-key.pem")))
    assert isinstance(key, File)
    assert key.mode == 0o600


@pytest.mark.parametrize("content", [certificate_pem([THEIRS.certificate]), b"garbage", b""])
def test_another_authoritys_files_are_kept(host: LocalHost, content: bytes) -> None:
    host.make(Path("/etc/docker/ca.pem"), File(content))
    with pytest.raises(NotReady, match="clients would lose access"):
        put(host, FILES)
    assert read(host, "ca.pem") == content
    assert put(host, FILES, replace_foreign=True)
    assert read(host, "ca.pem") == FILES.ca


@pytest.mark.parametrize("content", [served(THEIRS, 8), b"garbage"])
def test_another_authoritys_certificate_beside_our_authority_is_kept(host: LocalHost, content: bytes) -> None:
    host.make(Path("/etc/docker/ca.pem"), File(FILES.ca))
    host.make(Path("/etc/docker/server-cert.pem"), File(content))
    with pytest.raises(NotReady, match="another authority"):
        put(host, FILES)
    assert read(host, "server-cert.pem") == content


def test_a_bundle_that_also_trusts_others_is_theirs_too(host: LocalHost) -> None:
    both = certificate_pem([OURS.certificate, THEIRS.certificate])
    host.make(Path("/etc/docker/ca.pem"), File(both))
    with pytest.raises(NotReady, match="theirs"):
        put(host, FILES)


def test_our_own_plain_files_and_broken_links_are_replaced(host: LocalHost) -> None:
    host.make(Path("/etc/docker/ca.pem"), File(FILES.ca))
    host.make(Path("/etc/docker/server-key.pem"), Link("tls/current/server-key.pem"))
    assert put(host, FILES)
    assert read(host, "server-key.pem") == KEY


def test_a_replaced_key_is_a_secret_of_the_diff(host: LocalHost) -> None:
    host.make(Path("/etc/docker/ca.pem"), File(FILES.ca))
    host.make(Path("/etc/docker/server-key.pem"), File(b"an old key that is no PEM"))
    assert "an old key" not in install(facts(host), FILES, SYSTEM, replace_foreign=False, known=KNOWN).diff()


def test_a_file_where_the_folder_should_be_is_told(tmp_path: DiskPath) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/docker").write_text("")
    with pytest.raises(NotReady, match="not a directory"):
        put(LocalHost(str(tmp_path)), FILES)
