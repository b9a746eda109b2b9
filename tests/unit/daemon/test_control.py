from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dockertls.daemon.control import complaints, listening, log_command, restart_commands
from dockertls.daemon.model import as_packaged
from dockertls.platforms import BY_NAME

TLS = "--tlsverify --tlscacert=/c --tlscert=/d --tlskey=/e"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (f"-H tcp://0.0.0.0:2376 {TLS}", ("127.0.0.1", 2376)),
        (f"-H tcp://[::]:2377 {TLS}", ("127.0.0.1", 2377)),
        (f"-H tcp://192.0.2.7:2376 {TLS}", ("192.0.2.7", 2376)),
        (f"-H tcp://[2001:db8::7]:2376 {TLS}", ("2001:db8::7", 2376)),
        (f"-H tcp://localhost:2376 {TLS}", ("localhost", 2376)),
        ("-H tcp://0.0.0.0:2375", None),
        (f"-H unix:// {TLS}", None),
        ("", None),
    ],
)
def test_where_a_daemon_listens_with_tls(options: str, where: tuple[str, int] | None) -> None:
    assert listening(as_packaged(BY_NAME["debian"], options)) == where


@pytest.mark.parametrize(
    ("packaging", "last"),
    [
        ("debian", ("systemctl", "restart", "docker.service")),
        ("alpine", ("rc-service", "docker", "restart")),
        ("sysv-debian", ("service", "docker", "restart")),
    ],
)
def test_what_restarts_it(packaging: str, last: tuple[str, ...]) -> None:
    assert restart_commands(as_packaged(BY_NAME[packaging]))[-1].argv == last


def test_failures_are_forgotten_before_a_restart_and_units_are_read_anew_only_if_they_changed() -> None:
    facts = as_packaged(BY_NAME["debian"])
    assert [command.argv[1] for command in restart_commands(facts)] == ["reset-failed", "restart"]
    changed = restart_commands(facts, units_changed=True)
    assert [command.argv[1] for command in changed] == ["daemon-reload", "reset-failed", "restart"]
    assert [command.tolerated for command in changed] == [False, True, False]


SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_where_dockerds_log_is() -> None:
    command = log_command(as_packaged(BY_NAME["debian"], ""), SINCE)
    assert command is not None
    assert command.argv[0] == "journalctl"
    assert "@1772366400" in command.argv
    assert log_command(as_packaged(BY_NAME["alpine"], ""), SINCE) is None


def entry(who: str, text: str) -> str:
    return json.dumps({"SYSLOG_IDENTIFIER": who, "MESSAGE": text}) + "\n"


def test_what_a_log_complains_of() -> None:
    in_use = "failed to load listeners: listen tcp 0.0.0.0:2376: bind: address already in use"
    log = (
        entry("dockerd", 'time="2026-03-01T12:00:01Z" level=info msg="Starting up"')
        + entry("dockerd", 'time="2026-03-01T12:00:01Z" level=warning msg="no blkio"')
        + entry("dockerd", "")
        + entry("dockerd", in_use)
        + entry("systemd", "docker.service: Main process exited, code=exited, status=1/FAILURE")
        + entry("dockerd", in_use)
        + entry("dockerd", 'time="2026-03-01T12:00:03Z" level=fatal msg="\x1b[31mover"')
        + "no entry\n"
    )
    told, fatal = complaints(log)
    assert told == f"dockerd: {in_use}"
    assert fatal.startswith("dockerd: time=")
    assert "\x1b" not in fatal


def test_what_systemd_says_of_a_socket_is_told() -> None:
    taken = "docker.socket: Failed to create listening socket ([::]:2376): Address already in use"
    log = entry("systemd", "Starting Docker Socket") + entry("systemd", taken) + entry("sh", "DOCKER_OPTS lacks it")
    assert complaints(log) == (f"systemd: {taken}", "systemd: DOCKER_OPTS lacks it")


def test_a_log_without_complaints() -> None:
    quiet = (
        'time="2026-03-01T12:00:01Z" level=info msg="API listen on /run/docker.sock"',
        "http: TLS handshake error from 127.0.0.1:37038: tls: client didn't provide a certificate",
        "2026/11/24 05:58:38 http: TLS handshake error from 127.0.0.1:53420: tls: client didn't provide a certificate",
    )
    assert complaints("".join(entry("dockerd", line) for line in quiet)) == ()
