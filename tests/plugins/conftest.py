"""What the tests of the stand-in plugins share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.account import Account, opened


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with opened(tmp_path, monkeypatch) as made:
        yield made
