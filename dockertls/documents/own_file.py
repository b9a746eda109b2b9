"""Small files of this program's own, as JSON that says what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from dockertls.errors import NotReady
from dockertls.plan import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath as Path

T = TypeVar("T")


def written(schema: str, fields: Mapping[str, object]) -> bytes:
    """A file of one kind, such as "dockertls/rotation/1"."""
    return (json.dumps({"schema": schema} | dict(fields), indent=2) + "\n").encode()


def read_back(content: bytes, schema: str, make: Callable[[dict[str, Any]], T], path: Path, hint: str) -> T:
    """What such a file says.

    Args:
        content: the file.
        schema: its kind.
        make: makes a value of its fields; may raise ValueError, KeyError or TypeError.
        path: of the file, for messages.
        hint: what to do if it cannot be read.

    Raises:
        NotReady: if it is not what this program wrote.
    """
    try:
        data = json.loads(content)
        if data.pop("schema") == schema:
            return make(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReady(f"{shown(path)} cannot be read", hint) from error
    raise NotReady(f"{shown(path)} was written by another version", hint)
