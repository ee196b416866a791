"""The hub's rule files, for Prometheus and for Loki's ruler: one module per subject, with the types of model.py.

Every alert has a severity, a summary with its values, a dashboard and a runbook in docs/runbooks.
"""

from __future__ import annotations

from configs.render.dump import to_yaml
from configs.rules import (
    agents,
    ask,
    backup,
    bucket,
    cluster,
    containers,
    exporters,
    fleet,
    hosts,
    http,
    hub,
    logs,
    pipeline,
    postgres,
    probes,
    recording,
    sources,
    timescale,
)
from configs.rules.model import Alert, Group, render
from configs.settings import Settings

HEAD = "Rules, rendered by fleetwatch"


def groups(settings: Settings) -> list[Group]:
    """The groups that Prometheus evaluates."""
    return [
        recording.group(settings),
        agents.group(settings),
        fleet.group(settings),
        pipeline.group(settings),
        sources.group(settings),
        hosts.group(settings),
        hub.group(settings),
        backup.group(settings),
        bucket.group(settings),
        cluster.group(settings),
        ask.group(settings),
        *containers.groups(settings),
        postgres.group(settings),
        timescale.group(settings),
        http.group(settings),
        probes.group(settings),
        *exporters.groups(settings),
        logs.group(settings),
    ]


def ruler_groups(settings: Settings) -> list[Group]:
    """The groups that Loki evaluates."""
    return [hub.ruler_group(settings), logs.ruler_group(settings), sources.ruler_group(settings)]


def alerts(settings: Settings) -> list[Alert]:
    """Every alert for these settings, including Loki's; a name may occur several times (one per host)."""
    every = [*groups(settings), *ruler_groups(settings)]
    return [rule for group in every for rule in group.rules if isinstance(rule, Alert)]


def files(settings: Settings, site: str) -> dict[str, str]:
    """Rule files of Prometheus by name. `site` is Grafana's address."""
    return _files(settings, groups(settings), site)


def log_files(settings: Settings, site: str) -> dict[str, str]:
    """Rule files of Loki's ruler by name."""
    return _files(settings, ruler_groups(settings), site)


def _files(settings: Settings, every: list[Group], site: str) -> dict[str, str]:
    return {f"{one.name}.yml": to_yaml(render(settings, [one], site), HEAD) for one in every if one.rules}
