"""Integration tests need a Docker Engine and the tool chain; without them they fail, they are never skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import fleet as fleets
from tests.integration.story import Story, told
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


@pytest.fixture(scope="session")
def story(chain: setup.ToolChain) -> Iterator[Story]:
    """The stack of test_story_*: those tests share it, in the order of their files."""
    with told(chain) as made:
        yield made


@pytest.fixture(scope="session")
def fleet() -> Iterator[fleets.Fleet]:
    """The cloud and the fleet of test_fleet_*: those tests share it, in the order of their files."""
    with fleets.told() as made:
        yield made
