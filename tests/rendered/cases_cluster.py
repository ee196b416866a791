"""When the alerts about the nodes of a cluster fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, fired

OF = 'env="test",host="hub-b"'
GOSSIP = f'alertmanager_cluster_members{{job="alertmanager",{OF}}}'
RING = f'loki_ring_members{{job="loki",{OF},name="ingester",state="ACTIVE"}}'
UNHEALTHY = f'loki_ring_members{{job="loki",{OF},name="ingester",state="Unhealthy"}}'

CASES = (
    Case(
        alert="NodesApart",
        when="when Loki and Alertmanager miss a node",
        series={GOSSIP: "2x80", RING: "2x80", UNHEALTHY: "1x80"},
        at="15m",
        fires=[
            fired("alertmanager on hub-b sees 2 of 3 nodes", job="alertmanager", host="hub-b"),
            fired("loki on hub-b sees 2 of 3 nodes", job="loki", host="hub-b"),
        ],
    ),
    Case(alert="NodesApart", when="with all three", series={GOSSIP: "3x80", RING: "3x80", UNHEALTHY: "0x80"}, at="15m"),
    Case(alert="NodesApart", when="during a restart", series={GOSSIP: "3x20 2x8 3x60", RING: "3x90"}, at="8m"),
)

PG = {node: f'pg_up{{job="hub-database",env="test",host="{node}"}}' for node in ("hub", "hub-b", "hub-c")}
DATABASE = (
    Case(
        alert="HubDatabaseDown",
        when="once when no node reaches the database",
        series=dict.fromkeys(PG.values(), "1x20 0x60"),
        at="15m",
        fires=[fired("The database of the hub's nodes does not answer", host="")],
    ),
    Case(
        alert="HubDatabaseDown",
        when="while one node alone does not reach it",
        series={PG["hub"]: "0x80", PG["hub-b"]: "1x80", PG["hub-c"]: "1x80"},
        at="15m",
    ),
    Case(alert="HubDatabaseDown", when="during a failover", series={PG["hub"]: "1x20 0x6 1x60"}, at="7m"),
)

RULE = 'job="thanos-rule",env="test",host="hub"'
SENDERS = {node: f'thanos_alert_sender_alerts_dropped_total{{{RULE},alertmanager="{node}"}}' for node in "abc"}
QUEUE = f"thanos_alert_queue_alerts_dropped_total{{{RULE}}}"
UNDELIVERED = (
    Case(
        alert="NotificationsFail",
        when="when no Alertmanager takes alerts",
        series={**dict.fromkeys(SENDERS.values(), "0x20 3x60"), QUEUE: "0x80"},
        at="15m",
        fires=[fired("thanos-rule failed to deliver 3 alerts to Alertmanager in 15 minutes", job="thanos-rule")],
    ),
    Case(
        alert="NotificationsFail",
        when="while one of three Alertmanagers is down",
        series={SENDERS["a"]: "0x20 3x60", SENDERS["b"]: "0x80", SENDERS["c"]: "0x80", QUEUE: "0x80"},
        at="15m",
    ),
)
