"""Variables that say another thing than they seem to."""

from __future__ import annotations

import pytest

from dockertls.client.environment import environment
from dockertls.findings import Failed, Passed, Verdict, Warned

GOOD = {"DOCKER_HOST": "tcp://web1:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/home/ann/.docker"}
URL = "tcp://web1:2376"


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
