"""`daemon show` on a host that runs: the right process, and what a restart would change; each proven by the restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.lab import PROGRAM, host, until
from tests.e2e.shapes import GUARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "curl")

FOLDER = "/etc/systemd/system"
DROP_IN = f"{FOLDER}/docker.service.d/test.conf"
JSON, ENVIRONMENT = "/etc/docker/daemon.json", "/etc/default/docker"
DOCKERD = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
APART = "--iptables=false --bridge=none --storage-driver=vfs --config-file /etc/second.json --exec-root /run/second"
SECOND = f"dockerd {APART} --data-root /var/lib/docker/second -p /run/second.pid"
ORDINARY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with host("gamma") as found:
        found.write("/etc/second.json", "{}")
        found.shell(f"cp {ENVIRONMENT} /opt/environment")
        yield found


@pytest.fixture
def fresh(lab: Lab) -> Lab:
    """The host with the daemon as packaged, whatever a test before left."""
    lab.shell(
        f"rm -rf {JSON} {FOLDER}/docker.service* {FOLDER}/docker.socket*; cp /opt/environment {ENVIRONMENT};"
        f" rm -f {GUARD}; systemctl daemon-reload"
    )
    restart(lab, "docker.socket")
    return lab


def restart(lab: Lab, *more: str) -> None:
    units = f"{' '.join(more)} docker.service"
    lab.shell(f"systemctl reset-failed {units} || true; systemctl restart {units}")


def shown(lab: Lab, *prefix: str) -> dict[str, Any]:
    done = lab.run(*prefix, *PROGRAM, "--json", "daemon", "show")
    assert done.returncode == 0, done.stdout + done.stderr
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return data


def changes(lab: Lab) -> list[str]:
    return [one["what"] for one in shown(lab)["restart_would_change"]]


def problems(lab: Lab) -> list[str]:
    return [one["message"] for one in shown(lab)["problems"]]


def test_what_runs_as_its_files_say_has_nothing_to_change(fresh: Lab) -> None:
    data = shown(fresh)
    assert (data["running"]["pid"], data["running"]["unit"]) == (int(fresh.main_pid()), "docker.service")
    assert data["running"]["arguments"] == DOCKERD.split()
    assert fresh.output("dockerd", "--version").startswith(f"Docker version {data['release']}")
    assert [data[key] for key in ("restart_would_change", "problems", "unknown", "others")] == [[], [], [], []]


SHAPES = {
    "continued": f"{DOCKERD} \\\n# a comment\n  --label \\\n  a=b $DOCKER_OPTS",
    "dash": f"-{DOCKERD} --label=a=b $DOCKER_OPTS",
    "at": f"@/usr/sbin/dockerd docker-daemon {DOCKERD.partition(' ')[2]} $DOCKER_OPTS",
    "bangs and dash": f"-!!{DOCKERD} --label=a=b $DOCKER_OPTS",
    "colon": f":{DOCKERD} --label=a=$DOCKER_OPTS",
    "quotes": f'{DOCKERD} "--label=a=b c" \'--label=d="e"\' --label=f\\x20g=h --label=\\u00e9=100%% $DOCKER_OPTS',
    "variables": f"{DOCKERD} --label=a=${{MORE}} $MANY --label=b=$$MORE $NONE $DOCKER_OPTS",
    "reset twice": f"{DOCKERD} --label=a=b\nExecStart=\nExecStart={DOCKERD} --label=c=d $DOCKER_OPTS",
}


@pytest.mark.parametrize("name", SHAPES)
def test_systemd_reads_a_unit_as_it_is_shown(fresh: Lab, name: str) -> None:
    """The arguments that are shown before the restart are those that systemd gives."""
    variables = 'Environment="MORE=x y" "MANY=--label=m=1 --label=n=2"\nEnvironmentFile=-/etc/nothing\n'
    fresh.write(DROP_IN, f"[Service]\n{variables}ExecStart=\nExecStart={SHAPES[name]}\n")
    assert "docker.service" in changes(fresh)
    fresh.shell("systemctl daemon-reload")
    restart(fresh)
    data = shown(fresh)
    assert data["restart_would_change"] == []
    assert data["problems"] == []
    assert data["running"]["pid"] == int(fresh.main_pid())


def test_a_specifier_is_not_taken_for_a_change(fresh: Lab) -> None:
    fresh.write(DROP_IN, f"[Service]\nExecStart=\nExecStart={DOCKERD} --label=host=%H $DOCKER_OPTS\n")
    fresh.shell("systemctl daemon-reload")
    restart(fresh)
    data = shown(fresh)
    assert "--label=host=gamma" in data["running"]["arguments"]
    assert data["restart_would_change"] == []
    assert "which arguments a restart would change" in data["unknown"]


def test_a_restart_changes_what_was_said_it_would_change(fresh: Lab) -> None:
    fresh.write(ENVIRONMENT, "DOCKER_OPTS='--label=a=b'\nOTHER=hidden\n")
    fresh.write(JSON, '{"debug": true}')
    fresh.write(DROP_IN, "[Service]\nEnvironment=HTTP_PROXY=http://hidden@127.0.0.1:1\n")
    data = shown(fresh)
    found = {one["what"]: one for one in data["restart_would_change"]}
    assert set(found) == {"labels", "variable OTHER", "variable HTTP_PROXY", JSON, "docker.service"}
    assert (found["labels"]["runs_with"], found["labels"]["would_run_with"]) == (None, ["a=b"])
    assert "hidden" not in json.dumps(data)
    fresh.shell("systemctl daemon-reload")
    restart(fresh)
    assert changes(fresh) == []
    assert "--label=a=b" in shown(fresh)["running"]["arguments"]


def test_a_variable_that_only_systemd_itself_has_is_seen_in_the_process(fresh: Lab) -> None:
    fresh.shell("systemctl set-environment DOCKER_TLS_VERIFY=1")
    restart(fresh)
    fresh.shell("systemctl unset-environment DOCKER_TLS_VERIFY")
    assert shown(fresh)["running"]["variables_of_clients"] == ["DOCKER_TLS_VERIFY"]


def test_certificates_that_changed_are_told_and_those_just_installed_are_not(fresh: Lab) -> None:
    done = fresh.dockertls("bootstrap", "--no-passphrase", "--yes")
    assert done.returncode == 0, done.stderr
    data = shown(fresh)
    assert data["restart_would_change"] == []
    assert data["problems"] == []
    fresh.shell("touch /etc/docker/tls/current/server-cert.pem")
    assert changes(fresh) == ["/etc/docker/server-cert.pem"]
    fresh.shell(
        "ln -s $(readlink /etc/docker/tls/current) /etc/docker/tls/x; mv -T /etc/docker/tls/x /etc/docker/tls/current"
    )
    assert changes(fresh) == ["/etc/docker/server-cert.pem", "/etc/docker/tls/current"]
    fresh.shell("mv /etc/docker/ca.pem /etc/docker/away")
    why = {one["what"]: one["why"] for one in shown(fresh)["restart_would_change"]}
    assert why["/etc/docker/ca.pem"] == "is not there: dockerd would not start"
    fresh.shell("mv /etc/docker/away /etc/docker/ca.pem")
    restart(fresh)
    assert changes(fresh) == []


def test_two_dockerds_are_told_apart(fresh: Lab) -> None:
    with fresh.start("sh", "-c", f"exec {SECOND} -H unix:///run/second.sock") as process:
        until(lambda: fresh.path("/run/second.sock").exists(), "no second dockerd")
        data = shown(fresh)
        fresh.shell("kill $(cat /run/second.pid)")
        process.communicate(timeout=60)
    assert data["running"]["pid"] == int(fresh.main_pid())
    (other,) = data["others"]
    assert "--config-file" in other["arguments"]
    assert other["in_container"] is False


def test_a_dockerd_of_a_container_is_told_as_such(fresh: Lab) -> None:
    nested = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c")
    with fresh.start(*nested, f"exec {SECOND} -H unix:///run/second.sock") as process:
        until(lambda: fresh.path("/run/second.sock").exists(), "no second dockerd")
        data = shown(fresh)
        fresh.shell(f"kill {data['others'][0]['pid']}")
        process.communicate(timeout=60)
    assert [one["in_container"] for one in data["others"]] == [True]


def test_without_systemd_the_pidfile_tells_and_else_the_socket(fresh: Lab) -> None:
    """The folder that shows that systemd runs is hidden from the program: it sees the init script of the package."""
    blind = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/systemd; exec "$@"', "sh")
    pid = int(fresh.main_pid())
    running = shown(fresh, *blind)["running"]
    assert (running["pid"], running["told_by"]) == (pid, "/var/run/docker.pid names it")
    fresh.shell("systemctl stop docker.service docker.socket; rm -f /run/docker.pid")
    with fresh.start("sh", "-c", f"exec {SECOND} -H unix:///var/run/docker.sock") as process:
        until(lambda: fresh.path("/run/second.pid").exists() and fresh.path("/run/docker.sock").exists(), "no dockerd")
        running = shown(fresh, *blind)["running"]
        own = shown(fresh)
        fresh.shell("kill $(cat /run/second.pid)")
        process.communicate(timeout=60)
    assert running["told_by"] == "it answers on the local socket"
    assert "--config-file" in running["arguments"]
    assert own["running"] is None, "docker.service does not run"
    assert [one["pid"] for one in own["others"]] == [running["pid"]]


def test_looking_does_not_start_a_dockerd_that_waits_for_a_connection(fresh: Lab) -> None:
    fresh.shell("systemctl stop docker.service 2>/dev/null")
    done = fresh.run(*PROGRAM, "daemon", "show")
    assert "runs  nothing: docker.service is inactive; a connection to its socket starts it" in done.stdout
    assert fresh.main_pid() == "0"


def test_an_ordinary_user_is_told_what_he_may_not_see(fresh: Lab) -> None:
    fresh.write(JSON, "{}", 0o600)
    data = shown(fresh, *ORDINARY)
    assert data["running"]["pid"] == int(fresh.main_pid())
    assert data["options"]["hosts"]["value"] == ["fd://"]
    assert any(line.startswith(f"what {JSON} says: {JSON}: Permission denied") for line in data["unknown"])
    assert "which variables dockerd was started with: only root sees them" in data["unknown"]


def test_a_masked_or_missing_socket_keeps_the_service_from_starting(fresh: Lab) -> None:
    def starts() -> bool:
        return fresh.run("systemctl", "start", "docker.service").returncode == 0

    fresh.shell(f"systemctl stop docker.service docker.socket; ln -s /dev/null {FOLDER}/docker.socket")
    fresh.shell("systemctl daemon-reload; systemctl reset-failed docker.service || true")
    assert not starts()
    assert problems(fresh) == ["docker.service requires docker.socket, which is masked: systemd does not start it"]
    fresh.shell(f"rm {FOLDER}/docker.socket; mv /lib/systemd/system/docker.socket /opt; systemctl daemon-reload")
    missing = problems(fresh), starts()
    fresh.shell("mv /opt/docker.socket /lib/systemd/system; systemctl daemon-reload")
    assert missing == (["docker.service requires docker.socket, which is not there: systemd does not start it"], False)
    fresh.shell(f"ln -s /dev/null {FOLDER}/docker.service")
    assert problems(fresh) == [f"docker.service is masked ({FOLDER}/docker.service)"]


def test_a_socket_unit_that_opens_a_port_is_told_with_and_without_tls(fresh: Lab) -> None:
    def plain() -> str:
        return fresh.run("curl", "-sS", "--max-time", "20", "http://127.0.0.1:2375/_ping").stdout

    fresh.write(f"{FOLDER}/docker.socket.d/test.conf", "[Socket]\nListenStream=2375\n")
    fresh.shell("systemctl daemon-reload")
    restart(fresh, "docker.socket")
    assert plain() == "OK"
    assert ["has no TLS: whoever reaches it is root" in one for one in problems(fresh)] == [True]
    fresh.dockertls("ca", "init", "--no-passphrase", "--yes")
    fresh.dockertls("server", "issue", "gamma", "--yes")
    done = fresh.dockertls("server", "install", "gamma", "--yes", "--restart", "never")
    assert fresh.path("/etc/docker/server-key.pem").exists(), done.stderr
    material = {f"tls{key}": f"/etc/docker/{name}.pem" for key, name in
                {"cacert": "ca", "cert": "server-cert", "key": "server-key"}.items()}  # fmt: skip
    fresh.write(JSON, json.dumps({"tlsverify": True, **material}))
    restart(fresh)
    assert "HTTP request to an HTTPS server" in plain()
    assert ["whatever rewrites that file opens the port" in one for one in problems(fresh)] == [True]
    fresh.write(JSON, "{}")
    flags = " ".join(f"--{key}={path}" for key, path in material.items())
    fresh.write(ENVIRONMENT, f"DOCKER_OPTS='--tlsverify {flags}'\n")
    restart(fresh)
    assert "HTTP request to an HTTPS server" in plain()
    assert problems(fresh) == []
    assert [one["value"] for one in shown(fresh)["listens"]] == ["/run/docker.sock", "2375"]
