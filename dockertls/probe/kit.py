"""What the looks come with: a TLS context for each client and version, made once for all endpoints."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.probe import api
from dockertls.probe.observation import ClientMaterial, Version
from dockertls.probe.wire import hears

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSIONS: Mapping[Version, ssl.TLSVersion] = MappingProxyType(
    {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
)
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME: expiry is a question of its own."""

_EVERY_SUITE = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
_WEAK_SUITES = "kRSA:aNULL:eNULL:3DES:RC4:LOW:MD5:kPSK:@SECLEVEL=0"
"""No forward secrecy, no authentication, no encryption, or a broken one; as far as the local library still has them."""

Dressed = ssl.SSLContext | str
"""A context; or why our own files make none."""


@dataclass(frozen=True)
class Kit:
    """The contexts of all that is asked; see `dockertls.probe.observation.Observation`.

    Attributes:
        good: the user's own client, by the version of TLS.
        none: no certificate, likewise.
        visitors: others, by name, likewise.
        hears: whether the `none` ones can hear what the server asks for.
        strict: judges the server's chain as Python 3.13 does.
        chain: judges it as everybody else does.
        verifying: a real client: chain, time and name.
        strictest: the same as Python 3.13 does it.
        legacy: TLS 1.0 and 1.1.
        weak: bad suites.
    """

    good: Mapping[Version, Dressed]
    none: Mapping[Version, Dressed]
    visitors: Mapping[str, Mapping[Version, Dressed]]
    hears: bool
    strict: Dressed
    chain: Dressed
    verifying: Dressed
    strictest: Dressed
    legacy: Dressed
    weak: Dressed

    @classmethod
    def of(cls, material: ClientMaterial, visitors: Mapping[str, ClientMaterial]) -> Kit:
        """From the user's own files, and those of everybody who should not be let in."""
        none = _by_version(ClientMaterial(material.ca))
        heard = [hears(context) for context in none.values() if isinstance(context, ssl.SSLContext)]
        return cls(
            good=_by_version(material),
            none=none,
            visitors={name: _by_version(one) for name, one in visitors.items()},
            hears=all(heard),
            strict=dressed(partial(judging_context, material, strict=True)),
            chain=dressed(partial(judging_context, material, strict=False)),
            verifying=dressed(partial(api.verifying_context, material)),
            strictest=dressed(partial(strictest_context, material)),
            legacy=dressed(legacy_context),
            weak=dressed(weak_context),
        )

    @property
    def passive(self) -> Kit:
        """Without anything that the user's own client would not do."""
        return replace(self, none={}, visitors={})


def dressed(make: Callable[[], ssl.SSLContext]) -> Dressed:
    """A context, or why there is none."""
    try:
        return make()
    except (OSError, ValueError) as error:
        return api.reason_of(error)


def _by_version(material: ClientMaterial) -> dict[Version, Dressed]:
    return {version: dressed(partial(looking_context, material, version)) for version in VERSIONS}


def looking_context(material: ClientMaterial, version: Version) -> ssl.SSLContext:
    """Takes whatever server certificate there is, and lets weak keys and digests pass on both sides."""
    context = _open_context("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = VERSIONS[version]
    api.load_pair(context, material.cert, material.key)
    return context


def judging_context(material: ClientMaterial, *, strict: bool) -> ssl.SSLContext:
    """Asks OpenSSL whether the server's chain verifies; shows the client's own certificate where it can be used."""
    context = api.bare_context()
    context.check_hostname = False
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.verify_flags |= _NO_CHECK_TIME | ssl.VERIFY_X509_PARTIAL_CHAIN
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    api.load_authorities(context, material.ca)
    with contextlib.suppress(OSError, ValueError):
        api.load_pair(context, material.cert, material.key)
    return context


def strictest_context(material: ClientMaterial) -> ssl.SSLContext:
    """A real client as it is on Python 3.13."""
    context = api.verifying_context(material)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def legacy_context() -> ssl.SSLContext:
    """Offers TLS 1.0 and 1.1 alone, with every suite that the local library has."""
    context = _open_context(_EVERY_SUITE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are to be used by nobody is the point
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


def weak_context() -> ssl.SSLContext:
    """Offers TLS 1.2 with bad suites alone."""
    context = _open_context(_WEAK_SUITES)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _open_context(suites: str) -> ssl.SSLContext:
    context = api.bare_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(suites)
    return context
