"""When the alerts about the nodes of a cluster fire, and when not."""

from __future__ import annotations

from tests.rendered.rules_rig import Case, Fired, fired

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
            fired("alertmanager on a node of the hub sees 2 of 3 nodes", job="alertmanager", host=""),
            fired("loki on a node of the hub sees 2 of 3 nodes", job="loki", host=""),
        ],
    ),
    Case(
        alert="NodesApart",
        when="once when two nodes miss the third",
        series={GOSSIP: "2x80", GOSSIP.replace("hub-b", "hub-c"): "2x80"},
        at="15m",
        fires=[fired("alertmanager on a node of the hub sees 2 of 3 nodes", job="alertmanager", host="")],
    ),
    Case(alert="NodesApart", when="before HostSilent of the node can fire", series={GOSSIP: "2x80"}, at="7m45s"),
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

UP = 'up{job="agent",env="cluster",host="%s"}'


def _alone(node: str, host: str) -> list[Fired]:
    return [fired(f"Node {node} of the hub gets no samples", env="cluster", host=host)]


ALONE = (
    Case(
        alert="NodeAlone",
        when="when no host sends to the first node",
        series={UP % "hub": "1x20 _x40", UP % "web-1": "1x20 _x40"},
        at="7m",
        fires=_alone("a", "hub"),
        external={"rule_replica": "a"},
    ),
    Case(
        alert="NodeAlone",
        when="on the second node, longer than Prometheus looks back",
        series={UP.replace("agent", "alertmanager") % "hub": "1x20 _x200"},
        at="45m",
        fires=_alone("b", "hub-b"),
        external={"rule_replica": "b"},
    ),
    Case(alert="NodeAlone", when="while one host sends", series={UP % "hub": "1x20 _x40", UP % "b": "1x60"}, at="7m"),
    Case(alert="NodeAlone", when="on a hub that is just made", series={UP % "hub": "_x40 1x20"}, at="9m"),
    Case(alert="NodeAlone", when="again once samples arrive", series={UP % "hub": "1x20 _x20 1x40"}, at="11m"),
    Case(alert="NodeAlone", when="during a restart of Receive", series={UP % "hub": "1x20 _x4 1x40"}, at="6m15s"),
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

LOKI_UP = {
    node: f'up{{job="loki",instance="loki:3100",env="test",host="{node}"}}' for node in ("hub", "hub-b", "hub-c")
}
NO_LOGS = (
    Case(
        alert="HubPartDown",
        when="once when two nodes lack Loki",
        series={LOKI_UP["hub"]: "1x80", LOKI_UP["hub-b"]: "1x20 0x60", LOKI_UP["hub-c"]: "1x20 _x60"},
        at="15m",
        fires=[fired("Loki answers on 1 of 3 nodes of the hub", job="loki", host="")],
    ),
    Case(
        alert="HubPartDown",
        when="for the whole hub while one node lacks Loki",
        series={LOKI_UP["hub"]: "1x80", LOKI_UP["hub-b"]: "1x80", LOKI_UP["hub-c"]: "0x80"},
        at="15m",
    ),
)

# What the Rule of a node evaluates that is cut off: no sample arrives.
NEWEST = 'host:newest_sample:timestamp_seconds{env="cluster",host="hub"}'
CUT_OFF = {NEWEST: "0x400", UP.replace("agent", "alertmanager") % "hub": "1x4 _x400"}
SILENT = (
    Case(alert="HostSilent", when="on a node that is alone", series=CUT_OFF, at="15m"),
    Case(
        alert="HostSilent",
        when="while another host sends",
        series={NEWEST: "0x400", UP % "hub-b": "1x400"},
        at="15m",
        fires=[fired("Host hub sends no data", env="cluster")],
    ),
)
UNREACHED = (
    Case(
        alert="HubPartDown",
        when="on a node that is alone",
        series={UP.replace("agent", "alertmanager") % "hub": "1x4 _x400"},
        at="15m",
    ),
    Case(
        alert="HubPartDown",
        when="on a hub that never got a sample",
        series={},
        at="15m",
        fires=[fired("The hub receives no data from any host", env="cluster", job="caddy")],
    ),
    Case(
        alert="HubPartDown",
        when="when samples arrive, but none of an agent",
        series={UP.replace("agent", "node") % "hub": "1x400"},
        at="15m",
        fires=[fired("The hub receives no data from any host", env="cluster", job="caddy")],
    ),
)

RECEIVE = {node: f'job="thanos-receive",env="test",host="{node}"' for node in ("hub", "hub-b", "hub-c")}
FAILED = {node: f'thanos_receive_replications_total{{{of},result="error"}}' for node, of in RECEIVE.items()}
HASHRING = {node: f'thanos_receive_hashring_nodes{{{of},name="default"}}' for node, of in RECEIVE.items()}
COPIES = (
    Case(
        alert="ReplicationFails",
        when="once when two nodes do not reach the third",
        series={FAILED["hub"]: "0x20 0+1x80", FAILED["hub-b"]: "0x20 0+1x80", FAILED["hub-c"]: "0x100"},
        at="20m",
        fires=[
            fired(
                "Receive failed to copy 40 writes to another node of the hub in 5 minutes",
                job="thanos-receive",
                host="",
            )
        ],
    ),
    Case(alert="ReplicationFails", when="during a restart", series={FAILED["hub"]: "0x20 0+1x8 8x60"}, at="14m"),
    Case(
        alert="ReplicationFails",
        when="when a node has another hashring",
        series={HASHRING["hub"]: "3x60", HASHRING["hub-b"]: "3x60", HASHRING["hub-c"]: "2x60"},
        fires=[fired("The hashring of Receive has 2 of 3 nodes", job="thanos-receive", host="")],
    ),
    Case(alert="ReplicationFails", when="with all three", series=dict.fromkeys(HASHRING.values(), "3x60")),
)
