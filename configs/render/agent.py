"""The edge's Prometheus in agent mode: scrapes what the host offers and pushes it to the hub."""

from __future__ import annotations

from typing import Any

from configs import names
from configs.render import push_auth, sql
from configs.render.dump import to_yaml
from configs.settings import Edge, Settings
from configs.settings.units import show_duration

CONFIG = "/etc/prometheus"
DATA = "/prometheus"


def config(settings: Settings, host: str, push_url: str, gateway: str) -> str:
    """prometheus.yml of the agent of `host`. `push_url` is the hub as this edge reaches it, without a path."""
    edge = settings.edges[host]
    return to_yaml(
        {
            "global": {"external_labels": {"env": settings.env, "host": host}, "scrape_interval": "15s"},
            "scrape_configs": _labelled(
                [
                    *_own_jobs(settings, host, gateway),
                    *_postgres_jobs(settings.prefix, edge),
                    *_sql_jobs(settings.prefix, edge),
                    *(_hub_jobs(settings, edge) if host == "hub" else []),
                    *_app_jobs(edge),
                ],
                {"env": settings.env, "host": host},
            ),
            "remote_write": [_remote_write(settings, edge, host, push_url)],
        },
        f"Prometheus agent of {host}, rendered by fleetwatch",
    )


def command(settings: Settings) -> list[str]:
    """Arguments of the container. The WAL keeps what the hub has not taken for as long as the outage budget says.

    What decides is how often the WAL is truncated, not `max-time`: each truncation begins a new segment file and drops
    the oldest two thirds of the older ones, sent or not (Prometheus 3.15, tsdb/agent/db.go), and a sender that finds
    its next segment gone starts anew at the present. At two thirds of the budget, an edge that writes up to two
    segments of 128 MB in that time (about 10000 series) keeps a whole budget at the least, a smaller one two.
    """
    budget = settings.hub.outage_budget
    truncate = max(10, budget * 2 // 3)
    return [
        "--agent",
        f"--config.file={CONFIG}/prometheus.yml",
        f"--storage.agent.path={DATA}",
        f"--storage.agent.retention.min-time={show_duration(min(300, truncate))}",
        f"--storage.agent.retention.max-time={show_duration(budget)}",
        f"--storage.agent.wal-truncate-frequency={show_duration(truncate)}",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
    ]


def _remote_write(settings: Settings, edge: Edge, host: str, push_url: str) -> dict[str, Any]:
    """Retries everything that may pass: 5xx always, 429 by this setting; a 4xx is final in Prometheus."""
    target: dict[str, Any] = {
        "url": push_url + names.METRICS_PUSH,
        "remote_timeout": "30s",
        "queue_config": {"max_backoff": "10s", "retry_on_http_429": True, "batch_send_deadline": "1s"},
    }
    if settings.hosts[host].via == "internet":
        target["basic_auth"] = push_auth.basic_auth(host, settings.hosts[host])
        target["tls_config"] = push_auth.tls_config(settings.hub, CONFIG)
    return target


def _labelled(jobs: list[dict[str, Any]], labels: dict[str, str]) -> list[dict[str, Any]]:
    """Labels of the target win over those of a metric (which becomes `exported_host`); external labels would not."""
    for job in jobs:
        for group in job["static_configs"]:
            group["labels"] = {**labels, **group.get("labels", {})}
    return jobs


def _job(name: str, interval: int, targets: list[str], **more: Any) -> dict[str, Any]:
    """A scrape job with one group of targets; `_labelled` adds the labels of env and host."""
    timeout = {"scrape_timeout": show_duration(interval)} if interval < 10 else {}
    return {
        "job_name": name,
        "scrape_interval": show_duration(interval),
        **timeout,
        **more,
        "static_configs": [{"targets": targets}],
    }


def _own_jobs(settings: Settings, host: str, gateway: str) -> list[dict[str, Any]]:
    prefix, edge = settings.prefix, settings.edges[host]
    log_agent = edge.logs.agent
    node = _job(
        "node",
        edge.scrape.node,
        [f"{gateway}:{names.NODE_EXPORTER_PORT}"],
        basic_auth=push_auth.basic_auth(host, settings.hosts[host]),
    )
    cadvisor = _job(
        "cadvisor",
        edge.scrape.cadvisor,
        [names.address(prefix, "cadvisor", names.CADVISOR_PORT)],
        # cAdvisor stamps a sample with the time of its own last look, which two scrapes may see alike.
        honor_timestamps=False,
    ) | {"metric_relabel_configs": _container_labels()}
    return [
        node,
        cadvisor,
        _job("agent", edge.scrape.agents, [f"localhost:{names.PROMETHEUS_PORT}"]),
        _job(log_agent, edge.scrape.agents, [names.address(prefix, log_agent, names.LOG_AGENT_PORT)]),
    ]


def _container_labels() -> list[dict[str, Any]]:
    """cAdvisor's labels under the names that logs use too; ids go, they are of no use and of high cardinality."""
    return [
        {"source_labels": ["name"], "target_label": "container"},
        {"source_labels": ["container_label_com_docker_compose_project"], "target_label": "compose_project"},
        {"source_labels": ["container_label_com_docker_compose_service"], "target_label": "compose_service"},
        {"regex": "name|image|container_label_.*", "action": "labeldrop"},
        # A container whose name cAdvisor could not read must be seen, not hidden. Docker names its control group by the
        # container's id: /docker/<id>, or /system.slice/docker-<id>.scope where systemd makes it.
        {"source_labels": ["container", "id"], "regex": ";(/.*[0-9a-f]{64}.*)", "target_label": "cgroup"},
        # Others that are no container (system.slice/...) are the node exporter's business; the root one is kept.
        {"source_labels": ["container", "cgroup", "id"], "regex": ";;/.+", "action": "drop"},
        {"regex": "id", "action": "labeldrop"},
    ]


def _postgres_jobs(prefix: str, edge: Edge) -> list[dict[str, Any]]:
    """One job for every database server, told apart by the label `database`, the entry's name."""
    if not edge.postgres:
        return []
    job = _job("postgres", edge.scrape.postgres, [])
    job["static_configs"] = [
        {
            "targets": [names.address(prefix, f"postgres-{name}", names.POSTGRES_EXPORTER_PORT)],
            "labels": {"database": name},
        }
        for name in sorted(edge.postgres)
    ]
    return [job]


def _sql_jobs(prefix: str, edge: Edge) -> list[dict[str, Any]]:
    """One exporter for all databases of the host, which says itself which one a metric is of (`database`)."""
    if not edge.postgres:
        return []
    target = names.address(prefix, "sql-exporter", names.SQL_EXPORTER_PORT)
    job = _job("sql", edge.scrape.sql, [target], scrape_timeout=show_duration(sql.timeout(edge)))
    return [{**job, "metric_relabel_configs": sql.relabel()}]


def _hub_jobs(settings: Settings, edge: Edge) -> list[dict[str, Any]]:
    ports = {
        "prometheus": names.PROMETHEUS_PORT,
        "loki": names.LOKI_PORT,
        "grafana": names.GRAFANA_PORT,
        "caddy": names.CADDY_METRICS_PORT,
        "alertmanager": names.ALERTMANAGER_PORT,
    }
    return [_job(role, edge.scrape.hub, [names.address(settings.prefix, role, port)]) for role, port in ports.items()]


def _app_jobs(edge: Edge) -> list[dict[str, Any]]:
    return [
        _job(name, app.interval, [app.target], metrics_path=app.path, scheme=app.scheme)
        for name, app in sorted(edge.apps.items())
    ]
