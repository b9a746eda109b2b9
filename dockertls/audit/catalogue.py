"""TABLE: all checks, and what they say of a host."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.audit.checks import clients, configuration, daemon, material, network, release
from dockertls.report.audited import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from dockertls.audit.model import Check
    from dockertls.audit.seen import Seen

TABLE: tuple[Check, ...] = (
    *network.TABLE,
    *material.TABLE,
    *clients.TABLE,
    *configuration.TABLE,
    *sorted((*daemon.TABLE, *release.TABLE), key=lambda check: check.id),
)
"""In the order of their areas."""

BY_ID: Mapping[str, Check] = MappingProxyType({check.id: check for check in TABLE})


def judged(seen: Sequence[Seen], checks: Collection[Check] = TABLE) -> Iterator[Result]:
    """What checks say, in the order of the catalogue: of every dockerd, or once of the host.

    Args:
        seen: what `dockertls.audit.gathered.seen` makes of what was gathered.
        checks: those to be asked.
    """
    for check in checks:
        for one in seen[:1] if check.of_host else seen:
            name = "" if check.of_host else one.name
            yield Result(check.ask(one), check.area.value, name, check.references)
