"""How certificates stand to each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dockertls.findings import Failed
from dockertls.pki.arrangement import arranged
from dockertls.pki.fitness import Role, role_of
from tests.unit.pki.by_hand import CLIENT_LEAF, MIDDLE, NOW, ROOT, SERVER_LEAF, subject

if TYPE_CHECKING:
    from cryptography import x509

LEAF, CLIENT = SERVER_LEAF.certificate, CLIENT_LEAF.certificate
MID, TOP = MIDDLE.certificate, ROOT.certificate
STRANGER = replace(ROOT, subject=subject("stranger"), issuer=subject("stranger")).certificate


def leaves(*certificates: x509.Certificate) -> list[int]:
    return [number for number, one in enumerate(certificates) if role_of(one) is not Role.AUTHORITY]


CHAINS = {
    "as it should be": ((LEAF, MID), (0, 1), (), ""),
    "with the root": ((LEAF, MID, TOP), (0, 1, 2), (), "(a root is sent along, certificate 3"),
    "issuers in another order": ((LEAF, TOP, MID), (0, 2, 1), (), "(the order is wrong: it should be 1, 3, 2"),
    "leaf last": ((TOP, MID, LEAF), (2, 1, 0), (), "certificate 3 is the one that is shown"),
    "a link is missing": ((LEAF, TOP), (0,), (1,), "a link is missing: CN=middle, the issuer of certificate 1"),
    "a stray": ((LEAF, MID, TOP, STRANGER), (0, 1, 2), (3,), "(it has nothing to do with certificate 4 (CN=stranger)"),
    "two leaves": ((LEAF, CLIENT, MID, TOP), (0, 2, 3), (1,), "(the order is wrong: it should be 1, 3, 4"),
}


@pytest.mark.parametrize("way", CHAINS)
def test_chains(way: str) -> None:
    certificates, path, others, told = CHAINS[way]
    chain = arranged(certificates, leaves(*certificates))
    assert chain is not None
    assert (chain.kind, chain.path, chain.others) == ("chain", path, others)
    assert chain.in_order is (path == tuple(range(len(path))))
    causes = [
        one.verdict.cause if isinstance(one.verdict, Failed) else f"({getattr(one.verdict, 'cause', '')}"
        for one in chain.findings
    ]
    assert any(cause.startswith(told) for cause in causes) if told else causes == []


def test_one_certificate_stands_alone() -> None:
    assert arranged([LEAF], [0]) is None
    assert arranged([], []) is None


def test_bundles() -> None:
    bundle = arranged([TOP, STRANGER], [])
    assert bundle is not None
    assert (bundle.kind, bundle.roots, bundle.missing, bundle.findings) == ("bundle", (0, 1), (), ())
    partial = arranged([STRANGER, MID, MID], [])
    assert partial is not None
    assert partial.missing == ("CN=root",)
    assert len(partial.findings) == 2, "one is no root, and stands there twice"
    assert not any(isinstance(one.verdict, Failed) for one in partial.findings)


def test_many_authorities_of_one_name_do_not_keep_us_busy() -> None:
    """Whoever makes the file decides how many there are; none of them signed the leaf."""
    others = [replace(MIDDLE, end=NOW, key=ROOT.key).certificate] * 5000
    chain = arranged([LEAF, *others], [0])
    assert chain is not None
    assert chain.path == (0,)
