"""Changes that restart dockerd, on hosts that are up: proven when they work, refused or taken back when they do not."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, host, until
from tests.e2e.newer import DOCKERD
from tests.e2e.shapes import BOOTSTRAP, NAME, PHRASE, UNIT, answers, command_line, prepared, snapshot

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "newer-dockerd")

NEWER = UNIT.format(lines=f"ExecStart={DOCKERD} -H fd:// --containerd=/run/containerd/containerd.sock")
TRIAL = "/var/lib/dockertls/trial"
CONFIGURE = ("daemon", "configure", "--server", NAME, "--yes", "--set")

DENY = """
import http.server, json, os, socketserver

class Plugin(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        allowed = not asked.get("RequestPeerCertificates")
        answer = {"Implements": ["authz"]} if self.path == "/Plugin.Activate" else {"Allow": allowed, "Msg": "no"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "dockerd"

os.makedirs("/run/docker/plugins", exist_ok=True)
socketserver.ThreadingUnixStreamServer("/run/docker/plugins/deny.sock", Plugin).serve_forever()
"""
"""An authorization plugin that lets nobody in who comes over TLS: dockerd starts with it, and its clients are lost."""


@dataclass(frozen=True)
class State:
    """What a change that did not work leaves as it was."""

    files: dict[str, object]
    command: str
    container: str

    @classmethod
    def of(cls, lab: Lab) -> State:
        return cls(snapshot(lab), command_line(lab), lab.container_pid("keeper"))


@pytest.fixture(scope="module", params=["debian", "newer"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A host that was bootstrapped with a container running; every test leaves it so."""
    files = {"/etc/systemd/system/docker.service": NEWER} if request.param == "newer" else {}
    with host(f"nu-{request.param}", files) as lab:
        prepared(lab).container("keeper")
        done = lab.dockertls(*BOOTSTRAP)
        assert done.returncode == 0, done.stderr
        assert not lab.path(TRIAL).exists()
        yield lab


def is_newer(lab: Lab) -> bool:
    return lab.name == "nu-newer"


def fails(lab: Lab, setting: str, code: int) -> subprocess.CompletedProcess[str]:
    """A setting with which dockerd does not work; the old daemon runs on, or runs again."""
    before = State.of(lab)
    done = lab.dockertls(*CONFIGURE, setting)
    assert done.returncode == code, done.stderr
    assert State.of(lab) == before
    assert not lab.path(TRIAL).exists()
    assert answers(lab)
    return done


def test_what_dockerd_itself_would_refuse_is_asked_first_where_it_can_be(lab: Lab) -> None:
    main_pid = lab.main_pid()
    done = fails(lab, "log-level=loud", 3 if is_newer(lab) else 5)
    assert (lab.main_pid() == main_pid) is is_newer(lab)
    assert "level: loud" in done.stderr  # dockerd's own words
    assert ("nothing was done" in done.stderr) is is_newer(lab)


def test_failures_in_a_row_leave_the_old_daemon_running(lab: Lab) -> None:
    """Each of them is two starts, and systemd by itself allows three in a minute."""
    for _ in range(3):
        done = fails(lab, "storage-driver=nonsense", 5)
        assert "dockerd: failed to start daemon: error initializing graphdriver" in done.stderr
    assert lab.dockertls("check").returncode == 0


def test_a_daemon_that_runs_and_lets_no_client_in_is_taken_back(lab: Lab) -> None:
    lab.write("/opt/lab/deny.py", DENY)
    plugin = lab.start("sh", "-c", 'echo $$ >/opt/lab/plugin; exec "$@"', "sh", sys.executable, "/opt/lab/deny.py")
    try:
        until(lambda: lab.path("/run/docker/plugins/deny.sock").is_socket(), "the plugin does not listen")
        done = fails(lab, "authorization-plugins=deny", 5)
    finally:
        lab.shell("kill $(cat /opt/lab/plugin); rm /run/docker/plugins/deny.sock")
        plugin.communicate()
    assert "api: the client is let in, and the API refuses it" in done.stderr
    assert "TLS handshake error" not in done.stderr
    assert lab.dockertls("check").returncode == 0


def test_a_certificate_for_a_name_that_nobody_resolves_here(lab: Lab) -> None:
    lab.output(*PROGRAM, "server", "issue", "elsewhere.example", "--passphrase-file", PHRASE, "--yes")
    done = lab.dockertls("--json", "server", "install", "elsewhere.example", "--yes")
    assert done.returncode == 0, done.stderr
    verdicts = {one["id"]: one["verdict"] for one in json.loads(done.stdout)["data"]["findings"]}
    odd = {name: verdict for name, verdict in verdicts.items() if verdict != "passed"}
    assert odd == {"purpose-required": "not-applicable"}
    assert {"name", "api", "served-is-current"} < set(verdicts)
    assert "the certificate is not for" in done.stderr
    lab.output(*PROGRAM, "undo", "--yes")
    assert lab.dockertls("check").returncode == 0


def test_without_a_client_in_the_store(lab: Lab) -> None:
    lab.output(*PROGRAM, "server", "issue", "web7", "--passphrase-file", PHRASE, "--yes")
    lab.shell("mv /etc/dockertls/clients /opt/lab/clients")
    try:
        done = lab.dockertls("--json", "server", "install", "web7", "--yes")
        assert done.returncode == 0, done.stderr
        verdicts = {one["id"]: one["verdict"] for one in json.loads(done.stdout)["data"]["findings"]}
        assert {verdicts[name] for name in ("served-is-current", "client-required", "plaintext-refused")} == {"passed"}
        assert "api" not in verdicts
        assert "nothing to do" in lab.dockertls("server", "install", "web7", "--yes").stderr
        lab.output(*PROGRAM, "undo", "--yes")
    finally:
        lab.shell("mv /opt/lab/clients /etc/dockertls/clients")
    assert lab.dockertls("check").returncode == 0


def test_a_restart_that_somebody_else_made_impossible_is_made_up_for(lab: Lab) -> None:
    """systemd has given up on both units; what comes next finds them stopped and starts them."""
    lab.shell("for i in 1 2 3 4 5; do systemctl restart docker.service || true; done")
    assert lab.run("systemctl", "is-active", "docker.service").stdout.strip() == "failed"
    done = lab.dockertls(*CONFIGURE, "debug=true")
    assert done.returncode == 0, done.stderr
    assert answers(lab)
    lab.output(*PROGRAM, "undo", "--yes")
    assert lab.dockertls("check").returncode == 0


def test_a_way_back_that_dockerd_would_not_take_is_not_begun() -> None:
    with host("xi", {"/etc/systemd/system/docker.service": NEWER}) as lab:
        lab.write(PHRASE, "correct horse battery staple\n", 0o600)
        lab.write("/etc/docker/daemon.json", '{"hosts": ["fd://"]}\n')  # and -H among the flags
        assert lab.dockertls(*BOOTSTRAP).returncode == 0
        before, main_pid = snapshot(lab), lab.main_pid()
        undone = lab.dockertls("undo", "--yes")
        assert (undone.returncode, snapshot(lab), lab.main_pid()) == (3, before, main_pid)
        assert "both as a flag and in the configuration file: hosts" in undone.stderr  # dockerd's own words
        assert lab.dockertls("check").returncode == 0
