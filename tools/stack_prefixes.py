"""Which stack of this machine has a prefix: two with the same one would remove each other's containers and data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from configs.settings import Settings
from tools import working_copy
from tools.errors import ToolError
from tools.paths import state_dir
from tools.stack_settings import docker_address, read_settings


def refuse_taken(settings: Settings | None, file: Path, working: Path) -> None:
    """ToolError if another stack has the same prefix on the same Docker Engine. `working` is the stack's own working
    copy, `file` its stack file for the message."""
    if settings is None or settings.hub.local is None:
        return
    for name, other in _others(working):
        if other.prefix == settings.prefix and docker_address(other) == docker_address(settings):
            raise ToolError(
                f"{file}: prefix: `{settings.prefix}` is used by stack {name} on the same Docker Engine; set a "
                "different fleetwatch:prefix, hub.ports and hosts.hub.subnet, or remove that stack first "
                f"(`make down STACK={name}`)"
            )


def _others(working: Path) -> Iterator[tuple[str, Settings]]:
    """The other stacks of this machine whose hub is on it, by their working copies."""
    for path in sorted(state_dir().glob("*/Pulumi.*.yaml")):
        if path == working:
            continue
        try:
            content = working_copy.read(path)
        except ToolError:  # a broken one is reported when that stack is used
            continue
        settings, _ = read_settings(content.get("config") or {}, path.parent.name, str(path))
        if settings is not None and settings.hub.local is not None:
            yield path.parent.name, settings
