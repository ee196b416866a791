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
