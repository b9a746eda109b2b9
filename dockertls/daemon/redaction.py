"""Values and arguments for people: what may be a credential is not among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockertls.daemon.options import BY_KEY
from dockertls.masking import IN_URL, SECRET

if TYPE_CHECKING:
    from dockertls.daemon.flags import Flags
    from dockertls.documents.json_file import Json

_NAME = re.compile(r"token|password|secret", re.IGNORECASE)
"""Names of entries that hold one, such as log-opt's splunk-token."""


def value(key: str, given: Json) -> Json:
    """An option's value as it may be shown."""
    option = BY_KEY.get(key)
    return SECRET if option and option.secret else _without_secrets(given)


def _without_secrets(given: Json) -> Json:
    match given:
        case str():
            return IN_URL.sub(SECRET, given)
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
    return tuple(IN_URL.sub(SECRET, word) for word in flags.replaced({**entries, **hidden}))
