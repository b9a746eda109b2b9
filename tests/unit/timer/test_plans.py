"""What sets renewals up and takes them away, on hosts with what each of them has."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path as DiskPath
from pathlib import PurePosixPath as Path

import pytest

from dockertls.apply import Run, apply
from dockertls.facts import PROGRAM_DIRS, SYSTEMCTL_VERSION, HostFacts
from dockertls.host import LocalHost, Output
from dockertls.plan import Directory, File, Node, Plan
from dockertls.rows import gather
from dockertls.timer.cron import TABLE
from dockertls.timer.job import CREDENTIAL_FILE, HANDED_OVER, Job
from dockertls.timer.plans import RUNS_SYSTEMD, SYSTEM, Places, chosen, in_the_way, install, opened_by, remove
from dockertls.timer.units import Units, version

NOW = datetime(2026, 11, 23, tzinfo=UTC)
JOB = Job(("/opt/python",), Path("/etc/dockertls"), HANDED_OVER)
SEALED = File(b"sealed", 0o600, secret=True)
ANN = Places.of_user(Path("/home/ann"), (1000, 1000))


@pytest.fixture
def tree(tmp_path: DiskPath) -> LocalHost:
    for folder in ("etc/systemd/system", "etc/cron.d", "usr/lib/systemd"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "usr/lib/systemd/systemd").write_text("")
    return LocalHost(str(tmp_path))


def look(host: LocalHost) -> HostFacts:
    return gather(host, ["timer"], trees=SYSTEM.folders, also=SYSTEM.wanted, now=NOW)


def everything(host: LocalHost) -> set[str]:
    """Every path but those of lock and history."""
    root = DiskPath(host.root)
    return {str(path) for path in root.rglob("*") if not path.is_relative_to(root / "var")}


def setting_up(host: LocalHost, job: Job = JOB) -> Plan:
    by = chosen(look(host), SYSTEM)
    assert by is not None
    return install(look(host), SYSTEM, by, job, SEALED if job.credential else None)


def test_what_is_set_up_is_wholly_removed(tree: LocalHost) -> None:
    before = everything(tree)
    apply(setting_up(tree), tree, Run(NOW))
    assert {str(path) for path in SYSTEM.files[:4]} <= {path.removeprefix(tree.root) for path in everything(tree)}
    assert not setting_up(tree)
    apply(remove(look(tree), SYSTEM), tree, Run(NOW))
    assert everything(tree) == before
    assert not remove(look(tree), SYSTEM)


def test_a_folder_in_which_something_else_lies_stays(tree: LocalHost) -> None:
    apply(setting_up(tree), tree, Run(NOW))
    tree.make(CREDENTIAL_FILE.parent / "other", File(b"", 0o600))
    apply(remove(look(tree), SYSTEM), tree, Run(NOW))
    assert tree.names(CREDENTIAL_FILE.parent) == ("other",)


def test_a_credential_that_is_needed_no_more_goes(tree: LocalHost) -> None:
    apply(setting_up(tree), tree, Run(NOW))
    apply(setting_up(tree, Job(("/opt/python",), Path("/etc/dockertls"))), tree, Run(NOW))
    assert tree.node(CREDENTIAL_FILE) is None
    assert tree.node(SYSTEM.units.link) is not None


def test_a_host_that_got_systemd_is_renewed_by_it_alone(tree: LocalHost) -> None:
    tree.make(TABLE[0].file, File(b"", 0o644))
    apply(setting_up(tree), tree, Run(NOW))
    assert tree.node(TABLE[0].file) is None


def verbs(plan: Plan) -> list[str]:
    return [command.argv[1] for command in plan.commands]


def test_systemd_follows_each_way(tree: LocalHost) -> None:
    """Started when all is in its place, and stopped before anything is taken away."""
    new = setting_up(tree)
    assert verbs(new) == ["daemon-reload", "restart"]
    assert new.changes[-1].then
    assert verbs(new.inverse()) == ["stop", "reset-failed", "daemon-reload"]
    assert new.inverse().changes[0].then[0].argv[1] == "stop"
    apply(new, tree, Run(NOW))
    gone = remove(look(tree), SYSTEM)
    assert verbs(gone) == ["stop", "reset-failed", "daemon-reload"]
    assert verbs(gone.inverse()) == ["daemon-reload", "restart"]
    edited = setting_up(tree, Job(("/usr/bin/python",), Path("/etc/dockertls"), HANDED_OVER))
    assert verbs(edited) == verbs(edited.inverse()) == ["daemon-reload", "restart"]


def test_what_stands_in_the_way_is_named(tree: LocalHost) -> None:
    assert in_the_way(look(tree), SYSTEM) == ()
    tree.make(SYSTEM.units.timer, Directory())
    (fault,) = in_the_way(look(tree), SYSTEM)
    assert "dockertls-renew.timer is no file" in fault.message


def running(answer: str | None, *programs: str) -> HostFacts:
    """A host that runs, by systemd if that answers."""
    files: dict[Path, Node | None] = dict.fromkeys((*SYSTEM.wanted, *ANN.wanted))
    files |= {RUNS_SYSTEMD: Directory() if answer else None}
    outputs: dict[tuple[str, ...], Output | None] = {SYSTEMCTL_VERSION: Output(0, answer, "") if answer else None}
    names = {folder: programs if folder == Path("/usr/bin") else () for folder in PROGRAM_DIRS}
    return HostFacts(NOW, files=files, outputs=outputs, names=names)


NEW = "systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT"
OLD = "systemd 239 (239-78.el8)\n+PAM"


@pytest.mark.parametrize(
    ("facts", "places", "reason"),
    [
        (running(NEW, "systemd-creds"), SYSTEM, ""),
        (running(NEW), SYSTEM, "systemd 252 keeps no encrypted credentials, as 250 does"),
        (running(OLD), SYSTEM, "systemd 239 keeps no encrypted credentials, as 250 does"),
        (running(NEW, "systemd-creds"), ANN, "a user's own systemd keeps no credentials"),
    ],
)
def test_what_opens_the_key_while_nobody_is_there(facts: HostFacts, places: Places, reason: str) -> None:
    by = chosen(facts, places)
    assert isinstance(by, Units)
    file = Path("/root/passphrase")
    assert opened_by(facts, by, file) == ((file if reason else HANDED_OVER), reason)
    assert opened_by(facts, by, None)[0] == (None if reason else HANDED_OVER)


def test_cron_keeps_no_secrets() -> None:
    assert opened_by(running(None), TABLE[0], None) == (None, "cron keeps no secrets")


def test_nothing_runs_things_where_there_is_neither() -> None:
    assert chosen(running(None), SYSTEM) is None
    assert chosen(running(None), ANN) is None


ANSWERS = [(NEW, 252), (OLD, 239), ("systemd 257.4\n", 257), ("?", None), (None, None)]


@pytest.mark.parametrize(("answer", "number"), ANSWERS)
def test_which_systemd_it_is(answer: str | None, number: int | None) -> None:
    assert version(running(answer)) == number
