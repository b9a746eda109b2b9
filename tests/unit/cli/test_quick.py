"""Command lines of `api` that are read without typer say the same to both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import typer
from typer.main import get_group

from dockertls.cli import api, quick
from dockertls.cli.calling import Call

if TYPE_CHECKING:
    from typer.core import TyperCommand

PLAIN = (
    ("GET", "/_ping"),
    ("get", "/x?a=1", "--query", "a=b", "--query=c=d=e", "--query", ""),
    ("--header", "A: b", "POST", "--header=C: --d", "/x", "--data", ""),
    ("POST", "/x", "--data", "--query", "--data-file", "-", "--data-file", "b"),
    ("POST", "/x", "--data=-", "--timeout", "5"),
    ("POST", "/x", "--timeout=1e1", "--timeout", "0.1"),
    ("POST", "/x", "--timeout", "86400", "--endpoint=unix:///a b"),
    ("", "", "--ca", "a", "--cert", "b", "--key", "c", "--cert-path", "d"),
)
OTHER = (
    ("--help",),
    ("GET", "/x", "-h"),
    ("GET",),
    (),
    ("GET", "/x", "more"),
    ("GET", "/x", "--data"),
    ("GET", "/x", "--nothing", "x"),
    ("GET", "/x", "--dat", "x"),
    ("GET", "-x"),
    ("GET", "--", "/x"),
    ("GET", "/x", "--timeout", "x"),
    ("GET", "/x", "--timeout", "0"),
    ("GET", "/x", "--timeout", "nan"),
    ("GET", "/x", "--timeout", "inf"),
    ("GET", "/x", "--json"),
)


def by_typer(words: tuple[str, ...]) -> dict[str, Any]:
    app = typer.Typer()
    api.register(app)
    command = cast("TyperCommand", get_group(app).commands["api"])
    with command.make_context("api", list(words)) as context:
        return context.params


@pytest.mark.parametrize("words", PLAIN)
def test_what_is_plain_is_read_as_typer_reads_it(words: tuple[str, ...]) -> None:
    said = by_typer(words)
    call = quick.read(["api", *words])
    assert isinstance(call, Call)
    read = {name: getattr(call, name) for name in ("method", "path", "data", "data_file", "endpoint", "timeout")}
    read |= {name: getattr(call.files, name) for name in ("cert_path", "ca", "cert", "key")}
    read |= {"header": list(call.headers), "query": list(call.query)}
    said |= {name: list(said[name] or ()) for name in ("header", "query")}
    assert read == said


@pytest.mark.parametrize("words", OTHER)
def test_what_is_not_plain_is_left_to_typer(words: tuple[str, ...]) -> None:
    assert quick.read(["api", *words]) is None


@pytest.mark.parametrize(
    "words", [["check"], ["--store", "api", "GET", "/x"], ["-q", "api", "GET", "/x"], [], ["--json"]]
)
def test_another_command_is_none_of_its_own(words: list[str]) -> None:
    assert quick.run(words) is None


def test_it_knows_every_option_of_the_command() -> None:
    options = {name for name in by_typer(("GET", "/x")) if name not in {"method", "path"}}
    assert set(quick.OPTIONS.values()) == options
