"""How much a counter grew, in whole numbers; also one that a program only shows once it has something to count."""

from __future__ import annotations

# A count as a message says it: Prometheus writes a bare value from a million on in exponents (3.456789e+06).
COUNT = '{{ $value | printf "%.0f" }}'


def grown(metric: str, matchers: str, window: str) -> str:
    """Growth within `window`, as `increase` extrapolates it; for counters that are there from the program's start."""
    return f"increase({metric}{{{matchers}}}[{window}])"


def grown_or_new(metric: str, matchers: str, window: str) -> str:
    """The same for a counter that first appears with its first event: `increase` never sees that one.

    New is what was not there during the day before the window, not merely at its beginning: after an outage of the hub
    that hour is empty until the backlog has come, and old losses would be told as new.
    """
    counter = f"{metric}{{{matchers}}}"
    return f"(({counter} unless present_over_time({counter}[1d:10m] offset {window})) or increase({counter}[{window}]))"


def whole(expression: str) -> str:
    """Where it is not 0, as a whole number: nobody loses 5.3 lines."""
    return f"round({expression}) > 0"
