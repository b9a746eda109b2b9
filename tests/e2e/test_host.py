"""The program on hosts that are up: systemd's own dockerd, a container running, restarted, proven and taken back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, host, until
from tests.e2e.shapes import BOOTSTRAP, NAME, PHRASE, SOCKET, TLS_FLAGS, answers, command_line, prepared, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "curl")

JOURNAL = "/var/lib/dockertls/journal.json"
ACTIVATING = "/var/lib/dockertls/journal.activating.json"


def exports(printed: str) -> str:
    """The lines that the user is told to paste."""
    lines = [line for line in printed.splitlines() if line.startswith("export ")]
    assert len(lines) == 3
    return "\n".join(lines)


@dataclass(frozen=True)
class Secured:
    """A host after bootstrap; the process ids are those of before."""

    lab: Lab
    exports: str
    printed: str
    main_pid: str
    container_pid: str


@pytest.fixture(scope="module")
def secured() -> Iterator[Secured]:
    with host("alpha") as lab:
        prepared(lab)
        container_pid, main_pid = lab.container("keeper"), lab.main_pid()
        done = lab.dockertls("bootstrap", NAME, lab.address, "--passphrase-file", PHRASE, "--yes")
        assert done.returncode == 0, done.stderr
        yield Secured(lab, exports(done.stdout), done.stdout, main_pid, container_pid)


@pytest.fixture(scope="module")
def plain() -> Iterator[Lab]:
    """A host whose daemon is as packaged; every test that takes it leaves it so."""
    with host("beta") as lab:
        prepared(lab).container("keeper")
        yield lab


# Debian's own package: the daemon is reached by its clients, and by nobody else


def test_containers_run_on_while_dockerd_is_restarted(secured: Secured) -> None:
    assert secured.lab.main_pid() != secured.main_pid
    assert secured.lab.container_pid("keeper") == secured.container_pid != "0"
    assert json.loads(secured.lab.path("/etc/docker/daemon.json").read_text()) == {"live-restore": True}


def test_what_was_set_is_where_debian_reads_it(secured: Secured) -> None:
    defaults = secured.lab.path("/etc/default/docker").read_text()
    assert defaults == Path("/etc/default/docker").read_text() + f'DOCKER_OPTS="{TLS_FLAGS}"\n'
    assert command_line(secured.lab).strip().endswith(TLS_FLAGS)


CLIENTS = {
    "docker": "docker version --format '{{.Server.Version}}'",
    "docker-py": f"{sys.executable} -c 'import docker; print(docker.from_env().version()[\"Version\"])'",
    "curl": "curl --silent --show-error --fail --cacert $DOCKER_CERT_PATH/ca.pem --cert $DOCKER_CERT_PATH/cert.pem "
    '--key $DOCKER_CERT_PATH/key.pem https://${DOCKER_HOST#tcp://}/version | grep --only-matching \'"Version":"[^"]*\'',
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_printed_lines_are_pasted_and_clients_get_in(secured: Secured, client: str) -> None:
    version = secured.lab.output("docker", "--host", SOCKET, "version", "--format", "{{.Server.Version}}")
    assert version in secured.lab.shell(f"set -o pipefail\n{secured.exports}\n{CLIENTS[client]}")


def test_env_prints_the_same_lines(secured: Secured) -> None:
    assert secured.lab.shell(f'eval "$({" ".join(PROGRAM)} env)"; docker version --format "{{{{.Client.Version}}}}"')
    assert exports(secured.lab.dockertls("env").stdout) == secured.exports


def test_a_client_on_another_machine_gets_in(secured: Secured, tmp_path: Path) -> None:
    lab = secured.lab
    lab.output(*PROGRAM, "client", "export", "client", "--output", "/opt/lab/client.tar", "--force")
    subprocess.run(["tar", "-xf", lab.path("/opt/lab/client.tar"), "-C", tmp_path], check=True)
    folder = next(tmp_path.rglob("cert.pem")).parent
    files = [f"--{name}={folder / file}" for name, file in TRUST.items()]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    command = ["docker", "--host", f"tcp://{lab.address}:2376", "--tlsverify", *files, "version"]
    subprocess.run(command, check=True, capture_output=True, env=clean)


TRUST = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}
CURL = "curl --silent --show-error --fail --cacert /root/.docker/ca.pem"
SERVER = "/etc/docker/server"
OTHER = "/opt/lab/other/clients/mallory/current"
REFUSED = {
    "no certificate": f"{CURL} https://127.0.0.1:2376/version",
    "a stranger's certificate": f"{CURL} --cert {OTHER}/cert.pem --key {OTHER}/key.pem https://127.0.0.1:2376/version",
    "the server's certificate": f"{CURL} --cert {SERVER}-cert.pem --key {SERVER}-key.pem https://127.0.0.1:2376/version",
    "plain HTTP": "curl --silent --show-error --fail http://127.0.0.1:2376/version",
}


SEND_FAILED = 55
"""curl's exit code if the daemon has closed the connection before curl wrote: refused too, but it read no alert."""


@pytest.mark.parametrize("who", REFUSED)
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_everybody_else_is_refused(secured: Secured, who: str, version: str) -> None:
    other = (*PROGRAM, "--store", "/opt/lab/other")
    if not secured.lab.path(OTHER).is_dir():
        secured.lab.output(*other, "ca", "init", "--no-passphrase", "--yes")
        secured.lab.output(*other, "client", "issue", "mallory", "--yes")
    done = secured.lab.run("bash", "-euc", f"{REFUSED[who]} --tlsv{version} --tls-max {version}")
    assert done.returncode in {22, 35, SEND_FAILED, 56}, done.stderr
    assert re.search("alert|400", done.stderr) or done.returncode == SEND_FAILED
    assert "ApiVersion" not in done.stdout


def test_the_local_socket_answers_after_a_stop_and_a_start(secured: Secured) -> None:
    assert answers(secured.lab)
    secured.lab.output("systemctl", "stop", "docker.service", "docker.socket")
    secured.lab.output("systemctl", "start", "docker.service")
    assert answers(secured.lab)
    assert secured.lab.container_pid("keeper") == secured.container_pid


CONTEXT = ("client", "install", "client", "--context", "alpha", "--endpoint", f"tcp://{NAME}:2376")


def test_a_docker_context_works(secured: Secured) -> None:
    secured.lab.output(*PROGRAM, *CONTEXT, "--yes")
    assert secured.lab.output("docker", "--context", "alpha", "version", "--format", "{{.Server.Version}}")


AGAIN = {
    "bootstrap": ("bootstrap", NAME),
    "bootstrap without a name": ("bootstrap",),
    "client install": ("client", "install", "client"),
    "client install of a context": CONTEXT,
    "server install": ("server", "install", NAME),
    "daemon configure": ("daemon", "configure", "--server", NAME),
}


@pytest.mark.parametrize("command", AGAIN)
def test_the_second_run_has_nothing_to_do(secured: Secured, command: str) -> None:
    lab = secured.lab
    if command == "client install of a context":
        lab.output(*PROGRAM, *CONTEXT, "--yes")
    before, main_pid = snapshot(lab), lab.main_pid()
    looked = lab.dockertls(*AGAIN[command], "--check")
    assert (looked.returncode, looked.stdout) == (0, "nothing to do\n"), looked.stderr
    done = lab.dockertls(*AGAIN[command], "--yes")
    assert done.returncode == 0
    assert "nothing to do" in done.stderr
    assert (snapshot(lab), lab.main_pid()) == (before, main_pid)


def test_check_and_status_find_nothing_wrong(secured: Secured) -> None:
    checked = secured.lab.dockertls("check", "--strict")
    assert (checked.returncode, checked.stdout.count("passed ")) == (0, 20), checked.stdout
    status = secured.lab.dockertls("--json", "status")
    document = json.loads(status.stdout)
    assert (status.returncode, document["ok"]) == (0, True)
    assert "tcp://127.0.0.1:2376" in status.stdout


# when it goes wrong


def test_a_port_that_is_taken_leaves_all_as_it_was(plain: Lab) -> None:
    before, started, container = snapshot(plain), command_line(plain), plain.container_pid("keeper")
    taken = "import socket, time; s = socket.create_server(('0.0.0.0', 2376)); time.sleep(600)"
    squatter = plain.start("sh", "-c", 'echo $$ >/opt/lab/squatter; exec "$@"', "sh", sys.executable, "-c", taken)
    try:
        until(lambda: plain.run("bash", "-c", "</dev/tcp/127.0.0.1/2376").returncode == 0, "nobody took the port")
        done = plain.dockertls(*BOOTSTRAP)
    finally:
        plain.shell("kill $(cat /opt/lab/squatter)")
        squatter.communicate()
    assert done.returncode == 5
    assert "everything was put back" in done.stderr
    assert "([::]:2376): Address already in use" in done.stderr  # systemd's own words
    assert (snapshot(plain), command_line(plain)) == (before, started)
    assert not plain.path("/etc/dockertls").exists()
    assert not plain.path(JOURNAL).exists()
    assert answers(plain)
    assert plain.container_pid("keeper") == container


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("/etc/docker/daemon.json", '{"log-drivers": "json-file"}\n', "log-drivers"),
        ("/etc/docker/daemon.json", '{"debug": true,}\n', "/etc/docker/daemon.json: line 1, column 15: trailing comma"),
        ("/etc/default/docker", 'DOCKER_OPTS="--no-such-flag"\n', "--no-such-flag"),
    ],
)
def test_a_configuration_that_would_not_start_is_told_before_anything_is_touched(
    plain: Lab, path: str, text: str, told: str
) -> None:
    kept = plain.path(path).read_text() if plain.path(path).exists() else None
    plain.write(path, text)
    before, main_pid = snapshot(plain), plain.main_pid()
    try:
        done = plain.dockertls(*BOOTSTRAP)
        assert (done.returncode, snapshot(plain), plain.main_pid()) == (3, before, main_pid)
    finally:
        plain.path(path).write_text(kept) if kept is not None else plain.path(path).unlink()
    assert told in done.stderr
    assert not plain.path("/etc/dockertls").exists()


def test_a_conflict_on_disk_is_told_and_mended_and_not_brought_back() -> None:
    with host("iota") as lab:
        lab.write(PHRASE, "correct horse battery staple\n", 0o600)
        lab.write("/etc/docker/daemon.json", '{"hosts": ["fd://"], "debug": true}\n')
        before = snapshot(lab)
        looked = lab.dockertls("bootstrap", NAME, "--dry-run")
        assert "as it is configured now, dockerd would not start" in looked.stderr
        assert snapshot(lab) == before
        assert lab.dockertls(*BOOTSTRAP).returncode == 0
        assert json.loads(lab.path("/etc/docker/daemon.json").read_text()) == {"debug": True}
        secured, main_pid = snapshot(lab), lab.main_pid()

        undone = lab.dockertls("undo", "--yes")
        assert undone.returncode == 5, undone.stderr
        assert "both as a flag and in the configuration file: hosts" in undone.stderr  # dockerd's own words
        assert (snapshot(lab), lab.main_pid() == main_pid) == (secured, False)
        assert lab.dockertls("check").returncode == 0


def test_what_nobody_can_put_back_is_said_and_mended_by_the_next_run() -> None:
    """A configuration on disk that no check of ours sees through: dockerd starts neither with the new nor the old."""
    with host("kappa") as lab:
        prepared(lab).container("keeper")
        lab.write("/etc/docker/daemon.json", '{"storage-driver": "nonsense"}\n')
        before = snapshot(lab)
        done = lab.dockertls(*BOOTSTRAP)
        assert done.returncode == 6
        assert "killed" not in done.stderr
        assert "driver not supported" in done.stderr  # dockerd's own words
        assert ACTIVATING in done.stderr
        after = snapshot(lab)
        assert {path for path in {*before, *after} if before.get(path) != after.get(path)} == {
            "/etc/docker/daemon.json"  # live-restore, without which a start by hand would end the container
        }
        lab.write("/etc/docker/daemon.json", '{"live-restore": true}\n')
        assert lab.dockertls(*BOOTSTRAP).returncode == 0
        assert lab.dockertls("check").returncode == 0


def test_nothing_is_followed_through_a_users_link(plain: Lab) -> None:
    sudo = {"SUDO_USER": "ann"}
    plain.shell("id ann || useradd --create-home ann")
    for planted in ("ln -s /etc ~/.docker", "mkdir ~/.docker; ln -s /etc/shadow ~/.docker/key.pem"):
        plain.shell(f"su ann --command '{planted}'")
        before = snapshot(plain)
        done = plain.dockertls(*BOOTSTRAP, environment=sudo)
        assert done.returncode == 4
        assert "/home/ann/.docker" in done.stderr
        assert "link" in done.stderr
        assert snapshot(plain) == before
        plain.shell("rm -rf /home/ann/.docker")


def test_under_sudo_the_files_are_the_callers(plain: Lab) -> None:
    plain.shell("id ann || useradd --create-home ann")
    before = snapshot(plain)
    plain.output(*PROGRAM, *BOOTSTRAP, environment={"SUDO_USER": "ann"})
    listed = plain.output("find", "/home/ann/.docker", "-printf", "%f %m %U %G\\n").splitlines()
    ann = plain.output("id", "--user", "ann"), plain.output("id", "--group", "ann")
    modes = {".docker": "700", "ca.pem": "644", "cert.pem": "644", "key.pem": "600"}
    assert sorted(listed) == sorted(" ".join((name, mode, *ann)) for name, mode in modes.items())
    assert not plain.path("/root/.docker").exists()
    environment = "DOCKER_HOST=tcp://127.0.0.1:2376 DOCKER_TLS_VERIFY=1"
    plain.shell(f"su ann --command '{environment} docker version'")
    plain.output(*PROGRAM, "undo", "--yes", environment={"SUDO_USER": "ann"})
    assert not plain.path("/home/ann/.docker").exists()
    assert snapshot(plain) == before
    plain.shell("rm -r /etc/dockertls")  # an undo keeps the store


def test_a_run_that_is_killed_half_way_is_taken_back_by_the_next() -> None:
    with host("delta") as lab:
        container = prepared(lab).container("keeper")
        before = snapshot(lab)
        running = lab.start("sh", "-c", 'echo $$ >/opt/lab/pid; exec "$@"', "sh", *PROGRAM, *BOOTSTRAP)
        journal = lab.path(ACTIVATING)
        until(journal.exists, "it never came so far")
        until(lambda: "DOCKER_OPTS" in lab.path("/etc/default/docker").read_text(), "no file was changed")
        lab.shell("kill -KILL $(cat /opt/lab/pid)")
        running.communicate()
        assert journal.exists()
        assert lab.dockertls("bootstrap", NAME, "--check").returncode == 4

        done = lab.dockertls(*BOOTSTRAP)
        assert done.returncode == 0, done.stderr
        assert "taken back: an earlier run was killed half-way" in done.stderr
        assert not journal.exists()
        assert lab.dockertls("check").returncode == 0
        assert lab.container_pid("keeper") == container

        while lab.dockertls("undo", "--yes").returncode == 0:
            continue
        assert snapshot(lab) == before
        assert lab.container_pid("keeper") == container


def test_two_runs_at_once_take_turns() -> None:
    with host("epsilon") as lab:
        container = prepared(lab).container("keeper")
        runs = [lab.start(*PROGRAM, *BOOTSTRAP) for _ in range(2)]
        told = [run.communicate()[1].decode() for run in runs]
        codes = sorted(run.returncode for run in runs)
        assert codes in ([0, 0], [0, 4]), told
        assert lab.container_pid("keeper") == container
        assert lab.dockertls("bootstrap", NAME, "--check").returncode == 0
        assert lab.dockertls("check").returncode == 0
        assert len(list(lab.path("/etc/dockertls/ca").glob("0*"))) == 1


# containers that a restart would stop


STOPPABLE = {
    "live-restore is switched off": "mkdir -p /etc/docker; echo '{\"live-restore\": false}' >/etc/docker/daemon.json",
    "swarm mode": "docker swarm init --advertise-addr 127.0.0.1",
}


@pytest.mark.parametrize("reason", STOPPABLE)
def test_no_container_stops_without_consent(reason: str) -> None:
    with host("zeta") as lab:
        container = prepared(lab).container("keeper")
        lab.shell(STOPPABLE[reason])
        started = command_line(lab)

        assert "it stops keeper" in lab.dockertls("bootstrap", NAME, "--dry-run").stdout
        for _ in range(2):  # a second run does not restart it either
            done = lab.dockertls(*BOOTSTRAP)
            assert done.returncode == 4, done.stderr
            assert "configured, not restarted: a restart would stop keeper" in done.stderr
            assert lab.container_pid("keeper") == container
            assert command_line(lab) == started
        assert "DOCKER_OPTS" in lab.path("/etc/default/docker").read_text()

        done = lab.dockertls(*BOOTSTRAP, "--restart", "always")
        assert done.returncode == 0, done.stderr
        assert lab.dockertls("check").returncode == 0


def test_a_restart_that_was_put_off_is_made_up_for() -> None:
    with host("theta") as lab:
        container, main_pid = prepared(lab).container("keeper"), lab.main_pid()
        put_off = lab.dockertls(*BOOTSTRAP, "--restart", "never")
        assert (put_off.returncode, lab.main_pid()) == (0, main_pid), put_off.stderr
        assert "still to be run: systemctl restart docker.socket docker.service" in put_off.stdout
        assert lab.dockertls("bootstrap", NAME, "--check").returncode == 1

        lab.output(*PROGRAM, "bootstrap", NAME, "--yes")
        assert lab.main_pid() != main_pid
        assert lab.container_pid("keeper") == container
        assert lab.dockertls("check").returncode == 0
        assert lab.dockertls("bootstrap", NAME, "--check").returncode == 0

        settings = ("daemon", "configure", "--server", NAME, "--set", "log-level=debug")
        lab.output(*PROGRAM, *settings, "--yes", "--restart", "never")
        assert lab.output("docker", "info", "--format", "{{.Debug}}") == "false"
        assert "log-level" not in command_line(lab)
        looked = lab.dockertls(*settings, "--check")
        assert (looked.returncode, "restart docker.s" in looked.stdout) == (1, True), looked
        lab.output(*PROGRAM, *settings, "--yes")
        assert lab.dockertls(*settings, "--check").returncode == 0


def test_live_restore_that_only_the_running_daemon_knows_saves_no_container() -> None:
    """After an undo the daemon still has it in memory, the next one will not."""
    with host("eta") as lab:
        container = prepared(lab).container("keeper")
        for _ in range(2):
            lab.output(*PROGRAM, *BOOTSTRAP)
            assert lab.container_pid("keeper") == container
            lab.output(*PROGRAM, "undo", "--yes")
            assert lab.container_pid("keeper") == container
        assert not lab.path("/etc/docker/daemon.json").exists()
        lab.write("/etc/docker/daemon.json", '{"live-restore": false}\n')
        assert lab.dockertls(*BOOTSTRAP).returncode == 4
        assert lab.container_pid("keeper") == container
