"""Expressions that stay right on down-sampled blocks.

Thanos Query takes a sample per five minutes for a graph whose points are at least 25 minutes apart, and one per hour
from five hours on (step / 5). A range that a graph fixes has to hold two of the latter.
"""

from __future__ import annotations

from configs.metrics_store import in_bucket
from configs.settings import Settings

COARSEST = 3600  # seconds between two samples of the coarsest blocks
LEAST_WINDOW = 2 * COARSEST


def changes(settings: Settings, selector: str, window: str) -> str:
    """How often a gauge that only rises has changed within `window`. The mean of five minutes in which it changed is
    neither value, and `changes` would count it twice: in a bucket the maxima are compared, once per point."""
    if not in_bucket(settings):
        return f"changes({selector}[{window}])"
    return f"changes(max_over_time({selector}[$__interval])[{window}:$__interval])"
