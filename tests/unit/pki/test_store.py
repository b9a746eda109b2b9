"""The store: who issued what through whom, whose key it is, and requests that wait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from dockertls.apply import Run, apply
from dockertls.errors import NotReady, Refused
from dockertls.host import LocalHost
from dockertls.pki.acceptance import Pair
from dockertls.pki.issue import Issued, Request, issue
from dockertls.pki.keys import generate, private_pem
from dockertls.pki.names import parse_names
from dockertls.pki.pending import Pending, answered, new_pending, pending, plan_pending
from dockertls.pki.profiles import SERVER
from dockertls.pki.requests import make_request
from dockertls.pki.store import Generation, StoreState, new_generation, plan_authority, plan_generation
from tests.unit.pki.by_hand import DAY, LEAF_KEY, MIDDLE, MIDDLE_KEY, NOW, ROOT, ROOT_KEY, SERVER_LEAF

if TYPE_CHECKING:
    from dockertls.plan import Plan

STORE = PurePosixPath("/etc/dockertls")
ROOT_CERTIFICATE, MIDDLE_CERTIFICATE, LEAF = ROOT.certificate, MIDDLE.certificate, SERVER_LEAF.certificate
NAMES = parse_names(["web1", "web1.example"])


@pytest.fixture
def store(tmp_path: Path) -> StoreState:
    """A store of an intermediate authority, with a server whose key is elsewhere."""
    (tmp_path / "etc").mkdir()
    found = StoreState(LocalHost(str(tmp_path)), STORE)
    issued = Issued(MIDDLE_CERTIFICATE, (ROOT_CERTIFICATE,))
    done(found, plan_authority(found, new_generation(found, "ca", "", issued, private_pem(MIDDLE_KEY))))
    server = Issued(LEAF, (MIDDLE_CERTIFICATE,))
    done(found, plan_generation(found, new_generation(found, "server", "web1", server, None)))
    return found


def done(store: StoreState, plan: Plan) -> None:
    apply(plan, store.host, Run(NOW, append_only=(STORE,)))


def server(store: StoreState) -> Generation:
    found = store.current("server", "web1")
    assert found
    return found


def test_the_root_is_trusted_and_never_sent(store: StoreState) -> None:
    issuer = store.issuer(lambda: None)
    assert (issuer.certificate, issuer.chain) == (MIDDLE_CERTIFICATE, (ROOT_CERTIFICATE,)), "whose limits bind, too"
    leaf = issue(Request(SERVER, "web2", NAMES), LEAF_KEY, issuer, now=NOW, serial=9)
    assert leaf.chain == (MIDDLE_CERTIFICATE,)
    assert store.trusted() == (ROOT_CERTIFICATE,)


def test_a_certificate_without_its_key_is_valid_and_not_good_here(store: StoreState) -> None:
    found = server(store)
    assert found.is_valid(MIDDLE_CERTIFICATE, NAMES, NOW)
    assert not found.is_good(MIDDLE_CERTIFICATE, NAMES, NOW)
    with_key = replace(found, key_pem=private_pem(LEAF_KEY))
    assert with_key.is_good(MIDDLE_CERTIFICATE, NAMES, NOW)
    with pytest.raises(NotReady, match="the key of server web1 is elsewhere, or lost") as refused:
        _ = found.pair
    assert "dockertls server issue web1" in refused.value.hint


def test_it_is_of_the_root_too_through_the_intermediate_one_beside_it(store: StoreState) -> None:
    found = server(store)
    assert found.is_valid(ROOT_CERTIFICATE, NAMES, NOW)
    alone = replace(found, cert_pem=found.cert_pem[: found.cert_pem.index(b"-----END") + 25])
    assert alone.is_valid(MIDDLE_CERTIFICATE, NAMES, NOW)
    assert not alone.is_valid(ROOT_CERTIFICATE, NAMES, NOW)
    assert not found.is_valid(ROOT_CERTIFICATE, NAMES, NOW + 400 * DAY)
    assert not found.is_valid(ROOT_CERTIFICATE, parse_names(["web2"]), NOW)


def test_whose_key_it_is_is_known(store: StoreState) -> None:
    assert [(one.role, one.name) for one in store.holders(LEAF_KEY.public_key())] == [("server", "web1")]
    assert [one.role for one in store.holders(MIDDLE_KEY.public_key())] == ["ca"]
    assert store.holders(ROOT_KEY.public_key()) == ()


def request(key: object = LEAF_KEY, *names: str) -> Pair:
    private = LEAF_KEY if key is LEAF_KEY else generate("ed25519")
    return Pair(make_request(Request(SERVER, "web1", parse_names(["web1", *names])), private), private)


def waiting(store: StoreState, pair: Pair, old: Pending | None = None) -> Pending:
    done(store, plan_pending(store, "server", "web1", new_pending(store, "server", "web1", pair, old)))
    found = pending(store, "server", "web1")
    assert found
    return found


def test_a_request_waits_beside_what_is_in_use(store: StoreState) -> None:
    assert pending(store, "server", "web1") is None
    assert pending(store, "server", "web2") is None
    before = server(store)
    found = waiting(store, request())
    assert found.path == STORE / "servers/web1/pending"
    assert found.pair.request.is_signature_valid
    assert server(store) == before
    place = Path(store.host.root) / "etc/dockertls/servers/web1/pending"  # type: ignore[attr-defined] # a LocalHost
    modes = {path.name: path.stat().st_mode & 0o777 for path in (place, *place.iterdir())}
    assert modes == {"pending": 0o700, "key.pem": 0o600, "request.pem": 0o644}
    assert not plan_pending(store, "server", "web1", found), "the second time there is nothing to do"


def test_a_request_for_other_names_keeps_the_key(store: StoreState) -> None:
    first = waiting(store, request())
    second = waiting(store, request(LEAF_KEY, "more"), first)
    assert second.key_pem == first.key_pem
    assert second.request != first.request


def test_an_answered_request_goes_and_comes_back_if_that_fails(store: StoreState) -> None:
    found = waiting(store, request())
    generation = new_generation(store, "server", "web1", Issued(LEAF, (MIDDLE_CERTIFICATE,)), found.key_pem)
    plan = plan_generation(store, generation)
    whole = replace(plan, changes=(*plan.changes, *answered(store, found, generation.path)))

    def fail() -> None:
        raise NotReady("no", "")

    with pytest.raises(Exception, match="everything was put back"):
        apply(whole, store.host, Run(NOW, append_only=(STORE,)), proof=fail)
    again = pending(store, "server", "web1")
    assert again
    assert (again.request, again.key_pem) == (found.request, found.key_pem)
    assert server(store).number == 1
    done(store, whole)
    assert pending(store, "server", "web1") is None
    assert server(store).is_good(MIDDLE_CERTIFICATE, NAMES, NOW)
    assert b"PRIVATE" not in b"".join(
        path.read_bytes()
        for path in (Path(store.host.root) / "var/lib/dockertls").rglob("*.json")  # type: ignore[attr-defined] # a LocalHost
    ), "the history knows no key"


def test_half_a_request_is_told(store: StoreState) -> None:
    waiting(store, request())
    place = Path(store.host.root) / "etc/dockertls/servers/web1/pending"  # type: ignore[attr-defined] # a LocalHost
    key = (place / "key.pem").read_bytes()
    (place / "key.pem").write_bytes(private_pem(ROOT_KEY))
    with pytest.raises(Refused, match="is not the key of") as refused:
        pending(store, "server", "web1")
    assert "remove the folder /etc/dockertls/servers/web1/pending" in refused.value.hint
    (place / "key.pem").write_bytes(key)
    (place / "request.pem").unlink()
    with pytest.raises(NotReady, match=r"pending/request\.pem is missing"):
        pending(store, "server", "web1")
