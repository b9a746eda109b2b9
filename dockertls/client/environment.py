"""What the environment makes of an endpoint: variables that say another thing than they seem to.

Tried with docker 20.10 and 28.2 and docker-py 7.2: any text that is not empty means yes, "0" and "false" too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.client.flaws import Flaw, verdict
from dockertls.escaping import visible
from dockertls.findings import Evidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NO = frozenset({"0", "false", "no", "off", "n", "f", "disable", "disabled"})
_EXPORT = 'eval "$(dockertls env)" sets DOCKER_HOST, DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH'
_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Trap:
    """One row.

    Attributes:
        applies: whether it is laid, by the variables.
        shown: the variables that are evidence.
        cause: what really happens.
        remedy: what to type.
        fatal: whether it is a failure.
    """

    applies: Callable[[Mapping[str, str]], bool]
    shown: tuple[str, ...]
    cause: str
    remedy: str
    fatal: bool = False


def _is_tcp(variables: Mapping[str, str]) -> bool:
    host = variables.get("DOCKER_HOST", "")
    return bool(host) and ("://" not in host or host.startswith("tcp://"))


def _has_port(host: str) -> bool:
    return host.rpartition("]")[2].count(":") > 0 if host.startswith("[") else ":" in host


def _portless(variables: Mapping[str, str]) -> bool:
    return _is_tcp(variables) and not _has_port(variables["DOCKER_HOST"].removeprefix("tcp://").rstrip("/"))


def _verifies(variables: Mapping[str, str]) -> bool:
    return bool(variables.get("DOCKER_TLS_VERIFY"))


TRAPS: tuple[Trap, ...] = (
    Trap(
        lambda v: v.get("DOCKER_TLS_VERIFY", "").strip().lower() in _NO,
        ("DOCKER_TLS_VERIFY",),
        "DOCKER_TLS_VERIFY says no and means yes: any text that is not empty does",
        "export DOCKER_TLS_VERIFY=1, or unset it where there is no TLS",
    ),
    Trap(
        lambda v: bool(v.get("DOCKER_CERT_PATH")) and _is_tcp(v) and not _verifies(v),
        ("DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
        "DOCKER_CERT_PATH without DOCKER_TLS_VERIFY: docker speaks plain HTTP, and docker-py believes any server",
        _EXPORT,
        fatal=True,
    ),
    Trap(
        lambda v: _is_tcp(v) and not _verifies(v) and bool(v.get("DOCKER_TLS")),
        ("DOCKER_TLS", "DOCKER_TLS_VERIFY"),
        "DOCKER_TLS without DOCKER_TLS_VERIFY: docker believes any server",
        _EXPORT,
        fatal=True,
    ),
    Trap(
        lambda v: (
            _is_tcp(v) and not any(v.get(name) for name in ("DOCKER_TLS_VERIFY", "DOCKER_TLS", "DOCKER_CERT_PATH"))
        ),
        ("DOCKER_HOST", "DOCKER_TLS_VERIFY"),
        "DOCKER_HOST without DOCKER_TLS_VERIFY: docker speaks plain HTTP to it",
        _EXPORT,
    ),
    Trap(
        _portless,
        ("DOCKER_HOST",),
        "DOCKER_HOST names no port: docker takes 2375, with TLS too",
        "write the port: DOCKER_HOST=tcp://HOST:2376",
    ),
    Trap(
        lambda v: any(v.get(name) for name in _CA_BUNDLES),
        _CA_BUNDLES,
        "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE takes the place of ca.pem in docker-py, whatever ca_cert says",
        "unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE, or let them name ca.pem",
    ),
)


def environment(variables: Mapping[str, str]) -> Finding:
    """The finding `environment`: no variable is a trap for docker or docker-py."""
    flaws = [
        Flaw(tuple(_shown(name, variables) for name in row.shown), row.cause, row.remedy, row.fatal)
        for row in TRAPS
        if row.applies(variables)
    ]
    names = sorted(name for name in variables if name.startswith("DOCKER_"))
    good = Evidence("environment", "", ", ".join(names) or "no DOCKER_ variable is set")
    title = "The environment says what it means"
    return Finding("environment", title, Severity.MEDIUM, verdict(flaws, (good,)))


def _shown(name: str, variables: Mapping[str, str]) -> Evidence:
    return Evidence("environment", name, visible(variables[name]) if name in variables else "not set")
