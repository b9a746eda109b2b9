"""What the audit says of hosts that really are so: a dockerd runs on each, and every verdict that is named is true."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.lab import PROGRAM, Lab, host

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.needs("dockerd", "nspawn", "busybox")]

PASSED, FAILED, WARNED, UNKNOWN, ABSENT = "passed", "failed", "warned", "unknown", "not-applicable"
SERVICE = "docker.service"
RESTART = "systemctl reset-failed docker.service docker.socket; systemctl restart docker.socket docker.service"
BOOTSTRAP = "bootstrap", "aud", "--no-passphrase", "--yes"
DAEMON = (
    "--data-root=/var/lib/docker/two --exec-root=/run/two --pidfile=/run/two.pid --bridge=none --iptables=false"
    " --storage-driver=vfs -H unix:///run/two.sock -H tcp://127.0.0.1:2375"
)


@dataclass(frozen=True)
class Scenario:
    """One host.

    Attributes:
        name: of it.
        script: what makes it so.
        verdicts: by check; of the dockerd that the host's files start, or of the host.
        secured: whether it is bootstrapped first.
        others: the same of another dockerd.
        user: who asks.
    """

    name: str
    script: str
    verdicts: Mapping[str, str]
    secured: bool = False
    others: Mapping[str, str] | None = None
    user: str = "root"


OVERRIDE = (
    "mkdir -p /etc/systemd/system/docker.service.d; printf '[Service]\nExecStart=\nExecStart=%s\n' '{}' "
    ">/etc/systemd/system/docker.service.d/own.conf; systemctl daemon-reload; "
)
FILES = "--tlscert /etc/docker/server-cert.pem --tlskey /etc/docker/server-key.pem"

SCENARIOS = (
    Scenario(
        "plain-by-flag",
        OVERRIDE.format("/usr/sbin/dockerd -H fd:// -H tcp://127.0.0.1:2375") + RESTART,
        {"NET-01": FAILED, "NET-03": ABSENT, "NET-09": PASSED, "NET-10": FAILED, "CFG-04": ABSENT, "DMN-07": FAILED},
    ),
    Scenario(
        "plain-by-a-json-of-several-lines",
        OVERRIDE.format("/usr/sbin/dockerd")
        + """printf '{\\n  "hosts": [\\n    "unix:///var/run/docker.sock",\\n    "tcp://0.0.0.0:2375"\\n  ]\\n}\\n' """
        ">/etc/docker/daemon.json; " + RESTART,
        {"NET-01": FAILED, "NET-02": PASSED, "NET-09": WARNED, "NET-10": FAILED, "CFG-04": PASSED, "CFG-05": PASSED},
    ),
    Scenario(
        "plain-by-socket-activation",
        "mkdir -p /etc/systemd/system/docker.socket.d; "
        "printf '[Socket]\\nListenStream=2375\\n' >/etc/systemd/system/docker.socket.d/port.conf; "
        "systemctl daemon-reload; systemctl stop docker.service docker.socket; " + RESTART,
        {"NET-01": FAILED, "NET-02": FAILED, "NET-10": FAILED},
    ),
    Scenario(
        "flags-that-are-false",
        OVERRIDE.format(
            "/usr/sbin/dockerd -H fd:// --live-restore=false --no-new-privileges=false --userns-remap= --icc=false"
            " --userland-proxy=0 --experimental=false"
        )
        + RESTART,
        {
            "DMN-02": PASSED, "DMN-09": WARNED, "DMN-14": FAILED, "DMN-15": FAILED, "DMN-16": PASSED, "DMN-18": PASSED,
            "NET-01": ABSENT, "NET-02": PASSED,
        },
    ),
    Scenario(
        "modes",
        "echo '{}' >/etc/docker/daemon.json; chmod 606 /etc/docker/daemon.json /run/docker.sock; chmod 722 /etc/docker",
        {"FS-02": FAILED, "FS-05": FAILED, "FS-06": FAILED, "FS-07": PASSED, "FS-01": PASSED, "FS-08": PASSED},
    ),
    Scenario(
        "secured",
        "true",
        {
            "NET-01": PASSED, "NET-02": PASSED, "NET-03": PASSED, "NET-04": PASSED, "NET-05": PASSED, "NET-07": PASSED,
            "NET-08": PASSED, "TLS-01": PASSED, "TLS-02": PASSED, "TLS-03": PASSED, "TLS-05": PASSED, "TLS-06": PASSED,
            "TLS-07": PASSED, "TLS-08": FAILED, "TLS-09": PASSED, "TLS-10": PASSED, "TLS-11": PASSED, "TLS-12": PASSED,
            "CLI-01": PASSED, "CLI-02": PASSED, "CFG-01": PASSED, "CFG-02": PASSED, "CFG-07": PASSED, "CFG-08": PASSED,
            "DMN-07": PASSED, "FS-05": PASSED,
        },
        secured=True,
    ),
    Scenario(
        "tls-flags-with-a-blank",
        "rm /etc/systemd/system/docker.socket.d/*; sed -i d /etc/default/docker; "
        + OVERRIDE.format(
            f"/usr/sbin/dockerd -H fd:// -H=tcp://0.0.0.0:2376 --tlsverify --tlscacert /etc/docker/ca.pem {FILES}"
        )
        + "systemctl stop docker.socket; " + RESTART,
        {"NET-01": PASSED, "NET-03": PASSED, "NET-04": PASSED, "TLS-02": PASSED, "TLS-03": PASSED, "TLS-07": PASSED},
        secured=True,
    ),
    Scenario(
        "verifying-without-an-authority",
        "rm /etc/systemd/system/docker.socket.d/*; sed -i d /etc/default/docker; "
        + OVERRIDE.format("/usr/sbin/dockerd")
        + """echo '{"hosts": ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2376"], "tlsverify": true,"""
        """ "tlscert": "/etc/docker/server-cert.pem", "tlskey": "/etc/docker/server-key.pem"}' """
        ">/etc/docker/daemon.json; "
        "systemctl stop docker.socket; " + RESTART,
        {"NET-01": PASSED, "NET-03": PASSED, "NET-07": FAILED, "TLS-07": FAILED, "DMN-07": FAILED},
        secured=True,
    ),
    Scenario(
        "an-environment-file-that-nobody-reads",
        "mkdir -p /etc/sysconfig; echo 'OPTIONS=\"--icc=false --live-restore\"' >/etc/sysconfig/docker",
        {"CFG-06": FAILED, "DMN-02": FAILED, "DMN-15": FAILED},
    ),
    Scenario(
        "served-older-than-the-file",
        "dockertls renew --all --new-key --restart never --yes",
        {"NET-08": FAILED, "CFG-07": WARNED, "TLS-02": PASSED, "NET-01": PASSED},
        secured=True,
    ),
    Scenario(
        "two-dockerds",
        f"echo '{{}}' >/etc/two.json; (setsid /usr/sbin/dockerd --config-file=/etc/two.json {DAEMON} >/var/log/two"
        " 2>&1 &); for one in $(seq 100); do docker -H unix:///run/two.sock version >/dev/null 2>&1 && break;"
        " sleep 0.1; done",
        {"NET-01": FAILED, "NET-02": PASSED, "NET-03": PASSED, "CFG-01": PASSED, "DMN-02": FAILED},
        secured=True,  # that port 2375 is open is told of either
        others={"NET-01": FAILED, "DMN-02": ABSENT, "DMN-15": FAILED, "CFG-02": ABSENT},
    ),
    Scenario(
        "stopped",
        "systemctl stop docker.service docker.socket",
        {"NET-01": UNKNOWN, "NET-02": PASSED, "TLS-02": PASSED, "TLS-09": PASSED, "DMN-15": FAILED, "CFG-08": ABSENT,
         "CFG-01": ABSENT},
        secured=True,
    ),
    Scenario(
        "an-ordinary-user",
        "useradd -m ann; chmod 700 /etc/docker/tls",
        {"NET-04": UNKNOWN, "NET-07": UNKNOWN, "TLS-02": UNKNOWN, "TLS-09": UNKNOWN, "AUD-09": ABSENT, "FS-05": PASSED,
         "FS-01": PASSED, "DMN-19": UNKNOWN, "CFG-08": UNKNOWN, "CFG-02": PASSED},
        secured=True,
        user="ann",
    ),
    Scenario(
        "an-ordinary-user-from-whom-processes-are-hidden",
        "useradd -m ann; mount -o remount,hidepid=2 /proc",
        {"CFG-01": UNKNOWN, "CFG-07": UNKNOWN, "CFG-10": UNKNOWN, "DMN-03": UNKNOWN, "NET-01": UNKNOWN,
         "NET-10": UNKNOWN, "NET-13": UNKNOWN, "CFG-02": PASSED, "FS-01": PASSED},
        secured=True,
        user="ann",
    ),
    Scenario(
        "without-docker",
        "systemctl stop docker.service docker.socket; rm -rf /etc/docker /usr/sbin/dockerd"
        " /usr/lib/systemd/system/docker.* /lib/systemd/system/docker.* /etc/init.d/docker /etc/default/docker;"
        " systemctl daemon-reload",
        {"NET-01": ABSENT, "DMN-02": ABSENT, "FS-01": ABSENT, "CFG-02": ABSENT, "TLS-01": ABSENT},
    ),
)  # fmt: skip


def audited(lab: Lab, *words: str, user: str = "root") -> dict[str, dict[str, dict[str, Any]]]:
    """What is said, by dockerd and check; of the host as a whole under SERVICE, too."""
    prefix = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
    home = "/root" if user == "root" else f"/home/{user}"
    ran = lab.run(*prefix, *PROGRAM, "--json", "audit", *words, environment={"HOME": home})
    assert ran.returncode in {0, 1}, ran.stderr
    assert "Traceback" not in ran.stderr
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in json.loads(ran.stdout)["data"]["results"]:
        found.setdefault(one["daemon"] or SERVICE, {})[one["id"]] = one
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_the_verdicts_are_true(scenario: Scenario) -> None:
    with host("aud") as lab:
        if scenario.secured:
            lab.output(*PROGRAM, *BOOTSTRAP)
        lab.shell(f"PATH=$PATH:{PROGRAM[0].rpartition('/')[0]}; {scenario.script}")
        found = audited(lab, user=scenario.user)
        own = found.pop(SERVICE)
        wrong = {id_: own[id_] for id_, verdict in scenario.verdicts.items() if own[id_]["verdict"] != verdict}
        assert not wrong, json.dumps(wrong, indent=1)
        assert bool(found) is (scenario.others is not None)
        for other in found.values():
            told = {id_: other[id_]["verdict"] for id_ in scenario.others or {}}
            assert told == scenario.others, json.dumps(other, indent=1)
