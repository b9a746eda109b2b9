"""`dockertls api` against a real dockerd: images and containers, streams, and what goes wrong."""

from __future__ import annotations

import json
import select
import shutil
import signal
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Ran, command, environment, started
from tests.e2e.test_probe import Daemon, Material, good, material, run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["good", "material", "run"]
pytestmark = pytest.mark.needs("dockerd", "root")
PATIENCE = 60
ALONE = {"HostConfig": {"NetworkMode": "none"}}


class Api:
    """The command line with a daemon's endpoint and a client's files."""

    def __init__(self, daemon: Daemon, folder: Path) -> None:
        self.daemon = daemon
        self.way = ("--endpoint", daemon.endpoint.url, "--cert-path", str(folder))

    def __call__(self, *words: object, stdin: bytes = b"", before: tuple[str, ...] = ()) -> Ran:
        return started(*before, "api", *words, *self.way, stdin=stdin)

    def done(self, *words: object, stdin: bytes = b"") -> Ran:
        ran = self(*words, stdin=stdin)
        assert ran.code == 0, ran
        return ran


@pytest.fixture(scope="module")
def api(good: Daemon, material: Material, tmp_path_factory: pytest.TempPathFactory) -> Api:
    folder = tmp_path_factory.mktemp("client")
    for name, content in (("ca", material.ca), ("cert", material.client.cert), ("key", material.client.key)):
        (folder / f"{name}.pem").write_bytes(content or b"")
    return Api(good, folder)


def packed(files: dict[str, bytes], mode: int = 0o755) -> bytes:
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, BytesIO(content))
    return made.getvalue()


@pytest.fixture(scope="module")
def image(api: Api) -> str:
    """An image made from a tar file: busybox and nothing else."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    content = packed({"bin/sh": Path(busybox).read_bytes()})
    query = ("--query", "fromSrc=-", "--query", "repo=busybox", "--query", "tag=test")
    api.done("POST", "/images/create", *query, "--data-file", "-", stdin=content)
    return "busybox:test"


def test_ping_and_version(api: Api) -> None:
    assert api.done("GET", "/_ping").out == "OK"
    document = api("GET", "/version", before=("--json",)).document
    assert document["data"]["body"]["ApiVersion"]
    assert (document["data"]["status"], document["schema"]) == (200, "dockertls/api/1")


def test_over_the_unix_socket(api: Api) -> None:
    way = ("--endpoint", f"unix://{api.daemon.socket}")
    assert started("api", "GET", "/_ping", *way).out == "OK"
    assert started("api", "GET", "/_ping", env={"DOCKER_HOST": way[1]}).out == "OK"
    refused = started("api", "GET", "/_ping", "--endpoint", "unix:///nowhere.sock")
    assert refused.code == 7


def test_an_error_of_the_api(api: Api) -> None:
    ran = api("GET", "/containers/nope/json")
    assert (ran.code, ran.out) == (1, "")
    assert "No such container: nope" in ran.err
    error = api("GET", "/containers/nope/json", before=("--json",)).document["error"]
    assert (error["kind"], error["exit"]) == ("negative", 1)


@pytest.mark.needs("busybox")
def test_build_and_what_a_failed_build_says(api: Api, image: str) -> None:
    recipe = f'FROM {image}\nCOPY hello /hello\nCMD ["/bin/sh", "sleep", "60"]\n'.encode()
    built = api.done(
        "POST", "/build?t=mine:1", "--data-file", "-", stdin=packed({"Dockerfile": recipe, "hello": b"hi"})
    )
    lines = [json.loads(line) for line in built.out.splitlines()]
    assert any("Successfully tagged mine:1" in line.get("stream", "") for line in lines)
    bad = packed({"Dockerfile": f"FROM {image}\nCOPY missing /\n".encode()})
    for before in ((), ("--json",)):
        ran = api("POST", "/build", "--data-file", "-", stdin=bad, before=before)
        assert ran.code == 1, ran
        assert "missing" in (ran.err or ran.document["error"]["message"])


@pytest.mark.needs("busybox")
def test_the_life_of_a_container(api: Api, image: str) -> None:
    asked = json.dumps({"Image": image, "Cmd": ["/bin/sh", "-c", "echo begun; while :; do :; done"], **ALONE})
    made = json.loads(api.done("POST", "/containers/create", "--query", "name=one", "--data", asked).out)
    api.done("POST", "/containers/one/start")
    running = json.loads(api.done("GET", "/containers/json").out)
    assert [one["Id"] for one in running] == [made["Id"]]
    assert json.loads(api.done("GET", "/containers/one/top").out)["Processes"]
    assert "begun" in api.done("GET", "/containers/one/logs", "--query", "stdout=1").out
    api.done("POST", "/containers/one/stop", "--query", "t=0")
    assert json.loads(api.done("GET", "/containers/json").out) == []
    assert len(json.loads(api.done("GET", "/containers/json", "--query", "all=1").out)) == 1
    api.done("DELETE", "/containers/one")
    assert json.loads(api.done("GET", "/containers/json?all=1").out) == []


@pytest.mark.needs("busybox")
def test_events_come_while_they_happen(api: Api, image: str) -> None:
    argv = [*command("api", "GET", "/events"), *api.way]
    listening = subprocess.Popen(argv, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert listening.stdout is not None
    seen: list[dict[str, object]] = []
    for number in _until(seen):
        api.done("POST", f"/images/{image}/tag", "--query", "repo=other", "--query", f"tag={number}")
        if _readable(listening):
            seen.append(json.loads(listening.stdout.readline()))
    listening.send_signal(signal.SIGINT)
    _, said = listening.communicate(timeout=PATIENCE)
    assert seen[0]["Action"] == "tag"
    assert (listening.returncode, said) == (130, "")


def _until(seen: list[dict[str, object]]) -> Iterator[int]:
    """Again and again: nobody says when the stream has begun."""
    for number in range(100):
        if seen:
            return
        yield number


def _readable(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout.fileno()], [], [], 0.3)[0])


def test_who_may_not(api: Api, material: Material, tmp_path: Path) -> None:
    for name, content in (("ca", material.ca), ("cert", material.other.cert), ("key", material.other.key)):
        (tmp_path / f"{name}.pem").write_bytes(content or b"")
    ran = started("api", "GET", "/_ping", "--endpoint", api.daemon.endpoint.url, "--cert-path", tmp_path)
    assert ran.code == 7
    assert "ALERT" in ran.err
    assert "dockertls" in ran.err or "journalctl" in ran.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("G T", "/x"), 3),
        (("GET", "x"), 3),
        (("GET", "/x", "--header", "no"), 3),
        (("GET", "/x", "--data", "a", "--data-file", "b"), 2),
        (("POST", "/x", "--data-file", "/nowhere"), 4),
        (("POST", "/x", "--data-file", "/"), 4),
        (("GET",), 2),
    ],
)
def test_what_was_not_meant(api: Api, words: tuple[str, ...], code: int) -> None:
    ran = api(*words)
    assert (ran.code, ran.out) == (code, "")
    assert "Traceback" not in ran.err
