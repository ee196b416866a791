"""Records from what `pulumi preview --json` prints. Secrets are `[secret]` in it, unknown values Pulumi's own texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.records import UNKNOWN, Hidden, Record

_SECRET = "[secret]"
# How Pulumi marks a secret where it does not replace it: in a state, and in what it sends to a provider.
# Source: sdk/go/common/resource/properties.go of pulumi/pulumi.
_KIND = "4dabf18193072939515e22adb298388d"
_KIND_SECRET = "1b47061264138c4ac30d75fd1eb44270"


def records(digest: Mapping[str, Any]) -> list[Record]:
    """Every resource as it is after the preview's steps. What is only deleted has no new state and is left out."""
    found: dict[str, Record] = {}
    for step in digest.get("steps") or ():
        state = step.get("newState")
        if isinstance(state, Mapping):
            found[step["urn"]] = _record(step["urn"], state)
    return list(found.values())


def env(digest: Mapping[str, Any], stack: str) -> str:
    """The environment that the stack file names, or the stack's name."""
    config = digest.get("config")
    named = config.get("fleetwatch:env") if isinstance(config, Mapping) else None
    return str(named or stack)


def hide(value: Any) -> Any:
    """A value with marks in place of what cannot be seen."""
    if isinstance(value, str):
        return Hidden.SECRET if value == _SECRET else Hidden.UNKNOWN if value in UNKNOWN else value
    if isinstance(value, Mapping):
        if value.get(_KIND) == _KIND_SECRET:
            return Hidden.SECRET
        return {key: hide(inner) for key, inner in value.items()}
    return [hide(inner) for inner in value] if isinstance(value, list) else value


def _record(urn: str, state: Mapping[str, Any]) -> Record:
    name = urn.split("::", 3)[-1]
    return Record(state["type"], name, hide(state.get("inputs") or {}), bool(state.get("protect")), urn)
