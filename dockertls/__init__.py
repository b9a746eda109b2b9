"""A TLS certificate authority and daemon-hardening toolkit for Docker hosts.

`dockertls.apply.apply` carries plans out; it is not named here, where its module has the name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertls.apply import Receipt, Run
    from dockertls.errors import DockerTLSError
    from dockertls.facts import HostFacts
    from dockertls.findings import Finding
    from dockertls.host import LocalHost
    from dockertls.pki.issue import Issued, Request, ca_name, issue
    from dockertls.pki.keys import certificate_pem, generate, private_pem
    from dockertls.pki.names import parse_names
    from dockertls.pki.profiles import CA, CLIENT, SERVER
    from dockertls.pki.verify import verify
    from dockertls.plan import Plan
    from dockertls.rows import gather

__version__ = "0.1.0"

__all__ = [
    "CA",
    "CLIENT",
    "SERVER",
    "DockerTLSError",
    "Finding",
    "HostFacts",
    "Issued",
    "LocalHost",
    "Plan",
    "Receipt",
    "Request",
    "Run",
    "ca_name",
    "certificate_pem",
    "gather",
    "generate",
    "issue",
    "parse_names",
    "private_pem",
    "verify",
]

_HOMES = {
    "dockertls.apply": ("Receipt", "Run"),
    "dockertls.errors": ("DockerTLSError",),
    "dockertls.facts": ("HostFacts",),
    "dockertls.rows": ("gather",),
    "dockertls.findings": ("Finding",),
    "dockertls.host": ("LocalHost",),
    "dockertls.pki.issue": ("Issued", "Request", "ca_name", "issue"),
    "dockertls.pki.keys": ("certificate_pem", "generate", "private_pem"),
    "dockertls.pki.names": ("parse_names",),
    "dockertls.pki.profiles": ("CA", "CLIENT", "SERVER"),
    "dockertls.pki.verify": ("verify",),
    "dockertls.plan": ("Plan",),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is used: `dockertls --version` needs none of them."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
