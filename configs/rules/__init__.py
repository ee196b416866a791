"""The hub's rules, as files for Prometheus and for Loki's ruler. One module per subject, written in model.py's words.

Every alert has a severity, a sentence with its values, a dashboard that it leads to and a page in docs/runbooks.
"""

from __future__ import annotations

from configs.render.dump import to_yaml
from configs.rules import fleet, hosts, pipeline
from configs.rules.model import Alert, Group, render
from configs.settings import Settings

HEAD = "Rules, rendered by fleetwatch"


def groups(settings: Settings) -> list[Group]:
    """What Prometheus evaluates."""
    return [fleet.group(settings), pipeline.group(settings), hosts.group(settings)]


def alerts(settings: Settings) -> list[Alert]:
    """Every alert there is for these settings; a name may come several times (one per host)."""
    return [rule for group in groups(settings) for rule in group.rules if isinstance(rule, Alert)]


def files(settings: Settings, site: str) -> dict[str, str]:
    """Rule files of Prometheus by name. `site` is Grafana's address."""
    return {f"{one.name}.yml": to_yaml(render(settings, [one], site), HEAD) for one in groups(settings) if one.rules}
