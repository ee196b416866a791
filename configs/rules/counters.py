"""Increases of counters in whole numbers, also of counters that a program exposes only after the first event."""

from __future__ import annotations

# A count in a message; without a format Prometheus writes large values with an exponent (3.456789e+06).
COUNT = '{{ $value | printf "%.0f" }}'


def increase_of(metric: str, matchers: str, window: str) -> str:
    """The increase within `window`, for counters that are exposed from the start of the program."""
    return f"increase({metric}{{{matchers}}}[{window}])"


def increase_or_first_event(metric: str, matchers: str, window: str) -> str:
    """The same for a counter that appears with its first event, which `increase` does not count.

    A counter is new if it was absent for a day before the window. A shorter period would report old events as new after
    an outage of the hub, until the backlog has arrived.
    """
    counter = f"{metric}{{{matchers}}}"
    return f"(({counter} unless present_over_time({counter}[1d:10m] offset {window})) or increase({counter}[{window}]))"


def nonzero_rounded(expression: str) -> str:
    """Rounded to a whole number, without zeros: `increase` extrapolates to fractions."""
    return f"round({expression}) > 0"
