"""Integration tests need a Docker Engine and the tool chain; without them they fail, they are never skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import setup


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.path).parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def chain() -> setup.ToolChain:
    """Engine, CLI, images (those of the tests too) and plugins. Raises when something cannot be had."""
    from tools import images

    return setup.set_up([*images.PARTS, *images.FOR_TESTS])
