"""What must arrive at the hub, judged by the settings alone: the scrape jobs of every host and their intervals."""

from __future__ import annotations

from configs.settings import Settings

HUB_JOBS = ("prometheus", "loki", "grafana", "caddy", "alertmanager")


def scrape_jobs(settings: Settings, host: str) -> dict[str, int]:
    """Jobs of which the hub has an `up`, each with its interval in seconds, in the order in which they are shown."""
    edge = settings.edges[host]
    scrape = edge.scrape
    return {
        "node": scrape.node,
        "cadvisor": scrape.cadvisor,
        "agent": scrape.agents,
        edge.logs.agent: scrape.agents,
        **({"postgres": scrape.postgres, "sql": scrape.sql} if edge.postgres else {}),
        **({job: scrape.hub for job in HUB_JOBS} if host == "hub" else {}),
        **{name: app.interval for name, app in sorted(edge.apps.items())},
    }
