"""Styles `socket` and `drop-in`: what is written, in which order, and what stands in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath as Path

import pytest

from dockertls.daemon.configure import Style, Wanted, configure
from dockertls.daemon.control import CLOSE_LISTENER, listening
from dockertls.daemon.effective import problems
from dockertls.daemon.units import GUARD_DROP_IN
from dockertls.errors import Refused
from dockertls.plan import Change, Directory, Link
from tests.unit.daemon.test_configure import (
    DEFAULT,
    DROP_IN,
    DROP_INS,
    ENV,
    FLAGS,
    HOST,
    JSON,
    LISTENER,
    SERVICE_DROP_IN,
    SOCKET,
    WANTED,
    environment,
    texts,
    tree,
)

MACHINE = (
    "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock"
    " --storage-driver overlay2 --tlsverify --tlscacert /etc/docker/other.pem --tlscert /etc/docker/server.pem"
    " --tlskey /etc/docker/server-key.pem --label provider=generic\n"
)
"""What docker-machine leaves as 10-machine.conf."""


def listener(text: str | None) -> list[str]:
    assert text
    assert text.startswith("# By dockertls: ")
    return text.splitlines()[2:]


def written(platform: str, wanted: Wanted, more: dict[Path, str] | None = None) -> dict[Path, str]:
    return {path: text for path, text in texts(tree(platform, more), wanted).items() if text is not None}


# socket


def test_the_flags_go_where_the_unit_reads_them_and_systemd_listens() -> None:
    found = texts(tree("debian", environment("--icc=false")), SOCKET)
    assert list(found) == [DEFAULT, GUARD_DROP_IN, LISTENER]
    assert f'DOCKER_OPTS="--icc=false {FLAGS}"' in (found[DEFAULT] or "")
    assert listener(found[LISTENER]) == ["ListenStream=2376", "BindIPv6Only=both"]
    assert "ExecStart=" not in (found[GUARD_DROP_IN] or "")


def test_where_no_file_is_read_the_flags_go_to_the_command_line() -> None:
    found = texts(tree("docker-ce"), SOCKET)
    assert list(found) == [SERVICE_DROP_IN, GUARD_DROP_IN, LISTENER]
    assert (found[SERVICE_DROP_IN] or "").splitlines()[-2:] == [
        "ExecStart=",
        f"ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock {FLAGS}",
    ]


@pytest.mark.parametrize(
    ("listen", "lines"),
    [
        (("0.0.0.0",), ["ListenStream=2376", "BindIPv6Only=both"]),  # noqa: S104 - every address
        (("::",), ["ListenStream=2376", "BindIPv6Only=both"]),
        (("192.0.2.8",), ["ListenStream=192.0.2.8:2376", "FreeBind=yes"]),
        (("127.0.0.1", "::1"), ["ListenStream=127.0.0.1:2376", "ListenStream=[::1]:2376", "FreeBind=yes"]),
        (("localhost",), ["ListenStream=127.0.0.1:2376", "FreeBind=yes"]),
    ],
)
def test_addresses_are_written_as_systemd_reads_them(listen: tuple[str, ...], lines: list[str]) -> None:
    wanted = replace(SOCKET, listen=listen)
    facts = tree("debian", files := written("debian", wanted))
    assert listener(files[LISTENER]) == lines
    assert not configure(facts, wanted).plan
    assert problems(facts) == ()


def test_the_listener_gets_its_name_last_and_loses_it_first() -> None:
    plan = configure(tree("docker-ce"), SOCKET).plan
    last = [change for change in plan.changes if not isinstance(change.after, Directory)][-1]
    assert (last.path, last.back) == (LISTENER, CLOSE_LISTENER)
    folder = next(change for change in plan.changes if change.path == LISTENER.parent)
    assert plan.changes.index(folder) == plan.changes.index(last) - 1, "a new folder brings what is in it"
    first = plan.inverse().changes[0]
    assert (first.path, first.after, first.then) == (LISTENER, None, CLOSE_LISTENER)


def test_hosts_of_daemon_json_and_of_flags_are_systemds_now() -> None:
    more = {JSON: json.dumps({"hosts": ["tcp://0.0.0.0:2375", "unix:///x"], "debug": True}), **environment(HOST)}
    override = {DROP_INS / "10.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd $DOCKER_OPTS\n"}
    found = texts(tree("debian", more), SOCKET)
    assert json.loads(found[JSON] or "") == {"debug": True}
    assert f'DOCKER_OPTS="-H unix:///x {FLAGS}"' in (found[DEFAULT] or "")
    with pytest.raises(Refused, match=r"10.conf:3 ExecStart does not take its listeners from docker.socket"):
        configure(tree("debian", more | override), SOCKET)


@pytest.mark.parametrize("platform", ["alpine", "sysv-debian"])
def test_without_systemd_there_is_no_such_style(platform: str) -> None:
    for wanted in (SOCKET, DROP_IN):
        with pytest.raises(Refused, match="systemd does not start dockerd"):
            configure(tree(platform), wanted)


def test_without_a_socket_unit_there_is_no_such_style() -> None:
    masked = {Path("/etc/systemd/system/docker.socket"): ""}
    with pytest.raises(Refused, match=r"there is no docker.socket in force"):
        configure(tree("debian", masked), SOCKET)


@pytest.mark.parametrize("away", [Style.ENV, Style.JSON, Style.DROP_IN])
@pytest.mark.parametrize("platform", ["debian", "docker-ce"])
def test_from_socket_to_another_style_and_back(platform: str, away: Style) -> None:
    if (platform, away) == ("docker-ce", Style.ENV):
        return
    first = written(platform, SOCKET)
    changed = texts(tree(platform, first), replace(WANTED, style=away))
    assert next(iter(changed)) == LISTENER
    assert changed[LISTENER] is None
    second = {path: text for path, text in {**first, **changed}.items() if text is not None}
    assert not configure(tree(platform, second), WANTED).plan, "what works is kept"
    last = texts(tree(platform, second), SOCKET)
    assert list(last)[-1] == LISTENER
    third = {path: text for path, text in {**second, **last}.items() if text is not None}
    assert {path: text for path, text in third.items() if text != "{}\n"} == first


def test_a_port_that_docker_socket_opens_for_somebody_is_left_alone_or_told() -> None:
    theirs = LISTENER.with_name("theirs.conf")
    same = tree("debian", {theirs: "[Socket]\nListenStream=2376\n"})
    assert LISTENER not in texts(same, SOCKET)
    assert GUARD_DROP_IN in texts(same, SOCKET), "it opens a port, whoever wished it"
    assert HOST not in (texts(same, ENV)[DEFAULT] or "")
    other = tree("debian", {theirs: "[Socket]\nListenStream=192.0.2.1:2376\n"})
    with pytest.raises(Refused, match=r"theirs.conf:2 ListenStream opens tcp://192.0.2.1:2376"):
        configure(other, SOCKET)


def test_where_the_daemon_listens_is_known() -> None:
    assert listening(tree("debian", written("debian", SOCKET))) == ("127.0.0.1", 2376)
    elsewhere = replace(SOCKET, listen=("192.0.2.8",), port=1)
    assert listening(tree("debian", written("debian", elsewhere))) == ("192.0.2.8", 1)


def test_a_listener_whose_tls_is_gone_is_a_problem_and_is_mended() -> None:
    files = written("debian", SOCKET)
    open_wide = tree("debian", {**files, DEFAULT: ""})
    assert any("dockertls.conf:3 ListenStream) has no TLS: whoever" in fault.message for fault in problems(open_wide))
    found = texts(open_wide, WANTED)
    assert list(found) == [DEFAULT]


# drop-in


def test_the_command_line_keeps_its_program_its_flags_and_its_variable() -> None:
    found = texts(tree("debian", environment(f"-D {HOST} {FLAGS} --label a=b")), DROP_IN)
    assert list(found) == [SERVICE_DROP_IN, DEFAULT]
    assert found[DEFAULT] == '# mine\nDOCKER_OPTS="-D --label a=b"\nX=1\n'
    assert (found[SERVICE_DROP_IN] or "").splitlines()[-1] == (
        f"ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS {HOST} {FLAGS}"
    )


def test_what_docker_machine_left_is_replaced_where_it_is_asked_for() -> None:
    facts = tree("docker-ce", {DROP_INS / "10-machine.conf": MACHINE})
    with pytest.raises(Refused) as caught:
        configure(facts, WANTED)
    assert "--style drop-in" in caught.value.faults[0].hint
    found = texts(facts, DROP_IN)
    assert list(found) == [SERVICE_DROP_IN]
    assert (found[SERVICE_DROP_IN] or "").splitlines()[-1] == (
        "ExecStart=/usr/bin/dockerd -H unix:///var/run/docker.sock --storage-driver overlay2"
        f" --label provider=generic {HOST} {FLAGS}"
    )


def test_specifiers_prefixes_and_quotes_stay_as_they_are() -> None:
    line = 'ExecStart=-@/usr/sbin/dockerd docker -H fd:// --label "a=b c" --label=%H ${X} $DOCKER_OPTS'
    drop_in = f"[Service]\nExecStart=\n{line}\n"
    found = texts(tree("debian", {DROP_INS / "10.conf": drop_in, DEFAULT: "X=--debug\n"}), DROP_IN)
    assert (found[SERVICE_DROP_IN] or "").splitlines()[-1] == f"{line} {HOST} {FLAGS}"


def test_a_flag_in_another_variable_cannot_be_replaced() -> None:
    line = "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// $OTHER $DOCKER_OPTS\n"
    facts = tree("debian", {DROP_INS / "10.conf": line, DEFAULT: "OTHER='-H tcp://0.0.0.0:2375'\n"})
    with pytest.raises(Refused) as caught:
        configure(facts, DROP_IN)
    assert "OTHER gives -H tcp://0.0.0.0:2375" in caught.value.faults[0].message
    assert "--style" not in caught.value.faults[0].hint


def changes(wanted: Wanted) -> tuple[Change, ...]:
    return configure(tree("debian"), wanted).plan.changes


def test_only_a_new_listener_is_closed_on_the_way_back() -> None:
    assert [change.path for change in changes(SOCKET) if change.back] == [LISTENER]
    assert not [change for change in changes(ENV) if change.back or change.then]
    other_port = configure(tree("debian", written("debian", SOCKET)), replace(SOCKET, port=2377)).plan
    assert [(change.path, change.back) for change in other_port.changes] == [(LISTENER, ())]


def test_a_generated_environment_file_is_never_edited() -> None:
    drop_in = "[Service]\nEnvironmentFile=-/run/flannel/docker\n"
    facts = tree(
        "debian", {DROP_INS / "flannel.conf": drop_in, Path("/run/flannel/docker"): "DOCKER_OPTS=--bip=192.0.2.1/24\n"}
    )
    found = texts(facts, SOCKET)
    assert list(found) == [SERVICE_DROP_IN, GUARD_DROP_IN, LISTENER]


def test_an_own_drop_in_that_is_no_file_is_told() -> None:
    facts = tree("debian")
    masked = replace(facts, files={**facts.files, LISTENER: Link("/dev/null")}, links={LISTENER: Path("/dev/null")})
    with pytest.raises(Refused, match="it is not a file"):
        configure(replace(masked, files={**masked.files, Path("/dev/null"): Directory()}), SOCKET)
