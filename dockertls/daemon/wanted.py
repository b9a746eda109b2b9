"""What a user wants of a daemon, and what is wrong with that as such."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dockertls.daemon.hosts import listen_faults, listen_hosts
from dockertls.daemon.settings import EMPTY, Settings, setting_faults
from dockertls.errors import Fault
from dockertls.escaping import visible

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.documents.json_file import Json

OURS = ("tls", "tlsverify", "tlscacert", "tlscert", "tlskey", "hosts")
"""The keys that `configure` sets by itself, or takes away."""


class Style(Enum):
    """Where TLS and hosts are set."""

    AUTO = "auto"
    SOCKET = "socket"
    ENV = "env"
    JSON = "json"
    DROP_IN = "drop-in"


@dataclass(frozen=True)
class Wanted:
    """A daemon that is reached over mutual TLS.

    Attributes:
        ca: the authority of the clients, as a path of the host; with `cert` and `key` what dockerd is told.
        cert: the server's certificate.
        key: its key.
        port: the TCP port.
        listen: addresses to listen on; none: every address.
        style: where it shall be set.
        settings: other options of dockerd to set, by daemon.json key.
    """

    ca: Path
    cert: Path
    key: Path
    port: int = 2376
    listen: tuple[str, ...] = ()
    style: Style = Style.AUTO
    settings: Settings = EMPTY

    @property
    def hosts(self) -> tuple[str, ...]:
        """The tcp hosts; only of a wish without faults."""
        return listen_hosts(self.listen, self.port)

    @property
    def tls(self) -> dict[str, Json]:
        """The TLS options, all of them, in the order in which they are written."""
        return {"tlsverify": True, "tlscacert": str(self.ca), "tlscert": str(self.cert), "tlskey": str(self.key)}

    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with it on every host."""
        paths = [
            Fault(f"{visible(str(path))} is not an absolute path", "name it from the root of the host")
            for path in (self.ca, self.cert, self.key)
            if not path.is_absolute()
        ]
        clash = [
            Fault(f"{key} is not to be set by hand", "it follows from --server, --listen, --port and --style")
            for key in OURS
            if key in self.settings
        ]
        return (*listen_faults(self.listen, self.port), *paths, *clash, *setting_faults(self.settings))
