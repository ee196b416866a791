"""Prometheus on the hub: receives by remote write, evaluates rules, scrapes nothing itself."""

from __future__ import annotations

from configs import disk, names
from configs.render.dump import to_yaml
from configs.settings import Settings
from configs.settings.units import show_duration, show_size

CONFIG = "/etc/prometheus"
DATA = "/prometheus"


def config(settings: Settings) -> str:
    """prometheus.yml. The out-of-order window takes a backlog as old as the outage budget, and the time to send it."""
    hub = settings.hub
    window = hub.outage_budget + max(300, hub.outage_budget // 8)
    return to_yaml(
        {
            "global": {"evaluation_interval": "15s"},
            "storage": {
                "tsdb": {
                    "out_of_order_time_window": show_duration(window),
                    "retention": {
                        "time": show_duration(hub.retention.metrics),
                        "size": show_size(disk.metrics_size(settings)),
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
        f"--storage.tsdb.min-block-duration={show_duration(hub.metrics_block)}",
        f"--storage.tsdb.max-block-duration={show_duration(hub.metrics_block)}",
    ]
    return [
        f"--config.file={CONFIG}/prometheus.yml",
        f"--storage.tsdb.path={DATA}",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=:{names.PROMETHEUS_PORT}",
        f"--web.external-url=http://localhost:{hub.ports.query}/",
        *(block if hub.metrics_block != 7200 else []),
    ]
