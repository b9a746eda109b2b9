"""An authority is replaced on a real host under load: nobody who holds what a phase says is refused."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM
from tests.e2e.rotating import ENDPOINT, SIGNED, Load, assert_nobody_was_refused, refused, secured

if TYPE_CHECKING:
    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker")

ROTATE = ("ca", "rotate")
PHASES = 5


def carried_over(lab: Lab, name: str, folder: str) -> None:
    """Export a client and put its files where it uses them, each by a rename."""
    lab.output(*PROGRAM, "client", "export", name, "--output", f"/root/{name}.tar", "--force")
    lab.shell(
        f"mkdir -p {folder} && cd /root && tar -xf {name}.tar && "
        f"for one in ca key cert; do mv {name}/$one.pem {folder}/$one.pem; done; rm -r {name} {name}.tar"
    )


def phase_of(lab: Lab) -> int:
    told = json.loads(lab.output(*PROGRAM, "--json", *ROTATE, "status"))
    number: int = told["data"]["phase"]
    return number


def clients_are_let_in(lab: Lab, context: str) -> None:
    """The docker CLI with a context, docker-py, curl and openssl, each with what it finds on this host."""
    lab.output("docker", "--context", context, "version")
    environment = {"DOCKER_HOST": ENDPOINT, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/root/.docker"}
    python = "import docker; assert docker.from_env().ping()"
    lab.output(sys.executable, "-c", python, environment=environment)
    files = "--cacert /root/.docker/ca.pem --cert /root/.docker/cert.pem --key /root/.docker/key.pem"
    assert lab.shell(f"curl -sS {files} https://127.0.0.1:2376/_ping") == "OK"
    request = r"GET /_ping HTTP/1.0\r\n\r\n"
    files = "-CAfile /root/.docker/ca.pem -cert /root/.docker/cert.pem -key /root/.docker/key.pem"
    asked = (
        f"printf '{request}' | openssl s_client -quiet -verify_return_error -ign_eof {files} -connect 127.0.0.1:2376"
    )
    assert lab.shell(f"{asked} 2>/dev/null").endswith("OK")


def test_every_phase_lets_everybody_in() -> None:
    with secured() as (lab, container):
        lab.output(*PROGRAM, "client", "issue", "ann", *SIGNED)
        carried_over(lab, "ann", "/root/ann-files")
        lab.output(*PROGRAM, "client", "install", "client", "--context", "here", "--endpoint", ENDPOINT, "--yes")
        lab.shell("cp -a /root/.docker /root/before")
        loads = [Load(lab, "/root/.docker"), Load(lab, "/root/ann-files")]

        lab.output(*PROGRAM, *ROTATE, "start", *SIGNED)
        clients_are_let_in(lab, "here")
        lab.output(*PROGRAM, *ROTATE, "next", *SIGNED)
        clients_are_let_in(lab, "here")
        blocked = lab.dockertls(*ROTATE, "next", *SIGNED)
        assert (blocked.returncode, phase_of(lab)) == (4, 2)
        assert "client ann" in blocked.stderr
        carried_over(lab, "ann", "/root/ann-files")
        lab.output(*PROGRAM, "client", "confirm", "ann", "--yes")
        for phase in range(3, PHASES + 1):
            assert phase_of(lab) == phase - 1
            lab.output(*PROGRAM, *ROTATE, "next", *SIGNED)
            clients_are_let_in(lab, "here")

        for load in loads:
            assert_nobody_was_refused(load.stopped())
        assert refused(lab, "/root/before")
        assert lab.container_pid("lasting") == container
        assert lab.dockertls("status").returncode == 0
        again = lab.dockertls(*ROTATE, "next", *SIGNED)
        assert (again.returncode, phase_of(lab)) == (4, 0)


def test_all_at_once_where_all_clients_are_here() -> None:
    with secured() as (lab, container):
        lab.shell("cp -a /root/.docker /root/before")
        load = Load(lab, "/root/.docker")
        lab.output(*PROGRAM, *ROTATE, "--now", *SIGNED)
        assert_nobody_was_refused(load.stopped())
        assert refused(lab, "/root/before")
        assert lab.container_pid("lasting") == container


def test_an_aborted_rotation_leaves_the_old_authority() -> None:
    with secured() as (lab, container):
        lab.shell("cp -a /root/.docker /root/before")
        load = Load(lab, "/root/.docker")
        for action in ("start", "next", "next"):
            lab.output(*PROGRAM, *ROTATE, action, *SIGNED)
        lab.shell("cp -a /root/.docker /root/newer")
        lab.output(*PROGRAM, *ROTATE, "abort", *SIGNED)
        assert_nobody_was_refused(load.stopped())
        assert refused(lab, "/root/newer")
        assert not refused(lab, "/root/before")
        assert lab.container_pid("lasting") == container
        lab.output(*PROGRAM, *ROTATE, "--now", *SIGNED)


def test_what_was_put_back_on_this_host_by_hand_is_made_up_for_before_the_next_phase() -> None:
    with secured() as (lab, container):
        loads = [Load(lab, "/root/.docker") for _ in range(2)]
        lab.shell("cp -a /root/.docker /root/before")
        lab.output(*PROGRAM, *ROTATE, "start", *SIGNED)
        assert lab.dockertls("undo", "--yes").returncode == 4
        # By a rename, as the load reads them at any moment: half a file is nobody's certificate.
        lab.shell("cp -a /root/before/ca.pem /root/.docker/new && mv /root/.docker/new /root/.docker/ca.pem")
        lab.shell("ln -sfn 0001 /etc/docker/tls/current")
        lab.output(*PROGRAM, *ROTATE, "next", *SIGNED)
        assert phase_of(lab) == 2
        for load in loads:
            assert_nobody_was_refused(load.stopped())
        assert lab.container_pid("lasting") == container
