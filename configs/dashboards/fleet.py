"""Fleet: every host of the stack file on one page, also one that never sent anything; what it leads to is one click on.

`fleetwatch:host_expected` (a recording rule) has a series for every host that the stack file names.
"""

from __future__ import annotations

from configs.dashboards import hosts, hosts_graphs, http
from configs.dashboards.model import (
    ANY_IS_BAD,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    declared,
    env_and_host,
    link,
)
from configs.rules.fleet import EXPECTED
from configs.settings import Settings

WHERE = 'env=~"$env",host=~"$host"'
BY = "by (env, host)"
ALL = f"max {BY} ({EXPECTED}{{{WHERE}}})"
AGENT = f'max {BY} (up{{job="agent",{WHERE}}})'
# An alert about an absent host has no label env.
FIRING = 'count by (host) (ALERTS{alertstate="firing",host=~"$host"})'
STARTS = f'sum {BY} (changes(container_start_time_seconds{{job="cadvisor",container!="",{WHERE}}}[$__range]))'
NO_SERVICE = declared("a host without an app that counts requests has none")
NOTHING_FIRES = declared("on a stack that is well nothing fires")


def _last_line(settings: Settings) -> str:
    """Seconds since a log agent last had a line taken, to about half a minute; looks back an hour."""
    window = max(60, *(4 * edge.scrape.agents for edge in settings.edges.values()))
    names = "promtail_sent_entries_total|loki_write_sent_entries_total"
    sent = f'sum {BY} (increase({{__name__=~"{names}",job=~"promtail|alloy",{WHERE}}}[{window}s]))'
    return f"time() - max_over_time(timestamp({sent} > 0)[1h:30s])"


def board(settings: Settings) -> Dashboard:
    """Columns about databases and HTTP services are there when the stack file names some."""
    return Dashboard(
        name="fleet",
        title="Fleet",
        about="Every host of the stack file on one page.",
        variables=env_and_host(EXPECTED),
        rows=(_numbers(settings), _each(settings), _alerts, _use),
    )


def _numbers(settings: Settings) -> Row:
    panels = [
        Stat(
            title="Hosts",
            about="Hosts that the stack file names.",
            unit="none",
            query=Query(expr=f"count({ALL})"),
        ),
        Stat(
            title="Silent hosts",
            about="Hosts of the stack file of which nothing arrived in the last five minutes.",
            unit="none",
            query=Query(expr=f"count({ALL} unless on (host) {AGENT}) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Firing alerts",
            about="Without the watchdog, which always fires to prove that alerts get through.",
            unit="none",
            query=Query(
                expr='count(ALERTS{alertstate="firing",alertname!="Watchdog",host=~"$host|"}) or vector(0)',
            ),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Scrapes that fail",
            about="Targets of the chosen hosts that do not answer their agent now.",
            unit="none",
            query=Query(expr=f"count(up{{{WHERE}}} == 0) or vector(0)"),
            steps=ANY_IS_BAD,
        ),
        Stat(
            title="Containers",
            about="Containers that run on the chosen hosts.",
            unit="none",
            query=Query(expr=f'count(container_last_seen{{job="cadvisor",container!="",{WHERE}}})'),
        ),
    ]
    if any(edge.postgres for edge in settings.edges.values()):
        panels.append(
            Stat(
                title="Databases that do not answer",
                about="PostgreSQL servers that refuse their exporter or cannot be reached.",
                unit="none",
                query=Query(expr=f'count(pg_up{{job="postgres",{WHERE}}} == 0) or vector(0)'),
                steps=ANY_IS_BAD,
            )
        )
    return Row(height=4, panels=tuple(panels))


def _each(settings: Settings) -> Row:
    columns = [
        Column(
            title="State",
            expr=f"{AGENT} or 0 * {ALL}",
            unit="none",
            words={1: ("sends", "green"), 0: ("silent", "red")},
        ),
        *hosts.used(settings),
        Column(
            title="Container starts",
            expr=STARTS,
            unit="none",
            steps=((None, "green"), (1, "yellow"), (10, "red")),
        ),
        Column(
            title="Alerts",
            expr=f"0 * {ALL} + on (host) group_left () {FIRING} or 0 * {ALL}",
            unit="none",
            steps=ANY_IS_BAD,
        ),
        hosts.last_sample(settings),
        Column(
            title="Last log line",
            expr=_last_line(settings),
            unit="s",
            steps=((None, "green"), (300, "yellow"), (1800, "red")),
        ),
    ]
    here = "var-host=${__data.fields.Host}"
    links = {
        "Host": ("This host", link("hosts", here)),
        "Container starts": ("Containers of this host", link("containers", here)),
        "Last log line": ("Logs of this host", link("logs", here)),
    }
    if any(edge.postgres for edge in settings.edges.values()):
        columns.append(hosts.DATABASES)
        links["Databases"] = ("Databases of this host", link("postgres", here))
    if http.groups(settings):
        columns.append(
            Column(title="Requests per second", expr=http.traffic(settings), unit="reqps", empty=NO_SERVICE),
        )
        links["Requests per second"] = ("HTTP services of this host", link("http", here))
    return Row(
        height=10,
        panels=(
            Table(
                title="Each host",
                about="The state of now; starts are of the chosen time range. A host leads to its page, its starts to "
                "its containers, its last line to its logs. A cell without a figure: this host has nothing of it. "
                "Until full: at the pace of the last six hours.",
                labels={"env": "Environment", "host": "Host"},
                columns=tuple(columns),
                links=links,
                sort="Alerts",
            ),
        ),
    )


_alerts = Row(
    height=6,
    panels=(
        Table(
            title="Firing alerts",
            nothing="nothing fires",
            about="What fires now. An alert that is about no single host is here whatever hosts are chosen.",
            labels={"alertname": "Alert", "severity": "Severity", "host": "Host", "container": "Container"},
            columns=(
                Column(
                    title="Alerts",
                    expr="count by (alertname, severity, host, container) "
                    '(ALERTS{alertstate="firing",alertname!="Watchdog",host=~"$host|"})',
                    unit="none",
                    empty=NOTHING_FIRES,
                ),
            ),
            links={"Host": ("This host", link("hosts", "var-host=${__data.fields.Host}"))},
        ),
    ),
)

_use = Row(
    heading="Use",
    panels=(
        Graph(
            title="CPU used",
            about="Share of all cores that is not idle.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=hosts_graphs.CPU, legend="{{host}}"),),
        ),
        Graph(
            title="Memory used",
            about="Share of memory that programs hold.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=hosts_graphs.MEMORY, legend="{{host}}"),),
        ),
        Graph(
            title="Fullest disk",
            about="Share in use of the fullest file system of each host.",
            unit="percentunit",
            top=1,
            queries=(Query(expr=hosts.FULLEST, legend="{{host}}"),),
        ),
    ),
)
