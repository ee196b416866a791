"""Alerts about the nodes of a cluster: whether they see each other, and the database that they share."""

from __future__ import annotations

from configs.rules.counters import COUNT
from configs.rules.model import Alert, Group
from configs.services.hub_database import JOB
from configs.settings import Settings
from configs.settings.nodes import COUNT as NODES


def group(settings: Settings) -> Group:
    """Empty for a hub on one host."""
    return Group(name="cluster", rules=(APART, DATABASE_DOWN) if settings.hub.nodes else ())


def _seen(matchers: str) -> str:
    """How many nodes each program sees, itself included. Receive has no such figure: it only counts failures."""
    loki = f'loki_ring_members{{job="loki",name="ingester",state="ACTIVE"{matchers}}}'
    return f'alertmanager_cluster_members{{job="alertmanager"{matchers}}} or {loki}'


APART = Alert(
    name="NodesApart",
    expr=lambda matchers, _: f"min by (env, host, job) ({_seen(matchers)}) < {NODES}",
    severity="critical",
    summary=f"{{{{ $labels.job }}}} on {{{{ $labels.host }}}} sees {COUNT} of {NODES} nodes",
    description="A node is down, or the network between them. With one more lost, metrics and logs are refused, and "
    "edges queue them.",
    board="hub",
    per="hub",
)

# Once, however many nodes there are; a node that alone does not reach the database is NodesApart.
DATABASE_DOWN = Alert(
    name="HubDatabaseDown",
    expr=lambda matchers, _: f'max by (env) (pg_up{{job="{JOB}"{matchers}}}) == 0',
    wait="2m",
    severity="critical",
    summary="The database of the hub's nodes does not answer",
    description="No user can sign in to Grafana, and the assistant answers nothing. Metrics, logs and alerts are not "
    "affected.",
    board="hub",
    per="hub",
    labels={"host": "hub"},
)
