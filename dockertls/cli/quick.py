"""Command lines of `api` that are read without typer, which takes longer to load than a request takes.

Only those that can be read in one way are: with every other one, a wrong one and `--help` too, nothing is done here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dockertls.cli.console import Console, environment
from dockertls.cli.signals import attend
from dockertls.cli.stdout import flushed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockertls.cli.calling import Call
    from dockertls.cli.session import Session

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        f"--{name.replace('_', '-')}": name
        for name in ("query", "header", "data", "data_file", "endpoint", "cert_path", "ca", "cert", "key", "timeout")
    }
)
"""As `dockertls.cli.api` has them; each takes a value."""


LEAST, MOST, DEFAULT = 0.1, 86400.0, 60.0
"""Seconds of --timeout."""


def run(words: list[str]) -> int | None:
    """Run a command line, if it is one of `api` that can be read here.

    Args:
        words: as in argv, without the program's name.

    Returns:
        The exit code; None: nothing was done.
    """
    json = words[:1] == ["--json"]
    call = read(words[json:]) if "DOCKERTLS_ROOT" not in environment() else None
    if call is None:
        return None
    from dockertls.cli.calling import Caller, carry_out

    attend()
    console = Console(json)
    try:
        carry_out(call, Caller(console, environment(), lambda: _session(console)))
        flushed()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - told there
        from dockertls.cli.app import told

        return told(error, words)
    return 0


def read(words: list[str]) -> Call | None:
    """What a command line says; None: it is to be read by typer."""
    values = _values(words[1:]) if words[:1] == ["api"] else None
    seconds = None if values is None else _seconds(values)
    if values is None or seconds is None:
        return None
    from dockertls.cli.calling import Call
    from dockertls.cli.daemons import MaterialOptions

    one = {name: said[-1] for name, said in values.items()}
    files = MaterialOptions(*(one.get(name) for name in ("cert_path", "ca", "cert", "key")))
    method, path = values["words"]
    bodies = one.get("data"), one.get("data_file")
    headers, query = values.get("header", ()), values.get("query", ())
    return Call(method, path, *bodies, headers, query, one.get("endpoint"), files, seconds)


def _values(words: Sequence[str]) -> Mapping[str, list[str]] | None:
    """Each option's values, and the two words that are none; None: it is not as plain as that."""
    found: dict[str, list[str]] = {"words": []}
    left = iter(words)
    for word in left:
        option, mark, value = word.partition("=")
        if option in OPTIONS:
            given = value if mark else next(left, None)
            if given is None:
                return None
            found.setdefault(OPTIONS[option], []).append(given)
        elif word.startswith("-"):
            return None
        else:
            found["words"].append(word)
    return found if len(found["words"]) == 2 else None  # noqa: PLR2004 - METHOD and PATH


def _seconds(values: Mapping[str, list[str]]) -> float | None:
    try:
        seconds = float(values["timeout"][-1]) if "timeout" in values else DEFAULT
    except ValueError:
        return None
    return seconds if LEAST <= seconds <= MOST else None


def _session(console: Console) -> Session:
    from dockertls.cli.session import Session

    return Session.begin(console, store=None, root=None)
