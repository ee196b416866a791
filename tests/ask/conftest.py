"""Real servers for the service's tests: one PostgreSQL and one Valkey for each run, a database for each replica set."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ask.service import secrets
from tests.ask import servers

ROUNDS = secrets.ROUNDS  # of the service; the tests sign in a hundred times


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Outside of pytest's own, which other users cannot enter: PostgreSQL does not run as root."""
    made = tempfile.TemporaryDirectory(prefix="fleetwatch-ask-")
    os.chmod(made.name, 0o755)
    return made


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Server]:
    with _folder() as folder, servers.postgres(Path(folder)) as made:
        yield made


@pytest.fixture(scope="session")
def pgvector() -> Iterator[servers.Server]:
    with _folder() as folder, servers.pgvector(Path(folder)) as made:
        yield made


@pytest.fixture(scope="session")
def valkey() -> Iterator[servers.Server]:
    with _folder() as folder, servers.valkey(Path(folder)) as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "ROUNDS", 4)
        yield
