"""TABLE of the formats of an audit's report, beside the table that a terminal is shown and the JSON document."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.report.junit import junit
from dockertls.report.markdown import markdown
from dockertls.report.page import page
from dockertls.report.sarif import sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.report.audited import Audit

TEXTS: Mapping[str, Callable[[Audit], str]] = MappingProxyType(
    {"junit": junit, "sarif": sarif, "html": page, "markdown": markdown}
)
"""Formats that are one text."""
FORMATS = ("table", "json", *TEXTS)
"""All of them."""
