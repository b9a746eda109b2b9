"""Every packaging's shape on a host that is up, from its first state through bootstrap and back, in every style."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, host
from tests.e2e.shapes import (
    BOOTSTRAP,
    CONTAINERD,
    DEFAULT,
    DROP_IN,
    GUARD,
    JSON,
    LISTENER,
    NAME,
    OPTIONS,
    RUNTIME,
    SEPARATE,
    SHAPES,
    SYSCONFIG,
    TLS_FLAGS,
    answers,
    command_line,
    prepared,
    snapshot,
)

if TYPE_CHECKING:
    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "curl")

HOST = "-H tcp://0.0.0.0:2376"
FOLDERS = (".pem", ".docker", ".service.d", ".socket.d", "/lib/systemd", "/system")
"""How those end that come with what is set: certificates and directories."""
DOCKERD = "/usr/sbin/dockerd"


@dataclass(frozen=True)
class Case:
    """A style asked for on a shape: the style that it comes to, the files that change, and dockerd's arguments."""

    shape: str
    asked: str
    style: str
    changed: frozenset[str]
    arguments: str


CASES = (
    Case(
        "debian",
        "auto",
        "socket",
        frozenset({DEFAULT, JSON, GUARD, LISTENER}),
        f"-H fd:// {CONTAINERD} {TLS_FLAGS}",
    ),
    Case("debian", "env", "env", frozenset({DEFAULT, JSON}), f"-H fd:// {CONTAINERD} {HOST} {TLS_FLAGS}"),
    Case("debian", "json", "json", frozenset({JSON, DROP_IN}), CONTAINERD),
    Case("debian", "drop-in", "drop-in", frozenset({JSON, DROP_IN}), f"-H fd:// {CONTAINERD} {HOST} {TLS_FLAGS}"),
    Case(
        "docker-ce", "auto", "socket", frozenset({JSON, DROP_IN, GUARD, LISTENER}), f"-H fd:// {CONTAINERD} {TLS_FLAGS}"
    ),
    Case("docker-ce", "json", "json", frozenset({JSON, DROP_IN}), CONTAINERD),
    Case(
        "fedora",
        "auto",
        "socket",
        frozenset({SYSCONFIG, GUARD, LISTENER}),
        "--host=fd:// --exec-opt native.cgroupdriver=cgroupfs --selinux-enabled=false --log-driver=json-file"
        f" --live-restore --default-ulimit nofile=1024:1024 {TLS_FLAGS}",
    ),
    Case(
        "amazon",
        "auto",
        "socket",
        frozenset({SYSCONFIG, JSON, GUARD, LISTENER}),
        f"-H fd:// {CONTAINERD} --default-ulimit nofile=1024:4096 {TLS_FLAGS}",
    ),
    Case(
        "opensuse",
        "auto",
        "env",
        frozenset({SYSCONFIG, JSON}),
        f"{SEPARATE} {RUNTIME} -H unix:// {HOST} {TLS_FLAGS}",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.shape}-{case.asked}")
def test_bootstrap_and_the_way_back(case: Case) -> None:
    with host("gamma", SHAPES[case.shape].laid_out) as lab:
        container = prepared(lab).container("keeper")
        before, started = snapshot(lab), command_line(lab)

        document = json.loads(lab.output(*PROGRAM, "--json", *BOOTSTRAP, "--style", case.asked))["data"]
        assert (document["style"], document["restarted"]) == (case.style, True)
        after = snapshot(lab)
        settings = {path for path in after if before.get(path) != after[path] and "/tls" not in path}
        settings -= {path for path in settings if path.endswith(FOLDERS)}
        assert settings == case.changed
        assert command_line(lab).split() == [DOCKERD, *case.arguments.split()]
        assert lab.dockertls("check").returncode == 0
        assert answers(lab)
        assert lab.container_pid("keeper") == container

        again = lab.dockertls("bootstrap", NAME, "--yes")
        assert "nothing to do" in again.stderr
        assert snapshot(lab) == after

        lab.output(*PROGRAM, "undo", "--yes")
        assert snapshot(lab) == before
        assert command_line(lab) == started
        _is_as_packaged(lab, container)


def _is_as_packaged(lab: Lab, container: str) -> None:
    """Nothing listens, the local socket answers, also after a stop and a start, and the container runs on."""
    assert answers(lab)
    assert lab.run("curl", "--insecure", "https://127.0.0.1:2376/").returncode == 7  # nobody listens
    assert lab.container_pid("keeper") == container
    lab.output("systemctl", "stop", "docker.service", "docker.socket")
    lab.output("systemctl", "start", "docker.service")
    assert answers(lab)


def test_what_stands_in_the_file_is_kept_as_it_was_written() -> None:
    with host("gamma", SHAPES["fedora"].laid_out) as lab:
        prepared(lab).output(*PROGRAM, *BOOTSTRAP)
        text = lab.path(SYSCONFIG).read_text()
        assert text == OPTIONS.replace("nofile=1024:1024", f"nofile=1024:1024 {TLS_FLAGS}")


def test_hosts_in_daemon_json_keep_systemds_socket() -> None:
    with host("gamma", SHAPES["docker-ce"].laid_out) as lab:
        prepared(lab).output(*PROGRAM, *BOOTSTRAP, "--style", "json")
        assert json.loads(lab.path(JSON).read_text())["hosts"] == ["fd://", "tcp://0.0.0.0:2376"]
