"""How a log line is processed, the same for Promtail and Alloy.

Levels are found in the line (`level=warn`, `"severity":"ERROR"`, or the bare word near its beginning) and written as
one of trace, debug, info, warn, error, fatal. A line in which no level is found is kept by filters on levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from configs import names
from configs.log_paths import fixed_folder
from configs.render import hub_lines
from configs.render.hub_lines import Stage as Stage

if TYPE_CHECKING:
    from configs.settings.edge import Edge, LineFilter

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_KEY = r"(?i:level|lvl|severity)"
# RE2. A key of JSON, else a key of logfmt, else an upper-case word that begins within the first 80 characters. What is
# inside quotes never counts: a stranger writes there (path, user agent), and escapes of JSON keep its quotes apart from
# those of keys. Each alternative is anchored, because the one that matches further left would win otherwise.
LEVEL_REGEX = (
    rf"""^(?:[^"{{]*\{{(?:.*?[,{{])?\s*"{_KEY}"\s*:\s*"?"""
    rf"""|(?:(?:[^"{{]|{_QUOTED})(?:[^"]|{_QUOTED})*?[\s,;|(\[])??'?{_KEY}\b'?\s*[=:]\s*["']?)(?P<level>(?i:[a-z]+))"""
    rf"""|^(?:[^"]|{_QUOTED}){{0,80}}?\b"""
    r"(?P<word>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|PANIC|LOG)\b"
)
# Go template of both agents: what services write -> our six levels; anything else is left out.
LEVEL_TEMPLATE = (
    '{{ $l := ToLower (or .level .word "") }}'
    '{{ if eq $l "warning" }}warn{{ else if or (eq $l "err") (eq $l "eror") }}error'
    '{{ else if or (eq $l "notice") (eq $l "information") (eq $l "log") }}info'
    '{{ else if or (eq $l "critical") (eq $l "crit") (eq $l "panic") (eq $l "emerg") }}fatal'
    '{{ else if or (eq $l "trace") (eq $l "debug") (eq $l "info") (eq $l "warn") (eq $l "error") (eq $l "fatal") }}'
    "{{ $l }}"
    "{{ end }}"
)
# What is searched by, but would make too many streams as a label.
STRUCTURED_METADATA = ("level", "stream", "filename", "unit")


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


def container_stages(edge: Edge, prefix: str, of_hub: bool) -> tuple[Stage, ...]:
    """The filters as stages of a log agent. On the hub they come after those of hub_lines.py, to whose streams they do
    not apply."""
    found = tuple(_stage(drop) for drop in drops(edge))
    if not of_hub:
        return found
    return (*hub_lines.stages(prefix), *([hub_lines.others(found)] if found else []))


def _stage(drop: Drop) -> Stage:
    if drop.unless:
        pattern = '"' + drop.expression.replace("\\", "\\\\").replace('"', '\\"') + '"'
        selector = f'{{job="{names.DOCKER_JOB}"}} !~ {pattern}'
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


def project_regex(edge: Edge, prefix: str) -> str | None:
    """RE2 over `<compose project>;<fleetwatch.stack>` of containers to ship; None: all. Our own are always shipped."""
    if not edge.logs.projects:
        return None
    return f"(?:{'|'.join(map(re.escape, sorted(edge.logs.projects)))});.*|.*;{re.escape(prefix)}"


def folders(edge: Edge) -> list[str]:
    """Host folders that file sources need, mounted read-only: each pattern's part before its first wildcard."""
    found = {fixed_folder(file.path) for file in edge.logs.files.values()}
    return sorted(folder for folder in found if not any(folder.startswith(other + "/") for other in found))
