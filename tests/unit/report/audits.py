"""Audits to report on: one as they are, and one of a host that means ill to who reads of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from dockertls.findings import (
    Evidence,
    Failed,
    Finding,
    NotApplicable,
    Passed,
    Severity,
    Unknown,
    Verdict,
    Warned,
)
from dockertls.report.audited import Audit, Result, Waiver

TAKEN = datetime(2026, 11, 26, 18, 4, 5, tzinfo=UTC)
UNTIL = date(2027, 3, 31)
NET, FILES, RUNS = "Who can reach the daemon", "Files and sockets", "How dockerd runs containers"
CONFIG = "/etc/docker/daemon.json"
UNIT = "/lib/systemd/system/docker.service"

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">&lt;b&#62;]]>-->",
    "\x1b[31mred\x1b]0;owned\x07 \x9b2J \x7f\x00\x08\x0b\x0c\x1f\ufffe\uffff\ud800\u202eevil\u2066 \u2028\u2029\r\n",
    "| a || b \\| `code` ``two`` **bold** _it_ [link](javascript:alert(1)) ![i](http://e.example/i) <b> # h\n\n# h",
    "https://evil.example/x www.evil.example ann@evil.example @everyone $x$ ~~gone~~ 1. one\n- two",
    '"; DROP \' & < > \\" \\u001b {{x}} ${x} %s %(x)s {0}',
)
ODD = " ".join(HOSTILE)


def result(name: str, verdict: Verdict, severity: Severity = Severity.HIGH, area: str = NET, **more: object) -> Result:
    """A result, of docker.service if nothing else is said."""
    finding = Finding(name, f"{name} holds", severity, verdict)
    return replace(Result(finding, area, "docker.service"), **more)  # type: ignore[arg-type]


def failed(*evidence: Evidence, cause: str = "it does not hold", remedy: str = "mend it") -> Failed:
    return Failed(evidence, cause, remedy)


def audit(*results: Result, **more: object) -> Audit:
    """An audit of web1 that found these."""
    return replace(Audit("web1.example.org", TAKEN, results, "0.1.0"), **more)  # type: ignore[arg-type]


OPEN_PORT = result(
    "NET-01",
    failed(
        Evidence("arguments", "process 812", "tcp://0.0.0.0:2375", "no tcp:// without tlsverify"),
        Evidence("unit", f"{UNIT}:13 ExecStart", "-H tcp://0.0.0.0:2375", "no tcp:// without tlsverify"),
        cause="anybody who reaches port 2375 is root on this host",
        remedy="secure it: dockertls bootstrap",
    ),
    Severity.CRITICAL,
    references={"CIS 1.6/1.7": "2.7", "CIS 1.8": "2.8", "STIG": "V-235818"},
)
BRIDGE = result(
    "DMN-02",
    failed(
        Evidence("API", "/networks/bridge enable_icc", "true", "false"),
        Evidence("daemon.json", f"{CONFIG}:3", "true", "false"),
        cause="containers on the default bridge reach each other on every port",
        remedy="set it: dockertls daemon configure --set icc=false",
    ),
    Severity.MEDIUM,
    RUNS,
    references={"CIS 1.8": "2.2"},
)
LOGS = result(
    "DMN-13",
    Warned(
        (Evidence("daemon.json", f"{CONFIG}:7", '"json-file"', "a driver that ships, or local"),),
        "json-file keeps all that containers say, until the disk is full",
        "set log-driver=local, or log-opts max-size and max-file",
    ),
    Severity.MEDIUM,
    RUNS,
)
SOCKET = result(
    "FS-03",
    failed(Evidence("file", "/run/docker.sock", "0666", "0660"), cause="everybody may use the socket"),
    Severity.CRITICAL,
    FILES,
    daemon="",
    waiver=Waiver("a lab that goes away", UNTIL),
)
PRIVILEGES = result(
    "DMN-14",
    failed(
        Evidence("default", "dockerd", "not set", "true"),
        cause="a program in a container may gain rights by setuid",
        remedy="set it: dockertls daemon configure --set no-new-privileges=true",
    ),
    Severity.MEDIUM,
    RUNS,
    known=True,
    before="failed",
)
CONFINED = result(
    "DMN-19", Unknown("whether SELinux or AppArmor confines containers: the API was not asked"), area=RUNS
)
DRIVER = result("DMN-06", NotApplicable("Docker 25.0 and newer know neither aufs nor devicemapper"), area=RUNS)
RESTORE = result(
    "DMN-15", Passed((Evidence("API", "/info LiveRestoreEnabled", "true", "true"),)), Severity.MEDIUM, RUNS
)
KEYS = result("FS-01", Passed((Evidence("file", "/etc/docker/tls", "0700 root", "0700 root"),)), area=FILES, daemon="")
REGISTRIES = result("DMN-05", Passed((Evidence("default", "dockerd", "not set", "none"),)), area=RUNS)
PORT = result("NET-02", Passed(), Severity.LOW)

ALL = (OPEN_PORT, PORT, KEYS, SOCKET, BRIDGE, REGISTRIES, DRIVER, LOGS, PRIVILEGES, RESTORE, CONFINED)
USUAL = audit(*ALL, baseline="before.json")


def hostile() -> Audit:
    """Everything that a host, a policy or a baseline can put into a report is meant to break it."""
    evidence = tuple(Evidence(one, f"/etc/{one}:7 {one}", one, one) for one in HOSTILE)
    verdicts: tuple[Verdict, ...] = (
        Failed(evidence, ODD, ODD),
        Warned(evidence, ODD, ODD),
        Unknown(ODD),
        NotApplicable(ODD),
        Passed(evidence),
    )
    results = tuple(
        Result(Finding(f"NET-0{number}", ODD, Severity.HIGH, verdict), ODD, ODD, {ODD: ODD})
        for number, verdict in enumerate(verdicts)
    )
    waived = replace(results[0], waiver=Waiver(ODD, UNTIL))
    known = replace(results[0], known=True, before="failed")
    return audit(*results, waived, known, host=ODD, release=ODD, baseline=ODD)
