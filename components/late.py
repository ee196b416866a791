"""Texts that are complete once the machines and passwords exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi

from configs import names
from configs.services.spec import Late, LateField

LateValues = Mapping[LateField, pulumi.Input[Any]]


def known(late: LateValues, needs: Iterable[LateField], render: Callable[[Late], str]) -> pulumi.Output[str]:
    """A text that reads these late values, once they are known."""
    wanted: dict[str, Any] = {key: late[key] for key in needs}
    if not wanted:
        return pulumi.Output.from_input(render(Late()))
    found: pulumi.Output[dict[str, Any]] = pulumi.Output.all(**wanted)
    return found.apply(lambda values: render(Late(**values)))


def with_address(word: str, private: pulumi.Input[str] | None) -> pulumi.Input[str]:
    """An argument of a container, with the private address of its host in it where it names that."""
    if names.PRIVATE_ADDRESS not in word:
        return word
    return pulumi.Output.from_input(private).apply(lambda found: word.replace(names.PRIVATE_ADDRESS, str(found)))
