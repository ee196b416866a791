"""The scrape job of RabbitMQ, whose plugin rabbitmq_prometheus exposes metrics itself: there is no container."""

from __future__ import annotations

from configs.services import exporters
from configs.services.context import Context
from configs.services.spec import ScrapeJob

JOB = "rabbitmq"


def jobs(context: Context) -> list[ScrapeJob]:
    """One target for each server: the plugin's page of sums, which does not grow with the number of queues."""
    return [
        ScrapeJob(
            name=JOB,
            interval=context.edge.scrape.exporters,
            port=int(server.target.rpartition(":")[2]),
            target=server.target,
            series=680,  # of 3.10 without other plugins
            labels={"server": name},
            users=True,
        )
        for name, server in exporters.entries(context, JOB)
    ]
