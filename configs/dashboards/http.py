"""HTTP services: requests, errors and latency of every app that the stack file marks with `http:`.

Apps may name their metrics differently; those that name them alike are asked for together.
"""

from __future__ import annotations

import re

from configs.dashboards import colours
from configs.dashboards.model import (
    SOME_HOSTS,
    Column,
    Dashboard,
    Graph,
    Query,
    Row,
    Stat,
    Table,
    Variable,
    declared,
    env_and_host,
    link,
)
from configs.settings import Settings
from configs.settings.edge import Http

BY = "by (env, host, job)"
NAME = "{{host}} {{job}}"
NO_REQUESTS = declared("an app that nobody asks has no share of errors and no latency")
UNASKED = "no requests"


def groups(settings: Settings) -> list[tuple[Http, list[str]]]:
    """(metric names, jobs that use them), in a fixed order."""
    found: dict[tuple[str, str, str], tuple[Http, set[str]]] = {}
    for edge in settings.edges.values():
        for name, app in edge.apps.items():
            if app.http is not None:
                key = (app.http.requests, app.http.status, app.http.duration)
                found.setdefault(key, (app.http, set()))[1].add(name)
    return [(http, sorted(jobs)) for _, (http, jobs) in sorted(found.items(), key=lambda pair: pair[0])]


def _of(jobs: list[str], more: str = "") -> str:
    names = "|".join(re.escape(job).replace("\\-", "-").replace("\\", "\\\\") for job in jobs)
    return f'job=~"{names}",env=~"$env",host=~"$host"{more}'


CHOSEN = ',job=~"$service"'


def _rate(http: Http, jobs: list[str], more: str = CHOSEN, by: str = BY, within: str = "$__rate_interval") -> str:
    return f"sum {by} (rate({http.requests}{{{_of(jobs, more)}}}[{within}]))"


def traffic(settings: Settings) -> str:
    """Requests per second of each host, whatever its apps call them."""
    rates = " or ".join(_rate(http, jobs, "", BY) for http, jobs in groups(settings))
    return f"sum by (env, host) ({rates})"


def _either(settings: Settings, form: str) -> str:
    """`form` with the metrics of each group; every job is in one of them."""
    found = []
    for http, jobs in groups(settings):
        asked = _rate(http, jobs)
        wrong = _rate(http, jobs, f'{CHOSEN},{http.status}=~"5.."')
        buckets = _of(jobs, CHOSEN)
        spread = f"sum by (env, host, job, le) (rate({http.duration}_bucket{{{buckets}}}[$__rate_interval]))"
        found.append(form.format(asked=asked, errors=f"({wrong} or 0 * {asked})", spread=spread))
    return " or ".join(f"({one})" for one in found) if len(found) > 1 else found[0]


def board(settings: Settings) -> Dashboard:
    """Only where `groups` finds some."""
    asked, errors = _either(settings, "{asked}"), _either(settings, "{errors}")
    share = _either(settings, "{errors} / ({asked} > 0)")
    limits = colours.limits(settings)
    failing = colours.up_to(limits.http_errors, 0.2)
    numbers = Row(
        height=4,
        panels=(
            Stat(
                title="Services",
                about="Apps with `http:` in the stack file that answer their agent now.",
                unit="none",
                query=Query(expr=_up(settings, "sum(up{{{0}}})")),
            ),
            Stat(title="Requests", about="Per second, of now.", unit="reqps", query=Query(expr=f"sum({asked})")),
            Stat(
                title="Errors",
                about="Share of the answers that are 5xx, of now.",
                nothing=UNASKED,
                unit="percentunit",
                query=Query(expr=f"sum({errors}) / (sum({asked}) > 0)", empty=NO_REQUESTS),
                steps=failing,
            ),
            Stat(
                title="Slowest service",
                about="The highest 95th percentile of all services, of now.",
                nothing=UNASKED,
                unit="s",
                query=Query(expr=f"max({_quantile(settings, 0.95)} >= 0)", empty=NO_REQUESTS),
                steps=colours.up_to(limits.http_latency, 0.5),
            ),
        ),
    )
    each = Row(
        height=7,
        panels=(
            Table(
                title="Each service",
                about="The state of now. A host leads to its own page, a service to its host's logs.",
                labels={"env": "Environment", "host": "Host", "job": "Service"},
                columns=(
                    Column(title="Requests per second", expr=asked, unit="reqps"),
                    Column(title="Errors", expr=share, unit="percentunit", steps=failing, empty=NO_REQUESTS),
                    Column(title="Half under", expr=_quantile(settings, 0.5), unit="s", empty=NO_REQUESTS),
                    Column(title="95 % under", expr=_quantile(settings, 0.95), unit="s", empty=NO_REQUESTS),
                ),
                links={
                    "Host": ("This host", link("hosts", "var-host=${__data.fields.Host}")),
                    "Service": ("Logs of its host", link("logs", "var-host=${__data.fields.Host}")),
                },
                sort="Requests per second",
            ),
        ),
    )
    return Dashboard(
        name="http",
        title="HTTP services",
        about="Requests, errors and latency of the apps that count them.",
        of=SOME_HOSTS,
        variables=(
            *env_and_host(_up(settings, "up{{{0}}}", with_choice=False)),
            Variable(
                name="service",  # the page of logs has a choice called job, which would take this one's
                title="Service",
                selector=_up(settings, "up{{{0}}}", choice='env=~"$env",host=~"$host"'),
                label="job",
            ),
        ),
        rows=(numbers, each, _rates(settings, asked, share), _times(settings)),
    )


def _up(settings: Settings, form: str, with_choice: bool = True, choice: str = "") -> str:
    jobs = sorted({job for _, some in groups(settings) for job in some})
    if choice or not with_choice:
        names = _of(jobs).split(",")[0]
        return form.format(f"{names},{choice}" if choice else names)
    return form.format(_of(jobs, CHOSEN))


def _quantile(settings: Settings, share: float) -> str:
    return _either(settings, f"histogram_quantile({share}, {{spread}})")


def _rates(settings: Settings, asked: str, share: str) -> Row:
    by_status = tuple(
        Query(
            expr=_rate(http, jobs, by=f"by (env, host, job, {http.status})"),
            legend=NAME + " {{" + http.status + "}}",
        )
        for http, jobs in groups(settings)
    )
    return Row(
        heading="Requests and errors",
        panels=(
            Graph(
                title="Requests",
                about="Per second, by service.",
                unit="reqps",
                queries=(Query(expr=asked, legend=NAME),),
            ),
            Graph(
                title="Answers by status",
                about="Per second, by service and status.",
                unit="reqps",
                stack=True,
                queries=by_status,
            ),
            Graph(
                title="Share of errors",
                about="Answers of 5xx among all; 4xx are the caller's mistake and do not count.",
                nothing=UNASKED,
                unit="percentunit",
                queries=(Query(expr=share, legend=NAME, empty=NO_REQUESTS),),
            ),
        ),
    )


def _times(settings: Settings) -> Row:
    return Row(
        heading="Latency",
        panels=tuple(
            Graph(
                title=title,
                about=f"{about} By the histogram's buckets: between two of them it is an estimate.",
                unit="s",
                nothing=UNASKED,
                queries=(Query(expr=_quantile(settings, quantile), legend=NAME, empty=NO_REQUESTS),),
            )
            for title, about, quantile in (
                ("Half of the requests", "The time under which half of the answers were ready.", 0.5),
                ("95 of 100 requests", "The time under which 95 % of the answers were ready.", 0.95),
                ("99 of 100 requests", "The time under which 99 % of the answers were ready.", 0.99),
            )
        ),
    )
