"""Where a daemon's own files lie: daemon.json, and its certificates as the host and as dockerd name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockertls.plan import ROOT
from dockertls.platforms import DAEMON_JSON, DOCKER_DIR, HOME, at_home

if TYPE_CHECKING:
    from pathlib import PurePosixPath as Path

    from dockertls.plan import Owner
    from dockertls.platforms import Platform


@dataclass(frozen=True)
class Places:
    """Where a daemon's own files lie.

    Attributes:
        config: its daemon.json.
        pem_dir: the folder of authority, certificate and key.
        told_dir: the same folder as dockerd names it, which may see another file tree than the host's.
        owner: who they belong to.
    """

    config: Path = DAEMON_JSON
    pem_dir: Path = DOCKER_DIR
    told_dir: Path = DOCKER_DIR
    owner: Owner = ROOT

    @classmethod
    def of(cls, row: Platform, home: Path = HOME, owner: Owner = ROOT) -> Places:
        """The places of a packaging.

        Args:
            row: the packaging.
            home: of the user whose daemon it is, where it is a user's.
            owner: that user and his group.
        """
        return cls(at_home(row.daemon_json, home), at_home(row.pem_dir, home), at_home(row.told_dir, home), owner)

    def told(self, name: str) -> Path:
        """The path that dockerd is told for a file of its own."""
        return self.told_dir / name

    def on_host(self, path: Path) -> Path:
        """Where the host has what dockerd calls so."""
        if self.told_dir == self.pem_dir or not path.is_relative_to(self.told_dir):
            return path
        return self.pem_dir / path.relative_to(self.told_dir)

    @property
    def tls_dir(self) -> Path:
        """The folder of the generations."""
        return self.pem_dir / "tls"

    @property
    def current(self) -> Path:
        """The link to the generation in use."""
        return self.tls_dir / "current"


SYSTEM = Places()
"""Those of almost every packaging."""
