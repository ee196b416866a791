"""Values that people ask for and no panel shows by itself, from the same metrics as the panels."""

from __future__ import annotations

from typing import Any

from configs.catalogue.phrasings import split
from configs.dashboards.hosts import BY, DISKS, SELECTED
from configs.dashboards.model import UID

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
        "Swap usage",
        "Share of the swap space in use.",
        "percentunit",
        f"1 - max {BY} (node_memory_SwapFree_bytes{{{SELECTED}}} / (node_memory_SwapTotal_bytes{{{SELECTED}}} > 0))",
        "swap usage; swap used; is the host swapping",
    ),
)


def entries() -> list[dict[str, Any]]:
    """As entries of the catalogue."""
    return [
        {
            "id": f"value/{name}",
            "kind": "value",
            "board": UID.format("hosts"),
            "title": name,
            "name": "",
            "meaning": meaning,
            "unit": unit,
            "language": "promql",
            "form": "value",
            "expr": expr,
            "variables": {"env": "env", "host": "host"},
            "present": ["env", "host"],
            "empty": "",
            "phrasings": list(split(phrasings)),
        }
        for name, meaning, unit, expr, phrasings in VALUES
    ]
