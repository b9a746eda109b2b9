"""Variables and contexts that say another thing than they seem to."""

from __future__ import annotations

import pytest

from dockertls.client.contexts import Context
from dockertls.client.environment import contexts_agree, environment
from dockertls.findings import Failed, NotApplicable, Passed, Verdict, Warned

GOOD = {"DOCKER_HOST": "tcp://web1:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/home/ann/.docker"}
URL = "tcp://web1:2376"
DIGESTS = {"ca": "c0", "cert": "ce", "key": "0e"}


@pytest.mark.parametrize("variables", [{}, GOOD, {"DOCKER_HOST": "unix:///run/docker.sock"}, {"DOCKER_HOST": ""}])
def test_variables_that_mean_what_they_say(variables: dict[str, str]) -> None:
    assert isinstance(environment(variables).verdict, Passed)


@pytest.mark.parametrize(
    ("variables", "kind", "told"),
    [
        (GOOD | {"DOCKER_TLS_VERIFY": "0"}, Warned, "means yes"),
        (GOOD | {"DOCKER_TLS_VERIFY": "False"}, Warned, "means yes"),
        (GOOD | {"DOCKER_TLS_VERIFY": ""}, Failed, "plain HTTP"),
        ({"DOCKER_HOST": URL, "DOCKER_CERT_PATH": "/x"}, Failed, "believes any server"),
        ({"DOCKER_HOST": "web1:2376", "DOCKER_TLS": "1"}, Failed, "believes any server"),
        ({"DOCKER_HOST": URL}, Warned, "plain HTTP"),
        (GOOD | {"DOCKER_HOST": "tcp://web1"}, Warned, "2375"),
        (GOOD | {"DOCKER_HOST": "tcp://[2001:db8::1]"}, Warned, "2375"),
        (GOOD | {"REQUESTS_CA_BUNDLE": "/etc/ssl/ca.pem"}, Warned, "docker-py"),
        (GOOD | {"CURL_CA_BUNDLE": "/etc/ssl/ca.pem"}, Warned, "docker-py"),
    ],
)
def test_traps(variables: dict[str, str], kind: type[Verdict], told: str) -> None:
    found = environment(variables).verdict
    assert isinstance(found, kind), found
    assert isinstance(found, Failed | Warned)
    assert told in found.cause
    assert found.remedy


@pytest.mark.parametrize("host", ["tcp://[2001:db8::1]:2376", "web1:2376", "tcp://web1:2376/"])
def test_a_host_with_a_port(host: str) -> None:
    assert isinstance(environment(GOOD | {"DOCKER_HOST": host}).verdict, Passed)


def test_nothing_of_the_environment_reaches_the_terminal_raw() -> None:
    found = environment(GOOD | {"DOCKER_TLS_VERIFY": "0", "DOCKER_HOST": "tcp://\x1b[31m"})
    assert "\x1b" not in str(found)


def context(**more: object) -> Context:
    return Context(**{"name": "web1", "host": URL, "ca": "c0", "cert": "ce", "key": "0e"} | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "kind", "told"),
    [
        ([], NotApplicable, "no docker context"),
        ([context(host="tcp://other:2376")], NotApplicable, "no docker context"),
        ([context()], Passed, "same files"),
        ([context(skip_tls_verify=True)], Failed, "believes any server"),
        ([context(ca=None, cert=None, key=None)], Warned, "no TLS files"),
        ([context(cert="old")], Warned, "other files than /home/ann/.docker"),
        ([context(fault="no JSON")], Warned, "no JSON"),
        ([context(), context(name="copy", ca="old")], Warned, "context copy"),
    ],
)
def test_contexts(found: list[Context], kind: type[Verdict], told: str) -> None:
    verdict = contexts_agree(found, URL, DIGESTS, "/home/ann/.docker").verdict
    assert isinstance(verdict, kind), verdict
    assert told in str(verdict)
