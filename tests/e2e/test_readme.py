"""A stranger on a fresh host follows the README word by word, in a terminal, and runs the examples."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e import lab
from tests.e2e.terminal import in_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

README = (lab.REPOSITORY / "README.md").read_text()
BLOCKS = tuple(re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL))

PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

CHECKOUT = f"""set -e
mkdir /root/checkout
tar -C {lab.REPOSITORY} --exclude=.venv --exclude=.git -cf - . | tar -C /root/checkout -xf -
cd /root/checkout"""
"""A checkout of the host's own: the machine's may be read-only there."""

SUDO = '#!/bin/sh\nexec "$@"\n'


@pytest.fixture(scope="module")
def wheelhouse() -> Iterator[Path]:
    """What `pip install .` fetches: hosts of the lab have no way out. Not in /tmp, where a host has its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "download", "-d", folder, lab.REPOSITORY, "hatchling"], check=True)
        yield Path(folder)


@pytest.fixture(scope="module")
def stranger(wheelhouse: Path) -> dict[str, str]:
    """The environment of who has nothing but a Python 3.11 and a registry: what is installed is what is tested."""
    pip = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheelhouse)}
    return {"PYTHONPATH": "", "PATH": PATH, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **pip}


@pytest.fixture(scope="module")
def fresh() -> Iterator[lab.Lab]:
    with lab.host("readme") as host:
        host.write("/usr/local/bin/sudo", SUDO, 0o755)
        yield host


def test_the_readme_has_blocks_to_run() -> None:
    assert len(BLOCKS) > 6
    assert "sudo dockertls bootstrap\n" in "".join(BLOCKS)


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_the_readme_followed_word_by_word(fresh: lab.Lab, stranger: dict[str, str]) -> None:
    script = f"{CHECKOUT}\nset -ex\n" + "\n".join(BLOCKS)
    code, seen = in_a_terminal(fresh.argv(["bash", "-c", script], stranger), lab.REPOSITORY)
    assert code == 0, seen
    assert re.search(r"\b2[01] passed(, 1 not applicable)?\r?\n", seen), seen
    assert seen.count("Server:") == 2, "docker version reached the daemon, by the variables and by the context"
    assert "Traceback" not in seen
    assert fresh.run("docker", "-H", "unix:///var/run/docker.sock", "version").returncode == 0


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_the_examples_on_the_same_host(fresh: lab.Lab, stranger: dict[str, str]) -> None:
    examples = lab.REPOSITORY / "examples"
    code, seen = in_a_terminal(fresh.argv([str(examples / "unattended.sh")], stranger), lab.REPOSITORY)
    assert code == 0, seen
    assert re.search(r"\b2[01] passed(, 1 not applicable)?\r?\n", seen), seen
    client = f'eval "$(dockertls env)" && {sys.executable} {examples}/client.py'
    assert fresh.shell(client, stranger).splitlines()[0].startswith("2")


@pytest.mark.needs("nspawn", "dockerd", "docker")
def test_how_to_connect_from_another_machine(fresh: lab.Lab, stranger: dict[str, str]) -> None:
    """Every command of the page, with the host's own address; what comes last is no command for a host that works."""
    blocks = re.findall(r"^(?:    .*\n)+", (lab.REPOSITORY / "examples/connect.md").read_text(), re.MULTILINE)
    lines = "".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)
    said = lines.replace("web1.example.com", "127.0.0.1").replace("what the client said", "tls: bad certificate")
    said = said.replace("client issue ann", "client issue ann --yes").replace(" ann", " dora").replace("/web1", "/page")
    said = said.replace("context create web1", "context create page").replace("--context web1", "--context page")
    code, seen = in_a_terminal(fresh.argv(["bash", "-c", f"set -ex; cd /root\n{said}"], stranger), lab.REPOSITORY)
    assert code == 0, seen
    assert seen.count("Server:") == 2, "docker version reached the daemon, by the variables and by the context"
    assert "cause:" in seen
