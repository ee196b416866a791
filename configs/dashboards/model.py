"""The few words in which the dashboards are written: queries, panels, variables.

Plain values without behaviour; emit.py turns them into Grafana's classic (v1) JSON. Only panel types and options that
every dashboard here needs exist: a new need is a new field with a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROMETHEUS, LOKI = "prometheus", "loki"
UID = "fleetwatch-{}"
TAG = "fleetwatch"
EVERY_HOST, SOME_HOSTS = "every host", "some hosts"

# (from this value on, colour); the first one has no lower end
Steps = tuple[tuple[float | None, str], ...]
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


SHOWN_BY = "tests/rendered/test_panels.py::test_a_query_that_may_be_empty_shows_what_there_is"


def declared(why: str) -> str:
    """What `empty` says: the reason, and the test that gives every such query something to show."""
    return f"{why}: {SHOWN_BY}"


@dataclass(frozen=True, kw_only=True)
class Query:
    """An expression and what a series of it is called (`{{label}}`).

    `empty` says why it rightly has no result on some stacks, and which test shows it with one: `make doctor` counts
    such queries, and finds fault with any other that has none. So in a column and in logs.
    """

    expr: str
    legend: str = ""
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What all panels have. `width` is a share of the row, in 24ths; 0 shares the rest evenly.

    `nothing` is what a person reads in it while no query has a result, in place of a bare "No data". `back` is how
    far it looks back, whatever time is chosen for the page.
    """

    title: str
    about: str
    source: str = PROMETHEUS
    width: int = 0
    nothing: str = ""
    back: str = ""


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """One number per series, of now. `words` maps values to (text, colour)."""

    unit: str  # no default: Grafana's name of it is chosen for each figure
    query: Query
    steps: Steps = NEUTRAL
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    names: bool = False


@dataclass(frozen=True, kw_only=True)
class Graph(Panel):
    """Series over time. `top` fixes the upper end of the axis, e.g. 1 for a share."""

    unit: str
    queries: tuple[Query, ...]
    stack: bool = False
    bars: bool = False
    top: float | None = None
    colours: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One value column of a table. Its expression keeps the table's labels and no others."""

    title: str
    expr: str
    unit: str
    steps: Steps = ()
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class Table(Panel):
    """A row per label set. `labels` maps label -> heading, `links` heading -> (title, address)."""

    labels: dict[str, str]
    columns: tuple[Column, ...]
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
    """A choice at the top of the page. `values` is a fixed list; else `selector` and `label` ask the source."""

    name: str
    title: str
    source: str = PROMETHEUS
    selector: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    text: bool = False
    everything: str = ".+"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A band of panels of one height, under an optional heading."""

    panels: tuple[Panel, ...]
    height: int = 8
    heading: str = ""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """One file. `of` tags whether every host is on it; if not, the links on top lead to it without the chosen host."""

    name: str
    title: str
    about: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    of: str = EVERY_HOST

    @property
    def uid(self) -> str:
        return UID.format(self.name)


def env_and_host(selector: str, source: str = PROMETHEUS) -> tuple[Variable, Variable]:
    """The two choices that every dashboard begins with. `selector` names what the dashboard is about."""
    metric, _, rest = selector.partition("{")
    matchers = rest.rstrip("}")
    within = f'{matchers},env=~"$env"' if matchers and source == PROMETHEUS else 'env=~"$env"'
    return (
        Variable(name="env", title="Environment", source=source, selector=selector, label="env"),
        Variable(name="host", title="Host", source=source, selector=f"{metric}{{{within}}}", label="host"),
    )


def link(name: str, *variables: str) -> str:
    """An address of another dashboard that keeps the time range; variables as `var-x=...`."""
    return "/d/" + UID.format(name) + "?" + "&".join([*variables, "${__url_time_range}"])
