"""The types that the dashboards are declared with: queries, panels, rows, variables.

Plain values without behaviour; `json_model` renders them to Grafana's classic (v1) JSON. Only the panel types and
options that these dashboards use exist; a new option is a new field with a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROMETHEUS, LOKI = "prometheus", "loki"
UID = "fleetwatch-{}"
TAG = "fleetwatch"
EVERY_HOST, SOME_HOSTS = "every host", "some hosts"
NOT_SHOWN = ""  # the title of a label that rows are joined by, without a column: a hub has one environment
# Series that a graph shows of what may be many: containers, tables, jobs. All of them are in the tables.
MOST_SERIES = 20

# What the title of the panel names, per second: Grafana's units for it end in "c/s", "p/s" and the like.
PER_SECOND = "suffix:/s"

# Grafana's thresholds: (from this value on, colour); the first step has no lower bound
Steps = tuple[tuple[float | None, str], ...]
# Grafana's value mappings: value -> (text, colour)
Mappings = dict[int, tuple[str, str]]
NEUTRAL: Steps = ((None, "blue"),)
SHARE_USED: Steps = ((None, "green"), (0.8, "yellow"), (0.9, "red"))
ANY_IS_BAD: Steps = ((None, "green"), (1, "red"))
ANY_IS_WORTH_A_LOOK: Steps = ((None, "green"), (1, "yellow"))
ONE_IS_GOOD: Steps = ((None, "red"), (1, "green"))
LEVEL_COLOURS = {
    "fatal": "dark-red",
    "error": "red",
    "warn": "yellow",
    "info": "green",
    "debug": "blue",
    "trace": "light-blue",
}


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """Hosts, or containers, that cannot have the series of a query. `hosts` is PromQL: it has a result if every
    selected one lacks them, and none as soon as one has them. `reason`: what they lack."""

    hosts: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """An expression and the legend of its series (`{{label}}`).

    `empty` is the reason why it has no result on some healthy stacks; `make doctor` shows the reason and reports every
    other query without a result as a fault. Columns and log panels have the same field. `lacking` excuses only what
    reports itself that they lack the series.

    `interval`: seconds between two scrapes of its jobs where they are more than the data source's (intervals.py).
    """

    expr: str
    legend: str = ""
    empty: str = ""
    lacking: Lacking | None = None
    interval: int = 0


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The fields of every panel. `width` is in grid columns (24 per row); 0 divides the remaining width evenly.

    `no_value` replaces "No data" while no query has a result. `time_from` is a relative time range that overrides the
    dashboard's.
    """

    title: str
    description: str
    source: str = PROMETHEUS
    width: int = 0
    no_value: str = ""
    time_from: str = ""


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """The current value of each series. `show_names` adds the legend to it."""

    unit: str  # Grafana's unit id; no default, so that each panel states its own
    query: Query
    steps: Steps = NEUTRAL
    mappings: Mappings = field(default_factory=dict)
    show_names: bool = False


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Series over time. `axis_max` fixes the upper bound of the axis, e.g. 1 for a ratio; `side_legend` puts the legend
    beside a graph that is as wide as the page."""

    unit: str
    queries: tuple[Query, ...]
    stack: bool = False
    bars: bool = False
    axis_max: float | None = None
    side_legend: bool = False
    series_colours: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One value column of a table. Its expression keeps the table's labels and no others."""

    title: str
    expr: str
    unit: str
    steps: Steps = ()
    mappings: Mappings = field(default_factory=dict)
    empty: str = ""
    lacking: Lacking | None = None
    interval: int = 0


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """One row per label set. `labels` maps label -> column title or NOT_SHOWN, `links` column title -> (link title,
    URL). `rows` is how many rows are visible without scrolling; the height follows from it (layout.py)."""

    labels: dict[str, str]
    columns: tuple[Column, ...]
    rows: int
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    sort: str = ""


@dataclass(frozen=True, kw_only=True)
class Logs(Panel):
    """Log lines, newest first."""

    expr: str
    empty: str = ""
    source: str = LOKI


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A dashboard variable. `values` is a fixed list; otherwise the values of `label` in `selector` are queried."""

    name: str
    title: str
    source: str = PROMETHEUS
    selector: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    text: bool = False
    all_value: str = ".+"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Panels of one height side by side, under an optional row title. A height of 0: as high as the table in it, or
    else as graphs are (layout.py)."""

    panels: tuple[Panel, ...]
    height: int = 0
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One dashboard. `coverage` is a tag: links to a dashboard that has only some hosts drop the selected host."""

    name: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    coverage: str = EVERY_HOST

    @property
    def uid(self) -> str:
        return UID.format(self.name)


def env_and_host(selector: str, source: str = PROMETHEUS) -> tuple[Variable, Variable]:
    """The two variables that every dashboard starts with; their values come from `selector`."""
    metric, _, rest = selector.partition("{")
    matchers = rest.rstrip("}")
    within = f'{matchers},env=~"$env"' if matchers and source == PROMETHEUS else 'env=~"$env"'
    return (
        Variable(name="env", title="Environment", source=source, selector=selector, label="env"),
        Variable(name="host", title="Host", source=source, selector=f"{metric}{{{within}}}", label="host"),
    )


def link(name: str, *variables: str) -> str:
    """The URL of another dashboard with the same environment and time range; variables as `var-x=...`."""
    return "/d/" + UID.format(name) + "?" + "&".join(["${env:queryparam}", *variables, "${__url_time_range}"])


def firing_alerts(matchers: str = "") -> str:
    """Firing alerts as they are counted and listed: without the watchdog, which always fires."""
    return f'ALERTS{{alertstate="firing",alertname!="Watchdog"{matchers}}}'


def largest(expr: str) -> str:
    """The series of `expr` with the highest peaks in the time range, the same ones at every point of a graph."""
    peak = f"max_over_time(({expr})[$__range:$__interval] @ end())"
    return f"({expr}) and topk({MOST_SERIES}, {peak})"
