"""Alerts about apps with `http:` in the stack file, by the metric names in their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from configs.rules.model import Alert, Group, alternation
from configs.settings import Settings
from configs.settings.app import Http
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration

BY_APP = "env, host, job"


def group(settings: Settings) -> Group:
    """Empty if no app has `http:`."""
    named = _matchers_by_names(settings)
    return Group(name="http", rules=(_errors(named, _window(settings)), _latency(named)) if named else ())


def _window(settings: Settings) -> str:
    """Two minutes, or three scrape intervals of the slowest app. Shorter than the five minutes of the alert's `for`, so
    that an error burst that ended before does not fire."""
    intervals = [app.interval for edge in settings.edges.values() for app in edge.apps.values() if app.http is not None]
    return prometheus_duration(max(120, *(3 * interval for interval in intervals)))


def _matchers_by_names(settings: Settings) -> dict[Http, str]:
    """The matchers of the apps with the same metric names."""
    found: dict[Http, set[tuple[str, str]]] = {}
    for host, edge in settings.edges.items():
        for job, app in edge.apps.items():
            if app.http is not None:
                found.setdefault(app.http, set()).add((host, job))
    return {
        http: f"{_label_matcher('host', (p[0] for p in pairs))},{_label_matcher('job', (p[1] for p in pairs))}"
        for http, pairs in found.items()
    }


def _label_matcher(label: str, values: Iterable[str]) -> str:
    return f'{label}=~"{alternation(sorted(set(values)))}"'


def _union(named: dict[Http, str], expression: Callable[[Http, str], str]) -> str:
    return "\nor\n".join(f"({expression(http, selector)})" for http, selector in named.items())


def _errors(named: dict[Http, str], window: str) -> Alert:
    def errors(matchers: str, limits: Thresholds) -> str:
        def share(http: Http, selector: str) -> str:
            selector += matchers
            every = f"sum by ({BY_APP}) (rate({http.requests}{{{selector}}}[{window}]))"
            bad = f'sum by ({BY_APP}) (rate({http.requests}{{{selector},{http.status}=~"5.."}}[{window}]))'
            return f"{bad} / {every} > {limits.http_errors} and {every} * 300 >= {limits.http_few}"

        return _union(named, share)

    return Alert(
        name="HttpErrors",
        expr=errors,
        keys=("http_errors", "http_few"),
        severity="critical",
        summary="{{ $labels.job }} on {{ $labels.host }} returns 5xx for {{ $value | humanizePercentage }} of its "
        "requests",
        description="Users see failures. Check the log of the app and its dependencies.",
        board="http",
        empty="the app never returned 5xx",
    )


def _latency(named: dict[Http, str]) -> Alert:
    def latency(matchers: str, limits: Thresholds) -> str:
        def slow(http: Http, selector: str) -> str:
            selector += matchers
            slowest = (
                f"histogram_quantile(0.95, sum by ({BY_APP}, le) (rate({http.duration}_bucket{{{selector}}}[5m])))"
            )
            every = f"sum by ({BY_APP}) (rate({http.duration}_count{{{selector}}}[5m]))"
            return f"{slowest} > {limits.http_latency} and {every} * 300 >= {limits.http_few}"

        return _union(named, slow)

    return Alert(
        name="HttpLatency",
        expr=latency,
        keys=("http_latency", "http_few"),
        summary="The p95 latency of {{ $labels.job }} on {{ $labels.host }} is {{ $value | humanizeDuration }}",
        description="Estimated from the app's histogram. Check its CPU limit, its database and its log.",
        board="http",
    )
