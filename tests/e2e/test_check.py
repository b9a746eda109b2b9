"""`check` as users call it: many endpoints, every format, from a list, passively, interrupted."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dockertls.probe.standin import stand_in
from tests.e2e.program import Place, Ran, command, environment, started
from tests.e2e.test_bad_input import refused, server

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from dockertls.probe.endpoint import Endpoint

NOBODY = "127.0.0.1:1"
PATIENCE = 60


@pytest.fixture
def daemon(house: Place) -> Iterator[Endpoint]:
    """What passes for the house's dockerd."""
    pair = [(house.store / f"servers/web1/current/{name}.pem").read_bytes() for name in ("cert", "key")]
    with stand_in((house.store / "ca/current/cert.pem").read_bytes(), *pair) as endpoint:
        yield endpoint


def files(house: Place) -> tuple[object, ...]:
    return ("--cert-path", house.root / "root/.docker")


def verdicts(ran: Ran, number: int = 0) -> dict[str, str]:
    found: list[dict[str, Any]] = ran.document["data"]["endpoints"][number]["findings"]
    return {one["id"]: one["verdict"] for one in found}


def test_every_finding_of_a_host_that_has_the_store(house: Place, daemon: Endpoint) -> None:
    ran = house.started("--json", "check", daemon.url)
    assert ran.code == 0
    odd = {name: verdict for name, verdict in verdicts(ran).items() if verdict != "passed"}
    assert odd == {"accepted-authorities": "unknown"}, "only dockerd names them"
    assert len(verdicts(ran)) == 19, "environment and contexts are the real host's, not the tree's"


def test_what_is_served_is_not_what_the_store_has_in_use(house: Place, daemon: Endpoint, tmp_path: Path) -> None:
    later = house.copied(tmp_path / "root")
    later.done("renew", "--all", "--yes")
    ran = later.started("--json", "check", daemon.url)
    assert ran.code == 1
    assert verdicts(ran)["served-is-current"] == "failed"


def test_a_client_elsewhere_has_no_store(house: Place, daemon: Endpoint, tmp_path: Path) -> None:
    ran = started("--store", tmp_path, "--json", "check", daemon.url, *files(house))
    assert ran.code == 0
    found = verdicts(ran)
    assert found["served-is-current"] == found["purpose-required"] == "not-applicable"
    assert found["stranger-refused"] == "passed"


def test_a_certificate_without_its_key_is_not_shown(house: Place, daemon: Endpoint, tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem"):
        (tmp_path / name).write_bytes((house.root / "root/.docker" / name).read_bytes())
    ran = house.started("--json", "check", daemon.url, "--cert-path", tmp_path)
    assert ran.code == 1
    causes = {one["id"]: one["cause"] for one in ran.document["data"]["endpoints"][0]["findings"]}
    assert "key.pem cannot be read" in causes["client-files"]
    assert "key.pem is missing" in causes["api"], "as docker has it: no certificate is shown then"


def test_a_list_of_endpoints(house: Place, daemon: Endpoint) -> None:
    port = daemon.port
    listed = f"# the lab\n127.0.0.1:{port}\n\nlocalhost:{port}   # twice, by another name\n127.0.0.1:{port}\n{NOBODY}\n"
    ran = house.started("--json", "check", "--from", "-", stdin=listed.encode())
    assert ran.code == 7
    codes = {one["endpoint"]: one["exit"] for one in ran.document["data"]["endpoints"]}
    assert codes == {f"tcp://127.0.0.1:{port}": 0, f"tcp://localhost:{port}": 0, f"tcp://{NOBODY}": 7}
    summary = ran.document["data"]["summary"]
    assert summary == {"endpoints": 3, "looked_at": 3, "good": 2, "failed": 0, "unreachable": 1}


def test_every_bad_line_is_told_at_once(house: Place, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("web1\nhttp://web2\n\nh:99999\n[::1\n")
    ran = house.run("check", "--from", tmp_path / "list")
    assert ran.code == 3
    assert all(f"line {number}" in ran.err for number in (2, 4, 5)), ran.err
    refused(house, 3, "check", "--from", "-", told="names no endpoint")
    refused(house, 4, "check", "--from", tmp_path / "none", told="none")


def test_of_a_list_that_is_none_the_first_lines_are_told(house: Place, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\x1b!\n" * 5000 + b"a!" * 50_000)
    ran = refused(house, 3, "check", "--from", tmp_path / "noise", told="5001 faults")
    lines = ran.err.splitlines()
    assert "  - and 4981 more" in lines
    assert sum(line.startswith("  - line ") for line in lines) == 20
    (tmp_path / "noise").write_bytes(b"a!" * 50_000)
    assert len(refused(house, 3, "check", "--from", tmp_path / "noise").err) < 500


def test_many_at_once(house: Place, daemon: Endpoint) -> None:
    """More than one process has a share; nobody is forgotten, and nobody is told twice."""
    listed = [f"127.0.{third}.{fourth}:1" for third in range(3) for fourth in range(1, 101)]
    text = "\n".join([*listed, f"127.0.0.1:{daemon.port}"])
    ran = house.started("--json", "check", "--jobs", "20", "--from", "-", stdin=text.encode())
    told = Counter(one["endpoint"] for one in ran.document["data"]["endpoints"])
    assert told == {f"tcp://{one}": 1 for one in text.splitlines()}
    assert (ran.code, ran.document["ok"]) == (7, False)


def test_more_jobs_than_files(house: Place) -> None:
    """What fails here for want of file descriptors would be told of endpoints that are well."""
    listed = "\n".join(f"127.0.1.{number}:1" for number in range(1, 251)).encode()
    limited = ("prlimit", "--nofile=320:320")
    ran = house.started("--json", "check", "--jobs", "1000", "--from", "-", stdin=listed, prefix=limited)
    causes = Counter(one["findings"][0]["cause"] for one in ran.document["data"]["endpoints"])
    assert causes == {"nothing listens on that port": 250}


def _hangs(caller: socket.socket) -> None:
    caller.settimeout(PATIENCE)
    while caller.recv(4096):
        pass


def test_who_hangs_costs_nobody_else_anything(house: Place, daemon: Endpoint) -> None:
    with server(_hangs) as port:
        hanging = [f"127.0.0.{number}:{port}" for number in range(1, 2)] + [f"localhost:{port}"]
        ran = house.started("--json", "check", "--timeout", "1", daemon.url, *hanging)
    found = {one["endpoint"]: one for one in ran.document["data"]["endpoints"]}
    assert found[daemon.url]["exit"] == 0
    assert {found[f"tcp://{one}"]["exit"] for one in hanging} == {7}


def test_in_tables(house: Place, daemon: Endpoint) -> None:
    ran = house.started("check", daemon.url, NOBODY)
    lines = ran.out.splitlines()
    assert f"tcp://{NOBODY}: 2 passed, 1 failed, 16 unknown" in lines
    assert "  reachable: failed: nothing listens on that port" in lines
    assert lines[-1] == "2 endpoints: 1 good, 1 not reached"
    assert ran.code == 7
    assert "\x1b" not in ran.out


def test_for_nagios(house: Place, daemon: Endpoint) -> None:
    unknown = house.started("check", "--format", "nagios", daemon.url)
    assert unknown.out.startswith("UNKNOWN - 1 endpoint: 1 unknown | days_left=39")
    assert unknown.code == 3
    ran = house.started("check", "--format", "nagios", daemon.url, NOBODY)
    first, second, *_ = ran.out.splitlines()
    assert first.startswith("CRITICAL - 2 endpoints: 1 critical, 1 unknown | days_left=39")
    assert ran.out.count(NOBODY) == 1, "what follows goes without saying"
    assert second == f"tcp://{NOBODY} reachable: failed: nothing listens on that port"
    assert ran.code == 2
    ended = house.started("check", "--format", "nagios", "--fail-days", "400", daemon.url)
    assert (ended.code, ended.out.split()[0]) == (2, "CRITICAL")


@pytest.mark.parametrize("words", [("tcp://",), ("--cert-path", "/nonexistent", NOBODY), ("--from", "/nonexistent")])
def test_what_keeps_a_plugin_from_looking_is_unknown(house: Place, words: tuple[str, ...]) -> None:
    ran = house.started("check", "--format", "nagios", *words)
    assert ran.code == 3
    assert ran.out.startswith("UNKNOWN - ")
    assert ran.out.count("\n") == 1


@pytest.mark.parametrize("words", [("check", NOBODY), ("inspect", NOBODY)])
def test_no_number_is_no_time(words: tuple[str, ...]) -> None:
    ran = started(*words, "--timeout", "nan")
    assert (ran.code, ran.out) == (2, "")
    assert "nan is not a number" in ran.err


def test_for_prometheus(house: Place, daemon: Endpoint) -> None:
    ran = house.started("check", "--format", "prometheus", daemon.url, NOBODY)
    assert ran.code == 7
    metrics = {family.name: family.samples for family in text_string_to_metric_families(ran.out)}
    failed = {one.labels["endpoint"]: one.value for one in metrics["dockertls_check_failed"]}
    assert failed == {daemon.url: 0, f"tcp://{NOBODY}": 1}
    mine = {one.labels["check"]: one.labels["verdict"] for one in metrics["dockertls_check_verdict"]
            if one.labels["endpoint"] == daemon.url}  # fmt: skip
    assert mine["stranger-refused"] == "passed"
    assert len(metrics["dockertls_check_certificate_not_after_seconds"]) == 1


@pytest.mark.parametrize("words", [("--format", "xml"), ("--watch",), ("--format", "nagios", "--watch")])
def test_what_does_not_go_together(house: Place, words: tuple[str, ...]) -> None:
    refused(house, 2, "check", *words, NOBODY)


def test_json_and_another_format(house: Place) -> None:
    ran = house.run("--json", "check", "--format", "nagios", NOBODY)
    assert (ran.code, ran.document["error"]["kind"]) == (2, "usage")


def test_an_error_message_from_a_pipe() -> None:
    said = b"$ docker version\nerror during connect: remote error: tls: bad certificate\n"
    ran = started("check", "--explain", "-", stdin=said)
    assert ran.code == 0
    assert ran.out.startswith("cause:")
    assert started("check", "--explain", "-").code == 2


def test_passive_asks_only_what_the_client_would(house: Place) -> None:
    """A client of dockerd never speaks plain HTTP here, and never comes without its certificate."""
    first: list[bytes] = []

    def note(caller: socket.socket) -> None:
        first.append(caller.recv(1))

    with server(note) as port:
        house.started("check", "--passive", f"127.0.0.1:{port}")
        passive = list(first)
        first.clear()
        house.started("check", f"127.0.0.1:{port}")
    assert set(passive) == {b"\x16"}
    assert b"G" in first, "without --passive it asks in plain text, too"
    assert len(passive) < len(first)


def test_passive_tells_what_was_not_asked(house: Place, daemon: Endpoint) -> None:
    ran = house.started("--json", "check", "--passive", daemon.url)
    assert ran.code == 0
    found = verdicts(ran)
    assert found["chain"] == found["api"] == found["tls-version"] == "passed"
    assert found["client-required"] == found["stranger-refused"] == found["plaintext-refused"] == "not-applicable"


@contextmanager
def interrupted(argv: list[str], port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()
    assert port


@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [1, 60])
def test_ctrl_c_ends_the_document(house: Place, count: int, interrupt: signal.Signals) -> None:
    called = threading.Event()

    def behave(caller: socket.socket) -> None:
        called.set()
        _hangs(caller)

    with server(behave) as port:
        argv = [*command("--store", house.store, "--json", "check", "--timeout", "60"), *map(str, files(house))]
        argv += [f"127.0.0.{number}:{port}" for number in range(1, count + 1)]
        with interrupted(argv, port) as process:
            assert called.wait(PATIENCE)
            process.send_signal(interrupt)
            out, err = process.communicate(timeout=PATIENCE)
    document = json.loads(out)
    assert process.returncode == 130
    assert (document["ok"], document["error"]["kind"]) == (False, "interrupted")
    assert "Traceback" not in err


def test_ctrl_c_takes_nothing_back_where_nothing_is_changed(house: Place) -> None:
    called = threading.Event()

    def behave(caller: socket.socket) -> None:
        called.set()
        _hangs(caller)

    with server(behave) as port:
        argv = command("--store", house.store, "check", "--timeout", "60", *files(house), f"127.0.0.1:{port}")
        with interrupted(argv, port) as process:
            assert called.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == "dockertls: interrupted\n  nothing was changed\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("check",), ("--json", "check"), ("check", "--format", "nagios")])
@pytest.mark.parametrize(("into", "told"), [(">/dev/full", "No space left"), (">&-", "is closed")])
def test_standard_output_that_takes_nothing(
    house: Place, words: tuple[str, ...], into: str, told: str, unbuffered: str
) -> None:
    argv = ["sh", "-c", f'exec "$@" {into}', "sh", *command(*words, NOBODY, *files(house))]
    variables = environment() | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(argv, env=variables, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 4
    assert told in done.stderr
    assert "bug" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_view_that_refreshes(house: Place, daemon: Endpoint) -> None:
    master, slave = pty.openpty()
    argv = [*command("--store", house.store, "check", "--watch", daemon.url, NOBODY), *map(str, files(house))]
    process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment({"COLUMNS": "80"}))
    os.close(slave)
    seen = b""
    while seen.count(b"Ctrl-C ends it") < 2:
        seen += os.read(master, 4096)
    process.send_signal(signal.SIGINT)
    with open(master, "rb", buffering=0, closefd=True) as terminal:  # noqa: PTH123 - a terminal, by its number
        assert process.wait(PATIENCE) == 7
        assert terminal
    assert b"2 endpoints: 1 critical, 1 unknown" in seen
    assert b"nothing listens" in seen
    assert seen.index(b"CRITICAL") < seen.index(b"UNKNOWN"), "the worst stands on top"
