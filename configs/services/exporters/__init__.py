"""The exporters of servers that a user runs: one container for each entry under `exporters`, a module for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from configs.services import node_exporter
from configs.services.context import Context
from configs.services.spec import RESTART, File, HealthCheck, Network, ScrapeJob, Service, ServiceSpec, http_check

if TYPE_CHECKING:
    from configs.settings.exporter import Exporter


WEB = "web.yml"

# Seconds that an exporter may wait for its server. Less than a new agent's first scrapes may take: a server that does
# not answer is `<program>_up 0`, and not a scrape that fails.
PATIENCE = 1.5


def entries(context: Context, job: str) -> list[tuple[str, Exporter]]:
    """The entries of this job on the host, sorted by name."""
    return [(name, one) for name, one in sorted(context.edge.exporters.items()) if one.job == job]


def spec(
    context: Context,
    name: str,
    service: Service,
    *,
    port: int,
    series: int,
    command: Sequence[str] = (),
    environment: Sequence[str] = (),
    secrets: Mapping[str, Callable[[], str]] | None = None,
    health: str | HealthCheck = "/",
    metrics: str = "",
    user: str = "",
    password: bool = False,
) -> ServiceSpec:
    """One exporter on the edge's network and the user's. `health`: a page that opens no connection to the server, or
    the check of an image without wget; `secrets`: the text of each file below the folder of secrets; `series` of one
    server, an estimate; `metrics`: the path of its metrics, if not /metrics; `user`: see
    ServiceSpec; `password`: it demands the scrape password, by the file WEB of Prometheus' exporters."""
    (job,) = service.jobs
    return ServiceSpec(
        role=f"{job}-{name}",
        service=service,
        limits=context.edge_limits(service),
        secrets={
            **{file: _secret(text) for file, text in (secrets or {}).items()},
            **({WEB: File(lambda late: node_exporter.web(late.scraper), needs=("scraper",))} if password else {}),
        },
        reload=RESTART,
        command=tuple(command),
        environment=tuple(environment),
        networks=(Network("edge"),),
        hosts=context.host_names,
        user_networks=True,
        user=user,
        health=_health(f"http://127.0.0.1:{port}{health}", password) if isinstance(health, str) else health,
        scrape=ScrapeJob(
            name=job,
            interval=context.edge.scrape.exporters,
            port=port,
            series=series,
            password=password,
            labels={"server": name, **({"__metrics_path__": metrics} if metrics else {})},
        ),
    )


def _health(url: str, password: bool) -> HealthCheck:
    return node_exporter.refuses_strangers(url) if password else http_check(url)


def _secret(text: Callable[[], str]) -> File:
    return File(lambda _: text())
