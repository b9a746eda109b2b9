"""TABLE of symptoms: what an error says, what has caused it, and what to do.

The texts are those of dockerd, the docker CLI, docker-py, Python's ssl, OpenSSL, GnuTLS, curl, Go and Java. A row that
needs more words to be told comes before the row that needs fewer, so the first one that matches says the most.
"""

from __future__ import annotations

import re

from dockertls.probe.symptoms.certificates import CERTIFICATES
from dockertls.probe.symptoms.connections import CONNECTIONS
from dockertls.probe.symptoms.files import FILES
from dockertls.probe.symptoms.refusals import REFUSALS
from dockertls.probe.symptoms.row import Remedy
from dockertls.probe.symptoms.settings import SETTINGS

TABLE: tuple[Remedy, ...] = (*FILES, *CERTIFICATES, *SETTINGS, *REFUSALS, *CONNECTIONS)

_COLOUR = re.compile(r"\x1b?\[[\d;]*m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
"""What a terminal is told besides text: also colours whose escape character was lost when they were copied."""


def explain(text: str) -> Remedy | None:
    """The first row that knows an error message; None if no row does.

    Args:
        text: of any client or of dockerd's log, with whatever stands around it: colours, prompts, other lines. Nor
            does it matter where its lines were broken, or that a log put backslashes before its quotes.
    """
    plain = " ".join(_COLOUR.sub("", text).replace('\\"', '"').split())
    return next((row for row in TABLE if row.pattern.search(plain)), None)


def of_verify_code(code: int) -> Remedy | None:
    """The row of an X509_V_ERR_* of OpenSSL (openssl/x509_vfy.h)."""
    return next((row for row in TABLE if code in row.verify_codes), None)


def of_errno(number: int) -> Remedy | None:
    """The row of an error number of the operating system."""
    return next((row for row in TABLE if number in row.errnos), None)


__all__ = ["TABLE", "Remedy", "explain", "of_errno", "of_verify_code"]
