"""Prometheus on the hub: receives by remote write, evaluates rules, scrapes nothing itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from configs import metrics_store, names
from configs.render.dump import to_yaml
from configs.services.context import Context
from configs.services.spec import (
    GB,
    RELOAD_BY_HUP,
    HealthCheck,
    Network,
    ScrapeJob,
    Service,
    ServiceSpec,
    Volume,
    http_check,
    rule_files,
    text,
)
from configs.units import prometheus_duration, show_size

if TYPE_CHECKING:
    from configs.settings import Settings

SERVICE = Service(
    image="prometheus",
    licence="Apache-2.0",
    limits="prometheus",
    memory=GB,
    cpus=1.0,
    jobs=("prometheus",),
)

CONFIG = "/etc/prometheus"
DATA = "/prometheus"


def specs(context: Context) -> list[ServiceSpec]:
    """Prometheus of a hub that keeps its metrics on its disk."""
    settings = context.settings
    if metrics_store.in_bucket(settings):
        return []
    return [
        ServiceSpec(
            role="prometheus",
            service=SERVICE,
            limits=context.hub_limits(SERVICE),
            config_dir=CONFIG,
            files={
                "prometheus.yml": text(config(settings, context.metrics_size)),
                **rule_files("rules", context.rules),
            },
            check=("promtool", "check", "config", f"{CONFIG}/prometheus.yml"),
            reload=RELOAD_BY_HUP,
            command=tuple(command(settings)),
            volumes={"prometheus": Volume(DATA, durable=True)},
            networks=(Network("hub"),),
            health=_health(settings),
            # Healthy, but not ready, while it replays its write-ahead log.
            ready=http_check(f"http://127.0.0.1:{names.PROMETHEUS_PORT}/-/ready").argv,
            stop_timeout=60,
            scrape=ScrapeJob(
                name="prometheus", interval=context.edge.scrape.hub, port=names.PROMETHEUS_PORT, series=740
            ),
        )
    ]


def _health(settings: Settings) -> HealthCheck:
    """With a backup, it also removes the snapshots that the backup does not use any more: the backup reads them over a
    read-only mount, and Prometheus has no API to remove one."""
    healthy = http_check(f"http://127.0.0.1:{names.PROMETHEUS_PORT}/-/healthy")
    if settings.hub.backup is None:
        return healthy
    used = f"http://{names.address(settings.prefix, 'backup', names.BACKUP_PORT)}/snapshot"
    return HealthCheck(
        (
            "sh",
            "-c",
            f"{shlex.join(healthy.argv)} || exit 1; "
            # No `timeout`: it would leave a zombie at each check. Docker ends a check that hangs.
            f"used=$(wget -q -O - {used}) || exit 0; "
            '[ -n "$used" ] && [ "$used" != any ] || exit 0; '
            f'for one in {DATA}/snapshots/*; do [ "${{one##*/}}" = "$used" ] || rm -rf "$one"; done',
        )
    )


def out_of_order_window(settings: Settings) -> int:
    """Seconds: a backlog as old as the outage budget is accepted, and the time that sending it takes."""
    budget = settings.hub.outage_budget
    return budget + max(300, budget // 8)


def config(settings: Settings, metrics_size: int) -> str:
    """prometheus.yml; `metrics_size` in bytes."""
    hub = settings.hub
    return to_yaml(
        {
            "global": {"evaluation_interval": "15s"},
            "storage": {
                "tsdb": {
                    "out_of_order_time_window": prometheus_duration(out_of_order_window(settings)),
                    "retention": {
                        "time": prometheus_duration(hub.retention.metrics),
                        "size": show_size(metrics_size),
                    },
                }
            },
            "rule_files": [f"{CONFIG}/rules/*.yml"],
            "alerting": {
                "alertmanagers": [
                    {
                        "static_configs": [
                            {"targets": [names.address(settings.prefix, "alertmanager", names.ALERTMANAGER_PORT)]}
                        ]
                    }
                ]
            },
        },
        "Prometheus of the hub, rendered by fleetwatch",
    )


def command(settings: Settings) -> list[str]:
    """Arguments of the container; what may change without a restart is in the file instead."""
    hub = settings.hub
    block = [
        f"--storage.tsdb.min-block-duration={prometheus_duration(hub.metrics_block)}",
        f"--storage.tsdb.max-block-duration={prometheus_duration(hub.metrics_block)}",
    ]
    return [
        f"--config.file={CONFIG}/prometheus.yml",
        f"--storage.tsdb.path={DATA}",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
        f"--web.external-url=http://localhost:{hub.ports.query}/",
        # A query of the assistant that was estimated too low costs the hub no more than the limit.
        *([f"--query.max-samples={hub.ask.limits.samples}"] if hub.ask is not None else []),
        # Snapshots for the backup. Caddy's query side refuses /api/v1/admin/*, and no port of Prometheus is published.
        *(["--web.enable-admin-api"] if hub.backup is not None else []),
        *(block if hub.metrics_block != 7200 else []),
    ]
