"""From which value on a figure is yellow or red: where the stack file has a threshold of an alert, red is that one.

The fleet's thresholds: a table of hosts has one colour for each value, whatever exceptions single hosts have.
"""

from __future__ import annotations

from configs.dashboards.model import Steps
from configs.settings import Settings
from configs.settings.thresholds import Thresholds


def limits(settings: Settings) -> Thresholds:
    return settings.hub.alerts.thresholds


def up_to(limit: float, warned: float = 0.9) -> Steps:
    """Red from the limit on, yellow from a share of it (`warned`) on."""
    return ((None, "green"), (round(limit * warned, 6), "yellow"), (limit, "red"))


def down_to(limit: float, warned: float) -> Steps:
    """Of what runs out: red below the limit, yellow below a multiple of it."""
    return ((None, "red"), (limit, "yellow"), (limit * warned, "green"))


def age(settings: Settings) -> Steps:
    """Of a host's newest sample. Where an agent is asked rarely, a pause is no silence, as in HostSilent."""
    slowest = max(edge.scrape.agents for edge in settings.edges.values())
    return up_to(max(limits(settings).host_silent, 3 * slowest), 0.2)
