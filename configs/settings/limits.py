"""Settings of what a container may use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from configs.settings.base import Strict
from configs.units import Memory, parse_size, show_size

ENOUGH = 8  # the share of the default memory without which none of the programs starts


class Limits(Strict):
    """What one container may use: memory as a size (hard limit), cpus in cores (from 0.1 on: the docker provider writes
    smaller ones differently than it reads them, and would replace the container at every run)."""

    memory: Memory = parse_size("128MB")
    cpus: Annotated[float, Field(ge=0.1, le=256)] = 0.5


class ServiceLimits(Strict):
    """The limits of several services. Its fields, one for each key, are made from the services' own defaults."""

    def of(self, key: str) -> tuple[int, float]:
        """Memory in bytes and cores of the service that has this key."""
        found: Limits = getattr(self, key)
        return found.memory, found.cpus


def service_limits(name: str, doc: str, defaults: Mapping[str, tuple[int, float]]) -> type[ServiceLimits]:
    """A model with one field for each key, memory in bytes and cores. What an entry leaves out is its default."""
    fields: dict[str, Any] = {}
    for key, (memory, cpus) in defaults.items():
        shown = {"memory": show_size(memory), "cpus": cpus}
        default = Limits.model_construct(memory=memory, cpus=cpus)
        filled, enough = BeforeValidator(partial(_filled, shown)), AfterValidator(partial(_enough, memory // ENOUGH))
        fields[key] = (Annotated[Limits, filled, enough], default)
    return create_model(name, __base__=ServiceLimits, __doc__=doc, **fields)


def _enough(least: int, given: Limits) -> Limits:
    if given.memory < least:
        raise ValueError(
            f"memory: expected at least {show_size(least)}, with less the container is killed as soon as it starts, "
            f"got {show_size(given.memory)}"
        )
    return given


def _filled(default: Mapping[str, Any], given: Any) -> Any:
    return {**default, **given} if isinstance(given, dict) else given
