"""Certificates are renewed on a real host under load, deployed, proven and told to the deploy hooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, host
from tests.e2e.rotating import ENDPOINT, SIGNED, Load, assert_nobody_was_refused, secured
from tests.e2e.shapes import SHAPES, prepared

if TYPE_CHECKING:
    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker")

NOT_READY, UNDONE = 4, 5
ALL = ("renew", "--all", *SIGNED)
HOOK = "/opt/lab/hook"
HOOK_TEXT = """#!/bin/sh
test -e /opt/lab/broken && { echo "it is broken" >&2; exit 3; }
printf '%s\\n--\\n%s\\n' "$DOCKERTLS_NAMES" "$DOCKERTLS_PATHS" >/opt/lab/told
"""


PICKY = "[Service]\nExecStartPre=/bin/sh -c 'test $$(readlink /etc/docker/tls/current) = 0001'\n"
"""A drop-in by which dockerd starts with its first certificate alone."""


def renewed(lab: Lab, *words: str) -> list[str]:
    """Renew, and tell what was."""
    told = json.loads(lab.output(*PROGRAM, "--json", *(words or ALL)))
    return [f"{one['role']} {one['name']}" for one in told["data"]["renewed"]]


def served(lab: Lab) -> str:
    asked = "openssl s_client -connect 127.0.0.1:2376 </dev/null 2>/dev/null"
    return lab.shell(f"{asked} | openssl x509 -noout -serial")


def installed(lab: Lab, file: str) -> str:
    return lab.output("openssl", "x509", "-noout", "-serial", "-in", file)


def test_everything_is_renewed_under_load_and_only_once() -> None:
    with secured() as (lab, container):
        lab.output(*PROGRAM, "client", "install", "client", "--context", "here", "--endpoint", ENDPOINT, "--yes")
        keys = lab.shell("sha256sum /root/.docker/key.pem /etc/docker/server-key.pem")
        assert renewed(lab, "renew", *SIGNED) == []
        before = served(lab)
        load = Load(lab, "/root/.docker")
        assert renewed(lab) == ["server alpha.example.net", "client client"]
        assert_nobody_was_refused(load.stopped())
        assert served(lab) == installed(lab, "/etc/docker/server-cert.pem") != before
        assert lab.container_pid("lasting") == container
        assert lab.shell("sha256sum /root/.docker/key.pem /etc/docker/server-key.pem") == keys
        lab.output("docker", "--context", "here", "version")
        assert renewed(lab, "renew", *SIGNED) == []

        assert renewed(lab, "renew", "client", "--new-key", *SIGNED) == ["client client"]
        assert lab.shell("sha256sum /root/.docker/key.pem") not in keys
        lab.output("docker", "--context", "here", "version")


def test_a_hook_that_fails_is_told_again_by_the_next_run() -> None:
    with host("lambda", SHAPES["debian"].laid_out) as lab:
        prepared(lab).output(*PROGRAM, "bootstrap", "alpha.example.net", *SIGNED)
        lab.write(HOOK, HOOK_TEXT, 0o755)
        lab.write("/opt/lab/broken", "")
        failed = lab.dockertls(*ALL, "--deploy-hook", HOOK)
        assert failed.returncode == NOT_READY
        assert "it is broken" in failed.stderr
        assert served(lab) == installed(lab, "/etc/docker/server-cert.pem")
        lab.shell("rm /opt/lab/broken")
        lab.output(*PROGRAM, "renew", *SIGNED, "--deploy-hook", HOOK)
        names, paths = lab.shell("cat /opt/lab/told").split("--\n")
        assert names.splitlines() == ["server alpha.example.net", "client client"]
        assert all(lab.path(path).is_dir() for path in paths.splitlines())
        lab.shell("rm /opt/lab/told")
        lab.output(*PROGRAM, "renew", *SIGNED, "--deploy-hook", HOOK)
        assert not lab.path("/opt/lab/told").exists()


def test_where_containers_would_stop_it_is_issued_and_not_deployed() -> None:
    with secured() as (lab, container):
        lab.shell("rm -f /etc/docker/daemon.json; docker swarm init --advertise-addr 127.0.0.1 >/dev/null 2>&1 || true")
        lab.shell("systemctl reset-failed docker.service; kill -HUP $(pidof dockerd); sleep 1")
        before = served(lab)
        done = lab.dockertls(*ALL)
        assert done.returncode == NOT_READY
        assert "issued, not deployed" in done.stderr
        assert "lasting" in done.stderr
        assert served(lab) == before
        assert lab.container_pid("lasting") == container
        lab.output("docker", "rm", "--force", "lasting")
        assert renewed(lab, "renew", *SIGNED) == []
        assert served(lab) == installed(lab, "/etc/docker/server-cert.pem") != before


def test_a_dockerd_that_does_not_come_up_is_put_back() -> None:
    with secured() as (lab, _):
        before, store = served(lab), lab.shell("readlink /etc/dockertls/servers/*/current")
        lab.write("/etc/systemd/system/docker.service.d/picky.conf", PICKY)
        lab.shell("systemctl daemon-reload")
        done = lab.dockertls(*ALL, "--restart", "always")
        assert done.returncode == UNDONE, done.stderr
        assert lab.shell("readlink /etc/dockertls/servers/*/current") == store
        assert installed(lab, "/etc/docker/server-cert.pem") == before
