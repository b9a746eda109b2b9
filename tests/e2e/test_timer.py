"""Renewals that nobody watches: on file trees of hosts with systemd and with cron, and on real hosts."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from dockertls.documents.unit_file import UnitFile, command_line
from dockertls.pki.keys import load_certificates
from dockertls.timer.plans import SYSTEM
from tests.e2e.lab import PROGRAM, REPOSITORY, Lab, host
from tests.e2e.program import Place, Ran
from tests.e2e.shapes import BOOTSTRAP, NAME, PHRASE, answers, snapshot
from tests.e2e.terminal import in_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNITS = "etc/systemd/system"
SERVICE, TIMER = f"{UNITS}/dockertls-renew.service", f"{UNITS}/dockertls-renew.timer"
LINK = f"{UNITS}/timers.target.wants/dockertls-renew.timer"
SYSTEMD = "usr/lib/systemd/systemd"
CREDENTIAL = "/etc/credstore.encrypted/dockertls-passphrase"
SECRET = "correct horse battery staple"  # noqa: S105 - of an authority that is gone with its test
BAD_PLACE = "renewals cannot be set up"


# file trees


@pytest.fixture
def tree(fresh: Place) -> Place:
    """A host with systemd, and an authority whose key is not encrypted."""
    fresh.put(SYSTEMD, "")
    (fresh.root / UNITS).mkdir(parents=True)
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    return fresh


def told(ran: Ran) -> str:
    """All that a run said."""
    return ran.out + ran.err


def test_a_tree_gets_what_its_systemd_will_follow(tree: Place) -> None:
    before = tree.untouched
    document = tree.run("--json", "timer", "install", "--check")
    assert (document.code, len(document.document["data"]["changes"])) == (1, 4)
    assert tree.run("timer", "install").code == 4
    assert tree.untouched == before
    ran = tree.done("timer", "install", "--yes")
    assert "not run, this is a file tree: systemctl restart dockertls-renew.timer" in ran.err
    assert f"the file tree lacks {sys.executable}" in ran.err
    assert str((tree.root / LINK).readlink()) == f"/{TIMER}"
    words = command_line(_value(tree, SERVICE, "ExecStart")).words
    assert words[words.index("dockertls") + 1 :] == ("--store", "/etc/dockertls", "renew", "--yes", "--restart", "safe")
    after = tree.untouched
    assert "nothing to do" in tree.done("timer", "install", "--yes").err
    assert tree.untouched == after
    tree.done("timer", "remove", "--yes")
    assert tree.untouched == before
    assert "nothing to do" in tree.done("timer", "remove", "--yes").err


def _value(place: Place, path: str, key: str) -> str:
    unit = UnitFile.decode((place.root / path).read_bytes(), path)
    (found,) = [one.value for one in unit.assignments if one.key == key]
    return found


def test_undo_takes_a_timer_away_and_brings_it_back(tree: Place) -> None:
    before = tree.untouched
    tree.done("timer", "install", "--yes")
    after = tree.untouched
    tree.done("undo", "--yes", "--restart", "never")
    assert tree.untouched == before
    tree.done("timer", "install", "--yes")
    tree.done("timer", "remove", "--yes")
    tree.done("undo", "--yes")
    assert tree.untouched == after


def test_bootstrap_sets_the_timer_up_and_undo_takes_both_away(fresh: Place) -> None:
    fresh.put(SYSTEMD, "")
    before = {path: node for path, node in fresh.untouched.items() if not path.startswith("etc/dockertls")}
    words = ("bootstrap", "web1", "--no-passphrase", "--timer")
    assert "dockertls-renew.timer" in fresh.done(*words, "--dry-run").out
    document = fresh.done("--json", *words, "--yes").document["data"]
    assert document["renewals"] == f"every day, by /{TIMER}"
    assert (fresh.root / SERVICE).exists()
    assert "nothing to do" in fresh.done(*words, "--yes").err
    fresh.done("undo", "--yes")
    after = {path: node for path, node in fresh.untouched.items() if not path.startswith("etc/dockertls")}
    assert after == before


@pytest.mark.needs("root")
def test_a_passphrase_file_is_named_where_systemd_can_keep_no_secret(fresh: Place) -> None:
    fresh.put(SYSTEMD, "")
    secret = fresh.put("root/passphrase", f"{SECRET}\n")
    secret.chmod(0o600)
    fresh.done("ca", "init", "--passphrase-file", secret, "--yes")
    ran = fresh.run("timer", "install", "--yes")
    assert ran.code == 4
    assert "no credential can be made for a file tree" in ran.err
    assert "--passphrase-file" in ran.err
    assert "systemd 250" in ran.err
    fresh.done("timer", "install", "--passphrase-file", "/root/passphrase", "--yes")
    assert command_line(_value(fresh, SERVICE, "ExecStart")).words[-2:] == ("--passphrase-file", "/root/passphrase")
    assert SECRET not in json.dumps([str(node) for node in fresh.untouched.items() if "root/pass" not in node[0]])
    for mode, content, complaint in (
        (0o640, SECRET, "is not root's alone"),
        (0o600, "another", "does not open the authority's key"),
    ):
        secret.write_text(content)
        secret.chmod(mode)
        ran = fresh.run("timer", "install", "--passphrase-file", "/root/passphrase", "--yes")
        assert (ran.code, complaint in ran.err) == (4, True), ran
        assert content not in told(ran)


def test_every_fault_is_told_at_once(tree: Place) -> None:
    tree.put(f"{SERVICE}/x", "")
    ran = tree.run("--json", "timer", "install", "--deploy-hook", "/tmp/hook", "--deploy-hook", "/srv/none", "--yes")  # noqa: S108 - to be refused
    error = ran.document["error"]
    assert (ran.code, BAD_PLACE in error["message"]) == (4, True)
    faults = [fault["message"] for fault in error["faults"]]
    assert [word for fault in faults for word in ("stays", "not there", "is no file") if word in fault] == [
        "stays", "not there", "is no file"
    ]  # fmt: skip


def test_a_store_beside_the_tree_and_no_authority_are_refused(fresh: Place, tmp_path: Path) -> None:
    fresh.put(SYSTEMD, "")
    ran = fresh.run("timer", "install", "--yes")
    assert (ran.code, "bootstrap" in ran.err) == (4, True)
    named = Place(fresh.root, ("--store", str(tmp_path / "store")))
    named.done("ca", "init", "--no-passphrase", "--yes")
    ran = named.run("timer", "install", "--yes")
    assert (ran.code, "does not lie in the file tree" in ran.err) == (4, True)


def test_without_systemd_and_cron_the_line_to_run_is_told(fresh: Place) -> None:
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    ran = fresh.run("timer", "install", "--yes")
    assert (ran.code, "dockertls --store /etc/dockertls renew --yes" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("folder", "file", "mode"),
    [("etc/cron.d", "etc/cron.d/dockertls", 0o644), ("etc/periodic/daily", "etc/periodic/daily/dockertls", 0o755)],
)
def test_cron_runs_it_where_there_is_no_systemd(fresh: Place, folder: str, file: str, mode: int) -> None:
    (fresh.root / folder).mkdir(parents=True)
    fresh.put("etc/hostname", "web1\n")
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    before = fresh.untouched
    fresh.done("timer", "install", "--yes")
    assert (fresh.root / file).stat().st_mode & 0o777 == mode
    status = fresh.run("--json", "timer", "status").document["data"]
    assert status["command"][-4:] == ["renew", "--yes", "--restart", "safe"]
    assert status["files"] == [f"/{file}"]
    assert status["when"].startswith("every day")
    assert "nothing to do" in fresh.done("timer", "install", "--yes").err
    fresh.done("timer", "remove", "--yes")
    assert fresh.untouched == before


def test_the_time_of_a_schedule_that_somebody_changed_is_not_claimed(fresh: Place) -> None:
    (fresh.root / "etc/cron.d").mkdir(parents=True)
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    fresh.done("timer", "install", "--yes")
    file = fresh.root / "etc/cron.d/dockertls"
    *head, line = file.read_text().splitlines()
    file.write_text("\n".join((*head, f"* * * * * {line.split(maxsplit=5)[-1]}\n")))
    status = fresh.run("--json", "timer", "status").document["data"]
    assert status["when"] == "when /etc/cron.d/dockertls says: somebody changed it"
    assert status["command"][-4:] == ["renew", "--yes", "--restart", "safe"]


def test_a_script_of_cron_is_one_that_sh_runs(fresh: Place) -> None:
    """What it runs is this program, here: it finds nothing due, and says nothing."""
    (fresh.root / "etc/periodic/daily").mkdir(parents=True)
    fresh.done("ca", "init", "--no-passphrase", "--yes")
    fresh.done("timer", "install", "--yes")
    script = fresh.root / "etc/periodic/daily/dockertls"
    environment = {"DOCKERTLS_ROOT": str(fresh.root), "PYTHONPATH": str(REPOSITORY), "HOME": "/nonexistent"}
    store = shlex.quote(str(fresh.store))
    script.write_text(script.read_text().replace("/etc/dockertls", store))
    done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done


def test_status_of_what_is_not_set_up(fresh: Place) -> None:
    ran = fresh.run("--json", "timer", "status")
    assert (ran.code, ran.document["data"]["installed"]) == (1, False)


# real hosts

PAST = f"""
from dataclasses import replace
from datetime import timedelta
from dockertls.cli.console import Console
from dockertls.cli.options import ChangeOptions, KeyOptions, PassphraseOptions
from dockertls.cli.preparing import Style, Wish, prepare
from dockertls.cli.decided import Restart
from dockertls.cli.restarting import change_daemon
from dockertls.cli.session import Session
from dockertls.cli.signing import Signer

session = Session.begin(Console(), store=None, root=None)
session = replace(session, started=session.started - timedelta(days=350))
change = ChangeOptions(yes=True)
signer = Signer(session, KeyOptions(), PassphraseOptions(passphrase_file="{PHRASE}"), change)
wish = Wish(("{NAME}",), "client", 2376, (), Style.AUTO, replace=False)
user = session.user()
folder = session.docker_dir(None, user)
change_daemon(session, lambda: prepare(session, wish, signer, user, folder), change, Restart.SAFE)
"""
"""A host that was made safe almost a year ago."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with host("alpha") as up:
        ready(up)
        yield up


def ready(lab: Lab) -> None:
    """Make a host safe as it would have been a year ago; what its systemd runs is the program that is tested."""
    lab.write(PHRASE, f"{SECRET}\n", 0o600)
    lab.output("systemctl", "set-environment", f"PYTHONPATH={REPOSITORY}")
    lab.image()
    lab.output(sys.executable, "-c", PAST)


def journal(lab: Lab) -> str:
    return lab.output("journalctl", "-u", "dockertls-renew", "--no-pager")


def status(lab: Lab) -> dict[str, Any]:
    ran = lab.dockertls("--json", "timer", "status")
    document: dict[str, Any] = json.loads(ran.stdout)
    assert document["ok"] is (ran.returncode == 0)
    return dict(document["data"])


def served(lab: Lab) -> int:
    """The serial number of what dockerd serves."""
    return load_certificates(lab.path("/etc/docker/tls").joinpath("current/server-cert.pem").read_bytes())[
        0
    ].serial_number


INSTALL = ("timer", "install", "--passphrase-file", PHRASE, "--yes")
real = pytest.mark.needs("nspawn", "dockerd", "docker")


@real
def test_it_is_set_up_shown_taken_back_and_removed(lab: Lab) -> None:
    before = snapshot(lab)
    asked = lab.dockertls("timer", "install", "--yes")
    assert (asked.returncode, "nobody to ask" in asked.stderr) == (4, True)
    assert snapshot(lab) == before
    lab.output(*PROGRAM, *INSTALL)
    assert lab.output("systemd-analyze", "verify", "dockertls-renew.timer") == ""
    assert lab.output("systemctl", "is-enabled", "dockertls-renew.timer") == "enabled"
    assert lab.output("systemctl", "is-active", "dockertls-renew.timer") == "active"
    assert lab.output("systemd-creds", "decrypt", CREDENTIAL, "-") == SECRET
    after = snapshot(lab)
    again = lab.dockertls("timer", "install", "--yes")
    assert (again.returncode, "nothing to do" in again.stderr) == (0, True)
    assert snapshot(lab) == after
    seen = status(lab)
    assert (seen["active"], seen["result"], seen["passphrase"], seen["passphrase_opens"]) == (
        True, "never", CREDENTIAL, True
    )  # fmt: skip
    assert seen["next"]
    lab.output(*PROGRAM, "undo", "--yes")
    assert snapshot(lab) == before
    assert lab.run("systemctl", "is-active", "dockertls-renew.timer").stdout.strip() == "inactive"
    lab.output(*PROGRAM, *INSTALL)
    lab.output(*PROGRAM, "timer", "remove", "--yes")
    assert snapshot(lab) == before
    assert lab.run("systemctl", "cat", "dockertls-renew.timer").returncode == 1


@real
def test_a_timer_that_was_stopped_or_edited_is_put_right(lab: Lab) -> None:
    lab.output(*PROGRAM, *INSTALL)
    after = snapshot(lab)
    lab.output("systemctl", "stop", "dockertls-renew.timer")
    assert status(lab)["active"] is False
    lab.output(*PROGRAM, "timer", "install", "--yes")
    assert status(lab)["active"] is True
    for break_it in (f"echo x=y >>/{SERVICE}", f"rm /{LINK}", f"sed -i s/daily/weekly/ /{TIMER}"):
        lab.shell(f"{break_it} && systemctl daemon-reload")
        lab.output(*PROGRAM, "timer", "install", "--yes")
        assert (snapshot(lab), status(lab)["active"]) == (after, True)
    lab.shell(f"printf broken >{CREDENTIAL}")
    assert status(lab)["passphrase_opens"] is False
    lab.output(*PROGRAM, *INSTALL)
    assert status(lab)["passphrase_opens"] is True
    lab.output(*PROGRAM, "timer", "remove", "--yes")


@real
def test_the_sandbox_lets_a_harmless_command_run_and_is_rated_well(lab: Lab) -> None:
    lab.output(*PROGRAM, *INSTALL)
    script = "id -u; test -w /etc; test ! -w /usr; test -w /usr/local/lib/systemd; test -s $CREDENTIALS_DIRECTORY/*"
    unit = SYSTEM.units.service_text(("/bin/sh", "-euc", script), credential=True)
    assert "$$CREDENTIALS_DIRECTORY" in unit
    lab.write("/etc/systemd/system/harmless.service", unit)
    lab.output("systemctl", "start", "harmless")
    rating = lab.output("systemd-analyze", "security", "--no-pager", "dockertls-renew.service").splitlines()[-1]
    assert "OK" in rating
    assert lab.output("systemd-analyze", "security", "--threshold=30", "--no-pager", "dockertls-renew.service")
    lab.output(*PROGRAM, "timer", "remove", "--yes")


@real
def test_what_is_due_is_renewed_deployed_and_proven_in_the_sandbox(lab: Lab) -> None:
    lab.write("/opt/lab/hook", '#!/bin/sh\nprintf %s "$DOCKERTLS_NAMES" >/var/lib/told\n', 0o755)
    lab.output(*PROGRAM, *INSTALL, "--deploy-hook", "/opt/lab/hook")
    old = served(lab)
    running = lab.container("keeper")
    lab.output("systemctl", "start", "dockertls-renew.service")
    assert served(lab) != old
    assert lab.path("/var/lib/told").read_text().split() == ["server", "alpha.example.net", "client", "client"]
    assert lab.container_pid("keeper") == running
    assert lab.dockertls("check").returncode == 0
    assert answers(lab)
    seen = status(lab)
    assert (seen["result"], seen["exit"]) == ("success", 0)
    assert seen["last"]
    new = served(lab)
    lab.output("systemctl", "start", "dockertls-renew.service")
    assert served(lab) == new
    assert "nothing is due" in journal(lab)
    assert SECRET not in lab.output("journalctl", "--no-pager", "-o", "export")
    lab.output("docker", "rm", "--force", "keeper")
    lab.output(*PROGRAM, "timer", "remove", "--yes")


@real
def test_a_failure_is_seen_in_the_status_and_among_the_failed_units(lab: Lab) -> None:
    lab.output(*PROGRAM, *INSTALL)
    lab.shell(f"printf broken >{CREDENTIAL}")
    assert lab.run("systemctl", "start", "dockertls-renew.service").returncode == 1
    assert "dockertls-renew.service" in lab.output("systemctl", "--failed", "--no-legend")
    ran = lab.dockertls("timer", "status")
    assert (ran.returncode, "failed" in ran.stdout) == (1, True)
    assert status(lab)["exit"] == 243
    lab.output(*PROGRAM, "timer", "remove", "--yes")
    assert lab.output("systemctl", "--failed", "--no-legend") == ""


LASTING_CONTAINERS = "/etc/docker/daemon.json"


@real
def test_where_containers_would_stop_it_is_issued_and_not_deployed() -> None:
    with host("beta", {LASTING_CONTAINERS: '{"live-restore": false}\n'}) as lab:
        ready(lab)
        lab.output(*PROGRAM, *INSTALL)
        old, running = served(lab), lab.container("keeper")
        assert lab.run("systemctl", "start", "dockertls-renew.service").returncode == 1
        assert "issued, not deployed: a restart would stop keeper" in journal(lab)
        assert (status(lab)["result"], status(lab)["exit"]) == ("exit-code", 4)
        assert lab.container_pid("keeper") == running
        assert answers(lab)
        lab.output("docker", "rm", "--force", "keeper")
        lab.output("systemctl", "start", "dockertls-renew.service")
        assert (status(lab)["result"], served(lab) != old) == ("success", True)
        assert lab.dockertls("check").returncode == 0


@real
def test_bootstrap_sets_the_timer_up_on_a_host_that_runs() -> None:
    with host("beta") as lab:
        lab.write(PHRASE, f"{SECRET}\n", 0o600)
        before = snapshot(lab)
        lab.output(*PROGRAM, *BOOTSTRAP, "--timer")
        assert lab.output("systemctl", "is-active", "dockertls-renew.timer") == "active"
        assert status(lab)["passphrase_opens"] is True
        again = lab.dockertls(*BOOTSTRAP, "--timer")
        assert (again.returncode, "nothing to do" in again.stderr) == (0, True)
        lab.output(*PROGRAM, "undo", "--yes")
        assert snapshot(lab) == before
        assert lab.run("systemctl", "is-active", "dockertls-renew.timer").stdout.strip() == "inactive"
        assert answers(lab)


@real
def test_bootstrap_offers_the_timer_on_a_terminal() -> None:
    with host("beta") as lab:
        code, seen = in_a_terminal(lab.argv([*PROGRAM, "bootstrap", NAME]), REPOSITORY)
        assert code == 0, seen
        assert "Renew the certificates every day, by a timer? [y/N]" in seen
        assert "a passphrase" not in seen
        assert status(lab)["passphrase_opens"] is True
        code, seen = in_a_terminal(lab.argv([*PROGRAM, "bootstrap", NAME]), REPOSITORY)
        assert (code, "timer?" in seen) == (0, False)


@real
def test_a_program_that_others_can_change_is_not_run_every_day(lab: Lab) -> None:
    lab.shell("mkdir /opt/theirs && cp -a /bin/true /opt/theirs/hook && chown 1234 /opt/theirs")
    ran = lab.dockertls(*INSTALL, "--deploy-hook", "/opt/theirs/hook")
    assert (ran.returncode, "/opt/theirs is theirs to write" in ran.stderr) == (4, True)
