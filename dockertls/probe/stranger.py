"""The stranger: a client of an authority that lives for one look, so that no daemon can have a reason to let it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import DEFAULT_KIND, certificate_pem, generate, private_pem
from dockertls.pki.profiles import CA, CLIENT
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from datetime import datetime


def stranger(*, now: datetime, serials: tuple[int, int]) -> ClientMaterial:
    """A perfect client certificate of an authority that nobody knows; its keys are nowhere but in memory.

    Args:
        now: with a time zone.
        serials: of the authority's certificate and of the client's, 1 to 2**159 - 1, at random.
    """
    root_key, key = generate(DEFAULT_KIND), generate(DEFAULT_KIND)
    root_name = f"dockertls stranger {serials[0]:x}"[:40]
    root = issue(Request(CA, root_name), root_key, None, now=now, serial=serials[0])
    client = issue(Request(CLIENT, "stranger"), key, root, now=now, serial=serials[1])
    return ClientMaterial(certificate_pem([root.certificate]), certificate_pem([client.certificate]), private_pem(key))
