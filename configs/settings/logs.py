"""Settings of the logs of one edge: sources, filters, and how the lines of one event are joined."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import re2
from pydantic import AfterValidator, Field, field_validator, model_validator

from configs import names
from configs.log_paths import fixed_folder, is_system_folder, normalized, overlap
from configs.services import alloy, promtail
from configs.settings.base import (
    MOST,
    ContainerName,
    DnsLabel,
    JobName,
    LabelName,
    LabelValue,
    Pattern,
    Strict,
    require_one,
)
from configs.settings.text import JsonKey, one_line

_AGENT_DATA = (promtail.DATA, alloy.DATA)  # mounts of the log agents outside of system folders
Encoding = Literal["UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "windows-1252", "Shift_JIS", "EUC-JP", "GBK", "Big5"]
Level = Literal["trace", "debug", "info", "warn", "error", "fatal"]


def _project(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
        raise ValueError("expected the name of a compose project: lower-case letters, digits, _ and -")
    return value


def _absolute_glob(value: str) -> str:
    path = normalized(one_line(value))
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError("expected an absolute path, wildcards (*) in it are fine")
    if path.endswith(("/", "/.")):
        raise ValueError("expected a path of files, this one ends in a folder; add a file name such as *.log")
    _check_wildcards(path)
    if ":" in path:
        raise ValueError("expected a path without a colon, at which Docker divides a mount; rename the folder or file")
    if path.endswith((".gz", ".zip", ".bz2", ".xz", ".zst")):
        raise ValueError("expected files that are not compressed, the log agent leaves compressed ones out")
    folder = fixed_folder(path)
    if not folder:
        raise ValueError("expected at least one fixed folder, such as /var/log/nginx/*.log (that folder is mounted)")
    if is_system_folder(folder) or any(overlap(folder, target) for target in _AGENT_DATA):
        raise ValueError(
            f"{folder} cannot be mounted, it would hide files that the log agent needs; expected a folder of logs, "
            "such as /var/log/nginx/*.log; write the logs to such a folder, or name it before the first wildcard"
        )
    return path


def _check_wildcards(pattern: str) -> None:
    """ValueError for a [ without its ], a set without characters and a range from high to low: the agents read none."""
    outside = re.sub(r"\[[!^]?[^\]]+\]", "", pattern)
    ranges = re.findall(r"(.)-(.)", "".join(re.findall(r"\[[!^]?([^\]]+)\]", pattern)))
    if re.search(r"[\[\]]", outside) or outside.count("{") != outside.count("}") or any(a > b for a, b in ranges):
        raise ValueError("expected whole wildcards: each [ and { with its end, as in app-[0-9].log or {a,b}.log")


def _file_glob(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.*?@+=~\[\]-]+", value):
        raise ValueError("expected the name of a file without a folder, such as debug-*.log")
    _check_wildcards(value)
    return value


def _selective(value: str) -> str:
    """A pattern of log lines is looked for anywhere in a line: one that matches nothing at all matches each."""
    if re2.search(value, ""):
        raise ValueError("expected a pattern that only some lines match, this matches every one; remove or change it")
    return value


Selective = Annotated[Pattern, AfterValidator(_selective)]


class LineFilter(Strict):
    """Which container log lines: by the level that is found in a line (docs/tasks/logs.md) or by
    a pattern; exactly one of the two."""

    level: Level | None = None
    pattern: Selective | None = None

    @model_validator(mode="after")
    def _one(self) -> LineFilter:
        require_one(self, ("level", "pattern"), "expected exactly one of: level, pattern")
        return self


class LogFile(Strict):
    """Files on the host, given by a glob. `exclude`: names of files to leave out, wildcards are fine; rotated and
    compressed ones are left out anyway. `json`: the level is first looked for under the line's key `level_key`.
    `encoding`: those of UTF-16 need `agent: alloy`."""

    path: Annotated[str, AfterValidator(_absolute_glob)]
    job: JobName | None = None
    format: Literal["plain", "json"] = "plain"
    level_key: JsonKey = "level"
    exclude: list[Annotated[str, AfterValidator(_file_glob)]] = []
    encoding: Encoding | None = Field(None, description="UTF-8")
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=5)] = {}

    @field_validator("encoding", mode="before")
    @classmethod
    def _no_default(cls, value: object) -> object:
        if isinstance(value, str) and value.casefold().replace("-", "") == "utf8":
            raise ValueError("expected no `encoding` for UTF-8, which is the default; remove the key")
        return value

    @model_validator(mode="after")
    def _of_json(self) -> LogFile:
        if "level_key" in self.model_fields_set and self.format != "json":
            raise ValueError("level_key: expected `format: json` beside it, other lines have no keys; remove one")
        return self


class Multiline(Strict):
    """How the lines of one event, such as a traceback, are joined: for a container by name, or for a compose project.
    Either a pattern of an event's first line, or `join: false`. The usual rule is for tracebacks of Python, Java, Go,
    Node, .NET, PHP and Ruby."""

    container: ContainerName | None = None
    project: Annotated[str, AfterValidator(_project)] | None = None
    first_line: Selective | None = None
    join: bool = True

    @model_validator(mode="after")
    def _one(self) -> Multiline:
        require_one(self, ("container", "project"), "expected exactly one of: container, project")
        if (self.first_line is None) == self.join:
            raise ValueError("expected exactly one of: first_line, join: false")
        return self


class Logs(Strict):
    """What is shipped to Loki. `projects` empty: containers of every compose project and of none.
    `line_rate`: lines per second that the log agent reads, of all sources together; more of them wait in the log files.
    `max_streams`: streams that Loki accepts of this host; lines of further ones are discarded and reported.
    """

    agent: Literal["promtail", "alloy"] = "promtail"
    projects: list[Annotated[str, AfterValidator(_project)]] = []
    keep: list[LineFilter] = []
    drop: list[LineFilter] = []
    multiline: list[Multiline] = []
    files: dict[DnsLabel, LogFile] = {}
    journal: bool = False
    line_rate: Annotated[int, Field(ge=1, le=MOST)] = 10000
    max_streams: Annotated[int, Field(ge=1, le=MOST)] = 1000

    @model_validator(mode="after")
    def _jobs(self) -> Logs:
        rules = [one.container or one.project for one in self.multiline]
        for number, name in enumerate(rules):
            if name in rules[:number]:
                raise ValueError(f"multiline.{number}: duplicate rule, multiline.{rules.index(name)} is for {name} too")
        for name, source in sorted(self.files.items()):
            if (job := source.job or name) in (names.DOCKER_JOB, names.JOURNAL_JOB, *names.RARE_JOBS):
                raise ValueError(
                    f"files.{name}: the job `{job}` is reserved, fleetwatch uses it itself; set a different `job`"
                )
            if self.agent == "promtail" and (source.encoding or "").startswith("UTF-16"):
                raise ValueError(
                    f"files.{name}.encoding: Promtail ends a line at one byte, which garbles {source.encoding}; set "
                    "`agent: alloy`, or have the program write UTF-8"
                )
        return self
