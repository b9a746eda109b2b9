"""What an answer of Docker's API says of its failure: in its body, or in the last line of a stream that began well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockertls.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LINE = 64 * 1024
"""Bytes: a line that is longer is no complaint."""

LONGEST_MESSAGE = 4096
"""Characters that are told."""


def message_of(body: bytes) -> str:
    """The words of an error's body; empty: there are none.

    Args:
        body: JSON with a "message", or any text; what is beyond `LONGEST_LINE` is not looked at.
    """
    said = _object(body).get("message")
    return _shown(said if isinstance(said, str) else body[:LONGEST_LINE].decode("utf-8", "backslashreplace"))


def last_line(kept: bytes, part: bytes) -> bytes:
    """The last line of a stream, in bounded memory, after one more part of it has come.

    Args:
        kept: what this function said before; empty at the beginning.
        part: what came.
    """
    text = kept + part
    start = text.rfind(b"\n", 0, len(text.rstrip())) + 1
    line, rest = text[start : start + LONGEST_LINE - 1], text[start + LONGEST_LINE - 1 :]
    return line + (b"\n" if b"\n" in rest else rest[:1])  # a line that was cut still ends


def complaint(line: bytes) -> str:
    """Why a pull, push, load or build failed, by the last line of its stream; empty: it did not.

    Docker says it with status 200, since the stream had begun (moby, pkg/jsonmessage).
    """
    told = _object(line) if line else {}
    detail = told.get("errorDetail")
    said = detail.get("message") if isinstance(detail, dict) else None
    words = [one for one in (said, told.get("error")) if isinstance(one, str) and one]
    if not words and ("errorDetail" in told or told.get("error")):
        return "the stream ends with an error that does not say why"
    return _shown(words[0]) if words else ""


def _object(text: bytes) -> Mapping[str, object]:
    import json  # noqa: PLC0415 - an answer that is no JSON does without

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(text: str) -> str:
    words = text.strip()
    return visible(words if len(words) <= LONGEST_MESSAGE else f"{words[:LONGEST_MESSAGE]} ...")
