"""TABLE of the formats in which an audit is told."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.report import audit_json, audit_table, junit, markdown, page, sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockertls.report.audited import Audit

FORMATS: Mapping[str, Callable[[Audit], str]] = MappingProxyType(
    {
        "table": audit_table.document,
        "json": audit_json.document,
        "junit": junit.document,
        "sarif": sarif.document,
        "html": page.document,
        "markdown": markdown.document,
    }
)
"""By its name: what makes the whole text of it, with a newline at its end. None of them can drive a terminal."""
