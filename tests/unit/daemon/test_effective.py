"""What dockerd runs with, who says so, and what is wrong with it; the traps are those of dockerd 20.10 to 29."""

from __future__ import annotations

import json
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.effective import effective, problems
from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.settings import Source
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from dockertls.documents.json_file import Json
    from dockertls.facts import HostFacts

JSON = Path("/etc/docker/daemon.json")
TLS: dict[str, Json] = {"tlsverify": True, "tlscacert": "/a", "tlscert": "/b", "tlskey": "/c"}
FLAGS = "--tlsverify --tlscacert=/a --tlscert=/b --tlskey=/c"


def host(platform: str = "debian", flags: str = "", **keys: Json) -> HostFacts:
    text = json.dumps({key.replace("_", "-"): value for key, value in keys.items()}, indent=1)
    return tree(platform, flags, {JSON: text} if keys else {})


def tree(platform: str, flags: str, more: dict[Path, str]) -> HostFacts:
    return from_files({**packaged_files(BY_NAME[platform], flags), **more})


def test_every_value_names_its_place() -> None:
    said = effective(host(flags="--icc=false --label a=b", debug=True, labels_=1))
    assert said["icc"] == Source(False, "/etc/default/docker:1 DOCKER_OPTS")
    assert said["debug"] == Source(True, "/etc/docker/daemon.json:2")
    assert said["hosts"] == Source(["fd://"], "/usr/lib/systemd/system/docker.service:6 ExecStart")


def test_a_list_that_grows_in_two_places_names_both() -> None:
    said = effective(host(flags="-H tcp://127.0.0.1:2376"))
    assert said["hosts"].value == ["fd://", "tcp://127.0.0.1:2376"]
    assert said["hosts"].origin == (
        "/usr/lib/systemd/system/docker.service:6 ExecStart, /etc/default/docker:1 DOCKER_OPTS"
    )


def test_runtimes_of_flags_and_file_are_merged() -> None:
    facts = host(flags="--add-runtime a=/a", runtimes={"b": {"path": "/b"}})
    assert effective(facts)["runtimes"].value == {"a": {"path": "/a"}, "b": {"path": "/b"}}
    assert not problems(facts)


def test_keys_inside_an_object_count_as_dockerd_counts_them() -> None:
    facts = host(anything=dict(TLS), hosts=["fd://"])
    assert effective(facts)["tlsverify"].value is True


def test_nothing_is_wrong_with_the_packagings_themselves() -> None:
    for platform in BY_NAME:
        assert not problems(host(platform))


@pytest.mark.parametrize(
    ("flags", "keys"),
    [
        (f"-H tcp://0.0.0.0:2376 {FLAGS}", {}),
        ("-H tcp://0.0.0.0:2376", TLS),
        (f"-H tcp://0.0.0.0:2376 {FLAGS}", {"debug": True, "features": {"buildkit": True}, "log-opts": {"x": "y"}}),
        ("-H tcp://0.0.0.0:2376", {"tls": True, **{key: TLS[key] for key in TLS if key != "tlsverify"}}),
    ],
)
def test_nothing_is_wrong_with_what_works(flags: str, keys: dict[str, Json]) -> None:
    assert problems(host("debian", flags, **keys)) == ()


@pytest.mark.parametrize(
    ("platform", "flags", "keys", "message"),
    [
        ("debian", "", {"hosts": []}, "hosts is given as a flag (/usr/lib/systemd/system/docker.service:6 ExecStart)"),
        ("debian", "--debug", {"debug": True}, "debug is given as a flag (/etc/default/docker:1 DOCKER_OPTS)"),
        ("alpine", "", {"tlsverfy": True}, "tlsverfy is not a key"),
        ("alpine", "", {"TLS": True}, "TLS is not a key"),
        ("alpine", "", {"host": ["x"]}, "takes host without a word and ignores it"),
        ("alpine", "", {"label": ["a=b"]}, "ignores it"),
        ("alpine", "", {"authorization-plugin": ["x"]}, "ignores it"),
        ("alpine", "", {"debug": "true"}, "debug is of the wrong type"),
        ("alpine", "", {"labels": "a=b"}, "labels is of the wrong type"),
        ("alpine", "", {"tlscert": "/b"}, "neither tls nor tlsverify"),
        ("alpine", "--tlscert=/b -H unix://", {}, "neither tls nor tlsverify"),
        (
            "alpine",
            "--tlscert=/b --tlskey=/c",
            {"tlsverify": True, "hosts": ["unix://"]},
            "dockerd drops tlscert, tlskey",
        ),
        ("alpine", "-H unix://", {"tlsverify": True, "tlscert": "/b", "tlskey": "/c"}, "every authority"),
        ("alpine", "-H unix://", {"tls": True, "tlscert": "/b", "tlskey": "/c"}, "every authority"),
        ("alpine", "-H tcp://0.0.0.0:2375", {}, "has no TLS: whoever reaches it is root"),
        ("alpine", "-H 0.0.0.0:2375", {}, "has no TLS"),
        ("alpine", "-H tcp://0.0.0.0:2376 --tls --tlsverify=false", {}, "asks no client for a certificate"),
        ("alpine", "-H tcp://0.0.0.0:2375", {"tls": False}, "has no TLS"),
        ("alpine", f"-H tcp://0.0.0.0 {FLAGS}", {}, "names no port: dockerd takes 2375"),
        ("alpine", FLAGS, {}, "without hosts"),
        ("alpine", "", {"tls": True, "tlscacert": "/a", "tlscert": "/b", "tlskey": "/c"}, "without hosts"),
        ("debian", "-H unix:///var/run/docker.sock", {}, "beside fd://"),
        ("alpine", "-H fd://", {}, "nothing hands sockets over"),
        ("alpine", "--authorization-plugin=x", {}, "a reload switches them off"),
        ("alpine", "--nonsense", {}, "--nonsense is not a flag"),
        ("alpine", "--tlsverify true -H unix://", {}, "true is neither a flag"),
    ],
)
def test_what_is_wrong_is_told(platform: str, flags: str, keys: dict[str, Json], message: str) -> None:
    found = problems(host(platform, flags, **keys))
    assert any(message in fault.message for fault in found), found
    assert all(fault.hint for fault in found)


def test_a_socket_unit_that_opens_a_port_needs_tls_too() -> None:
    drop_in = Path("/etc/systemd/system/docker.socket.d/tcp.conf")
    (fault,) = problems(tree("debian", "", {drop_in: "[Socket]\nListenStream=2375\n"}))
    assert "2375 (/etc/systemd/system/docker.socket.d/tcp.conf:2 ListenStream) has no TLS" in fault.message


@pytest.mark.parametrize("text", ['{"debug": true,}', '{"debug": true, "debug": false}', "[]", "{ // x\n}", '{"a": 1'])
def test_a_file_that_dockerd_would_not_read_is_told_with_its_line(text: str) -> None:
    assert problems(tree("debian", "", {JSON: text}))[0].message.startswith("/etc/docker/daemon.json: line 1")


def test_a_variable_that_cannot_be_read_is_told_with_its_file() -> None:
    facts = tree("alpine", "", {Path("/etc/conf.d/docker"): 'DOCKER_OPTS="$(hostname)"\n'})
    assert problems(facts)[0].message.startswith("/etc/conf.d/docker: line 1")


def test_all_problems_are_told_at_once() -> None:
    found = problems(host("alpine", "-H tcp://0.0.0.0 --debug", debug=True, nonsense=1, host=[]))
    assert len(found) == 5
