"""What a command costs before it does anything: nothing heavy is imported that it does not use."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from dockertls.cli.app import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("cryptography", "rich", "idna", "pydantic", "ssl", "http.client", "concurrent.futures", "hypothesis", "yaml")
"""Modules that take longer to load than Python itself, or belong to a test."""
SHOW = """
import sys
from dockertls.__main__ import main
sys.argv = {words!r}
try:
    main()
finally:
    print("\\n".join(["modules:", *sys.modules]))
"""


def imported(*words: str) -> set[str]:
    """The modules that a process has imported after it ran a command line."""
    program = SHOW.format(words=["dockertls", *words])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.partition("modules:\n")[2].split())


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("-h",)], ids=" ".join)
def test_neither_help_nor_version_loads_what_only_commands_need(words: tuple[str, ...]) -> None:
    modules = imported(*words)
    assert "dockertls.cli.app" in modules
    assert not modules & set(HEAVY)


@pytest.mark.parametrize("name", ["bootstrap", "check", "api", "undo", "ca", "daemon", "timer"])
def test_help_of_a_command_loads_that_command_alone(name: str) -> None:
    modules = imported(name, "--help")
    other = {f"dockertls.cli.{module}" for command, module in COMMANDS.items() if module != COMMANDS[name]}
    assert f"dockertls.cli.{COMMANDS[name]}" in modules
    assert not modules & other
    assert not modules & {"cryptography", "rich", "idna", "ssl", "http.client"}


def test_a_tree_is_made_safe_without_what_only_a_live_host_needs(tmp_path: Path) -> None:
    modules = imported("--root", str(tmp_path), "bootstrap", "--yes", "--no-passphrase")
    assert "cryptography.x509" in modules
    assert not modules & {"rich", "idna", "ssl", "http.client", "dockertls.probe.handshake", "dockertls.pki.envelope"}


def test_a_store_is_looked_through_without_what_only_a_live_host_needs(tmp_path: Path) -> None:
    modules = imported("--root", str(tmp_path), "status")
    assert "dockertls.pki.inventory" in modules
    assert not modules & {"rich", "idna", "ssl", "http.client", "dockertls.cli.restarting", "dockertls.probe.handshake"}


def test_a_daemon_is_shown_without_what_only_certificates_and_terminals_need() -> None:
    modules = imported("--root", "tests/roots/debian/tree", "daemon", "show")
    assert "dockertls.daemon.rules" in modules
    assert not modules & set(HEAVY)


def test_a_request_is_made_without_what_only_command_lines_certificates_and_hosts_need(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "d.sock"))
        listener.listen()
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        modules = imported("api", "GET", "/_ping", "--endpoint", f"unix://{tmp_path}/d.sock")
        thread.join()
    assert "dockertls.probe.request" in modules
    heavy = {"typer", "cryptography", "rich", "idna", "http.client", "pathlib", "json", "subprocess", "tempfile"}
    assert not modules & {*heavy, "dockertls.cli.session", "dockertls.probe.observation", "dockertls.plan"}


def answer(listener: socket.socket) -> None:
    caller, _ = listener.accept()
    with caller:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
