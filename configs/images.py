"""The image pins of images.yaml, with a stack's overrides on top."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from configs.settings.model import Images

LOCAL = "fleetwatch.local/"  # images that no registry has
OURS = frozenset({"ask"})  # keys of images that are built from the checkout, wherever the program runs
PINS = Path(__file__).with_name("images.yaml")


def pins() -> dict[str, str]:
    """Every pinned image by its key."""
    loaded: dict[str, str] = yaml.safe_load(PINS.read_text())
    return loaded


def resolve(overrides: Images) -> dict[str, str]:
    """The image of every key: the override where there is one, else the pin."""
    return {**pins(), **overrides.given()}
