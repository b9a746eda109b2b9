"""Ask an endpoint everything that is to be known of it, in two rounds of looks at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dockertls.probe.endpoint import PLAIN_PORT
from dockertls.probe.handshake import Target, attempt, version_of, without_tls
from dockertls.probe.kit import Kit
from dockertls.probe.observation import ApiSeen, Handshake, Observation, Outcome, Pair
from dockertls.probe.wire import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockertls.probe.endpoint import Endpoint
    from dockertls.probe.kit import Dressed
    from dockertls.probe.observation import ClientMaterial, Version

NEIGHBOUR_PATIENCE = 1.5
"""Seconds that the port next door has: a firewall that drops what comes there is no reason to wait any longer."""

_SILENT = frozenset({Outcome.UNREACHABLE, Outcome.TIMED_OUT})


def observe(
    endpoint: Endpoint,
    material: ClientMaterial,
    visitors: Mapping[str, ClientMaterial],
    *,
    timeout: float,
) -> Observation:
    """Ask one endpoint everything at once; see `observing`.

    Args:
        endpoint: whom to look at.
        material: the user's own files.
        visitors: others who should not be let in, by their names in `stranger.WHO`.
        timeout: seconds for all of it.
    """
    return run(observing(endpoint, Kit.of(material, visitors), patience=timeout))


async def observing(
    endpoint: Endpoint, kit: Kit, *, patience: float, many: asyncio.Semaphore | None = None
) -> Observation:
    """Two rounds: is anybody there, and then everything else at the same time.

    Args:
        endpoint: whom to look at.
        kit: whom to come as.
        patience: seconds for all of it; what is spent on waiting for `many` does not count.
        many: shared by all that run in this event loop: so many endpoints are asked everything at the same time.
    """
    begun = time.monotonic()
    target = await Target.of(endpoint, patience)
    first = await _first(target, kit)
    outcomes = {look.outcome for _, look in first.good.both}
    if outcomes <= _SILENT or Outcome.NOT_TLS in outcomes:
        return first
    spent = time.monotonic() - begun
    async with many or contextlib.nullcontext():
        return await _everything(replace(target, deadline=time.monotonic() + patience - spent), kit, first)


async def _first(target: Target, kit: Kit) -> Observation:
    """What the user's own client sees, and what is open without TLS."""
    if not kit.none:
        good = await _pair(target, kit.good)
        return _bare(target, good, kit)
    own = target.endpoint.port == PLAIN_PORT
    good, plain, neighbour = await asyncio.gather(
        _pair(target, kit.good),
        without_tls(target),
        _nothing() if own else without_tls(target.neighbour(NEIGHBOUR_PATIENCE)),
    )
    return replace(_bare(target, good, kit), plaintext=plain, neighbour=neighbour)


async def _nothing() -> None:
    return None


def _bare(target: Target, good: Pair, kit: Kit) -> Observation:
    """What follows from the first looks for those that make no sense any more."""
    same = good.tls12
    fault = same.reason or same.outcome.value
    none = good if kit.none else None
    visitors = MappingProxyType(dict.fromkeys(kit.visitors, good))
    return Observation(target.endpoint, good, same, same, ApiSeen(fault=fault), none, visitors, kit.hears)


async def _everything(target: Target, kit: Kit, first: Observation) -> Observation:
    """The second round: the server as its client sees it, and as everybody who should not be let in."""
    (strict, verified, seen), others = await asyncio.gather(_as_client(target, kit), _as_others(target, kit))
    return replace(first, strict=strict, verified=verified, api=seen, **others)


async def _as_client(target: Target, kit: Kit) -> tuple[Handshake, Handshake, ApiSeen]:
    """The strictest of clients first: what it believes, every other one does."""
    seen, believed = await version_of(target, kit.strictest)
    if believed:
        good = Handshake(Outcome.ACCEPTED, verify_code=0)
        return good, good, seen
    strict, (seen, _) = await asyncio.gather(attempt(target, kit.strict), version_of(target, kit.verifying))
    passed = strict.verify_code == 0
    return strict, strict if passed else await attempt(target, kit.chain), seen


async def _as_others(target: Target, kit: Kit) -> dict[str, Any]:
    """Fields of the observation; none where nothing is to be asked but what the client itself would."""
    if not kit.none:
        return {}
    legacy, weak, none, *visitors = await asyncio.gather(
        attempt(target, kit.legacy),
        attempt(target, kit.weak),
        _pair(target, kit.none),
        *(_pair(target, contexts) for contexts in kit.visitors.values()),
    )
    told = MappingProxyType(dict(zip(kit.visitors, visitors, strict=True)))
    return {"legacy": legacy, "weak": weak, "none": none, "visitors": told}


async def _pair(target: Target, contexts: Mapping[Version, Dressed]) -> Pair:
    return Pair(*await asyncio.gather(*(attempt(target, context) for context in contexts.values())))
