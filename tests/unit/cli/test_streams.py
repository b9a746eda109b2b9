"""Standard streams that are closed, or that take nothing: a command ends with its code, and not by a traceback."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dockertls.pki.keys import certificate_pem
from tests.e2e.program import command, environment
from tests.unit.pki.by_hand import ROOT, ROOT_KEY

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 20.0


def run(script: str, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    argv = ["sh", "-c", f'exec "$@" {script}', "sh", *command(*words)]
    return subprocess.run(
        argv, env={**environment(), **more}, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_bytes(certificate_pem([ROOT.certificate]))
    return tmp_path / "ca.pem"


@pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "not buffered"])
@pytest.mark.parametrize("words", [("inspect",), ("inspect", "--pem"), ("--json", "inspect"), ("inspect", "--help")])
@pytest.mark.parametrize("script", [">&-", ">/dev/full"])
def test_a_result_that_goes_nowhere(good: Path, script: str, words: tuple[str, ...], buffered: str) -> None:
    done = run(script, *words, good, PYTHONUNBUFFERED=buffered)
    assert (done.returncode, done.stdout) == (4, "")
    assert {">&-": "is closed", ">/dev/full": "No space left"}[script] in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize("words", [("inspect", "/nonexistent.pem"), ("api", "GET", "/x", "--endpoint", "unix:///none")])
@pytest.mark.parametrize("script", [">&-", ">/dev/full"])
def test_a_failure_keeps_its_code_and_is_told_elsewhere(words: tuple[str, ...], script: str) -> None:
    code = run("", *words).returncode
    done = run(script, "--json", *words)
    assert code in (4, 7)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("dockertls: ")


@pytest.mark.parametrize("before", [(), ("--json",)])
@pytest.mark.parametrize("words", [("inspect", "/nonexistent.pem"), ("api", "GET", "/x", "--endpoint", "unix:///none")])
def test_a_closed_standard_error_changes_no_code(words: tuple[str, ...], before: tuple[str, ...]) -> None:
    done = run("2>&-", *before, *words)
    assert done.returncode == run("", *words).returncode
    assert not done.stdout or json.loads(done.stdout)["ok"] is False


def test_a_closed_standard_input_is_told() -> None:
    done = run("<&-", "inspect", "-")
    assert (done.returncode, done.stdout) == (4, "")
    assert "standard input is closed" in done.stderr


@pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")
def test_nothing_of_python_s_own_stands_beside_the_result(tmp_path: Path) -> None:
    long_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 80, _validate=False)])
    request = x509.CertificateSigningRequestBuilder().subject_name(long_name).sign(ROOT_KEY, hashes.SHA256())
    (tmp_path / "x.csr").write_bytes(request.public_bytes(Encoding.PEM))
    done = run("", "inspect", tmp_path / "x.csr")
    assert "x" * 80 in done.stdout
    assert done.stderr == ""
