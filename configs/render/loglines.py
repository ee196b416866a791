"""How a log line is processed, the same for Promtail and Alloy.

Lines of one event are joined (multiline.py), the level is found (levels.py), and then the user's filters apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from configs import names
from configs.log_paths import fixed_folder
from configs.render import hub_lines, levels, multiline
from configs.render.level_formats import LEVELS
from configs.render.log_stages import CONTAINERS, Stage, match, quoted

if TYPE_CHECKING:
    from configs.settings.edge import Edge
    from configs.settings.logs import LineFilter, LogFile

# What is searched by, but would make too many streams as a label.
STRUCTURED_METADATA = ("level", "stream", "filename", "unit", "image")
# Labels of a container that name its image, and what is taken of them; the last that fits. Discovery has no others.
IMAGE_LABELS = (
    (("com_docker_compose_image",), "(?:sha256:)?([0-9a-f]{12}).*", "$1"),
    (("org_opencontainers_image_title", "org_opencontainers_image_version"), "(.+);(.+)", "$1:$2"),
)
_ROTATED = (
    "*.gz", "*.bz2", "*.xz", "*.zst", "*.zip", "*.lz4", "*.[0-9]", "*.[0-9][0-9]", "*.old", "*.bak", "*~", "*.swp",
    "*-20[0-9][0-9][0-9][0-9][0-9][0-9]", "*-20[0-9][0-9][0-9][0-9][0-9][0-9].*",
)  # fmt: skip


@dataclass(frozen=True)
class Drop:
    """Lines to leave out: by extracted `source` (None: the line itself) and RE2; `reason` counts them."""

    expression: str
    reason: str
    source: str | None = None
    unless: bool = False  # leave out what does not match


def drops(edge: Edge) -> list[Drop]:
    """The `drop` and `keep` filters as drop stages.

    Several `keep` of one kind are alternatives; with levels and patterns given, a line needs one of each.
    """
    found = [_drop(line) for line in edge.logs.drop]
    levels = [line.level for line in edge.logs.keep if line.level]
    patterns = [line.pattern for line in edge.logs.keep if line.pattern]
    if levels:
        others = [level for level in LEVELS if level not in levels]
        if others:
            found.append(Drop(_any(others, whole=True), "level_not_kept", source="level"))
    if patterns:
        found.append(Drop(_any(patterns), "pattern_not_kept", unless=True))
    return found


def container_stages(edge: Edge, prefix: str, of_hub: bool, live: bool) -> tuple[Stage, ...]:
    """All that happens to a container's line: it is joined to its event, its level, the user's filters. On the hub the
    filters come after the stages of hub_lines.py, to whose streams they do not apply."""
    found = tuple(_stage(drop) for drop in drops(edge))
    if of_hub:
        found = (*hub_lines.stages(prefix), *([hub_lines.others(found)] if found else []))
    return (
        _unreadable(prefix),
        *multiline.stages(edge.logs.multiline, prefix, live),
        *levels.stages(),
        multiline.uncaught(),
        *found,
    )


def _unreadable(prefix: str) -> Stage:
    """What a log agent reports every few seconds of a container whose log driver cannot be read."""
    own = "|".join(names.container(prefix, role) for role in ("promtail", "alloy"))
    selector = f'{{container=~"{own}"}} |~ "could not (?:fetch logs|inspect container|transfer logs)"'
    return match(selector, Stage("limit", {"rate": 0.005, "burst": 1, "drop": True}))


def _stage(drop: Drop) -> Stage:
    if drop.unless:
        selector = f"{CONTAINERS} !~ {quoted(drop.expression)}"
        return Stage("match", {"selector": selector, "action": "drop", "drop_counter_reason": drop.reason})
    source = {"source": drop.source} if drop.source else {}
    return Stage("drop", {**source, "expression": drop.expression, "drop_counter_reason": drop.reason})


def _drop(line: LineFilter) -> Drop:
    if line.level:
        return Drop(_any([line.level], whole=True), f"level_{line.level}", source="level")
    return Drop(line.pattern or "", "pattern")


def _any(choices: Iterable[str], whole: bool = False) -> str:
    joined = "|".join(f"(?:{choice})" for choice in choices)
    return f"^(?:{joined})$" if whole else joined


def excluded(source: LogFile) -> str:
    """The glob of files that are left out: rotated and compressed ones, and those that the user names."""
    return f"{fixed_folder(source.path)}/**/{{{','.join((*_ROTATED, *source.exclude))}}}"


def json_keys(source: LogFile) -> tuple[str, ...]:
    """The key that a file's JSON lines have their level under, if the user named one."""
    return (source.level_key,) if source.format == "json" else ()


def project_regex(edge: Edge, prefix: str) -> str | None:
    """RE2 over `<compose project>;<fleetwatch.stack>` of containers to ship; None: all. Our own are always shipped."""
    if not edge.logs.projects:
        return None
    return f"(?:{'|'.join(map(re.escape, sorted(edge.logs.projects)))});.*|.*;{re.escape(prefix)}"


def folders(edge: Edge) -> list[str]:
    """Host folders that file sources need, mounted read-only: each pattern's part before its first wildcard."""
    found = {fixed_folder(file.path) for file in edge.logs.files.values()}
    return sorted(folder for folder in found if not any(folder.startswith(other + "/") for other in found))
