"""Small files of this program's own, as JSON that says what it is."""

from __future__ import annotations

import json
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from dockertls.errors import NotReady
from dockertls.plan import File, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import PurePosixPath as Path

    from dockertls.plan import Node

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


def regular(node: Node | None, path: Path, hint: str) -> File | None:
    """What is in the place of such a file; None: nothing is.

    Args:
        node: what was found there.
        path: of the file, for messages.
        hint: what to do if it is no file.

    Raises:
        NotReady: if it is a link or a directory: what it would say is not known, and not that it says nothing.
    """
    if node is None or isinstance(node, File):
        return node
    raise NotReady(f"{shown(path)} is no regular file", f"move it away, and {hint}")


# fields


def typed(kind: type[T], data: Mapping[str, Any]) -> T:
    """A value of a dataclass whose fields are texts, numbers, truths and tuples of texts.

    Args:
        kind: the dataclass.
        data: its fields, as JSON has them.

    Raises:
        KeyError, TypeError: if a field is missing, is unknown or is of another type; true is no number.
    """
    kinds = {one.name: str(one.type) for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _READERS[kinds[name]](value) for name, value in data.items()})


def texts(value: object) -> tuple[str, ...]:
    """A list of texts. Raises TypeError if it is none."""
    return tuple(_exact(str, one) for one in _exact(list, value))


def _exact(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(value)
    return value


_READERS: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {
        "str": lambda value: _exact(str, value),
        "int": lambda value: _exact(int, value),
        "bool": lambda value: _exact(bool, value),
        "tuple[str, ...]": texts,
    }
)
"""How a field is read, by its type."""
