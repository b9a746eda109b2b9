"""The README's matrix of clients is true: each of them asks a real dockerd, with certificates of every kind of key."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.pki.keys import DEFAULT_KIND, KINDS
from dockertls.probe.throwaway import dockerd, free_port
from dockertls.probe.throwaway import folder as folder_of_its_own
from tests.e2e.interoperability import HOST, PASSPHRASE, README, REGENERATE, TABLE, UNABLE, Client, Files, written
from tests.e2e.program import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = '{"Platform"'
"""How a daemon begins to tell its version."""
COLUMNS = [pytest.param(client, id=client.title, marks=pytest.mark.needs("dockerd", *client.needs)) for client in TABLE]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def place(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An authority, a server and a client, all with keys of one kind; as a user makes them."""
    place = Place.recorded("debian", tmp_path_factory.mktemp(kind) / "root")
    place.done("ca", "init", "--key", kind, "--no-passphrase", "--yes")
    place.done("server", "issue", HOST, "--key", kind, "--yes")
    place.done("client", "issue", "ann", "--key", kind, "--yes")
    return place


@pytest.fixture(scope="module")
def files(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """The client's files as they were exported, beside a dockerd that runs with the server's."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
    place.done("client", "export", "ann", "--output", folder / "ann.tar")
    pkcs12 = ("--format", "pkcs12", "--passphrase-file", folder / "passphrase")
    place.done("client", "export", "ann", "--output", folder / "client.p12", *pkcs12)
    with tarfile.open(folder / "ann.tar") as tar:
        tar.extractall(folder, filter="data")
    for one in (folder / "ann").glob("*.pem"):
        one.rename(folder / one.name)
    server, port = place.store / "servers" / HOST / "current", free_port()
    tls = [f"--tlscacert={folder}/ca.pem", f"--tlscert={server}/cert.pem", f"--tlskey={server}/key.pem"]
    program = Path(shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin") or "dockerd")
    with folder_of_its_own() as own, dockerd(program, ["--tlsverify", *tls, f"--host=tcp://{HOST}:{port}"], own, port):
        yield Files(folder, port)


@pytest.mark.parametrize("client", COLUMNS)
def test_each_client_reaches_a_daemon_or_cannot_for_the_reason_that_is_told(
    kind: str, files: Files, client: Client
) -> None:
    code, said = client.ask(files)
    if (kind, client.title) in UNABLE:
        assert ANSWER not in said
        assert code != 0, said
    else:
        assert code == 0, said
        assert version(said), said


def version(said: str) -> str:
    """The release that a daemon names, whatever stands around its answer."""
    document, _ = json.JSONDecoder().raw_decode(said[said.index(ANSWER) :])
    release: str = document["Version"]
    return release


@pytest.mark.parametrize("kind", [DEFAULT_KIND], indirect=True)
@pytest.mark.parametrize("client", COLUMNS)
def test_no_client_believes_a_daemon_of_another_authority(
    files: Files, client: Client, fresh: Place, tmp_path: Path
) -> None:
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    for file in ("cert.pem", "key.pem", "client.p12"):
        shutil.copy(files.folder / file, tmp_path)
    shutil.copy(fresh.store / "ca/0001/cert.pem", tmp_path / "ca.pem")
    code, said = client.ask(Files(tmp_path, files.port))
    assert code != 0, said
    assert client.told in said
    assert ANSWER not in said


def test_the_readme_has_the_matrix() -> None:
    assert README.read_text() == written(README.read_text()), f"run {REGENERATE}, and look at what it changed"


def test_who_cannot_is_a_client_and_a_kind_of_key() -> None:
    assert {client for _, client in UNABLE} <= {client.title for client in TABLE}
    assert {kind for kind, _ in UNABLE} <= set(KINDS)
