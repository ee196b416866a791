"""Alert rules of the hub, as files for Prometheus. Every alert has a severity, a summary and a description."""

from __future__ import annotations

from typing import Any

from configs.render.dump import to_yaml
from configs.settings import Settings


def render(settings: Settings) -> dict[str, str]:
    """Rule files by name."""
    return {"fleetwatch.yml": to_yaml({"groups": [_pipeline(settings)]}, "Alert rules, rendered by fleetwatch")}


def _alert(name: str, expr: str, wait: str, severity: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def _pipeline(settings: Settings) -> dict[str, Any]:
    """What must be seen when the monitoring itself is not well."""
    agents = "promtail|alloy"
    return {
        "name": "pipeline",
        "rules": [
            _alert(
                "Watchdog",
                "vector(1)",
                "0s",
                "none",
                "Alerting works",
                "This alert fires always. When its receiver hears nothing any more, alerting is broken.",
            ),
            *(_host_silent(host) for host, edge in settings.hosts.items() if not edge.abandoned),
            _alert(
                "TargetDown",
                "up == 0",
                "2m",
                "warning",
                "{{ $labels.job }} on {{ $labels.host }} cannot be scraped",
                "The agent on {{ $labels.host }} gets no metrics from {{ $labels.instance }}.",
            ),
            _alert(
                "ConfigNotRead",
                '{__name__=~"(prometheus|alertmanager)_config_last_reload_successful"} == 0',
                "1m",
                "warning",
                "{{ $labels.job }} on {{ $labels.host }} did not take its new configuration",
                "It goes on with the one before. Its own log says what it refused (docker logs).",
            ),
            _alert(
                "SamplesLost",
                _gap(settings),
                "0s",
                "warning",
                "Metrics of {{ $labels.host }} have a gap that nothing will fill",
                "Within the last hour there are more than {{ $value | humanizeDuration }} of which the hub never got a "
                "sample of the agent on {{ $labels.host }}: the agent was down, or the hub was away for longer than "
                "the outage budget.",
            ),
            _alert(
                "LogLinesLost",
                "sum by (env, host) (increase({__name__=~"
                '"promtail_dropped_entries_total|loki_write_dropped_entries_total"}[15m])) > 0',
                "0s",
                "warning",
                "Log lines of {{ $labels.host }} were lost",
                "{{ $value | humanize }} lines were refused by the hub or given up in 15 minutes "
                f"(job {agents}); the agent's own log says why.",
            ),
        ],
    }


def _host_silent(host: str) -> dict[str, Any]:
    """Judged against the stack file: a pushed `up` vanishes with its host."""
    made = _alert(
        "HostSilent",
        f'absent(up{{job="agent",host="{host}"}})',
        "2m",
        "critical",
        f"Host {host} sends nothing",
        f"The stack file names {host}, but no metric of it came for 7 minutes: host down, agent down, or no way here.",
    )
    made["labels"]["host"] = host
    return made


def _gap(settings: Settings) -> str:
    """Seconds of the last hour at which an agent's newest sample was older than a minute, though it sends again now.

    Asked about the past, so a backlog that arrived late counts as there. A longer gap than Prometheus' look-back of
    five minutes is seen too, with its first four minutes. Where agents are asked rarely, a minute is no gap yet.
    """
    patience = max(60, *(2 * edge.scrape.agents for edge in settings.hosts.values()))
    age = 'time() - timestamp(up{job="agent"})'
    return f"count_over_time(({age} > {patience})[1h:15s]) * 15 > 0 and {age} < {patience}"
