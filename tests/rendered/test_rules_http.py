"""The alerts of HTTP services and of silent logs in promtool. test_log_rules.py runs Loki's rules in a real Loki."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from configs.settings import Settings
from tests.rendered.rules_rig import Case, check, fired, groups_of, settings_of

OF = 'env="test",host="hub",job="shop"'
APP = {"job": "shop"}
OTHER = {"requests": "rest_server_requests_total", "status": "code", "duration": "rest_server_seconds"}
SENT = 'promtail_sent_entries_total{env="test",host="hub",job="promtail",exported_host="hub:8081"}'


def _requests(good: float, bad: float, name: str = "http_requests_total", status: str = "status") -> dict[str, str]:
    """So many answers each 15 seconds."""
    return {f'{name}{{{OF},{status}="200"}}': f"0+{good}x60", f'{name}{{{OF},{status}="503"}}': f"0+{bad}x60"}


def _durations(quick: float, slow: float, name: str = "http_request_duration_seconds") -> dict[str, str]:
    """So many requests each 15 seconds under half a second, and so many of two to four seconds."""
    every = f"0+{quick + slow}x60"
    buckets = {"0.5": f"0+{quick}x60", "2": f"0+{quick}x60", "4": every, "+Inf": every}
    return {
        **{f'{name}_bucket{{{OF},le="{le}"}}': values for le, values in buckets.items()},
        f"{name}_count{{{OF}}}": every,
    }


CASES = [
    Case(
        alert="HttpErrors",
        when="one answer in ten is an error",
        series=_requests(90, 10),
        fires=[fired("shop on hub returns 5xx for 10% of its requests", **APP)],
    ),
    Case(alert="HttpErrors", when="one answer in a hundred is", series=_requests(99, 1)),
    Case(
        alert="HttpErrors",
        when="for five minutes all are",
        series={f'http_requests_total{{{OF},status="503"}}': "0x20 0+100x40"},
        at="11m",
        fires=[fired("shop on hub returns 5xx for 100% of its requests", **APP)],
    ),
    *(
        Case(
            alert="HttpErrors",
            when=f"all were for a minute, {at} after it began",
            series={
                f'http_requests_total{{{OF},status="200"}}': "0+100x20 2000x4 2100+100x40",
                f'http_requests_total{{{OF},status="503"}}': "0x20 100+100x4 500x40",
            },
            at=f"{5 + int(at[0])}m",
        )
        for at in ("1m", "3m", "5m", "6m", "7m")
    ),
    Case(alert="HttpErrors", when="there are hardly any requests", series=_requests(0, 0.5)),
    Case(
        alert="HttpLatency",
        when="one in five is slow",
        series=_durations(80, 20),
        at="15m",
        fires=[fired("The p95 latency of shop on hub is 3.5s", **APP)],
    ),
    Case(alert="HttpLatency", when="one in fifty is slow", series=_durations(98, 2), at="15m"),
    Case(alert="HttpLatency", when="there are hardly any requests", series=_durations(0, 0.5), at="15m"),
]
NAMED = [
    Case(
        alert="HttpErrors",
        when="by the names that the settings give",
        series=_requests(90, 10, OTHER["requests"], OTHER["status"]),
        fires=[fired("shop on hub returns 5xx for 10% of its requests", **APP)],
    ),
    Case(
        alert="HttpLatency",
        when="by the names that the settings give",
        series=_durations(80, 20, OTHER["duration"]),
        at="15m",
        fires=[fired("The p95 latency of shop on hub is 3.5s", **APP)],
    ),
    Case(alert="HttpErrors", when="by another name", series=_requests(90, 10)),
]
LOGS = [
    Case(
        alert="LogsSilent",
        when="lines came all day and none for half an hour",
        series={SENT: "0+20x300 6000x40"},
        step="5m",
        at="25h35m",
        fires=[fired("Host hub has sent no log lines for 30 minutes")],
    ),
    Case(
        alert="LogsSilent",
        when="the silence lasts for a day",
        series={SENT: "0+20x300 6000x300"},
        step="5m",
        at="49h",
        fires=[fired("Host hub has sent no log lines for 30 minutes")],
    ),
    Case(
        alert="LogsSilent",
        when="lines came again after a silence of hours",
        series={SENT: "0+20x300 6000x100 6020x10 6020x100"},
        step="5m",
        at="35h",
    ),
    Case(alert="LogsSilent", when="lines come", series={SENT: "0+20x400"}, step="5m", at="26h"),
    Case(
        alert="LogsSilent",
        when="it never writes more than a line now and then",
        series={SENT: "0x100 1x60 2x60 3x100"},
        step="5m",
        at="25h",
    ),
    Case(alert="LogsSilent", when="its log agent is away", series={SENT: "0+20x300 stale"}, step="5m", at="25h35m"),
]


def _settings(**http: str) -> Settings:
    app = {"target": "shop-api:8000", "http": http}
    return settings_of({"hub": {"apps": {"shop": app, "blog": {"target": "blog:8000"}}}})


def test_http_and_log_alerts_fire_or_stay_silent(tool: Any, tmp_path: Path) -> None:
    settings = _settings()
    check(tool, tmp_path, settings, groups_of(settings, "http", "logs"), CASES + LOGS)


def test_custom_metric_names_are_used(tool: Any, tmp_path: Path) -> None:
    settings = _settings(**OTHER)
    check(tool, tmp_path, settings, groups_of(settings, "http"), NAMED)


def test_apps_with_different_metric_names_are_both_covered(tool: Any, tmp_path: Path) -> None:
    apps = {"shop": {"target": "a:1", "http": OTHER}, "a.b": {"target": "b:1", "http": {}}}
    settings = settings_of({"hub": {"apps": apps}})
    dotted = {key.replace('"shop"', '"a.b"'): values for key, values in _requests(90, 10).items()}
    said = "a.b on hub returns 5xx for 10% of its requests"
    case = Case(alert="HttpErrors", when="one has a dot in its name", series=dotted, fires=[fired(said, job="a.b")])
    check(tool, tmp_path, settings, groups_of(settings, "http"), [NAMED[0], case])


def test_no_http_rules_without_an_app() -> None:
    assert not [group.rules for group in groups_of(settings_of(), "http") if group.rules]


def test_every_alert_has_a_firing_and_a_silent_case() -> None:
    alerts = {rule.name for group in groups_of(_settings(), "http", "logs") for rule in group.rules}
    assert {case.alert for case in CASES + LOGS if case.fires} == alerts
    assert {case.alert for case in CASES + LOGS if not case.fires} == alerts
