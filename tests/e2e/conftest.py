"""Hosts to work on: file trees of recorded packagings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.program import Place
from tests.e2e.scenarios import MEMORY, SCENARIOS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.fixture(scope="session", params=SCENARIOS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A run that can be killed or be made to fail at any of its changes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Stage.set(SCENARIOS[request.param], Path(folder))
