"""A time as people write it: 30d, 12h, 4w."""

from __future__ import annotations

import re
from datetime import timedelta
from types import MappingProxyType

HOW = "write 30d, 12h or 4w"
"""For whoever wrote something else."""
_UNITS = MappingProxyType({"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)})
_TIME = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[hdw])")


def parse(text: str) -> timedelta | None:
    """The time that a text says; None: it says none."""
    found = _TIME.fullmatch(text)
    return int(found["count"]) * _UNITS[found["unit"]] if found else None
