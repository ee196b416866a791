"""Logs: how many lines, of which level, from whom, and the lines themselves, searched by text."""

from __future__ import annotations

from configs.dashboards.model import (
    LEVEL_COLOURS,
    LOKI,
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
# The edge finds the level of a line and sends it as structured metadata; a line without one has none.
LINES = STREAMS + ' | level=~"$level" |~ `(?i)$search`'
NO_ERROR = "nobody may have written an error; test_an_error_of_a_container_is_seen_in_the_panels_of_errors writes one"
NONE = "no errors"
BAD = STREAMS + ' | level=~"error|fatal" |~ `(?i)$search`'

_numbers = Row(
    height=4,
    panels=(
        Stat(
            title="Lines",
            about="Lines that the choices above find in the chosen time range.",
            unit="short",
            source=LOKI,
            query=Query(expr=f"sum(count_over_time({LINES} [$__range])) or vector(0)"),
        ),
        Stat(
            title="Errors",
            about="Lines of level error or fatal in the chosen time range.",
            unit="short",
            source=LOKI,
            query=Query(expr=f"sum(count_over_time({BAD} [$__range])) or vector(0)"),
            steps=((None, "green"), (1, "yellow"), (100, "red")),
        ),
        Stat(
            title="Volume",
            about="Bytes of the lines found.",
            unit="bytes",
            source=LOKI,
            query=Query(expr=f"sum(bytes_over_time({LINES} [$__range])) or vector(0)"),
        ),
        Stat(
            title="Hosts writing",
            about="Hosts of which at least one line is found.",
            unit="none",
            source=LOKI,
            query=Query(expr=f"count(sum by (env, host) (count_over_time({LINES} [$__range]))) or vector(0)"),
        ),
        Stat(
            title="Containers writing",
            about="Containers of which at least one line is found.",
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
    height=7,
    panels=(
        Graph(
            title="Lines by level",
            about="Lines per step of the picture, by the level that was found in them.",
            unit="short",
            source=LOKI,
            stack=True,
            bars=True,
            colours=LEVEL_COLOURS,
            queries=(
                Query(
                    expr=f"sum by (level) (count_over_time({LINES} [$__auto]))",
                    legend="{{level}}",
                ),
            ),
        ),
    ),
)

_who = Row(
    height=8,
    panels=(
        Graph(
            title="Lines per second by host",
            about="Whether a host goes silent or floods.",
            unit="cps",
            source=LOKI,
            queries=(Query(expr=f"sum by (host) (rate({LINES} [$__auto]))", legend="{{host}}"),),
        ),
        Graph(
            title="Errors per second by source",
            about="Lines of level error or fatal, by container, or by job where there is no container.",
            nothing=NONE,
            unit="cps",
            source=LOKI,
            queries=(
                Query(
                    expr=f"sum by (host, job, container) (rate({BAD} [$__auto]))",
                    legend="{{host}} {{job}} {{container}}",
                    empty=NO_ERROR,
                ),
            ),
        ),
        Table(
            title="Who writes most",
            about="The ten loudest sources in the chosen time range. A host leads to its page, a container to its "
            "lines, a job to its lines on this host: files and the journal have no container.",
            source=LOKI,
            labels={"host": "Host", "job": "Job", "container": "Container"},
            columns=(
                Column(
                    title="Lines",
                    expr=f"topk(10, sum by (host, job, container) (count_over_time({LINES} [$__range])))",
                    unit="short",
                ),
            ),
            links={
                "Host": ("This host", link("hosts", "var-host=${__data.fields.Host}")),
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
    ),
)

_errors = Row(
    height=8,
    panels=(
        Logs(
            title="Errors",
            about="The newest lines of level error or fatal.",
            nothing=NONE,
            expr=BAD,
            empty=NO_ERROR,
        ),
    ),
)

_lines = Row(
    height=16,
    panels=(
        Logs(
            title="Lines",
            about="The newest lines that the choices above find. The search is a regular expression, case ignored.",
            expr=LINES,
        ),
    ),
)

BOARD = Dashboard(
    name="logs",
    title="Logs",
    about="Lines of containers, files and the journal, with levels and search.",
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
            everything=".*",  # a file or the journal has none
        ),
        Variable(name="level", title="Level", values=tuple(LEVEL_COLOURS), everything=".*"),
        Variable(name="search", title="Search", text=True),
    ),
    rows=(_numbers, _levels, _who, _errors, _lines),
)
