"""HTML in which text is text: what is not built here is escaped."""

from __future__ import annotations

from html import escape

from dockertls.escaping import visible

VOID = frozenset({"circle", "input", "meta", "wbr"})
"""Elements that hold nothing."""


class Markup(str):
    """A piece of HTML."""

    __slots__ = ()


def text(words: str) -> Markup:
    """Text of others, harmless in an element and in an attribute."""
    return Markup(escape(visible(words)))


def joined(*content: str) -> Markup:
    """Pieces of HTML as they are, and everything else escaped."""
    return Markup("".join(one if isinstance(one, Markup) else text(one) for one in content))


def el(tag: str, *content: str, **attributes: str | bool | None) -> Markup:
    """An element.

    Args:
        tag: its name, not of others.
        content: as for `joined`.
        attributes: by name, `class_` for class, `_` for a hyphen; None and False are left out, True has no value.
    """
    named = ((name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    given = (f" {name}" if value is True else f' {name}="{text(value)}"' for name, value in named if value)
    begin = f"<{tag}{''.join(given)}"
    return Markup(f"{begin}/>" if tag in VOID else f"{begin}>{joined(*content)}</{tag}>")
