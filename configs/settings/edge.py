"""Settings of one edge: what it collects on its host."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from configs import names, services
from configs.log_paths import JOURNAL as JOURNAL
from configs.log_paths import fixed_folder as fixed_folder
from configs.log_paths import is_system_folder, normalized, overlap
from configs.services import alloy, promtail
from configs.settings.app import App
from configs.settings.base import (
    ContainerName,
    DnsLabel,
    JobName,
    LabelName,
    Labels,
    LabelValue,
    Pattern,
    Secret,
    ServiceLimits,
    Strict,
    none_given,
    service_limits,
)
from configs.settings.dsn import postgres_dsn
from configs.settings.text import JsonKey, NetworkName, one_line
from configs.settings.thresholds import HostAlerts
from configs.units import Interval, parse_duration

_AGENT_DATA = (promtail.DATA, alloy.DATA)  # mounts of the log agents outside of system folders
Level = Literal["trace", "debug", "info", "warn", "error", "fatal"]


# RFC 1918. Others that Python calls private are this machine's, or mean no machine at all.
_PRIVATE = [ipaddress.IPv4Network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_DOCKER0 = ipaddress.IPv4Network("172.17.0.0/16")


# The labels that a deploy of these programs sets: Kamal (`Kamal::Configuration::Role`), a Swarm's engine, and Nomad's
# docker driver with `extra_labels`.
SERVICE_LABELS = [
    ["service", "role", "destination"],
    ["com.docker.swarm.service.name"],
    ["com.hashicorp.nomad.job_name", "com.hashicorp.nomad.task_group_name", "com.hashicorp.nomad.task_name"],
]


def _subnet(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
        ok = 16 <= network.prefixlen <= 28 and any(network.subnet_of(known) for known in _PRIVATE)
    except ValueError:
        ok = False
    if not ok:
        raise ValueError("expected a private IPv4 network between /16 and /28, such as 10.213.77.0/24")
    if network.overlaps(_DOCKER0):
        raise ValueError(f"expected a network outside {_DOCKER0}, Docker's default network on every host")
    return str(network)


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
    folder = fixed_folder(path)
    if not folder:
        raise ValueError("expected at least one fixed folder, such as /var/log/nginx/*.log (that folder is mounted)")
    if is_system_folder(folder) or any(overlap(folder, target) for target in _AGENT_DATA):
        raise ValueError(
            f"{folder} cannot be mounted, it would hide files that the log agent needs; expected a folder of logs, "
            "such as /var/log/nginx/*.log; write the logs to such a folder, or name it before the first wildcard"
        )
    return path


class Postgres(Strict):
    """A PostgreSQL server, watched by a separate exporter, and its database, by queries. The DSN is a secret."""

    dsn: Annotated[Secret, AfterValidator(postgres_dsn)]


class Metrics(Strict):
    """Who collects the metrics. A Prometheus agent that restarts while the hub is down loses what it has not sent;
    `vmagent` keeps it on disk.

    `sample_rate`: the samples per second that are expected of a host. vmagent's queue may take the disk space of
    that rate for the `outage_budget`, at least 512 MB; beyond it the oldest samples are lost.
    """

    agent: Literal["prometheus", "vmagent"] = "prometheus"
    sample_rate: Annotated[int, Field(ge=1)] = 500


class LineFilter(Strict):
    """Which container log lines: by level (as written in the line) or by a pattern; exactly one of the two."""

    level: Level | None = None
    pattern: Pattern | None = None

    @model_validator(mode="after")
    def _one(self) -> LineFilter:
        if (self.level is None) == (self.pattern is None):
            raise (none_given if self.level is None else ValueError)("expected exactly one of: level, pattern")
        return self


class LogFile(Strict):
    """Files on the host, given by a glob. `json`: the level is taken from the line's key `level_key`."""

    path: Annotated[str, AfterValidator(_absolute_glob)]
    job: JobName | None = None
    format: Literal["plain", "json"] = "plain"
    level_key: JsonKey = "level"
    labels: Annotated[dict[LabelName, LabelValue], Field(max_length=5)] = {}


class Logs(Strict):
    """What is shipped to Loki. `projects` empty: containers of every compose project and of none.
    `line_rate`: lines per second that the log agent reads, of all sources together; more of them wait in the log files.
    `max_streams`: streams that Loki accepts of this host; lines of further ones are discarded and reported.
    """

    agent: Literal["promtail", "alloy"] = "promtail"
    projects: list[Annotated[str, AfterValidator(_project)]] = []
    keep: list[LineFilter] = []
    drop: list[LineFilter] = []
    files: dict[DnsLabel, LogFile] = {}
    journal: bool = False
    line_rate: Annotated[int, Field(ge=1)] = 10000
    max_streams: Annotated[int, Field(ge=1)] = 1000

    @model_validator(mode="after")
    def _jobs(self) -> Logs:
        for name, source in sorted(self.files.items()):
            if (job := source.job or name) in (names.DOCKER_JOB, names.JOURNAL_JOB, *names.RARE_JOBS):
                raise ValueError(
                    f"files.{name}: the job `{job}` is reserved, fleetwatch uses it itself; set a different `job`"
                )
        return self


class Scrape(Strict):
    """Scrape intervals of the edge's own jobs."""

    node: Interval = parse_duration("15s")
    cadvisor: Interval = parse_duration("10s")
    postgres: Interval = parse_duration("15s")
    sql: Interval = parse_duration("1m")
    agents: Interval = parse_duration("15s")
    hub: Interval = parse_duration("15s")


if TYPE_CHECKING:
    EdgeLimits = ServiceLimits
else:
    EdgeLimits = service_limits(
        "EdgeLimits", "Memory and CPU limits of the edge's containers.", services.limit_defaults(services.EDGE)
    )


class Edge(Strict):
    """What an edge collects on its host, wherever the host is.

    `subnet` is the edge's Docker network: the node exporter listens on its gateway address. The default lies outside
    the ranges from which Docker chooses by itself. `expected`: containers, by name, whose absence raises an alert at
    once, not only after they were seen. `service_labels`: the container labels that make a service where a deploy
    changes the names of containers, as Compose's labels do by themselves; each entry is one label or several.
    """

    networks: list[NetworkName] = []
    expected: list[ContainerName] = []
    service_labels: list[Labels] = Field(SERVICE_LABELS, description="those of Kamal, Swarm and Nomad")
    alerts: HostAlerts = HostAlerts()
    subnet: Annotated[str, AfterValidator(_subnet)] = "10.213.77.0/24"
    apps: dict[JobName, App] = {}
    postgres: dict[DnsLabel, Postgres] = {}
    metrics: Metrics = Field(Metrics(), description="those of the section `metrics`")
    logs: Logs = Logs()
    scrape: Scrape = Scrape()
    limits: EdgeLimits = EdgeLimits()

    @model_validator(mode="after")
    def _jobs(self) -> Edge:
        taken = sorted(set(self.apps) & services.RESERVED_JOBS)
        if taken:
            raise ValueError(
                f"apps: reserved job names: {', '.join(f'`{name}`' for name in taken)}; choose different names"
            )
        dotted = sorted(name for name, app in self.apps.items() if app.locked and "." in name)
        if dotted:
            raise ValueError(
                f"apps: {', '.join(f'`{name}`' for name in dotted)}: expected a name without a dot for an app with "
                "credentials, `make secret` divides a path at dots; rename it"
            )
        return self

    @property
    def names_of_targets(self) -> list[str]:
        """The hosts of all apps, and the containers of databases, as they are called on the networks."""
        databases = [urlsplit(one.dsn.get_secret_value()).hostname or "" for one in self.postgres.values()]
        containers = {name for name in databases if "." not in name and ":" not in name}
        return sorted({*(host for app in self.apps.values() for host in app.hosts), *containers} - {""})


def log_folders(edge: Edge) -> set[str]:
    """Folders of the host that the log agent reads, besides Docker's."""
    return {fixed_folder(source.path) for source in edge.logs.files.values()} | set(
        JOURNAL if edge.logs.journal else ()
    )
