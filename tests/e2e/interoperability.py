"""TABLE of clients that reach a dockerd with what dockertls issues, and the README's matrix of them.

`python -m tests.e2e.interoperability` writes the matrix into the README, between its two marks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockertls.pki.keys import KINDS
from tests.e2e.dockerode import CLIENTS, MODULES

if TYPE_CHECKING:
    from collections.abc import Callable

README = Path(__file__).parents[2] / "README.md"
MARKS = ("<!-- clients: made by a test -->\n", "<!-- /clients -->\n")
REGENERATE = ".venv/bin/python -m tests.e2e.interoperability"

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds: the machine may be busy
REQUEST = f"GET /version HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
PASSPHRASE = "java reads it"  # noqa: S105 - of a file that lives as long as the test


@dataclass(frozen=True)
class Files:
    """What a client is given: its files, and the daemon's port."""

    folder: Path
    port: int

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def words(self) -> tuple[str, ...]:
        """As most clients take them."""
        return (str(self.port), self["ca.pem"], self["cert.pem"], self["key.pem"])


@dataclass(frozen=True)
class Client:
    """One client.

    Attributes:
        title: its column.
        needs: what the machine must have, as for `pytest.mark.needs`.
        argv: what asks a daemon for its version.
        told: of what it says of a server that it does not believe, a word.
        typed: what it is given on its standard input.
    """

    title: str
    needs: tuple[str, ...]
    argv: Callable[[Files], tuple[str, ...]]
    told: str
    typed: str = ""

    def ask(self, files: Files) -> tuple[int, str]:
        """Ask the daemon.

        Returns:
            Its exit code, and all that it said.
        """
        home = {"PATH": os.environ["PATH"], "HOME": str(files.folder), "NODE_PATH": str(MODULES)}
        source, typing = os.pipe()
        os.write(typing, self.typed.encode())  # before it starts, or it could be gone already
        try:
            done = subprocess.run(
                self.argv(files), stdin=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=home,
                timeout=PATIENCE, check=False,
            )  # fmt: skip
        finally:
            os.close(source)
            os.close(typing)  # not before: some clients would hang up before the answer is there
        return done.returncode, done.stdout


def _docker(files: Files) -> tuple[str, ...]:
    tls = (
        "--tlsverify",
        f"--tlscacert={files['ca.pem']}",
        f"--tlscert={files['cert.pem']}",
        f"--tlskey={files['key.pem']}",
    )
    return ("docker", "--host", f"tcp://{HOST}:{files.port}", *tls, "version", "--format", "{{json .Server}}")


def _curl(files: Files) -> tuple[str, ...]:
    pair = ("--cacert", files["ca.pem"], "--cert", files["cert.pem"], "--key", files["key.pem"])
    return ("curl", "--silent", "--show-error", "--fail", *pair, f"https://{HOST}:{files.port}/version")


def _gnutls(files: Files) -> tuple[str, ...]:
    pair = (
        f"--x509cafile={files['ca.pem']}",
        f"--x509certfile={files['cert.pem']}",
        f"--x509keyfile={files['key.pem']}",
    )
    return ("gnutls-cli", *pair, f"--port={files.port}", HOST)


def _openssl(files: Files) -> tuple[str, ...]:
    pair = ("-CAfile", files["ca.pem"], "-cert", files["cert.pem"], "-key", files["key.pem"])
    strict = ("-x509_strict", "-verify_return_error", "-verify_ip", HOST, "-no-CApath", "-no-CAstore")
    return ("openssl", "s_client", *pair, *strict, "-quiet", "-connect", f"{HOST}:{files.port}")


def _python(script: str) -> Callable[[Files], tuple[str, ...]]:
    return lambda files: (sys.executable, str(CLIENTS / script), *files.words)


def _java(files: Files) -> tuple[str, ...]:
    return ("java", str(CLIENTS / "Version.java"), str(files.port), files["ca.pem"], files["client.p12"], PASSPHRASE)


def _node(files: Files) -> tuple[str, ...]:
    return ("node", str(CLIENTS / "version.js"), *files.words)


TABLE = (
    Client("docker (Go)", ("docker",), _docker, "unknown authority"),
    Client("docker-py", (), _python("docker_py.py"), "CERTIFICATE_VERIFY_FAILED"),
    Client("curl, OpenSSL", ("curl",), _curl, "SSL certificate problem"),
    Client("GnuTLS", ("gnutls",), _gnutls, "NOT trusted", REQUEST),
    Client("Python `ssl`, strict", (), _python("strict.py"), "CERTIFICATE_VERIFY_FAILED"),
    Client("Java 17", ("java",), _java, "unable to find valid certification path"),
    Client("Node.js, dockerode", ("dockerode",), _node, "unable to"),
    Client("`openssl -x509_strict`", ("openssl",), _openssl, "verify error", REQUEST),
)
"""Every client, by the order of its column."""

UNABLE: dict[tuple[str, str], str] = {}
"""Why a client cannot: by the kind of key and the client's title. The test asks that it really cannot."""


def matrix() -> str:
    """The README's table, and a line for every reason."""
    reasons = list(dict.fromkeys(UNABLE.values()))
    rows = [["keys", *(client.title for client in TABLE)], ["---"] * (len(TABLE) + 1)]
    rows += [[f"`{kind}`", *(_cell(kind, client.title, reasons) for client in TABLE)] for kind in KINDS]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"{number}. {reason}\n" for number, reason in enumerate(reasons, 1))
    return f"{table}\n{notes}" if notes else table


def _cell(kind: str, title: str, reasons: list[str]) -> str:
    reason = UNABLE.get((kind, title))
    return "yes" if reason is None else f"no ({reasons.index(reason) + 1})"


def written(readme: str) -> str:
    """The README with the matrix as it should be."""
    before, mark, rest = readme.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    assert mark
    assert end
    return f"{before}{mark}\n{matrix()}\n{end}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
