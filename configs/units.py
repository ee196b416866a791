"""Durations and sizes as people write them in a stack file.

`Duration` is whole seconds (`10s`, `90d`, `1h30m`; `y` is 365 days as in Prometheus), `Size` whole bytes with powers
of 1024 (`512MB`, `5GB`), the way Docker and Prometheus count. `show_*` write them back in their shortest form, for
people. A rendered file takes `prometheus_duration` or `go_duration`, by the type of the field that reads it.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_BYTES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}

LONGEST = 100 * _SECONDS["y"]  # Go counts nanoseconds in 64 bits, which end at 292 years
LARGEST = 1024 * _BYTES["T"]  # far below the 64 bits in which every program counts bytes
LEAST_MEMORY = 6 * _BYTES["M"]  # Docker refuses a lower limit


def parse_duration(value: object) -> int:
    """`1h30m` -> 5400. Raises ValueError naming the form for anything else, bare numbers included."""
    text = value if isinstance(value, str) else ""
    parts = re.findall(r"([0-9]+)([smhdwy])", text)
    if not parts or "".join(n + unit for n, unit in parts) != text:
        raise ValueError("expected a duration such as 10s, 5m, 24h or 90d")
    seconds = sum(_number(n) * _SECONDS[unit] for n, unit in parts)
    if seconds <= 0:
        raise ValueError("expected a duration of at least 1s")
    if seconds > LONGEST:
        raise ValueError("expected a duration of at most 100y")
    return seconds


def _number(digits: str) -> int:
    """The number; a larger one than any limit for one that is too long for Python to read."""
    digits = digits.lstrip("0")
    return int(digits or 0) if len(digits) < 20 else 10**20


def _in_largest(seconds: int, units: str) -> str:
    unit = next((unit for unit in units if seconds % _SECONDS[unit] == 0), "s")
    return f"{seconds // _SECONDS[unit]}{unit}"


def show_duration(seconds: int) -> str:
    """5400 -> `90m`, 86400 -> `1d`: the largest unit that divides it, for messages and documents."""
    return _in_largest(seconds, "dhm")


def prometheus_duration(seconds: int) -> str:
    """86400 -> `1d`, for a field of the type `model.Duration` of Prometheus: settings and flags of Prometheus and
    Alertmanager, Loki's limits, rules, queries."""
    return _in_largest(seconds, "dhm")


def go_duration(seconds: int) -> str:
    """86400 -> `24h`, for a field that is read with Go's `time.ParseDuration`, which knows no days: Promtail, Alloy,
    sql_exporter, Loki outside of its limits. Right also where the type of a field is not known."""
    return _in_largest(seconds, "hm")


def parse_size(value: object) -> int:
    """`512MB` -> 536870912. Raises ValueError naming the form for anything else, bare numbers included."""
    text = value if isinstance(value, str) else ""
    match = re.fullmatch(r"([0-9]+)\s*([KMGT]?)i?B", text, re.IGNORECASE)
    size = _number(match[1]) * _BYTES[match[2].upper()] if match else 0
    if size <= 0:
        raise ValueError("expected a size such as 256KB, 512MB or 5GB")
    if size > LARGEST:
        raise ValueError("expected a size of at most 1024TB")
    return size


def show_size(size: int) -> str:
    """536870912 -> `512MB`: the largest unit that divides it."""
    for unit in ("T", "G", "M", "K"):
        if size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}B"
    return f"{size}B"


def megabytes(size: int) -> int:
    """Bytes to MiB, rounded up: the unit of Docker's memory limits in the docker provider."""
    return -(-size // _BYTES["M"])


def _often_enough(value: int) -> int:
    if value > 120:
        raise ValueError("expected at most 2m: Prometheus takes a series for gone after 5m without a sample")
    return value


def _enough_memory(value: int) -> int:
    if value < LEAST_MEMORY:
        raise ValueError(f"expected at least {show_size(LEAST_MEMORY)}, Docker accepts no lower memory limit")
    return value


Duration = Annotated[int, BeforeValidator(parse_duration)]
Interval = Annotated[Duration, AfterValidator(_often_enough)]
Size = Annotated[int, BeforeValidator(parse_size)]
Memory = Annotated[Size, AfterValidator(_enough_memory)]
