"""Values and arguments for people: what may be a credential is not among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockertls.daemon.options import BY_KEY

if TYPE_CHECKING:
    from dockertls.daemon.flags import Flags
    from dockertls.documents.json_file import Json

SECRET = "(secret)"  # noqa: S105 - stands in place of one
_NAME = re.compile(r"token|password|secret", re.IGNORECASE)
"""Names of entries that hold one, such as log-opt's splunk-token."""
_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_ASSIGNED = re.compile(
    r"""(?P<name>(?<![\w.-])[\w.-]{0,64}?(?:token|passw|passphrase|_pass|pwd|secret|credential|(?:api|access|private)_?key)"""
    r"""[\w.-]{0,64}"""
    r"""["']?[ \t]*[:=][ \t]*)"""
    r"""(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s\0"',}\[{][^\s\0"',}]*)""",
    re.IGNORECASE,
)
"""A name that says that a secret follows, as files and environments have it."""
_HARMLESS = frozenset({"", "true", "false", "null", "0", "1"})


def value(key: str, given: Json) -> Json:
    """An option's value as it may be shown."""
    option = BY_KEY.get(key)
    return SECRET if option and option.secret else _without_secrets(given)


def _without_secrets(given: Json) -> Json:
    match given:
        case str():
            return _IN_URL.sub(SECRET, given)
        case list():
            return [_without_secrets(item) for item in given]
        case dict():
            return {name: SECRET if _NAME.search(name) else _without_secrets(item) for name, item in given.items()}
        case _:
            return given


def arguments(flags: Flags) -> tuple[str, ...]:
    """Dockerd's arguments as they may be shown."""
    hidden = {item: item.written(SECRET) for item in flags.occurrences if item.option and item.option.secret}
    entries = {
        item: item.written(f"{item.text.partition('=')[0]}={SECRET}")
        for item in flags.occurrences
        if item.value is not None and _NAME.search(item.text.partition("=")[0]) and "=" in item.text
    }
    return tuple(_IN_URL.sub(SECRET, word) for word in flags.replaced({**entries, **hidden}))


def text(given: str) -> str:
    """A whole file or environment as it may leave the host: what may be a credential is not in it."""
    return _ASSIGNED.sub(_masked, _IN_URL.sub(SECRET, given))


def _masked(found: re.Match[str]) -> str:
    quote = found["value"][0] if found["value"][0] in "\"'" else ""
    plain = found["value"].strip("\"'")
    return found[0] if plain in _HARMLESS or plain.startswith("/") else f"{found['name']}{quote}{SECRET}{quote}"
