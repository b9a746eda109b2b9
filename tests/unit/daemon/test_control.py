from __future__ import annotations

import pytest

from dockertls.daemon.control import listening, restart_commands
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
