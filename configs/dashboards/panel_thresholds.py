"""Threshold colours of panels. Where an alert has a threshold in the stack file, a value turns red at the same one.

The thresholds are the fleet's: exceptions of single hosts and containers do not change the colours.
"""

from __future__ import annotations

from configs.dashboards.model import Steps
from configs.settings import Settings
from configs.settings.thresholds import Thresholds


def fleet_thresholds(settings: Settings) -> Thresholds:
    """The alert thresholds of the whole fleet."""
    return settings.hub.alerts.thresholds


def red_above(limit: float, warning: float = 0.9) -> Steps:
    """Red from the limit on, yellow from `warning` times the limit on."""
    return ((None, "green"), (round(limit * warning, 6), "yellow"), (limit, "red"))


def red_below(limit: float, warning: float) -> Steps:
    """Red below the limit, yellow below `warning` times the limit."""
    return ((None, "red"), (limit, "yellow"), (limit * warning, "green"))


def sample_age(settings: Settings) -> Steps:
    """Of a host's newest sample; like HostSilent, never less than three scrape intervals of the slowest agent."""
    slowest = max(edge.scrape.agents for edge in settings.edges.values())
    return red_above(max(fleet_thresholds(settings).host_silent, 3 * slowest), 0.2)
