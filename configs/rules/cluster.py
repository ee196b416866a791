"""Alerts about the nodes of a cluster: whether they see each other, whether one is alone, and the shared database."""

from __future__ import annotations

from configs.metrics_store import RECEIVE, RULES
from configs.rules.counters import COUNT, increase_of, nonzero_rounded
from configs.rules.model import SILENT_FOR, Alert, Group, host_silent, muted
from configs.services.hub_database import JOB
from configs.settings import Settings
from configs.settings.nodes import COUNT as NODES
from configs.settings.thresholds import Thresholds
from configs.units import prometheus_duration

SLACK = 60  # seconds; two evaluations, and the delivery to Alertmanager
FRESH = 60  # seconds; the newest sample of all hosts is a few seconds old


def group(settings: Settings) -> Group:
    """Empty for a hub on one host."""
    if not settings.hub.nodes:
        return Group(name="cluster", rules=())
    at_hub = settings.edges["hub"].alerts
    alone = () if muted(at_hub, "NodeAlone") else (_alone(settings),)
    no_logs = () if muted(at_hub, "HubPartDown") else (NO_LOGS,)
    return Group(name="cluster", rules=(_apart(settings), *COPIES, DATABASE_DOWN, *no_logs, *alone))


def _seen(matchers: str) -> str:
    """How many nodes each program sees, itself included. Receive has no such figure: it only counts failures."""
    loki = f'loki_ring_members{{job="loki",name="ingester",state="ACTIVE"{matchers}}}'
    return f'alertmanager_cluster_members{{job="alertmanager"{matchers}}} or {loki}'


def _apart(settings: Settings) -> Alert:
    """Once for each program, not for each node that misses another. It waits longer than HostSilent of a node takes to
    fire, because that alert inhibits this one (configs/services/alertmanager/routing.py)."""
    silent = max(host_silent(settings, host) for host in settings.hub.hosts)
    return Alert(
        name="NodesApart",
        expr=lambda matchers, _: f"min by (env, job) ({_seen(matchers)}) < {NODES}",
        wait=prometheus_duration(silent + SILENT_FOR + SLACK),
        severity="critical",
        summary=f"{{{{ $labels.job }}}} on a node of the hub sees {COUNT} of {NODES} nodes",
        description="A node is down, or the network between them. With one more lost, metrics and logs are refused, "
        "and edges queue them.",
        board="hub",
        per="hub",
        labels={"host": "hub"},
    )


def _not_copied(matchers: str, _: Thresholds) -> str:
    """Any failure counts, not a share: to a node that does not answer Receive pauses, and counts nothing meanwhile."""
    failed = increase_of("thanos_receive_replications_total", f'job="{RECEIVE}",result="error"{matchers}', "5m")
    return nonzero_rounded(f"sum by (env, job) ({failed})")


COPIES = (
    Alert(
        name="ReplicationFails",
        expr=_not_copied,
        wait="10m",
        severity="critical",
        summary=f"Receive failed to copy {COUNT} writes to another node of the hub in 5 minutes",
        description="Samples have two copies instead of three. With one more node lost, metrics are refused, and "
        "edges queue them.",
        board="hub",
        per="hub",
        labels={"host": "hub"},
    ),
    Alert(
        name="ReplicationFails",
        expr=lambda matchers, _: (
            f'min by (env, job) (thanos_receive_hashring_nodes{{job="{RECEIVE}"{matchers}}}) < {NODES}'
        ),
        severity="critical",
        summary=f"The hashring of Receive has {COUNT} of {NODES} nodes",
        description="The file of the hashring on a node differs from that of the others: samples have too few copies.",
        board="hub",
        per="hub",
        labels={"host": "hub"},
    ),
)

# Without `instance`: it explains what is missing of every host (configs/services/alertmanager/routing.py).
NO_LOGS = Alert(
    name="HubPartDown",
    expr=f'sum by (env, job) (up{{job="loki"}}) < {NODES // 2 + 1}',
    wait="2m",
    severity="critical",
    summary=f"Loki answers on {COUNT} of {NODES} nodes of the hub",
    description="Lines are accepted once two nodes have them: until then edges queue them for the outage budget.",
    board="hub",
    per="hub",
    labels={"host": "hub"},
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


def _fresh(settings: Settings) -> int:
    """Seconds after which a node that gets no sample of any host is alone."""
    return max(FRESH, 3 * min(edge.scrape.agents for edge in settings.edges.values()))


def unless_alone(settings: Settings, expr: str) -> str:
    """The expression of an alert about missing samples, false on a node that NodeAlone is about. Its Rule sends to all
    Alertmanagers, and only its own suppresses what follows from NodeAlone. Unchanged without a cluster."""
    if not settings.hub.nodes or muted(settings.edges["hub"].alerts, "NodeAlone"):
        return expr
    return f"({expr}) unless on () ({_no_samples(settings)})"


def _no_samples(settings: Settings) -> str:
    ever = 'up{job="alertmanager"}'  # a hub that is just made has no sample either
    return f"time() - max(timestamp(up)) > {_fresh(settings)} or absent(up) and max(max_over_time({ever}[1d]))"


def _alone(settings: Settings) -> Alert:
    """Of a node that gets no sample of any host, itself included: without another node its Receive refuses every write,
    and each agent repeats the one that was refused first. So no metric can report it, such as Alertmanager's number of
    members; its Rule still evaluates.

    Both Rules have this alert. `host` is the node whose Rule raised it; Alertmanager there suppresses all others
    (configs/services/alertmanager/routing.py), because to this node every host is silent.
    """
    first, second = tuple(settings.hub.nodes)[:RULES]
    node = settings.hub.nodes[first]
    return Alert(
        name="NodeAlone",
        expr=_no_samples(settings),
        wait="30s",
        severity="critical",
        summary="Node {{ $externalLabels.rule_replica }} of the hub gets no samples",
        description=f"No host has sent it a sample for {_fresh(settings)} s. It cannot reach the other two nodes, or "
        "they are down, so it refuses all writes. Its other alerts are suppressed: to it every host is silent.",
        board="hub",
        per="hub",
        labels={
            "env": settings.env,
            "host": f'{{{{ if eq $externalLabels.rule_replica "{node}" }}}}{first}{{{{ else }}}}{second}{{{{ end }}}}',
        },
    )
