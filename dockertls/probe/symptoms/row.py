"""What a row of the tables holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Remedy:
    """One row.

    Attributes:
        id: stable name.
        texts: what an error message of this kind holds, whatever its case; a regular expression. White space is one
            space each.
        cause: one line for people.
        remedy: one line, what to do.
        verify_codes: OpenSSL's X509_V_ERR_* that mean the same.
        errnos: the operating system's numbers that mean the same.
    """

    id: str
    texts: str = field(repr=False)
    cause: str
    remedy: str
    verify_codes: tuple[int, ...] = ()
    errnos: tuple[int, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The texts, compiled: all of them take longer than most commands, and few are ever asked."""
        return re.compile(self.texts, re.IGNORECASE)


LOG = r"TLS handshake error from \S+ "
"""How dockerd's log begins to tell of a handshake that failed: what follows is the daemon's own view."""

OF_CLIENT = rf"(?:failed to verify client certificate|{LOG}tls: failed to verify certificate): x509: "
"""How dockerd's log begins to tell what is wrong with a client's certificate; since Go 1.20 without the word client."""

ALERTED = r"(?<!\d: )remote error: tls: "
"""How a Go client tells of the daemon's alert. In dockerd's log the same words stand behind the caller's port: there
they tell of the client's alert."""
