"""Bytes of a file as text: every document here is UTF-8."""

from __future__ import annotations

from dockertls.errors import Fault, Refused
from dockertls.escaping import visible


def decoded(content: bytes, name: str) -> str:
    """The text of a file.

    Args:
        content: all of its bytes.
        name: of the file, for the error.

    Raises:
        Refused: if they are not UTF-8, with the place where that begins.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        fault = Fault(f"line {line}, column {column}: this is not UTF-8", "save the file as UTF-8")
        raise Refused(f"{visible(name)}: {fault.message}", fault.hint, faults=[fault]) from None
