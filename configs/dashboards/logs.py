"""The Logs dashboard: volume by level and source, errors, and a search over the lines."""

from __future__ import annotations

from configs.dashboards.model import (
    LEVEL_COLOURS,
    LOKI,
    MOST_SERIES,
    PER_SECOND,
    Column,
    Dashboard,
    Graph,
    Logs,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    link,
)

STREAMS = '{env=~"$env",host=~"$host",job=~"$job",container=~"$container"}'
# The log agent sends the level as structured metadata; lines without a level have none.
LINES = STREAMS + ' | level=~"$level" |~ `(?i)$search`'
NO_ERROR = "no line of level error or fatal in the time range"
NONE = "no errors"
BAD = STREAMS + ' | level=~"error|fatal" |~ `(?i)$search`'

_stats = Row(
    height=4,
    panels=(
        Stat(
            title="Line count",
            description="Lines that match the filters in the time range.",
            unit="short",
            source=LOKI,
            query=Query(expr=f"sum(count_over_time({LINES} [$__range])) or vector(0)"),
        ),
        Stat(
            title="Error count",
            description="Lines of level error or fatal in the time range.",
            unit="short",
            source=LOKI,
            query=Query(expr=f"sum(count_over_time({BAD} [$__range])) or vector(0)"),
            steps=((None, "green"), (1, "yellow"), (100, "red")),
        ),
        Stat(
            title="Log volume",
            description="Bytes of the matching lines.",
            unit="bytes",
            source=LOKI,
            query=Query(expr=f"sum(bytes_over_time({LINES} [$__range])) or vector(0)"),
        ),
        Stat(
            title="Hosts with logs",
            description="Hosts with at least one matching line.",
            unit="none",
            source=LOKI,
            query=Query(expr=f"count(sum by (env, host) (count_over_time({LINES} [$__range]))) or vector(0)"),
        ),
        Stat(
            title="Containers with logs",
            description="Containers with at least one matching line.",
            unit="none",
            source=LOKI,
            query=Query(
                expr="count(sum by (host, container) (count_over_time("
                + LINES.replace('job=~"$job"', 'job=~"$job",container!=""')
                + " [$__range]))) or vector(0)"
            ),
        ),
    ),
)

_levels = Row(
    height=8,
    panels=(
        Graph(
            title="Log lines by level",
            description="Matching lines per interval, by detected level.",
            unit="short",
            source=LOKI,
            stack=True,
            bars=True,
            side_legend=True,
            series_colours=LEVEL_COLOURS,
            queries=(
                Query(
                    expr=f"sum by (level) (count_over_time({LINES} [$__auto]))",
                    legend="{{level}}",
                ),
            ),
        ),
    ),
)

_rates = Row(
    panels=(
        Graph(
            title="Log rate by host",
            description="Matching lines per second.",
            unit=PER_SECOND,
            source=LOKI,
            queries=(Query(expr=f"sum by (host) (rate({LINES} [$__auto]))", legend="{{host}}"),),
        ),
        Graph(
            title="Error rate by source",
            description="Lines of level error or fatal per second, by container, or by job if there is no container.",
            no_value=NONE,
            unit=PER_SECOND,
            source=LOKI,
            queries=(
                Query(
                    expr=f"topk({MOST_SERIES}, sum by (host, job, container) (rate({BAD} [$__auto])))",
                    legend="{{host}} {{job}} {{container}}",
                    empty=NO_ERROR,
                ),
            ),
        ),
    ),
)

_sources = Row(
    panels=(
        Table(
            title="Top log sources",
            description="The ten sources with the most lines in the time range. Links: host to Hosts, container to "
            "its lines, job to its lines on this host; files and the journal have no container.",
            source=LOKI,
            width=13,
            labels={"host": "Host", "job": "Job", "container": "Container"},
            rows=10,
            columns=(
                Column(
                    title="Lines",
                    expr=f"topk(10, sum by (host, job, container) (count_over_time({LINES} [$__range])))",
                    unit="short",
                ),
            ),
            links={
                "Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}")),
                "Job": (
                    "Lines of this job",
                    link("logs", "var-host=${__data.fields.Host}", "var-job=${__data.fields.Job}"),
                ),
                "Container": (
                    "Lines of this container",
                    link("logs", "var-host=${__data.fields.Host}", "var-container=${__data.fields.Container}"),
                ),
            },
            sort="Lines",
        ),
        Logs(
            title="Latest errors",
            description="The newest lines of level error or fatal.",
            no_value=NONE,
            expr=BAD,
            empty=NO_ERROR,
        ),
    ),
)

_lines = Row(
    height=16,
    panels=(
        Logs(
            title="Log lines",
            description="The newest matching lines. The search is a regular expression and ignores case.",
            expr=LINES,
        ),
    ),
)

BOARD = Dashboard(
    name="logs",
    title="Logs",
    description="Log lines of containers, files and the journal, with levels and search.",
    variables=(
        Variable(name="env", title="Environment", source=LOKI, label="env"),
        Variable(name="host", title="Host", source=LOKI, selector='{env=~"$env"}', label="host"),
        Variable(name="job", title="Job", source=LOKI, selector='{env=~"$env",host=~"$host"}', label="job"),
        Variable(
            name="container",
            title="Container",
            source=LOKI,
            selector='{env=~"$env",host=~"$host",job=~"$job"}',
            label="container",
            all_value=".*",  # a file or the journal has none
        ),
        Variable(name="level", title="Level", values=tuple(LEVEL_COLOURS), all_value=".*"),
        Variable(name="search", title="Search", text=True),
    ),
    rows=(_stats, _levels, _rates, _sources, _lines),
)
