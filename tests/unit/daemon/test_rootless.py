"""An ordinary user's Docker: whose it is, what is told to it, and how its port is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath as Path
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.configure import Style, Wanted, configure, live_restore
from dockertls.daemon.control import listening, log_command, restart_commands
from dockertls.daemon.model import ANN, from_files, packaged_files
from dockertls.daemon.packaging import packaging
from dockertls.daemon.recognition import recognise
from dockertls.documents.passwd import User
from dockertls.errors import Refused
from dockertls.plan import Directory, File
from dockertls.platforms import BY_NAME

if TYPE_CHECKING:
    from dockertls.facts import HostFacts

ROOTLESS = BY_NAME["rootless"]
UNITS = Path("/home/ann/.config/systemd/user")
SERVICE, DROP_INS = UNITS / "docker.service", UNITS / "docker.service.d"
OWN = DROP_INS / "zz-dockertls.conf"
CONFIG = Path("/home/ann/.config/docker/daemon.json")
FOLDER = Path("/home/ann/.config/docker")
WANTED = Wanted(FOLDER / "ca.pem", FOLDER / "server-cert.pem", FOLDER / "server-key.pem")
BOB = User("bob", 1001, 1001, Path("/home/bob"))


def host(more: dict[Path, str] | None = None) -> HostFacts:
    return from_files(packaged_files(ROOTLESS) | (more or {}))


def flags(value: str) -> str:
    return f'[Service]\nEnvironment="DOCKERD_ROOTLESS_ROOTLESSKIT_FLAGS={value}"\n'


def written(facts: HostFacts, wanted: Wanted = WANTED) -> dict[Path, str]:
    plan = configure(facts, wanted).plan
    return {change.path: change.after.content.decode() for change in plan.changes if isinstance(change.after, File)}


def test_whose_it_is_and_where_its_files_lie() -> None:
    found = packaging(host())
    assert found.user == ANN
    assert (found.places.config, found.places.pem_dir, found.places.told_dir) == (CONFIG, FOLDER, FOLDER)
    assert found.local == "unix:///run/user/1000/docker.sock"
    assert not found.faults


def test_its_files_belong_to_the_owner_of_the_home() -> None:
    facts = host()
    facts = replace(facts, files={**facts.files, ANN.home: Directory(0o755, (1000, 100))})
    assert packaging(facts).places.owner == (1000, 100)
    after = [change.after for change in configure(facts, WANTED).plan.changes]
    assert {node.owner for node in after if isinstance(node, File | Directory)} == {(1000, 100)}


def test_the_local_socket_stays_and_the_port_is_forwarded_last() -> None:
    made = written(host())
    assert '"unix:///run/user/1000/docker.sock",\n    "tcp://0.0.0.0:2376"' in made[CONFIG]
    assert 'FLAGS=-p 0.0.0.0:2376:2376/tcp"' in made[OWN]
    assert list(made) == [CONFIG, OWN]


@pytest.mark.parametrize(
    ("listen", "forwarded"),
    [
        (("192.0.2.7",), "-p 192.0.2.7:2376:2376/tcp"),
        (("localhost",), "-p 127.0.0.1:2376:2376/tcp"),
        (("192.0.2.7", "192.0.2.8"), "-p 192.0.2.7:2376:2376/tcp -p 192.0.2.8:2376:2376/tcp"),
    ],
)
def test_an_address_of_the_host_is_rootlesskits_and_not_dockerds(listen: tuple[str, ...], forwarded: str) -> None:
    made = written(host(), replace(WANTED, listen=listen))
    assert '"tcp://0.0.0.0:2376"' in made[CONFIG]
    assert f"FLAGS={forwarded}" in made[OWN]
    after = host(made)
    assert not configure(after, replace(WANTED, listen=listen)).plan
    assert listening(after) == (listen[0].replace("localhost", "127.0.0.1"), 2376)


def test_flags_of_the_user_are_kept() -> None:
    facts = host({DROP_INS / "override.conf": flags("--ipv6  -p 127.0.0.1:8080:80/tcp")})
    made = written(facts)
    assert "FLAGS=--ipv6 -p 127.0.0.1:8080:80/tcp -p 0.0.0.0:2376:2376/tcp" in made[OWN]


@pytest.mark.parametrize(
    "value", ["-p 0.0.0.0:2376:2376/tcp", "--publish=0.0.0.0:2376:2376/tcp", "--ipv6 --publish 0.0.0.0:2376:2376/tcp"]
)
def test_a_port_that_is_forwarded_already_is_left_alone(value: str) -> None:
    assert list(written(host({DROP_INS / "override.conf": flags(value)}))) == [CONFIG]


def test_our_drop_in_goes_when_the_user_forwards_the_port_himself() -> None:
    facts = host(written(host()) | {DROP_INS / "override.conf": flags("-p 0.0.0.0:2376:2376/tcp")})
    change = next(change for change in configure(facts, WANTED).plan.changes if change.path == OWN)
    assert change.after is None


@pytest.mark.parametrize(
    ("value", "wanted", "told"),
    [
        ("-p 127.0.0.1:2376:2376/tcp", WANTED, "forwards 127.0.0.1:2376:2376/tcp"),
        ("-p 2376:80/tcp", WANTED, "forwards 2376:80/tcp"),
        ("--state-dir=%t/x", WANTED, "holds % or $"),
        ("", replace(WANTED, listen=("2001:db8::7",)), "only known to forward IPv4"),
    ],
)
def test_what_stands_against_forwarding_is_told(value: str, wanted: Wanted, told: str) -> None:
    facts = host({DROP_INS / "override.conf": flags(value)} if value else {})
    with pytest.raises(Refused) as caught:
        configure(facts, wanted)
    assert told in " ".join(fault.message for fault in caught.value.faults)


@pytest.mark.parametrize("style", [Style.SOCKET, Style.ENV, Style.DROP_IN])
def test_only_daemon_json_has_a_place_for_options(style: Style) -> None:
    with pytest.raises(Refused, match=f"style {style.value} does not work here"):
        configure(host(), replace(WANTED, style=style))


def test_hosts_on_the_command_line_are_refused_with_their_place() -> None:
    facts = host({SERVICE: "[Service]\nExecStart=/usr/bin/dockerd-rootless.sh -H unix:///x\n"})
    with pytest.raises(Refused, match=f"{SERVICE}:2 ExecStart gives -H unix:///x") as caught:
        configure(facts, WANTED)
    assert "drop-in" not in caught.value.hint


def test_more_flags_of_the_unit_are_dockerds() -> None:
    facts = host({SERVICE: "[Service]\nExecStart=/home/ann/bin/dockerd-rootless.sh --iptables=false\n"})
    found = packaging(facts)
    assert found.words == ("--iptables=false",)
    assert recognise(facts).id == "rootless"


def test_its_users_own_systemd_restarts_it() -> None:
    words = [" ".join(command.argv) for command in configure(host(), WANTED).plan.activation]
    assert words == [
        "systemctl --user daemon-reload",
        "systemctl --user reset-failed docker.service",
        "systemctl --user restart docker.service",
    ]
    assert restart_commands(host())[-1].argv[:2] == ("systemctl", "--user")
    log = log_command(host(), host().taken)
    assert log is not None
    assert log.argv[-2:] == ("--user-unit", "docker.service")


def test_live_restore_is_set_by_a_reload_of_his_own() -> None:
    plan = live_restore(host())
    assert [command.argv for command in plan.activation] == [("systemctl", "--user", "reload", "docker.service")]


def test_another_docker_comes_first() -> None:
    assert packaging(host(packaged_files(BY_NAME["debian"]))).user is None
    assert packaging(host(packaged_files(BY_NAME["snap"]))).user is None


def test_an_ordinary_user_means_his_own() -> None:
    both = host(packaged_files(BY_NAME["debian"]))
    assert packaging(replace(both, asker=1000)).user == ANN
    assert packaging(replace(both, asker=1001)).user is None


def test_several_users_with_a_docker_are_told() -> None:
    both = packaged_files(ROOTLESS) | packaged_files(ROOTLESS, user=BOB)
    both[Path("/etc/passwd")] = "".join(f"{u.name}:x:{u.uid}:{u.gid}::{u.home}:\n" for u in (ANN, BOB))
    found = packaging(from_files(both))
    assert "ann, bob" in found.faults[0].message
    assert packaging(replace(from_files(both), asker=1001)).user == BOB


def test_roots_home_holds_no_rootless_docker() -> None:
    root = User("root", 0, 0, Path("/root"))
    assert packaging(from_files(packaged_files(ROOTLESS, user=root))).user is None
