"""The dashboard of nginx, from its stub_status page."""

from __future__ import annotations

from configs.dashboards.exporters.shared import BY, NAME, overview, selected
from configs.dashboards.model import (
    ANY_IS_BAD,
    PER_SECOND,
    Column,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    largest,
)
from configs.settings import Settings

TITLE = "nginx"
DESCRIPTION = "Requests and connections of nginx servers, from their stub_status pages."
OF = selected("nginx")
REQUESTS = f"sum by ({BY}) (rate(nginx_http_requests_total{{{OF}}}[$__rate_interval]))"
ACCEPTED = f"sum by ({BY}) (rate(nginx_connections_accepted{{{OF}}}[$__rate_interval]))"
DROPPED_RATE = (
    f"sum by ({BY}) (rate(nginx_connections_accepted{{{OF}}}[$__rate_interval])"
    f" - rate(nginx_connections_handled{{{OF}}}[$__rate_interval]))"
)
DROPPED = (
    f"clamp_min(round(sum by ({BY}) (increase(nginx_connections_accepted{{{OF}}}[$__range])"
    f" - increase(nginx_connections_handled{{{OF}}}[$__range]))), 0)"
)


def _connections(state: str) -> str:
    return f"max by ({BY}) (nginx_connections_{state}{{{OF}}})"


def rows(settings: Settings, count: int) -> tuple[Row, ...]:
    """Numbers, a table of all servers, and graphs."""
    return (_numbers(), Row(title="Servers", panels=(_table(count),)), *_graphs())


def _numbers() -> Row:
    return Row(
        height=4,
        panels=(
            Stat(
                title="nginx servers up",
                description="Servers whose stub_status page the exporter can read.",
                unit="none",
                query=Query(expr=f"sum(nginx_up{{{OF}}})"),
            ),
            Stat(
                title="nginx requests",
                description="HTTP requests per second of all servers.",
                unit="reqps",
                query=Query(expr=f"sum({REQUESTS})"),
            ),
            Stat(
                title="nginx connections",
                description="Open connections of clients of all servers, idle ones included.",
                unit="none",
                query=Query(expr=f"sum({_connections('active')})"),
            ),
            Stat(
                title="Dropped nginx connections",
                description="Connections in the time range that were closed because all worker_connections were in "
                "use.",
                unit="none",
                query=Query(expr=f"sum({DROPPED})"),
                steps=ANY_IS_BAD,
            ),
        ),
    )


def _table(count: int) -> Table:
    return overview(
        "nginx",
        count,
        description="Current values; dropped connections of the time range. Link: host to Hosts.",
        columns=(
            Column(title="Up", expr=f"min by ({BY}) (nginx_up{{{OF}}})", unit="none"),
            Column(title="Requests", expr=REQUESTS, unit="reqps"),
            Column(title="Active", expr=_connections("active"), unit="none"),
            Column(title="Reading", expr=_connections("reading"), unit="none"),
            Column(title="Writing", expr=_connections("writing"), unit="none"),
            Column(title="Waiting", expr=_connections("waiting"), unit="none"),
            Column(title="Dropped", expr=DROPPED, unit="none", steps=ANY_IS_BAD),
        ),
        sort="Requests",
    )


def _graphs() -> tuple[Row, ...]:
    return (
        Row(
            title="Load",
            panels=(
                Graph(
                    title="nginx requests by server",
                    description="HTTP requests per second.",
                    unit="reqps",
                    queries=(Query(expr=largest(REQUESTS), legend=NAME),),
                ),
                Graph(
                    title="nginx connections by state",
                    description="Reading: nginx reads the request. Writing: it answers. Waiting: idle connections that "
                    "are kept open.",
                    unit="none",
                    queries=tuple(
                        Query(expr=largest(_connections(state)), legend=f"{NAME} {state}")
                        for state in ("reading", "writing", "waiting")
                    ),
                ),
            ),
        ),
        Row(
            title="Connections",
            panels=(
                Graph(
                    title="Accepted nginx connections",
                    description="New connections of clients per second.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(ACCEPTED), legend=NAME),),
                ),
                Graph(
                    title="Dropped nginx connections by server",
                    description="Connections per second that were closed because all worker_connections were in use.",
                    unit=PER_SECOND,
                    queries=(Query(expr=largest(DROPPED_RATE), legend=NAME),),
                ),
            ),
        ),
    )
