"""Other options for a dockerd: where they are set, what they would break, and what makes dockerd follow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING, Any

import pytest

from dockertls.daemon.hardening import harden
from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.reading import read
from dockertls.daemon.settings import Settings
from dockertls.daemon.workable import files, unworkable
from dockertls.errors import Refused
from dockertls.plan import Change, File
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from dockertls.facts import HostFacts
    from dockertls.plan import Plan

JSON, DEFAULT = Path("/etc/docker/daemon.json"), Path("/etc/default/docker")
RELOAD = ("systemctl", "reload", "docker.service")
WITHOUT: dict[Path, str] = {}


def tree(more: dict[Path, str] | None = None, platform: str = "debian") -> HostFacts:
    return from_files({**packaged_files(BY_NAME[platform]), **(more or {})})


def planned(facts: HostFacts, *, swarm: bool = False, **settings: Any) -> Plan:  # noqa: ANN401 - as JSON
    values = {key.replace("_", "-"): value for key, value in settings.items()}
    return harden(facts, Settings.of(values, "test"), swarm=swarm)


def texts(plan: Plan) -> dict[Path, str]:
    return {change.path: change.after.content.decode() for change in plan.changes if isinstance(change.after, File)}


def commands(plan: Plan) -> list[tuple[str, ...]]:
    return [command.argv for command in plan.activation]


def test_what_is_new_goes_to_daemon_json() -> None:
    assert json.loads(texts(planned(tree(), icc=False))[JSON]) == {"icc": False}


def test_what_stands_there_is_kept() -> None:
    text = '{\n    "debug": true,\n    "mtu": 1400\n}\n'
    assert texts(planned(tree({JSON: text}), debug=False)) == {JSON: '{\n    "debug": false,\n    "mtu": 1400\n}\n'}


def test_a_flag_is_changed_where_it_is_given() -> None:
    facts = tree({DEFAULT: 'DOCKER_OPTS="--icc=true --mtu 1400"\n'})
    assert texts(planned(facts, icc=False, live_restore=True)) == {
        DEFAULT: 'DOCKER_OPTS="--icc=false --mtu 1400"\n',
        JSON: '{\n  "live-restore": true\n}\n',
    }


def test_an_option_is_taken_away() -> None:
    facts = tree({JSON: '{"experimental": true, "mtu": 1400}', DEFAULT: 'DOCKER_OPTS="--seccomp-profile=unconfined"\n'})
    made = texts(planned(facts, experimental=None, seccomp_profile=None))
    assert json.loads(made[JSON]) == {"mtu": 1400}
    assert "seccomp" not in made[DEFAULT]


def test_what_is_so_already_is_nothing_to_do() -> None:
    assert not planned(tree({JSON: '{"icc": false}'}), icc=False, experimental=None).changes


def test_a_flag_of_the_unit_is_not_ours_to_edit() -> None:
    drop_in = Path("/etc/systemd/system/docker.service.d/own.conf")
    facts = tree({drop_in: "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --icc=true\n"})
    with pytest.raises(Refused, match=r"icc is a flag at .*own\.conf:3"):
        planned(facts, icc=False)


@pytest.mark.parametrize("text", ['{"icc": ', '{"icc": true, "icc": false}', "[]"])
def test_a_file_that_nobody_can_edit_is_left_alone(text: str) -> None:
    with pytest.raises(Refused):
        planned(tree({JSON: text}), live_restore=True)


def test_other_changes_go_with_it() -> None:
    change = Change(DEFAULT, File(b"x", 0o666), File(b"x", 0o644), "mode")
    plan = harden(tree({DEFAULT: "x"}), Settings.of({}, ""), more=(change,))
    assert (plan.changes, commands(plan)) == ((change,), [])


def test_an_edit_and_another_mode_of_one_file_are_one_change() -> None:
    before = File(b'{"mtu": 1400}', 0o606)
    facts = tree({JSON: ""})
    facts = replace(facts, files={**facts.files, JSON: before})
    modes = (
        Change(JSON, before, replace(before, mode=0o604), "mode"),
        Change(JSON, before, replace(before, mode=0o600), "x"),
    )
    (change,) = harden(facts, Settings.of({"icc": False}, "test"), more=modes).changes
    assert change.before == before
    assert change.after == File(b'{"mtu": 1400, "icc": false}', 0o600)


# what makes dockerd follow


@pytest.mark.parametrize(
    ("text", "settings", "reloads"),
    [
        ("{}", {"live-restore": True}, True),
        ('{"debug": true}', {"debug": False, "live-restore": True}, True),
        ("{}", {"live-restore": True, "icc": False}, False),
        ('{"insecure-registries": ["r"]}', {"insecure-registries": None}, False),  # a reload takes nothing away
    ],
)
def test_a_reload_where_it_is_enough(text: str, settings: dict[str, Any], reloads: bool) -> None:
    plan = harden(tree({JSON: text}), Settings.of(settings, "test"))
    assert (commands(plan) == [RELOAD]) is reloads
    assert plan.activation


def test_no_reload_where_it_would_switch_plugins_off() -> None:
    facts = tree({DEFAULT: 'DOCKER_OPTS="--authorization-plugin=there"\n', **BESIDE})
    assert RELOAD not in commands(planned(facts, live_restore=True))


def test_no_reload_of_a_flag() -> None:
    facts = tree({DEFAULT: 'DOCKER_OPTS="--live-restore=false"\n'})
    assert RELOAD not in commands(planned(facts, live_restore=True))


# what --validate does not know


OPTS = {"max-size": "10m"}
BREAKS: list[tuple[dict[str, Any], str]] = [
    ({"icc": False, "iptables": False}, "icc is false .* and so is iptables"),
    ({"icc": False, "ipv6": True, "ip6tables": False}, "so is ip6tables"),
    ({"log-driver": "journald", "log-opts": OPTS}, "max-size .* none of the driver journald"),
    ({"log-driver": "local", "log-opts": {**OPTS, "labels": "x"}}, "labels .* none of the driver local"),
    ({"log-opts": {"max-file": 3}}, "max-file .* is no text"),
    ({"seccomp-profile": "/etc/docker/none.json"}, "none.json .* is not there"),
    ({"seccomp-profile": "/etc/docker/bad.json"}, "bad.json .* is no JSON object"),
    ({"authorization-plugins": ["opa"]}, "the authorization plugin opa .* is not there"),
    ({"userns-remap": "nobody-there"}, "no such user"),
    ({"userns-remap": "carl"}, "/etc/subgid gives it no ids"),
    ({"cgroup-parent": "/mine", "exec-opts": ["native.cgroupdriver=systemd"]}, "is no slice"),
    ({"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 9, "Hard": 3}}}, "soft 9 is above hard 3"),
]
WORKS: list[dict[str, Any]] = [
    {"icc": False},
    {"icc": False, "iptables": False, "bridge": "none"},
    {"log-opts": OPTS},
    {"log-driver": "json-file", "log-opts": {**OPTS, "labels": "x", "mode": "non-blocking"}},
    {"log-driver": "fluentd", "log-opts": {"fluentd-address": "x"}},
    {"seccomp-profile": "/etc/docker/good.json"},
    {"seccomp-profile": "unconfined"},
    {"authorization-plugins": ["there"]},
    {"authorization-plugins": ["registry/managed:1"]},
    {"userns-remap": "default"},
    {"userns-remap": "bob"},
    {"userns-remap": "1002:1002"},
    {"cgroup-parent": "my.slice", "exec-opts": ["native.cgroupdriver=systemd"]},
    {"cgroup-parent": "/mine"},
    {"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 3, "Hard": 3}}},
    {"default-ulimits": {"core": {"Name": "core", "Soft": -1, "Hard": -1}}},
]
BESIDE = {
    Path("/etc/docker/bad.json"): "[]",
    Path("/etc/docker/good.json"): "{}",
    Path("/etc/docker/plugins/there.spec"): "unix:///run/p.sock",
    Path("/etc/passwd"): "carl:x:1001:1001::/:/bin/sh\nbob:x:1002:1002::/:/bin/sh\n",
    Path("/etc/subuid"): "bob:100000:65536\ncarl:200000:65536\n",
    Path("/etc/subgid"): "bob:100000:65536\n",
}


def told(config: dict[str, Any], *, swarm: bool = False) -> tuple[str, ...]:
    reading = read(tree({JSON: json.dumps(config), **BESIDE}))
    return tuple(fault.message for fault in unworkable(reading, swarm=swarm))


@pytest.mark.parametrize(("config", "fault"), BREAKS, ids=[fault for _, fault in BREAKS])
def test_what_would_break_is_refused(config: dict[str, Any], fault: str) -> None:
    with pytest.raises(Refused, match=fault):
        planned(tree({JSON: json.dumps(config), **BESIDE}), live_restore=True)


@pytest.mark.parametrize("config", WORKS, ids=json.dumps)
def test_what_works_is_not(config: dict[str, Any]) -> None:
    assert told(config) == ()


def test_in_a_swarm() -> None:
    assert [one.partition(" (")[0] for one in told({"live-restore": True}, swarm=True)] == ["live-restore"]
    with pytest.raises(Refused, match="does not go together with swarm mode"):
        planned(tree(), live_restore=True, swarm=True)


def test_icc_is_not_taken_away_from_a_host_without_a_packet_filter() -> None:
    with pytest.raises(Refused, match="iptables"):
        planned(tree({JSON: '{"iptables": false}'}), icc=False)


def test_all_that_would_break_is_told_at_once() -> None:
    config = {"log-opts": {"max-file": 3}, "default-ulimits": {"a": {"Soft": 9, "Hard": 3}}}
    with pytest.raises(Refused) as raised:
        planned(tree({JSON: json.dumps(config)}), icc=False)
    assert len(raised.value.faults) == 2


def test_the_files_that_have_to_be_looked_at() -> None:
    config = {"seccomp-profile": "/p.json", "authorization-plugins": ["opa"], "userns-remap": "ann"}
    wanted = files(read(tree({JSON: json.dumps(config)})))
    assert {Path("/p.json"), Path("/run/docker/plugins/opa.sock"), Path("/etc/subuid")} <= {*wanted}
    assert files(read(tree())) == ()
