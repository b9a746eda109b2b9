"""Where TLS and hosts are set, by style: all TLS options in one place, and all hosts in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dockertls.daemon.wanted import Style

if TYPE_CHECKING:
    from dockertls.daemon.situation import Situation


class Home(Enum):
    """A place where dockerd's options, or its listeners, can stand."""

    ENVIRONMENT = "environment"
    """The variable of the environment file that the unit or the init script reads."""
    JSON = "json"
    """daemon.json."""
    COMMAND = "command"
    """A drop-in of docker.service that replaces its command line."""
    LISTENER = "listener"
    """A drop-in of docker.socket: systemd listens and hands over."""


@dataclass(frozen=True)
class Homes:
    """Where a style sets TLS, and where it sets hosts."""

    tls: Home
    hosts: Home


def homes(style: Style, here: Situation) -> Homes:
    """The places of a style on a host; of AUTO, where all is set already, those that are tidied."""
    environment = Home.ENVIRONMENT if here.honours_environment else Home.COMMAND
    return {
        Style.AUTO: Homes(Home.ENVIRONMENT, Home.ENVIRONMENT),
        Style.SOCKET: Homes(environment, Home.LISTENER),
        Style.ENV: Homes(Home.ENVIRONMENT, Home.ENVIRONMENT),
        Style.JSON: Homes(Home.JSON, Home.JSON),
        Style.DROP_IN: Homes(Home.COMMAND, Home.COMMAND),
    }[style]
