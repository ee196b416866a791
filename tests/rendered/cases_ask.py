"""When the alerts about the assistant fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

UP = 'up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081"}'
COMPONENT = 'ask_component_up{job="ask",env="test",host="hub",instance="fleetwatch-ask:8081",component="database"}'

CASES = (
    Case(
        alert="AskDown",
        when="when it does not answer",
        series={UP: "0x60"},
        fires=[fired("The assistant is down", job="ask", instance="fleetwatch-ask:8081")],
    ),
    Case(alert="AskDown", when="while it answers", series={UP: "1x60"}),
    Case(alert="AskDown", when="for a restart", series={UP: "1x20 0x8 1x60"}, at="7m30s"),
    Case(
        alert="AskDependencyDown",
        when="when its database is away",
        series={COMPONENT: "0x60"},
        fires=[fired("The assistant cannot reach its database", component="database")],
    ),
    Case(alert="AskDependencyDown", when="while all answer", series={COMPONENT: "1x60"}),
)
