"""Text of others, made harmless before it is shown."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""Text with every control character escaped, so that a file or a peer cannot drive the terminal.

    Args:
        text: anything.

    Returns:
        The same text with C0, C1 and bidirectional controls written as `\x1b`; tabs are kept.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char == "\t" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
