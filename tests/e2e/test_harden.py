"""Hardening a real dockerd: what is safe is done and proven, nothing stops, and all of it can be taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.lab import PROGRAM, Lab, host
from tests.e2e.program import Place, dockertls

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

JSON = "/etc/docker/daemon.json"
DROP_INS = "/etc/systemd/system/docker.service.d"
LAB = pytest.mark.needs("dockerd", "nspawn", "busybox")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with host("hard") as found:
        found.image()
        yield found


@pytest.fixture
def fresh(lab: Lab) -> Lab:
    """The host as packaged, whatever a test before left."""
    lab.shell(
        f"docker ps -aq | xargs -r docker rm -f >/dev/null; rm -rf {JSON} {DROP_INS} /etc/dockertls /var/lib/dockertls;"
        " systemctl daemon-reload; systemctl reset-failed docker.service docker.socket || true;"
        " systemctl restart docker"
    )
    return lab


def hardened(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    return lab.dockertls("harden", "--yes", *words)


def verdicts(lab: Lab) -> dict[str, str]:
    ran = lab.run(*PROGRAM, "--json", "audit")
    return {one["id"]: one["verdict"] for one in json.loads(ran.stdout)["data"]["results"]}


def info(lab: Lab, field: str) -> str:
    return lab.output("docker", "info", "--format", f"{{{{.{field}}}}}")


@LAB
def test_what_is_safe_is_done_by_a_reload_and_once(fresh: Lab) -> None:
    container, main_pid = fresh.container("keeper"), fresh.main_pid()
    ran = hardened(fresh)
    assert ran.returncode == 0, ran
    assert json.loads(fresh.path(JSON).read_text()) == {"live-restore": True}
    assert info(fresh, "LiveRestoreEnabled") == "true"
    assert (fresh.main_pid(), fresh.container_pid("keeper")) == (main_pid, container)
    assert verdicts(fresh)["CFG-07"] == "passed", "a reload is as good as a restart"
    row = next(line.split() for line in ran.stdout.splitlines() if line.startswith("DMN-15"))
    assert row[-2:] == ["failed", "passed"]

    again = hardened(fresh)
    assert (again.returncode, again.stdout) == (0, "nothing to do\n")
    assert fresh.dockertls("harden", "--check").returncode == 0


@LAB
def test_it_is_taken_back_and_what_a_reload_leaves_is_told(fresh: Lab) -> None:
    hardened(fresh)
    undone = fresh.dockertls("undo", "--yes")
    assert undone.returncode == 0, undone
    assert not fresh.path(JSON).exists()
    assert "live-restore" in undone.stderr
    assert "restart" in undone.stderr


@LAB
def test_what_may_break_workloads_is_done_on_demand_and_no_container_stops(fresh: Lab) -> None:
    container = fresh.container("keeper")
    before = verdicts(fresh)
    assert {before[one] for one in ("DMN-02", "DMN-14", "DMN-16")} == {"failed", "warned"}
    ran = hardened(fresh, "--opt-in", "DMN-02", "--opt-in", "dmn-14", "--opt-in", "DMN-16", "--opt-in", "DMN-08")
    assert ran.returncode == 0, ran
    after = verdicts(fresh)
    wanted = ("DMN-08", "DMN-14", "DMN-15", "DMN-16", "CFG-07")
    assert {one: after[one] for one in wanted} == dict.fromkeys(wanted, "passed")
    assert fresh.container_pid("keeper") == container
    again = hardened(fresh, "--opt-in", "DMN-02", "--opt-in", "DMN-14")
    assert again.stdout == "nothing to do\n"
    assert "icc is set, and dockerd does otherwise" in again.stderr, "a bridge in use keeps its options"
    assert (after["DMN-02"], after["CFG-08"]) == ("failed", "failed"), "and that is told"
    fresh.shell("docker rm -f keeper; systemctl restart docker")
    assert verdicts(fresh)["DMN-02"] == "passed"

    while fresh.dockertls("undo", "--yes").returncode == 0:
        pass
    assert not fresh.path(JSON).exists()
    assert verdicts(fresh)["DMN-14"] == "failed"


@LAB
def test_other_keys_and_flags_stay_as_they_are(fresh: Lab) -> None:
    text = '{\n\t"mtu": 1400,\n\t"debug": true\n}\n'
    fresh.write(JSON, text)
    fresh.write("/etc/default/docker", 'DOCKER_OPTS="--experimental --label a=b"\n# mine\n')
    fresh.shell("systemctl restart docker")
    ran = hardened(fresh)
    assert ran.returncode == 0, ran
    made = fresh.path(JSON).read_text()
    assert json.loads(made) == {"mtu": 1400, "debug": False, "live-restore": True}
    assert made.startswith('{\n\t"mtu": 1400,\n')
    assert fresh.path("/etc/default/docker").read_text() == 'DOCKER_OPTS="--label a=b"\n# mine\n'
    assert info(fresh, "ExperimentalBuild") == "false"
    fresh.write("/etc/default/docker", "")


@LAB
def test_modes_are_mended_and_undone_to_the_bit(fresh: Lab) -> None:
    fresh.write(JSON, '{"live-restore": true}\n', 0o606)
    fresh.shell("chmod 722 /etc/docker; systemctl restart docker")
    main_pid = fresh.main_pid()
    ran = hardened(fresh)
    assert ran.returncode == 0, ran
    assert fresh.output("stat", "-c", "%a", JSON, "/etc/docker").split() == ["604", "700"]
    assert fresh.main_pid() == main_pid, "modes are no reason to restart"
    fresh.dockertls("undo", "--yes")
    assert fresh.output("stat", "-c", "%a", JSON, "/etc/docker").split() == ["606", "722"]
    fresh.shell("chmod 755 /etc/docker")


@LAB
def test_the_undo_of_a_bootstrap_brings_an_open_port_back_and_says_so(fresh: Lab) -> None:
    """As it was before: whoever wants that port closed has it closed by the bootstrap."""
    fresh.write(f"{DROP_INS}/own.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd\n")
    before = '{"hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2399"]}\n'
    fresh.write(JSON, before)
    fresh.shell("systemctl daemon-reload; systemctl restart docker")
    assert fresh.dockertls("bootstrap", "hard", "--no-passphrase", "--yes").returncode == 0
    ran = fresh.dockertls("undo", "--yes")
    assert (ran.returncode, fresh.path(JSON).read_text()) == (0, before), ran
    assert "tcp://127.0.0.1:2399" in ran.stderr
    own = "systemctl stop docker docker.socket; systemctl start docker.socket docker"  # it made the socket itself
    fresh.shell(f"rm -rf {JSON} {DROP_INS}; systemctl daemon-reload; {own}")


@LAB
def test_systemd_is_told_of_a_unit_that_is_mended(fresh: Lab) -> None:
    fresh.write(f"{DROP_INS}/own.conf", "[Unit]\nDescription=mine\n", 0o666)
    fresh.shell("systemctl daemon-reload")
    ran = hardened(fresh, "--only", "FS-01")
    assert ran.returncode == 0, ran
    assert fresh.output("stat", "-c", "%a", f"{DROP_INS}/own.conf").strip() == "644"
    assert (
        fresh.output("systemctl", "show", "--property=NeedDaemonReload", "docker.service").strip()
        == "NeedDaemonReload=no"
    )


@LAB
def test_after_an_undo_by_a_reload_it_can_be_done_again(fresh: Lab) -> None:
    """Dockerd keeps live-restore until it is restarted, and no file says it any more."""
    for _ in range(2):
        assert hardened(fresh).returncode == 0
        assert json.loads(fresh.path(JSON).read_text()) == {"live-restore": True}
        assert fresh.dockertls("undo", "--yes").returncode == 0
        assert info(fresh, "LiveRestoreEnabled") == "true"
        assert verdicts(fresh)["DMN-15"] == "failed"


@LAB
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (f"echo '{{\"icc\": false,}}' >{JSON}", "trailing comma"),
        ("systemctl stop docker docker.socket; systemctl mask docker.service", "masked"),
    ],
)
def test_an_undo_after_which_dockerd_would_not_start_is_refused(fresh: Lab, spoil: str, told: str) -> None:
    assert fresh.dockertls("bootstrap", "hard", "--no-passphrase", "--yes").returncode == 0
    fresh.shell(spoil)
    before = fresh.main_pid()
    ran = fresh.dockertls("undo", "--yes")
    assert (ran.returncode, fresh.main_pid()) == (3, before)
    assert "nothing was taken back" in ran.stderr
    assert told in ran.stderr
    fresh.shell(f"rm -f {JSON}; systemctl unmask docker.service; systemctl start docker")
    assert fresh.dockertls("undo", "--yes").returncode == 0


@LAB
@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"iptables": False}, "icc is false"),
        ({"log-opts": {"max-file": 3}}, "is no text"),
        ({"seccomp-profile": "/etc/none.json"}, "none.json"),
    ],
)
def test_what_would_break_dockerd_is_refused_before_anything_is_touched(
    fresh: Lab, config: dict[str, Any], told: str
) -> None:
    fresh.write(JSON, json.dumps(config))
    ran = hardened(fresh, "--opt-in", "DMN-02")
    assert (ran.returncode, told in ran.stderr) == (3, True), ran
    assert json.loads(fresh.path(JSON).read_text()) == config
    fresh.path(JSON).unlink()


@LAB
def test_a_dockerd_that_does_not_come_back_is_given_what_it_had(fresh: Lab) -> None:
    fresh.shell(
        f"mkdir -p {DROP_INS}; printf '[Service]\\nExecStartPre=/bin/sh -c \"! grep -q no-new {JSON}\"\\n'"
        f" >{DROP_INS}/picky.conf; systemctl daemon-reload"
    )
    ran = hardened(fresh, "--opt-in", "DMN-14")
    assert ran.returncode == 5, ran
    assert not fresh.path(JSON).exists() or "no-new" not in fresh.path(JSON).read_text()
    assert fresh.output("docker", "version", "--format", "{{.Server.Version}}")


@LAB
def test_a_policy_lets_it_be(fresh: Lab) -> None:
    fresh.write(
        "/etc/dockertls/policy.yaml",
        "waive:\n  - check: DMN-15\n    reason: the swarm of tomorrow\n    until: 2099-01-01\n",
    )
    assert hardened(fresh).stdout == "nothing to do\n"
    ran = fresh.dockertls("audit", "--only", "DMN-15")
    assert (ran.returncode, "waived" in ran.stdout) == (0, True), ran


@LAB
def test_nothing_is_done_without_consent_or_without_root(fresh: Lab) -> None:
    ran = fresh.dockertls("harden")
    assert (ran.returncode, "--yes" in ran.stderr) == (4, True), ran
    dry = fresh.dockertls("harden", "--dry-run")
    assert (dry.returncode, '"live-restore": true' in dry.stdout) == (0, True)
    assert fresh.dockertls("harden", "--check").returncode == 1
    other = fresh.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *PROGRAM, "harden", "--yes")
    assert (other.returncode, "sudo" in other.stderr) == (4, True), other
    assert not fresh.path(JSON).exists()


@LAB
def test_a_dockerd_that_is_stopped_is_not_started(fresh: Lab) -> None:
    fresh.shell("systemctl stop docker.service docker.socket")
    assert hardened(fresh).returncode == 0
    assert json.loads(fresh.path(JSON).read_text()) == {"live-restore": True}
    assert fresh.run("systemctl", "is-active", "docker").stdout.strip() == "inactive"


@LAB
def test_tlsverify_without_an_authority_gets_the_one_beside_the_certificate(fresh: Lab) -> None:
    fresh.output(*PROGRAM, "bootstrap", "hard", "--style", "json", "--no-passphrase", "--yes")
    config = json.loads(fresh.path(JSON).read_text())
    authority = config.pop("tlscacert")
    fresh.write(JSON, json.dumps(config))
    fresh.shell("systemctl restart docker")
    assert verdicts(fresh)["TLS-07"] == "failed"
    ran = hardened(fresh, "--only", "TLS-07")
    assert ran.returncode == 0, ran
    assert json.loads(fresh.path(JSON).read_text())["tlscacert"] == authority
    assert {verdicts(fresh)[one] for one in ("TLS-07", "NET-04", "NET-07")} == {"passed"}


# a file tree


def test_a_tree_is_hardened_and_nothing_is_run(tmp_path: Path) -> None:
    place = Place.recorded("debian", tmp_path / "root")
    ran = place.started("harden", "--yes", "--opt-in", "DMN-02")
    assert ran.code == 0, ran
    assert json.loads((place.root / "etc/docker/daemon.json").read_text()) == {"icc": False, "live-restore": True}
    assert "still to be run: systemctl restart docker" in ran.out
    assert place.started("harden", "--check", "--opt-in", "DMN-02").code == 0
    assert place.started("undo", "--yes").code == 0
    assert not (place.root / "etc/docker/daemon.json").exists()


def test_where_there_is_no_docker_nothing_is_hardened(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    ran = dockertls("--root", tmp_path, "harden", "--yes")
    assert (ran.code, "no Docker" in ran.err) == (4, True), ran


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "NET-01"), "NET-01 is not mended by harden"),
        (("--only", "DMN-02"), "--opt-in DMN-02"),
        (("--opt-in", "DMN-2"), "did you mean DMN-"),
        (("--only", "nonsense"), "there is no check nonsense"),
    ],
)
def test_wrong_ids_are_told(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ran = Place.recorded("debian", tmp_path / "root").started("harden", *words)
    assert (ran.code, told in ran.err) == (2, True), ran
