"""Alerts about apps with `http:` in their settings, by the names of their metrics that stand there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from configs.rules.model import Alert, Group, either
from configs.settings import Settings
from configs.settings.edge import Http
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration

APP = "env, host, job"
SHOWN_BY = "tests/rendered/test_rules_http.py::test_each_situation_is_told_in_these_words_or_not_at_all"


def group(settings: Settings) -> Group:
    """Nothing where no app counts requests."""
    named = _by_names(settings)
    return Group(name="http", rules=(_errors(named, _window(settings)), _latency(named)) if named else ())


def _window(settings: Settings) -> str:
    """Two minutes, or three scrapes of the app that is asked most rarely. Shorter than the five minutes for which the
    alert waits: what was over before is forgotten by then."""
    asked = [app.interval for edge in settings.edges.values() for app in edge.apps.values() if app.http is not None]
    return prometheus_duration(max(120, *(3 * interval for interval in asked)))


def _by_names(settings: Settings) -> dict[Http, str]:
    """Matchers of the apps that call their metrics alike."""
    found: dict[Http, set[tuple[str, str]]] = {}
    for host, edge in settings.edges.items():
        for job, app in edge.apps.items():
            if app.http is not None:
                found.setdefault(app.http, set()).add((host, job))
    return {
        http: f"{_any('host', (p[0] for p in pairs))},{_any('job', (p[1] for p in pairs))}"
        for http, pairs in found.items()
    }


def _any(label: str, values: Iterable[str]) -> str:
    return f'{label}=~"{either(sorted(set(values)))}"'


def _each(named: dict[Http, str], expression: Callable[[Http, str], str]) -> str:
    return "\nor\n".join(f"({expression(http, of)})" for http, of in named.items())


def _errors(named: dict[Http, str], window: str) -> Alert:
    def errors(matchers: str, limits: Thresholds) -> str:
        def share(http: Http, of: str) -> str:
            of += matchers
            every = f"sum by ({APP}) (rate({http.requests}{{{of}}}[{window}]))"
            bad = f'sum by ({APP}) (rate({http.requests}{{{of},{http.status}=~"5.."}}[{window}]))'
            return f"{bad} / {every} > {limits.http_errors} and {every} * 300 >= {limits.http_few}"

        return _each(named, share)

    return Alert(
        name="HttpErrors",
        expr=errors,
        keys=("http_errors", "http_few"),
        severity="critical",
        summary="{{ $labels.job }} on {{ $labels.host }} answers {{ $value | humanizePercentage }} of its requests "
        "with an error (5xx)",
        advice="People see failures. Look at the app's log of the same minutes, and at what it depends on.",
        board="http",
        empty=f"an application that never failed has no such series; {SHOWN_BY} has one that did",
    )


def _latency(named: dict[Http, str]) -> Alert:
    def latency(matchers: str, limits: Thresholds) -> str:
        def slow(http: Http, of: str) -> str:
            of += matchers
            slowest = f"histogram_quantile(0.95, sum by ({APP}, le) (rate({http.duration}_bucket{{{of}}}[5m])))"
            every = f"sum by ({APP}) (rate({http.duration}_count{{{of}}}[5m]))"
            return f"{slowest} > {limits.http_latency} and {every} * 300 >= {limits.http_few}"

        return _each(named, slow)

    return Alert(
        name="HttpLatency",
        expr=latency,
        keys=("http_latency", "http_few"),
        summary="One request in twenty to {{ $labels.job }} on {{ $labels.host }} takes "
        "{{ $value | humanizeDuration }} or longer",
        advice="Estimated from the app's histogram. Look at its CPU limit, its database and its log.",
        board="http",
    )
