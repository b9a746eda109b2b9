"""Style socket fails closed: from whatever state dockerd is started, there or half-way, plain TCP never answers."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.lab import JOURNALS, KILLED, PROGRAM, host, until
from tests.e2e.shapes import BOOTSTRAP, DEFAULT, JSON, NAME, SHAPES, answers, command_line, prepared, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.documents.json_file import Json
    from tests.e2e.lab import Lab

pytestmark = pytest.mark.needs("nspawn", "dockerd", "docker", "curl")

CONFIGURE = ("daemon", "configure", "--server", NAME, "--style", "socket", "--yes")
UNDO = ("undo", "--yes")

DYING = """
import os, signal, sys
from dockertls.cli.app import run
from dockertls.host import LocalHost

left = int(sys.argv[1])

def dying(real):
    def step(self, *arguments, **named):
        global left
        if arguments and getattr(arguments[0], "argv", ("systemctl",))[0] == "systemctl":
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return real(self, *arguments, **named)
    return step

for name in ("rename", "remove", "run"):
    setattr(LocalHost, name, dying(getattr(LocalHost, name)))
run(sys.argv[2:])
print(int(sys.argv[1]) - left)
"""
"""A run that kills itself before a step, which is a node that gets or loses its name or a command; or else counts."""

STARTS = {
    "it crashes, and systemd restarts it": "systemctl kill --kill-who=main --signal=KILL docker.service || true",
    "it is restarted": "systemctl restart docker.service || true",
    "units are read anew": "systemctl daemon-reload; systemctl restart docker.service || true",
    "the socket is restarted": "systemctl restart docker.socket docker.service || true",
}
"""How dockerd comes to be started from a state, one after the other."""

REWRITTEN: tuple[dict[str, Json], ...] = (
    {},
    {"tls": False},
    {"tlsverify": False},
    {"tls": True},
    {"tlscacert": "/etc/docker/other.pem"},
    {"hosts": ["fd://"]},
    {"hosts": ["tcp://0.0.0.0:2376"]},
    {"foo": {"tlsverify": False}},
    {"foo": {"tls": False}},
)
"""What something else may make of daemon.json."""


def steps(lab: Lab, at: int, *words: str) -> int:
    """Run a command that dies before a step; or else tell how many it has."""
    done = lab.run(sys.executable, "-c", DYING, str(at), *words)
    return KILLED if done.returncode else int(done.stdout.splitlines()[-1])


def is_settled(lab: Lab) -> bool:
    state = lab.run("systemctl", "is-active", "docker.service").stdout.strip()
    return state in {"active", "inactive", "failed"}


def assert_closed(lab: Lab, when: str) -> None:
    """Nobody gets an answer of the API over plain TCP."""
    until(lambda: is_settled(lab), "dockerd neither runs nor failed")
    plain = lab.run("curl", "--silent", "--max-time", "3", "http://127.0.0.1:2376/version")
    assert "ApiVersion" not in plain.stdout, when


def assert_closed_however_started(lab: Lab, when: str) -> None:
    for how, script in STARTS.items():
        lab.shell(f"systemctl reset-failed docker.service docker.socket; {script}")
        assert_closed(lab, f"{when}: {how}")


@pytest.fixture(scope="module", params=["debian", "docker-ce"])
def stocked(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A host with certificates in the store and its daemon as packaged; every test leaves it so."""
    with host("sigma", SHAPES[request.param].laid_out) as lab:
        prepared(lab).output(*PROGRAM, "ca", "init", "--no-passphrase", "--yes")
        lab.output(*PROGRAM, "server", "issue", NAME, "--san", "127.0.0.1", "--yes")
        lab.output(*PROGRAM, "client", "issue", "client", "--yes")
        yield lab


def some(total: int, every: int) -> range:
    """Steps to die at: all of them, or some; there are few, and each takes seconds."""
    return range(total)[:: max(1, every // 3)]


def test_killed_before_any_step_it_is_closed_and_the_next_run_goes_on(stocked: Lab, every: int) -> None:
    before, packaged = snapshot(stocked), command_line(stocked)
    total = steps(stocked, 1000, *CONFIGURE)
    assert total > len(STARTS), "there are steps to die at"
    after = snapshot(stocked)
    back = steps(stocked, 1000, *UNDO)
    assert snapshot(stocked) == before
    for at in some(total, every):
        assert steps(stocked, at, *CONFIGURE) == KILLED
        assert_closed_however_started(stocked, f"configure, killed before step {at} of {total}")
        stocked.output(*PROGRAM, *CONFIGURE)
        assert snapshot(stocked) == after
        assert answers(stocked)
        stocked.output(*PROGRAM, *UNDO)
    for at in some(back, every):
        stocked.output(*PROGRAM, *CONFIGURE)
        assert steps(stocked, at, *UNDO) == KILLED
        assert_closed_however_started(stocked, f"undo, killed before step {at} of {back}")
        begun = any(stocked.path(journal).exists() for journal in JOURNALS)
        done = stocked.dockertls("daemon", "configure", "--server", NAME, "--check")
        assert done.returncode == (4 if begun else 0), done
        stocked.output(*PROGRAM, *UNDO)
        assert (snapshot(stocked), command_line(stocked)) == (before, packaged)
        assert answers(stocked)


def test_it_is_closed_whatever_rewrites_the_files(stocked: Lab) -> None:
    before = snapshot(stocked)
    stocked.output(*PROGRAM, *CONFIGURE)
    secured = snapshot(stocked)
    for settings in REWRITTEN:
        stocked.write(JSON, json.dumps(settings))
        assert_closed_however_started(stocked, f"daemon.json is {settings}")
    stocked.path(JSON).unlink()
    _with_other_units(stocked)
    if DEFAULT in {path for path in secured if before.get(path) != secured[path]}:
        _without_the_flags(stocked)
    stocked.shell("systemctl reset-failed docker.service docker.socket; systemctl restart docker.socket docker.service")
    assert snapshot(stocked) == secured
    assert answers(stocked)
    stocked.output(*PROGRAM, *UNDO)


OVERRIDE = "/etc/systemd/system/docker.service.d/zzz-override.conf"
SERVICES = "/etc/systemd/system/docker.service*"
FOLDER = "/etc/systemd/system/docker.service.d"


def _with_other_units(lab: Lab) -> None:
    """The command line as `systemctl edit` may leave it, and units as `systemctl revert` does: nothing starts then."""
    lab.write(OVERRIDE, "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd://\n")
    assert_closed_however_started(lab, "ExecStart is somebody's own")
    assert not answers(lab)
    lab.shell(f"rm {OVERRIDE}; rmdir --ignore-fail-on-non-empty {FOLDER}")
    lab.shell(f"rm -rf /opt/kept; mkdir /opt/kept; cp -a {SERVICES} /opt/kept || true")
    lab.shell(f"systemctl revert docker.service; rm -rf {FOLDER}")
    assert_closed_however_started(lab, "units are reverted")
    lab.shell("cp -a /opt/kept/. /etc/systemd/system; systemctl daemon-reload")


def _without_the_flags(lab: Lab) -> None:
    """The environment file as a package's upgrade may leave it: dockerd does not start, and its log says why."""
    text = lab.path(DEFAULT).read_text()
    for other in ('DOCKER_OPTS=""\n', "", text.replace("--tlsverify", "--tlsverify=false"), None):
        lab.path(DEFAULT).unlink() if other is None else lab.path(DEFAULT).write_text(other)
        assert_closed_however_started(lab, f"{DEFAULT} is {other}")
        assert not answers(lab)
    assert "lacks --tlsverify" in lab.output("journalctl", "--output", "cat")
    lab.write(DEFAULT, text)


def test_tls_is_not_taken_away_while_systemd_would_go_on_listening(stocked: Lab) -> None:
    stocked.output(*PROGRAM, *CONFIGURE)
    secured, main_pid = snapshot(stocked), stocked.main_pid()
    done = stocked.dockertls(*UNDO, "--restart", "never")
    assert done.returncode == 4
    assert "systemd would go on listening" in done.stderr
    assert (snapshot(stocked), stocked.main_pid()) == (secured, main_pid)
    stocked.output(*PROGRAM, *UNDO)


def test_bootstrap_is_closed_too(stocked: Lab) -> None:
    stocked.output(*PROGRAM, *BOOTSTRAP, "--style", "socket")
    assert_closed_however_started(stocked, "after bootstrap")
    stocked.output(*PROGRAM, *UNDO)
