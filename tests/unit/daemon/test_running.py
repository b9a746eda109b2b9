"""Which dockerd is whose, and what a restart would change: by what a host said, recorded from one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.places import SYSTEM
from dockertls.daemon.reading import read
from dockertls.daemon.running import PID_FILE, Difference, read_at_start, restart_changes, running
from dockertls.facts import PIDOF, PROC, SYSTEMCTL_SHOW
from dockertls.host import Output
from dockertls.plan import File, Link
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.daemon.reading import Reading
    from dockertls.daemon.running import Running
    from dockertls.facts import HostFacts

BOOT = 1_795_497_543
STARTED = BOOT + 1865.81
SINCE = datetime(2026, 11, 24, 5, 50, 8, 810000, tzinfo=UTC)
OWN = ("/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock")
STAT = "{} (dockerd) S 1 87 87 0 -1 4194560 7718 7947 2 5 2 4 6 1 20 0 8 0 186581 1342853120 17910\n"
SHOW = """MainPID={}
Id=docker.service
ActiveState={}
DropInPaths={}
NeedDaemonReload={}

Id=docker.socket
ActiveState=active
DropInPaths=
NeedDaemonReload=no
"""


def process(pid: int, *words: str, unit: str = "docker.service", **more: str) -> dict[Path, File | Link | None]:
    """What /proc holds of a dockerd."""
    content = {
        "cgroup": f"9:name=systemd:/system.slice/{unit}\n8:pids:/\n0::/system.slice/{unit}\n",
        "cmdline": "".join(f"{word}\0" for word in words),
        "environ": "LANG=C.UTF-8\0A=x=y\nz\0",
        "stat": STAT.format(pid),
        "status": f"Name:\tdockerd\nNSpid:\t{pid}\n",
        **more,
    }
    return {PROC / str(pid) / name: File(text.encode()) for name, text in content.items()}


def show(pid: int, state: str = "active", drop_ins: str = "", outdated: str = "no") -> dict[tuple[str, ...], Output]:
    return {SYSTEMCTL_SHOW: Output(0, SHOW.format(pid, state, drop_ins, outdated), "")}


def host(
    platform: str = "debian",
    flags: str = "",
    *,
    files: Mapping[str, str] | None = None,
    processes: Mapping[Path, File | Link | None] | None = None,
    pidof: str = "",
    systemd: Mapping[tuple[str, ...], Output] | None = None,
    pid_file: int = 0,
    changed: Mapping[Path, float] | None = None,
) -> HostFacts:
    texts = {Path(path): text for path, text in (files or {}).items()}
    found = from_files({**packaged_files(BY_NAME[platform], flags), **texts})
    nodes = {
        PROC / "stat": File(f"cpu 1 2\nbtime {BOOT}\nprocesses 1\n".encode()),
        PID_FILE: File(b"%d" % pid_file) if pid_file else None,
        **(processes or {}),
    }
    started = {} if platform in {"alpine", "sysv-debian"} else {Path("/run/systemd/system"): found.files[Path("/usr")]}
    outputs = {PIDOF: Output(0 if pidof else 1, pidof, ""), **(systemd or {})}
    everything = {**found.files, **started, **nodes}
    return replace(found, runs=True, files=everything, outputs=outputs, changed=dict(changed or {}))


def looked(facts: HostFacts, peer: int | None = None) -> tuple[Reading, Running]:
    reading = read(facts)
    return reading, running(reading, peer=peer)


def changes(facts: HostFacts) -> tuple[Difference, ...]:
    return restart_changes(*looked(facts))[0]


LIVE = process(87, *OWN)


def test_systemd_tells_which_dockerd_is_its_own() -> None:
    other = process(501, "dockerd", "-p", "/run/d2.pid", unit="session-3.scope")
    _, here = looked(host(processes={**LIVE, **other}, pidof="501 87\n", systemd=show(87), pid_file=501))
    assert here.own
    assert (here.own.pid, here.own.words, here.own.unit) == (87, OWN, "docker.service")
    assert here.own.started == SINCE
    assert here.own.environment == {"LANG": "C.UTF-8", "A": "x=y\nz"}
    assert here.told_by == "docker.service's main process"
    assert [(one.pid, one.unit, one.in_container) for one in here.others] == [(501, "session-3.scope", False)]
    assert not here.unknown


def test_a_dockerd_that_systemd_did_not_start_is_another_one() -> None:
    """Its pidfile may be the usual one: that is why docker.service cannot start."""
    _, here = looked(host(processes=LIVE, pidof="87\n", systemd=show(0, "failed"), pid_file=87))
    assert here.own is None
    assert [one.pid for one in here.others] == [87]
    assert here.idle == "docker.service is failed; a connection to its socket starts it"


def test_where_systemd_does_not_run_the_pidfile_tells() -> None:
    own = process(9, "/usr/bin/dockerd")
    other = process(10, "/usr/bin/dockerd", "-p", "/x")
    _, here = looked(host("alpine", processes={**own, **other}, pidof="9 10", pid_file=9))
    assert here.own
    assert (here.own.pid, here.told_by) == (9, "/var/run/docker.pid names it")
    assert [one.pid for one in here.others] == [10]


def test_a_pidfile_of_the_dead_tells_nothing_and_the_socket_does() -> None:
    facts = host("alpine", processes=process(10, "/usr/bin/dockerd"), pidof="10", pid_file=9)
    assert looked(facts)[1].own is None
    _, here = looked(facts, peer=10)
    assert here.own
    assert (here.own.pid, here.told_by) == (10, "it answers on the local socket")
    assert looked(facts, peer=1)[1].own is None, "systemd holds the socket"


def test_a_pidfile_elsewhere_is_read_there() -> None:
    files = {"/etc/docker/daemon.json": '{"pidfile": "/srv/d.pid"}', "/srv/d.pid": "10"}
    _, here = looked(host("alpine", files=files, processes=process(10, "/usr/bin/dockerd"), pidof="10"))
    assert here.own
    assert here.told_by == "/srv/d.pid names it"


def test_a_dockerd_in_a_container_is_told_as_such() -> None:
    nested = process(700, "dockerd", unit="docker-0123.scope", status="Name:\tdockerd\nNSpid:\t700\t1\n")
    _, here = looked(host(processes={**LIVE, **nested}, pidof="700 87", systemd=show(87)))
    assert [one.in_container for one in here.others] == [True]


def test_variables_of_clients_in_its_environment_are_named_and_not_shown() -> None:
    environ = "DOCKER_TLS_VERIFY=1\0DOCKER_HOST=\0DOCKER_CERT_PATH=/x\0DOCKER_OPTS=-D\0"
    _, here = looked(host(processes=process(87, *OWN, environ=environ), pidof="87", systemd=show(87)))
    assert here.own
    assert here.own.variables_of_clients == ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


def test_a_process_that_is_gone_is_none() -> None:
    _, here = looked(host(processes={**LIVE, **dict.fromkeys(process(99), None)}, pidof="99 87", systemd=show(87)))
    assert not here.others


def test_a_tree_runs_nothing_and_says_so() -> None:
    facts = replace(host(), runs=False)
    assert looked(facts)[1].unknown == ("whether dockerd runs: this is a file tree",)


def test_who_does_not_answer_is_named() -> None:
    facts = host(processes=LIVE, systemd={SYSTEMCTL_SHOW: Output(1, "", "Failed to connect to bus")})
    facts = replace(facts, outputs={**facts.outputs, PIDOF: Output(127, "", "not found")})
    unknown = looked(facts)[1].unknown
    assert unknown == (
        "whether other dockerds run: there is no pidof here",
        "what systemd knows of docker.service: it does not answer",
    )


# what a restart would change


def live(flags: str = "", **how: object) -> HostFacts:
    return host(flags=flags, **{"processes": LIVE, "pidof": "87", "systemd": show(87), **how})  # type: ignore[arg-type]


def test_a_dockerd_that_runs_as_its_files_say_changes_nothing() -> None:
    assert changes(live()) == ()
    other_words = process(87, "/usr/sbin/dockerd", "--containerd", "/run/containerd/containerd.sock", "--host=fd://")
    assert changes(live(processes=other_words)) == ()


def test_options_are_compared_by_what_they_mean() -> None:
    runs = process(87, *OWN, "--debug", "--label=a=b")
    found = {one.what: one for one in changes(live("--label=a=c --icc=false", processes=runs))}
    place = "/etc/default/docker:1 DOCKER_OPTS"
    assert found == {
        "labels": Difference("labels", place, ["a=b"], ["a=c"]),
        "icc": Difference("icc", place, None, False),
        "debug": Difference("debug", "no flag gives it now", True, None),
    }


def test_a_value_that_may_be_a_credential_is_not_told() -> None:
    runs = process(
        87, *OWN, "--http-proxy=http://u:old@p", "--log-opt", "splunk-token=old", "--registry-mirror=http://u:old@m"
    )
    facts = live("--http-proxy http://u:new@p --log-opt=splunk-token=new", processes=runs)
    told = repr(changes(facts))
    assert "http-proxy" in told
    assert "log-opts" in told
    assert "old" not in told
    assert "new" not in told
    own = looked(facts)[1].own
    assert own
    assert own.shown[-4:] == (
        "--http-proxy=(secret)", "--log-opt", "splunk-token=(secret)", "--registry-mirror=http://(secret)@m",
    )  # fmt: skip


def test_variables_that_files_set_are_compared_and_not_shown() -> None:
    drop_in = "/etc/systemd/system/docker.service.d/x.conf"
    text = '[Service]\nEnvironment=A="secret" LANG=C.UTF-8 "NEW=secret too"\n'
    found = changes(
        live("-D", files={drop_in: text}, processes=process(87, *OWN, "-D"), systemd=show(87, drop_ins=drop_in))
    )
    assert [(one.what, one.why.partition("; ")[2]) for one in found] == [
        ("variable A", "dockerd runs with another value"),
        ("variable NEW", "dockerd runs with no value"),
    ]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(("loaded", "outdated"), [("", "no"), ("/etc/systemd/system/docker.service.d/x.conf", "yes")])
def test_a_unit_that_systemd_has_not_loaded_anew_is_told(loaded: str, outdated: str) -> None:
    """systemd says itself that a file it knows changed; a new drop-in it does not notice."""
    files = {"/etc/systemd/system/docker.service.d/x.conf": "[Service]\nNice=5\n"}
    (only,) = changes(live(files=files, systemd=show(87, drop_ins=loaded, outdated=outdated)))
    assert only.what == "docker.service"
    assert "daemon-reload" in only.why


TLS = "--tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/srv/cert.pem --tlskey=/srv/key.pem"
WITH_TLS = process(87, *OWN, *TLS.split())


def test_files_that_changed_after_dockerd_had_read_them_are_told() -> None:
    config = Path("/etc/docker/daemon.json")
    facts = live(TLS, files={str(config): "{}"}, processes=WITH_TLS, pid_file=87)
    assert read_at_start(read(facts)) == (
        config, Path("/etc/docker/ca.pem"), Path("/srv/cert.pem"), Path("/srv/key.pem"), SYSTEM.current,
    )  # fmt: skip
    read_at = STARTED + 0.5
    times = {PID_FILE: read_at, config: read_at - 0.1, Path("/etc/docker/ca.pem"): BOOT, Path("/srv/key.pem"): BOOT}
    found = changes(replace(facts, changed=times | {Path("/srv/cert.pem"): read_at + 0.1, SYSTEM.current: read_at + 9}))
    assert [one.what for one in found] == ["/srv/cert.pem", "/etc/docker/tls/current"]
    assert found[0].why == "changed at 2026-11-24T05:50:09Z, after dockerd started"


def test_without_a_pidfile_the_start_of_the_process_counts() -> None:
    config = Path("/etc/docker/daemon.json")
    facts = live(files={str(config): "{}"})
    assert changes(replace(facts, changed={config: STARTED - 60})) == ()
    assert [one.what for one in changes(replace(facts, changed={config: STARTED + 60}))] == [str(config)]


def test_a_certificate_that_is_gone_is_told() -> None:
    facts = live(
        TLS, processes=WITH_TLS, changed=dict.fromkeys((Path("/etc/docker/ca.pem"), Path("/srv/key.pem")), BOOT)
    )
    assert [(one.what, one.why) for one in changes(facts)] == [
        ("/srv/cert.pem", "is not there: dockerd would not start")
    ]


def test_a_program_that_was_replaced_is_told() -> None:
    exe = {PROC / "87/exe": Link("/usr/sbin/dockerd (deleted)")}
    assert [one.what for one in changes(live(processes={**LIVE, **exe}))] == ["/usr/sbin/dockerd"]


def test_what_could_not_be_told_is_no_difference() -> None:
    line = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --label=h=%H\n"
    drop_in = "/etc/systemd/system/docker.service.d/x.conf"
    mine = {path: node for path, node in LIVE.items() if path.name not in {"environ", "stat"}}
    facts = live(files={drop_in: line}, processes=mine, systemd=show(87, drop_ins=drop_in))
    found, untold = restart_changes(*looked(facts))
    assert found == ()
    assert untold == (
        "which arguments a restart would change",
        "which variables dockerd was started with: only root sees them",
        "whether its files changed after dockerd started",
    )
