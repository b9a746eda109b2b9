"""Looks at a real dockerd: as it should be set up, and in every way that people set it up wrongly."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dockertls.errors import Unreachable
from dockertls.findings import Failed, NotApplicable, Passed, Unknown, Warned
from dockertls.pki.keys import load_certificates
from dockertls.probe import api
from dockertls.probe.entry import without_client
from dockertls.probe.grade import grade
from dockertls.probe.handshake import look
from dockertls.probe.observation import ClientMaterial, Outcome
from dockertls.probe.observing import observe
from dockertls.probe.remedies import explain
from dockertls.probe.stranger import stranger
from tests.e2e.dockerds import DOCKERDS, PATIENCE, SYSTEM_TRUST, TIMEOUT, TLS, VERIFYING, Daemon, Material, running
from tests.e2e.program import dockertls
from tests.unit.probe.asking import ask, get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dockertls.findings import Verdict

pytestmark = pytest.mark.needs("dockerd")

Run = Callable[..., AbstractContextManager[Daemon]]


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.made()


@pytest.fixture(scope="module", params=DOCKERDS)
def run(request: pytest.FixtureRequest, material: Material, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Start a dockerd of its own with these flags, for as long as the block lasts."""

    def started(*flags: str, **how: Any) -> AbstractContextManager[Daemon]:  # noqa: ANN401 - as of `running`
        return running(request.param, material, tmp_path_factory.mktemp("dockerd"), *flags, **how)

    return started


@pytest.fixture(scope="module")
def good(run: Run) -> Iterator[Daemon]:
    with run(*VERIFYING) as daemon:
        yield daemon


def judged(daemon: Daemon, material: Material) -> dict[str, Verdict]:
    seen = observe(daemon.endpoint, material.client, material.visitors, timeout=TIMEOUT)
    served, client = load_certificates(material.server.cert or b""), load_certificates(material.client.cert or b"")
    now, warn, fail = datetime.now(UTC), timedelta(days=30), timedelta(days=7)
    found = grade(seen, [material.root.certificate], now=now, warn=warn, fail=fail, client=client, current=served)
    return {one.id: one.verdict for one in found}


def failing(verdicts: dict[str, Verdict]) -> set[str]:
    return {name for name, verdict in verdicts.items() if isinstance(verdict, Failed)}


def test_a_daemon_as_it_should_be_passes_everything(good: Daemon, material: Material) -> None:
    verdicts = judged(good, material)
    assert {name: type(verdict) for name, verdict in verdicts.items()} == dict.fromkeys(verdicts, Passed)
    version = verdicts["tls-version"]
    assert isinstance(version, Passed)
    assert [one.seen.split(",")[0] for one in version.evidence] == ["TLSv1.2", "TLSv1.3"]


def test_what_it_shows_is_seen_without_a_certificate(good: Daemon, material: Material) -> None:
    ran = dockertls("--json", "inspect", good.endpoint.url)
    endpoint, server = ran.document["data"]
    assert (ran.code, ran.err) == (0, "")
    assert (endpoint["protocol"], endpoint["without_certificate"].split(" (")[0]) == (
        "TLSv1.3",
        Outcome.REFUSED_AFTER_HANDSHAKE.value,
    )
    assert (server["for"], server["names"], server["faults"]) == ("server", ["localhost", "127.0.0.1"], [])
    pem = dockertls("inspect", good.endpoint.authority, "--pem")
    assert (pem.code, pem.out.encode()) == (0, material.server.cert)


def test_the_stranger_is_refused_the_same_way_every_time(good: Daemon, material: Material) -> None:
    for version in ("TLSv1.2", "TLSv1.3"):
        seen = [look(good.endpoint, material.other, version=version, timeout=TIMEOUT) for _ in range(20)]
        assert len({(one.outcome, one.alert, one.protocol) for one in seen}) == 1
        assert seen[0].outcome in (Outcome.HANDSHAKE_REFUSED, Outcome.REFUSED_AFTER_HANDSHAKE)
        assert seen[0].alert in ("bad_certificate", "unknown_ca")


def test_the_verdicts_are_the_same_every_time(good: Daemon, material: Material) -> None:
    kinds = {tuple(type(verdict) for verdict in judged(good, material).values()) for _ in range(20)}
    assert kinds == {(Passed,) * 18}


def test_a_server_of_ours_is_refused_as_client(good: Daemon, material: Material) -> None:
    for version in ("TLSv1.2", "TLSv1.3"):
        assert look(good.endpoint, material.server, version=version, timeout=TIMEOUT).alert == "bad_certificate"


def test_asking_the_daemon(good: Daemon, material: Material) -> None:
    assert get(good.endpoint, material.client, "/_ping") == (200, b"OK")
    told = json.loads(get(good.endpoint, material.client, "/version")[1])
    assert told["ApiVersion"] == dict(api.unix_get(good.socket, "/_ping", timeout=TIMEOUT).headers)["api-version"]
    assert api.unix_get(good.socket, "/containers/json?all=1", timeout=TIMEOUT).json() == []
    info = api.unix_get(good.socket, "/info", timeout=TIMEOUT).json()
    assert isinstance(info, dict)
    assert info["Driver"] == "vfs"
    assert get(good.endpoint, material.client, "/nothing")[0] == 404


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_a_refusal_is_told_with_its_remedy(good: Daemon, material: Material, who: str) -> None:
    client = material.other if who == "stranger" else ClientMaterial(material.ca)
    asked = ClientMaterial(material.ca, client.cert, client.key)
    with pytest.raises(Unreachable) as refused:
        ask(good.endpoint, asked)
    assert "ALERT" in refused.value.message
    known = explain(refused.value.message)
    assert known is not None
    assert refused.value.hint == known.remedy


def test_the_server_is_verified(good: Daemon, material: Material) -> None:
    wrong = ClientMaterial(material.other.ca, material.client.cert, material.client.key)
    with pytest.raises(Unreachable, match="certificate verify failed"):
        ask(good.endpoint, wrong)


def test_a_daemon_that_trusts_another_authority(run: Run, material: Material) -> None:
    with run(*VERIFYING, ca=stranger(now=datetime.now(UTC), serials=(5, 6)).ca) as daemon:
        verdicts = judged(daemon, material)
    assert failing(verdicts) == {"api", "accepted-authorities"}
    assert isinstance(verdicts["client-required"], Unknown)
    assert isinstance(verdicts["stranger-refused"], Unknown)
    assert isinstance(verdicts["chain"], Passed)


def test_a_daemon_that_trusts_the_strangers_too(run: Run, material: Material) -> None:
    with run(*VERIFYING, ca=material.ca + material.other.ca) as daemon:
        verdicts = judged(daemon, material)
    assert failing(verdicts) == {"stranger-refused"}
    assert isinstance(verdicts["accepted-authorities"], Warned)


@pytest.mark.parametrize("knows", ["server", "other"])
def test_a_daemon_that_trusts_the_whole_system(run: Run, material: Material, knows: str) -> None:
    """tlsverify in daemon.json without tlscacert: a public certificate of anybody is enough, and nothing warns."""
    trusted = material.ca if knows == "server" else material.other.ca
    with run(config=SYSTEM_TRUST, ca=trusted, trusts_system=True) as daemon:
        verdicts = judged(daemon, material)
    found = verdicts["accepted-authorities"]
    assert isinstance(found, Failed)
    assert "tlscacert" in found.remedy
    assert isinstance(verdicts["stranger-refused"], Passed if knows == "server" else Failed)


def test_a_daemon_that_asks_for_no_certificate(run: Run, material: Material) -> None:
    with run("--tls", "--tlsverify=false", *TLS) as daemon:
        verdicts = judged(daemon, material)
    assert failing(verdicts) == {"client-required", "stranger-refused", "purpose-required"}


def test_without_a_client_it_is_told_whether_nobody_gets_in(good: Daemon, run: Run, material: Material) -> None:
    nobody = ClientMaterial(material.ca)
    assert isinstance(without_client(observe(good.endpoint, nobody, material.visitors, timeout=TIMEOUT)), Passed)
    with run("--tls", "--tlsverify=false", *TLS) as daemon:
        assert isinstance(without_client(observe(daemon.endpoint, nobody, material.visitors, timeout=TIMEOUT)), Failed)
    with run("--tls=false") as daemon:
        assert isinstance(without_client(observe(daemon.endpoint, nobody, material.visitors, timeout=TIMEOUT)), Unknown)


def test_a_daemon_in_plain_text(run: Run, material: Material) -> None:
    with run("--tls=false") as daemon:
        verdicts = judged(daemon, material)
    assert failing(verdicts) == {"tls-version", "plaintext-refused", "api"}
    assert isinstance(verdicts["client-required"], NotApplicable)
    assert isinstance(verdicts["reachable"], Passed)
    assert isinstance(verdicts["accepted-authorities"], NotApplicable)


@pytest.mark.needs("docker")
def test_what_the_docker_cli_says_is_explained(good: Daemon, material: Material, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(material.other.ca)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DOCKER_HOST": good.endpoint.url}
    plain = _docker(environment)
    verified = {**environment, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    wrong_ca = _docker(verified)
    (tmp_path / "ca.pem").write_bytes(material.ca)
    nobody = _docker(verified)
    (tmp_path / "ca.pem").unlink()
    missing = _docker(verified)
    told = [explain(text) for text in (plain, wrong_ca, nobody, missing)]
    ids = [one.id if one else None for one in told]
    refusal = "client-refused" if ids[2] == "client-refused" else "no-client-certificate"  # older ones do not say why
    assert ids == ["plain-to-tls", "wrong-ca", refusal, "file-missing"]


def _docker(environment: dict[str, str]) -> str:
    return subprocess.run(
        ["docker", "info"], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    ).stderr
