"""A process that calls itself dockerd and answers its API as it likes: `pretender.py HOW -H unix://PATH`."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
OTHER = (
    b'{"SecurityOptions": 7, "Swarm": [], "RegistryConfig": {"IndexConfigs": [1]}, "Plugins": 3, "Warnings": {},'
    b' "Driver": "\\u001b[31m", "LiveRestoreEnabled": "yes", "DockerRootDir": 7}'
)


def garbage(caller: socket.socket) -> None:
    caller.sendall(os.urandom(4096))


def silence(_: socket.socket) -> None:
    time.sleep(60)


def drip(caller: socket.socket) -> None:
    while True:
        caller.sendall(b"H")
        time.sleep(0.2)


def endless(caller: socket.socket) -> None:
    caller.sendall(OK + b"\r\n[")
    while True:
        caller.sendall(b"1," * 4096)


def _whole(caller: socket.socket, body: bytes) -> None:
    caller.sendall(OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def a_list(caller: socket.socket) -> None:
    _whole(caller, b'[{"Ports": [{"PublicPort": "x"}, 7]}, 7]')


def other_kinds(caller: socket.socket) -> None:
    _whole(caller, OTHER)


def nested(caller: socket.socket) -> None:
    _whole(caller, b"[" * 200_000)


def refusal(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n{}")


HOW = (garbage, silence, drip, endless, a_list, other_kinds, nested, refusal)


def main() -> None:
    """Listen, and answer each caller in the way that is named."""
    answer = next(one for one in HOW if one.__name__ == sys.argv[1])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[-1].removeprefix("unix://"))
        listener.listen()
        print(flush=True)  # noqa: T201 - whoever started it waits for that
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=_one, args=(answer, caller), daemon=True).start()


def _one(answer: object, caller: socket.socket) -> None:
    with caller:
        try:
            caller.recv(65536)
            answer(caller)  # type: ignore[operator]
        except OSError:
            pass


if __name__ == "__main__":
    main()
