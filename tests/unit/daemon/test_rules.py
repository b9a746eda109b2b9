"""Every rule about a configuration: a host where it finds something, and one nearly the same where it does not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.model import from_files, packaged_files
from dockertls.daemon.reading import read
from dockertls.daemon.rules import TABLE, judged, problems
from dockertls.facts import NotSeen
from dockertls.host import Output
from dockertls.plan import Directory, File, Link
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.facts import HostFacts
    from dockertls.plan import Node

ETC = "/etc/systemd/system"
SERVICE = "/usr/lib/systemd/system/docker.service"
SOCKET = "/usr/lib/systemd/system/docker.socket"
DROP_IN = f"{ETC}/docker.service.d/x.conf"
PORT = f"{ETC}/docker.socket.d/x.conf"
JSON = "/etc/docker/daemon.json"
DEBIAN, REDHAT, OPENRC = "/etc/default/docker", "/etc/sysconfig/docker", "/etc/conf.d/docker"
FILES = {"tlscacert": "/a", "tlscert": "/b", "tlskey": "/c"}
TLS = {"tlsverify": True, **FILES}
FLAGS = "--tlsverify --tlscacert=/a --tlscert=/b --tlskey=/c"
LISTEN = "[Socket]\nListenStream=2376\n"
ROOT, STRANGER = (0, 0), (1000, 1000)


@dataclass(frozen=True)
class Host:
    """A host as packaged, and what is different on it."""

    platform: str = "debian"
    flags: str = ""
    keys: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, Node | None] = field(default_factory=dict)
    release: str = ""

    def facts(self) -> HostFacts:
        files = {Path(path): text for path, text in self.files.items()}
        config = {Path(JSON): json.dumps(self.keys, indent=1)} if self.keys else {}
        row = BY_NAME[self.platform]
        found = from_files({**packaged_files(row, self.flags), **config, **files})
        nodes = {Path(path): node for path, node in self.nodes.items()}
        links = {path: Path(node.target) for path, node in nodes.items() if isinstance(node, Link)}
        asked: tuple[str, ...] = (row.command.partition(" ")[0], "--version")
        told = {asked: Output(0, f"Docker version {self.release}+dfsg1, build 1\n", "")} if self.release else {}
        return replace(found, files={**found.files, **nodes}, links=links, outputs=told)


def unit(line: str, *more: str) -> str:
    return "[Service]\n" + "".join(f"{text}\n" for text in (*more, f"ExecStart=\nExecStart={line}"))


CASES: dict[str, tuple[Host, Host, str]] = {
    "start": (
        Host(files={DROP_IN: "[Service]\nExecStart=/usr/sbin/dockerd\n"}),
        Host(files={DROP_IN: unit("/usr/sbin/dockerd -H fd:// $DOCKER_OPTS")}),
        "more than one ExecStart=",
    ),
    "command-line": (Host(flags="--nonsense"), Host(flags="--debug"), "--nonsense is not a flag"),
    "daemon-json": (Host(files={JSON: '{"debug": true,}'}), Host(files={JSON: '{"debug": true}'}), "trailing comma"),
    "of-older-json": (
        Host(files={JSON: "\n"}, release="20.10.24"),
        Host(files={JSON: "\n"}, release="23.0.0"),
        "daemon.json is empty: Docker 20.10.24 does not start with it",
    ),
    "in-two-places": (
        Host(flags="--debug", keys={"debug": True}),
        Host(flags="--icc=false", keys={"debug": True}),
        "debug is given as a flag (/etc/default/docker:1 DOCKER_OPTS)",
    ),
    "unknown-keys": (Host(keys={"TLS": True}), Host(keys={"icc": True}), "TLS is not a key"),
    "of-others": (
        Host(flags="--add-registry=registry.example.net"),
        Host(flags="--registry-mirror=https://registry.example.net"),
        "only dockerd-current has --add-registry",
    ),
    "never-runs": (Host(keys={"validate": True}), Host(keys={"debug": True}), "dockerd ends at once"),
    "wrong-kinds": (Host(keys={"debug": "true"}), Host(keys={"debug": True}), "debug is of the wrong type"),
    "not-of-this-release": (
        Host(flags="--feature a", keys={"nri-opts": {}}, release="26.1.5"),
        Host(keys={"features": {"a": True}, "log-format": "json"}, release="26.1.5"),
        "Docker 26.1.5 does not know --feature: dockerd does not start (Docker has it since 27.3)",
    ),
    "material-dropped": (
        Host("alpine", "--tlscert=/b --tlskey=/c", {"tlsverify": True, "hosts": ["unix://"]}),
        Host("alpine", "", {**TLS, "hosts": ["unix://"]}),
        "dockerd drops tlscert, tlskey",
    ),
    "material-unused": (Host(keys=FILES), Host(flags=f"-H tcp://0.0.0.0:2376 {FLAGS}"), "neither tls nor tlsverify"),
    "any-authority": (
        Host(keys={"tlsverify": True, "x": {"tlscacert": "/a"}, "tlscert": "/b", "tlskey": "/c"}),
        Host(keys=TLS),
        "tlsverify without tlscacert lets in clients of every authority",
    ),
    "plaintext": (
        Host(files={PORT: LISTEN}),
        Host(files={PORT: LISTEN}, flags=FLAGS),
        f"tcp://0.0.0.0:2376 ({PORT}:2 ListenStream) has no TLS: whoever reaches it is root",
    ),
    "no-port": (Host(flags=f"-H tcp://0.0.0.0 {FLAGS}"), Host(flags=f"-H tcp://0.0.0.0:1 {FLAGS}"), "names no port"),
    "no-hosts": (Host("alpine", FLAGS), Host("alpine", f"{FLAGS} -H unix://"), "without hosts"),
    "no-socket-unit": (
        Host("alpine", "-H fd://"),
        Host("alpine", "-H unix://"),
        "fd:// (/etc/conf.d/docker:1 DOCKER_OPTS), but nothing hands sockets over: there is no docker.socket in force",
    ),
    "required-socket": (
        Host(nodes={f"{ETC}/docker.socket": Link("/dev/null"), "/dev/null": None}),
        Host(),
        "docker.service requires docker.socket, which is masked: systemd does not start it",
    ),
    "listener-outlives-tls": (
        Host(keys=TLS, files={PORT: LISTEN}),
        Host(flags=FLAGS, files={PORT: LISTEN}),
        "docker.socket listens on 2376",
    ),
    "authorities-of-the-system": (
        Host(flags=FLAGS, release="1.13.1"),
        Host(flags=FLAGS, release="17.06.0"),
        "Docker 1.13.1 lets in clients of every authority that the system trusts, beside tlscacert",
    ),
    "default-material": (
        Host(
            flags="--tlsverify --tlscert=/b --tlskey=/c",
            files={DROP_IN: "[Service]\nEnvironment=DOCKER_CERT_PATH=/x\n"},
        ),
        Host(flags="--tls --tlsverify=false --tlscert=/b --tlskey=/c"),
        "tlsverify (/etc/default/docker:1 DOCKER_OPTS) without tlscacert: dockerd looks for /x/ca.pem",
    ),
    "switched-by-variable": (
        Host(files={DEBIAN: "DOCKER_TLS_VERIFY=1\n"}),
        Host(files={DEBIAN: "DOCKER_TLS_VERIFY=1\n"}, release="19.03.15"),
        "DOCKER_TLS_VERIFY (/etc/default/docker:1 DOCKER_TLS_VERIFY) switches nothing on since Docker 20.10",
    ),
    "stolen-socket": (
        Host(flags="-H unix:///var/run/docker.sock"),
        Host(flags="-H unix:///run/x.sock"),
        "beside fd://",
    ),
    "untaken-listener": (
        Host(files={PORT: LISTEN, DROP_IN: unit("/usr/sbin/dockerd -H unix:// $DOCKER_OPTS")}),
        Host(
            files={
                PORT: "[Socket]\nListenStream=/run/x.sock\n",
                DROP_IN: unit("/usr/sbin/dockerd -H unix:// $DOCKER_OPTS"),
            }
        ),
        "docker.socket listens on 2376",
    ),
    "variables-of-clients": (
        Host(files={DROP_IN: "[Service]\nEnvironment=DOCKER_HOST=tcp://0.0.0.0:2376\n"}),
        Host(files={DROP_IN: "[Service]\nEnvironment=DOCKER_TMPDIR=/x\n"}),
        f"DOCKER_HOST ({DROP_IN}:2 Environment) is a client's variable",
    ),
    "ignored-keys": (
        Host(keys={"http-proxy": "http://x"}),
        Host(keys={"proxies": {"http-proxy": "http://x"}}),
        "dockerd takes http-proxy without a word and ignores it",
    ),
    "nested-switches": (
        Host(keys={"foo": {"icc": False}}),
        Host(keys={"builder": {"gc": {"enabled": True}}}),
        "foo is no key, and dockerd takes icc from the object all the same",
    ),
    "repeated-flags": (
        Host(flags="--log-level=info -l warn"),
        Host(flags="--label a=1 --label b=1"),
        "--log-level is given 2 times (/etc/default/docker:1 DOCKER_OPTS) and the last one counts",
    ),
    "soon-removed": (
        Host(keys={"api-cors-header": "*"}, release="26.1.5"),
        Host(keys={"api-cors-header": "*"}, release="28.5.2"),
        "api-cors-header is removed in Docker 28.0",
    ),
    "plugins-lost": (
        Host(flags="--authorization-plugin=x"),
        Host(keys={"authorization-plugins": ["x"]}),
        "a reload switches them off",
    ),
    "writable-by-others": (
        Host(nodes={JSON: File(b"{}", 0o666)}),
        Host(nodes={JSON: File(b"{}", 0o664)}),
        "/etc/docker/daemon.json can be written by everybody (mode 0666)",
    ),
    "unread-environment": (
        Host("docker-ce", files={DEBIAN: "export DOCKER_OPTS='-D'\nX=1\n"}),
        Host("docker-ce", files={DEBIAN: "# DOCKER_OPTS='-D'\n"}),
        f"/etc/default/docker sets X, DOCKER_OPTS, and {SERVICE}:5 ExecStart does not read it",
    ),
    "unused-variables": (
        Host(files={DEBIAN: "OPTIONS='-D'\n"}),
        Host(files={DEBIAN: "OPTIONS=''\nDOCKER_OPTS='-D'\n"}),
        "/etc/default/docker:1 OPTIONS is set, and",
    ),
    "repeated-variables": (
        Host("alpine", files={OPENRC: "DOCKER_OPTS=-D\n\nDOCKER_OPTS=--icc=false\n"}),
        Host("alpine", files={OPENRC: "DOCKER_OPTS=-D\nX=1\n"}),
        "/etc/conf.d/docker: DOCKER_OPTS is set on line 1 and again on line 3, which counts",
    ),
    "exported-variables": (
        Host(files={DEBIAN: "export DOCKER_OPTS=-D\n"}),
        Host(files={DEBIAN: "if [ -z x ]; then\n DOCKER_OPTS=-D\nfi\n"}),
        "/etc/default/docker:1: systemd knows no `export`, so DOCKER_OPTS is not set here",
    ),
    "unexpanded-references": (
        Host(files={DEBIAN: 'A=x\nDOCKER_OPTS="--label=a=${A}"\n'}),
        Host(files={DROP_IN: unit("/usr/sbin/dockerd --label=a=$$A")}),
        "/etc/default/docker:2 DOCKER_OPTS: systemd puts nothing in place of --label=a=${A}",
    ),
    "unread-daemon-json": (
        Host(flags="--config-file /etc/x.json", files={JSON: "{}", "/etc/x.json": "{}"}),
        Host(flags=f"--config-file {JSON}", files={JSON: "{}"}),
        "dockerd reads /etc/x.json (/etc/default/docker:1 DOCKER_OPTS) instead",
    ),
    "dangling-link": (
        Host(nodes={"/etc/docker": Directory(), JSON: Link("/srv/x.json"), "/srv": None}),
        Host(nodes={"/etc/docker": Directory(), JSON: Link("/srv/x.json"), "/srv/x.json": File(b"{}")}),
        "/etc/docker/daemon.json is a link to /srv/x.json, and no file is there",
    ),
    "other-units": (
        Host(files={f"{ETC}/snap.docker.dockerd.service": "[Service]\nExecStart=/usr/bin/snap run docker.dockerd\n"}),
        Host(files={f"{ETC}/docker-cleanup.service": "[Service]\nExecStart=/usr/bin/docker system prune\n"}),
        f"{ETC}/snap.docker.dockerd.service starts a dockerd too",
    ),
}


def found(name: str, host: Host) -> list[str]:
    rule = next(rule for rule in TABLE if rule.id == name)
    return [fault.message for fault in rule.judge(read(host.facts()))]


def test_every_rule_has_a_case() -> None:
    assert [rule.id for rule in TABLE] == list(dict.fromkeys(rule.id for rule in TABLE))
    assert CASES.keys() == {rule.id for rule in TABLE}


@pytest.mark.parametrize("name", CASES)
def test_a_rule_finds_what_is_wrong_and_nothing_else(name: str) -> None:
    wrong, right, message = CASES[name]
    assert any(message in one for one in found(name, wrong)), found(name, wrong)
    assert found(name, right) == []


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ({JSON: File(b"{}", 0o644, STRANGER)}, "/etc/docker/daemon.json belongs to user 1000"),
        ({JSON: File(b"{}", 0o664, (0, 44))}, "can be written by group 44"),
        ({"/etc/docker": Directory(0o777)}, "/etc/docker can be written by everybody"),
        ({"/etc/docker": Directory(0o1777)}, "/etc/docker can be written by everybody"),
        ({"/etc/docker": Directory(0o755, STRANGER)}, "/etc/docker belongs to user 1000"),
        (
            {JSON: Link("/srv/x.json"), "/srv": Directory(), "/srv/x.json": File(b"{}", 0o644, STRANGER)},
            "/srv/x.json belongs to user 1000",
        ),
        (
            {JSON: Link("/srv/x.json"), "/srv": Directory(0o777), "/srv/x.json": File(b"{}")},
            "/srv can be written by everybody",
        ),
        ({SERVICE: File(b"[Service]\nExecStart=/usr/sbin/dockerd\n", 0o666)}, "docker.service can be written by"),
        ({SOCKET: File(b"[Socket]\nListenStream=/run/docker.sock\n", 0o666)}, "docker.socket can be written by"),
        ({DEBIAN: File(b"", 0o644, STRANGER)}, "/etc/default/docker belongs to user 1000"),
    ],
)
def test_what_others_can_write_is_named(nodes: dict[str, Node | None], message: str) -> None:
    (only,) = found("writable-by-others", Host(files={JSON: "{}"}, flags="-D", nodes=nodes))
    assert message in only
    assert "so is root" in only


def test_the_worst_comes_first() -> None:
    told, untold = problems(read(Host("alpine", "--debug -D -H tcp://0.0.0.0:1", {"debug": True}).facts()))
    assert [one.rule.id for one in told] == ["in-two-places", "plaintext", "repeated-flags"]
    assert not untold


def test_what_a_rule_may_not_see_is_told_and_the_others_judge_on() -> None:
    facts = replace(
        Host("docker-ce", "", {"debug": "x"}).facts(), unseen={Path(DEBIAN): f"{DEBIAN}: Permission denied"}
    )
    told, untold = problems(read(facts))
    assert [one.rule.id for one in told] == ["wrong-kinds"]
    assert untold == (f"{DEBIAN}: Permission denied",)
    with pytest.raises(NotSeen):
        judged(read(facts), stops=False)


def test_a_daemon_json_that_nobody_may_see_is_unknown_and_no_fault() -> None:
    facts = replace(Host(keys={"debug": True}).facts(), unseen={Path(JSON): f"{JSON}: Permission denied"})
    reading = read(facts)
    assert not reading.faults
    assert reading.unknown == (f"what {JSON} says: {JSON}: Permission denied",)


def test_a_name_that_stands_twice_is_a_fault_and_is_read_as_dockerd_reads_it() -> None:
    reading = read(Host("alpine", files={JSON: '{"debug": true, "labels": ["a=b"], "debug": false}'}).facts())
    assert "stands here and on line 1" in reading.faults[0].message
    assert {key: said.value for key, said in reading.both().items()} == {"debug": False, "labels": ["a=b"]}
    assert reading.document is None


@pytest.mark.parametrize("text", ['{"debug": true,}', '{"mtu": NaN}', "[]", "\xff", "{" * 2000])
def test_of_a_file_that_dockerd_refuses_nothing_is_read(text: str) -> None:
    reading = read(Host("alpine", files={JSON: text}).facts())
    assert reading.faults
    assert not reading.both()


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        ({"foo": {"live-restore": True, "labels": ["a=b"], "log-level": "warn"}}, {"live-restore": True}),
        ({"proxies": {"http-proxy": "x", "icc": False}, "https-proxy": "y"}, {"http-proxy": "x", "icc": False}),
        ({"host": ["tcp://0.0.0.0:1"], "validate": True}, {}),
    ],
)
def test_of_an_object_dockerd_takes_what_it_looks_up_by_name(keys: dict[str, object], taken: dict[str, object]) -> None:
    """Seen with dockerd 20.10 and 28.5: /info tells of live-restore, and of no label."""
    reading = read(Host("alpine", "", keys).facts())
    assert {key: said.value for key, said in reading.both().items()} == taken
