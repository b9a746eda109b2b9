"""Groups of options as one value, and passphrase sources."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

import pytest

from dockertls.cli.console import Console, PassphraseSource
from dockertls.cli.options import ChangeOptions, KeyOptions, takes
from dockertls.errors import NotReady, Refused, Usage

if TYPE_CHECKING:
    from pathlib import Path


def test_groups_are_flat_on_the_command_line_and_whole_in_the_command() -> None:
    seen: list[object] = []

    @takes(change=ChangeOptions, keys=KeyOptions)
    def command(name: str, *, change: ChangeOptions, keys: KeyOptions) -> None:
        seen.extend((name, change, keys))

    assert list(inspect.signature(command).parameters) == ["name", "dry_run", "check", "yes", "key", "days"]
    command(name="x", dry_run=False, check=True, yes=False, key="ed25519", days=None)
    assert seen == ["x", ChangeOptions(check=True), KeyOptions("ed25519")]


@pytest.mark.parametrize("option", ["dry_run", "check"])
def test_a_look_changes_nothing(option: str) -> None:
    assert ChangeOptions(**{option: True}).looks_only
    assert not ChangeOptions(yes=True).looks_only


def test_a_source_that_is_given_wins_over_the_environment() -> None:
    variables = {"DOCKERTLS_PASSPHRASE_FILE": "/secret"}
    assert PassphraseSource().checked(variables) == PassphraseSource(file="/secret")
    assert PassphraseSource(fd=3).checked(variables) == PassphraseSource(fd=3)
    assert PassphraseSource().checked({"DOCKERTLS_PASSPHRASE_FILE": ""}) == PassphraseSource()


def test_two_sources_are_one_too_many() -> None:
    with pytest.raises(Usage, match="more than one"):
        PassphraseSource(fd=0, command="pass").checked({})


@pytest.mark.parametrize(
    ("content", "secret"), [(b"a b\n", b"a b"), (b"one\ntwo\n", b"one"), (b"one\r\n", b"one"), (b" x ", b" x ")]
)
def test_a_passphrase_is_the_first_line_and_all_of_it(tmp_path: Path, content: bytes, secret: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert PassphraseSource(file=str(tmp_path / "secret")).read(Console(), new=False) == secret
    source, sink = os.pipe()
    os.write(sink, content)
    os.close(sink)
    assert PassphraseSource(fd=source).read(Console(), new=False) == secret
    os.close(source)


@pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond line\n"])
def test_an_empty_passphrase_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(Refused, match="empty"):
        PassphraseSource(file=str(tmp_path / "secret")).read(Console(), new=True)


@pytest.mark.parametrize("number", [-1, 99999, 1 << 40])
def test_a_descriptor_that_is_not_open_is_told(number: int) -> None:
    with pytest.raises(NotReady, match=f"file descriptor {number} cannot be read"):
        PassphraseSource(fd=number).read(Console(), new=False)


def test_a_command_is_split_as_a_shell_would_and_run_without_one() -> None:
    command = PassphraseSource(command="printf '%s' '$(id) a  b'")
    assert command.read(Console(), new=False) == b"$(id) a  b"
