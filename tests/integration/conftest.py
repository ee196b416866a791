"""Integration tests need a Docker Engine and the tool chain; without them they fail, they are never skipped."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import fleet as fleets
from tests.integration import previews
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


@pytest.fixture(scope="session")
def previewed(chain: setup.ToolChain) -> Iterator[previews.Previewed]:
    """The stack of test_preview*."""
    with previews.previewed() as made:
        yield made


@pytest.fixture
def stack(previewed: previews.Previewed) -> Iterator[previews.Previewed]:
    """The same, its stack file and environment as it was brought up with, before and after each test."""
    config, env = copy.deepcopy(previewed.rig.config), dict(previewed.rig.env)
    previewed.rig.write()
    yield previewed
    previewed.rig.config, previewed.rig.env = config, env
    previewed.rig.write()
