"""Files and environments as they are shown, or leave the host: what may be a credential does not stand in them."""

from __future__ import annotations

import re

SECRET = "(secret)"  # noqa: S105 - stands in place of one
IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_ASSIGNED = re.compile(
    r"""(?P<name>(?<![\w.-])(?!LoadCredential)[\w.-]{0,64}?(?:token|passw|passphrase|_pass|pwd|secret|credential|(?:api|access|private)_?key)"""
    r"""[\w.-]{0,64}"""
    r"""["']?[ \t]*[:=][ \t]*)"""
    r"""(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s\0"',}\[{][^\s\0"',}]*)""",
    re.IGNORECASE,
)
"""A name that says that a secret follows, as files and environments have it."""
_HARMLESS = frozenset({"", "true", "false", "null", "0", "1"})


def masked(given: str) -> str:
    """A whole file or environment as it may be shown."""
    return _ASSIGNED.sub(_hidden, IN_URL.sub(SECRET, given))


def _hidden(found: re.Match[str]) -> str:
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    plain = found["value"].strip("\"'")
    return found[0] if plain in _HARMLESS or plain.startswith("/") else f"{found['name']}{quote}{SECRET}{quote}"
