"""A rehearsal cloud of its own for each test, with machines that only remember."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.rig import Client, FakeMachines, running


@pytest.fixture
def machines() -> FakeMachines:
    return FakeMachines()


@pytest.fixture
def cloud(tmp_path: Path, machines: FakeMachines) -> Iterator[Client]:
    with running(tmp_path / "state", machines) as client:
        yield client
