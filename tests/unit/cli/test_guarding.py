"""What is asked before a change, on a host as it would be: judged, and tried in a handshake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dockertls.cli.guarding import preflight, shake_hands
from dockertls.daemon.certificates import CA, CERT, KEY, MODES
from dockertls.daemon.model import as_packaged
from dockertls.daemon.places import SYSTEM
from dockertls.errors import Refused
from dockertls.pki.issue import Request, issue
from dockertls.pki.keys import certificate_pem, generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.profiles import CA as AUTHORITY
from dockertls.pki.profiles import CLIENT, SERVER
from dockertls.plan import Change, File
from dockertls.platforms import BY_NAME
from dockertls.probe.endpoint import Endpoint
from dockertls.probe.observation import ClientMaterial

if TYPE_CHECKING:
    from dockertls.facts import HostFacts
    from dockertls.pki.issue import Issued
    from dockertls.pki.profiles import Profile

NOW = datetime.now(UTC)
HERE = Endpoint("127.0.0.1")
Guard = Callable[["HostFacts", Endpoint, ClientMaterial, datetime], None]


def authority(name: str) -> Issued:
    return issue(Request(AUTHORITY, name), generate("ecdsa-p256"), None, now=NOW, serial=1)


def pair(profile: Profile, by: Issued) -> tuple[bytes, bytes]:
    names = parse_names(["127.0.0.1"]) if profile is SERVER else ()
    made = issue(Request(profile, "one", names), generate("ecdsa-p256"), by, now=NOW, serial=2)
    assert made.key is not None
    return certificate_pem([made.certificate]), private_pem(made.key)


OURS, THEIRS = authority("ours"), authority("theirs")
TRUST, FOREIGN = (certificate_pem([one.certificate]) for one in (OURS, THEIRS))
SERVED, ANN, MALLORY = pair(SERVER, OURS), pair(CLIENT, OURS), pair(CLIENT, THEIRS)


def host(trust: bytes = TRUST) -> HostFacts:
    contents = {CA: trust, CERT: SERVED[0], KEY: SERVED[1]}
    changes = [Change(SYSTEM.told(name), None, File(content, MODES[name]), "") for name, content in contents.items()]
    return as_packaged(BY_NAME["debian"]).after(changes)


@pytest.mark.parametrize("client", [ClientMaterial(TRUST, *ANN), ClientMaterial(TRUST)], ids=["a client", "none"])
def test_what_works_is_let_pass(client: ClientMaterial) -> None:
    preflight(host(), HERE, client, NOW)
    shake_hands(host(), HERE, client, NOW)
    preflight(host(), HERE, None, NOW)


BAD = {
    "a client of others": (host(), HERE, ClientMaterial(TRUST, *MALLORY)),
    "a client that trusts others": (host(), HERE, ClientMaterial(FOREIGN, *ANN)),
    "a daemon that trusts others": (host(FOREIGN), HERE, ClientMaterial(TRUST, *ANN)),
    "another name": (host(), Endpoint("192.0.2.7"), ClientMaterial(TRUST, *ANN)),
    "the server's certificate as the client's": (host(), HERE, ClientMaterial(TRUST, *SERVED)),
}


@pytest.mark.parametrize("guard", [preflight, shake_hands])
@pytest.mark.parametrize("name", BAD)
def test_either_guard_by_itself_refuses_what_would_not_work(name: str, guard: Guard) -> None:
    with pytest.raises(Refused, match="the certificates that dockerd would have"):
        guard(*BAD[name], NOW)
