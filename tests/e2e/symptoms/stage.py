"""The stage on which symptoms are produced: files, servers and daemons that are shared, and programs that fail."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from dockertls.errors import Unreachable
from dockertls.probe import api
from tests.e2e.newer import DOCKERD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockertls.probe.observation import ClientMaterial
    from tests.e2e.symptoms.papers import Papers

PATIENCE = 30.0  # seconds: the machine may be busy
OLDER = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin") or "dockerd"
NEWER = str(DOCKERD)
DAEMONS = {"older": (OLDER, ("dockerd",)), "newer": (NEWER, ("dockerd", "newer-dockerd"))}
"""Their TLS libraries refuse with other alerts; and what each needs of the machine."""
TLS = ("--tlsverify", "--tlscacert={at}/ca.pem", "--tlscert={at}/cert.pem", "--tlskey={at}/key.pem")


@dataclass(frozen=True)
class Daemon:
    """A dockerd that runs."""

    port: int
    socket: Path
    log: Path

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def told(self, call: Callable[[], object], wanted: str = "TLS handshake error") -> str:
        """The lines of its log that hold these words, of those that it gets when it is called so."""
        with socket.create_connection(("127.0.0.1", self.port)) as last:  # who called before is told of by then
            last.sendall(b"no TLS\r\n")
            self._lines(0, f":{last.getsockname()[1]}: ")
        start = self.log.stat().st_size
        call()
        return self._lines(start, wanted)

    def _lines(self, start: int, wanted: str) -> str:
        until = time.monotonic() + PATIENCE
        while True:
            text = self.log.read_bytes()[start:].decode()
            lines = [line for line in text.splitlines() if wanted in line]
            if lines and text.endswith("\n"):
                return "\n".join(lines)
            assert time.monotonic() < until, f"nothing in the log: {text!r}"
            time.sleep(0.01)


class _Server(socketserver.ThreadingTCPServer):
    """Hands each caller to a behaviour."""

    def __init__(self, behave: Callable[[socket.socket], object]) -> None:
        self.behave = behave
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: object) -> None:  # noqa: ANN401, ARG002 - as its parent
        request.settimeout(PATIENCE)
        with contextlib.suppress(OSError):
            self.behave(request)


@dataclass
class Stage:
    """What producers share: a thing is made when the first of them asks for it."""

    folder: Path
    papers: Papers
    stack: contextlib.ExitStack
    made: dict[object, Any] = field(default_factory=dict)

    def once(self, key: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    def place(self, name: str) -> Path:
        """A new folder."""
        place = self.folder / f"{name}{sum(1 for _ in self.folder.iterdir())}"
        place.mkdir()
        return place

    def files(self, material: ClientMaterial, **other: bytes | None) -> Path:
        """A folder with ca.pem, cert.pem and key.pem, some of them changed or left out."""
        place = self.place("files")
        contents = {"ca": material.ca, "cert": material.cert, "key": material.key, **other}
        for name, content in contents.items():
            if content is not None:
                (place / f"{name}.pem").write_bytes(content)
        return place

    def serve(self, behave: Callable[[socket.socket], object]) -> int:
        """The port of a server on loopback, which closes a connection when the behaviour ends."""
        server = _Server(behave)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        for end in (server.server_close, thread.join, server.shutdown):
            self.stack.callback(end)
        return int(server.server_address[1])

    def https(self, shown: ClientMaterial, settings: Callable[[ssl.SSLContext], object] | None = None) -> int:
        """The port of a server that shows a certificate, whatever it is, and answers as dockerd does."""
        return int(self.once((shown, settings), lambda: self._https(shown, settings)))

    def _https(self, shown: ClientMaterial, settings: Callable[[ssl.SSLContext], object] | None) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = api.ConnectedSocket
        context.set_ciphers("ALL:@SECLEVEL=0")
        api.load_pair(context, shown.cert or b"", shown.key or b"")
        if settings:
            settings(context)

        def behave(caller: socket.socket) -> None:
            with context.wrap_socket(caller, server_side=True) as tls:
                asked = tls.recv(4096)
                body = b'{"ApiVersion": "1.41"}' if b"/version" in asked else b"[]"
                tls.sendall(
                    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\nContent-Type: application/json\r\n"
                )
                tls.sendall(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

        return self.serve(behave)

    def daemon(self, program: str, *flags: str, shown: ClientMaterial | None = None) -> Daemon:
        """A dockerd that runs with these flags, shared by all who ask for the same."""
        running: Daemon = self.once(
            (program, flags, shown), lambda: self.stack.enter_context(self._running(program, flags, shown))
        )
        return running

    def secure(self, program: str = OLDER) -> Daemon:
        """A dockerd as it should be."""
        return self.daemon(program, *TLS)

    @contextlib.contextmanager
    def _running(self, program: str, flags: tuple[str, ...], shown: ClientMaterial | None) -> Iterator[Daemon]:
        place = self.files(shown or self.papers.server)
        daemon = Daemon(free_port(), place / "d.sock", place / "log")
        argv = [*_argv(program, place), f"--host={daemon.url}", *(flag.format(at=place) for flag in flags)]
        with daemon.log.open("wb") as log:
            process = subprocess.Popen(argv, env=environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(daemon, process)
            yield daemon
        finally:
            process.terminate()
            process.wait(PATIENCE)
            _let_go(place)

    def started(
        self, program: str, *flags: str, settings: str = "{}", other: Mapping[str, bytes | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """How a dockerd ends that does not go on, with these flags, this daemon.json and these files changed."""
        place = self.files(self.papers.server, **(other or {}))
        argv = _argv(program, place, settings.replace("{at}", str(place)))
        try:
            return self.ran(*argv, *(flag.format(at=place) for flag in flags))
        finally:
            _let_go(place)

    def fails(self, program: str, *flags: str, **how: Any) -> str:  # noqa: ANN401 - as `started`
        """What a dockerd prints that does not start."""
        done = self.started(program, *flags, **how)
        assert done.returncode, f"it did not fail: {done.stdout}"
        return done.stdout

    def ran(self, *argv: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in argv], env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=PATIENCE, cwd=self.folder,
            start_new_session=True,
        )  # fmt: skip

    def run(self, *argv: object, env: Mapping[str, str] | None = None) -> str:
        """What a program prints that fails."""
        done = self.ran(*argv, env=env)
        assert done.returncode, f"{argv} did not fail: {done.stdout}"
        return done.stdout


def _argv(program: str, place: Path, settings: str = "{}") -> list[str]:
    (place / "daemon.json").write_text(settings)
    own = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    named = (f"--{flag}={place / name}" for flag, name in own.items())
    return [
        program,
        *named,
        f"--host=unix://{place}/d.sock",
        "--iptables=false",
        "--bridge=none",
        "--storage-driver=vfs",
    ]


def _let_go(place: Path) -> None:
    """Unmount what a dockerd mounts for itself, and leaves behind when it ends."""
    while subprocess.run(["umount", place / "data"], capture_output=True, check=False).returncode == 0:
        pass


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of ours: no DOCKER_*, no proxy, no language."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **(extra or {})}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(daemon: Daemon, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            api.unix_get(PurePosixPath(daemon.socket), "/_ping", timeout=PATIENCE)
        except Unreachable:
            assert process.poll() is None, daemon.log.read_text()
            assert time.monotonic() < until, daemon.log.read_text()
            time.sleep(0.02)
        else:
            return
