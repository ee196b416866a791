"""When the alert about a rejected configuration fires, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub"'
RELOADED = "{}_config_last_reload_successful{{" + OF + ',job="{}"}}'
FAILED_RELOADS, GOOD_RELOADS = (
    f'promtail_config_reload_{what}_total{{job="promtail",{OF},instance="fleetwatch-promtail:9080"}}'
    for what in ("fail", "success")
)
PROMTAIL_REFUSED = fired(
    "promtail on hub rejected its new configuration", job="promtail", instance="fleetwatch-promtail:9080"
)

CASES = (
    Case(
        alert="ConfigNotRead",
        when="when the agent refused it",
        series={RELOADED.format("prometheus", "agent"): "1x8 0x40"},
        at="5m",
        fires=[fired("agent on hub rejected its new configuration", job="agent")],
    ),
    Case(
        alert="ConfigNotRead",
        when="when Caddy refused it",
        series={RELOADED.format("caddy", "caddy"): "1x8 0x40"},
        at="5m",
        fires=[fired("caddy on hub rejected its new configuration", job="caddy")],
    ),
    Case(
        alert="ConfigNotRead",
        when="when vmagent refused",
        series={RELOADED.format("vm_promscrape", "agent"): "1x8 0x40"},
        at="5m",
        fires=[fired("agent on hub rejected its new configuration", job="agent")],
    ),
    Case(alert="ConfigNotRead", when="after a good one", series={RELOADED.format("prometheus", "agent"): "1x100"}),
    Case(
        alert="ConfigNotRead",
        when="when Alloy refused it",
        series={f'alloy_config_last_load_successful{{job="alloy",{OF}}}': "1x8 0x40"},
        at="5m",
        fires=[fired("alloy on hub rejected its new configuration", job="alloy")],
    ),
    Case(
        alert="ConfigNotRead",
        when="when Loki's ruler refused its rules",
        series={f'loki_ruler_config_last_reload_successful{{job="loki",user="fake",{OF}}}': "1x8 0x40"},
        at="5m",
        fires=[fired("loki on hub rejected its new configuration", job="loki", user="fake")],
    ),
    Case(
        alert="ConfigNotRead",
        when="hours after Promtail refused it",
        series={FAILED_RELOADS: "0x40 1x1000", GOOD_RELOADS: "3x1040"},
        at="4h",
        fires=[PROMTAIL_REFUSED],
    ),
    Case(
        alert="ConfigNotRead",
        when="when Promtail refused it after a good one",
        series={FAILED_RELOADS: "1x42 2x200", GOOD_RELOADS: "3x40 4x202"},
        at="30m",
        fires=[PROMTAIL_REFUSED],
    ),
    Case(
        alert="ConfigNotRead",
        when="when Promtail read a later one",
        series={FAILED_RELOADS: "0x40 1x400", GOOD_RELOADS: "3x100 4x340"},
        at="40m",
    ),
    Case(
        alert="ConfigNotRead",
        when="when Promtail was started again",
        series={FAILED_RELOADS: "0x40 1x60 0x300", GOOD_RELOADS: "3x100 0x300"},
        at="40m",
    ),
    Case(
        alert="ConfigNotRead",
        when="for what Promtail refused before a later success",
        series={FAILED_RELOADS: "1x400", GOOD_RELOADS: "2x400"},
        at="60m",
    ),
)
