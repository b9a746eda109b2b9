"""Every recorded tree is recognised as the packaging that it was recorded of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dockertls.daemon.recognition import recognise
from tests.roots.recorded import NAMES, looked_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_is_recognised(name: str, tmp_path: Path) -> None:
    found = recognise(looked_at(name, tmp_path / name))
    assert found.id == name, found.how
