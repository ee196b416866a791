"""Matchers and expressions that several rows of the Hub health dashboard share."""

from __future__ import annotations

from configs.metrics_store import TSDB_JOB

SELECTED = 'env=~"$env",host=~"$host"'
AGENT = f'job="agent",{SELECTED}'
LOG_AGENT = f'job=~"promtail|alloy",{SELECTED}'
BY = "by (env, host)"
METRICS = TSDB_JOB
RATE_INTERVAL = "$__rate_interval"


def rate(metric: str, matchers: str) -> str:
    """The rate of a counter per second."""
    return f"rate({metric}{{{matchers}}}[{RATE_INTERVAL}])"


def once(expr: str, by: str = "") -> str:
    """The sum on a hub. Each node of a cluster has a copy of everything: then that of the node which has the most."""
    return f"max{f' by ({by})' if by else ''} (sum by ({f'{by}, ' if by else ''}host) ({expr}))"
