"""The alert about a component, of the hub or of an edge, that did not take its new configuration."""

from __future__ import annotations

from configs import names
from configs.rules.model import Alert
from configs.settings import Settings
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration

# Gauges that are 0 while the last load of a configuration, or of Loki's rules, failed.
LAST_LOADS = (
    "prometheus_config_last_reload_successful",
    "thanos_rule_config_last_reload_successful",
    "alertmanager_config_last_reload_successful",
    "caddy_config_last_reload_successful",
    "alloy_config_last_load_successful",
    "vm_promscrape_config_last_reload_successful",
    "loki_ruler_config_last_reload_successful",
)


def last_load_failed(matchers: str) -> str:
    """Components whose last load of a configuration failed, for those that expose a gauge of it."""
    return f'{{__name__=~"{"|".join(LAST_LOADS)}"{matchers}}} == 0'


def alert(settings: Settings) -> Alert:
    """Promtail has no such gauge, only one counter of failed reloads and one of others. Which came last shows only as
    they change, so the alert keeps itself active until a reload succeeds or Promtail is restarted."""
    window = prometheus_duration(max(120, *(4 * edge.scrape.agents for edge in settings.edges.values())))

    def refused(matchers: str, _: Thresholds) -> str:
        failures = f'promtail_config_reload_fail_total{{job="promtail"{matchers}}}'
        read = f'increase(promtail_config_reload_success_total{{job="promtail"{matchers}}}[{window}])'
        active = f'ALERTS{{alertname="ConfigNotRead",job="promtail"{matchers}}}'
        return (
            f"{last_load_failed(matchers)}\n"
            f"or (increase({failures}[{window}]) > 0 or {failures} > 0 and on (env, host) {active})"
            f" unless on (env, host) {read} > 0"
        )

    log = f"docker logs {names.container(settings.prefix, '{{ $labels.job }}')}"
    return Alert(
        name="ConfigNotRead",
        expr=refused,
        wait="1m",
        summary="{{ $labels.job }} on {{ $labels.host }} rejected its new configuration",
        description="The change of the last update has no effect on it, and a Promtail that could not apply its "
        f"configuration reads no more lines. Its log has the reason ({log}).",
        board="hub",
    )
