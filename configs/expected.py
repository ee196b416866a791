"""What must arrive at the hub, judged by the settings alone: scrape jobs and log jobs of every host."""

from __future__ import annotations

from configs.settings import Settings

HUB_JOBS = ("prometheus", "loki", "grafana", "caddy", "alertmanager")


def scrape_jobs(settings: Settings, host: str) -> list[str]:
    """Jobs of which every host has an `up`, in the order in which they are shown."""
    edge = settings.hosts[host]
    return [
        "node",
        "cadvisor",
        "agent",
        edge.logs.agent,
        *(["postgres"] if edge.postgres else []),
        *(HUB_JOBS if host == "hub" else ()),
        *sorted(edge.apps),
    ]
