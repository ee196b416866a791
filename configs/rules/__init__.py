"""The hub's rules, as files for Prometheus and for Loki's ruler. One module per subject, written in model.py's words.

Every alert has a severity, a sentence with its values, a dashboard that it leads to and a page in docs/runbooks.
"""

from __future__ import annotations

from configs.render.dump import to_yaml
from configs.rules import hosts, hub, pipeline, records
from configs.rules.model import Alert, Group, render
from configs.settings import Settings

HEAD = "Rules, rendered by fleetwatch"


def groups(settings: Settings) -> list[Group]:
    """What Prometheus evaluates."""
    return [records.group(settings), pipeline.group(settings), hosts.group(settings), hub.group(settings)]


def ruler_groups(settings: Settings) -> list[Group]:
    """What Loki evaluates."""
    return [hub.ruler_group(settings)]


def alerts(settings: Settings) -> list[Alert]:
    """Every alert there is for these settings, Loki's too; a name may come several times (one per host)."""
    every = [*groups(settings), *ruler_groups(settings)]
    return [rule for group in every for rule in group.rules if isinstance(rule, Alert)]


def files(settings: Settings, site: str) -> dict[str, str]:
    """Rule files of Prometheus by name. `site` is Grafana's address."""
    return {f"{one.name}.yml": to_yaml(render(settings, [one], site), HEAD) for one in groups(settings) if one.rules}
