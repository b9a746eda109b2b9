"""Requests to servers in threads that behave, misbehave, drip, lie and hang up."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dockertls.errors import NotReady, Refused, Unreachable
from dockertls.pki.keys import generate, private_pem
from dockertls.probe.endpoint import UnixSocket
from dockertls.probe.message import BLOCK, ApiRequest, Body
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.remedies import explain
from dockertls.probe.request import Unusable, asked
from dockertls.probe.standin import server_context
from tests.unit.probe.asking import PING, TIMEOUT, ask

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dockertls.probe.endpoint import Endpoint
    from tests.unit.probe.conftest import Behaviour, Https, Serve, World

    Script = Callable[[ssl.SSLSocket], None]
    Api = Callable[[Script], Endpoint]

SHORT = 0.4
BUILD = ApiRequest.parse("POST", "/build")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def api(world: World, serve: Serve) -> Api:
    """A server with mutual TLS that plays a script once it has read the head of a request."""

    def started(script: Script) -> Endpoint:
        context = server_context(world.server.ca, world.server.cert or b"", world.server.key or b"")

        def behave(caller: socket.socket) -> None:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as Go has it
            with context.wrap_socket(caller, server_side=True) as tls:
                script(tls)
                with contextlib.suppress(OSError):
                    tls.unwrap()

        return serve(behave)

    return started


def answering(*parts: bytes) -> Script:
    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        for part in parts:
            tls.sendall(part)

    return script


def read_head(tls: ssl.SSLSocket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        part = tls.recv(1)
        assert part, "the request was cut off"
        head += part
    return head


def test_an_answer(api: Api, world: World) -> None:
    assert ask(api(answering(OK + b"Content-Length: 2\r\n\r\nOK")), world.good) == (200, b"OK")


def test_parts_are_handed_on_before_the_next_one_is_there(api: Api, world: World) -> None:
    seen = threading.Event()

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        tls.sendall(CHUNKED + b"5\r\nfirst\r\n")
        assert seen.wait(TIMEOUT), "the first chunk was held back"
        tls.sendall(b"4\r\nnext\r\n0\r\n\r\n")

    with asked(api(script), world.good, PING, None, timeout=TIMEOUT) as answer:
        parts = answer.parts()
        assert next(parts) == b"first"
        seen.set()
        assert list(parts) == [b"next"]


def test_a_stream_may_be_silent_for_longer_than_the_timeout(api: Api, world: World) -> None:
    go = threading.Event()

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        tls.sendall(CHUNKED)
        go.wait(TIMEOUT)
        tls.sendall(b"4\r\nlate\r\n0\r\n\r\n")

    with asked(api(script), world.good, PING, None, timeout=SHORT) as answer:
        timer = threading.Timer(2 * SHORT, go.set)
        timer.start()
        assert b"".join(answer.parts()) == b"late"
        timer.join()


def drained(tls: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        while tls.recv(BLOCK):
            pass


def dripping(tls: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(1000):
            tls.sendall(b"H")
            threading.Event().wait(0.02)


def failing_slowly(tls: ssl.SSLSocket) -> None:
    tls.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 1000\r\n\r\n")
    dripping(tls)


@pytest.mark.parametrize("script", [drained, dripping, failing_slowly])
def test_nobody_waits_for_ever_for_an_answer_or_an_error(api: Api, world: World, script: Script) -> None:
    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"timed out|does not speak HTTP") as late:
        ask(api(script), world.good, timeout=SHORT)
    assert time.monotonic() - start < TIMEOUT
    assert "--timeout" in late.value.hint


def test_an_endless_head_is_refused_and_not_kept(api: Api, world: World) -> None:
    def script(tls: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            tls.sendall(OK)
            for number in range(1_000_000):
                tls.sendall(b"X-%d: y\r\n" % number * 100)

    with pytest.raises(Unreachable, match="no end") as refused:
        ask(api(script), world.good)
    assert refused.value.hint


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200",
        OK + b"Content-Length: 10\r\n\r\n01234",
        CHUNKED + b"5\r\nab",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"2\r\nab\r\n0\r\n",
    ],
)
def test_an_answer_that_is_cut_off_is_told(api: Api, world: World, cut: bytes) -> None:
    with pytest.raises(Unreachable, match="closed by the server") as refused:
        ask(api(answering(cut)), world.good)
    known = explain(refused.value.message)
    assert known is not None
    assert refused.value.hint == known.remedy


def test_what_came_before_the_cut_is_handed_on(api: Api, world: World) -> None:
    with asked(api(answering(CHUNKED + b"2\r\nab\r\n")), world.good, PING, None, timeout=TIMEOUT) as answer:
        parts = answer.parts()
        assert next(parts) == b"ab"
        with pytest.raises(Unreachable, match="the answer had begun and was cut off") as cut:
            next(parts)
    assert "certificate" not in str(cut.value), "who asked had been let in"


def test_a_body_without_length_has_ended_only_if_tls_says_so(world: World, serve: Serve) -> None:
    context = server_context(world.server.ca, world.server.cert or b"", world.server.key or b"")

    def torn(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True) as tls:
            read_head(tls)
            tls.sendall(OK + b"\r\nhalf of it")
            tls.shutdown(socket.SHUT_RDWR)

    with pytest.raises(Unreachable, match=r"had begun and was cut off.*EOF"):
        ask(serve(torn), world.good)


def test_a_body_without_length_that_ends_well(api: Api, world: World) -> None:
    assert ask(api(answering(OK + b"\r\nall")), world.good) == (200, b"all")


def test_a_redirect_is_an_answer_and_is_not_followed(api: Api, world: World) -> None:
    asked_for: list[bytes] = []

    def script(tls: ssl.SSLSocket) -> None:
        asked_for.append(read_head(tls))
        tls.sendall(b"HTTP/1.1 301 Moved\r\nLocation: /_ping\r\nContent-Length: 0\r\n\r\n")

    assert ask(api(script), world.good) == (301, b"")
    assert len(asked_for) == 1


def test_another_protocol_is_refused(api: Api, world: World) -> None:
    with pytest.raises(Refused, match="another protocol") as refused:
        ask(api(answering(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n")), world.good)
    assert "attach" in refused.value.hint


@pytest.mark.parametrize("garbage", [b"SSH-2.0-x\r\n", b"\x1b[2J\r\n", b"HTTP/1.1 200 OK\r\nX\r\n\r\n"])
def test_garbage_is_told_and_escaped(api: Api, world: World, garbage: bytes) -> None:
    with pytest.raises(Unreachable) as refused:
        ask(api(answering(garbage)), world.good)
    assert refused.value.message.isprintable()
    assert "dockerd" in refused.value.hint


def test_a_large_body_goes_out_while_a_large_answer_comes_in(api: Api, world: World) -> None:
    """Each side would wait for the other one if either direction had to be over first."""
    size = 24 * 1024 * 1024

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        tls.sendall(OK + b"Content-Length: %d\r\n\r\n" % (size + 3) + bytes(size))
        left = size
        while left and (part := tls.recv(BLOCK)):
            left -= len(part)
        tls.sendall(b"end" if left == 0 else b"cut")

    body = Body((bytes(BLOCK) for _ in range(size // BLOCK)), size, "x")
    status, got = ask(api(script), world.good, BUILD, body)
    assert (status, len(got), got[-3:]) == (200, size + 3, b"end")


def test_a_body_is_read_while_it_is_sent(api: Api, world: World) -> None:
    arrived = threading.Event()

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        assert tls.recv(BLOCK) == b"5\r\nfirst\r\n"
        arrived.set()
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            rest += tls.recv(BLOCK)
        tls.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(rest) + rest)

    def parts() -> Iterator[bytes]:
        yield b"first"
        assert arrived.wait(TIMEOUT), "the first part was held back"
        yield b"second"

    assert ask(api(script), world.good, BUILD, Body(parts(), None, "x")) == (200, b"6\r\nsecond\r\n0\r\n\r\n")


def test_who_refuses_early_is_heard_though_the_body_is_not_over(api: Api, world: World) -> None:
    taken: list[int] = []

    def parts() -> Iterator[bytes]:
        for number in range(100_000):
            taken.append(number)
            yield bytes(BLOCK)

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        tls.sendall(b'HTTP/1.1 400 X\r\nContent-Length: 15\r\n\r\n{"message":"x"}')
        drained(tls)  # as dockerd does: what is left unread would turn the answer into a reset

    assert ask(api(script), world.good, BUILD, Body(parts(), None, "x")) == (400, b'{"message":"x"}')
    assert len(taken) < 1000


def test_a_body_that_nobody_reads_is_not_waited_for(api: Api, world: World) -> None:
    over = threading.Event()

    def script(tls: ssl.SSLSocket) -> None:
        read_head(tls)
        over.wait(TIMEOUT)

    with pytest.raises(Unreachable, match="timed out"):
        ask(api(script), world.good, BUILD, Body((bytes(BLOCK) for _ in range(10_000)), None, "x"), timeout=SHORT)
    over.set()


def test_a_fault_of_the_body_stays_what_it_is(api: Api, world: World) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a"
        raise NotReady("the disk is gone", "mend it")

    with pytest.raises(NotReady, match="the disk is gone"):
        ask(api(drained), world.good, BUILD, Body(parts(), None, "x"))


@pytest.mark.parametrize("body", [None, Body((bytes(BLOCK) for _ in range(200)), None, "x")])
def test_who_is_not_let_in_is_told_why(api: Api, world: World, body: Body | None) -> None:
    stranger = replace(world.stranger, ca=world.good.ca)
    for client in (stranger, ClientMaterial(world.good.ca)):
        with pytest.raises(Unreachable, match=r"(?i)alert|closed|reset") as refused:
            ask(api(answering(OK + b"Content-Length: 0\r\n\r\n")), client, BUILD, body)
        known = explain(refused.value.message)
        assert known is not None
        assert refused.value.hint == known.remedy


def test_the_server_is_verified_whatever_the_environment_says(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(world.good.ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(Unreachable, match="certificate verify failed"):
        ask(api(answering(OK)), replace(world.good, ca=world.stranger.ca))


def test_another_name_is_refused(world: World, serve: Serve, https: Https) -> None:
    endpoint = replace(serve(https(world.server)), host="web1", via="127.0.0.1")
    with pytest.raises(Unreachable, match="Hostname mismatch"):
        ask(endpoint, world.good)


def test_no_tls_where_it_should_be(world: World, serve: Serve) -> None:
    def plain(caller: socket.socket) -> None:
        caller.recv(BLOCK)
        caller.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    with pytest.raises(Unreachable) as refused:
        ask(serve(plain), world.good)
    assert "TLS" in refused.value.hint


def test_nobody_listens(world: World, serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="Connection refused"):
        ask(replace(serve(lambda _: None), port=port), world.good)


def test_a_handshake_that_never_ends(world: World, serve: Serve) -> None:
    def mute(caller: socket.socket) -> None:
        while caller.recv(BLOCK):
            pass

    with pytest.raises(Unreachable, match="timed out"):
        ask(serve(mute), world.good, timeout=SHORT)


def test_own_files_that_cannot_be_used(world: World, serve: Serve, https: Https) -> None:
    good = world.good
    locked = private_pem(generate("ecdsa-p256"), b"secret")
    cases = (
        replace(good, ca=b""),
        replace(good, ca=good.ca + b"-----BEGIN CERTIFICATE-----\n"),
        replace(good, ca=good.ca.replace(b"MII", b"AAA", 1)),
        replace(good, key=world.stranger.key),
        replace(good, key=locked),
        replace(good, cert=b"garbage"),
    )
    endpoint = serve(https(world.server))
    for broken in (None, *cases):
        with pytest.raises(Unusable):
            ask(endpoint, broken)


def test_a_unix_socket(tmp_path: Path) -> None:
    with local(tmp_path, lambda caller: caller.sendall(OK + b"\r\nall")) as (target, heads):
        assert ask(target, None) == (200, b"all")
    assert heads[0].startswith(b"GET /_ping HTTP/1.1\r\nHost: docker\r\n")


@contextlib.contextmanager
def local(tmp_path: Path, behave: Behaviour) -> Iterator[tuple[UnixSocket, list[bytes]]]:
    heads: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "d.sock"))
        listener.listen()

        def once() -> None:
            caller, _ = listener.accept()
            with caller:
                heads.append(caller.recv(BLOCK))
                behave(caller)

        thread = threading.Thread(target=once)
        thread.start()
        yield UnixSocket(str(tmp_path / "d.sock")), heads
        thread.join()


def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"none\.sock.*No such file") as refused:
        ask(UnixSocket(str(tmp_path / "none.sock")), None)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("unix:///run/docker.sock", "/run/docker.sock"),
        ("unix://", "/var/run/docker.sock"),
        (" unix:///a b\n", "/a b"),
    ],
)
def test_where_a_unix_socket_is(text: str, path: str) -> None:
    assert UnixSocket.parse(text).path == path


@pytest.mark.parametrize("text", ["unix://run/docker.sock", "unix:///a\x1b", "unix:///" + "a" * 107])
def test_no_unix_socket_is_there(text: str) -> None:
    with pytest.raises(Refused):
        UnixSocket.parse(text)
