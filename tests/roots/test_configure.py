"""Every recorded tree, each with the diff that `configure` is to make of it in every style that it honours."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.configure import Style
from dockertls.errors import Refused
from dockertls.platforms import TABLE
from tests.roots.recorded import NAMES, configured, expected, looked_at

if TYPE_CHECKING:
    from pathlib import Path


def test_there_is_a_tree_of_every_packaging() -> None:
    assert {row.id for row in TABLE} == set(NAMES)


@pytest.mark.parametrize("style", Style, ids=lambda style: style.value)
@pytest.mark.parametrize("name", NAMES)
def test_configure_makes_this_diff(name: str, style: Style, tmp_path: Path) -> None:
    facts, file = looked_at(name, tmp_path / name), expected(name, style)
    if not file.exists():
        with pytest.raises(Refused, match=f"style {style.value} does not work here"):
            configured(facts, style)
        return
    # an ordinary user works on a tree as on one that is all his
    owned = file.read_text() if os.geteuid() == 0 else file.read_text().replace(" 1000:1000", "")
    assert configured(facts, style) == owned
