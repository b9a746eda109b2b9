"""The examples of the remote API, run word for word: each against a daemon of its own, with a registry to pull from."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dockertls.probe import api
from tests.e2e.dockerds import DOCKERD, Daemon, Material, running
from tests.e2e.program import PATIENCE, command
from tests.e2e.test_api import tar

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("dockerd", "docker", "registry", "busybox", "curl")
EXAMPLES = Path(__file__).parents[2] / "examples/api"
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {place}/registry}}}}
http: {{addr: 127.0.0.1:{port}}}
"""


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.made()


@pytest.fixture(scope="module")
def place(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples find: a client's files, a file system and a folder to build, each as a tar file."""
    folder = tmp_path_factory.mktemp("examples")
    for name, content in (("ca", material.ca), ("cert", material.client.cert), ("key", material.client.key)):
        (folder / f"{name}.pem").write_bytes(content or b"")
    busybox = Path(shutil.which("busybox") or "").read_bytes()
    (folder / "rootfs.tar").write_bytes(tar(**{"bin/sh": busybox, "bin/sleep": busybox}))
    recipe = b'FROM imported:1\nCOPY hello /hello\nCMD ["/bin/sleep", "600"]\n'
    (folder / "context.tar").write_bytes(tar(Dockerfile=recipe, hello=b"hello\n"))
    return folder


@pytest.fixture(scope="module")
def daemon(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    flags = ("--tlsverify", *(f"--tls{one}={{place}}/{name}.pem" for one, name in PAPERS))
    with running(DOCKERD, material, tmp_path_factory.mktemp("dockerd"), *flags) as daemon:
        yield daemon


PAPERS = (("cacert", "ca"), ("cert", "cert"), ("key", "key"))


@pytest.fixture(scope="module")
def variables(daemon: Daemon, place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """As `dockertls env` sets them, and a registry that has an image."""
    with _registry(tmp_path_factory.mktemp("registry")) as registry:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("DOCKER", "REQUESTS", "CURL"))
        }
        own = {"DOCKER_HOST": daemon.endpoint.url, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(place)}
        found = clean | own | {"REGISTRY": registry, "DOCKER_BUILDKIT": "0", "HOME": str(place)}
        for words in (
            ("import", "rootfs.tar", f"{registry}/base:1"),
            ("push", f"{registry}/base:1"),
            ("rmi", f"{registry}/base:1"),
        ):
            subprocess.run(["docker", *words], env=found, cwd=place, check=True, capture_output=True, timeout=PATIENCE)
        yield found


@contextmanager
def _registry(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config.yml").write_text(REGISTRY.format(place=folder, port=port))
    argv = ["docker-registry", "serve", str(folder / "config.yml")]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


RUNS = {
    "curl.sh": ["sh", "-x"],
    "docker.sh": ["sh", "-x"],
    "docker_py.py": [sys.executable],
    "dockertls.sh": ["sh", "-x"],
}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir()))
def test_an_example(name: str, variables: dict[str, str], daemon: Daemon, place: Path) -> None:
    program = place / "bin"
    program.mkdir(exist_ok=True)
    (program / "dockertls").write_text(f'#!/bin/sh\nexec {" ".join(command())} "$@"\n')
    (program / "dockertls").chmod(0o755)
    path = variables | {"PATH": f"{program}:{variables['PATH']}", "PYTHONPATH": str(EXAMPLES.parents[1])}
    done = subprocess.run(
        [*RUNS[name], EXAMPLES / name],
        env=path,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert api.unix_get(daemon.socket, "/containers/json?all=1", timeout=PATIENCE).json() == []
    assert api.unix_get(daemon.socket, "/images/json", timeout=PATIENCE).json() == [], "everything was deleted again"


def test_each_does_the_same() -> None:
    """The steps are told by the same words in every one of them."""
    told = [
        [line for line in path.read_text().splitlines() if line.startswith(("# images", "# containers", "# an image"))]
        for path in sorted(EXAMPLES.iterdir())
    ]
    assert len(told) == len(RUNS)
    assert all(one == told[0] and len(one) == 3 for one in told)
