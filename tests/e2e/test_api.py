"""`dockertls api` before a real dockerd: what people do with it, and how it refuses."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dockertls.probe.remedies import TABLE
from tests.e2e.dockerds import DOCKERDS, VERIFYING, Daemon, Material, running
from tests.e2e.program import command, dockertls, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.probe.observation import ClientMaterial
    from tests.e2e.program import Ran

pytestmark = pytest.mark.needs("dockerd", "busybox")

IMAGE = "busybox:test"
TIMEOUT = 30.0
REMEDIES = {row.id: row.remedy for row in TABLE}


@dataclass(frozen=True)
class Api:
    """A daemon, and the folder of its client."""

    daemon: Daemon
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        return {"DOCKER_HOST": self.daemon.endpoint.url, "DOCKER_CERT_PATH": str(self.folder)}

    def run(self, *words: object, before: tuple[str, ...] = (), **how: Any) -> Ran:  # noqa: ANN401 - as `dockertls`
        return dockertls(*before, "api", *words, env=self.env, **how)

    def done(self, *words: object, **how: Any) -> str:  # noqa: ANN401 - as `dockertls`
        ran = self.run(*words, **how)
        assert (ran.code, ran.err) == (0, ""), ran
        return ran.out

    def asked(self, *words: object) -> Any:  # noqa: ANN401 - as json.loads
        """The body of a document."""
        return self.run(*words, before=("--json",)).document["data"]["body"]


def written(material: ClientMaterial, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in (("ca", material.ca), ("cert", material.cert), ("key", material.key)):
        (folder / f"{name}.pem").write_bytes(content or b"")
    return folder


def tar(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            one = tarfile.TarInfo(name)
            one.size, one.mode = len(content), 0o755
            archive.addfile(one, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.made()


@pytest.fixture(scope="module", params=DOCKERDS)
def api(request: pytest.FixtureRequest, material: Material, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = written(material.client, tmp_path_factory.mktemp("client"))
    with running(request.param, material, tmp_path_factory.mktemp("dockerd"), *VERIFYING) as daemon:
        one = Api(daemon, folder)
        image = tar(**{"bin/sh": Path("/bin/busybox").read_bytes()})
        query = ("--query", "fromSrc=-", "--query", "repo=busybox", "--query", "tag=test")
        assert "sha256:" in one.done("POST", "/images/create", *query, "--data-file", "-", stdin=image)
        yield one


def test_ping_and_list(api: Api) -> None:
    assert api.done("GET", "/_ping") == "OK"
    assert api.done("HEAD", "/_ping") == ""
    (image,) = json.loads(api.done("GET", "/images/json", "--query", f'filters={{"reference":["{IMAGE}"]}}'))
    assert image["RepoTags"] == [IMAGE]
    assert json.loads(api.done("GET", "/v1.24/info"))["Driver"] == "vfs"


def test_one_document(api: Api) -> None:
    document = api.run("GET", "/version", before=("--json",)).document
    assert document["schema"] == "dockertls/api/1"
    assert document["data"]["status"] == 200
    assert document["data"]["headers"]["api-version"] == document["data"]["body"]["ApiVersion"]
    assert api.asked("GET", "/_ping") == "OK"
    assert api.asked("GET", "/containers/json", "--query", "all=1") == []


def test_the_unix_socket(api: Api) -> None:
    for words, env in (
        (("--endpoint", f"unix://{api.daemon.socket}"), {"DOCKER_HOST": "tcp://127.0.0.1:1"}),
        ((), {"DOCKER_HOST": f"unix://{api.daemon.socket}"}),
    ):
        ran = dockertls("api", "GET", "/_ping", *words, env=env)
        assert (ran.code, ran.out, ran.err) == (0, "OK", "")


def test_what_the_api_refuses_is_its_own_message(api: Api) -> None:
    ran = api.run("GET", "/containers/nobody/json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("dockertls: No such container: nobody\n  status 404")
    ran = api.run("POST", "/containers/create", "--data", "{")
    assert ran.code == 1
    assert "EOF" in ran.err.splitlines()[0]
    document = api.run("GET", "/images/nobody/json", before=("--json",)).document
    assert document["error"]["kind"] == "negative"
    assert "no such image" in document["error"]["message"].lower()


def test_a_registry_that_is_not_there(api: Api) -> None:
    ran = api.run("POST", "/images/create", "--query", "fromImage=127.0.0.1:1/nothing", "--query", "tag=1")
    assert ran.code == 1
    assert "connection refused" in ran.err.splitlines()[0]


DOCKERFILE = b"FROM busybox:test\nENV A=1\n"


def test_a_build_whose_context_is_streamed(api: Api, tmp_path: Path) -> None:
    context = tmp_path / "context.tar"
    context.write_bytes(tar(Dockerfile=DOCKERFILE, large=bytes(8 << 20)))
    told = api.done("POST", "/build", "--query", "t=mine:1", "--data-file", context)
    lines = [json.loads(line) for line in told.splitlines()]
    assert any("Successfully tagged mine:1" in line.get("stream", "") for line in lines)
    assert "A=1" in api.asked("GET", "/images/mine:1/json")["Config"]["Env"]
    lines = api.asked("POST", "/build", "--query", "t=mine:2", "--data-file", context)
    assert {"stream": "Successfully tagged mine:2\n"} in lines


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [(b"FROM busybox:test\nCOPY none /\n", "none"), (b"FROM busybox:test\nBOGUS\n", "unknown instruction: BOGUS")],
)
def test_a_build_that_fails_half_way_or_at_once(api: Api, dockerfile: bytes, told: str) -> None:
    ran = api.run("POST", "/build", "--data-file", "-", stdin=tar(Dockerfile=dockerfile))
    assert ran.code == 1
    assert told in ran.err.splitlines()[0]


def test_an_image_is_carried_from_one_command_to_the_other(api: Api) -> None:
    words = (command("api", "GET", f"/images/{IMAGE}/get"), command("api", "POST", "/images/load", "--data-file", "-"))
    env = environment(api.env)
    with subprocess.Popen(words[0], env=env, stdout=subprocess.PIPE) as saving:
        done = subprocess.run(words[1], env=env, stdin=saving.stdout, capture_output=True, check=False, timeout=TIMEOUT)
    assert (saving.returncode, done.returncode, done.stderr) == (0, 0, b"")
    assert b"Loaded image: busybox:test" in done.stdout


def test_events_are_handed_on_while_something_happens(api: Api) -> None:
    since = ("--query", f"since={time.time():.9f}", "--query", 'filters={"type":["container"],"event":["create"]}')
    body = json.dumps({"Image": IMAGE, "Cmd": ["/bin/sh"]})
    first = api.asked("POST", "/containers/create", "--data", body)["Id"]
    words = command("api", "GET", "/events", *since, "--timeout", "5")
    with subprocess.Popen(words, env=environment(api.env), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["id"] == first  # from before: now it watches
        for _ in range(3):
            new = api.asked("POST", "/containers/create", "--data", body)["Id"]
            assert json.loads(process.stdout.readline())["id"] == new
            assert api.done("DELETE", f"/containers/{new}") == ""
        process.terminate()
        assert (process.wait(TIMEOUT), process.stderr.read()) == (130, b"")
    assert api.done("DELETE", f"/containers/{first}") == ""


def test_a_container_from_its_creation_to_its_end(api: Api) -> None:
    body = {
        "Image": IMAGE,
        "Cmd": ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"],
        "HostConfig": {"NetworkMode": "none"},
    }
    made = api.asked("POST", "/containers/create", "--query", "name=c1", "--data", json.dumps(body))
    api.done("POST", "/containers/c1/start")
    assert json.loads(api.done("POST", "/containers/c1/wait"))["StatusCode"] == 3
    logs = api.done("GET", f"/containers/{made['Id']}/logs", "--query", "stdout=1", "--query", "stderr=1")
    assert {"\x01\x00\x00\x00\x00\x00\x00\x04out\n", "\x02\x00\x00\x00\x00\x00\x00\x04err\n"} == {logs[:12], logs[12:]}
    assert api.done("POST", "/containers/c1/start") == ""
    assert api.done("DELETE", "/containers/c1", "--query", "force=1") == ""


def test_attach_is_explained(api: Api) -> None:
    api.done(
        "POST", "/containers/create", "--query", "name=c2", "--data", json.dumps({"Image": IMAGE, "Cmd": ["/bin/sh"]})
    )
    ran = api.run("POST", "/containers/c2/attach", "--header", "Upgrade: tcp", "--header", "Connection: Upgrade")
    assert ran.code == 3
    assert "how the connection is used" in ran.err
    assert api.done("DELETE", "/containers/c2") == ""


@pytest.mark.parametrize("body", [False, True], ids=["without a body", "with a large body"])
def test_who_is_not_let_in_is_told_why(api: Api, material: Material, tmp_path: Path, *, body: bool) -> None:
    folder = written(replace(material.other, ca=material.ca), tmp_path / "other")
    words = ("--cert-path", folder, *(("--data-file", "-") if body else ()))
    for _ in range(10):
        ran = api.run("POST", "/build", *words, stdin=bytes(4 << 20))
        assert (ran.code, ran.out) == (7, "")
        assert "ALERT" in ran.err
        assert REMEDIES["client-refused"] in ran.err or REMEDIES["unknown-issuer"] in ran.err


def test_a_server_of_others_is_not_spoken_to(api: Api, material: Material, tmp_path: Path) -> None:
    folder = written(replace(material.client, ca=material.other.ca), tmp_path / "wrong")
    ran = api.run("GET", "/_ping", "--cert-path", folder)
    assert (ran.code, ran.out) == (7, "")
    assert REMEDIES["wrong-ca"] in ran.err
    ran = api.run(
        "GET", "/_ping", "--ca", api.folder / "ca.pem", "--endpoint", f"tcp://localhost:{api.daemon.endpoint.port}"
    )
    assert ran.code == 0


def test_own_files_that_are_wrong_are_named(api: Api, material: Material, tmp_path: Path) -> None:
    folder = written(material.client, tmp_path / "mine")
    other = written(material.other, tmp_path / "other")
    for words, code, told in (
        (("--ca", folder / "key.pem"), 3, "key.pem holds a private key, not a certificate"),
        (("--cert", folder / "cert.pem", "--key", other / "key.pem"), 3, "key.pem is not the key of"),
        (
            ("--cert", folder / "cert.pem", "--key", folder / "cert.pem"),
            3,
            "cert.pem holds a certificate, not a private",
        ),
        (("--cert", folder / "cert.pem"), 2, "--cert and --key go together"),
        (("--cert-path", tmp_path), 4, "ca.pem cannot be read"),
    ):
        ran = api.run("GET", "/_ping", *words)
        assert (ran.code, ran.out) == (code, ""), ran
        assert told in ran.err
