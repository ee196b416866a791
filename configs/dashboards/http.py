"""The HTTP services dashboard: request rate, errors and latency of every app with `http:` in the stack file.

Apps with the same metric names share a query; apps with other names are joined to it with `or`.
"""

from __future__ import annotations

import re

from configs.dashboards.layout import visible_rows
from configs.dashboards.model import (
    NOT_SHOWN,
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    env_and_host,
    largest,
    link,
)
from configs.dashboards.panel_thresholds import fleet_thresholds, red_above
from configs.settings import Settings
from configs.settings.app import Http

BY = "by (env, host, job)"
NAME = "{{host}} {{job}}"
NO_REQUESTS = "the app received no requests"
NO_VALUE = "no requests"


def metric_groups(settings: Settings) -> list[tuple[Http, list[str]]]:
    """(metric names, jobs that use them), in a fixed order."""
    found: dict[tuple[str, str, str], tuple[Http, set[str]]] = {}
    for edge in settings.edges.values():
        for name, app in edge.apps.items():
            if app.http is not None:
                key = (app.http.requests, app.http.status, app.http.duration)
                found.setdefault(key, (app.http, set()))[1].add(name)
    return [(http, sorted(jobs)) for _, (http, jobs) in sorted(found.items(), key=lambda pair: pair[0])]


def _matchers(jobs: list[str], more: str = "") -> str:
    names = "|".join(re.escape(job).replace("\\-", "-").replace("\\", "\\\\") for job in jobs)
    return f'job=~"{names}",env=~"$env",host=~"$host"{more}'


SELECTED_SERVICES = ',job=~"$service"'


def _rate(
    http: Http, jobs: list[str], more: str = SELECTED_SERVICES, by: str = BY, within: str = "$__rate_interval"
) -> str:
    return f"sum {by} (rate({http.requests}{{{_matchers(jobs, more)}}}[{within}]))"


def request_rate(settings: Settings) -> str:
    """Requests per second of each host, over all metric names."""
    rates = " or ".join(_rate(http, jobs, "", BY) for http, jobs in metric_groups(settings))
    return f"sum by (env, host) ({rates})"


def _union(settings: Settings, template: str) -> str:
    """`template` filled in for each group of metric names, joined with `or`."""
    found = []
    for http, jobs in metric_groups(settings):
        requests = _rate(http, jobs)
        failed = _rate(http, jobs, f'{SELECTED_SERVICES},{http.status}=~"5.."')
        matchers = _matchers(jobs, SELECTED_SERVICES)
        buckets = f"sum by (env, host, job, le) (rate({http.duration}_bucket{{{matchers}}}[$__rate_interval]))"
        found.append(template.format(requests=requests, errors=f"({failed} or 0 * {requests})", buckets=buckets))
    return " or ".join(f"({one})" for one in found) if len(found) > 1 else found[0]


def success_ratio(settings: Settings) -> str:
    """Share of responses without status 5xx, by service."""
    return f"1 - ({_union(settings, '{errors} / ({requests} > 0)')})"


def board(settings: Settings) -> Dashboard:
    """Only for settings with an app that has `http:`."""
    requests, errors = _union(settings, "{requests}"), _union(settings, "{errors}")
    share = _union(settings, "{errors} / ({requests} > 0)")
    services = sum(app.http is not None for edge in settings.edges.values() for app in edge.apps.values())
    limits = fleet_thresholds(settings)
    error_steps = red_above(limits.http_errors, 0.2)
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="Services up",
                description="Apps with `http:` in the stack file that are scraped successfully.",
                unit="none",
                query=Query(expr=_up(settings, "sum(up{{{0}}})")),
            ),
            Stat(
                title="Request rate",
                description="Requests per second.",
                unit="reqps",
                query=Query(expr=f"sum({requests})"),
            ),
            Stat(
                title="Error ratio",
                description="Share of responses with status 5xx.",
                no_value=NO_VALUE,
                unit="percentunit",
                query=Query(expr=f"sum({errors}) / (sum({requests}) > 0)", empty=NO_REQUESTS),
                steps=error_steps,
            ),
            Stat(
                title="Max p95 latency",
                description="The highest 95th percentile of all services.",
                no_value=NO_VALUE,
                unit="s",
                query=Query(expr=f"max({_quantile(settings, 0.95)} >= 0)", empty=NO_REQUESTS),
                steps=red_above(limits.http_latency, 0.5),
            ),
        ),
    )
    each = Row(
        panels=(
            Table(
                title="Service overview",
                description="Current values. Links: host to Hosts, service to the logs of its host.",
                labels={"env": NOT_SHOWN, "host": "Host", "job": "Service"},
                rows=visible_rows(services),
                columns=(
                    Column(title="Request rate", expr=requests, unit="reqps"),
                    Column(title="Error ratio", expr=share, unit="percentunit", steps=error_steps, empty=NO_REQUESTS),
                    Column(title="p50 latency", expr=_quantile(settings, 0.5), unit="s", empty=NO_REQUESTS),
                    Column(title="p95 latency", expr=_quantile(settings, 0.95), unit="s", empty=NO_REQUESTS),
                ),
                links={
                    "Host": ("Host details", link("hosts", "var-host=${__data.fields.Host}")),
                    "Service": ("Logs of its host", link("logs", "var-host=${__data.fields.Host}")),
                },
                sort="Request rate",
            ),
        ),
    )
    return Dashboard(
        name="http",
        title="HTTP services",
        description="Request rate, errors and latency of the apps with `http:`.",
        coverage=SOME_HOSTS,
        variables=(
            *env_and_host(_up(settings, "up{{{0}}}", with_variables=False)),
            Variable(
                name="service",  # not `job`, a variable of the Logs dashboard with another meaning
                title="Service",
                selector=_up(settings, "up{{{0}}}", variables='env=~"$env",host=~"$host"'),
                label="job",
            ),
        ),
        rows=(numbers, each, _rates(settings, requests, share), _latency(settings)),
    )


def _up(settings: Settings, template: str, with_variables: bool = True, variables: str = "") -> str:
    jobs = sorted({job for _, some in metric_groups(settings) for job in some})
    if variables or not with_variables:
        names = _matchers(jobs).split(",")[0]
        return template.format(f"{names},{variables}" if variables else names)
    return template.format(_matchers(jobs, SELECTED_SERVICES))


def _quantile(settings: Settings, share: float) -> str:
    return _union(settings, f"histogram_quantile({share}, {{buckets}})")


def _rates(settings: Settings, requests: str, share: str) -> Row:
    by_status = tuple(
        Query(
            expr=largest(_rate(http, jobs, by=f"by (env, host, job, {http.status})")),
            legend=NAME + " {{" + http.status + "}}",
        )
        for http, jobs in metric_groups(settings)
    )
    return Row(
        title="Requests and errors",
        panels=(
            Graph(
                title="Request rate by service",
                description="Requests per second.",
                unit="reqps",
                queries=(Query(expr=largest(requests), legend=NAME),),
            ),
            Graph(
                title="Response rate by status",
                description="Responses per second, by service and status.",
                unit="reqps",
                stack=True,
                queries=by_status,
            ),
            Graph(
                title="Error ratio by service",
                description="Share of responses with status 5xx. Responses with 4xx are client errors and are not "
                "counted.",
                no_value=NO_VALUE,
                unit="percentunit",
                queries=(Query(expr=largest(share), legend=NAME, empty=NO_REQUESTS),),
            ),
        ),
    )


def _latency(settings: Settings) -> Row:
    return Row(
        title="Latency",
        panels=tuple(
            Graph(
                title=title,
                description=f"{description} Estimated from the buckets of the histogram.",
                unit="s",
                no_value=NO_VALUE,
                queries=(Query(expr=largest(_quantile(settings, quantile)), legend=NAME, empty=NO_REQUESTS),),
            )
            for title, description, quantile in (
                ("p50 latency", "Half of the responses took at most this long.", 0.5),
                ("p95 latency", "95 % of the responses took at most this long.", 0.95),
                ("p99 latency", "99 % of the responses took at most this long.", 0.99),
            )
        ),
    )
