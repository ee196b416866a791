"""Values that people ask for and no panel shows by itself, from the same metrics as the panels."""

from __future__ import annotations

from typing import Any

from configs.catalogue.phrasings import split
from configs.dashboards.hosts import BY, DISKS, INTERFACES, SELECTED
from configs.dashboards.http import metric_groups, success_ratio
from configs.dashboards.model import UID
from configs.dashboards.postgres import SIZE
from configs.settings import Settings

HOST = {"env": "env", "host": "host"}

# (name, meaning, unit, expression, phrasings)
VALUES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "Available memory",
        "Memory that programs can still get; reclaimable memory is available.",
        "bytes",
        f"max {BY} (node_memory_MemAvailable_bytes{{{SELECTED}}})",
        "free memory; available memory",
    ),
    (
        "Total memory",
        "Memory of the host.",
        "bytes",
        f"max {BY} (node_memory_MemTotal_bytes{{{SELECTED}}})",
        "total memory; installed memory; memory size",
    ),
    (
        "Available disk space",
        "Space of each file system that an unprivileged user can still fill.",
        "bytes",
        f"max by (env, host, mountpoint) (node_filesystem_avail_bytes{{{SELECTED},{DISKS}}})",
        "free disk space; available disk space",
    ),
    (
        "Disk size",
        "Size of each file system.",
        "bytes",
        f"max by (env, host, mountpoint) (node_filesystem_size_bytes{{{SELECTED},{DISKS}}})",
        "disk size; size of the disk; disk capacity",
    ),
    (
        "CPU cores",
        "Number of processor cores.",
        "none",
        f'count {BY} (node_cpu_seconds_total{{{SELECTED},mode="idle"}})',
        "number of cpu cores; how many cores; how many cpus",
    ),
    (
        "Network traffic in both directions",
        "Bytes per second that the host receives and transmits, together.",
        "binBps",
        f"sum {BY} (rate(node_network_receive_bytes_total{{{INTERFACES}}}[$__rate_interval])"
        f" + rate(node_network_transmit_bytes_total{{{INTERFACES}}}[$__rate_interval]))",
        "network traffic; network usage; total network traffic; network traffic in both directions",
    ),
    (
        "Disk I/O in both directions",
        "Bytes per second that the host reads from its disks and writes to them, together.",
        "binBps",
        f"sum {BY} (rate(node_disk_read_bytes_total{{{SELECTED}}}[$__rate_interval])"
        f" + rate(node_disk_written_bytes_total{{{SELECTED}}}[$__rate_interval]))",
        "disk throughput; total disk throughput; disk io in bytes",
    ),
    (
        "Alert active for",
        "Time since the condition of an alert that fires has held without a gap; the alert's own wait is part of it.",
        "s",
        'time() - (max by (alertname, severity, host, container) (ALERTS_FOR_STATE{alertname!="Watchdog"}) and on'
        ' (alertname, severity, host, container) ALERTS{alertstate="firing",alertname!="Watchdog"})',
        "since when do alerts fire; how long have alerts been firing",
    ),
    (
        "Databases",
        "Databases of each PostgreSQL server, without templates.",
        "none",
        f"count by (env, host, database) ({SIZE})",
        "number of databases; how many databases",
    ),
    (
        "Swap usage",
        "Share of the swap space in use.",
        "percentunit",
        f"1 - max {BY} (node_memory_SwapFree_bytes{{{SELECTED}}} / (node_memory_SwapTotal_bytes{{{SELECTED}}} > 0))",
        "swap usage; swap used; is the host swapping",
    ),
)


_BOARDS = {"Databases": "postgres", "Alert active for": "fleet", "Success ratio by service": "http"}  # else hosts


def _values(settings: Settings) -> tuple[tuple[str, str, str, str, str], ...]:
    if not metric_groups(settings):
        return VALUES
    return (
        *VALUES,
        (
            "Success ratio by service",
            "Share of responses without status 5xx.",
            "percentunit",
            success_ratio(settings),
            "success ratio; success rate; service success rate; success rate of requests; successful requests ratio",
        ),
    )


def entries(settings: Settings) -> list[dict[str, Any]]:
    """As entries of the catalogue."""
    return [
        {
            "id": f"value/{name}",
            "kind": "value",
            "board": UID.format(_BOARDS.get(name, "hosts")),
            "title": name,
            "name": "",
            "meaning": meaning,
            "unit": unit,
            "language": "promql",
            "form": "value",
            "expr": expr,
            "variables": {"env": "env", "host": "host", "service": "job"} if "$service" in expr else HOST,
            "present": ["env", "host"],
            "empty": "",
            "phrasings": list(split(phrasings)),
        }
        for name, meaning, unit, expr, phrasings in _values(settings)
    ]
