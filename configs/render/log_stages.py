"""A stage of a log pipeline, in names that Promtail and Alloy share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from configs import names

Value = str | int | float | Mapping[str, str]
CONTAINERS = f'{{job="{names.DOCKER_JOB}"}}'  # selects the lines of containers


@dataclass(frozen=True)
class Stage:
    """`stages` are those inside a `match`."""

    kind: str
    values: Mapping[str, Value]
    stages: tuple[Stage, ...] = ()


def match(selector: str, *inner: Stage) -> Stage:
    """The stages `inner`, for lines that the selector matches."""
    return Stage("match", {"selector": selector}, inner)


def quoted(text: str) -> str:
    """A text inside a selector, such as a pattern behind `|~`."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
