"""Requests of every kind to servers of every kind."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from dockertls.errors import Refused, Unreachable
from dockertls.probe.observation import ClientMaterial
from dockertls.probe.request import Body, Call, over_tls, over_unix
from tests.unit.probe.test_hostile import served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.probe.conftest import Behaviour, Serve, World

TIMEOUT = 5.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def call(method: str = "GET", path: str = "/_ping", body: Body | None = None, **more: list[str]) -> Call:
    return Call.of((method, path), more.get("query", []), more.get("headers", []), body, "application/json")


def answering(world: World, answer: bytes, asked: list[bytes] | None = None, *, until: bytes = b"") -> Behaviour:
    context = served(world.server, world.ours.pem)

    def behave(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True) as tls:
            got = tls.recv(65536)
            while not got.endswith(until):
                got += tls.recv(65536)
            if asked is not None:
                asked.append(got)
            tls.sendall(answer)

    return behave


def asked(world: World, serve: Serve, answer: bytes, question: Call | None = None) -> tuple[int, bytes]:
    endpoint = serve(answering(world, answer))
    with over_tls(endpoint, world.good, question or call(), timeout=TIMEOUT, wait=TIMEOUT) as got:
        return got.status, b"".join(got.pieces())


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (OK, 200, b"OK"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n3\r\nday\r\n0\r\n\r\n", 200, b"OKday"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil it closes", 200, b"until it closes"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", 404, b"{}"),
    ],
)
def test_answers(world: World, serve: Serve, answer: bytes, status: int, body: bytes) -> None:
    assert asked(world, serve, answer) == (status, body)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nOK", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nOK", "cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
        (b"HTTP/1.1 200 OK\r\n" + b"X: endless\r\n" * 60_000, "headers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"long" * 100_000, ""),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\n", "attach"),
        (b"\x00\x1b[31mgarbage\r\n\r\n", ""),
        (b"", ""),
    ],
)
def test_answers_that_are_none(world: World, serve: Serve, answer: bytes, told: str) -> None:
    with pytest.raises(Unreachable) as refused:
        asked(world, serve, answer)
    assert told in refused.value.message
    assert "\x1b" not in refused.value.message
    assert refused.value.hint


def test_a_stream_is_handed_on_while_it_lasts(world: World, serve: Serve) -> None:
    context, go_on = served(world.server, world.ours.pem), threading.Event()

    def behave(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n")
            assert go_on.wait(TIMEOUT), "the first piece was kept back"
            tls.sendall(b"7\r\nsecond\n\r\n0\r\n\r\n")

    with over_tls(serve(behave), world.good, call(), timeout=TIMEOUT, wait=TIMEOUT) as got:
        pieces = got.pieces()
        assert next(pieces) == b"first\n"
        go_on.set()
        assert b"".join(pieces) == b"second\n"


def test_what_is_sent(world: World, serve: Serve) -> None:
    got: list[bytes] = []
    question = call(
        "post", "/build?t=x", Body(iter([b"{}"]), 2), query=['labels={"a": "b&c"}'], headers=["X-Registry-Auth: e30="]
    )
    behave = answering(world, OK, got, until=b"{}")
    with over_tls(serve(behave), world.good, question, timeout=TIMEOUT, wait=TIMEOUT):
        pass
    head, _, body = got[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /build?t=x&labels=%7B%22a%22%3A%20%22b%26c%22%7D HTTP/1.1"
    assert {"X-Registry-Auth: e30=", "Content-Type: application/json", "Content-Length: 2"} <= set(lines)
    assert body == b"{}"


def test_a_body_of_unknown_size_goes_in_chunks(world: World, serve: Serve) -> None:
    got: list[bytes] = []
    question = call("POST", "/build", Body(iter([b"one", b"more"])))
    behave = answering(world, OK, got, until=b"0\r\n\r\n")
    with over_tls(serve(behave), world.good, question, timeout=TIMEOUT, wait=TIMEOUT):
        pass
    head, _, body = got[0].partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"3\r\none\r\n4\r\nmore\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "question",
    [
        ("G T", "/x", [], []),
        ("GET", "x", [], []),
        ("GET", "/x y", [], []),
        ("GET", "/x\r\nX: y", [], []),
        ("GET", "/é", [], []),
        ("GET", "/x", ["all"], []),
        ("GET", "/x", ["=1"], []),
        ("GET", "/x", [], ["no colon"]),
        ("GET", "/x", [], ["X: a\r\nY: b"]),
        ("GET", "/x", [], ["Na me: x"]),
        ("GET", "/x", [], ["Host: elsewhere"]),
        ("GET", "/x", [], ["Content-Length: 5"]),
    ],
)
def test_what_cannot_stand_in_a_request(question: tuple[str, str, list[str], list[str]]) -> None:
    method, path, query, headers = question
    with pytest.raises(Refused):
        Call.of((method, path), query, headers, None, "")


def test_every_fault_at_once() -> None:
    with pytest.raises(Refused) as refused:
        Call.of(("G T", "x"), ["y"], ["z"], None, "")
    assert len(refused.value.faults) == 4


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_a_refusal_says_why(world: World, serve: Serve, who: str) -> None:
    shown = world.stranger if who == "stranger" else ClientMaterial(b"")
    client = ClientMaterial(world.good.ca, shown.cert, shown.key)
    big = Body(iter([bytes(100_000)] * 100), 10_000_000)
    for question in (call(), call("POST", "/build", big)):
        endpoint = serve(answering(world, OK))
        with pytest.raises(Unreachable) as refused, over_tls(endpoint, client, question, timeout=TIMEOUT, wait=TIMEOUT):
            pass
        assert "ALERT" in refused.value.message


def test_the_server_is_verified(world: World, serve: Serve) -> None:
    other = ClientMaterial(world.theirs.pem, world.good.cert, world.good.key)
    endpoint = serve(answering(world, OK))
    with (
        pytest.raises(Unreachable, match="certificate verify failed"),
        over_tls(endpoint, other, call(), timeout=TIMEOUT, wait=TIMEOUT),
    ):
        pass


def test_a_server_that_never_answers(world: World, serve: Serve) -> None:
    context, ended = served(world.server, world.ours.pem), threading.Event()

    def behave(caller: socket.socket) -> None:
        with context.wrap_socket(caller, server_side=True):
            ended.wait(TIMEOUT)

    endpoint = serve(behave)
    with (
        pytest.raises(Unreachable, match="timed out"),
        over_tls(endpoint, world.good, call(), timeout=TIMEOUT, wait=0.2),
    ):
        pass
    ended.set()


def test_over_a_unix_socket(tmp_path: Path) -> None:
    place = str(tmp_path / "d.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(place)
        listening.listen()

        def serve() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(OK)

        thread = threading.Thread(target=serve)
        thread.start()
        with over_unix(place, call(), timeout=TIMEOUT, wait=TIMEOUT) as got:
            assert b"".join(got.pieces()) == b"OK"
        thread.join()
    with pytest.raises(Unreachable), over_unix(place + "x", call(), timeout=TIMEOUT, wait=TIMEOUT):
        pass
