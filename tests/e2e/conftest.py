"""Hosts to work on: file trees of recorded packagings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A host that has been bootstrapped; only to be looked at."""
    place = Place.recorded("debian", tmp_path_factory.mktemp("house") / "root")
    place.done("bootstrap", "web1", "--client", "ann", "--no-passphrase", "--yes")
    return place


@pytest.fixture
def secured(house: Place, tmp_path: Path) -> Place:
    """A host that has been bootstrapped, to be changed."""
    return house.copied(tmp_path / "root")


@pytest.fixture
def fresh(tmp_path: Path) -> Place:
    """A host with a docker.io that nobody has configured."""
    return Place.recorded("debian", tmp_path / "root")
