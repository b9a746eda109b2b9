"""What tests need of the machine: `needs` skips by the name of what is missing, `--require` fails instead."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.dockerode import MODULES
from tests.e2e.newer import DOCKERD as NEWER
from tests.e2e.older_go import PROGRAM as BY_OLDER_GO
from tests.e2e.witness import GO

if TYPE_CHECKING:
    from collections.abc import Callable


def _can_be_immutable() -> bool:
    """Whether chattr works where temporary files lie."""
    with tempfile.NamedTemporaryFile() as file:
        tried = [
            shutil.which("chattr") and subprocess.run(["chattr", sign, file.name], check=False).returncode == 0
            for sign in ("+i", "-i")
        ]
        return all(tried)


@cache
def _java_reads_source() -> bool:
    """Whether a file of Java can be run as it is: Debian's headless JRE has the compiler's module, others may not."""
    argv = ["java", "--list-modules"]
    return (
        bool(shutil.which("java")) and b"jdk.compiler@" in subprocess.run(argv, capture_output=True, check=False).stdout
    )


COMPONENTS: dict[str, Callable[[], object]] = {
    "busybox": lambda: Path("/bin/busybox").exists(),
    "chattr": _can_be_immutable,
    "chromium": lambda: shutil.which("chromium"),
    "curl": lambda: shutil.which("curl"),
    "docker": lambda: shutil.which("docker"),
    "dockerd": lambda: shutil.which("dockerd", path="/usr/sbin:/usr/bin:/sbin") and os.geteuid() == 0,
    "dockerode": lambda: shutil.which("node") and MODULES.exists(),
    "fish": lambda: shutil.which("fish"),
    "go": GO.exists,
    "gnutls": lambda: shutil.which("gnutls-cli"),
    "java": _java_reads_source,
    "keytool": lambda: shutil.which("keytool"),
    "newer-dockerd": lambda: NEWER.exists() and os.geteuid() == 0,
    "nspawn": lambda: shutil.which("systemd-nspawn") and Path("/lib/systemd/systemd").exists() and os.geteuid() == 0,
    "older-go": BY_OLDER_GO.exists,
    "openssl": lambda: shutil.which("openssl"),
    "registry": lambda: shutil.which("docker-registry"),
    "root": lambda: os.geteuid() == 0,
    "rootlesskit": lambda: all(map(shutil.which, ("rootlesskit", "slirp4netns", "newuidmap"))),
    "setpriv": lambda: shutil.which("setpriv"),
    "socket-activate": lambda: shutil.which("systemd-socket-activate"),
    "strace": lambda: shutil.which("strace"),
    "zsh": lambda: shutil.which("zsh"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require",
        action="append",
        default=[],
        metavar="COMPONENT",
        help=f"fail instead of skipping where it is missing: {', '.join(COMPONENTS)}",
    )
    parser.addoption(
        "--every",
        type=int,
        default=25,
        metavar="N",
        help="of the system calls at which runs are killed or fail, every Nth; 1: all",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*components): the parts of the machine without which the test is skipped")
    unknown = set(config.getoption("--require")) - set(COMPONENTS)
    if unknown:
        raise pytest.UsageError(f"--require: unknown component {', '.join(sorted(unknown))}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for component in marker.args:
            if COMPONENTS[component]():
                continue
            if component in item.config.getoption("--require"):
                pytest.fail(f"{component} is required and missing", pytrace=False)
            pytest.skip(f"needs {component}")


@pytest.fixture(scope="session")
def every(request: pytest.FixtureRequest) -> int:
    number: int = request.config.getoption("--every")
    return number
