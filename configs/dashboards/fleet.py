"""The Fleet dashboard: every host of the stack file, including hosts that never sent a sample.

The recording rule `fleetwatch:host_expected` has a series for every host of the stack file.
"""

from __future__ import annotations

from configs.dashboards import hosts, http, resolution
from configs.dashboards.model import (
    ANY_IS_BAD,
    NOT_SHOWN,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    env_and_host,
    firing_alerts,
    link,
)
from configs.dashboards.scrapes import FAILED_SCRAPES
from configs.rules.fleet import EXPECTED
from configs.settings import Settings

SELECTED = 'env=~"$env",host=~"$host"'
BY = "by (env, host)"
EXPECTED_HOSTS = f"max {BY} ({EXPECTED}{{{SELECTED}}})"
AGENT_UP = f'max {BY} (up{{job="agent",{SELECTED}}})'
FIRING_ALERTS = f"count by (host) ({hosts.FIRING_ALERTS})"
ALL_ALERTS = firing_alerts(',host=~"$host|"')  # also those that belong to no host
STARTED = f'container_start_time_seconds{{job="cadvisor",container!="",{SELECTED}}}'
NO_SERVICE = "the host has no app with `http:`"
NO_ALERTS = "no alert is firing"


def _last_line(settings: Settings) -> str:
    """Seconds since Loki last accepted a line of each log agent, to about 30 s; looks back an hour."""
    window = max(60, *(4 * edge.scrape.agents for edge in settings.edges.values()))
    names = "promtail_sent_entries_total|loki_write_sent_entries_total"
    sent = f'sum {BY} (increase({{__name__=~"{names}",job=~"promtail|alloy",{SELECTED}}}[{window}s]))'
    return f"time() - max_over_time(timestamp({sent} > 0)[1h:30s])"


def board(settings: Settings) -> Dashboard:
    """With columns for databases and HTTP services if the stack file has any."""
    return Dashboard(
        name="fleet",
        title="Fleet",
        description="Overview of every host in the stack file.",
        variables=env_and_host(EXPECTED),
        rows=(_stats(settings), _overview(settings), _alerts, _utilization),
    )


def _stats(settings: Settings) -> Row:
    panels = [
        Stat(
            title="Hosts",
            description="Hosts in the stack file.",
            unit="none",
            query=Query(expr=f"count({EXPECTED_HOSTS})"),
        ),
        Stat(
            title="Silent hosts",
            description="Hosts of the stack file without a sample in the last five minutes.",
            unit="none",
            query=Query(expr=f"count({EXPECTED_HOSTS} unless on (host) {AGENT_UP}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Firing alerts",
            description="Without the watchdog, which always fires.",
            unit="none",
            query=Query(expr=f"count({ALL_ALERTS}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        FAILED_SCRAPES,
        Stat(
            title="Running containers",
            description="Running containers on the selected hosts.",
            unit="none",
            query=Query(expr=f'count(container_last_seen{{job="cadvisor",container!="",{SELECTED}}})'),
        ),
    ]
    if any(edge.postgres for edge in settings.edges.values()):
        panels.append(
            Stat(
                title="PostgreSQL servers down",
                description="PostgreSQL servers that are unreachable or reject the exporter's login.",
                unit="none",
                query=Query(expr=f'count(pg_up{{job="postgres",{SELECTED}}} == 0) or vector(0)'),
                steps=ANY_IS_BAD,
            )
        )
    return Row(height=4, panels=tuple(panels))


def _overview(settings: Settings) -> Row:
    columns = [
        Column(
            title="State",
            expr=f"{AGENT_UP} or 0 * {EXPECTED_HOSTS}",
            unit="none",
            mappings={1: ("up", "green"), 0: ("silent", "red")},
        ),
        *hosts.utilization_columns(settings),
        Column(
            title="Starts",
            expr=f"sum {BY} ({resolution.changes(settings, STARTED, '$__range')})",
            unit="none",
            steps=((None, "green"), (1, "yellow"), (10, "red")),
        ),
        Column(
            title="Alerts",
            expr=f"0 * {EXPECTED_HOSTS} + on (host) group_left () {FIRING_ALERTS} or 0 * {EXPECTED_HOSTS}",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        hosts.last_sample_column(settings),
        Column(
            title="Last line",
            expr=_last_line(settings),
            unit="s",
            steps=((None, "green"), (300, "yellow"), (1800, "red")),
        ),
    ]
    here = "var-host=${__data.fields.Host}"
    links = {
        "Host": ("Host details", link("hosts", here)),
        "Starts": ("Containers of this host", link("containers", here)),
        "Last line": ("Logs of this host", link("logs", here)),
    }
    if any(edge.postgres for edge in settings.edges.values()):
        columns.append(hosts.DATABASES)
        links["Databases"] = ("Databases of this host", link("postgres", here))
    if http.metric_groups(settings):
        columns.append(
            Column(title="Requests", expr=http.request_rate(settings), unit="reqps", empty=NO_SERVICE),
        )
        links["Requests"] = ("HTTP services of this host", link("http", here))
    return Row(
        panels=(
            Table(
                title="Host overview",
                description="Current values. Disk is the fullest file system, time to full a linear forecast from the "
                "last six hours. Starts are those of containers in the time range of the dashboard. Last sample and "
                "last line are ages. An empty cell means that the value does not apply to the host. Links: host to "
                "Hosts, starts to Containers, last line to Logs, databases to PostgreSQL, requests to HTTP services.",
                labels={"env": NOT_SHOWN, "host": "Host"},
                columns=tuple(columns),
                rows=5,
                links=links,
                sort="Alerts",
            ),
        ),
    )


_alerts = Row(
    panels=(
        Table(
            title="Alert list",
            no_value="no firing alerts",
            description="Firing alerts of the selected hosts, and alerts that do not belong to a host.",
            labels={"alertname": "Alert", "severity": "Severity", "host": "Host", "container": "Container"},
            columns=(
                Column(
                    title="Count",
                    expr=f"count by (alertname, severity, host, container) ({ALL_ALERTS})",
                    unit="none",
                    empty=NO_ALERTS,
                ),
            ),
            rows=3,
            links={"Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}"))},
        ),
    ),
)

_utilization = Row(
    title="Utilization",
    panels=(
        Graph(
            title="CPU usage",
            description="Busy share of all cores.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=hosts.CPU, legend="{{host}}"),),
        ),
        Graph(
            title="Memory usage",
            description="Share of memory that is not available to programs.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=hosts.MEMORY, legend="{{host}}"),),
        ),
        Graph(
            title="Max disk usage",
            description="Usage of the fullest file system of each host.",
            unit="percentunit",
            axis_max=1,
            queries=(Query(expr=hosts.FULLEST, legend="{{host}}"),),
        ),
    ),
)
