"""An ordinary user's own dockerd, in namespaces of rootlesskit and under his own systemd: from bootstrap and back."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import PROGRAM, REPOSITORY, Lab, host, until
from tests.e2e.shapes import snapshot

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "rootlesskit", "setpriv")

UID, RANGES = 3000, "ann:200000:65536\n"
RUN = f"/run/user/{UID}"
SOCKET = f"unix://{RUN}/docker.sock"
FOLDER, UNITS = "/home/ann/.config/docker", "/home/ann/.config/systemd/user"
CONTRIB = "/usr/share/docker.io/contrib"
BOOTSTRAP = ("bootstrap", "alpha.example.net", "--no-passphrase", "--yes")
ENVIRONMENT = {
    "HOME": "/home/ann",
    "USER": "ann",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": str(REPOSITORY),
    "XDG_RUNTIME_DIR": RUN,
    "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUN}/bus",
}

# as dockerd-rootless-setuptool.sh writes it, with the storage and the firewall that a host in a host can have
UNIT = f"""[Unit]
Description=Docker Application Container Engine (Rootless)

[Service]
Environment=PATH={ENVIRONMENT["PATH"]}
ExecStart={CONTRIB}/dockerd-rootless.sh --storage-driver=vfs --iptables=false
ExecReload=/bin/kill -s HUP $MAINPID
TimeoutSec=0
RestartSec=2
Restart=always
StartLimitBurst=3
StartLimitInterval=60s
Delegate=yes
Type=notify
NotifyAccess=all
KillMode=mixed

[Install]
WantedBy=default.target
"""


def as_ann(lab: Lab, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as that user, with what a login gives to him."""
    become = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", "env", "-i")
    return lab.run(*become, *(f"{key}={value}" for key, value in ENVIRONMENT.items()), *command)


def done(lab: Lab, *words: str) -> str:
    ran = as_ann(lab, *PROGRAM, *words)
    assert ran.returncode == 0, ran
    return ran.stdout


def answers(lab: Lab) -> bool:
    return as_ann(lab, "docker", "--host", SOCKET, "version").returncode == 0


def his_own(lab: Lab) -> dict[str, object]:
    """All that is configured in the user's home."""
    return {
        path: node for path, node in snapshot(lab).items() if path.startswith(("/home/ann/.config", "/home/ann/.d"))
    }


@contextmanager
def rootless() -> Iterator[Lab]:
    """A host on which a user runs a Docker of his own, beside the system's, which does not run."""
    with host("alpha", {"/etc/subuid": RANGES, "/etc/subgid": RANGES}) as lab:
        lab.shell("systemctl disable --now docker.service docker.socket; chmod 666 /dev/net/tun")
        lab.shell(f"useradd --create-home --uid {UID} --user-group --shell /bin/bash ann")
        reachable = {
            str(parent) for one in (Path(sys.executable).resolve(), Path(sys.prefix)) for parent in one.parents
        }
        lab.run("chmod", "o+x", *sorted(reachable | {str(REPOSITORY), *map(str, REPOSITORY.parents)}))
        # looked for by every dockerd that rootlesskit starts, and packaged by Docker alone
        lab.write("/usr/local/bin/rootlesskit-docker-proxy", '#!/bin/sh\nexec docker-proxy "$@"\n', 0o755)
        lab.write(f"{UNITS}/docker.service", UNIT)
        lab.shell("chown --recursive ann: /home/ann; loginctl enable-linger ann")
        until(lambda: as_ann(lab, "systemctl", "--user", "is-system-running").stdout.strip() == "running", "no session")
        started = as_ann(lab, "systemctl", "--user", "start", "docker")
        assert started.returncode == 0, lab.run("journalctl", "--no-pager", "--lines=40").stdout
        until(lambda: answers(lab), "the user's dockerd does not answer")
        yield lab


def test_bootstrap_and_the_way_back() -> None:
    with rootless() as lab:
        before = his_own(lab)
        document = json.loads(done(lab, "--json", *BOOTSTRAP))["data"]
        assert (document["style"], document["restarted"]) == ("json", True)
        after = his_own(lab)
        assert {node[1] for path, node in after.items() if path not in before} == {UID}  # type: ignore[index] # a node is a list
        assert answers(lab)
        done(lab, "check")
        rows = json.loads(done(lab, "--json", "status"))["data"]["certificates"]
        copies = {copy["place"]: copy["state"] for row in rows for copy in row["copies"]}
        assert (copies[str(FOLDER)], copies["tcp://127.0.0.1:2376"]) == ("current", "current")
        assert "nothing to do" in done(lab, "bootstrap", "--check")
        assert his_own(lab) == after
        assert lab.run("docker", "--host", "unix:///run/docker.sock", "version").returncode != 0, "it was not touched"

        done(lab, "undo", "--yes")
        assert his_own(lab) == before
        assert answers(lab)
        assert lab.run("curl", "--insecure", "https://127.0.0.1:2376/").returncode == 7  # nobody listens


def test_his_own_dockerd_is_audited_and_hardened() -> None:
    with rootless() as lab:
        done(lab, *BOOTSTRAP)
        ran = as_ann(lab, *PROGRAM, "--json", "audit")
        assert ran.returncode == 1, ran
        found = {one["id"]: one for one in json.loads(ran.stdout)["data"]["results"]}
        verdicts = {id_: one["verdict"] for id_, one in found.items()}
        wanted = (
            "CFG-01",
            "DMN-01",
            "NET-01",
            "NET-03",
            "NET-04",
            "NET-07",
            "TLS-02",
            "TLS-09",
            "CLI-01",
            "FS-05",
            "FS-06",
        )
        assert {id_: verdicts[id_] for id_ in wanted} == dict.fromkeys(wanted, "passed"), json.dumps(
            [found[id_] for id_ in wanted if verdicts[id_] != "passed"], indent=1
        )
        assert (verdicts["DMN-09"], verdicts["DMN-16"]) == ("not-applicable", "not-applicable")
        before = his_own(lab)
        done(lab, "harden", "--yes")
        assert answers(lab)
        assert "nothing to do" in done(lab, "harden", "--yes")
        done(lab, "undo", "--yes")
        assert his_own(lab) == before


def test_a_timer_of_his_own_renews_under_his_own_systemd() -> None:
    with rootless() as lab:
        done(lab, *BOOTSTRAP)
        before = his_own(lab)
        assert as_ann(lab, "systemctl", "--user", "set-environment", f"PYTHONPATH={REPOSITORY}").returncode == 0
        done(lab, "timer", "install", "--yes")
        unit = lab.path(f"{UNITS}/dockertls-renew.service").read_text()
        assert "NoNewPrivileges=yes" in unit
        assert "CapabilityBoundingSet" not in unit
        started = as_ann(lab, "systemctl", "--user", "start", "dockertls-renew.service")
        assert started.returncode == 0, lab.run("journalctl", "--no-pager", "--lines=20").stdout
        seen = json.loads(done(lab, "--json", "timer", "status"))["data"]
        assert (seen["active"], seen["result"], seen["passphrase"]) == (True, "success", None)
        assert "nothing to do" in as_ann(lab, *PROGRAM, "timer", "install", "--yes").stderr
        done(lab, "timer", "remove", "--yes")
        left = f"{UNITS}/timers.target.wants"
        assert his_own(lab) == before
        assert not lab.path(left).exists()
        assert as_ann(lab, "systemctl", "--user", "cat", "dockertls-renew.timer").returncode == 1


def test_a_port_that_is_taken_takes_everything_back() -> None:
    with rootless() as lab:
        before = his_own(lab)
        lab.output("systemd-run", "--unit=taken", sys.executable, "-m", "http.server", "2376", "--directory", "/opt")
        until(lambda: lab.run("curl", "--silent", "http://127.0.0.1:2376/").returncode == 0, "nobody took the port")
        ran = as_ann(lab, *PROGRAM, *BOOTSTRAP)
        assert ran.returncode == 5, ran
        assert his_own(lab) == before
        until(lambda: answers(lab), "the old daemon does not run again")
