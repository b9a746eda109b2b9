"""What looks see of servers of every kind, and which finding fails there."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from dockertls.errors import Refused, Unreachable
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, load_certificates, private_pem
from dockertls.pki.profiles import CLIENT, SERVER
from dockertls.probe import api
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.grade import grade
from dockertls.probe.handshake import look, plaintext, verify_chain
from dockertls.probe.observation import ClientMaterial, Outcome, PlainOutcome
from dockertls.probe.observing import observe
from dockertls.probe.standin import stand_in
from dockertls.probe.stranger import stranger
from dockertls.probe.wire import MOST_BYTES
from tests.unit.probe.asking import ask, get

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockertls.findings import Verdict
    from dockertls.probe.observation import Observation
    from tests.unit.probe.conftest import Behaviour, Https, Serve, World

TIMEOUT = 5.0
SHORT = 0.3
NAMES_NOBODY = "accepted-authorities"
"""Python's servers have no way to name whom they let in; tests with dockerd ask it."""


def judged(endpoint: Endpoint, world: World, *, timeout: float = TIMEOUT) -> dict[str, Verdict]:
    return verdicts_of(observe(endpoint, world.good, world.visitors(), timeout=timeout), world)


def verdicts_of(seen: Observation, world: World) -> dict[str, Verdict]:
    roots, now, client = load_certificates(world.good.ca), datetime.now(UTC), load_certificates(world.good.cert or b"")
    found = grade(seen, roots, now=now, warn=timedelta(days=30), fail=timedelta(days=7), client=client)
    return {one.id: one.verdict for one in found if one.id != NAMES_NOBODY}


def failing(verdicts: dict[str, Verdict]) -> set[str]:
    return {name for name, verdict in verdicts.items() if isinstance(verdict, Failed)}


def not_passed(verdicts: dict[str, Verdict]) -> dict[str, type[Verdict]]:
    return {name: type(verdict) for name, verdict in verdicts.items() if not isinstance(verdict, Passed)}


def test_the_stand_in_passes_everything(world: World) -> None:
    with stand_in(world.server.ca, world.server.cert or b"", world.server.key or b"") as endpoint:
        verdicts = judged(endpoint, world)
        assert not_passed(verdicts) == {"served-is-current": NotApplicable}
    with pytest.raises(ConnectionRefusedError), socket.create_connection((endpoint.host, endpoint.port)):
        pass


def test_the_stand_in_knows_two_paths_and_refuses_a_server_as_client(world: World) -> None:
    with stand_in(world.server.ca, world.server.cert or b"", world.server.key or b"") as endpoint:
        assert get(endpoint, world.good, "/info")[0] == 404
        assert json.loads(get(endpoint, world.good, "/version")[1]) == {
            "Version": "stand-in",
            "ApiVersion": "1.41",
            "MinAPIVersion": "1.24",
            "Os": "linux",
        }
        for version in ("TLSv1.2", "TLSv1.3"):
            assert look(endpoint, world.server, version=version, timeout=TIMEOUT).alert == "unsupported_certificate"


def test_a_stranger_of_the_real_kind_is_refused(world: World) -> None:
    rogue = stranger(now=datetime.now(UTC), serials=(2**158 + 5, 2**158 + 6))
    assert "PRIVATE" not in repr(rogue)
    with stand_in(world.server.ca, world.server.cert or b"", world.server.key or b"") as endpoint:
        seen = {look(endpoint, rogue, version="TLSv1.3", timeout=TIMEOUT) for _ in range(20)}
    assert {(one.outcome, one.alert) for one in seen} == {(Outcome.REFUSED_AFTER_HANDSHAKE, "unknown_ca")}


def test_no_client_certificate_is_asked_for(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.server, ask=ssl.CERT_NONE)), world)
    assert failing(verdicts) == {"client-required", "stranger-refused", "purpose-required"}


def test_a_client_certificate_is_asked_for_and_not_required(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.server, ask=ssl.CERT_OPTIONAL)), world)
    assert failing(verdicts) == {"client-required"}


def test_any_authority_is_trusted(world: World, serve: Serve, https: Https) -> None:
    trusting = https(world.server, trust=world.ours.pem + world.theirs.pem)
    assert failing(judged(serve(trusting), world)) == {"stranger-refused"}


def test_our_own_authority_is_not_trusted(world: World, serve: Serve, https: Https) -> None:
    nobody = stranger(now=world.ours.now, serials=(7, 8))
    verdicts = judged(serve(https(world.server, trust=nobody.ca)), world)
    assert failing(verdicts) == {"api"}
    for name in ("client-required", "stranger-refused"):
        verdict = verdicts[name]
        assert isinstance(verdict, Unknown)
        assert verdict.reason.count("your own certificate is not let in either") == 2
        assert "TLSv1.2" in verdict.reason


def test_the_server_is_another_authoritys(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.their_server(), trust=world.ours.pem)), world)
    assert failing(verdicts) == {"chain", "api"}


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        ((x509.DNSName("web1"),), "doesn't contain any IP SANs"),
        ((x509.IPAddress(ip_address("127.0.0.2")),), "not for 127.0.0.1"),
        ((x509.DNSName("127.0.0.1"),), "as a DNS name"),
    ],
)
def test_another_name(
    world: World, serve: Serve, https: Https, names: tuple[x509.GeneralName, ...], cause: str
) -> None:
    verdicts = judged(serve(https(world.served(names=names))), world)
    assert failing(verdicts) == {"name", "api"}
    assert isinstance(verdicts["name"], Failed)
    assert cause in verdicts["name"].cause


def test_an_expired_server(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.served(days=30, ago=60))), world)
    assert failing(verdicts) == {"expiry", "api"}


@pytest.mark.parametrize(("days", "kind"), [(5, Failed), (20, Warned), (90, Passed)])
def test_a_server_that_expires_soon(world: World, serve: Serve, https: Https, days: int, kind: type[Verdict]) -> None:
    assert isinstance(judged(serve(https(world.served(days=days))), world)["expiry"], kind)


def test_a_server_with_a_clients_certificate(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.served(CLIENT))), world)
    assert failing(verdicts) == {"purpose", "api"}


def test_a_key_that_is_too_short_is_looked_at_all_the_same(world: World, serve: Serve, https: Https) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is what must be found
    names = (x509.IPAddress(ip_address("127.0.0.1")),)
    weak = issue(Request(SERVER, "weak", names), key, world.ours.root, now=world.ours.now, serial=9)
    shown = ClientMaterial(world.ours.pem, certificate_pem([weak.certificate]), private_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ssl.SSLError, match="EE_KEY_TOO_SMALL"):
        api.load_pair(context, shown.cert, shown.key)
    verdicts = judged(serve(https(shown)), world)
    assert isinstance(verdicts["stranger-refused"], Passed)
    assert not isinstance(verdicts["key-strength"], Passed)


@pytest.mark.parametrize("only", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_one_version_of_tls_is_enough(world: World, serve: Serve, https: Https, only: ssl.TLSVersion) -> None:
    verdicts = judged(serve(https(world.server, lowest=only, highest=only)), world)
    assert not_passed(verdicts) == {"served-is-current": NotApplicable}
    assert isinstance(verdicts["tls-version"], Passed)
    assert sum("not spoken" in one.seen for one in verdicts["tls-version"].evidence) == 1


def test_a_server_without_tickets(world: World, serve: Serve, https: Https) -> None:
    verdicts = judged(serve(https(world.server, tickets=0)), world)
    assert failing(verdicts) == set()
    assert isinstance(verdicts["stranger-refused"], Passed)


def test_http_refuses_where_tls_does_not(world: World, serve: Serve, https: Https) -> None:
    """As a proxy does, which lets everybody in and answers 403 to those without a certificate."""
    forbidden = https(world.server, ask=ssl.CERT_NONE, status="403 Forbidden")
    verdicts = judged(serve(forbidden), world)
    assert isinstance(verdicts["client-required"], Unknown), "nobody is let in: that proves nothing"
    assert "api" in failing(verdicts)


def test_plain_http(world: World, serve: Serve) -> None:
    def behave(caller: socket.socket) -> None:
        asked = caller.recv(4096)
        caller.sendall(
            b"HTTP/1.1 200 OK\r\n\r\nOK" if asked.startswith(b"GET ") else b"HTTP/1.1 400 Bad Request\r\n\r\n"
        )

    verdicts = judged(serve(behave), world)
    assert failing(verdicts) == {"tls-version", "plaintext-refused", "api"}
    assert isinstance(verdicts["client-required"], NotApplicable)
    assert isinstance(verdicts["tls-version"], Failed)
    assert "without it" in verdicts["tls-version"].cause


def _closes(_: socket.socket) -> None:
    """Say nothing and go."""


def _resets(caller: socket.socket) -> None:
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def _garbage(caller: socket.socket) -> None:
    caller.recv(1)
    caller.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\x1b[31mred")


def _noise(caller: socket.socket) -> None:
    caller.recv(1)
    caller.sendall(os.urandom(300_000))


def _broken_record(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"\x16\x03\x03\xff\xff" + bytes(200_000))


def _endless_hello(caller: socket.socket) -> None:
    caller.recv(4096)
    record = b"\x16\x03\x03\x40\x00"
    caller.sendall(record + b"\x02\xff\xff\xff" + bytes(0x4000 - 4))
    for _ in range(100):
        caller.sendall(record + bytes(0x4000))


def _warnings(caller: socket.socket) -> None:
    caller.recv(4096)
    caller.sendall(b"\x15\x03\x03\x00\x02\x01\x70" * 200)


@pytest.mark.parametrize("behave", [_closes, _resets, _garbage, _noise, _broken_record, _endless_hello, _warnings])
def test_what_is_no_daemon_is_never_fine(world: World, serve: Serve, behave: Behaviour) -> None:
    verdicts = judged(serve(behave), world)
    assert isinstance(verdicts["reachable"], Passed)
    assert isinstance(verdicts["tls-version"], Failed)
    assert isinstance(verdicts["api"], Failed)
    told = ("reachable", "tls-version", "api", "plaintext-port-closed")
    rest = {name: verdict for name, verdict in verdicts.items() if name not in told}
    assert {type(verdict) for verdict in rest.values()} <= {Unknown, NotApplicable}
    assert "\x1b" not in str(verdicts)


@pytest.mark.parametrize("says", [b"", b"too late"])
def test_a_reset_before_the_handshake_leaves_nothing_open(says: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        plain = socket.create_connection(server.getsockname(), timeout=TIMEOUT)
        caller, _ = server.accept()
        with caller:
            caller.sendall(says)
            _resets(caller)
    select.select([plain], [], [], TIMEOUT)
    with pytest.raises(ConnectionResetError):
        api.bare_context().wrap_socket(plain, server_hostname="daemon")
    assert plain.fileno() == -1, "it was handed over, and closed there: an open one fails this test by its warning"


def test_garbage_is_told_from_tls(world: World, serve: Serve) -> None:
    seen = look(serve(_garbage), world.good, version="TLSv1.3", timeout=TIMEOUT)
    assert (seen.outcome, seen.answer[:8]) == (Outcome.NOT_TLS, b"SSH-2.0-")


def test_a_flood_is_not_drunk(world: World, serve: Serve) -> None:
    seen = look(serve(_endless_hello), world.good, version="TLSv1.2", timeout=TIMEOUT)
    assert seen.outcome is Outcome.UNACCEPTABLE
    answer = plaintext(serve(_noise), timeout=TIMEOUT)
    assert len(answer.answer) <= 200 < MOST_BYTES


def _waits(done: threading.Event) -> Behaviour:
    def behave(_: socket.socket) -> None:
        done.wait(TIMEOUT)

    return behave


def test_a_server_that_never_answers(world: World, serve: Serve) -> None:
    done = threading.Event()
    verdicts = judged(serve(_waits(done)), world, timeout=SHORT)
    done.set()
    assert failing(verdicts) == {"reachable", "api"}
    assert isinstance(verdicts["tls-version"], Unknown)
    assert isinstance(verdicts["plaintext-refused"], Unknown)


@pytest.mark.parametrize("start", [b"\x16\x03\x03\x40\x00", b"HTTP/1.1 2"])
def test_a_drip_does_not_extend_the_time(world: World, serve: Serve, start: bytes) -> None:
    sent: list[int] = []

    def drip(caller: socket.socket) -> None:
        caller.recv(4096)
        for byte in start + bytes(300):
            caller.sendall(bytes([byte]))
            sent.append(byte)
            time.sleep(0.02)

    endpoint = serve(drip)
    look(endpoint, world.good, version="TLSv1.3", timeout=SHORT)
    plaintext(endpoint, timeout=SHORT)
    with pytest.raises(Unreachable):
        ask(endpoint, world.good, timeout=SHORT)
    assert len(sent) < 300, "each look gave up long before the drip was over"


def test_nothing_listens(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = Endpoint("127.0.0.1", free.getsockname()[1])
    verdicts = judged(endpoint, world)
    assert failing(verdicts) == {"reachable"}
    told = ("reachable", "plaintext-port-closed")
    assert {type(verdict) for name, verdict in verdicts.items() if name not in told} == {Unknown}
    assert isinstance(verdicts["reachable"], Failed)
    assert verdicts["reachable"].cause == "nothing listens on that port"


def test_a_name_that_nobody_knows(world: World) -> None:
    verdicts = judged(Endpoint("no-such-host.invalid"), world)
    assert failing(verdicts) == {"reachable"}
    assert isinstance(verdicts["reachable"], Failed)
    assert "resolver" in verdicts["reachable"].cause


def test_a_chain_that_verifies_though_the_client_is_refused(world: World, serve: Serve, https: Https) -> None:
    endpoint = serve(https(world.server))
    seen = verify_chain(endpoint, world.stranger.ca, timeout=TIMEOUT)
    assert (seen.outcome, seen.verify_code) == (Outcome.UNACCEPTABLE, 19 if len(seen.chain) > 1 else 20)
    assert verify_chain(endpoint, world.good.ca, timeout=TIMEOUT).verify_code == 0


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_chain_is_seen_even_where_the_client_is_refused(
    world: World, serve: Serve, https: Https, version: str
) -> None:
    seen = look(serve(https(world.server)), world.stranger, version=version, timeout=TIMEOUT)  # type: ignore[arg-type]  # parametrize knows no literals
    (leaf,) = load_certificates(world.server.cert or b"")
    assert x509.load_der_x509_certificate(seen.chain[0]) == leaf


@pytest.mark.parametrize(
    ("cert", "key"),
    [(b"", b""), (b"garbage", b"garbage"), (None, None)],
)
def test_own_files_that_cannot_be_used(
    world: World, serve: Serve, https: Https, cert: bytes | None, key: bytes | None
) -> None:
    broken = ClientMaterial(
        world.good.ca, world.good.cert if cert is None else cert, world.stranger.key if key is None else key
    )
    endpoint = serve(https(world.server))
    assert look(endpoint, broken, version="TLSv1.3", timeout=TIMEOUT).outcome is Outcome.UNUSABLE
    seen = observe(endpoint, broken, world.visitors(), timeout=TIMEOUT)
    found = grade(seen, (), now=datetime.now(UTC), warn=timedelta(), fail=timedelta())
    assert {one.id for one in found if isinstance(one.verdict, Passed)}.isdisjoint(
        {"client-required", "stranger-refused"}
    )


def test_a_name_whose_first_address_does_not_listen(world: World) -> None:
    with stand_in(world.server.ca, world.server.cert or b"", world.server.key or b"") as endpoint:
        verdicts = judged(replace(endpoint, host="localhost"), world)
    assert not_passed(verdicts) == {"served-is-current": NotApplicable}


def test_a_ca_file_without_certificates(world: World, serve: Serve, https: Https) -> None:
    endpoint = serve(https(world.server))
    assert verify_chain(endpoint, b"", timeout=TIMEOUT).outcome is Outcome.UNUSABLE


def test_nothing_of_a_key_stays_on_disk(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delattr(os, "memfd_create")
    modes: list[int] = []
    original = ssl.SSLContext.load_cert_chain

    def watched(context: ssl.SSLContext, cert: str, key: str, password: bytes) -> None:
        modes.extend(os.stat(one).st_mode & 0o777 for one in (cert, key))  # noqa: PTH116 - text all the way
        original(context, cert, key, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    api.load_pair(api.bare_context(), world.good.cert, world.good.key)
    assert modes == [0o600, 0o600]
    assert os.listdir(str(tmp_path)) == []  # noqa: PTH208 - text all the way


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n", PlainOutcome.REFUSED),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>",
            PlainOutcome.REFUSED,
        ),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nbad request\n", PlainOutcome.BAD_REQUEST),
        (b"\x15\x03\x01\x00\x02\x02\x46", PlainOutcome.ALERT),
        (b"HTTP/1.1 200 OK\r\n\r\nOK", PlainOutcome.ANSWERED),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", PlainOutcome.ANSWERED),
        (b"SSH-2.0-x", PlainOutcome.GARBAGE),
        (b"", PlainOutcome.CLOSED),
    ],
)
def test_plain_answers(serve: Serve, answer: bytes, outcome: PlainOutcome) -> None:
    def behave(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(answer)

    assert plaintext(serve(behave), timeout=TIMEOUT).outcome is outcome


@contextlib.contextmanager
def unix(place: Path, *parts: bytes) -> Iterator[PurePosixPath]:
    """A unix socket where one caller gets an answer in parts, with a moment between them."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()

        def answer() -> None:
            caller, _ = listener.accept()
            with caller, contextlib.suppress(OSError):
                caller.recv(4096)
                for part in parts:
                    caller.sendall(part)
                    time.sleep(0.02)

        thread = threading.Thread(target=answer)
        thread.start()
        yield PurePosixPath(place)
        thread.join()


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n",
    b'4\r\n{"a"\r\n2\r\n:1\r\n1\r\n}\r\n0\r\n\r\n',
)


def test_a_unix_socket(tmp_path: Path) -> None:
    with unix(tmp_path / "d.sock", *CHUNKED) as place:
        got = api.unix_get(place, "/info", timeout=TIMEOUT)
    assert (got.status, got.json()) == (200, {"a": 1})
    assert ("api-version", "1.41") in got.headers


def test_a_dripping_answer_ends_in_time(tmp_path: Path) -> None:
    endless = (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"a"] * 500)
    with unix(tmp_path / "d.sock", *endless) as place, pytest.raises(Unreachable, match="timed out"):
        api.unix_get(place, "/info", timeout=SHORT)


def test_an_answer_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LARGEST_ANSWER", 1)
    with unix(tmp_path / "d.sock", *CHUNKED) as place, pytest.raises(Unreachable, match="larger than 1 bytes"):
        api.unix_get(place, "/info", timeout=TIMEOUT)


def test_an_answer_that_is_no_json(tmp_path: Path) -> None:
    with unix(tmp_path / "d.sock", b"HTTP/1.1 200 OK\r\n\r\nOK") as place:
        got = api.unix_get(place, "/info", timeout=TIMEOUT)
    with pytest.raises(Unreachable, match="no JSON"):
        got.json()


@pytest.mark.parametrize("path", ["info", "/a b", "/\r\nX: y", "", "/\u00fc"])
def test_a_path_that_cannot_be_asked_for(path: str) -> None:
    with pytest.raises(Refused):
        api.unix_get(PurePosixPath("/nowhere.sock"), path, timeout=TIMEOUT)


def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as unreachable:
        api.unix_get(PurePosixPath(tmp_path / "none.sock"), "/info", timeout=TIMEOUT)
    assert "none.sock" in unreachable.value.message
    assert unreachable.value.hint


@pytest.mark.parametrize("left", [True, False])
def test_a_socket_that_serves_nobody_has_no_port(tmp_path: Path, *, left: bool) -> None:
    place = tmp_path / "d.sock"
    if left:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place))
    with pytest.raises(Unreachable, match="dockerd does not run") as refused:
        api.unix_get(PurePosixPath(place), "/info", timeout=TIMEOUT)
    assert "port" not in refused.value.message
    assert "systemctl start docker" in refused.value.hint
    assert "ss -ltn" not in refused.value.hint


@pytest.mark.parametrize("after", [0.0, 0.001, 0.05])
def test_an_interrupt_ends_a_look_at_once(world: World, serve: Serve, after: float) -> None:
    """It comes to the thread that waits: amid what the loop does it could be lost."""
    called, done = threading.Event(), threading.Event()

    def hang(_: socket.socket) -> None:
        called.set()
        done.wait(TIMEOUT)

    def interrupt() -> None:
        called.wait(TIMEOUT)
        time.sleep(after)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    endpoint = serve(hang)
    sender = threading.Thread(target=interrupt)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        observe(endpoint, world.good, world.visitors(), timeout=60)
    sender.join()
    done.set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("looks")]
